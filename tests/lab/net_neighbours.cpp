// Neighbours and interfaces, as the kernel has them.
#include "net/kernel_questions.hpp"
#include "net_namespace.hpp"
#include "support/catch.hpp"

#include <sonde/net/kernel_tables.hpp>

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

using namespace sonde;
using namespace std::chrono_literals;
using net_lab::index_of;
using net_lab::ip;
using net_lab::own_network;

namespace {

constexpr kernel_tables_options at_once{.poll_interval = 0us};
constexpr mac router("02:00:00:00:00:01");

void set_up() {
    own_network network;
    network.pair("eth1", "far1");
    network.pair("eth2", "far2");
    ip("address add 198.18.0.2/24 dev eth1");
    ip("-6 address add 2001:db8::2/64 dev eth1 nodad");
}

}  // namespace

TEST_CASE("neighbours that the kernel would send to are found, others are not", "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), at_once);
    auto eth1 = index_of("eth1");
    int host = 10;
    for (auto* state : {"permanent", "reachable", "stale", "delay", "probe", "noarp"}) {
        INFO(state);
        auto v4 = "198.18.0." + std::to_string(++host), v6 = "2001:db8::" + std::to_string(host);
        for (auto const& address : {v4, v6}) {
            ip("neighbour add " + address + " lladdr 02:00:00:00:00:01 dev eth1 nud " + state);
            CHECK(tables.neighbour(eth1, *ip_address::parse(address)) == router);
        }
    }
    ip("neighbour add 198.18.0.50 dev eth1 nud failed");
    CHECK_FALSE(tables.neighbour(eth1, ipv4("198.18.0.50")));
    CHECK_FALSE(tables.neighbour(eth1, ipv4("198.18.0.51")));
    CHECK_FALSE(tables.neighbour(index_of("eth2"), ipv4("198.18.0.11")));
    CHECK(tables.counters().failures == 0);
}

TEST_CASE("a neighbour that comes, changes or goes is seen by the next lookup", "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), at_once);
    auto eth1 = index_of("eth1");
    CHECK_FALSE(tables.neighbour(eth1, ipv4("198.18.0.1")));
    ip("neighbour add 198.18.0.1 lladdr 02:00:00:00:00:01 dev eth1");
    CHECK(tables.neighbour(eth1, ipv4("198.18.0.1")) == router);
    ip("neighbour change 198.18.0.1 lladdr 02:00:00:00:00:02 dev eth1");
    CHECK(tables.neighbour(eth1, ipv4("198.18.0.1")) == mac("02:00:00:00:00:02"));
    ip("neighbour delete 198.18.0.1 dev eth1");
    CHECK_FALSE(tables.neighbour(eth1, ipv4("198.18.0.1")));
}

TEST_CASE("the kernel is asked for a neighbour once, while nothing changes", "[lab][net]") {
    set_up();
    ip("neighbour add 198.18.0.1 lladdr 02:00:00:00:00:01 dev eth1");
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), {.max_age = 1h});
    for (int i = 0; i < 100; ++i) CHECK(tables.neighbour(index_of("eth1"), ipv4("198.18.0.1")) == router);
    CHECK(tables.counters().neighbour_lookups == 100);
    CHECK(tables.counters().neighbours_asked == 1);
}

TEST_CASE("kernels that know dumps only give the same neighbours", "[lab][net]") {
    set_up();
    ip("neighbour add 198.18.0.1 lladdr 02:00:00:00:00:01 dev eth1");
    ip("neighbour add 198.18.0.1 lladdr 02:00:00:00:00:02 dev eth2");
    ip("neighbour add 198.18.0.3 dev eth1 nud failed");
    ip("neighbour add 2001:db8::1 lladdr 02:00:00:00:00:01 dev eth1");
    detail::netlink_socket socket;
    auto eth1 = index_of("eth1");
    for (bool dumps_only : {true, false}) {
        error_code ec;
        CHECK(detail::ask_neighbour(socket, eth1, ipv4("198.18.0.1"), dumps_only, ec) == router);
        CHECK(detail::ask_neighbour(socket, eth1, ipv6("2001:db8::1"), dumps_only, ec) == router);
        CHECK_FALSE(detail::ask_neighbour(socket, eth1, ipv4("198.18.0.3"), dumps_only, ec));
        CHECK_FALSE(detail::ask_neighbour(socket, eth1, ipv4("198.18.0.4"), dumps_only, ec));
        CHECK_FALSE(ec);
    }
}

TEST_CASE("interfaces are told with their addresses and flags", "[lab][net]") {
    set_up();
    ip("link set eth1 mtu 1400 address 02:00:00:00:00:aa");
    ip("address add 198.18.0.3/24 dev eth1");
    ip("address add 198.18.9.1 peer 198.18.9.2/30 dev eth2");
    ip("-6 address add 2001:db8::3/64 dev eth1 preferred_lft 0 nodad");
    ip("link set far2 down");
    ip("route add default via 198.18.0.1");
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), at_once);
    auto const& all = tables.interfaces();
    CHECK(all.size() == 5);

    auto* eth1 = all.find("eth1");
    REQUIRE(eth1);
    CHECK(all.find(index_of("eth1")) == eth1);
    CHECK(all.find(ip_address(ipv4("198.18.0.2"))) == eth1);
    CHECK(eth1->address == mac("02:00:00:00:00:aa"));
    CHECK(eth1->mtu == 1400);
    CHECK(eth1->mtu_v6 == 1400);
    CHECK(eth1->type == link_type::ethernet);
    CHECK((eth1->up && eth1->running && eth1->broadcast && eth1->multicast && eth1->needs_neighbours));
    CHECK_FALSE((eth1->loopback || eth1->point_to_point));

    auto* lo = all.loopback();
    REQUIRE(lo);
    CHECK(lo->name == "lo");
    CHECK((lo->up && lo->loopback && lo->type == link_type::ethernet && !lo->needs_neighbours));

    auto own = [&](ip_address const& a) {
        for (auto const& i : all)
            for (auto const& found : i.addresses)
                if (found.address == a) return found;
        return interface_address{};
    };
    CHECK(own(ipv4("198.18.0.2")).prefix_length == 24);
    CHECK(own(ipv4("198.18.0.2")).scope == address_scope::universe);
    CHECK(own(ipv4("127.0.0.1")).scope == address_scope::host);
    CHECK_FALSE(own(ipv4("198.18.0.2")).secondary);
    CHECK(own(ipv4("198.18.0.3")).secondary);
    CHECK(own(ipv4("198.18.9.1")).network == ip_address(ipv4("198.18.9.2")));
    CHECK(own(ipv4("198.18.9.1")).prefix_length == 30);
    CHECK_FALSE(own(ipv6("2001:db8::2")).deprecated);
    CHECK(own(ipv6("2001:db8::3")).deprecated);

    CHECK_FALSE(all.find("far2")->up);
    CHECK(all.find("eth2")->up);
    auto end =
        std::chrono::steady_clock::now() + 5s;  // the kernel takes its time to tell that the carrier is gone
    while (tables.interfaces().find("eth2")->running && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
    CHECK_FALSE(tables.interfaces().find("eth2")->running);
    ip("link set eth2 down");
    auto index = index_of("eth2");
    ip("link set eth2 name wan");
    CHECK(tables.interfaces().find(index)->name == "wan");
}

TEST_CASE("the default interface is the default route's, else the first that is up", "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), at_once);
    auto first = std::min({index_of("eth1"), index_of("far1"), index_of("eth2"), index_of("far2")});
    CHECK(*tables.default_interface() == first);
    auto other = first == index_of("eth2") ? std::string("eth1") : std::string("eth2");
    ip("-6 route add default via fe80::1 dev " + other);
    CHECK(*tables.default_interface() == index_of(other));
    ip("route add default dev eth1 metric 20");
    CHECK(*tables.default_interface() == index_of("eth1"));
    ip("route add default dev eth2 metric 10");
    CHECK(*tables.default_interface() == index_of("eth2"));
    ip("route delete default dev eth2");
    CHECK(*tables.default_interface() == index_of("eth1"));
    ip("route replace default metric 20 nexthop dev eth2 nexthop dev eth1");
    CHECK(*tables.default_interface() == index_of("eth2"));
}
