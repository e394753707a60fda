#pragma once

#include <sonde/layers/raw.hpp>

SONDE_NAMESPACE_BEGIN

/// EtherType names (IEEE 802 numbers).
struct ether_types {
    /// What text reads as and show() prints; other values are numbers.
    static constexpr std::array<value_name, 9> names{{{0x0800, "IPv4"},
                                                      {0x0806, "ARP"},
                                                      {0x6558, "TEB"},
                                                      {0x8100, "n_802_1Q"},
                                                      {0x86dd, "IPv6"},
                                                      {0x8847, "MPLS"},
                                                      {0x8848, "MPLS_MULTI"},
                                                      {0x88a8, "802_AD"},
                                                      {0x9000, "LOOP"}}};
};

/// Ethernet II (IEEE 802.3 §3.1.1). `dst` automatic: the neighbour on the way to the packet's destination,
/// resolved when it is sent; built alone, that of its multicast group, else broadcast. `src` automatic: the
/// interface's address; built alone, zero.
struct Ether {
    field<mac, 0xffffffffffff> dst{};  ///< who takes it
    field<mac> src{};                  ///< who sent it
    /// What is inside; automatic: by the layer inside, else 0x9000.
    field<enumerated<std::uint16_t, ether_types>, 0x9000> type{};
};
SONDE_DECLARE_LAYER(Ether, dst, src, type)
layer_hooks hooks(Ether const*);  ///< a link layer; title, summary

/// VLAN tag (IEEE 802.1Q §9.6). `id` is the drop eligible bit, as Scapy names it.
struct Dot1Q {
    field<bits<12>> vlan = 1;  ///< VLAN identifier; an answer has the same
    field<bits<3>> prio = 0;   ///< priority code point
    field<bits<1>> id = 0;     ///< 1: may be dropped first
    /// What is inside; automatic: by the layer inside, else 0. Up to 1500 it is read as a length, LLC inside.
    field<enumerated<std::uint16_t, ether_types>> type{};
};
SONDE_DECLARE_LAYER(Dot1Q, prio, id, vlan, type)
layer_hooks hooks(Dot1Q const*);  ///< a link layer; what is inside, matching by VLAN, summary

/// Service tag of provider bridges (IEEE 802.1ad, now 802.1Q §9.6), outside other tags.
struct Dot1AD {
    field<bits<12>> vlan = 1;                              ///< the provider's VLAN identifier
    field<bits<3>> prio = 0;                               ///< as in Dot1Q
    field<bits<1>> id = 0;                                 ///< as in Dot1Q
    field<enumerated<std::uint16_t, ether_types>> type{};  ///< as in Dot1Q
};
SONDE_DECLARE_LAYER(Dot1AD, prio, id, vlan, type)
layer_hooks hooks(Dot1AD const*);  ///< a link layer; what is inside

/// IEEE 802.3 with a length, at most 1500, where Ethernet II has a type; `len` computed.
struct Dot3 {
    field<mac, 0xffffffffffff> dst{};  ///< automatic: broadcast, sent or not
    field<mac> src{};                  ///< automatic: zero, sent or not
    field<std::uint16_t> len{};        ///< bytes of the payload; what lies behind them is Padding
};
SONDE_DECLARE_LAYER(Dot3, dst, src, len)
layer_hooks hooks(Dot3 const*);  ///< a link layer; length, LLC inside, summary

/// Logical link control (IEEE 802.2).
struct LLC {
    /// Service access points of destination and source, control field (one octet here); automatic: 0xaa,
    /// 0xaa, 3 below SNAP, else 0.
    /// @{
    field<std::uint8_t> dsap{}, ssap{}, ctrl{};
    /// @}
};
SONDE_DECLARE_LAYER(LLC, dsap, ssap, ctrl)
layer_hooks hooks(LLC const*);  ///< a link layer; SNAP inside

/// Subnetwork access protocol (IEEE 802, RFC 1042), above LLC with 0xaa, 0xaa, 3.
struct SNAP {
    field<bits<24>> OUI = 0;  ///< whose numbers `code` has; 0: it is an EtherType
    /// What is inside; automatic: by the layer inside, else 0.
    field<enumerated<std::uint16_t, ether_types>> code{};
};
SONDE_DECLARE_LAYER(SNAP, OUI, code)
layer_hooks hooks(SNAP const*);  ///< a link layer

SONDE_NAMESPACE_END
