#pragma once

#include <sonde/layers/ether.hpp>

namespace sonde {

/// What frames begin with on links that are not Ethernet, as captures have them.

/// BSD loopback, DLT_NULL: the address family, in the byte order of the host that captured; built, and shown,
/// little-endian, so that one written by a big-endian host shows 0.
struct Loopback {
    field<std::uint8_t, 2> type{};
};
SONDE_DECLARE_LAYER(Loopback, type)
layer_hooks hooks(Loopback const*);

struct cooked_packet_types {
    static constexpr std::array<value_name, 5> names{{{0, "unicast"},
                                                      {1, "broadcast"},
                                                      {2, "multicast"},
                                                      {3, "unicast-to-another-host"},
                                                      {4, "sent-by-us"}}};
};

/// Linux cooked capture, LINKTYPE_LINUX_SLL. `src` is padded to 8 bytes.
struct CookedLinux {
    field<enumerated<std::uint16_t, cooked_packet_types>> pkttype = 0;
    field<std::uint16_t> lladdrtype = 512;
    field<std::uint16_t> lladdrlen = 0;
    field<octets> src = "";
    field<enumerated<std::uint16_t, ether_types>, 0x0800> proto{};
};
SONDE_DECLARE_LAYER(CookedLinux, pkttype, lladdrtype, lladdrlen, src, proto)
layer_hooks hooks(CookedLinux const*);

/// Linux cooked capture, version 2, LINKTYPE_LINUX_SLL2.
struct CookedLinuxV2 {
    field<enumerated<std::uint16_t, ether_types>, 0x0800> proto{};
    field<std::uint16_t> reserved = 0;
    field<std::uint32_t> ifindex = 0;
    field<std::uint16_t> lladdrtype = 512;
    field<enumerated<std::uint8_t, cooked_packet_types>> pkttype = 0;
    field<std::uint8_t> lladdrlen = 0;
    field<octets> src = "";
};
SONDE_DECLARE_LAYER(CookedLinuxV2, proto, reserved, ifindex, lladdrtype, pkttype, lladdrlen, src)
layer_hooks hooks(CookedLinuxV2 const*);

}  // namespace sonde
