#pragma once

#include <sonde/layers/raw.hpp>

namespace sonde {

/// IP protocol numbers (IANA), as Scapy names them.
struct ip_protocols {
    static constexpr std::array<value_name, 14> names{{{0, "hopopt"},
                                                       {1, "icmp"},
                                                       {2, "igmp"},
                                                       {4, "ipencap"},
                                                       {6, "tcp"},
                                                       {17, "udp"},
                                                       {41, "ipv6"},
                                                       {47, "gre"},
                                                       {50, "esp"},
                                                       {51, "ah"},
                                                       {58, "ipv6_icmp"},
                                                       {59, "ipv6_nonxt"},
                                                       {132, "sctp"},
                                                       {137, "mpls_in_ip"}}};
};
struct ip_flag_names {
    static constexpr std::array<std::string_view, 3> names{"MF", "DF", "evil"};
};
using ip_flags = flag_set<ip_flag_names>;

/// IPv4 options (RFC 791 §3.1), encoded: up to 40 bytes, padded to a multiple of 4 when the packet is built.
struct ip_options : option_bytes {
    ip_options() = default;
    /// Encoded options, as they lie in the header.
    ip_options(std::span<std::byte const> encoded) {
        append({reinterpret_cast<char const*>(encoded.data()), encoded.size()});
    }
    static option_codec const& codec();
};

/// IPv4 (RFC 791). `src` automatic: what the route to `dst` asks for; `len`, `ihl`, `chksum` computed;
/// `proto` from the layer inside; `ttl` 64, or 1 for IGMP (RFC 2236 §2), below whose version 3 `dst` is
/// 224.0.0.22 and `tos` 0xc0 (RFC 3376 §4); `id` the engine's own in `sr*`, else 1. `frag` counts units of 8
/// bytes.
struct IP {
    field<ipv4, 0x7f000001> dst{};
    field<ipv4> src{};
    field<std::uint8_t, 64> ttl{};
    field<enumerated<std::uint8_t, ip_protocols>> proto{};
    field<std::uint16_t, 1> id{};
    field<std::uint8_t> tos{};
    field<ip_flags> flags = 0;
    field<bits<13>> frag = 0;
    ip_options options{};
    field<std::uint16_t> len{};
    field<std::uint16_t> chksum{};
    field<bits<4>> ihl{};
    field<bits<4>> version = 4;
};
SONDE_DECLARE_LAYER(IP, version, ihl, tos, len, id, flags, frag, ttl, proto, chksum, src, dst, options)
layer_hooks hooks(IP const*);

using IPerror = quoted<IP>;

}  // namespace sonde
