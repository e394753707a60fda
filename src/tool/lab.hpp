#pragma once

#include <string>
#include <vector>

namespace sonde::inline v0 {

/// `sonde lab -- COMMAND...`: runs a command in a private network where 198.18.0.0/15 and 2001:db8::/32
/// answer. `argv` is what follows the word "lab". Gives the command's exit status, 128 + signal when it was
/// killed; 2 for wrong usage, 3 when the lab cannot be made. Must be called before the process starts any
/// thread: it forks.
int run_lab(std::vector<std::string> const& argv);

}  // namespace sonde::inline v0
