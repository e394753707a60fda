#pragma once

#include <sonde/layers/ip.hpp>

namespace sonde {

struct ipv6_next_headers {
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
    field<ipv6, 1> dst{};
    field<ipv6> src{};
    field<std::uint8_t, 64> hlim{};
    field<enumerated<std::uint8_t, ipv6_next_headers>, 59> nh{};
    field<bits<20>> fl = 0;
    field<std::uint8_t> tc = 0;
    field<std::uint16_t> plen{};
    field<bits<4>> version = 6;
};
SONDE_DECLARE_LAYER(IPv6, version, tc, fl, plen, nh, hlim, src, dst)
layer_hooks hooks(IPv6 const*);

using IPerror6 = quoted<IPv6>;

}  // namespace sonde
