#pragma once

#include <sonde/packet/address.hpp>

namespace sonde::inline v0::detail {

/// The link address of an IP multicast group (RFC 1112 §6.4, RFC 2464 §7).
/// @{
inline mac group_address(ipv4 group) {
    auto octet = [&](unsigned shift) { return static_cast<std::uint8_t>(group.value >> shift); };
    return mac(std::array<std::uint8_t, 6>{0x01, 0x00, 0x5e, static_cast<std::uint8_t>(octet(16) & 0x7f),
                                           octet(8), octet(0)});
}
inline mac group_address(ipv6 const& group) {
    auto const& o = group.octets;
    return mac(std::array<std::uint8_t, 6>{0x33, 0x33, o[12], o[13], o[14], o[15]});
}
/// @}

}  // namespace sonde::inline v0::detail
