#pragma once

#include <sonde/layers/ether.hpp>

namespace sonde {

/// Layers that carry other packets; matching looks through them.

/// GRE (RFC 2784, RFC 2890). `chksum` and `offset` are there with `chksum_present` or `routing_present`,
/// `key` and `sequence_number` with their flags; `chksum` computed.
struct GRE {
    field<enumerated<std::uint16_t, ether_types>> proto{};
    field<bits<1>> chksum_present = 0, routing_present = 0, key_present = 0, seqnum_present = 0;
    field<std::uint32_t> key{};
    field<std::uint32_t> sequence_number{};
    field<bits<1>> strict_route_source = 0;
    field<bits<3>> recursion_control = 0;
    field<bits<5>> flags = 0;
    field<bits<3>> version = 0;
    field<std::uint16_t> chksum{};
    field<std::uint16_t> offset{};
};
SONDE_DECLARE_LAYER(GRE, chksum_present, routing_present, key_present, seqnum_present, strict_route_source,
                    recursion_control, flags, version, proto, chksum, offset, key, sequence_number)
layer_hooks hooks(GRE const*);

struct vxlan_flag_names {
    static constexpr std::array<std::string_view, 8> names{"OAM", "R", "NextProtocol", "Instance", "V1", "V2",
                                                           "R",   "G"};
};
struct vxlan_policy_flag_names {
    static constexpr std::array<std::string_view, 8> names{"R", "R", "R", "A", "R", "R", "D", "R"};
};
struct vxlan_protocols {
    static constexpr std::array<value_name, 5> names{
        {{0, "NotDefined"}, {1, "IPv4"}, {2, "IPv6"}, {3, "Ethernet"}, {4, "NSH"}}};
};

/// VXLAN (RFC 7348), VXLAN-GPE and group policy. `flags` automatic: the instance bit, and the next protocol
/// when the layer inside is known.
struct VXLAN {
    field<bits<24>> vni = 0;
    field<flag_set<vxlan_flag_names>, 8> flags{};
    field<std::uint16_t> reserved0 = 0;
    field<enumerated<std::uint8_t, vxlan_protocols>> NextProtocol = 0;
    field<bits<24>> reserved1 = 0;
    field<flag_set<vxlan_policy_flag_names>> gpflags = flag_set<vxlan_policy_flag_names>();
    field<std::uint16_t> gpid = 0;
    field<std::uint8_t> reserved2 = 0;
};
SONDE_DECLARE_LAYER(VXLAN, flags, reserved0, NextProtocol, reserved1, gpflags, gpid, vni, reserved2)
layer_hooks hooks(VXLAN const*);

/// An MPLS label (RFC 3032 §2.1). `s`, bottom of stack, automatic: set on the last; `label` automatic:
/// implicit null (3), explicit null (0, 2) before IP and IPv6.
struct MPLS {
    field<bits<20>, 3> label{};
    field<std::uint8_t> ttl = 0;
    field<bits<3>> cos = 0;
    field<bits<1>, 1> s{};
};
SONDE_DECLARE_LAYER(MPLS, label, cos, s, ttl)
layer_hooks hooks(MPLS const*);

}  // namespace sonde
