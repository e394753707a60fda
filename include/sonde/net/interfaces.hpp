#pragma once

#include <sonde/packet/address.hpp>
#include <sonde/packet/link_type.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// How far an address or route reaches: the RT_SCOPE_ values of rtnetlink(7). A larger number is a nearer
/// scope.
enum class address_scope : std::uint8_t {
    universe = 0,   ///< anywhere
    site = 200,     ///< IPv6 site-local (fec0::/10)
    link = 253,     ///< this link only
    host = 254,     ///< this host only
    nowhere = 255,  ///< a destination that does not exist
};

/// An address of an interface, as `ip address` shows it.
struct interface_address {
    ip_address address;  ///< the interface's own
    ip_address
        network;  ///< what `prefix_length` belongs to: `address`, or the peer's on point-to-point links
    std::uint8_t prefix_length = 0;                 ///< bits
    address_scope scope = address_scope::universe;  ///< how far it is valid
    std::optional<ipv4> broadcast;  ///< IPv4: the directed broadcast address, where there is one
    bool secondary =
        false;  ///< IPv4: in the subnet of an earlier address, never chosen as a source by itself
    bool temporary = false;  ///< IPv6: RFC 8981 privacy address
    bool deprecated =
        false;  ///< past its preferred lifetime; IPv6: a source only when nothing better is there
    bool tentative = false;   ///< IPv6: duplicate address detection still runs, or failed; not a source
    bool optimistic = false;  ///< IPv6: usable although tentative (RFC 4429)
    bool home = false;        ///< IPv6: mobile IPv6 home address
};

/// A network interface, as `ip link` and `ip address` show it.
struct kernel_interface {
    int index = 0;               ///< the kernel's; it stays when the interface is renamed
    std::string name;            ///< 1 to 15 bytes
    mac address;                 ///< zero where the interface has no six-byte hardware address
    unsigned mtu = 0;            ///< bytes after the link header
    unsigned mtu_v6 = 0;         ///< the same for IPv6, where routers may have said less (RFC 4861 §4.6.4)
    std::uint16_t hardware = 0;  ///< ARPHRD_ value of <net/if_arp.h>
    /// What frames begin with: ethernet for Ethernet and loopback, raw where there is no link header (tun,
    /// WireGuard, IP tunnels, PPP), linux_sll for everything else: read those in cooked mode.
    link_type type = link_type::ethernet;
    bool up = false;              ///< set up by the administrator
    bool running = false;         ///< and the carrier is there
    bool loopback = false;        ///< IFF_LOOPBACK: lo
    bool broadcast = false;       ///< has a link-layer broadcast address
    bool point_to_point = false;  ///< IFF_POINTOPOINT: one peer at the other end, as of tunnels
    bool multicast = false;       ///< IFF_MULTICAST: it can send to groups
    bool needs_neighbours =
        false;  ///< ARP or neighbour discovery finds the next hop; not so on loopback and tunnels
    // IPv6 settings of the interface that source address selection asks for (Linux ip-sysctl.rst).
    bool prefer_temporary = false;             ///< use_tempaddr >= 2
    bool use_optimistic = false;               ///< use_optimistic
    bool own_addresses_only = false;           ///< use_oif_addrs_only
    std::vector<interface_address> addresses;  ///< in the kernel's order, which decides ties between sources
};

/// The interfaces of this network namespace at one moment. A value: copy it, keep it, read it from any
/// thread.
class interface_table {
public:
    interface_table() = default;
    /// Takes the interfaces in any order.
    explicit interface_table(std::vector<kernel_interface> interfaces);

    /// By the kernel's index, or by name. nullptr when there is none. Valid as long as the table is.
    /// @{
    kernel_interface const* find(int index) const;
    kernel_interface const* find(std::string_view name) const;
    /// @}
    /// The interface that has this very address, up or not.
    kernel_interface const* find(ip_address const& own) const;
    /// lo, wherever it is in the table.
    kernel_interface const* loopback() const;
    /// The one interface, up and not loopback, that has an IPv6 link-local address; nullptr when there are
    /// none or several: then fe80:: and ff02:: destinations say nothing without an interface (RFC 4007 §6).
    kernel_interface const* only_ipv6_link() const;
    /// Scapy's conf.iface, given the interface of the default route (0: there is none): that one, else the
    /// first that is up and no loopback, else lo, else nullptr.
    kernel_interface const* default_interface(int default_route) const;

    /// By rising index.
    std::vector<kernel_interface> const& all() const { return interfaces_; }
    /// As `all()`, so that the table is a range of its interfaces.
    /// @{
    auto begin() const { return interfaces_.begin(); }
    auto end() const { return interfaces_.end(); }
    std::size_t size() const { return interfaces_.size(); }
    /// @}

private:
    std::vector<kernel_interface> interfaces_;
};

SONDE_NAMESPACE_END
