#pragma once

#include <sonde/layers/ether.hpp>

SONDE_NAMESPACE_BEGIN

/// @file
/// What frames begin with on links that are not Ethernet, as captures have them.

/// BSD loopback, DLT_NULL: the address family, in the byte order of the host that captured; built, and shown,
/// little-endian, so that one written by a big-endian host shows 0.
struct Loopback {
    field<std::uint8_t, 2> type{};  ///< 2 is IPv4; IPv6 reads from 10, 24, 28 and 30, as systems differ
};
SONDE_DECLARE_LAYER(Loopback, type)
layer_hooks hooks(Loopback const*);  ///< a link layer; names of families, what is inside

/// Which way a packet went, seen from the capturing host (LINKTYPE_LINUX_SLL), as Scapy names it.
struct cooked_packet_types {
    /// What text reads as and show() prints; other values are numbers.
    static constexpr std::array<value_name, 5> names{{{0, "unicast"},
                                                      {1, "broadcast"},
                                                      {2, "multicast"},
                                                      {3, "unicast-to-another-host"},
                                                      {4, "sent-by-us"}}};
};

/// Linux cooked capture, LINKTYPE_LINUX_SLL. `src` is padded to 8 bytes.
struct CookedLinux {
    field<enumerated<std::uint16_t, cooked_packet_types>> pkttype = 0;  ///< which way it went
    field<std::uint16_t> lladdrtype = 512;  ///< the device's ARPHRD_ number in Linux; 512, PPP, as with Scapy
    field<std::uint16_t> lladdrlen = 0;     ///< how many bytes of `src` count; never computed
    field<octets> src = "";                 ///< the sender's link address; padded with zeros, or cut
    /// EtherType; automatic: by the layer inside, else 0x0800.
    field<enumerated<std::uint16_t, ether_types>, 0x0800> proto{};
};
SONDE_DECLARE_LAYER(CookedLinux, pkttype, lladdrtype, lladdrlen, src, proto)
layer_hooks hooks(CookedLinux const*);  ///< a link layer; title, the length of `src`

/// Linux cooked capture, version 2, LINKTYPE_LINUX_SLL2.
struct CookedLinuxV2 {
    field<enumerated<std::uint16_t, ether_types>, 0x0800> proto{};  ///< as in CookedLinux
    field<std::uint16_t> reserved = 0;                              ///< zero
    field<std::uint32_t> ifindex = 0;                               ///< the interface on the capturing host
    field<std::uint16_t> lladdrtype = 512;                          ///< as in CookedLinux
    field<enumerated<std::uint8_t, cooked_packet_types>> pkttype = 0;  ///< as in CookedLinux
    field<std::uint8_t> lladdrlen = 0;                                 ///< as in CookedLinux
    field<octets> src = "";                                            ///< as in CookedLinux: 8 bytes
};
SONDE_DECLARE_LAYER(CookedLinuxV2, proto, reserved, ifindex, lladdrtype, pkttype, lladdrlen, src)
layer_hooks hooks(CookedLinuxV2 const*);  ///< a link layer; title, the length of `src`

SONDE_NAMESPACE_END
