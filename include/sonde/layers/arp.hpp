#pragma once

#include <sonde/packet/packet.hpp>

SONDE_NAMESPACE_BEGIN

/// ARP operation codes (IANA), as Scapy names them.
struct arp_operations {
    /// What text reads as and show() prints; other values are numbers.
    static constexpr std::array<value_name, 9> names{{{1, "who-has"},
                                                      {2, "is-at"},
                                                      {3, "RARP-req"},
                                                      {4, "RARP-rep"},
                                                      {5, "Dyn-RARP-req"},
                                                      {6, "Dyn-RAR-rep"},
                                                      {7, "Dyn-RARP-err"},
                                                      {8, "InARP-req"},
                                                      {9, "InARP-rep"}}};
};
/// ARP hardware types (IANA), as Scapy names them.
struct arp_hardware {
    /// What text reads as and show() prints; other values are numbers.
    static constexpr std::array<value_name, 2> names{{{1, "Ethernet (10Mb)"}, {6, "IEEE 802 Networks"}}};
};
/// EtherTypes whose addresses ARP asks for, as Scapy names them.
struct arp_protocols {
    /// What text reads as and show() prints; other values are numbers.
    static constexpr std::array<value_name, 2> names{{{0x0800, "IPv4"}, {0x86dd, "IPv6"}}};
};

/// Address resolution (RFC 826) of IPv4 over Ethernet. `hwsrc` and `psrc` automatic: the sending interface's.
/// Addresses of other lengths, as `hwlen` and `plen` tell, and of other hardware or protocols read as bytes.
struct ARP {
    field<ipv4> pdst{};                                         ///< who is asked, or told; automatic: 0.0.0.0
    field<enumerated<std::uint16_t, arp_operations>> op = 1;    ///< an odd one is answered by the next
    field<ipv4> psrc{};                                         ///< the sender's; built alone: 0.0.0.0
    field<mac> hwsrc{};                                         ///< the sender's; built alone: zero
    field<mac> hwdst = mac();                                   ///< zero in questions: not known yet
    field<enumerated<std::uint16_t, arp_hardware>> hwtype = 1;  ///< what `hwsrc` and `hwdst` are
    field<enumerated<std::uint16_t, arp_protocols>> ptype = 0x0800;  ///< what `psrc` and `pdst` are
    field<std::uint8_t, 6> hwlen{};  ///< of `hwsrc` and `hwdst`, in bytes; automatic: 6
    field<std::uint8_t, 4> plen{};   ///< of `psrc` and `pdst`, in bytes; automatic: 4
};
SONDE_DECLARE_LAYER(ARP, hwtype, ptype, hwlen, plen, op, hwsrc, psrc, hwdst, pdst)
layer_hooks hooks(ARP const*);  ///< widths of addresses, matching, summary; what follows is Padding

SONDE_NAMESPACE_END
