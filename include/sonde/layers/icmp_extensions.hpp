#pragma once

#include <sonde/layers/tunnels.hpp>

namespace sonde {

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
    field<bits<12>> reserved = 0;
    field<std::uint16_t> chksum{};
    field<bits<4>> version = 2;
};
SONDE_DECLARE_LAYER(ICMPExtensionHeader, version, reserved, chksum)
layer_hooks hooks(ICMPExtensionHeader const*);

/// An object of a class without a layer of its own (RFC 4884 §8). `len` counts the object's header too; a
/// Raw layer above is its data as well as `data` is.
struct ICMPExtensionObject {
    field<std::uint8_t> classnum = 0;
    field<std::uint8_t> classtype = 0;
    field<octets> data{};
    field<std::uint16_t> len{};
};
SONDE_DECLARE_LAYER(ICMPExtensionObject, len, classnum, classtype, data)
layer_hooks hooks(ICMPExtensionObject const*);

/// Labels, the top of the stack first.
struct mpls_stack : encoded_list<64> {
    mpls_stack() = default;
    template <std::same_as<MPLS>... Label>
        requires(sizeof...(Label) > 0)
    mpls_stack(Label const&... label) {
        (add(packet(label)), ...);
    }
    static option_codec const& codec();

private:
    void add(packet const& label);
};

/// The MPLS label stack that the packet came with (RFC 4950).
struct ICMPExtensionMPLS {
    mpls_stack stack{};
    field<std::uint16_t> len{};
    field<std::uint8_t> classnum = 1;
    field<std::uint8_t> classtype = 1;
};
SONDE_DECLARE_LAYER(ICMPExtensionMPLS, len, classnum, classtype, stack)
layer_hooks hooks(ICMPExtensionMPLS const*);

/// An interface of the router (RFC 5837; role 0: the one that the packet came in by): its index, address,
/// name and MTU, each there if its flag is set. `afi` 1: `ip4` is the address; 2: `ip6`. `ifname_len` counts
/// itself, and the zeros that pad the name.
struct ICMPExtensionInterfaceInformation {
    field<bits<2>> interface_role = 0;
    field<bits<1>> has_ifindex = 0, has_ipaddr = 0, has_ifname = 0, has_mtu = 0;
    field<std::uint32_t> ifindex = 0;
    field<std::uint16_t, 1> afi{};
    field<ipv4> ip4 = ipv4();
    field<ipv6> ip6 = ipv6();
    field<octets> ifname{};
    field<std::uint32_t> mtu = 0;
    field<std::uint8_t> ifname_len{};
    field<bits<2>> reserved = 0;
    field<std::uint16_t> reserved2 = 0;
    field<std::uint16_t> len{};
    field<std::uint8_t> classnum = 2;
};
SONDE_DECLARE_LAYER(ICMPExtensionInterfaceInformation, len, classnum, interface_role, reserved, has_ifindex,
                    has_ipaddr, has_ifname, has_mtu, ifindex, afi, reserved2, ip4, ip6, ifname_len, ifname,
                    mtu)
layer_hooks hooks(ICMPExtensionInterfaceInformation const*);

}  // namespace sonde
