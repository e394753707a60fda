#pragma once

#include <sonde/layers/address_list.hpp>
#include <sonde/layers/ipv6.hpp>

namespace sonde {

/// IPv6 extension headers (RFC 8200 §4) and their options, with Scapy's names. In each header `nh` is set
/// from the layer inside and `len` is computed: units of 8 bytes, the first not counted.

using ipv6_next_header = enumerated<std::uint8_t, ipv6_next_headers>;

/// Options of hop-by-hop and destination headers, encoded: each a type, a length and data (RFC 8200 §4.2).
struct ipv6_options : encoded_list<256> {
    ipv6_options() = default;
    /// Option layers: `{RouterAlert{.value = 1}, HAO{.hoa = "2001:db8::1"}}`.
    template <layer... Option>
        requires(sizeof...(Option) > 0)
    ipv6_options(Option const&... option) {
        (add(packet(option)), ...);
    }
    static option_codec const& codec();

private:
    void add(packet const& option);
};

/// Hop-by-hop options (RFC 8200 §4.3). `autopad`: options are aligned, and the header padded to a multiple of
/// 8 bytes, when the packet is made; it is not on the wire.
struct IPv6ExtHdrHopByHop {
    ipv6_options options{};
    field<bits<1>> autopad = 1;
    field<std::uint8_t> len{};
    field<ipv6_next_header, 59> nh{};
};
SONDE_DECLARE_LAYER(IPv6ExtHdrHopByHop, nh, len, autopad, options)
layer_hooks hooks(IPv6ExtHdrHopByHop const*);

/// Destination options (RFC 8200 §4.6).
struct IPv6ExtHdrDestOpt {
    ipv6_options options{};
    field<bits<1>> autopad = 1;
    field<std::uint8_t> len{};
    field<ipv6_next_header, 59> nh{};
};
SONDE_DECLARE_LAYER(IPv6ExtHdrDestOpt, nh, len, autopad, options)
layer_hooks hooks(IPv6ExtHdrDestOpt const*);

/// Routing (RFC 8200 §4.4; type 0 RFC 5095, type 2 RFC 6275, type 3 RFC 6554 read as addresses). `segleft`
/// automatic: all addresses.
struct IPv6ExtHdrRouting {
    ipv6_list addresses{};
    field<std::uint8_t> type = 0;
    field<std::uint8_t> segleft{};
    field<std::uint32_t> reserved = 0;
    field<std::uint8_t> len{};
    field<ipv6_next_header, 59> nh{};
};
SONDE_DECLARE_LAYER(IPv6ExtHdrRouting, nh, len, type, segleft, reserved, addresses)
layer_hooks hooks(IPv6ExtHdrRouting const*);

/// TLVs behind the addresses of a segment routing header (RFC 8754 §2.1), as bytes.
struct srh_tlvs : encoded_list<256> {
    static option_codec const& codec();
};

/// Segment routing (RFC 8754 §2), a routing header of type 4. `segleft` and `lastentry` automatic: those of
/// the last address.
struct IPv6ExtHdrSegmentRouting {
    ipv6_list addresses = ipv6_list(ipv6("::1"));
    field<std::uint8_t> segleft{};
    field<std::uint8_t> lastentry{};
    field<bits<1>> unused1 = 0, protected_ = 0, oam = 0, alert = 0, hmac = 0;
    field<bits<3>> unused2 = 0;
    field<std::uint16_t> tag = 0;
    srh_tlvs tlv_objects{};
    field<std::uint8_t> type = 4;
    field<std::uint8_t> len{};
    field<ipv6_next_header, 59> nh{};
};
SONDE_DECLARE_LAYER(IPv6ExtHdrSegmentRouting, nh, len, type, segleft, lastentry, unused1, protected_, oam,
                    alert, hmac, unused2, tag, addresses, tlv_objects)
layer_hooks hooks(IPv6ExtHdrSegmentRouting const*);

/// Fragment (RFC 8200 §4.5). `offset` counts units of 8 bytes; `m`: more follow.
struct IPv6ExtHdrFragment {
    field<bits<13>> offset = 0;
    field<bits<1>> m = 0;
    field<std::uint32_t> id{};
    field<std::uint8_t> res1 = 0;
    field<bits<2>> res2 = 0;
    field<ipv6_next_header, 59> nh{};
};
SONDE_DECLARE_LAYER(IPv6ExtHdrFragment, nh, res1, offset, res2, m, id)
layer_hooks hooks(IPv6ExtHdrFragment const*);

struct ipv6_option_types {
    static constexpr std::array<value_name, 5> names{{{0, "Pad1"},
                                                      {1, "PadN"},
                                                      {5, "Router Alert"},
                                                      {0xc2, "Jumbo Payload"},
                                                      {0xc9, "Home Address Option"}}};
};
using ipv6_option_type = enumerated<std::uint8_t, ipv6_option_types>;

/// One byte of padding (RFC 8200 §4.2).
struct Pad1 {
    field<ipv6_option_type> otype = 0;
};
SONDE_DECLARE_LAYER(Pad1, otype)
layer_hooks hooks(Pad1 const*);

/// Two bytes of padding and more (RFC 8200 §4.2).
struct PadN {
    field<octets> optdata{};
    field<std::uint8_t> optlen{};
    field<ipv6_option_type> otype = 1;
};
SONDE_DECLARE_LAYER(PadN, otype, optlen, optdata)
layer_hooks hooks(PadN const*);

/// Router alert (RFC 2711). `value` 0: the packet holds an MLD message.
struct RouterAlert {
    field<std::uint16_t> value{};
    field<std::uint8_t> optlen = 2;
    field<ipv6_option_type> otype = 5;
};
SONDE_DECLARE_LAYER(RouterAlert, otype, optlen, value)
layer_hooks hooks(RouterAlert const*);

/// Jumbo payload (RFC 2675 §2). `jumboplen` in bytes.
struct Jumbo {
    field<std::uint32_t> jumboplen{};
    field<std::uint8_t> optlen = 4;
    field<ipv6_option_type> otype = 0xc2;
};
SONDE_DECLARE_LAYER(Jumbo, otype, optlen, jumboplen)
layer_hooks hooks(Jumbo const*);

/// Home address (RFC 6275 §6.3).
struct HAO {
    field<ipv6> hoa = ipv6();
    field<std::uint8_t> optlen = 16;
    field<ipv6_option_type> otype = 0xc9;
};
SONDE_DECLARE_LAYER(HAO, otype, optlen, hoa)
layer_hooks hooks(HAO const*);

/// Any other option.
struct HBHOptUnknown {
    field<octets> optdata{};
    field<ipv6_option_type> otype = 1;
    field<std::uint8_t> optlen{};
};
SONDE_DECLARE_LAYER(HBHOptUnknown, otype, optlen, optdata)
layer_hooks hooks(HBHOptUnknown const*);

}  // namespace sonde
