#pragma once

#include <sonde/tools/traceroute.hpp>

namespace sonde::inline v0::tools {

/// What a probe of a traceroute came to.
hop_reply reply_of(exchange const& x);
/// Routers say this of packets that have further to go; everything else ends the way.
bool is_time_exceeded(hop_reply const& r, bool v6);

}  // namespace sonde::inline v0::tools
