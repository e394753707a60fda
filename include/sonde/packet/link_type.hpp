#pragma once

#include <sonde/detail/namespace.hpp>

#include <cstdint>

SONDE_NAMESPACE_BEGIN

/// What a frame begins with: the LINKTYPE_ values of capture files (tcpdump.org/linktypes.html).
enum class link_type : std::uint16_t {
    null = 0,          ///< BSD loopback: the address family in the capturing host's byte order
    ethernet = 1,      ///< IEEE 802.3
    raw = 101,         ///< an IPv4 or IPv6 header; the version nibble tells which
    linux_sll = 113,   ///< Linux "cooked" capture
    ipv4 = 228,        ///< an IPv4 header
    ipv6 = 229,        ///< an IPv6 header
    linux_sll2 = 276,  ///< Linux "cooked" capture, version 2
};

SONDE_NAMESPACE_END
