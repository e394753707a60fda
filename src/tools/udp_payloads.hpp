#pragma once

#include <cstdint>
#include <string_view>

namespace sonde::inline v0::tools {

/// What a service of this UDP port answers to, as bytes; empty where nothing is known. The same text for
/// ports that take the same. Good for ever.
std::string_view udp_payload(std::uint16_t port);

}  // namespace sonde::inline v0::tools
