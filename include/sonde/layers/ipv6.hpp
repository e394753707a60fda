#pragma once

#include <sonde/layers/ip.hpp>

SONDE_NAMESPACE_BEGIN

/// Next headers, which are IP protocol numbers (IANA), with Scapy's names; not all that there are.
struct ipv6_next_headers {
    /// What `show` prints and text is looked up in.
    static constexpr std::array<value_name, 16> names{{{0, "Hop-by-Hop Option Header"},
                                                       {4, "IP"},
                                                       {6, "TCP"},
                                                       {17, "UDP"},
                                                       {41, "IPv6"},
                                                       {43, "Routing Header"},
                                                       {44, "Fragment Header"},
                                                       {47, "GRE"},
                                                       {50, "ESP Header"},
                                                       {51, "AH Header"},
                                                       {58, "ICMPv6"},
                                                       {59, "No Next Header"},
                                                       {60, "Destination Option Header"},
                                                       {112, "VRRP"},
                                                       {132, "SCTP"},
                                                       {135, "Mobility Header"}}};
};

/// IPv6 (RFC 8200 §3). `src` automatic: what the route to `dst` asks for; `plen` computed; `nh` from the
/// layer inside; `hlim` 64, or what neighbour discovery asks for, 255.
struct IPv6 {
    /// Automatic: ::1; directly over messages of ND and MLD their group, ff02::1, ff02::2 or ff02::16, but
    /// for reports of version 1.
    field<ipv6, 1> dst{};
    field<ipv6> src{};               ///< automatic, built alone: `::`, or ::1 if `dst` is ::1 or automatic
    field<std::uint8_t, 64> hlim{};  ///< hops; automatic directly over MLD: 1
    /// 59, no next header, where the layer inside has no number.
    field<enumerated<std::uint8_t, ipv6_next_headers>, 59> nh{};
    field<bits<20>> fl = 0;       ///< flow label (RFC 6437)
    field<std::uint8_t> tc = 0;   ///< traffic class: 6 bits DSCP, 2 bits ECN
    field<std::uint16_t> plen{};  ///< bytes behind this header; building throws value_out_of_range over 65535
    field<bits<4>> version = 6;   ///< first 4 bits of the packet
};
SONDE_DECLARE_LAYER(IPv6, version, tc, fl, plen, nh, hlim, src, dst)
/// Length, groups of ND and MLD, and matching by addresses, seen to the last stop of a routing header, and
/// by the protocol behind the extension headers.
layer_hooks hooks(IPv6 const*);

/// IPv6 as an ICMPv6 error quotes it: may be cut.
using IPerror6 = quoted<IPv6>;

SONDE_NAMESPACE_END
