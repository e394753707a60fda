#pragma once

#include <sonde/packet/packet.hpp>

SONDE_NAMESPACE_BEGIN

/// ICMP types (IANA), as Scapy names them.
struct icmp_types {
    /// What text reads as and show() prints; other values are numbers.
    static constexpr std::array<value_name, 26> names{{{0, "echo-reply"},
                                                       {3, "dest-unreach"},
                                                       {4, "source-quench"},
                                                       {5, "redirect"},
                                                       {8, "echo-request"},
                                                       {9, "router-advertisement"},
                                                       {10, "router-solicitation"},
                                                       {11, "time-exceeded"},
                                                       {12, "parameter-problem"},
                                                       {13, "timestamp-request"},
                                                       {14, "timestamp-reply"},
                                                       {15, "information-request"},
                                                       {16, "information-response"},
                                                       {17, "address-mask-request"},
                                                       {18, "address-mask-reply"},
                                                       {30, "traceroute"},
                                                       {31, "datagram-conversion-error"},
                                                       {32, "mobile-host-redirect"},
                                                       {33, "ipv6-where-are-you"},
                                                       {34, "ipv6-i-am-here"},
                                                       {35, "mobile-registration-request"},
                                                       {36, "mobile-registration-reply"},
                                                       {37, "domain-name-request"},
                                                       {38, "domain-name-reply"},
                                                       {39, "skip"},
                                                       {40, "photuris"}}};
};

/// ICMP for IPv4 (RFC 792, 950, 1191, 4884). Which fields a message has depends on its type: `id` and `seq`
/// in queries, `gw` in redirects, `nexthopmtu` in unreachables, `ptr` in parameter problems; the others are
/// ignored. `length`, computed, is of RFC 4884: the quote in units of 4 bytes if extensions follow it, else
/// 0. `id` and `seq` are the engine's own in `sr*`, else 0. Timestamps count milliseconds since midnight UTC.
struct ICMP {
    field<enumerated<std::uint8_t, icmp_types>> type = 8;  ///< what the message is
    field<std::uint8_t> code = 0;                          ///< which of its kind
    field<std::uint16_t> id{};                             ///< who asks; the answer has the same
    field<std::uint16_t> seq{};                            ///< which question; the answer has the same
    field<ipv4> gw = ipv4();                               ///< the better router
    field<std::uint16_t> nexthopmtu = 0;  ///< bytes that fit the next link, with code 4 (RFC 1191 §4)
    field<std::uint8_t> ptr = 0;          ///< the quote's octet that is wrong
    field<std::uint8_t> length{};         ///< in types 3, 11 and 12
    /// When the question left, when it came, when the answer left; in types 13 and 14.
    /// @{
    field<std::uint32_t> ts_ori = 0, ts_rx = 0, ts_tx = 0;
    /// @}
    field<ipv4> addr_mask = ipv4();    ///< of the subnet, in types 17 and 18 (RFC 950)
    field<std::uint8_t> reserved = 0;  ///< the octet before `length`, in types 3 and 11
    field<std::uint32_t> unused = 0;   ///< what no field above names; in types 11 and 12 only 16 bits of it
    field<std::uint16_t> chksum{};     ///< of header and payload; automatic: computed
};
SONDE_DECLARE_LAYER(ICMP, type, code, chksum, id, seq, ts_ori, ts_rx, ts_tx, gw, ptr, reserved, length,
                    addr_mask, nexthopmtu, unused)
layer_hooks hooks(ICMP const*);  ///< fields of each type, checksum, quotes, matching, summary

/// ICMP as an ICMP error quotes it; fields that were cut off hold their defaults.
using ICMPerror = quoted<ICMP>;

SONDE_NAMESPACE_END
