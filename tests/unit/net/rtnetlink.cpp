#include "net/rtnetlink.hpp"

#include "messages.hpp"
#include "support/catch.hpp"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_addrlabel.h>
#include <linux/if_arp.h>
#include <linux/ipv6.h>
#include <linux/neighbour.h>
#include <sys/socket.h>

#include <random>

using namespace sonde;
using namespace sonde::detail;
using messages::attribute;
using messages::bytes;
using messages::operator+;
using messages::first;
using messages::octets;
using messages::quad;

namespace {

constexpr octets db8{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

bytes link_message(std::uint16_t hardware = ARPHRD_ETHER,
                   unsigned flags = IFF_UP | IFF_RUNNING | IFF_BROADCAST) {
    ifinfomsg head{};
    head.ifi_type = hardware;
    head.ifi_index = 3;
    head.ifi_flags = flags;
    std::array<std::int32_t, DEVCONF_USE_OIF_ADDRS_ONLY + 1> settings{};
    settings[DEVCONF_MTU6] = 1280;
    settings[DEVCONF_USE_TEMPADDR] = 2;
    settings[DEVCONF_USE_OIF_ADDRS_ONLY] = 1;
    return messages::message(RTM_NEWLINK, head)
        .text(IFLA_IFNAME, "eth0")
        .with(IFLA_ADDRESS, std::array<std::uint8_t, 6>{2, 0, 0, 0, 0, 9})
        .with<std::uint32_t>(IFLA_MTU, 1500)
        .nested(IFLA_AF_SPEC,
                attribute(AF_INET, bytes()) + attribute(AF_INET6, attribute(IFLA_INET6_CONF, settings)));
}

bytes address_message() {
    ifaddrmsg head{};
    head.ifa_family = AF_INET;
    head.ifa_prefixlen = 24;
    head.ifa_index = 3;
    return messages::message(RTM_NEWADDR, head)
        .with(IFA_ADDRESS, quad{198, 18, 0, 1})
        .with(IFA_LOCAL, quad{198, 18, 0, 2})
        .with(IFA_BROADCAST, quad{198, 18, 0, 255})
        .with<std::uint32_t>(IFA_FLAGS, IFA_F_PERMANENT);
}

bytes address_message_v6(std::uint32_t flags, std::uint8_t header_flags = 0) {
    ifaddrmsg head{};
    head.ifa_family = AF_INET6;
    head.ifa_prefixlen = 64;
    head.ifa_flags = header_flags;
    head.ifa_scope = RT_SCOPE_LINK;
    head.ifa_index = 3;
    messages::message m(RTM_NEWADDR, head);
    m.with(IFA_ADDRESS, db8);
    if (flags) m.with(IFA_FLAGS, flags);
    return m;
}

rtmsg route_head(std::uint8_t family, std::uint8_t type = RTN_UNICAST) {
    rtmsg head{};
    head.rtm_family = family;
    head.rtm_dst_len = 24;
    head.rtm_table = RT_TABLE_MAIN;
    head.rtm_scope = RT_SCOPE_LINK;
    head.rtm_type = type;
    return head;
}

bytes route_message() {
    return messages::message(RTM_NEWROUTE, route_head(AF_INET))
        .with(RTA_DST, quad{198, 18, 32, 0})
        .with(RTA_GATEWAY, quad{198, 18, 0, 1})
        .with(RTA_PREFSRC, quad{198, 18, 0, 2})
        .with<std::uint32_t>(RTA_OIF, 3)
        .with<std::uint32_t>(RTA_PRIORITY, 100)
        .nested(RTA_METRICS, attribute(RTAX_HOPLIMIT, 64U) + attribute(RTAX_MTU, 1400U));
}

bytes rule_message(int family, std::uint32_t table, std::uint32_t priority) {
    fib_rule_hdr head{};
    head.family = static_cast<std::uint8_t>(family);
    head.table = static_cast<std::uint8_t>(table);
    head.action = FR_ACT_TO_TBL;
    messages::message m(RTM_NEWRULE, head);
    m.with(FRA_TABLE, table)
        .with<std::uint32_t>(FRA_SUPPRESS_PREFIXLEN, 0xffffffff)
        .with<std::uint8_t>(FRA_PROTOCOL, 2);
    if (priority) m.with(FRA_PRIORITY, priority);
    return m;
}

bytes standard_rules(int family) {
    return rule_message(family, RT_TABLE_LOCAL, 0) + rule_message(family, RT_TABLE_MAIN, 32766) +
           (family == AF_INET ? rule_message(family, RT_TABLE_DEFAULT, 32767) : bytes());
}

bytes neighbour_message(std::uint16_t state) {
    ndmsg head{};
    head.ndm_family = AF_INET;
    head.ndm_ifindex = 3;
    head.ndm_state = state;
    return messages::message(RTM_NEWNEIGH, head)
        .with(NDA_DST, quad{198, 18, 0, 1})
        .with(NDA_LLADDR, std::array<std::uint8_t, 6>{2, 0, 0, 0, 0, 1});
}

bytes label_message() {
    ifaddrlblmsg head{};
    head.ifal_family = AF_INET6;
    head.ifal_prefixlen = 32;
    head.ifal_index = 3;
    return messages::message(RTM_NEWADDRLABEL, head)
        .with(IFAL_ADDRESS, db8)
        .with<std::uint32_t>(IFAL_LABEL, 13);
}

/// Everything that reads messages, on one run of bytes.
void read_all(bytes const& run) {
    message_cursor cursor(run);
    while (auto m = cursor.next()) {
        if (auto i = read_link(*m)) CHECK(i->index > 0);
        if (auto a = read_address(*m)) CHECK(a->address.prefix_length <= 128);
        if (auto e = read_route(*m)) CHECK(e->prefix_length <= (e->prefix.is_v6() ? 128 : 32));
        if (auto row = read_address_label(*m)) CHECK(row->prefix_length <= 128);
        read_neighbour(*m);
    }
    are_standard_rules(run, false);
    are_standard_rules(run, true);
    read_news(run);
}

std::vector<bytes> const& samples() {
    static std::vector<bytes> const all{
        link_message(),  address_message(),       address_message_v6(IFA_F_TENTATIVE),
        route_message(), standard_rules(AF_INET), neighbour_message(NUD_STALE),
        label_message()};
    return all;
}

}  // namespace

TEST_CASE("a link is read with its flags, its hardware address and its IPv6 settings", "[net][rtnetlink]") {
    auto i = read_link(first(link_message()));
    REQUIRE(i);
    CHECK(i->index == 3);
    CHECK(i->name == "eth0");
    CHECK(i->address == mac("02:00:00:00:00:09"));
    CHECK(i->mtu == 1500);
    CHECK(i->mtu_v6 == 1280);
    CHECK((i->up && i->running && i->broadcast && i->needs_neighbours));
    CHECK_FALSE((i->loopback || i->point_to_point || i->multicast));
    CHECK((i->prefer_temporary && i->own_addresses_only));
    CHECK_FALSE(i->use_optimistic);
}

TEST_CASE("the hardware type says what frames begin with", "[net][rtnetlink]") {
    auto type = [](std::uint16_t hardware) { return read_link(first(link_message(hardware)))->type; };
    CHECK(type(ARPHRD_ETHER) == link_type::ethernet);
    CHECK(type(ARPHRD_LOOPBACK) == link_type::ethernet);
    CHECK(type(ARPHRD_NONE) == link_type::raw);
    CHECK(type(ARPHRD_PPP) == link_type::raw);
    CHECK(type(ARPHRD_TUNNEL) == link_type::raw);
    CHECK(type(ARPHRD_IEEE80211_RADIOTAP) == link_type::linux_sll);
    CHECK(type(ARPHRD_INFINIBAND) == link_type::linux_sll);
    CHECK_FALSE(read_link(first(link_message(ARPHRD_NONE)))->needs_neighbours);
    CHECK_FALSE(read_link(first(link_message(ARPHRD_ETHER, IFF_UP | IFF_NOARP)))->needs_neighbours);
}

TEST_CASE("links of bridges' own kind, without name or index, are no interfaces", "[net][rtnetlink]") {
    ifinfomsg head{};
    head.ifi_index = 3;
    CHECK_FALSE(read_link(first(messages::message(RTM_NEWLINK, head))));
    CHECK(read_link(first(messages::message(RTM_NEWLINK, head).text(IFLA_IFNAME, "a"))));
    CHECK_FALSE(read_link(first(messages::message(RTM_DELLINK, head).text(IFLA_IFNAME, "a"))));
    head.ifi_family = AF_BRIDGE;
    CHECK_FALSE(read_link(first(messages::message(RTM_NEWLINK, head).text(IFLA_IFNAME, "a"))));
    head.ifi_family = AF_UNSPEC;
    head.ifi_index = -1;
    CHECK_FALSE(read_link(first(messages::message(RTM_NEWLINK, head).text(IFLA_IFNAME, "a"))));
}

TEST_CASE("an address is read with its peer and broadcast address", "[net][rtnetlink]") {
    auto a = read_address(first(address_message()));
    REQUIRE(a);
    CHECK(a->interface == 3);
    CHECK(a->address.address == ip_address(ipv4("198.18.0.2")));
    CHECK(a->address.network == ip_address(ipv4("198.18.0.1")));
    CHECK(a->address.prefix_length == 24);
    CHECK(a->address.broadcast == ipv4("198.18.0.255"));
    CHECK_FALSE(a->address.secondary);
}

TEST_CASE("address flags are those of the attribute where there is one, else of the header",
          "[net][rtnetlink]") {
    auto flags = [](std::uint32_t wide, std::uint8_t narrow) {
        return read_address(first(address_message_v6(wide, narrow)))->address;
    };
    CHECK(flags(0, IFA_F_TENTATIVE).tentative);
    CHECK_FALSE(flags(IFA_F_PERMANENT, IFA_F_TENTATIVE).tentative);
    CHECK(flags(IFA_F_DEPRECATED, 0).deprecated);
    CHECK(flags(IFA_F_DADFAILED, 0).tentative);
    CHECK(flags(IFA_F_OPTIMISTIC, 0).optimistic);
    CHECK(flags(IFA_F_HOMEADDRESS, 0).home);
    CHECK(flags(IFA_F_TEMPORARY, 0).temporary);
    CHECK_FALSE(flags(IFA_F_TEMPORARY, 0).secondary);  // the same bit, another meaning
    CHECK(flags(0, 0).scope == address_scope::link);
    CHECK(flags(0, 0).address == ip_address(ipv6("2001:db8::1")));
    CHECK(flags(0, 0).network == ip_address(ipv6("2001:db8::1")));
}

TEST_CASE("an IPv4 address may be deprecated; the flags of IPv6 alone say nothing of it",
          "[net][rtnetlink]") {
    auto flags = [](std::uint32_t wide) {
        ifaddrmsg head{};
        head.ifa_family = AF_INET;
        head.ifa_index = 3;
        messages::message m(RTM_NEWADDR, head);
        m.with(IFA_LOCAL, quad{198, 18, 0, 2}).with(IFA_FLAGS, wide);
        return read_address(first(m))->address;
    };
    CHECK(flags(IFA_F_DEPRECATED).deprecated);  // `ip address add … preferred_lft 0`
    CHECK_FALSE(flags(IFA_F_PERMANENT).deprecated);
    CHECK_FALSE(flags(IFA_F_TENTATIVE).tentative);
    CHECK_FALSE(flags(IFA_F_DADFAILED).tentative);
    CHECK_FALSE(flags(IFA_F_OPTIMISTIC).optimistic);
    CHECK_FALSE(flags(IFA_F_HOMEADDRESS).home);
    CHECK(flags(IFA_F_SECONDARY).secondary);
    CHECK_FALSE(flags(IFA_F_SECONDARY).temporary);  // the same bit, another meaning
}

TEST_CASE("an address message without an address is none", "[net][rtnetlink]") {
    ifaddrmsg head{};
    head.ifa_family = AF_INET;
    CHECK_FALSE(read_address(first(messages::message(RTM_NEWADDR, head))));
    CHECK_FALSE(read_address(first(messages::message(RTM_NEWADDR, head).bytes_of(IFA_LOCAL, "abc", 3))));
}

TEST_CASE("a route is read with everything that decides", "[net][rtnetlink]") {
    auto e = read_route(first(route_message()));
    REQUIRE(e);
    CHECK(e->prefix == ip_address(ipv4("198.18.32.0")));
    CHECK(e->prefix_length == 24);
    CHECK(e->table == RT_TABLE_MAIN);
    CHECK(e->kind == route_kind::unicast);
    CHECK(e->scope == address_scope::link);
    CHECK(e->metric == 100);
    CHECK(e->interface == 3);
    CHECK(e->gateway == ip_address(ipv4("198.18.0.1")));
    CHECK(e->source == ip_address(ipv4("198.18.0.2")));
    CHECK(e->mtu == 1400);
    CHECK_FALSE((e->throws || e->needs_kernel || e->from_source || e->encapsulated));
}

TEST_CASE("every route type has its meaning", "[net][rtnetlink]") {
    auto read = [](std::uint8_t type) {
        return *read_route(first(
            messages::message(RTM_NEWROUTE, route_head(AF_INET, type)).with<std::uint32_t>(RTA_OIF, 3)));
    };
    CHECK(read(RTN_LOCAL).kind == route_kind::local);
    CHECK(read(RTN_ANYCAST).kind == route_kind::local);
    CHECK(read(RTN_BROADCAST).kind == route_kind::broadcast);
    CHECK(read(RTN_MULTICAST).kind == route_kind::multicast);
    CHECK(read(RTN_BLACKHOLE).kind == route_kind::blackhole);
    CHECK(read(RTN_UNREACHABLE).kind == route_kind::unreachable);
    CHECK(read(RTN_PROHIBIT).kind == route_kind::prohibit);
    CHECK(read(RTN_THROW).throws);
    CHECK(read(RTN_NAT).needs_kernel);
    CHECK(read(RTN_XRESOLVE).needs_kernel);
    CHECK(read(RTN_BLACKHOLE).refuses());
    CHECK(read(RTN_THROW).refuses());
    CHECK_FALSE(read(RTN_MULTICAST).refuses());
}

TEST_CASE("routes that no lookup may find are left out", "[net][rtnetlink]") {
    auto head = route_head(AF_INET);
    auto read = [](rtmsg const& h) {
        return read_route(first(messages::message(RTM_NEWROUTE, h).with<std::uint32_t>(RTA_OIF, 3)));
    };
    CHECK(read(head));
    head.rtm_flags = RTNH_F_DEAD;
    CHECK_FALSE(read(head));
    head = route_head(AF_INET);
    head.rtm_tos = 0x10;
    CHECK_FALSE(read(head));
    head = route_head(AF_MPLS);
    CHECK_FALSE(read(head));

    messages::message none(RTM_NEWROUTE, route_head(AF_INET6, RTN_UNREACHABLE));
    none.with<std::uint32_t>(RTA_PRIORITY, 0xffffffff);
    CHECK_FALSE(read_route(first(none)));
    auto expiring = [](std::int32_t left) {
        rta_cacheinfo info{};
        info.rta_expires = left;
        return read_route(first(messages::message(RTM_NEWROUTE, route_head(AF_INET6))
                                    .with<std::uint32_t>(RTA_OIF, 3)
                                    .with(RTA_CACHEINFO, info)));
    };
    CHECK(expiring(0)->expires == 0);
    CHECK(expiring(30000)->expires == 300);
    CHECK(expiring(5)->expires == 1);
    CHECK_FALSE(expiring(-1));
}

TEST_CASE("routes with several next hops, or told by number, are for the kernel", "[net][rtnetlink]") {
    rtnexthop hop{};
    hop.rtnh_len = sizeof(hop);
    hop.rtnh_ifindex = 5;
    auto many =
        read_route(first(messages::message(RTM_NEWROUTE, route_head(AF_INET)).with(RTA_MULTIPATH, hop)));
    REQUIRE(many);
    CHECK(many->needs_kernel);
    CHECK(many->interface == 5);
    CHECK(read_route(
              first(messages::message(RTM_NEWROUTE, route_head(AF_INET)).with<std::uint32_t>(RTA_NH_ID, 7)))
              ->needs_kernel);
    auto blackhole = messages::message(RTM_NEWROUTE, route_head(AF_INET, RTN_BLACKHOLE));
    CHECK_FALSE(read_route(first(blackhole))->needs_kernel);
}

TEST_CASE("table numbers over 255, gateways of the other family and encapsulation are read",
          "[net][rtnetlink]") {
    struct {
        std::uint16_t family = AF_INET6;
        octets address = db8;
    } via;
    auto e = read_route(first(messages::message(RTM_NEWROUTE, route_head(AF_INET))
                                  .with<std::uint32_t>(RTA_TABLE, 1000)
                                  .with<std::uint32_t>(RTA_OIF, 3)
                                  .with<std::uint16_t>(RTA_ENCAP_TYPE, 1)
                                  .bytes_of(RTA_VIA, &via, 18)));
    REQUIRE(e);
    CHECK(e->table == 1000);
    CHECK(e->gateway == ip_address(ipv6("2001:db8::1")));
    CHECK(e->encapsulated);
    auto head = route_head(AF_INET6);
    head.rtm_src_len = 64;
    CHECK(read_route(first(messages::message(RTM_NEWROUTE, head)))->from_source);
}

TEST_CASE("only the rules that every host starts with are standard", "[net][rtnetlink]") {
    CHECK(are_standard_rules(standard_rules(AF_INET), false));
    CHECK(are_standard_rules(standard_rules(AF_INET6), true));
    CHECK(are_standard_rules(standard_rules(AF_INET) + standard_rules(AF_INET6), false));
    CHECK_FALSE(are_standard_rules(standard_rules(AF_INET6), false));
    CHECK_FALSE(are_standard_rules({}, false));
    CHECK_FALSE(are_standard_rules(standard_rules(AF_INET) + rule_message(AF_INET, 100, 100), false));
    CHECK_FALSE(are_standard_rules(rule_message(AF_INET, RT_TABLE_MAIN, 0) +
                                       rule_message(AF_INET, RT_TABLE_LOCAL, 32766) +
                                       rule_message(AF_INET, RT_TABLE_DEFAULT, 32767),
                                   false));
    auto cut = standard_rules(AF_INET);
    cut.pop_back();
    CHECK_FALSE(are_standard_rules(cut, false));
}

TEST_CASE("a rule that says more than a table is not standard", "[net][rtnetlink]") {
    auto with = [](auto change) {
        fib_rule_hdr head{};
        head.family = AF_INET;
        head.table = RT_TABLE_LOCAL;
        head.action = FR_ACT_TO_TBL;
        messages::message m(RTM_NEWRULE, head);
        change(head, m);
        return are_standard_rules(bytes(m) + rule_message(AF_INET, RT_TABLE_MAIN, 32766) +
                                      rule_message(AF_INET, RT_TABLE_DEFAULT, 32767),
                                  false);
    };
    using rule = messages::message<fib_rule_hdr>;
    CHECK(with([](auto&, rule&) {}));
    CHECK_FALSE(with([](auto&, rule& m) { m.template with<std::uint32_t>(FRA_FWMARK, 1); }));
    CHECK_FALSE(with([](auto&, rule& m) { m.text(FRA_IIFNAME, "eth0"); }));
    CHECK_FALSE(with([](auto&, rule& m) { m.template with<std::uint32_t>(FRA_SUPPRESS_PREFIXLEN, 0); }));
    CHECK_FALSE(with([](auto&, rule& m) { m.template with<std::uint8_t>(FRA_L3MDEV, 1); }));
    CHECK_FALSE(with([](fib_rule_hdr& h, rule& m) {
        h.flags = FIB_RULE_INVERT;
        m = rule(RTM_NEWRULE, h);
    }));
    CHECK_FALSE(with([](fib_rule_hdr& h, rule& m) {
        h.src_len = 8;
        m = rule(RTM_NEWRULE, h);
    }));
    CHECK_FALSE(with([](fib_rule_hdr& h, rule& m) {
        h.action = FR_ACT_BLACKHOLE;
        m = rule(RTM_NEWRULE, h);
    }));
}

TEST_CASE("a neighbour is usable in the states in which the kernel sends to it", "[net][rtnetlink]") {
    auto usable = [](int state) {
        return read_neighbour(first(neighbour_message(static_cast<std::uint16_t>(state))))->usable;
    };
    for (int state : {NUD_REACHABLE, NUD_STALE, NUD_DELAY, NUD_PROBE, NUD_PERMANENT, NUD_NOARP})
        CHECK(usable(state));
    for (int state : {NUD_NONE, NUD_INCOMPLETE, NUD_FAILED}) CHECK_FALSE(usable(state));
    auto n = read_neighbour(first(neighbour_message(NUD_STALE)));
    CHECK(n->interface == 3);
    CHECK(n->address == ip_address(ipv4("198.18.0.1")));
    CHECK(n->hardware == mac("02:00:00:00:00:01"));
    ndmsg head{};
    head.ndm_family = AF_INET;
    CHECK_FALSE(read_neighbour(first(messages::message(RTM_NEWNEIGH, head))));
    auto infiniband =
        messages::message(RTM_NEWNEIGH, head).with(NDA_DST, quad{1, 2, 3, 4}).with(NDA_LLADDR, octets{});
    CHECK_FALSE(read_neighbour(first(infiniband))->hardware);
}

TEST_CASE("an address label is read", "[net][rtnetlink]") {
    auto row = read_address_label(first(label_message()));
    REQUIRE(row);
    CHECK(row->prefix == ipv6("2001:db8::1"));
    CHECK(row->prefix_length == 32);
    CHECK(row->interface == 3);
    CHECK(row->label == 13);
}

TEST_CASE("notifications are sorted by what they are about", "[net][rtnetlink]") {
    auto news = [](std::uint16_t type) { return read_news(bytes(messages::message(type, rtmsg{}))); };
    CHECK((news(RTM_NEWLINK).links && news(RTM_DELLINK).links));
    CHECK((news(RTM_NEWADDR).addresses && news(RTM_DELADDR).addresses));
    CHECK((news(RTM_NEWROUTE).routes && news(RTM_DELROUTE).routes));
    CHECK((news(RTM_NEWRULE).routes && news(RTM_DELRULE).routes));
    CHECK((news(RTM_NEWNEXTHOP).routes && news(RTM_DELNEXTHOP).routes));
    CHECK((news(RTM_NEWNEIGH).neighbours && news(RTM_DELNEIGH).neighbours));
    CHECK_FALSE((news(RTM_NEWNEIGH).routes || news(RTM_NEWROUTE).links || news(RTM_NEWQDISC).links));
}

TEST_CASE("messages cut at any byte are read without harm", "[net][rtnetlink]") {
    for (auto const& whole : samples()) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            read_all(cut);  // ends inside: the message is damaged
            if (size < sizeof(nlmsghdr)) continue;
            auto said = static_cast<std::uint32_t>(size);
            std::memcpy(cut.data(), &said, sizeof(said));
            read_all(cut);  // ends where it says: an attribute, or the fixed header, is damaged
        }
    }
}

TEST_CASE("attribute lengths that lie are read without harm", "[net][rtnetlink]") {
    for (auto const& whole : samples()) {
        for (std::size_t at = sizeof(nlmsghdr); at + 1 < whole.size(); at += 2) {
            for (int length : {0, 1, 2, 3, 4, 5, 7, 8, 255, 0xffff}) {
                auto changed = whole;
                changed[at] = static_cast<std::byte>(length);
                changed[at + 1] = static_cast<std::byte>(length >> 8);
                read_all(changed);
            }
        }
    }
}

TEST_CASE("messages with random damage are read without harm", "[net][rtnetlink]") {
    std::mt19937 random(7);
    for (int round = 0; round < 20000; ++round) {
        auto changed = samples()[random() % samples().size()];
        for (auto count = 1 + random() % 8; count > 0; --count)
            changed[random() % changed.size()] = static_cast<std::byte>(random());
        changed.resize(changed.size() - random() % 4);
        read_all(changed);
    }
}
