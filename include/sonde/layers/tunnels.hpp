#pragma once

#include <sonde/layers/ether.hpp>

SONDE_NAMESPACE_BEGIN

/// @file
/// Layers that carry other packets; matching looks through them.

/// GRE (RFC 2784, RFC 2890). `chksum` and `offset` are there with `chksum_present` or `routing_present`,
/// `key` and `sequence_number` with their flags; `chksum` computed.
struct GRE {
    /// EtherType of what is inside; automatic: by the layer inside, else 0.
    field<enumerated<std::uint16_t, ether_types>> proto{};
    /// Which of the fields behind the first 4 bytes there are; what is set in others is left out.
    /// `routing_present` is RFC 1701's, its routing entries are not read.
    /// @{
    field<bits<1>> chksum_present = 0, routing_present = 0, key_present = 0, seqnum_present = 0;
    /// @}
    field<std::uint32_t> key{};              ///< which flow in the tunnel (RFC 2890 §2.1)
    field<std::uint32_t> sequence_number{};  ///< of the packet in its flow (RFC 2890 §2.2); not counted here
    field<bits<1>> strict_route_source = 0;  ///< RFC 1701; reserved since
    field<bits<3>> recursion_control = 0;    ///< RFC 1701: how often more it may be wrapped; reserved since
    field<bits<5>> flags = 0;                ///< reserved
    field<bits<3>> version = 0;              ///< 0 (RFC 2784 §2.3.1)
    field<std::uint16_t> chksum{};  ///< of header and payload; automatic: 0 where only routing is present
    field<std::uint16_t> offset{};  ///< RFC 1701: bytes into the routing field; automatic: 0
};
SONDE_DECLARE_LAYER(GRE, chksum_present, routing_present, key_present, seqnum_present, strict_route_source,
                    recursion_control, flags, version, proto, chksum, offset, key, sequence_number)
layer_hooks hooks(GRE const*);  ///< optional fields, checksum

/// Bits of VXLAN's first octet, as Scapy names them: of RFC 7348 (Instance), VXLAN-GPE
/// (draft-ietf-nvo3-vxlan-gpe: OAM, NextProtocol, V1, V2) and group policy (G).
struct vxlan_flag_names {
    /// One for each bit, the lowest first.
    static constexpr std::array<std::string_view, 8> names{"OAM", "R", "NextProtocol", "Instance", "V1", "V2",
                                                           "R",   "G"};
};
/// Bits of group policy, as Scapy names them (draft-smith-vxlan-group-policy): A, the policy was applied;
/// D, the source address is not to be learnt.
struct vxlan_policy_flag_names {
    /// One for each bit, the lowest first.
    static constexpr std::array<std::string_view, 8> names{"R", "R", "R", "A", "R", "R", "D", "R"};
};
/// What VXLAN-GPE may carry (draft-ietf-nvo3-vxlan-gpe), as Scapy names it.
struct vxlan_protocols {
    /// What text reads as and show() prints; other values are numbers.
    static constexpr std::array<value_name, 5> names{
        {{0, "NotDefined"}, {1, "IPv4"}, {2, "IPv6"}, {3, "Ethernet"}, {4, "NSH"}}};
};

/// VXLAN (RFC 7348), VXLAN-GPE and group policy. `flags` automatic: the instance bit, and the next protocol
/// when the layer inside is known.
struct VXLAN {
    field<bits<24>> vni = 0;                       ///< network identifier; an answer has the same
    field<flag_set<vxlan_flag_names>, 8> flags{};  ///< they tell which fields there are; others are left out
    field<std::uint16_t> reserved0 = 0;            ///< with NextProtocol
    /// What is inside, with the flag NextProtocol: automatic, what IP, IPv6 and Ether inside ask for. They
    /// set both if `flags` is automatic.
    field<enumerated<std::uint8_t, vxlan_protocols>> NextProtocol{};
    field<bits<24>> reserved1 = 0;  ///< without NextProtocol and G
    /// With G, without NextProtocol.
    field<flag_set<vxlan_policy_flag_names>> gpflags = flag_set<vxlan_policy_flag_names>();
    field<std::uint16_t> gpid = 0;      ///< group policy identifier of the source; there as `gpflags` is
    field<std::uint8_t> reserved2 = 0;  ///< the last octet
};
SONDE_DECLARE_LAYER(VXLAN, flags, reserved0, NextProtocol, reserved1, gpflags, gpid, vni, reserved2)
layer_hooks hooks(VXLAN const*);  ///< optional fields, what is inside, matching by VNI, summary

/// An MPLS label (RFC 3032 §2.1). `s`, bottom of stack, automatic: set on the last; `label` automatic:
/// implicit null (3), explicit null (0, 2) before IP and IPv6.
struct MPLS {
    field<bits<20>, 3> label{};   ///< where it goes; 0 to 15 are reserved
    field<std::uint8_t> ttl = 0;  ///< hops left; 0 as with Scapy
    field<bits<3>> cos = 0;       ///< traffic class (RFC 5462)
    field<bits<1>, 1> s{};        ///< 1: the last label; automatic: 0 below MPLS, else 1
};
SONDE_DECLARE_LAYER(MPLS, label, cos, s, ttl)
layer_hooks hooks(MPLS const*);  ///< what automatic fields and bytes behind the last label mean

SONDE_NAMESPACE_END
