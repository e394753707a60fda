#pragma once

#include <string>
#include <vector>

namespace sonde::inline v0::tool {

/// Exit statuses, as `sonde --help` documents them.
enum exit_status { answered = 0, no_answer = 1, usage = 2, system_error = 3, interrupted = 130 };

using words = std::vector<std::string>;

int run_send(std::string const& name, words const& arguments);    ///< send, sendp
int run_sr(std::string const& name, words const& arguments);      ///< sr, srp, sr1, srp1
int run_srloop(std::string const& name, words const& arguments);  ///< srloop, srploop
int run_sniff(std::string const& name, words const& arguments);

}  // namespace sonde::inline v0::tool
