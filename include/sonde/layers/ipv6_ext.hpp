#pragma once

#include <sonde/layers/address_list.hpp>
#include <sonde/layers/ipv6.hpp>

SONDE_NAMESPACE_BEGIN

/// @file
/// IPv6 extension headers (RFC 8200 §4) and their options, with Scapy's names. In each header `nh` is set
/// from the layer inside and `len` is computed: units of 8 bytes, the first not counted.

/// What follows a header: a number, or one of the names.
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
    /// How they print and read, as layers, and are aligned.
    static option_codec const& codec();

private:
    void add(packet const& option);
};

/// Hop-by-hop options (RFC 8200 §4.3). `autopad`: options are aligned, and the header padded to a multiple of
/// 8 bytes, when the packet is made; it is not on the wire.
struct IPv6ExtHdrHopByHop {
    ipv6_options options{};            ///< up to 256 bytes are held inside
    field<bits<1>> autopad = 1;        ///< 0: options stay as they are, and the header as long
    field<std::uint8_t> len{};         ///< see above; rounded up
    field<ipv6_next_header, 59> nh{};  ///< 59, no next header, where the layer inside has no number
};
SONDE_DECLARE_LAYER(IPv6ExtHdrHopByHop, nh, len, autopad, options)
layer_hooks hooks(IPv6ExtHdrHopByHop const*);  ///< length, and what follows

/// Destination options (RFC 8200 §4.6).
struct IPv6ExtHdrDestOpt {
    ipv6_options options{};            ///< up to 256 bytes are held inside
    field<bits<1>> autopad = 1;        ///< as in IPv6ExtHdrHopByHop
    field<std::uint8_t> len{};         ///< see above; rounded up
    field<ipv6_next_header, 59> nh{};  ///< 59, no next header, where the layer inside has no number
};
SONDE_DECLARE_LAYER(IPv6ExtHdrDestOpt, nh, len, autopad, options)
layer_hooks hooks(IPv6ExtHdrDestOpt const*);  ///< length, and what follows

/// Routing (RFC 8200 §4.4; type 0 RFC 5095, type 2 RFC 6275, type 3 RFC 6554 read as addresses). `segleft`
/// automatic: all addresses.
struct IPv6ExtHdrRouting {
    /// Stops in their order; checksums and answers are the last one's while `segleft` is not 0.
    ipv6_list addresses{};
    field<std::uint8_t> type = 0;       ///< 4 is dissected as IPv6ExtHdrSegmentRouting
    field<std::uint8_t> segleft{};      ///< stops still to come
    field<std::uint32_t> reserved = 0;  ///< reserved, ignored
    field<std::uint8_t> len{};          ///< see above; rounded up
    field<ipv6_next_header, 59> nh{};   ///< 59, no next header, where the layer inside has no number
};
SONDE_DECLARE_LAYER(IPv6ExtHdrRouting, nh, len, type, segleft, reserved, addresses)
/// Length and `segleft`, before any checksum, and what follows.
layer_hooks hooks(IPv6ExtHdrRouting const*);

/// TLVs behind the addresses of a segment routing header (RFC 8754 §2.1), as bytes.
struct srh_tlvs : encoded_list<256> {
    /// Prints them all as one entry of bytes; reads bytes and IPv6 option layers. Padded with zeros to a
    /// multiple of 8.
    static option_codec const& codec();
};

/// Segment routing (RFC 8754 §2), a routing header of type 4. `segleft` and `lastentry` automatic: those of
/// the last address.
struct IPv6ExtHdrSegmentRouting {
    /// The last stop first: checksums and answers are its while `segleft` is not 0.
    ipv6_list addresses = ipv6_list(ipv6("::1"));
    field<std::uint8_t> segleft{};    ///< index of the stop that `dst` is, which is also how many follow
    field<std::uint8_t> lastentry{};  ///< index of the last address
    /// Flags as Scapy has them; RFC 8754 defines none, RFC 9259 `oam`.
    /// @{
    field<bits<1>> unused1 = 0, protected_ = 0, oam = 0, alert = 0, hmac = 0;
    /// @}
    field<bits<3>> unused2 = 0;        ///< flags without a meaning
    field<std::uint16_t> tag = 0;      ///< of a class of packets that are handled alike
    srh_tlvs tlv_objects{};            ///< behind the addresses
    field<std::uint8_t> type = 4;      ///< by which dissecting tells it from other routing headers
    field<std::uint8_t> len{};         ///< see above; rounded up
    field<ipv6_next_header, 59> nh{};  ///< 59, no next header, where the layer inside has no number
};
SONDE_DECLARE_LAYER(IPv6ExtHdrSegmentRouting, nh, len, type, segleft, lastentry, unused1, protected_, oam,
                    alert, hmac, unused2, tag, addresses, tlv_objects)
/// Length, `segleft` and `lastentry`, before any checksum, and what follows.
layer_hooks hooks(IPv6ExtHdrSegmentRouting const*);

/// Fragment (RFC 8200 §4.5). `offset` counts units of 8 bytes; `m`: more follow.
struct IPv6ExtHdrFragment {
    /// Where this piece lies. At 0 what follows is dissected, else it is Raw.
    field<bits<13>> offset = 0;
    field<bits<1>> m = 0;  ///< 1: not the last fragment
    /// The same in all fragments of a packet; automatic: 0, or random by fragment6.
    field<std::uint32_t> id{};
    field<std::uint8_t> res1 = 0;      ///< reserved, ignored
    field<bits<2>> res2 = 0;           ///< reserved, ignored
    field<ipv6_next_header, 59> nh{};  ///< 59, no next header, where the layer inside has no number
};
SONDE_DECLARE_LAYER(IPv6ExtHdrFragment, nh, res1, offset, res2, m, id)
layer_hooks hooks(IPv6ExtHdrFragment const*);  ///< what follows in a first fragment

/// Types of IPv6 options (IANA), with Scapy's names; those that have a layer.
struct ipv6_option_types {
    /// What `show` prints and text is looked up in.
    static constexpr std::array<value_name, 5> names{{{0, "Pad1"},
                                                      {1, "PadN"},
                                                      {5, "Router Alert"},
                                                      {0xc2, "Jumbo Payload"},
                                                      {0xc9, "Home Address Option"}}};
};
/// The type of an option: a number, or one of these names. Its two highest bits say what a node does that
/// does not know it, the third whether it may change on the way (RFC 8200 §4.2).
using ipv6_option_type = enumerated<std::uint8_t, ipv6_option_types>;

/// One byte of padding (RFC 8200 §4.2).
struct Pad1 {
    field<ipv6_option_type> otype = 0;  ///< the whole option: it has no length and no data
};
SONDE_DECLARE_LAYER(Pad1, otype)
layer_hooks hooks(Pad1 const*);  ///< how `show` prints the type

/// Two bytes of padding and more (RFC 8200 §4.2).
struct PadN {
    field<octets> optdata{};            ///< should be zeros; empty: two bytes in all
    field<std::uint8_t> optlen{};       ///< bytes of `optdata`, computed
    field<ipv6_option_type> otype = 1;  ///< by which the option is known
};
SONDE_DECLARE_LAYER(PadN, otype, optlen, optdata)
layer_hooks hooks(PadN const*);  ///< length, and how `show` prints the type

/// Router alert (RFC 2711). `value` 0: the packet holds an MLD message.
struct RouterAlert {
    field<std::uint16_t> value{};       ///< automatic: 0
    field<std::uint8_t> optlen = 2;     ///< bytes of `value`; fixed
    field<ipv6_option_type> otype = 5;  ///< lies at 2 n (RFC 2711 §2.1), which `autopad` sees to
};
SONDE_DECLARE_LAYER(RouterAlert, otype, optlen, value)
layer_hooks hooks(RouterAlert const*);  ///< names of values, and how `show` prints the type

/// Jumbo payload (RFC 2675 §2). `jumboplen` in bytes.
struct Jumbo {
    field<std::uint32_t> jumboplen{};      ///< all that follows the IPv6 header; automatic: 0, not computed
    field<std::uint8_t> optlen = 4;        ///< bytes of `jumboplen`; fixed
    field<ipv6_option_type> otype = 0xc2;  ///< lies at 4 n + 2 (RFC 2675 §2), which `autopad` sees to
};
SONDE_DECLARE_LAYER(Jumbo, otype, optlen, jumboplen)
layer_hooks hooks(Jumbo const*);  ///< how `show` prints the type

/// Home address (RFC 6275 §6.3).
struct HAO {
    field<ipv6> hoa = ipv6();  ///< the mobile node's, which checksums count as source in IPv6ExtHdrDestOpt
    field<std::uint8_t> optlen = 16;       ///< bytes of `hoa`; fixed
    field<ipv6_option_type> otype = 0xc9;  ///< lies at 8 n + 6 (RFC 6275 §6.3), which `autopad` sees to
};
SONDE_DECLARE_LAYER(HAO, otype, optlen, hoa)
layer_hooks hooks(HAO const*);  ///< how `show` prints the type

/// Any other option.
struct HBHOptUnknown {
    field<octets> optdata{};            ///< what follows type and length
    field<ipv6_option_type> otype = 1;  ///< any without a layer of its own; 1 is Scapy's default
    field<std::uint8_t> optlen{};       ///< bytes of `optdata`, computed
};
SONDE_DECLARE_LAYER(HBHOptUnknown, otype, optlen, optdata)
layer_hooks hooks(HBHOptUnknown const*);  ///< length, and how `show` prints the type

SONDE_NAMESPACE_END
