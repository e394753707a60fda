#pragma once

#include <sonde/net/exchange.hpp>
#include <sonde/packet/address.hpp>

#include <cstdint>

// What the tools read out of answers alike.
namespace sonde::inline v0::tools {

/// Who answered, and how far the answer still would have gone.
struct answer_source {
    ip_address from{};  ///< unspecified when nobody did
    std::uint8_t ttl = 0;
};
answer_source source_of(packet const& received);

/// RFC 792 type 3 code 3; RFC 4443 §3.1 code 4. The target is there, and says so, if it comes from there.
bool is_port_unreachable(probe_outcome const& o, bool v6);

}  // namespace sonde::inline v0::tools
