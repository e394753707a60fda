// Where packets go, compared with what the kernel says of the same destinations (`ip route get`).
#include "net_namespace.hpp"
#include "support/catch.hpp"

#include <sonde/net/kernel_tables.hpp>

#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

using namespace sonde;
using net_lab::index_of;
using net_lab::ip;
using net_lab::own_network;

namespace {

using names = std::vector<std::string>;

std::string name_of(route_kind kind) {
    switch (kind) {
        case route_kind::unicast: return "unicast";
        case route_kind::local: return "local";
        case route_kind::broadcast: return "broadcast";
        case route_kind::multicast: return "multicast";
        case route_kind::blackhole: return "Invalid argument";
        case route_kind::unreachable: return "No route to host";
        case route_kind::prohibit: return "Permission denied";
    }
    return "?";
}

std::string line(std::string const& type, std::string const& dev, std::string const& via,
                 std::string const& source) {
    return type + (dev.empty() ? "" : " dev " + dev) + (via.empty() ? "" : " via " + via) +
           (source.empty() ? "" : " src " + source);
}

std::string ours(kernel_tables& tables, ip_address const& to, std::string const& interface) {
    auto r = tables.route_to(to, interface.empty() ? 0 : index_of(interface));
    if (!r && (r.error() == errc::no_route || r.error() == errc::interface_down))
        return "Network is unreachable";
    if (!r) return r.error().message();
    if (!r->usable()) return name_of(r->kind);
    error_code ec;
    auto* i = tables.interfaces(ec).find(r->interface);
    return line(name_of(r->kind), i ? i->name : "?", r->gateway ? r->gateway->to_string() : "",
                r->source.is_unspecified() ? "" : r->source.to_string());
}

std::string kernels(std::string const& to, std::string const& interface) {
    auto a = net_lab::route_get(to, interface);
    if (!a.error.empty()) return a.error;
    auto source = ip_address::parse(a.source);  // `ip` writes ::198.18.0.8 where RFC 5952 has ::c612:8
    return line(a.type, a.interface, a.gateway, source ? source->to_string() : "");
}

/// Every destination, over no interface in particular and over each of `interfaces`.
void compare(kernel_tables& tables, names const& destinations, names const& interfaces) {
    for (auto const& to : destinations) {
        auto address = *ip_address::parse(to);
        bool scoped = address.is_v6() && (address.v6().is_link_local() || address.is_multicast());
        for (auto const& interface : interfaces) {
            INFO(to << " over " << (interface.empty() ? "any interface" : interface));
            // `ip` takes some interface for fe80:: and ff02:: without one; sonde does not guess.
            if (interface.empty() && scoped) continue;
            CHECK(ours(tables, address, interface) == kernels(to, interface));
        }
    }
}

names const all_interfaces{"", "eth1", "eth2", "lo", "far1", "off"};

names const v4_destinations{
    "127.0.0.1",       "127.9.9.9",   "127.255.255.255", "198.18.0.0",   "198.18.0.1",   "198.18.0.2",
    "198.18.0.9",      "198.18.0.77", "198.18.0.255",    "198.18.1.2",   "198.18.1.77",  "198.18.1.255",
    "198.19.7.1",      "198.19.7.2",  "169.254.3.3",     "169.254.9.9",  "198.18.200.1", "198.18.200.2",
    "198.18.32.1",     "198.18.33.1", "198.18.34.1",     "198.18.35.1",  "198.18.36.1",  "198.18.37.1",
    "198.18.38.1",     "198.18.39.1", "198.18.40.1",     "198.18.41.1",  "198.18.42.1",  "198.18.43.1",
    "198.18.44.1",     "198.18.45.1", "198.18.45.2",     "198.18.45.3",  "198.18.46.1",  "198.18.47.1",
    "198.18.48.1",     "198.18.49.1", "198.18.128.1",    "198.18.130.1", "192.0.2.1",    "203.0.113.255",
    "255.255.255.255", "224.0.0.1",   "224.0.0.251",     "239.1.2.3",    "239.7.7.7",    "0.0.0.0",
    "0.0.0.5",         "240.0.0.1",
};

void set_up_v4() {
    own_network network;
    network.pair("eth1", "far1");
    network.pair("eth2", "far2");
    ip("link add off type bridge");  // has no address, and stays down
    for (auto* address : {"198.18.0.2/24 brd + dev eth1", "198.18.0.9/24 dev eth1",
                          "198.18.1.2/24 brd + dev eth2", "198.19.7.1/32 dev lo",
                          "169.254.3.3/16 dev eth2 scope link", "198.18.200.1 peer 198.18.200.2 dev eth2"})
        ip(std::string("address add ") + address);
    for (auto* route : {"default via 198.18.0.1 dev eth1 metric 100",
                        "default via 198.18.1.1 dev eth2 metric 200",
                        "198.18.32.0/19 via 198.18.1.1",
                        "198.18.33.0/24 via 198.18.0.1 metric 10",
                        "198.18.33.0/24 via 198.18.1.1 metric 5",
                        "198.18.34.0/24 via 198.18.0.1 src 198.18.0.9",
                        "198.18.35.0/24 dev eth2 scope link",
                        "198.18.36.0/24 via 198.18.99.99 dev eth2 onlink",
                        "blackhole 198.18.37.0/24",
                        "unreachable 198.18.38.0/24",
                        "prohibit 198.18.39.0/24",
                        "throw 198.18.40.0/24",
                        "198.18.41.0/24 via inet6 fe80::99 dev eth1",
                        "198.18.42.0/24 via 198.18.0.1 mtu 1200",
                        "198.18.43.0/24 via 198.18.0.1",
                        "local 198.18.44.0/24 dev lo",
                        "198.18.45.0/24 nexthop via 198.18.0.1 weight 1 nexthop via 198.18.1.1 weight 1",
                        "198.18.47.0/24 tos 0x10 via 198.18.1.1",
                        "local 198.18.128.0/17 dev lo",
                        "198.18.130.0/24 via 198.18.0.1",
                        "multicast 239.7.0.0/16 dev eth2",
                        "broadcast 203.0.113.255 dev eth2"})
        ip(std::string("route add ") + route);
    ip("route append 198.18.43.0/24 via 198.18.1.1");
    ip("nexthop add id 7 via 198.18.0.1 dev eth1");
    ip("route add 198.18.48.0/24 nhid 7");
    ip("nexthop add id 8 blackhole");
    ip("route add 198.18.49.0/24 nhid 8");
}

names const v6_destinations{
    "::1",
    "2001:db8:1::2",
    "2001:db8:1::3",
    "2001:db8:1::99",
    "2001:db8:2::2",
    "2001:db8:2::99",
    "2001:db8:3::1",
    "2001:db8:4::1",
    "2001:db8:5::1",
    "2001:db8:6::1",
    "2001:db8:7::1",
    "2001:db8:8::1",
    "2001:db8:9::1",
    "2001:db8:a::1",
    "2001:db8:b::1",
    "2001:db8:c::1",
    "2001:db8:d::1",
    "2001:db8:f0::1",
    "fd00:1::2",
    "fd00:1::9",
    "fd00:9::9",
    "fe80::1",
    "fe80::99",
    "ff02::1",
    "ff02::fb",
    "ff05::2",
    "ff0e::1",
    "2001:4860:4860::8888",
    "2002:c612:1::1",
    "::ffff:198.18.0.1",
    "2001:10::1",
    "2001::7",
    "fec0::1",
    "2001:db8:ffff:ffff::1",
};

void set_up_v6() {
    own_network network;
    network.pair("eth1", "far1");
    network.pair("eth2", "far2");
    ip("link add off type bridge");
    for (auto* address :
         {"2001:db8:1::2/64 dev eth1", "2001:db8:1::3/64 dev eth1 preferred_lft 0",
          "2001:db8:2::2/64 dev eth2", "fd00:1::2/64 dev eth2", "2001:db8:ffff::1/128 dev lo",
          "2002:c612:2::1/48 dev eth1", "2001:db8:77::1 peer 2001:db8:78::1 dev eth2", "fec0::2/64 dev eth1"})
        ip(std::string("-6 address add ") + address + " nodad");
    for (auto* route :
         {"default via 2001:db8:1::1 dev eth1 metric 100", "2001:db8:3::/48 via 2001:db8:2::1",
          "2001:db8:4::/48 via fe80::5 dev eth2", "2001:db8:5::/48 dev eth2",
          "2001:db8:5::/64 dev eth1 metric 5", "2001:db8:5::/64 dev eth2 metric 9",
          "blackhole 2001:db8:6::/48", "unreachable 2001:db8:7::/48", "prohibit 2001:db8:8::/48",
          "throw 2001:db8:9::/48", "2001:db8:a::/48 via 2001:db8:1::1 src 2001:db8:2::2",
          "2001:db8:b::/48 nexthop via 2001:db8:1::1 nexthop via 2001:db8:2::1",
          "2001:db8:c::/48 via 2001:db8:1::1 mtu 1300", "local 2001:db8:d::/48 dev lo",
          "2001:db8:f0::/48 via 2001:db8:1::1 metric 7", "2001:db8:f0::/48 via 2001:db8:2::1 metric 8",
          "2001:4860::/32 via 2001:db8:2::1 dev eth2 onlink"})
        ip(std::string("-6 route add ") + route);
}

kernel_tables make_tables(boost::asio::io_context& io) {
    return kernel_tables(io.get_executor());
}

}  // namespace

TEST_CASE("IPv4 routes are those that the kernel takes", "[lab][net]") {
    set_up_v4();
    boost::asio::io_context io;
    auto tables = make_tables(io);
    compare(tables, v4_destinations, all_interfaces);
    CHECK(tables.counters().failures == 0);
    CHECK(tables.counters().rereads == 1);
    CHECK(tables.route_to(ipv4("198.18.42.1"))->mtu == 1200);
    CHECK(tables.route_to(ipv4("198.18.0.77"))->mtu == 1500);
    CHECK(tables.route_to(ipv4("198.18.0.2"))->mtu == 65536);
}

TEST_CASE("IPv6 routes and source addresses are those that the kernel takes", "[lab][net]") {
    set_up_v6();
    boost::asio::io_context io;
    auto tables = make_tables(io);
    compare(tables, v6_destinations, all_interfaces);
    CHECK(tables.counters().failures == 0);
    CHECK(tables.route_to(ipv6("2001:db8:c::1"))->mtu == 1300);
    CHECK(tables.route_to(ipv6("2001:db8:1::99"))->mtu == 1500);
}

TEST_CASE("most destinations need no question to the kernel", "[lab][net]") {
    set_up_v4();
    boost::asio::io_context io;
    auto tables = make_tables(io);
    for (auto* plain : {"198.18.0.77", "198.18.33.1", "198.18.34.1", "198.18.41.1", "198.18.48.1",
                        "192.0.2.1", "127.0.0.1"})
        CHECK(tables.route_to(*ip_address::parse(plain)).has_value());
    CHECK(tables.counters().asked == 0);
    for (auto* unclear : {"198.18.45.1", "198.18.130.1"})
        CHECK(tables.route_to(*ip_address::parse(unclear)).has_value());
    CHECK(tables.counters().asked == 2);
    CHECK(tables.route_to(ipv4("198.18.45.1")).has_value());
    CHECK(tables.counters().asked == 2);
    CHECK(tables.counters().remembered == 1);
}

TEST_CASE("with policy rules the kernel decides", "[lab][net]") {
    set_up_v4();
    ip("route add default via 198.18.1.1 dev eth2 table 100");
    ip("rule add to 192.0.2.0/24 table 100");
    boost::asio::io_context io;
    auto tables = make_tables(io);
    CHECK(tables.route_to(ipv4("192.0.2.1"))->interface == index_of("eth2"));
    CHECK(tables.route_to(ipv4("192.0.3.1"))->interface == index_of("eth1"));
    CHECK(tables.counters().asked == 2);
    compare(tables, v4_destinations, all_interfaces);
}

TEST_CASE("routes stay the kernel's after a policy rule came and went", "[lab][net]") {
    set_up_v4();  // from the first rule on, the kernel searches table local before table main
    ip("rule add to 192.0.2.0/24 table 100");
    ip("rule delete to 192.0.2.0/24 table 100");
    ip("route add 198.18.46.0/24 via 198.18.1.1 table default");
    ip("route add 198.18.37.0/24 via 198.18.1.1 table default");
    boost::asio::io_context io;
    auto tables = make_tables(io);
    compare(tables, v4_destinations, all_interfaces);
}

TEST_CASE("table default is asked last", "[lab][net]") {
    set_up_v4();
    ip("route delete default via 198.18.1.1 dev eth2");
    ip("route delete default via 198.18.0.1 dev eth1");
    for (auto* prefix :
         {"198.18.37.0/24", "198.18.38.0/24", "198.18.40.0/24", "198.18.46.0/24", "192.0.0.0/8"})
        ip(std::string("route add ") + prefix + " via 198.18.1.1 table default");
    boost::asio::io_context io;
    auto tables = make_tables(io);
    compare(tables, v4_destinations, all_interfaces);
}

TEST_CASE("equal default routes are left to the kernel, which knows whose gateway answers", "[lab][net]") {
    set_up_v4();
    ip("route append default via 198.18.0.3 dev eth1 metric 100");
    boost::asio::io_context io;
    auto tables = make_tables(io);
    compare(tables, {"192.0.2.1", "198.18.33.1"}, {"", "eth1", "eth2"});
    CHECK(tables.counters().asked == 2);
}

TEST_CASE("an IPv6 router that does not answer is passed over, as the kernel does", "[lab][net]") {
    set_up_v6();
    boost::asio::io_context io;
    auto tables = make_tables(io);
    ip("-6 neighbour add 2001:db8:1::1 lladdr 02:00:00:00:00:01 dev eth1 nud reachable");
    CHECK(tables.route_to(ipv6("2001:db8:f0::1"))->gateway == ip_address(ipv6("2001:db8:1::1")));
    ip("-6 neighbour change 2001:db8:1::1 dev eth1 nud failed");
    CHECK(tables.route_to(ipv6("2001:db8:f0::1"))->gateway == ip_address(ipv6("2001:db8:2::1")));
    compare(tables, {"2001:db8:f0::1", "2001:db8:c::1", "2001:4860:4860::8888"}, {"", "eth1", "eth2"});
    CHECK(tables.counters().asked > 0);
}

TEST_CASE("IPv6 routes are the kernel's on a router too", "[lab][net]") {
    set_up_v6();
    net_lab::sysctl("net.ipv6.conf.all.forwarding", "1");
    ip("-6 rule add to 2001:db8:3::/48 table 100");
    boost::asio::io_context io;
    auto tables = make_tables(io);
    compare(tables, v6_destinations, all_interfaces);
    ip("-6 rule delete to 2001:db8:3::/48 table 100");
    compare(tables, v6_destinations, all_interfaces);
}

TEST_CASE("privacy, labels and deprecation choose among IPv6 sources as in the kernel", "[lab][net]") {
    own_network().pair("eth1", "far1");
    for (auto* address :
         {"2001:db8:1::2/64", "2001:db8:1::3/64 preferred_lft 0", "2001:db8:1:1::4/64", "fd00:1::2/64",
          "2002:c612:2::1/48", "2001:0:1::5/64", "2001:10::6/28", "fec0::7/64", "::198.18.0.8/96"})
        ip(std::string("-6 address add ") + address + " dev eth1 nodad");
    ip("-6 route add default dev eth1");
    names const to{"2001:db8:1::9", "2001:db8:1:1::9", "2001:db8:9::9", "fd00:9::9",    "2002:c612:9::9",
                   "2001:0:9::9",   "2001:10::9",      "fec0::9",       "::198.18.0.9", "ff02::1",
                   "ff05::1",       "ff0e::1",         "fe80::9",       "2001:db8:1::3"};
    boost::asio::io_context io;
    auto tables = make_tables(io);
    compare(tables, to, {"", "eth1"});
    CHECK(tables.counters().asked == 0);
    ip("addrlabel add prefix 2001:db8:9::/48 label 5");     // the label of fd00::/7
    ip("-6 address add 2001:db8:1::44/64 dev eth1 nodad");  // labels alone are not told
    compare(tables, to, {"", "eth1"});
    CHECK(tables.route_to(ipv6("2001:db8:9::9"))->source == ip_address(ipv6("fd00:1::2")));
}

TEST_CASE("link-local and multicast destinations need an interface when there are several", "[lab][net]") {
    own_network network;
    network.pair("eth1", "far1");
    boost::asio::io_context io;
    auto tables = make_tables(io);
    auto one = tables.route_to(ipv6("fe80::1"));
    REQUIRE(one.has_value());
    CHECK(one->interface == index_of("eth1"));
    CHECK(one->source.v6().is_link_local());
    CHECK(tables.route_to(ipv6("ff02::1"))->kind == route_kind::multicast);
    CHECK(tables.route_to(one->source)->kind == route_kind::local);

    network.pair("eth2", "far2");
    CHECK(tables.route_to(ipv6("fe80::1"), index_of("eth2"))->interface == index_of("eth2"));
    CHECK(tables.route_to(ipv6("fe80::1")).error() == errc::no_route);
    CHECK(tables.route_to(ipv6("ff02::1")).error() == errc::no_route);
    CHECK(tables.route_to(one->source)->kind == route_kind::local);
    CHECK(tables.route_to(one->source)->interface == index_of("lo"));
}

TEST_CASE("an interface that is missing or down is named as such", "[lab][net]") {
    set_up_v4();
    boost::asio::io_context io;
    auto tables = make_tables(io);
    CHECK(tables.route_to(ipv4("198.18.0.1"), 4711).error() == errc::no_such_interface);
    CHECK(tables.route_to(ipv4("198.18.0.1"), index_of("off")).error() == errc::interface_down);
    CHECK(tables.route_to(ipv6("2001:db8::1"), index_of("off")).error() == errc::interface_down);
}

TEST_CASE("a host without addresses has routes to itself only", "[lab][net]") {
    own_network network;
    boost::asio::io_context io;
    auto tables = make_tables(io);
    CHECK(tables.route_to(ipv4("127.0.0.1"))->kind == route_kind::local);
    CHECK(tables.route_to(ipv6("::1"))->kind == route_kind::local);
    CHECK(tables.route_to(ipv4("0.0.0.0"))->source == ip_address(ipv4("127.0.0.1")));
    CHECK(tables.route_to(ipv6("::"))->source == ip_address(ipv6("::1")));
    CHECK(tables.route_to(ipv4("198.18.0.1")).error() == errc::no_route);
    CHECK(tables.route_to(ipv6("2001:db8::1")).error() == errc::no_route);
    CHECK(*tables.default_interface() == index_of("lo"));
}

TEST_CASE("more routes than the limit are not copied, and lookups stay exact", "[lab][net]") {
    set_up_v4();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), {.max_route_bytes = 1000});
    compare(tables, {"198.18.33.1", "192.0.2.1", "198.18.37.1", "198.18.0.2"}, {"", "eth1"});
    CHECK(tables.counters().asked > 0);
    CHECK(tables.counters().failures == 0);
}

TEST_CASE("131,072 lookups take little time", "[lab][net]") {
    set_up_v4();
    boost::asio::io_context io;
    auto measure = [](char const* what, kernel_tables& tables, auto destination) {
        auto asked = tables.counters().asked;
        auto start = std::clock();
        std::size_t found = 0;
        for (std::uint32_t i = 0; i < 131072; ++i) found += tables.route_to(destination(i)).has_value();
        std::printf("131,072 %s: %.1f ms of CPU\n", what,
                    1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
        CHECK(found == 131072);
        return tables.counters().asked - asked;
    };
    auto v4 = [](std::uint32_t i) { return ip_address(ipv4(0x0a000000 + i)); };
    auto tables = make_tables(io);
    CHECK(measure("IPv4 lookups in the copy", tables, v4) == 0);
    ip("rule add to 192.0.2.0/24 table 100");
    CHECK(measure("IPv4 lookups by the kernel", tables, v4) == 131072);
    set_up_v6();
    auto six = make_tables(io);
    auto v6 = [](std::uint32_t i) { return ip_address(ipv6::from_halves(0x20010db800050000, i)); };
    CHECK(measure("IPv6 lookups in the copy", six, v6) == 0);
}
