#pragma once

#include <sonde/layers/raw.hpp>

SONDE_NAMESPACE_BEGIN

/// Seconds since 1900 with a binary fraction, 32 + 32 bits (RFC 5905 §6). In expressions a number of seconds,
/// or decimal text: "3900000000.25".
struct ntp_timestamp : encoded_list<8> {
    ntp_timestamp() : ntp_timestamp(0) {}
    /// `fraction` counts units of 2^-32 s.
    ntp_timestamp(std::uint32_t seconds, std::uint32_t fraction = 0);
    /// As expressions have it: 3900000000 or "3900000000.25".
    static option_codec const& codec();
};
/// A duration: seconds with a binary fraction, 16 + 16 bits. In expressions as `ntp_timestamp`.
struct ntp_short : encoded_list<4> {
    ntp_short() : ntp_short(0) {}
    /// `fraction` counts units of 2^-16 s.
    ntp_short(std::uint16_t seconds, std::uint16_t fraction = 0);
    /// As expressions have it: 1 or "1.5".
    static option_codec const& codec();
};

/// What a message is for (RFC 5905 §7.3), as Scapy names it.
struct ntp_modes {
    /// What show() prints; the index is the mode.
    static constexpr std::array<value_name, 8> names{{{0, "reserved"},
                                                      {1, "symmetric active"},
                                                      {2, "symmetric passive"},
                                                      {3, "client"},
                                                      {4, "server"},
                                                      {5, "broadcast"},
                                                      {6, "NTP control message"},
                                                      {7, "reserved for private use"}}};
};

/// NTP (RFC 5905 §7.3). `ref_id` below stratum 2, else `id`, which is an address. `poll` and `precision` are
/// exponents of 2. A server's answer has our transmit timestamp as its origin (§8): `sent` should differ from
/// probe to probe.
struct NTPHeader {
    /// 3 is answered by 4, 1 by 2, others by nothing. Messages of modes 6 and 7 have another form: bytes
    /// here.
    field<bits<3>> mode = 3;
    field<bits<3>> version = 4;  ///< of the protocol
    field<bits<2>> leap = 0;     ///< 1, 2: a leap second comes, or is left out; 3: the clock is not set
    /// 1: a reference clock is at hand; else one more than its source's, 16 without any; 0: not told.
    field<std::uint8_t> stratum = 2;
    field<std::uint8_t> poll = 10;      ///< longest time between messages, log2 of seconds
    field<std::uint8_t> precision = 0;  ///< of the clock, log2 of seconds; 0xec is 2^-20 s
    /// Round trip and dispersion between the server and the reference clock, in seconds.
    /// @{
    ntp_short delay{}, dispersion{};
    /// @}
    field<ipv4> id = ipv4(0x7f000001);  ///< the server's source: its address, of an IPv6 one a hash
    field<octets> ref_id = "";  ///< 4 bytes, padded or cut: the clock's name; of stratum 0 a kiss code (§7.4)
    /// When the clock was set last, when the request left by the client's clock, when it came, when this
    /// left.
    /// @{
    ntp_timestamp ref{}, orig{}, recv{}, sent{};
    /// @}
};
SONDE_DECLARE_LAYER(NTPHeader, leap, version, mode, stratum, poll, precision, delay, dispersion, id, ref_id,
                    ref, orig, recv, sent)
layer_hooks hooks(NTPHeader const*);  ///< optional fields, matching, what follows, summary

/// Scapy's name for the same.
using NTP = NTPHeader;

/// What authenticates a message (RFC 5905 §7.3, RFC 7822 §7.5): `dgst` is 16 bytes for MD5, 20 for SHA-1.
struct NTPAuthenticator {
    field<std::uint32_t> key_id = 0;  ///< which key both sides mean
    /// Of the key and all bytes before `key_id`; never computed here. Read where it has 16, 20, 32 or 64
    /// bytes.
    field<octets> dgst = std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    field<octets> padding = "";  ///< Scapy's, before the key; empty in all that is read
};
SONDE_DECLARE_LAYER(NTPAuthenticator, padding, key_id, dgst)
layer_hooks hooks(NTPAuthenticator const*);  ///< title, and that no padding is read

SONDE_NAMESPACE_END
