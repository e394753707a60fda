#pragma once

#include "net/netlink_message.hpp"
#include "net/prefix_table.hpp"
#include "net/source_address.hpp"

#include <sonde/net/interfaces.hpp>

#include <optional>
#include <span>

/// rtnetlink(7) in sonde's terms: what to ask, and what the answers mean. Pure. Every reader takes one
/// message and gives nothing when it is of another kind, too short, or lacks what makes it useful.
namespace sonde::inline v0::detail {

netlink_request links_request();
netlink_request addresses_request();
netlink_request address_labels_request();
netlink_request routes_request(bool v6);
netlink_request rules_request(bool v6);
netlink_request neighbours_request(int interface, bool v6);
/// The way to one destination; interface 0: any.
netlink_request route_request(ip_address const& to, int interface);
netlink_request neighbour_request(int interface, ip_address const& address);

/// RTM_NEWLINK: everything but the addresses.
std::optional<kernel_interface> read_link(netlink_message const& m);

/// RTM_NEWADDR.
struct owned_address {
    int interface;
    interface_address address;
};
std::optional<owned_address> read_address(netlink_message const& m);

/// RTM_NEWADDRLABEL: a row of the IPv6 policy table.
std::optional<address_label> read_address_label(netlink_message const& m);

/// RTM_NEWROUTE, of a dump or as the answer to route_request(). Nothing also for entries that no lookup may
/// find: routes for a TOS, dead next hops, expired ones, and the kernel's own "no route" entry.
std::optional<route_entry> read_route(netlink_message const& m);

/// RTM_NEWRULE dumps of one family: true when they hold exactly the rules that every host starts with (local,
/// main and, in IPv4, default), so that the three tables alone decide.
bool are_standard_rules(std::span<std::byte const> dump, bool v6);

/// RTM_NEWNEIGH.
struct neighbour_entry {
    int interface;
    ip_address address;
    std::optional<mac> hardware;  ///< nothing where there is none, or none of six bytes
    bool usable;  ///< REACHABLE, STALE, DELAY, PROBE, PERMANENT or NOARP: the kernel would send to it
};
std::optional<neighbour_entry> read_neighbour(netlink_message const& m);

/// What notifications say has changed.
struct table_news {
    bool links = false, addresses = false, routes = false, neighbours = false;
};
table_news read_news(std::span<std::byte const> notifications);

}  // namespace sonde::inline v0::detail
