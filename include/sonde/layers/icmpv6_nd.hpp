#pragma once

#include <sonde/layers/address_list.hpp>
#include <sonde/layers/dns_name.hpp>
#include <sonde/layers/icmpv6.hpp>

namespace sonde {

/// Router discovery, redirects and the options of neighbour discovery (RFC 4861), with Scapy's names. Options
/// follow their message as layers; `len` counts units of 8 bytes.

/// Router preference (RFC 4191 §2.1).
struct router_preferences {
    static constexpr std::array<value_name, 4> names{
        {{0, "Medium (default)"}, {1, "High"}, {2, "Reserved"}, {3, "Low"}}};
};

/// Router solicitation (RFC 4861 §4.1). Answered by advertisements.
struct ICMPv6ND_RS {
    field<std::uint32_t> res = 0;
    field<std::uint8_t> code = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 133;
};
SONDE_DECLARE_LAYER(ICMPv6ND_RS, type, code, cksum, res)
layer_hooks hooks(ICMPv6ND_RS const*);

/// Router advertisement (RFC 4861 §4.2, RFC 4191 §2.2). `routerlifetime` in seconds, `reachabletime` and
/// `retranstimer` in milliseconds.
struct ICMPv6ND_RA {
    field<std::uint8_t> chlim = 0;
    field<bits<1>> M = 0, O = 0, H = 0;
    field<bits<2>> prf = 1;
    field<bits<1>> P = 0;
    field<bits<2>> res = 0;
    field<std::uint16_t> routerlifetime = 1800;
    field<std::uint32_t> reachabletime = 0, retranstimer = 0;
    field<std::uint8_t> code = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 134;
};
SONDE_DECLARE_LAYER(ICMPv6ND_RA, type, code, cksum, chlim, M, O, H, prf, P, res, routerlifetime,
                    reachabletime, retranstimer)
layer_hooks hooks(ICMPv6ND_RA const*);

/// Redirect (RFC 4861 §4.5).
struct ICMPv6ND_Redirect {
    field<ipv6> tgt = ipv6(), dst = ipv6();
    field<std::uint32_t> res = 0;
    field<std::uint8_t> code = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 137;
};
SONDE_DECLARE_LAYER(ICMPv6ND_Redirect, type, code, cksum, res, tgt, dst)
layer_hooks hooks(ICMPv6ND_Redirect const*);

/// Prefix information (RFC 4861 §4.6.2, RFC 6275 §7.2). Lifetimes in seconds.
struct ICMPv6NDOptPrefixInfo {
    field<ipv6> prefix = ipv6();
    field<std::uint8_t> prefixlen = 64;
    field<bits<1>> L = 1, A = 1, R = 0;
    field<bits<5>> res1 = 0;
    field<std::uint32_t> validlifetime = 0xffffffff, preferredlifetime = 0xffffffff;
    field<std::uint32_t> res2 = 0;
    field<std::uint8_t> len = 4;
    field<std::uint8_t> type = 3;
};
SONDE_DECLARE_LAYER(ICMPv6NDOptPrefixInfo, type, len, prefixlen, L, A, R, res1, validlifetime,
                    preferredlifetime, res2, prefix)
layer_hooks hooks(ICMPv6NDOptPrefixInfo const*);

/// Redirected header (RFC 4861 §4.6.3): the begin of the packet that was redirected.
struct ICMPv6NDOptRedirectedHdr {
    field<octets> pkt{};
    field<octets> res = "";
    field<std::uint8_t> len{};
    field<std::uint8_t> type = 4;
};
SONDE_DECLARE_LAYER(ICMPv6NDOptRedirectedHdr, type, len, res, pkt)
layer_hooks hooks(ICMPv6NDOptRedirectedHdr const*);

/// MTU of the link (RFC 4861 §4.6.4), in bytes.
struct ICMPv6NDOptMTU {
    field<std::uint32_t> mtu = 1280;
    field<std::uint16_t> res = 0;
    field<std::uint8_t> len = 1;
    field<std::uint8_t> type = 5;
};
SONDE_DECLARE_LAYER(ICMPv6NDOptMTU, type, len, res, mtu)
layer_hooks hooks(ICMPv6NDOptMTU const*);

/// Shortcut limit (RFC 2491 §6.1).
struct ICMPv6NDOptShortcutLimit {
    field<std::uint8_t> shortcutlim = 40;
    field<std::uint8_t> res1 = 0;
    field<std::uint32_t> res2 = 0;
    field<std::uint8_t> len = 1;
    field<std::uint8_t> type = 6;
};
SONDE_DECLARE_LAYER(ICMPv6NDOptShortcutLimit, type, len, shortcutlim, res1, res2)
layer_hooks hooks(ICMPv6NDOptShortcutLimit const*);

/// Advertisement interval (RFC 6275 §7.3), in milliseconds.
struct ICMPv6NDOptAdvInterval {
    field<std::uint32_t> advint = 0;
    field<std::uint16_t> res = 0;
    field<std::uint8_t> len = 1;
    field<std::uint8_t> type = 7;
};
SONDE_DECLARE_LAYER(ICMPv6NDOptAdvInterval, type, len, res, advint)
layer_hooks hooks(ICMPv6NDOptAdvInterval const*);

/// Home agent information (RFC 6275 §7.4). `lifetime` in seconds.
struct ICMPv6NDOptHAInfo {
    field<std::uint16_t> pref = 0;
    field<std::uint16_t> lifetime = 1;
    field<std::uint16_t> res = 0;
    field<std::uint8_t> len = 1;
    field<std::uint8_t> type = 8;
};
SONDE_DECLARE_LAYER(ICMPv6NDOptHAInfo, type, len, res, pref, lifetime)
layer_hooks hooks(ICMPv6NDOptHAInfo const*);

/// Source address list (RFC 3122 §3.1).
struct ICMPv6NDOptSrcAddrList {
    ipv6_list addrlist{};
    field<octets> res = "";
    field<std::uint8_t> len{};
    field<std::uint8_t> type = 9;
};
SONDE_DECLARE_LAYER(ICMPv6NDOptSrcAddrList, type, len, res, addrlist)
layer_hooks hooks(ICMPv6NDOptSrcAddrList const*);

/// Target address list (RFC 3122 §3.1).
struct ICMPv6NDOptTgtAddrList {
    ipv6_list addrlist{};
    field<octets> res = "";
    field<std::uint8_t> len{};
    field<std::uint8_t> type = 10;
};
SONDE_DECLARE_LAYER(ICMPv6NDOptTgtAddrList, type, len, res, addrlist)
layer_hooks hooks(ICMPv6NDOptTgtAddrList const*);

/// As much of an IPv6 prefix as the option's length leaves: none, 8 or 16 bytes; text is an address.
struct route_prefix : encoded_list<16> {
    route_prefix() = default;
    route_prefix(ipv6 const& prefix);
    static option_codec const& codec();
};

/// Route information (RFC 4191 §2.3). `rtlifetime` in seconds.
struct ICMPv6NDOptRouteInfo {
    route_prefix prefix{};
    field<std::uint8_t> plen{};
    field<bits<2>> prf = 0;
    field<std::uint32_t> rtlifetime = 0xffffffff;
    field<bits<3>> res1 = 0, res2 = 0;
    field<std::uint8_t> len{};
    field<std::uint8_t> type = 24;
};
SONDE_DECLARE_LAYER(ICMPv6NDOptRouteInfo, type, len, plen, res1, prf, res2, rtlifetime, prefix)
layer_hooks hooks(ICMPv6NDOptRouteInfo const*);

/// Recursive DNS servers (RFC 8106 §5.1). `lifetime` in seconds.
struct ICMPv6NDOptRDNSS {
    ipv6_list dns{};
    field<std::uint32_t> lifetime = 0xffffffff;
    field<std::uint16_t> res{};
    field<std::uint8_t> len{};
    field<std::uint8_t> type = 25;
};
SONDE_DECLARE_LAYER(ICMPv6NDOptRDNSS, type, len, res, lifetime, dns)
layer_hooks hooks(ICMPv6NDOptRDNSS const*);

/// Flags extension (RFC 5175 §4).
struct ICMPv6NDOptEFA {
    field<bits<48>> res = 0;
    field<std::uint8_t> len = 1;
    field<std::uint8_t> type = 26;
};
SONDE_DECLARE_LAYER(ICMPv6NDOptEFA, type, len, res)
layer_hooks hooks(ICMPv6NDOptEFA const*);

/// DNS search list (RFC 8106 §5.2). `lifetime` in seconds.
struct ICMPv6NDOptDNSSL {
    padded_domain_names searchlist{};
    field<std::uint32_t> lifetime = 0xffffffff;
    field<std::uint16_t> res{};
    field<std::uint8_t> len{};
    field<std::uint8_t> type = 31;
};
SONDE_DECLARE_LAYER(ICMPv6NDOptDNSSL, type, len, res, lifetime, searchlist)
layer_hooks hooks(ICMPv6NDOptDNSSL const*);

}  // namespace sonde
