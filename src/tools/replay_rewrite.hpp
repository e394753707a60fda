#pragma once

#include <sonde/tools/replay.hpp>

namespace sonde::inline v0::tools {

/// Changes addresses, and has the checksums over them computed anew.
void rewrite(packet& p, replay_rewrite const& how);

}  // namespace sonde::inline v0::tools
