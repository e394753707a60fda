#pragma once

#include <sonde/layers/raw.hpp>

SONDE_NAMESPACE_BEGIN

/// IP protocol numbers (IANA), as Scapy names them.
struct ip_protocols {
    /// What text reads as and show() prints; other values are numbers.
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
/// Bits of IP.flags, as Scapy names them: more fragments, don't fragment, and the reserved one (RFC 3514).
struct ip_flag_names {
    /// One for each bit, the lowest first.
    static constexpr std::array<std::string_view, 3> names{"MF", "DF", "evil"};
};
/// "MF", "DF+evil" …
using ip_flags = flag_set<ip_flag_names>;

/// IPv4 options (RFC 791 §3.1), encoded: up to 40 bytes, padded to a multiple of 4 when the packet is built.
struct ip_options : option_bytes {
    ip_options() = default;
    /// Encoded options, as they lie in the header. Throws header_too_long over 40 bytes.
    ip_options(std::span<std::byte const> encoded) {
        append({reinterpret_cast<char const*>(encoded.data()), encoded.size()});
    }
    /// As expressions have them: `[IPOption_RR(..), ..]`.
    static option_codec const& codec();
};

/// IPv4 (RFC 791). `src` automatic: what the route to `dst` asks for; `len`, `ihl`, `chksum` computed;
/// `proto` from the layer inside; `ttl` 64, or 1 for IGMP (RFC 2236 §2), below whose version 3 `dst` is
/// 224.0.0.22 and `tos` 0xc0 (RFC 3376 §4); `id` the engine's own in `sr*`, else 1. `frag` counts units of 8
/// bytes.
struct IP {
    field<ipv4, 0x7f000001> dst{};  ///< automatic: 127.0.0.1, but below IGMPv3
    field<ipv4> src{};              ///< built alone: 127.0.0.1 to loopback, else 0.0.0.0
    field<std::uint8_t, 64> ttl{};  ///< hops left
    field<enumerated<std::uint8_t, ip_protocols>> proto{};  ///< automatic: by the layer inside, else 0
    field<std::uint16_t, 1> id{};                           ///< the same in all fragments of a datagram
    field<std::uint8_t> tos{};  ///< DSCP, 6 bits (RFC 2474), and ECN, 2 bits (RFC 3168)
    field<ip_flags> flags = 0;  ///< the 3 bits before `frag`
    field<bits<13>> frag = 0;   ///< where this fragment begins in the payload of its datagram
    ip_options options{};       ///< behind `dst`
    /// Bytes of header and payload; automatic: build() throws value_out_of_range over 65535.
    field<std::uint16_t> len{};
    field<std::uint16_t> chksum{};  ///< of the header
    field<bits<4>> ihl{};           ///< words of 4 bytes; automatic: build() throws header_too_long over 15
    field<bits<4>> version = 4;     ///< 4; reading does not ask for it
};
SONDE_DECLARE_LAYER(IP, version, ihl, tos, len, id, flags, frag, ttl, proto, chksum, src, dst, options)
layer_hooks hooks(IP const*);  ///< lengths, checksum, where the payload ends, matching, summary

/// IP as an ICMP error quotes it; fields that were cut off hold their defaults.
using IPerror = quoted<IP>;

SONDE_NAMESPACE_END
