// Interfaces, routes and neighbours that change while probes are under way.
#include "faults_calls.hpp"
#include "faults_support.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <optional>

namespace asio = boost::asio;
using namespace sonde;
using namespace faults;
using namespace std::chrono_literals;

namespace {

/// Nothing of 198.19.0.0/16 answers any more, and what comes costs nothing.
void silence(two_hosts const& hosts) {
    hosts.there.run(
        "nft 'add table ip t; add chain ip t in { type filter hook prerouting priority -300; };"
        "add rule ip t in ip daddr 198.19.0.0/16 drop'");
}

}  // namespace

TEST_CASE(
    "an interface that goes down under load fails what leaves meanwhile, and serves again when it is up",
    "[lab][faults]") {
    two_hosts hosts;
    run([&]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto scan = net.sr(pings(1000), {.timeout = 300ms, .rate = 2000});
        auto change = [&]() -> asio::awaitable<void> {
            co_await pause(120ms);
            hosts.here.run("ip link set eth1 down");
            co_await pause(100ms);
            hosts.here.run("ip link set eth1 up; ip route add 198.19.0.0/16 via 198.18.0.1");
        };
        asio::co_spawn(net.get_executor(), change(), asio::detached);
        auto o = co_await finish(scan, 1000);
        CHECK(o.report.send_errors > 50);
        CHECK(o.report.send_errors < 800);
        CHECK(o.answers.size() > 100);
        CHECK(o.answers.back().sent.get<IP>().dst.value().value > ipv4("198.19.3.0").value);
        CHECK((o.report.first_error == errc::no_route || o.report.first_error == errc::interface_down));
        CHECK(co_await net.sr1(IP{.dst = "198.19.0.1"} / ICMP{}, {.timeout = 1s}));
    });
}

TEST_CASE("an interface that is removed under a thousand waiting coroutines: each ends once, and is told why",
          "[lab][faults]") {
    two_hosts hosts;
    silence(hosts);
    auto before = open_descriptors();
    run([&]() -> asio::awaitable<void> {
        auto executor = co_await asio::this_coro::executor;
        network net{executor};
        CHECK(co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s}));
        std::vector<int> ended(1000);
        std::size_t answered = 0, failed = 0;
        auto probe = [&](std::uint32_t n) -> asio::awaitable<void> {
            try {
                ipv4 target(ipv4("198.19.0.0").value + n);
                answered += (co_await net.sr1(IP{.dst = target} / ICMP{}, {.timeout = 10s})).has_value();
            } catch (boost::system::system_error const& e) {
                failed += e.code() == errc::no_such_interface;
            }
            ++ended[n];
        };
        for (std::uint32_t n = 0; n < 1000; ++n) asio::co_spawn(executor, probe(n), asio::detached);
        co_await pause(150ms);
        CHECK(net.in_flight() == 1000);
        hosts.here.run("ip link del eth1");
        co_await pause(500ms);  // each is told
        auto cpu = cpu_time();
        co_await pause(500ms);
        auto share = (cpu_time() - cpu) / 0.5;
        INFO("CPU: " << share);
        CHECK(share < 0.05);
        CHECK(std::count(ended.begin(), ended.end(), 1) == 1000);
        CHECK(answered == 0);
        CHECK(failed == 1000);
        CHECK(net.in_flight() == 0);
        CHECK(co_await net.sr1(IP{.dst = "127.0.0.1"} / ICMP{}, {.timeout = 1s}));
        auto none =
            net.sr1(IP{.dst = "198.19.0.1"} / ICMP{}, {.timeout = 1s}, asio::as_tuple(asio::deferred));
        auto [ec, x] = co_await std::move(none);
        CHECK(ec == errc::no_route);
    });
    CHECK(open_descriptors() == before);
}

TEST_CASE("frames that wait for room when their interface is removed are failures, and the run ends",
          "[lab][faults]") {
    two_hosts hosts;
    // By the send buffer, of which an event tells, and by the interface's queue, of which none does.
    bool const by_buffer = GENERATE(true, false);
    if (by_buffer) hosts.here.run("tc qdisc add dev eth1 root tbf rate 8kbit burst 2000 limit 100000000");
    run([&]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        CHECK(co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s}));
        std::vector<packet> large;
        for (auto const& p : pings(2000)) large.push_back(p / std::string(1000, 'x'));
        std::optional<injection> no_room;
        if (!by_buffer)
            no_room.emplace(call::sendmmsg, [](unsigned n) { return fate{.error = n > 1 ? ENOBUFS : 0}; });
        auto scan = net.sr(std::move(large), {.timeout = 300ms});
        auto change = [&]() -> asio::awaitable<void> {
            co_await pause(100ms);
            hosts.here.run("ip link del eth1");
        };
        asio::co_spawn(net.get_executor(), change(), asio::detached);
        auto began = std::chrono::steady_clock::now();
        auto o = co_await finish(scan, 2000);
        CHECK(std::chrono::steady_clock::now() - began < 5s);
        CHECK(o.report.sent > 0);
        CHECK(o.report.send_errors > 1000);
        CHECK(o.report.first_error == errc::no_such_interface);
        no_room.reset();
        auto sending = net.send(IP{.dst = "198.19.0.1"} / ICMP{}, {}, asio::as_tuple(asio::deferred));
        auto [ec, r] = co_await std::move(sending);
        CHECK(ec == errc::no_route);
    });
}

TEST_CASE("a renamed interface is found by its new name at once, and by its old one no more",
          "[lab][faults]") {
    two_hosts hosts;
    run([&]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        CHECK(co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s, .iface = "eth1"}));
        hosts.here.run("ip link set eth1 down; ip link set eth1 name wan0; ip link set wan0 up");
        hosts.here.await_carrier("wan0");
        CHECK(co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s, .iface = "wan0"}));
        auto old =
            net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.iface = "eth1"}, asio::as_tuple(asio::deferred));
        auto [ec, x] = co_await std::move(old);
        CHECK(ec == errc::no_such_interface);
        CHECK(net.why() == "eth1");
    });
}

TEST_CASE("a route that is replaced takes the next probe, and those in flight still get their answers",
          "[lab][faults]") {
    two_hosts hosts;
    hosts.here.run("ip link add eth2 type veth peer name far2 netns " + hosts.there.path());
    hosts.there.run("ip address add 198.20.0.1/24 dev far2; ip link set far2 up");
    hosts.here.run("ip address add 198.20.0.2/24 dev eth2; ip link set eth2 up");
    hosts.here.await_carrier("eth2");
    run([&]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto by_old = net.sniff({.iface = "eth1", .filter = "icmp[0] == 8 and src host 198.18.255.2"});
        auto by_new = net.sniff({.iface = "eth2", .filter = "icmp[0] == 8 and src host 198.20.0.2"});
        auto scan = net.sr(pings(400), {.timeout = 500ms, .rate = 2000});
        auto change = [&]() -> asio::awaitable<void> {
            co_await pause(100ms);
            hosts.here.run("ip route replace 198.19.0.0/16 via 198.20.0.1");
        };
        asio::co_spawn(net.get_executor(), change(), asio::detached);
        auto o = co_await finish(scan, 400);
        CHECK(o.answers.size() == 400);
        std::uint32_t last_old = 0, first_new = ~0u, n_old = 0, n_new = 0;
        while (auto p = by_old.try_next()) last_old = p->get<IP>().dst.value().value, ++n_old;
        while (auto p = by_new.try_next()) {
            first_new = std::min(first_new, p->get<IP>().dst.value().value);
            ++n_new;
        }
        CHECK(n_old > 50);
        CHECK(n_new > 50);
        CHECK(n_old + n_new == 400);
        // The new way needs its neighbour first; nothing goes the old way any more.
        CHECK(last_old < first_new);
    });
}

TEST_CASE("neighbours that are flushed during a run are asked for again, and no probe is lost",
          "[lab][faults]") {
    two_hosts hosts;
    run([&]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto scan = net.sr(pings(400), {.timeout = 500ms, .rate = 2000});
        auto change = [&]() -> asio::awaitable<void> {
            for (int i = 0; i < 5; ++i) {
                co_await pause(30ms);
                hosts.here.run("ip neighbour flush dev eth1");
            }
        };
        asio::co_spawn(net.get_executor(), change(), asio::detached);
        auto o = co_await finish(scan, 400);
        CHECK(o.answers.size() == 400);
        CHECK(o.report.send_errors == 0);
    });
}
