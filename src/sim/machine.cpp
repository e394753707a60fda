// The interfaces, addresses and routes of the simulated machine: those of the lab's probe host.
#include "sim/world.hpp"

#include <linux/rtnetlink.h>
#include <net/if_arp.h>

namespace sonde::inline v0::detail {
namespace {

constexpr ipv4 own_v4 = "198.51.100.1", router_v4 = "198.51.100.2";
constexpr ipv6 own_v6 = "2001:db8:ffff::1", router_v6 = "2001:db8:ffff::2";
constexpr ipv6 link_local = "fe80::c6ff:fe33:6401";

interface_address address(ip_address const& a, unsigned length, address_scope scope) {
    interface_address own;
    own.address = own.network = a;
    own.prefix_length = static_cast<std::uint8_t>(length);
    own.scope = scope;
    return own;
}

route_entry entry(ip_address const& prefix, unsigned length, int interface, route_kind kind,
                  std::optional<ip_address> gateway = {}) {
    route_entry e;
    e.prefix = prefix;
    e.prefix_length = static_cast<std::uint8_t>(length);
    e.interface = interface;
    e.kind = kind;
    e.gateway = gateway;
    e.table = kind == route_kind::unicast ? RT_TABLE_MAIN : RT_TABLE_LOCAL;
    if (kind == route_kind::local) e.scope = address_scope::host;
    if (kind == route_kind::broadcast || (kind == route_kind::unicast && !gateway))
        e.scope = address_scope::link;
    return e;
}

kernel_interface loopback_interface() {
    kernel_interface lo;
    lo.index = world::loopback;
    lo.name = "lo";
    lo.mtu = 65536;
    lo.hardware = ARPHRD_LOOPBACK;
    lo.up = lo.running = lo.loopback = true;
    lo.addresses = {address(ipv4("127.0.0.1"), 8, address_scope::host),
                    address(ipv6("::1"), 128, address_scope::host)};
    return lo;
}

kernel_interface ethernet_interface() {
    kernel_interface eth;
    eth.index = world::ethernet;
    eth.name = "eth1";
    eth.address = mac("02:00:c6:33:64:01");
    eth.mtu = 1500;
    eth.hardware = ARPHRD_ETHER;
    eth.up = eth.running = eth.broadcast = eth.multicast = eth.needs_neighbours = true;
    eth.addresses = {address(own_v4, 24, address_scope::universe),
                     address(own_v6, 64, address_scope::universe),
                     address(link_local, 64, address_scope::link)};
    eth.addresses.front().broadcast = ipv4("198.51.100.255");
    return eth;
}

}  // namespace

table_contents lab_machine() {
    constexpr int lo = world::loopback, eth = world::ethernet;
    using enum route_kind;
    table_contents c;
    c.interfaces = {loopback_interface(), ethernet_interface()};
    c.routes = {entry(ipv4("127.0.0.0"), 8, lo, local),
                entry(own_v4, 32, eth, local),
                entry(ipv4("198.51.100.255"), 32, eth, broadcast),
                entry(ipv4("198.51.100.0"), 24, eth, unicast),
                entry(ipv4(), 0, eth, unicast, router_v4),
                entry(ipv6("::1"), 128, lo, local),
                entry(own_v6, 128, eth, local),
                entry(link_local, 128, eth, local),
                entry(ipv6("ff00::"), 8, eth, multicast),
                entry(ipv6("2001:db8:ffff::"), 64, eth, unicast),
                entry(ipv6("fe80::"), 64, eth, unicast),
                entry(ipv6(), 0, eth, unicast, router_v6)};
    return c;
}

link_info link_of(kernel_interface const& i) {
    link_info info;
    info.name = i.name;
    info.index = i.index;
    info.type = i.type;
    info.mtu = i.mtu;
    info.address = i.address;
    info.loopback = i.loopback;
    info.up = i.up;
    return info;
}

}  // namespace sonde::inline v0::detail
