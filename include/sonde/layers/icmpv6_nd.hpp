#pragma once

#include <sonde/layers/address_list.hpp>
#include <sonde/layers/dns_name.hpp>
#include <sonde/layers/icmpv6.hpp>

SONDE_NAMESPACE_BEGIN

/// @file
/// Router discovery, redirects and the options of neighbour discovery (RFC 4861), with Scapy's names. Options
/// follow their message as layers; `len` counts units of 8 bytes.

/// Router preference (RFC 4191 §2.1).
struct router_preferences {
    /// Two bits, as Scapy names them.
    static constexpr std::array<value_name, 4> names{
        {{0, "Medium (default)"}, {1, "High"}, {2, "Reserved"}, {3, "Low"}}};
};

/// Router solicitation (RFC 4861 §4.1). Answered by advertisements.
struct ICMPv6ND_RS {
    field<std::uint32_t> res = 0;   ///< reserved, ignored
    field<std::uint8_t> code = 0;   ///< always 0
    field<std::uint16_t> cksum{};   ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 133;  ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6ND_RS, type, code, cksum, res)
layer_hooks hooks(ICMPv6ND_RS const*);  ///< checksum, and matching: any advertisement with hop limit 255

/// Router advertisement (RFC 4861 §4.2, RFC 4191 §2.2). `routerlifetime` in seconds, `reachabletime` and
/// `retranstimer` in milliseconds.
struct ICMPv6ND_RA {
    field<std::uint8_t> chlim = 0;  ///< hop limit for what hosts send; 0: not told
    /// Addresses by DHCPv6; other things by it; a home agent (RFC 6275 §7.1).
    /// @{
    field<bits<1>> M = 0, O = 0, H = 0;
    /// @}
    field<bits<2>> prf = 1;                      ///< high, Scapy's default; see router_preferences
    field<bits<1>> P = 0;                        ///< neighbour discovery is proxied (RFC 4389)
    field<bits<2>> res = 0;                      ///< reserved, ignored
    field<std::uint16_t> routerlifetime = 1800;  ///< seconds; 0: no default router
    /// Milliseconds; 0: not told.
    /// @{
    field<std::uint32_t> reachabletime = 0, retranstimer = 0;
    /// @}
    field<std::uint8_t> code = 0;   ///< always 0
    field<std::uint16_t> cksum{};   ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 134;  ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6ND_RA, type, code, cksum, chlim, M, O, H, prf, P, res, routerlifetime,
                    reachabletime, retranstimer)
layer_hooks hooks(ICMPv6ND_RA const*);  ///< checksum, and the key of the solicitation; nothing answers it

/// Redirect (RFC 4861 §4.5).
struct ICMPv6ND_Redirect {
    /// The better first hop, or `dst` itself if on the link; what is redirected.
    /// @{
    field<ipv6> tgt = ipv6(), dst = ipv6();
    /// @}
    field<std::uint32_t> res = 0;   ///< reserved, ignored
    field<std::uint8_t> code = 0;   ///< always 0
    field<std::uint16_t> cksum{};   ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 137;  ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6ND_Redirect, type, code, cksum, res, tgt, dst)
layer_hooks hooks(ICMPv6ND_Redirect const*);  ///< checksum; nothing answers it

/// Prefix information (RFC 4861 §4.6.2, RFC 6275 §7.2). Lifetimes in seconds.
struct ICMPv6NDOptPrefixInfo {
    field<ipv6> prefix = ipv6();         ///< bits behind `prefixlen` are ignored
    field<std::uint8_t> prefixlen = 64;  ///< bits, 0 to 128
    /// On the link; hosts make addresses of it; it is a router's address (RFC 6275).
    /// @{
    field<bits<1>> L = 1, A = 1, R = 0;
    /// @}
    field<bits<5>> res1 = 0;  ///< reserved, ignored
    /// Seconds; all ones: for ever.
    /// @{
    field<std::uint32_t> validlifetime = 0xffffffff, preferredlifetime = 0xffffffff;
    /// @}
    field<std::uint32_t> res2 = 0;  ///< reserved, ignored
    field<std::uint8_t> len = 4;    ///< units of 8 bytes; with another value dissecting finds no such layer
    field<std::uint8_t> type = 3;   ///< first octet, by which dissecting picks the option
};
SONDE_DECLARE_LAYER(ICMPv6NDOptPrefixInfo, type, len, prefixlen, L, A, R, res1, validlifetime,
                    preferredlifetime, res2, prefix)
layer_hooks hooks(ICMPv6NDOptPrefixInfo const*);  ///< length: 32 bytes or no such layer

/// Redirected header (RFC 4861 §4.6.3): the begin of the packet that was redirected.
struct ICMPv6NDOptRedirectedHdr {
    /// An IPv6 packet, or its first bytes, as bytes; cut to whole units of 8, as Scapy does.
    field<octets> pkt{};
    field<octets> res = "";        ///< 6 bytes, reserved; padded with zeros or cut
    field<std::uint8_t> len{};     ///< units of 8 bytes, computed
    field<std::uint8_t> type = 4;  ///< first octet, by which dissecting picks the option
};
SONDE_DECLARE_LAYER(ICMPv6NDOptRedirectedHdr, type, len, res, pkt)
layer_hooks hooks(ICMPv6NDOptRedirectedHdr const*);  ///< length, written and read

/// MTU of the link (RFC 4861 §4.6.4), in bytes.
struct ICMPv6NDOptMTU {
    field<std::uint32_t> mtu = 1280;  ///< 1280 is the least that IPv6 allows
    field<std::uint16_t> res = 0;     ///< reserved, ignored
    field<std::uint8_t> len = 1;      ///< units of 8 bytes; with another value dissecting finds no such layer
    field<std::uint8_t> type = 5;     ///< first octet, by which dissecting picks the option
};
SONDE_DECLARE_LAYER(ICMPv6NDOptMTU, type, len, res, mtu)
layer_hooks hooks(ICMPv6NDOptMTU const*);  ///< length: 8 bytes or no such layer

/// Shortcut limit (RFC 2491 §6.1).
struct ICMPv6NDOptShortcutLimit {
    field<std::uint8_t> shortcutlim = 40;  ///< hop limit for trying a shortcut
    field<std::uint8_t> res1 = 0;          ///< reserved, ignored
    field<std::uint32_t> res2 = 0;         ///< reserved, ignored
    field<std::uint8_t> len = 1;   ///< units of 8 bytes; with another value dissecting finds no such layer
    field<std::uint8_t> type = 6;  ///< first octet, by which dissecting picks the option
};
SONDE_DECLARE_LAYER(ICMPv6NDOptShortcutLimit, type, len, shortcutlim, res1, res2)
layer_hooks hooks(ICMPv6NDOptShortcutLimit const*);  ///< length: 8 bytes or no such layer

/// Advertisement interval (RFC 6275 §7.3), in milliseconds.
struct ICMPv6NDOptAdvInterval {
    field<std::uint32_t> advint = 0;  ///< the longest time between two advertisements that nobody asked for
    field<std::uint16_t> res = 0;     ///< reserved, ignored
    field<std::uint8_t> len = 1;      ///< units of 8 bytes; with another value dissecting finds no such layer
    field<std::uint8_t> type = 7;     ///< first octet, by which dissecting picks the option
};
SONDE_DECLARE_LAYER(ICMPv6NDOptAdvInterval, type, len, res, advint)
layer_hooks hooks(ICMPv6NDOptAdvInterval const*);  ///< length: 8 bytes or no such layer

/// Home agent information (RFC 6275 §7.4). `lifetime` in seconds.
struct ICMPv6NDOptHAInfo {
    field<std::uint16_t> pref = 0;      ///< a higher one is preferred
    field<std::uint16_t> lifetime = 1;  ///< 1 is Scapy's default
    field<std::uint16_t> res = 0;       ///< reserved, ignored
    field<std::uint8_t> len = 1;   ///< units of 8 bytes; with another value dissecting finds no such layer
    field<std::uint8_t> type = 8;  ///< first octet, by which dissecting picks the option
};
SONDE_DECLARE_LAYER(ICMPv6NDOptHAInfo, type, len, res, pref, lifetime)
layer_hooks hooks(ICMPv6NDOptHAInfo const*);  ///< length: 8 bytes or no such layer

/// Source address list (RFC 3122 §3.1).
struct ICMPv6NDOptSrcAddrList {
    ipv6_list addrlist{};          ///< of the sender's interface
    field<octets> res = "";        ///< 6 bytes, reserved; padded with zeros or cut
    field<std::uint8_t> len{};     ///< units of 8 bytes, computed
    field<std::uint8_t> type = 9;  ///< first octet, by which dissecting picks the option
};
SONDE_DECLARE_LAYER(ICMPv6NDOptSrcAddrList, type, len, res, addrlist)
layer_hooks hooks(ICMPv6NDOptSrcAddrList const*);  ///< length, written and read

/// Target address list (RFC 3122 §3.1).
struct ICMPv6NDOptTgtAddrList {
    ipv6_list addrlist{};           ///< of the target's interface
    field<octets> res = "";         ///< 6 bytes, reserved; padded with zeros or cut
    field<std::uint8_t> len{};      ///< units of 8 bytes, computed
    field<std::uint8_t> type = 10;  ///< first octet, by which dissecting picks the option
};
SONDE_DECLARE_LAYER(ICMPv6NDOptTgtAddrList, type, len, res, addrlist)
layer_hooks hooks(ICMPv6NDOptTgtAddrList const*);  ///< length, written and read

/// As much of an IPv6 prefix as the option's length leaves: none, 8 or 16 bytes; text is an address.
struct route_prefix : encoded_list<16> {
    route_prefix() = default;
    /// All 16 bytes of it.
    route_prefix(ipv6 const& prefix);
    /// How it prints and reads: an address, or bytes. In an expression with a `len` of 1 or 2 the
    /// address gives 0 or 8 bytes.
    static option_codec const& codec();
};

/// Route information (RFC 4191 §2.3). `rtlifetime` in seconds.
struct ICMPv6NDOptRouteInfo {
    route_prefix prefix{};                         ///< none by default: the route to everywhere
    field<std::uint8_t> plen{};                    ///< bits, 0 to 128; automatic: 0, not computed
    field<bits<2>> prf = 0;                        ///< see router_preferences
    field<std::uint32_t> rtlifetime = 0xffffffff;  ///< all ones: for ever
    /// Reserved, before and behind `prf`.
    /// @{
    field<bits<3>> res1 = 0, res2 = 0;
    /// @}
    field<std::uint8_t> len{};      ///< units of 8 bytes, computed
    field<std::uint8_t> type = 24;  ///< first octet, by which dissecting picks the option
};
SONDE_DECLARE_LAYER(ICMPv6NDOptRouteInfo, type, len, plen, res1, prf, res2, rtlifetime, prefix)
layer_hooks hooks(ICMPv6NDOptRouteInfo const*);  ///< length, written and read

/// Recursive DNS servers (RFC 8106 §5.1). `lifetime` in seconds.
struct ICMPv6NDOptRDNSS {
    ipv6_list dns{};                             ///< addresses of the servers
    field<std::uint32_t> lifetime = 0xffffffff;  ///< all ones: for ever; 0: no longer
    field<std::uint16_t> res{};                  ///< reserved; automatic: 0
    field<std::uint8_t> len{};                   ///< units of 8 bytes, computed
    field<std::uint8_t> type = 25;               ///< first octet, by which dissecting picks the option
};
SONDE_DECLARE_LAYER(ICMPv6NDOptRDNSS, type, len, res, lifetime, dns)
layer_hooks hooks(ICMPv6NDOptRDNSS const*);  ///< length, written and read

/// Flags extension (RFC 5175 §4).
struct ICMPv6NDOptEFA {
    field<bits<48>> res = 0;        ///< the flags behind the 8 of the advertisement
    field<std::uint8_t> len = 1;    ///< units of 8 bytes; with another value dissecting finds no such layer
    field<std::uint8_t> type = 26;  ///< first octet, by which dissecting picks the option
};
SONDE_DECLARE_LAYER(ICMPv6NDOptEFA, type, len, res)
layer_hooks hooks(ICMPv6NDOptEFA const*);  ///< length: 8 bytes or no such layer

/// DNS search list (RFC 8106 §5.2). `lifetime` in seconds.
struct ICMPv6NDOptDNSSL {
    padded_domain_names searchlist{};            ///< padded with zeros to a multiple of 8 bytes
    field<std::uint32_t> lifetime = 0xffffffff;  ///< all ones: for ever; 0: no longer
    field<std::uint16_t> res{};                  ///< reserved; automatic: 0
    field<std::uint8_t> len{};                   ///< units of 8 bytes, computed
    field<std::uint8_t> type = 31;               ///< first octet, by which dissecting picks the option
};
SONDE_DECLARE_LAYER(ICMPv6NDOptDNSSL, type, len, res, lifetime, searchlist)
layer_hooks hooks(ICMPv6NDOptDNSSL const*);  ///< length, written and read

SONDE_NAMESPACE_END
