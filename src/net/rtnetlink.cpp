#include "net/rtnetlink.hpp"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_addrlabel.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace sonde::inline v0::detail {
namespace {

std::uint8_t family_of(bool v6) {
    return v6 ? AF_INET6 : AF_INET;
}

template <class Header>
Header of_family(std::uint8_t family) {
    Header h{};
    auto* bytes = reinterpret_cast<unsigned char*>(&h);
    bytes[0] = family;  // every rtnetlink header begins with it
    return h;
}

void put_address(netlink_request& to, std::uint16_t type, ip_address const& a) {
    if (a.is_v6()) {
        to.attribute(type, a.v6().octets);
    } else {
        auto v = a.v4().value;
        to.attribute(type, std::array<std::uint8_t, 4>{
                               static_cast<std::uint8_t>(v >> 24), static_cast<std::uint8_t>(v >> 16),
                               static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)});
    }
}

}  // namespace

netlink_request links_request() {
    netlink_request r(RTM_GETLINK, NLM_F_DUMP);
    r.header(of_family<ifinfomsg>(AF_UNSPEC));
    r.attribute<std::uint32_t>(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return r;
}

netlink_request addresses_request() {
    netlink_request r(RTM_GETADDR, NLM_F_DUMP);
    r.header(of_family<ifaddrmsg>(AF_UNSPEC));
    return r;
}

netlink_request address_labels_request() {
    netlink_request r(RTM_GETADDRLABEL, NLM_F_DUMP);
    r.header(of_family<ifaddrlblmsg>(AF_INET6));
    return r;
}

netlink_request routes_request(bool v6) {
    netlink_request r(RTM_GETROUTE, NLM_F_DUMP);
    r.header(of_family<rtmsg>(family_of(v6)));
    return r;
}

netlink_request rules_request(bool v6) {
    netlink_request r(RTM_GETRULE, NLM_F_DUMP);
    r.header(of_family<fib_rule_hdr>(family_of(v6)));
    return r;
}

netlink_request neighbours_request(int interface, bool v6) {
    netlink_request r(RTM_GETNEIGH, NLM_F_DUMP);
    r.header(of_family<ndmsg>(family_of(v6)));
    r.attribute<std::int32_t>(NDA_IFINDEX, interface);
    return r;
}

netlink_request route_request(ip_address const& to, int interface) {
    netlink_request r(RTM_GETROUTE);
    auto head = of_family<rtmsg>(family_of(to.is_v6()));
    head.rtm_dst_len = to.is_v6() ? 128 : 32;
    r.header(head);
    put_address(r, RTA_DST, to);
    if (interface != 0) r.attribute<std::int32_t>(RTA_OIF, interface);
    return r;
}

netlink_request neighbour_request(int interface, ip_address const& address) {
    netlink_request r(RTM_GETNEIGH);
    auto head = of_family<ndmsg>(family_of(address.is_v6()));
    head.ndm_ifindex = interface;
    r.header(head);
    put_address(r, NDA_DST, address);
    return r;
}

table_news read_news(std::span<std::byte const> notifications) {
    table_news news;
    message_cursor messages(notifications);
    while (auto m = messages.next()) {
        switch (m->type) {
            case RTM_NEWLINK:
            case RTM_DELLINK: news.links = true; break;
            case RTM_NEWADDR:
            case RTM_DELADDR: news.addresses = true; break;
            case RTM_NEWROUTE:
            case RTM_DELROUTE:
            case RTM_NEWRULE:
            case RTM_DELRULE:
            case RTM_NEWNEXTHOP:
            case RTM_DELNEXTHOP: news.routes = true; break;
            case RTM_NEWNEIGH:
            case RTM_DELNEIGH: news.neighbours = true; break;
            default: break;
        }
    }
    return news;
}

}  // namespace sonde::inline v0::detail
