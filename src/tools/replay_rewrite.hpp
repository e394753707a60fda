#pragma once

#include <sonde/tools/replay.hpp>

namespace sonde::tools {

/// Changes addresses, and has the checksums over them computed anew.
void rewrite(packet& p, replay_rewrite const& how);

}  // namespace sonde::tools
