// Reads links, addresses, address labels and neighbours.
#include "net/rtnetlink.hpp"
#include "net/rtnetlink_read.hpp"

#include <linux/if_addr.h>
#include <linux/if_addrlabel.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

namespace sonde::inline v0::detail {
namespace {

link_type link_type_of(std::uint16_t hardware) {
    switch (hardware) {
        case ARPHRD_ETHER:
        case ARPHRD_LOOPBACK: return link_type::ethernet;
        case ARPHRD_NONE:
        case ARPHRD_RAWIP:
        case ARPHRD_PPP:
        case ARPHRD_TUNNEL:
        case ARPHRD_TUNNEL6:
        case ARPHRD_SIT: return link_type::raw;
        default: return link_type::linux_sll;
    }
}

/// IFLA_INET6_CONF: an array of 32-bit settings, shorter on older kernels.
void read_ipv6_settings(std::span<std::byte const> settings, kernel_interface& i) {
    auto setting = [&](std::size_t which) {
        if (settings.size() / 4 <= which) return std::int32_t{0};
        return read_as<std::int32_t>(settings.subspan(which * 4)).value_or(0);
    };
    i.mtu_v6 = static_cast<unsigned>(std::max(setting(DEVCONF_MTU6), 0));
    i.prefer_temporary = setting(DEVCONF_USE_TEMPADDR) >= 2;
    i.use_optimistic = setting(DEVCONF_USE_OPTIMISTIC) != 0;
    i.own_addresses_only = setting(DEVCONF_USE_OIF_ADDRS_ONLY) != 0;
}

/// IFLA_AF_SPEC holds one nest for each address family.
void read_family_settings(std::span<std::byte const> families, kernel_interface& i) {
    attribute_cursor family(families);
    while (auto f = family.next()) {
        if (f->type != AF_INET6) continue;
        attribute_cursor inside(f->value);
        while (auto a = inside.next())
            if (a->type == IFLA_INET6_CONF) read_ipv6_settings(a->value, i);
    }
}

}  // namespace

std::optional<kernel_interface> read_link(netlink_message const& m) {
    auto head = header_of<ifinfomsg>(m, RTM_NEWLINK);
    if (!head || head->ifi_family != AF_UNSPEC) return {};  // bridges tell of their ports in AF_BRIDGE
    kernel_interface i;
    i.index = head->ifi_index;
    i.hardware = head->ifi_type;
    i.type = link_type_of(head->ifi_type);
    auto has = [&](unsigned flag) { return (head->ifi_flags & flag) != 0; };
    i.up = has(IFF_UP);
    i.running = has(IFF_RUNNING);
    i.loopback = has(IFF_LOOPBACK);
    i.broadcast = has(IFF_BROADCAST);
    i.point_to_point = has(IFF_POINTOPOINT);
    i.multicast = has(IFF_MULTICAST);
    i.needs_neighbours = !has(IFF_NOARP | IFF_LOOPBACK) && i.type != link_type::raw;
    auto attributes = m.attributes(sizeof(ifinfomsg));
    while (auto a = attributes.next()) {
        if (a->type == IFLA_IFNAME) {
            auto* text = reinterpret_cast<char const*>(a->value.data());
            i.name.assign(text, std::find(text, text + a->value.size(), '\0'));
        }
        if (a->type == IFLA_ADDRESS) i.address = hardware_from(a->value).value_or(mac());
        if (a->type == IFLA_MTU) i.mtu = a->u32();
        if (a->type == IFLA_AF_SPEC) read_family_settings(a->value, i);
    }
    if (i.index <= 0 || i.name.empty()) return {};
    return i;
}

std::optional<owned_address> read_address(netlink_message const& m) {
    auto head = header_of<ifaddrmsg>(m, RTM_NEWADDR);
    if (!head || head->ifa_index > 0x7fffffff) return {};
    std::optional<ip_address> local, network, broadcast;
    std::uint32_t flags = head->ifa_flags;
    auto attributes = m.attributes(sizeof(ifaddrmsg));
    while (auto a = attributes.next()) {
        if (a->type == IFA_LOCAL) local = address_from(a->value, head->ifa_family);
        if (a->type == IFA_ADDRESS) network = address_from(a->value, head->ifa_family);
        if (a->type == IFA_BROADCAST) broadcast = address_from(a->value, head->ifa_family);
        if (a->type == IFA_FLAGS) flags = a->u32(flags);
    }
    if (!local) local = network;  // IPv6 says IFA_LOCAL only where there is a peer
    if (!network) network = local;
    if (!local) return {};
    interface_address own;
    own.address = *local;
    own.network = *network;
    own.prefix_length = prefix_length_from(head->ifa_prefixlen, head->ifa_family);
    own.scope = address_scope{head->ifa_scope};
    if (broadcast && broadcast->is_v4()) own.broadcast = broadcast->v4();
    bool v6 = local->is_v6();
    own.secondary = !v6 && (flags & IFA_F_SECONDARY);
    own.temporary = v6 && (flags & IFA_F_TEMPORARY);
    own.deprecated = (flags & IFA_F_DEPRECATED) != 0;
    // Linux gives IPv4 addresses none of these.
    own.tentative = v6 && (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
    own.optimistic = v6 && (flags & IFA_F_OPTIMISTIC);
    own.home = v6 && (flags & IFA_F_HOMEADDRESS);
    return owned_address{static_cast<int>(head->ifa_index), own};
}

std::optional<address_label> read_address_label(netlink_message const& m) {
    auto head = header_of<ifaddrlblmsg>(m, RTM_NEWADDRLABEL);
    if (!head || head->ifal_family != AF_INET6) return {};
    address_label row;
    row.prefix_length = prefix_length_from(head->ifal_prefixlen, AF_INET6);
    row.interface = static_cast<int>(head->ifal_index & 0x7fffffff);
    bool complete = false;
    auto attributes = m.attributes(sizeof(ifaddrlblmsg));
    while (auto a = attributes.next()) {
        if (a->type == IFAL_ADDRESS)
            if (auto prefix = address_from(a->value, AF_INET6)) row.prefix = prefix->v6();
        if (a->type == IFAL_LABEL) {
            row.label = a->u32();
            complete = a->value.size() >= 4;
        }
    }
    return complete ? std::optional(row) : std::nullopt;
}

std::optional<neighbour_entry> read_neighbour(netlink_message const& m) {
    auto head = header_of<ndmsg>(m, RTM_NEWNEIGH);
    if (!head) return {};
    constexpr unsigned sendable =
        NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;
    neighbour_entry found{head->ndm_ifindex, {}, {}, (head->ndm_state & sendable) != 0};
    std::optional<ip_address> address;
    auto attributes = m.attributes(sizeof(ndmsg));
    while (auto a = attributes.next()) {
        if (a->type == NDA_DST) address = address_from(a->value, head->ndm_family);
        if (a->type == NDA_LLADDR) found.hardware = hardware_from(a->value);
    }
    if (!address) return {};
    found.address = *address;
    return found;
}

}  // namespace sonde::inline v0::detail
