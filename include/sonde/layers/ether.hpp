#pragma once

#include <sonde/layers/raw.hpp>

namespace sonde {

/// EtherType names (IEEE 802 numbers).
struct ether_types {
    static constexpr std::array<value_name, 6> names{{{0x0800, "IPv4"},
                                                      {0x0806, "ARP"},
                                                      {0x8100, "n_802_1Q"},
                                                      {0x86dd, "IPv6"},
                                                      {0x88a8, "n_802_1AD"},
                                                      {0x9000, "LOOP"}}};
};

/// Ethernet II (IEEE 802.3 §3.1.1). `dst` automatic: the neighbour on the way to the packet's destination,
/// resolved when it is sent; built alone, broadcast. `src` automatic: the interface's address; built alone,
/// zero.
struct Ether {
    field<mac, 0xffffffffffff> dst{};
    field<mac> src{};
    field<enumerated<std::uint16_t, ether_types>, 0x9000> type{};
};
SONDE_DECLARE_LAYER(Ether, dst, src, type)
layer_hooks hooks(Ether const*);

/// VLAN tag (IEEE 802.1Q §9.6). `id` is the drop eligible bit, as Scapy names it.
struct Dot1Q {
    field<bits<12>> vlan = 1;
    field<bits<3>> prio = 0;
    field<bits<1>> id = 0;
    field<enumerated<std::uint16_t, ether_types>> type{};
};
SONDE_DECLARE_LAYER(Dot1Q, prio, id, vlan, type)
layer_hooks hooks(Dot1Q const*);

}  // namespace sonde
