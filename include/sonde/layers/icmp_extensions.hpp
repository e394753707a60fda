#pragma once

#include <sonde/layers/tunnels.hpp>

SONDE_NAMESPACE_BEGIN

/// @file
/// What routers add behind the packet that an ICMP error quotes (RFC 4884), with Scapy's names:
///
///     ICMP{.type = 11} / quote / ICMPExtensionHeader{} / ICMPExtensionMPLS{.stack = MPLS{.label = 16000}}
///
/// Building pads the quote with zeros to 128 bytes, or to a whole number of the units that `length` counts
/// (ICMP: 4 bytes, ICMPv6: 8). Reading goes by `length`; where it is 0, or cannot be right, an extension
/// structure 128 bytes behind the ICMP header counts if its checksum is right (RFC 4884 §5.5).

/// The header of the extension structure (RFC 4884 §7); objects follow as layers. `chksum` is over all of
/// them.
struct ICMPExtensionHeader {
    field<bits<12>> reserved = 0;   ///< zero
    field<std::uint16_t> chksum{};  ///< of this header and all objects; automatic: computed. 0: there is none
    field<bits<4>> version = 2;     ///< 2; others are not read as extensions
};
SONDE_DECLARE_LAYER(ICMPExtensionHeader, version, reserved, chksum)
layer_hooks hooks(ICMPExtensionHeader const*);  ///< checksum, padding of the quote, the first object

/// An object of a class without a layer of its own (RFC 4884 §8). `len` counts the object's header too; a
/// Raw layer above is its data as well as `data` is.
struct ICMPExtensionObject {
    field<std::uint8_t> classnum = 0;   ///< class (IANA); 2, and 1 with type 1, are layers of their own
    field<std::uint8_t> classtype = 0;  ///< what it is within the class
    field<octets> data{};               ///< behind the 4 bytes of the header
    field<std::uint16_t> len{};         ///< bytes; automatic: computed
};
SONDE_DECLARE_LAYER(ICMPExtensionObject, len, classnum, classtype, data)
layer_hooks hooks(ICMPExtensionObject const*);  ///< length, the next object

/// Labels, the top of the stack first.
struct mpls_stack : encoded_list<64> {
    mpls_stack() = default;
    /// Encodes each label by itself: an automatic `s` is 1, so all but the last need `.s = 0`. Of a set, the
    /// first. Throws header_too_long over 16 labels.
    template <std::same_as<MPLS>... Label>
        requires(sizeof...(Label) > 0)
    mpls_stack(Label const&... label) {
        (add(packet(label)), ...);
    }
    /// As expressions have it: `[MPLS(label=16000, s=0), MPLS(label=3)]`.
    static option_codec const& codec();

private:
    void add(packet const& label);
};

/// The MPLS label stack that the packet came with (RFC 4950).
struct ICMPExtensionMPLS {
    mpls_stack stack{};                 ///< as it was when the packet came in
    field<std::uint16_t> len{};         ///< bytes, 4 and those of the labels; automatic: computed
    field<std::uint8_t> classnum = 1;   ///< 1, an MPLS label stack
    field<std::uint8_t> classtype = 1;  ///< 1, the incoming one
};
SONDE_DECLARE_LAYER(ICMPExtensionMPLS, len, classnum, classtype, stack)
layer_hooks hooks(ICMPExtensionMPLS const*);  ///< length, the next object

/// An interface of the router (RFC 5837; role 0: the one that the packet came in by): its index, address,
/// name and MTU, each there if its flag is set. `afi` 1: `ip4` is the address; 2: `ip6`. `ifname_len` counts
/// itself, and the zeros that pad the name.
struct ICMPExtensionInterfaceInformation {
    /// 0: the packet came in by it, 1: a part of that one below IP, 2: the packet would have left by it, 3:
    /// the next hop (RFC 5837 §4.1).
    field<bits<2>> interface_role = 0;
    /// Which parts follow; what is set in others is left out.
    /// @{
    field<bits<1>> has_ifindex = 0, has_ipaddr = 0, has_ifname = 0, has_mtu = 0;
    /// @}
    field<std::uint32_t> ifindex = 0;    ///< the router's own number for it, as SNMP tells it (ifIndex)
    field<std::uint16_t, 1> afi{};       ///< address family (IANA); automatic: 1, whichever address is set
    field<ipv4> ip4 = ipv4();            ///< with has_ipaddr and `afi` 1
    field<ipv6> ip6 = ipv6();            ///< with has_ipaddr and `afi` 2
    field<octets> ifname{};              ///< padded with zeros to a multiple of 4, `ifname_len` counted
    field<std::uint32_t> mtu = 0;        ///< bytes
    field<std::uint8_t> ifname_len{};    ///< bytes; automatic: computed. RFC 5837 allows 64
    field<bits<2>> reserved = 0;         ///< zero
    field<std::uint16_t> reserved2 = 0;  ///< zero, behind `afi`
    field<std::uint16_t> len{};          ///< bytes of the object, its 4 of header too; automatic: computed
    field<std::uint8_t> classnum = 2;    ///< 2, interface information
};
SONDE_DECLARE_LAYER(ICMPExtensionInterfaceInformation, len, classnum, interface_role, reserved, has_ifindex,
                    has_ipaddr, has_ifname, has_mtu, ifindex, afi, reserved2, ip4, ip6, ifname_len, ifname,
                    mtu)
/// Which parts there are, lengths, the next object.
layer_hooks hooks(ICMPExtensionInterfaceInformation const*);

SONDE_NAMESPACE_END
