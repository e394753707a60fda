#include "net/route_table.hpp"

#include "support/catch.hpp"

#include <linux/rtnetlink.h>

#include <cstdint>
#include <random>

using namespace sonde;
using namespace sonde::detail;

namespace {

enum interfaces : int { lo = 1, eth1 = 2, eth2 = 3, down = 4 };

kernel_interface made(int index, char const* name, ip_address const& address, unsigned length) {
    kernel_interface i;
    i.index = index;
    i.name = name;
    i.up = true;
    i.mtu = 1500;
    i.loopback = index == lo;
    interface_address own;
    own.address = own.network = address;
    own.prefix_length = static_cast<std::uint8_t>(length);
    own.scope = i.loopback ? address_scope::host : address_scope::universe;
    i.addresses.push_back(own);
    return i;
}

struct more {
    std::uint32_t table = RT_TABLE_MAIN;
    std::uint32_t metric = 0;
    route_kind kind = route_kind::unicast;
    std::optional<ip_address> gateway{};
    bool throws = false, needs_kernel = false;
};

route_entry entry(ip_address const& prefix, unsigned length, int interface, more m = {}) {
    route_entry e;
    e.prefix = prefix;
    e.prefix_length = static_cast<std::uint8_t>(length);
    e.interface = interface;
    e.table = m.table;
    e.metric = m.metric;
    e.kind = m.kind;
    e.gateway = m.gateway;
    e.throws = m.throws;
    e.needs_kernel = m.needs_kernel;
    return e;
}

ip_address const gateway1 = ipv4("198.18.0.1"), gateway2 = ipv4("198.18.1.1");
ip_address const gateway6 = ipv6("2001:db8::1"), other6 = ipv6("2001:db8:0:1::1");

/// Two interfaces with one subnet each, and `routes`.
route_table host(std::vector<route_entry> routes) {
    table_contents c;
    c.interfaces = {made(lo, "lo", ipv4("127.0.0.1"), 8), made(eth1, "eth1", ipv4("198.18.0.2"), 24),
                    made(eth2, "eth2", ipv4("198.18.1.2"), 24), made(down, "down", ipv4("198.18.2.2"), 24)};
    c.interfaces[down - 1].up = false;
    c.routes = std::move(routes);
    return route_table(std::move(c));
}

/// "ask", an error's text, or the way.
std::string say(route_table::answer const& a) {
    if (!a) return "ask the kernel";
    if (!*a) return (*a).error().message().substr(0, (*a).error().message().find(':'));
    auto const& r = **a;
    static char const* const kinds[]{"",          "local ",      "broadcast ", "multicast ",
                                     "blackhole", "unreachable", "prohibit"};
    std::string text = kinds[static_cast<std::size_t>(r.kind)];
    if (!r.usable()) return text;
    text += "dev " + std::to_string(r.interface);
    return text + (r.gateway ? " via " + r.gateway->to_string() : "");
}

std::string way(route_table const& t, ip_address const& to, int interface = 0) {
    return say(t.lookup(to, interface));
}

}  // namespace

TEST_CASE("the longest prefix wins, then the lowest metric", "[net][routes]") {
    auto t = host({entry(ipv4("0.0.0.0"), 0, eth1, {.gateway = gateway1}),
                   entry(ipv4("10.0.0.0"), 8, eth2, {.metric = 9}),
                   entry(ipv4("10.0.0.0"), 8, eth1, {.metric = 3, .gateway = gateway1}),
                   entry(ipv4("10.9.0.0"), 16, eth2)});
    CHECK(way(t, ipv4("10.9.1.1")) == "dev 3");
    CHECK(way(t, ipv4("10.1.1.1")) == "dev 2 via 198.18.0.1");
    CHECK(way(t, ipv4("11.1.1.1")) == "dev 2 via 198.18.0.1");
    CHECK(way(t, ipv4("10.1.1.1"), eth2) == "dev 3");
    CHECK((*t.lookup(ipv4("10.9.1.1"), 0))->source == ip_address(ipv4("198.18.1.2")));
    CHECK((*t.lookup(ipv4("11.1.1.1"), 0))->source == ip_address(ipv4("198.18.0.2")));
    CHECK((*t.lookup(ipv4("11.1.1.1"), 0))->mtu == 1500);
}

TEST_CASE("table local comes first, own addresses lead to lo", "[net][routes]") {
    auto t = host(
        {entry(ipv4("198.18.0.2"), 32, eth1, {.table = RT_TABLE_LOCAL, .kind = route_kind::local}),
         entry(ipv4("198.18.0.2"), 32, eth2),
         entry(ipv4("198.18.0.255"), 32, eth1, {.table = RT_TABLE_LOCAL, .kind = route_kind::broadcast})});
    CHECK(way(t, ipv4("198.18.0.2")) == "local dev 1");
    CHECK((*t.lookup(ipv4("198.18.0.2"), 0))->source == ip_address(ipv4("198.18.0.2")));
    CHECK(way(t, ipv4("198.18.0.2"), eth2) == "dev 3");
    CHECK(way(t, ipv4("198.18.0.255")) == "broadcast dev 2");
}

TEST_CASE("tables of other numbers are not looked into", "[net][routes]") {
    auto t = host({entry(ipv4("10.0.0.0"), 8, eth1, {.table = 100})});
    CHECK(way(t, ipv4("10.1.1.1")) == "no route to the destination");
}

TEST_CASE("refusals are told, and a throw goes on to table default", "[net][routes]") {
    auto t = host({entry(ipv4("10.1.0.0"), 16, 0, {.kind = route_kind::blackhole}),
                   entry(ipv4("10.2.0.0"), 16, 0, {.kind = route_kind::unreachable}),
                   entry(ipv4("10.3.0.0"), 16, 0, {.kind = route_kind::prohibit}),
                   entry(ipv4("10.4.0.0"), 16, 0, {.throws = true})});
    CHECK(way(t, ipv4("10.1.0.1")) == "blackhole");
    CHECK(way(t, ipv4("10.2.0.1")) == "unreachable");
    CHECK(way(t, ipv4("10.3.0.1")) == "prohibit");
    CHECK(way(t, ipv4("10.4.0.1")) == "no route to the destination");
    CHECK(way(t, ipv4("10.1.0.1"), eth1) == "dev 2");  // on link, says the kernel
    CHECK((*t.lookup(ipv4("10.1.0.1"), 0))->interface == 0);
    auto last = host({entry(ipv4("10.4.0.0"), 16, 0, {.throws = true}),
                      entry(ipv4("10.0.0.0"), 8, eth2, {.table = RT_TABLE_DEFAULT})});
    CHECK(way(last, ipv4("10.4.0.1")) == "dev 3");
    CHECK(way(last, ipv4("10.5.0.1")) == "dev 3");
}

TEST_CASE("what depends on the kernel's history or neighbours is asked", "[net][routes]") {
    auto t = host({entry(ipv4("10.0.0.0"), 8, lo, {.table = RT_TABLE_LOCAL, .kind = route_kind::local}),
                   entry(ipv4("10.1.0.0"), 16, eth1),
                   entry(ipv4("11.0.0.0"), 8, 0, {.kind = route_kind::blackhole}),
                   entry(ipv4("11.1.0.0"), 16, eth2, {.table = RT_TABLE_DEFAULT}),
                   entry(ipv4("12.0.0.0"), 8, eth1, {.needs_kernel = true}),
                   entry(ipv4("0.0.0.0"), 0, eth1, {.gateway = gateway1}),
                   entry(ipv4("0.0.0.0"), 0, eth1, {.gateway = gateway2})});
    CHECK(way(t, ipv4("10.1.0.1")) == "ask the kernel");  // a longer prefix in main than in local
    CHECK(way(t, ipv4("10.2.0.1")) == "local dev 1");
    CHECK(way(t, ipv4("11.1.0.1")) == "ask the kernel");  // a refusal in main, and a table default
    CHECK(way(t, ipv4("12.0.0.1")) == "ask the kernel");  // multipath
    CHECK(way(t, ipv4("13.0.0.1")) == "ask the kernel");  // two equal default routes
}

TEST_CASE("routes to 127.0.0.0/8 sources over other interfaces are for the kernel", "[net][routes]") {
    auto odd = entry(ipv4("10.0.0.0"), 8, eth1);
    odd.source = ip_address(ipv4("127.0.0.1"));
    CHECK(way(host({odd}), ipv4("10.0.0.1")) == "ask the kernel");
}

TEST_CASE("policy rules leave every destination to the kernel, but not what needs no route",
          "[net][routes]") {
    table_contents c;
    c.interfaces = {made(lo, "lo", ipv4("127.0.0.1"), 8), made(eth1, "eth1", ipv4("198.18.0.2"), 24)};
    c.routes = {entry(ipv4("10.0.0.0"), 8, eth1), entry(ipv6("2001:db8::"), 32, eth1)};
    c.standard_rules_v4 = false;
    route_table t(c);
    CHECK(way(t, ipv4("10.0.0.1")) == "ask the kernel");
    CHECK(way(t, ipv6("2001:db8::1")) == "dev 2");
    CHECK(way(t, ipv4("0.0.0.0")) == "local dev 1");
    CHECK(way(t, ipv4("10.0.0.1"), 77) == "no such interface");
    c.routes[1].from_source = true;
    CHECK(way(route_table(c), ipv6("2001:db8::1")) == "ask the kernel");
}

TEST_CASE("broadcast and multicast destinations are told, and have no gateway", "[net][routes]") {
    auto t = host({entry(ipv4("0.0.0.0"), 0, eth1, {.gateway = gateway1}),
                   entry(ipv4("239.1.0.0"), 16, eth2, {.gateway = gateway2})});
    CHECK(way(t, ipv4("255.255.255.255")) == "broadcast dev 2");
    CHECK(way(t, ipv4("255.255.255.255"), eth2) == "broadcast dev 3");
    CHECK(way(t, ipv4("224.0.0.251")) == "multicast dev 2");
    CHECK(way(t, ipv4("239.1.1.1")) == "multicast dev 3 via 198.18.1.1");
    CHECK(way(t, ipv4("239.1.1.1"), eth1) == "multicast dev 2");
}

TEST_CASE("interfaces that are missing or down are errors", "[net][routes]") {
    auto t = host({entry(ipv4("0.0.0.0"), 0, eth1)});
    CHECK(way(t, ipv4("10.0.0.1"), 77) == "no such interface");
    CHECK(way(t, ipv4("10.0.0.1"), down) == "the interface is down");
    CHECK(way(t, ipv6("fe80::1"), down) == "the interface is down");
    CHECK(way(host({}), ipv4("10.0.0.1")) == "no route to the destination");
    CHECK(way(host({}), ipv6("2001:db8::1"), eth1) == "no route to the destination");
}

TEST_CASE("an IPv6 router is taken without asking only where there is no other way", "[net][routes]") {
    auto t = host({entry(ipv6("::"), 0, eth1, {.gateway = gateway6}), entry(ipv6("2001:db8::"), 64, eth1),
                   entry(ipv6("2001:db8:7::"), 48, eth2, {.gateway = other6}),
                   entry(ipv6("2001:db8:8::"), 48, eth2, {.metric = 5}),
                   entry(ipv6("2001:db8:8::"), 48, eth1, {.metric = 9}),
                   entry(ipv6("2001:db8:9::"), 48, eth2, {.metric = 5}),
                   entry(ipv6("2001:db8:9::"), 48, eth1, {.metric = 5})});
    CHECK(way(t, ipv6("2600::1")) == "dev 2 via 2001:db8::1");
    CHECK(way(t, ipv6("2001:db8::99")) == "dev 2");
    CHECK(way(t, ipv6("2001:db8:7::1")) == "ask the kernel");  // if that router is dead: the default route
    CHECK(way(t, ipv6("2001:db8:7::1"), eth2) == "dev 3 via 2001:db8:0:1::1");
    CHECK(way(t, ipv6("2001:db8:8::1")) == "dev 3");
    CHECK(way(t, ipv6("2001:db8:9::1")) == "ask the kernel");  // they take turns
    CHECK(way(t, ipv6("2001:db8:9::1"), eth1) == "dev 2");
}

TEST_CASE("IPv6 refusals belong to lo, and a throw in table local goes on to main", "[net][routes]") {
    auto t = host(
        {entry(ipv6("2001:db8:6::"), 48, lo, {.kind = route_kind::blackhole}), entry(ipv6("::"), 0, eth1),
         entry(ipv6("2001:db8:7::"), 48, lo, {.table = RT_TABLE_LOCAL, .throws = true}),
         entry(ipv6("2001:db8:8::"), 48, lo, {.throws = true}),
         entry(ipv6("2001:db8:9::1"), 128, eth1, {.table = RT_TABLE_LOCAL, .kind = route_kind::local})});
    CHECK(way(t, ipv6("2001:db8:6::1")) == "blackhole");
    CHECK(way(t, ipv6("2001:db8:6::1"), eth1) == "dev 2");
    CHECK(way(t, ipv6("2001:db8:7::1")) == "dev 2");
    CHECK(way(t, ipv6("2001:db8:8::1")) == "no route to the destination");
    CHECK(way(t, ipv6("2001:db8:9::1")) == "local dev 1");
}

TEST_CASE("link-local destinations take the only IPv6 link, and no one's guess", "[net][routes]") {
    table_contents c;
    c.interfaces = {made(lo, "lo", ipv6("::1"), 128), made(eth1, "eth1", ipv6("fe80::2"), 64)};
    c.routes = {entry(ipv6("fe80::"), 64, eth1),
                entry(ipv6("ff00::"), 8, eth1, {.table = RT_TABLE_LOCAL, .kind = route_kind::multicast})};
    CHECK(way(route_table(c), ipv6("fe80::1")) == "dev 2");
    CHECK(way(route_table(c), ipv6("ff02::1")) == "multicast dev 2");
    CHECK(way(route_table(c), ipv6("fe80::2")) == "local dev 1");
    c.interfaces.push_back(made(eth2, "eth2", ipv6("fe80::3"), 64));
    c.routes.push_back(entry(ipv6("fe80::"), 64, eth2));
    CHECK(way(route_table(c), ipv6("fe80::1")) == "no route to the destination");
    CHECK(way(route_table(c), ipv6("fe80::1"), eth2) == "dev 3");
    c.interfaces[1].up = false;
    CHECK(way(route_table(c), ipv6("fe80::1")) == "dev 3");
}

TEST_CASE("a route's own MTU comes before the interface's, and IPv6 has one of its own", "[net][routes]") {
    table_contents c;
    c.interfaces = {made(lo, "lo", ipv4("127.0.0.1"), 8), made(eth1, "eth1", ipv4("198.18.0.2"), 24)};
    c.interfaces[1].mtu_v6 = 1280;
    c.routes = {entry(ipv4("10.0.0.0"), 8, eth1), entry(ipv4("11.0.0.0"), 8, eth1),
                entry(ipv6("2001:db8::"), 32, eth1)};
    c.routes[1].mtu = 900;
    route_table t(c);
    CHECK((*t.lookup(ipv4("10.0.0.1"), 0))->mtu == 1500);
    CHECK((*t.lookup(ipv4("11.0.0.1"), 0))->mtu == 900);
    CHECK((*t.lookup(ipv6("2001:db8::1"), 0))->mtu == 1280);
}

TEST_CASE("the default route's interface is the cheapest IPv4 one's, else IPv6's", "[net][routes]") {
    CHECK(host({}).default_route_interface() == 0);
    auto v6 = entry(ipv6("::"), 0, eth2);
    CHECK(host({v6}).default_route_interface() == eth2);
    CHECK(host({v6, entry(ipv4("0.0.0.0"), 0, eth1)}).default_route_interface() == eth1);
    CHECK(
        host({entry(ipv4("0.0.0.0"), 0, eth1, {.metric = 9}), entry(ipv4("0.0.0.0"), 0, eth2, {.metric = 3})})
            .default_route_interface() == eth2);
    CHECK(
        host({entry(ipv4("0.0.0.0"), 0, lo, {.kind = route_kind::unreachable})}).default_route_interface() ==
        0);
}

TEST_CASE("addresses that are alike have one unicast route, up to the very ends of their range",
          "[net][routes]") {
    std::mt19937 random(4);
    for (int round = 0; round < 50; ++round) {
        std::vector<route_entry> routes;
        for (auto n = random() % 12; n > 0; --n) {
            auto length = static_cast<unsigned>(random() % 33);
            auto mask = length == 0 ? 0 : ~std::uint32_t{} << (32 - length);
            auto address =
                static_cast<std::uint32_t>(random() % 3 ? 0xc6120000 | random() % 65536 : random());
            routes.push_back(entry(ipv4(address & mask), length, random() % 2 ? eth1 : eth2,
                                   {.table = random() % 4 ? RT_TABLE_MAIN : RT_TABLE_LOCAL,
                                    .metric = static_cast<std::uint32_t>(random() % 3),
                                    .kind = random() % 5 ? route_kind::unicast : route_kind::local,
                                    .gateway = random() % 2 ? std::optional(gateway1) : std::nullopt}));
        }
        auto t = host(routes);
        for (int i = 0; i < 200; ++i) {
            auto around = static_cast<std::uint32_t>(random() % 4 ? 0xc6120000 | random() % 65536 : random());
            auto interface = random() % 2 ? 0 : eth1;
            auto range = t.alike(ipv4(around));
            REQUIRE(range.contains(ipv4(around)));
            auto known = t.lookup(ipv4(around), interface);
            if (!known || !*known || (*known)->kind != route_kind::unicast) continue;
            auto between = range.first + static_cast<std::uint32_t>(
                                             random() % (std::uint64_t(range.last) - range.first + 1));
            for (auto a : {range.first, range.last, between})
                REQUIRE(**t.lookup(ipv4(a), interface) == **known);
        }
    }
}

TEST_CASE("the ranges of addresses that are alike are whole, and end where a prefix does", "[net][routes]") {
    auto t = host({entry(ipv4("10.0.0.0"), 8, eth1), entry(ipv4("10.9.0.0"), 16, eth2)});
    auto range = t.alike(ipv4("10.1.2.3"));
    CHECK(ipv4(range.first).to_string() == "10.0.0.0");
    CHECK(ipv4(range.last).to_string() == "10.8.255.255");
    CHECK(ipv4(t.alike(ipv4("10.10.0.0")).last).to_string() == "10.255.255.255");
    CHECK(t.alike(ipv4("255.255.255.255")).contains(ipv4("255.255.255.255")));
    CHECK_FALSE(t.alike(ipv4("255.255.255.254")).contains(ipv4("255.255.255.255")));
}

TEST_CASE("an empty table knows no way", "[net][routes]") {
    CHECK(way(route_table(), ipv4("10.0.0.1")) == "no route to the destination");
    CHECK(way(route_table(), ipv6("2001:db8::1")) == "no route to the destination");
    CHECK(way(route_table(), ipv6("fe80::1")) == "no route to the destination");
}
