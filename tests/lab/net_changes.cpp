// Changes in the kernel's tables: they are seen, they are told, and waiting for them holds nothing up.
#include "net/netlink_socket.hpp"
#include "net_namespace.hpp"
#include "support/catch.hpp"

#include <sonde/net/kernel_tables.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

using namespace sonde;
using namespace std::chrono_literals;
using net_lab::index_of;
using net_lab::ip;
using net_lab::own_network;

namespace {

constexpr kernel_tables_options at_once{.poll_interval = 0us};

void set_up() {
    own_network network;
    network.pair("eth1", "far1");
    network.pair("eth2", "far2");
    ip("address add 198.18.0.2/24 dev eth1");
    ip("address add 198.18.1.2/24 dev eth2");
    ip("route add 198.18.32.0/24 via 198.18.0.1");
}

std::string gateway(kernel_tables& tables, ipv4 to) {
    auto r = tables.route_to(to);
    if (!r) return r.error().message();
    return r->gateway ? r->gateway->to_string() : "on link";
}

/// Runs the loop until `done`, two seconds at most; false when that was not enough.
bool run_until(boost::asio::io_context& io, std::function<bool()> const& done) {
    auto end = std::chrono::steady_clock::now() + 2s;
    while (!done()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        io.restart();
        io.run_one_for(20ms);
    }
    return true;
}

/// When the kernel tells nothing any more: a change may have something follow it from a queue.
std::uint64_t generation_at_rest(kernel_tables& tables) {
    auto const end = std::chrono::steady_clock::now() + 5s;
    for (auto last = tables.generation();;) {
        std::this_thread::sleep_for(50ms);
        auto const now = tables.generation();
        if (std::exchange(last, now) == now) return now;
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error("the kernel's tables do not come to rest");
    }
}

std::size_t open_descriptors() {
    std::size_t count = 0;
    for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0;
    return count;
}

}  // namespace

TEST_CASE("a route that is replaced is used by the next lookup", "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), at_once);
    CHECK(gateway(tables, "198.18.32.1") == "198.18.0.1");
    ip("route replace 198.18.32.0/24 via 198.18.1.1");
    CHECK(gateway(tables, "198.18.32.1") == "198.18.1.1");
    ip("route delete 198.18.32.0/24");
    CHECK(tables.route_to(ipv4("198.18.32.1")).error() == errc::no_route);
}

TEST_CASE("addresses that are alike have the route of the one that was asked for, until it changes",
          "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), at_once);
    ipv4 const to("198.18.32.9"), unasked("198.18.1.9");
    auto alone = [](ipv4 a) { return std::pair(a, a); };
    CHECK(tables.alike(to) == alone(to));
    REQUIRE(tables.route_to(to).has_value());
    CHECK(tables.alike(to) == std::pair(ipv4("198.18.32.0"), ipv4("198.18.32.255")));
    CHECK(tables.alike(unasked) == alone(unasked));
    CHECK(tables.alike(to, index_of("eth1")) == alone(to));
    // A longer prefix in the middle: nothing is known until somebody asks again.
    auto before = tables.generation();
    ip("route add 198.18.32.64/26 via 198.18.1.1");
    CHECK(tables.generation() != before);
    CHECK(tables.alike(to) == alone(to));
    REQUIRE(tables.route_to(to).has_value());
    CHECK(tables.alike(to) == std::pair(ipv4("198.18.32.0"), ipv4("198.18.32.63")));
    REQUIRE(tables.route_to(ipv4("127.0.0.5")).has_value());
    CHECK(tables.alike(ipv4("127.0.0.5")) == alone(ipv4("127.0.0.5")));
}

TEST_CASE("every change of links, addresses, routes and rules makes a new generation", "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), at_once);
    auto quiet = generation_at_rest(tables);
    ip("neighbour add 198.18.0.1 lladdr 02:00:00:00:00:01 dev eth1");
    CHECK(tables.generation() == quiet);
    for (auto* change :
         {"route replace 198.18.32.0/24 via 198.18.1.1", "address add 198.18.0.3/24 dev eth1",
          "address delete 198.18.0.3/24 dev eth1", "-6 address add 2001:db8::2/64 dev eth1 nodad",
          "-6 route add 2001:db8:1::/48 via 2001:db8::1", "link set eth2 mtu 1400", "link set eth2 down",
          "link set eth2 name wan", "link delete wan", "rule add to 192.0.2.0/24 table 100",
          "-6 rule add to 2001:db8:9::/48 table 100", "nexthop add id 9 via 198.18.0.1 dev eth1"}) {
        INFO(change);
        auto before = generation_at_rest(tables);
        ip(change);
        CHECK(tables.generation() != before);
    }
}

TEST_CASE("an interface that goes down or away takes its routes with it", "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), at_once);
    auto eth2 = index_of("eth2");
    CHECK(tables.route_to(ipv4("198.18.1.1"))->interface == eth2);
    ip("link set eth2 down");
    CHECK(tables.route_to(ipv4("198.18.1.1")).error() == errc::no_route);
    CHECK(tables.route_to(ipv4("198.18.1.1"), eth2).error() == errc::interface_down);
    ip("link set eth2 up");
    CHECK(tables.route_to(ipv4("198.18.1.1"))->interface == eth2);
    ip("link delete eth2");
    CHECK(tables.route_to(ipv4("198.18.1.1")).error() == errc::no_route);
    CHECK(tables.route_to(ipv4("198.18.1.1"), eth2).error() == errc::no_such_interface);
    CHECK(tables.interfaces().find("eth2") == nullptr);
}

TEST_CASE("lookups alone keep no event loop running", "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), at_once);
    CHECK(gateway(tables, "198.18.32.1") == "198.18.0.1");
    ip("route replace 198.18.32.0/24 via 198.18.1.1");
    CHECK(gateway(tables, "198.18.32.1") == "198.18.1.1");
    CHECK(io.run() == 0);
}

TEST_CASE("started tables tell what has changed, until they are stopped", "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor());
    table_changes seen;
    int calls = 0;
    REQUIRE_FALSE(tables.start([&](table_changes changes) {
        seen |= changes;
        ++calls;
    }));
    ip("route replace 198.18.32.0/24 via 198.18.1.1");
    CHECK(run_until(io, [&] { return seen.routes; }));
    CHECK_FALSE(seen.links);
    CHECK_FALSE(seen.neighbours);
    ip("neighbour add 198.18.0.1 lladdr 02:00:00:00:00:01 dev eth1");
    CHECK(run_until(io, [&] { return seen.neighbours; }));
    ip("link set eth2 down");
    CHECK(run_until(io, [&] { return seen.links; }));
    CHECK(tables.route_to(ipv4("198.18.1.1")).error() == errc::no_route);

    tables.stop();
    io.restart();
    io.run();  // ends: nothing is pending
    auto before = calls;
    ip("link set eth2 up");
    io.restart();
    CHECK(io.run() == 0);
    CHECK(calls == before);
    CHECK(tables.route_to(ipv4("198.18.1.1")).has_value());
}

TEST_CASE("what a lookup finds out is told as well, but not from inside it", "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), at_once);
    table_changes seen;
    REQUIRE_FALSE(tables.start([&](table_changes changes) { seen |= changes; }));
    ip("route replace 198.18.32.0/24 via 198.18.1.1");
    CHECK(gateway(tables, "198.18.32.1") == "198.18.1.1");
    CHECK_FALSE(seen.any());
    CHECK(run_until(io, [&] { return seen.routes; }));
}

TEST_CASE("the function that is told may stop, replace itself, or destroy the tables", "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    auto tables = std::make_unique<kernel_tables>(io.get_executor());
    int first = 0, second = 0;
    REQUIRE_FALSE(tables->start([&](table_changes) {
        ++first;
        REQUIRE_FALSE(tables->start([&](table_changes) {
            ++second;
            tables.reset();
        }));
    }));
    ip("route replace 198.18.32.0/24 via 198.18.1.1");
    CHECK(run_until(io, [&] { return first == 1; }));
    ip("route replace 198.18.32.0/24 via 198.18.0.1");
    CHECK(run_until(io, [&] { return second == 1; }));
    CHECK(tables == nullptr);
    io.restart();
    io.run();
    CHECK(first == 1);
    CHECK(second == 1);
}

TEST_CASE("tables can be stopped and started in one turn, and destroyed while they wait", "[lab][net]") {
    set_up();
    auto before = open_descriptors();
    {
        boost::asio::io_context io;
        int calls = 0;
        {
            kernel_tables tables(io.get_executor());
            for (int i = 0; i < 3; ++i) {
                REQUIRE_FALSE(tables.start([&](table_changes) { ++calls; }));
                tables.stop();
            }
            REQUIRE_FALSE(tables.start([&](table_changes) { ++calls; }));
            ip("route replace 198.18.32.0/24 via 198.18.1.1");
            CHECK(run_until(io, [&] { return calls > 0; }));
            CHECK(calls == 1);
        }
        io.restart();
        io.run();
        CHECK(calls == 1);
        kernel_tables outlived(io.get_executor());
        REQUIRE_FALSE(outlived.start([&](table_changes) { ++calls; }));
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("notifications that were lost count as a change of everything", "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), at_once);
    CHECK(gateway(tables, "198.18.32.1") == "198.18.0.1");
    auto batch = "/tmp/sonde_net_changes." + std::to_string(::getpid());
    {
        std::ofstream file(batch);
        for (int i = 0; i < 8000; ++i)
            file << "route add 198.19." << i / 250 << "." << i % 250 << "/32 via 198.18.0.1\n";
        file << "route replace 198.18.32.0/24 via 198.18.1.1\n";
    }
    ip("-batch " + batch);
    ::unlink(batch.c_str());
    CHECK(gateway(tables, "198.18.32.1") == "198.18.1.1");
    CHECK(gateway(tables, "198.19.20.249") == "198.18.0.1");
    CHECK(tables.counters().overruns == 1);
}

TEST_CASE("without notifications a change is seen when the copy is too old", "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), {.notifications = false, .max_age = 50ms, .poll_interval = 0us});
    CHECK(gateway(tables, "198.18.32.1") == "198.18.0.1");
    ip("route replace 198.18.32.0/24 via 198.18.1.1");
    auto start = std::chrono::steady_clock::now();
    while (gateway(tables, "198.18.32.1") != "198.18.1.1" && std::chrono::steady_clock::now() - start < 2s)
        std::this_thread::yield();
    CHECK(gateway(tables, "198.18.32.1") == "198.18.1.1");
    CHECK(tables.counters().rereads >= 2);
    CHECK(tables.counters().asked == 0);
}

TEST_CASE("tables that change all the time are copied rarely, and answers are right every time",
          "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), at_once);
    CHECK(gateway(tables, "198.18.32.1") == "198.18.0.1");
    detail::netlink_socket changer;
    auto replace = [&](std::uint8_t subnet) {
        detail::netlink_request request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK);
        rtmsg head{};
        head.rtm_family = AF_INET;
        head.rtm_dst_len = 24;
        head.rtm_table = RT_TABLE_MAIN;
        head.rtm_protocol = RTPROT_STATIC;
        head.rtm_type = RTN_UNICAST;
        request.header(head);
        request.attribute(RTA_DST, std::array<std::uint8_t, 4>{198, 18, 32, 0});
        request.attribute(RTA_GATEWAY, std::array<std::uint8_t, 4>{198, 18, subnet, 1});
        detail::netlink_message reply;
        return changer.get(request, reply);
    };
    for (int i = 0; i < 200; ++i) {
        auto subnet = static_cast<std::uint8_t>(i % 2);
        REQUIRE_FALSE(replace(subnet));
        CHECK(gateway(tables, "198.18.32.1") == "198.18." + std::to_string(subnet) + ".1");
    }
    CHECK(tables.counters().asked > 0);
    CHECK(tables.counters().rereads < 150);
}

TEST_CASE("without a free descriptor lookups fail with the system's error, and work again later",
          "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    kernel_tables tables(io.get_executor(), {.max_age = 10ms, .poll_interval = 0us});
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    int lowest = ::dup(0);
    REQUIRE(lowest >= 0);
    ::close(lowest);
    rlimit none{static_cast<rlim_t>(lowest), before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    auto failed = tables.route_to(ipv4("198.18.32.1"));
    auto scoped = tables.route_to(ipv4("198.18.32.1"), 2);
    auto hardware = tables.neighbour(2, ipv4("198.18.32.1"));
    error_code ec;
    auto known = tables.interfaces(ec).size();
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);

    error_code expected(EMFILE, boost::system::system_category());
    CHECK(failed.error() == expected);
    CHECK(scoped.error() == expected);
    CHECK_FALSE(hardware);
    CHECK(ec == expected);
    CHECK(known == 0);
    CHECK(tables.counters().failures >= 4);
    CHECK(gateway(tables, "198.18.32.1") == "198.18.0.1");
    ip("route replace 198.18.32.0/24 via 198.18.1.1");
    auto end = std::chrono::steady_clock::now() + 2s;  // within max_age without notifications, or with them
    while (gateway(tables, "198.18.32.1") != "198.18.1.1" && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
    CHECK(gateway(tables, "198.18.32.1") == "198.18.1.1");
    auto notified = tables.counters().notifications;
    ip("route replace 198.18.32.0/24 via 198.18.0.1");
    CHECK(gateway(tables, "198.18.32.1") == "198.18.0.1");
    CHECK(tables.counters().notifications == notified + 1);
}

TEST_CASE("the sockets are not inherited by programs that are started", "[lab][net]") {
    set_up();
    boost::asio::io_context io;
    auto before = net_lab::run("ls /proc/self/fd | wc -l").output;
    kernel_tables tables(io.get_executor(), at_once);
    CHECK(gateway(tables, "198.18.32.1") == "198.18.0.1");
    CHECK(net_lab::run("ls /proc/self/fd | wc -l").output == before);
}
