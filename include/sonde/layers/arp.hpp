#pragma once

#include <sonde/packet/packet.hpp>

namespace sonde {

struct arp_operations {
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
struct arp_hardware {
    static constexpr std::array<value_name, 2> names{{{1, "Ethernet (10Mb)"}, {6, "IEEE 802 Networks"}}};
};
struct arp_protocols {
    static constexpr std::array<value_name, 2> names{{{0x0800, "IPv4"}, {0x86dd, "IPv6"}}};
};

/// Address resolution (RFC 826) of IPv4 over Ethernet. `hwsrc` and `psrc` automatic: the sending interface's.
/// Addresses of other lengths, as `hwlen` and `plen` tell, read as bytes.
struct ARP {
    field<ipv4> pdst{};
    field<enumerated<std::uint16_t, arp_operations>> op = 1;
    field<ipv4> psrc{};
    field<mac> hwsrc{};
    field<mac> hwdst = mac();
    field<enumerated<std::uint16_t, arp_hardware>> hwtype = 1;
    field<enumerated<std::uint16_t, arp_protocols>> ptype = 0x0800;
    field<std::uint8_t, 6> hwlen{};
    field<std::uint8_t, 4> plen{};
};
SONDE_DECLARE_LAYER(ARP, hwtype, ptype, hwlen, plen, op, hwsrc, psrc, hwdst, pdst)
layer_hooks hooks(ARP const*);

}  // namespace sonde
