#pragma once

#include <sonde/layers/raw.hpp>

namespace sonde {

/// Seconds with a binary fraction (RFC 5905 §6): 32 + 32 bits since 1900, or 16 + 16 bits. In expressions a
/// number of seconds, or decimal text: "3900000000.25".
struct ntp_timestamp : encoded_list<8> {
    ntp_timestamp() : ntp_timestamp(0) {}
    ntp_timestamp(std::uint32_t seconds, std::uint32_t fraction = 0);
    static option_codec const& codec();
};
struct ntp_short : encoded_list<4> {
    ntp_short() : ntp_short(0) {}
    ntp_short(std::uint16_t seconds, std::uint16_t fraction = 0);
    static option_codec const& codec();
};

struct ntp_modes {
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
    field<bits<3>> mode = 3;
    field<bits<3>> version = 4;
    field<bits<2>> leap = 0;
    field<std::uint8_t> stratum = 2;
    field<std::uint8_t> poll = 10;
    field<std::uint8_t> precision = 0;
    ntp_short delay{}, dispersion{};
    field<ipv4> id = ipv4(0x7f000001);
    field<octets> ref_id = "";
    ntp_timestamp ref{}, orig{}, recv{}, sent{};
};
SONDE_DECLARE_LAYER(NTPHeader, leap, version, mode, stratum, poll, precision, delay, dispersion, id, ref_id,
                    ref, orig, recv, sent)
layer_hooks hooks(NTPHeader const*);

/// Scapy's name for the same.
using NTP = NTPHeader;

/// What authenticates a message (RFC 5905 §7.3, RFC 7822 §7.5): `dgst` is 16 bytes for MD5, 20 for SHA-1.
struct NTPAuthenticator {
    field<std::uint32_t> key_id = 0;
    field<octets> dgst = std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    field<octets> padding = "";
};
SONDE_DECLARE_LAYER(NTPAuthenticator, padding, key_id, dgst)
layer_hooks hooks(NTPAuthenticator const*);

}  // namespace sonde
