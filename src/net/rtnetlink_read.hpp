#pragma once

#include <sonde/packet/address.hpp>

#include "net/netlink_message.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <optional>

namespace sonde::inline v0::detail {

/// The fixed header of a message of type `type`, or nothing when it is of another type or too short.
template <class Header>
std::optional<Header> header_of(netlink_message const& m, std::uint16_t type) {
    return m.type == type ? read_as<Header>(m.body) : std::nullopt;
}

/// An address attribute of `family`, or nothing when it is too short or of no IP family.
inline std::optional<ip_address> address_from(std::span<std::byte const> value, int family) {
    if (family == AF_INET6) {
        auto octets = read_as<std::array<std::uint8_t, 16>>(value);
        return octets ? std::optional<ip_address>(ipv6(*octets)) : std::nullopt;
    }
    auto octets = read_as<std::array<std::uint8_t, 4>>(value);
    if (family != AF_INET || !octets) return {};
    std::uint32_t number = 0;
    for (auto octet : *octets) number = number << 8 | octet;
    return ip_address(ipv4(number));
}

/// A hardware address of exactly six bytes.
inline std::optional<mac> hardware_from(std::span<std::byte const> value) {
    if (value.size() != 6) return {};
    return mac(*read_as<std::array<std::uint8_t, 6>>(value));
}

/// A prefix length as the family allows it.
inline std::uint8_t prefix_length_from(std::uint8_t said, int family) {
    return std::min<std::uint8_t>(said, family == AF_INET6 ? 128 : 32);
}

}  // namespace sonde::inline v0::detail
