#pragma once

#include <sonde/packet/packet.hpp>

SONDE_NAMESPACE_BEGIN

/// UDP (RFC 768). `sport` is the engine's own in `sr*`, else 53; `dport` from the layer inside, else 53. A
/// computed checksum of zero is sent as 0xffff (RFC 768, RFC 8200 §8.1).
struct UDP {
    field<std::uint16_t, 53> dport{};  ///< of what is bound to several ports (DNS, VXLAN), the first
    /// Built alone 67 below BOOTP, 123 below NTP, 137 below NBNS, 161 below SNMP, 4789 below VXLAN.
    field<std::uint16_t, 53> sport{};
    /// Bytes of header and payload; automatic: build() throws value_out_of_range over 65535.
    field<std::uint16_t> len{};
    field<std::uint16_t> chksum{};  ///< with the addresses below; automatic: 0 without IP or IPv6
};
SONDE_DECLARE_LAYER(UDP, sport, dport, len, chksum)
layer_hooks hooks(UDP const*);  ///< length, checksum, end of the payload, names of ports, matching, summary

/// UDP as an ICMP error quotes it; fields that were cut off hold their defaults.
using UDPerror = quoted<UDP>;

SONDE_NAMESPACE_END
