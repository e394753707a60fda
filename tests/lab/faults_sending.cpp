// What the kernel does not take: one probe's failure or a short wait, never the run's end, and never a frame
// twice.
#include "faults_calls.hpp"
#include "faults_support.hpp"

#include <boost/asio/this_coro.hpp>

#include <map>

namespace asio = boost::asio;
using namespace sonde;
using namespace faults;
using namespace std::chrono_literals;

namespace {

/// How often each address was asked, as the wire has it: all answers are there, so all requests are.
std::map<std::uint32_t, int> asked(packet_stream& witness) {
    std::map<std::uint32_t, int> seen;
    while (auto p = witness.try_next())
        if (p->get<ICMP>().type == "echo-request") ++seen[p->get<IP>().dst.value().value];
    return seen;
}

/// Each of `probes` addresses, once.
void check_none_doubled(std::map<std::uint32_t, int> const& seen, std::size_t probes) {
    CHECK(seen.size() == probes);
    for (auto const& [address, times] : seen) CHECK(times == 1);
}

/// One answer, so that later probes need no neighbour.
asio::awaitable<void> warm_up(network& net) {
    auto x = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 2s});
    REQUIRE(x);
}

}  // namespace

TEST_CASE("a firewall's EPERM is the failure of the probes it forbids, and the others go on",
          "[lab][faults]") {
    test::own_netns own;
    own.run(
        "nft 'add table ip t; add chain ip t out { type filter hook output priority 0; };"
        "add rule ip t out ip daddr 127.0.0.2 drop; add rule ip t out ip daddr 127.0.0.5 drop'");
    run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto scan = net.sr(pings(8, "127.0.0.1"), {.timeout = 300ms});
        auto o = co_await finish(scan, 8);
        CHECK(o.answers.size() == 6);
        CHECK(o.report.send_errors == 2);
        CHECK(o.report.first_error == errc::permission);
        REQUIRE(o.silent.size() == 2);
        CHECK(o.silent[0].get<IP>().dst == "127.0.0.2");
        CHECK(o.silent[1].get<IP>().dst == "127.0.0.5");
    });
}

TEST_CASE("ENOBUFS a few times delays a run, and every frame leaves once", "[lab][faults]") {
    two_hosts hosts;
    run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        co_await warm_up(net);
        auto witness = net.sniff({.iface = "eth1", .filter = "icmp"});
        injection full(call::sendmmsg, [](unsigned n) { return fate{.error = n % 4 != 0 ? ENOBUFS : 0}; });
        auto scan = net.sr(pings(300), {.timeout = 500ms});
        auto o = co_await finish(scan, 300);
        CHECK(o.answers.size() == 300);
        CHECK(o.report.send_errors == 0);
        check_none_doubled(asked(witness), 300);
    });
}

TEST_CASE("ENOBUFS that does not end becomes a failure of the probe, after a bounded wait without a spin",
          "[lab][faults]") {
    two_hosts hosts;
    run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        co_await warm_up(net);
        auto cpu = cpu_time();
        auto began = std::chrono::steady_clock::now();
        {
            injection full(call::sendmmsg, [](unsigned) { return fate{.error = ENOBUFS}; });
            auto scan = net.sr(pings(1), {.timeout = 300ms});
            auto o = co_await finish(scan, 1);
            CHECK(o.report.send_errors == 1);
            CHECK(o.report.first_error == asio::error::no_buffer_space);
            CHECK(full.calls() <= 1100);
        }
        auto took = std::chrono::steady_clock::now() - began;
        CHECK(took > 500ms);
        CHECK(took < 10s);
        // The looks of a sanitizer's build, 1,000 of them, cost something; a spin would take it all.
        CHECK(cpu_time() - cpu < 0.25 * std::chrono::duration<double>(took).count());
        co_await warm_up(net);
    });
}

TEST_CASE("a send buffer that is full is waited for: order kept, nothing lost or doubled, no busy loop",
          "[lab][faults]") {
    two_hosts hosts;
    // 400 pings of 842 bytes at 3 Mbit/s: most of a second, spent waiting for room.
    hosts.here.run("tc qdisc add dev eth1 root tbf rate 3mbit burst 4000 limit 100000000");
    run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        co_await warm_up(net);
        auto witness = net.sniff({.iface = "eth1", .filter = "icmp[0] == 8"});
        auto cpu = cpu_time();
        auto began = std::chrono::steady_clock::now();
        std::vector<packet> large;
        for (auto const& p : pings(400)) large.push_back(p / std::string(800, 'x'));
        unsigned waits = 0;
        {
            injection watched(call::sendmmsg, [](unsigned) { return fate{}; });
            auto scan = net.sr(std::move(large), {.timeout = 2s});
            auto o = co_await finish(scan, 400);
            CHECK(o.answers.size() == 400);
            waits = watched.calls();
        }
        auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        CHECK(took > 0.7);
        auto share = (cpu_time() - cpu) / took;
        INFO("CPU: " << share << ", calls of sendmmsg: " << waits);
        CHECK(waits < 400);
        CHECK(share < 0.30);  // 400 probes and answers, in a sanitizer's build; a busy loop takes 1
        std::uint32_t before = 0, count = 0;
        while (auto p = witness.try_next()) {
            auto address = p->get<IP>().dst.value().value;
            CHECK(address > before);
            before = address;
            ++count;
        }
        CHECK(count == 400);
    });
}

TEST_CASE("EAGAIN for a second costs less than a twentieth of the processor", "[lab][faults]") {
    two_hosts hosts;
    hosts.here.run("tc qdisc add dev eth1 root tbf rate 8kbit burst 2000 limit 100000000");
    run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        co_await warm_up(net);
        std::vector<packet> large;
        for (auto const& p : pings(2000)) large.push_back(p / std::string(1000, 'x'));
        auto scan = net.sr(std::move(large), {.timeout = 60s});
        scan.next([](error_code, std::optional<exchange>) {});
        co_await pause(500ms);  // the buffer is full by now
        auto sent = scan.report().sent;
        auto cpu = cpu_time();
        co_await pause(1s);
        auto share = cpu_time() - cpu;
        CHECK(sent < 2000);
        CHECK(sent > 10);
        INFO("CPU: " << share);
        CHECK(share < 0.05);
    });
}

TEST_CASE("of a batch that the kernel takes in parts, the rest leaves once and in order", "[lab][faults]") {
    two_hosts hosts;
    auto const most = GENERATE(1u, 2u, 63u);
    run([most]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        co_await warm_up(net);
        auto witness = net.sniff({.iface = "eth1", .filter = "icmp"});
        injection partial(call::sendmmsg, [most](unsigned n) {
            return n % 7 == 0 ? fate{.error = EINTR} : fate{.at_most = most};
        });
        auto scan = net.sr(pings(200), {.timeout = 500ms});
        auto o = co_await finish(scan, 200);
        CHECK(o.answers.size() == 200);
        CHECK(partial.calls() >= 200 / most);
        check_none_doubled(asked(witness), 200);
    });
}

TEST_CASE("each packet over the MTU fails by itself, wherever in a batch it stands", "[lab][faults]") {
    two_hosts hosts;
    hosts.here.run("ip link set eth1 mtu 576");
    run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        co_await warm_up(net);
        std::vector<packet> mixed;
        std::size_t too_long = 0;
        for (auto const& p : pings(100)) {
            bool is_long = mixed.size() % 3 == 0;
            too_long += is_long;
            mixed.push_back(p / std::string(is_long ? 600 : 10, 'x'));
        }
        auto scan = net.sr(std::move(mixed), {.timeout = 500ms});
        auto o = co_await finish(scan, 100);
        CHECK(o.report.send_errors == too_long);
        CHECK(o.report.first_error == errc::message_too_long);
        CHECK(o.answers.size() == 100 - too_long);
        for (auto const& p : o.silent) CHECK(p.size() == 1);
    });
}
