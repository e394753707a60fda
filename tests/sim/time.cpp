// The simulation's own promises: virtual time, determinism, exact cancellation, clean ends.
#include "support/simulated.hpp"

#include <sonde/sonde.hpp>

#include <algorithm>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

/// Every frame of a run with a bit of everything.
std::vector<captured_frame> traced(std::uint64_t seed) {
    simulation sim(seed);
    sim.record();
    sim.add(
        "198.18.0.0/24", {.tcp = {80}},
        path::both(
            {.delay = 2ms, .jitter = 3ms, .loss = 0.2, .duplicate = 0.1, .reorder = 0.1, .corrupt = 0.05}));
    network net{sim};
    auto scan = [&](std::string target) -> asio::awaitable<void> {
        auto all = net.sr(IP{.dst = target} / TCP{.dport = {80, 81}}, {.timeout = 100ms, .retry = 2});
        while (co_await all.next()) {
        }
    };
    asio::co_spawn(sim, scan("198.18.0.0/25"), asio::detached);
    asio::co_spawn(sim, scan("198.18.0.128/25"), asio::detached);
    for (int i = 0; i < 50; ++i)
        net.sr1(IP{.dst = "198.18.0.9"} / ICMP{}, {.timeout = 50ms}, [](error_code, auto) {});
    sim.run();
    return sim.trace();
}

bool same(std::vector<captured_frame> const& a, std::vector<captured_frame> const& b) {
    return std::ranges::equal(a, b, [](auto const& x, auto const& y) {
        return x.bytes == y.bytes && x.time == y.time && x.outgoing == y.outgoing;
    });
}

}  // namespace

TEST_CASE("The same seed gives the same frames at the same times, another seed others") {
    auto first = traced(7);
    CHECK(first.size() > 1000);
    CHECK(same(first, traced(7)));
    CHECK(!same(first, traced(8)));
}

TEST_CASE("A day passes in no time; sleeps end in order, and a cancelled one at once") {
    auto began = std::chrono::steady_clock::now();
    simulation sim;
    std::string order;
    auto sleeper = [&](std::chrono::nanoseconds d, char c) -> asio::awaitable<void> {
        co_await sim.sleep(d);
        order += c;
    };
    auto const start = sim.now();
    asio::co_spawn(sim, sleeper(24h, 'd'), asio::detached);
    asio::co_spawn(sim, sleeper(1h, 'h'), asio::detached);
    asio::co_spawn(sim, sleeper(1ms, 'm'), asio::detached);
    asio::cancellation_signal stop;
    error_code ended;
    sim.sleep(48h, asio::bind_cancellation_slot(stop.slot(), [&](error_code ec) { ended = ec; }));
    sim.run_for(30min);
    CHECK(order == "m");
    CHECK(sim.now() - start == 30min);
    stop.emit(asio::cancellation_type::total);
    CHECK(!ended);
    sim.run();
    CHECK(ended == asio::error::operation_aborted);
    CHECK(order == "mhd");
    CHECK(sim.now() - start == 24h);
    CHECK(std::chrono::steady_clock::now() - began < 5s);
}

TEST_CASE("Cancelling is exact: what has not left never leaves, and nothing stays behind") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        auto& there = sim.add("198.18.0.0/16", host::silent()).there;
        network net{co_await asio::this_coro::executor};
        {
            auto scan =
                net.sr(IP{.dst = "198.18.0.0/16"} / ICMP{}, {.timeout = 10s, .retry = 3, .rate = 1000});
            asio::cancellation_signal stop;
            sim.clock().at(sim.now() + 1s, [&] { stop.emit(asio::cancellation_type::terminal); });
            auto [ec, x] = co_await scan.next(
                asio::bind_cancellation_slot(stop.slot(), asio::as_tuple(asio::use_awaitable)));
            CHECK(ec == asio::error::operation_aborted);
            CHECK(net.in_flight() > 900);  // the stream goes on: only the wait was cancelled
        }
        auto sent = there.counts().entered;
        CHECK(sent >= 990);
        CHECK(sent <= 1010);
        CHECK(net.in_flight() == 0);
        co_await sim.sleep(1min, asio::use_awaitable);
        CHECK(there.counts().entered == sent);
    });
}

TEST_CASE("Two networks share the machine; what one does is not the other's") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {}, path::both({.delay = 10ms}));
        network a{co_await asio::this_coro::executor}, b{co_await asio::this_coro::executor};
        auto one = a.sr(IP{.dst = "198.18.0.1"} / ICMP{});
        auto two = b.sr(IP{.dst = "198.18.0.1"} / ICMP{});
        auto got1 = co_await one.next();
        CHECK(got1);
        auto got2 = co_await two.next();
        CHECK(got2);
        auto got3 = co_await two.next();
        CHECK(!got3);
        CHECK(a.in_flight() + b.in_flight() == 0);
    });
}

TEST_CASE("A coroutine that waits for what never happens is told of, with the seed") {
    simulation sim(4711);
    try {
        sim.run([&]() -> asio::awaitable<void> {
            network net{co_await asio::this_coro::executor};
            auto capture = net.sniff({.iface = "eth1"});
            co_await capture.next();
        });
        FAIL("it cannot end");
    } catch (std::runtime_error const& e) {
        CHECK(std::string(e.what()).find("4711") != std::string::npos);
    }
}

TEST_CASE("A simulation destroyed with operations pending frees them, their coroutines and their networks") {
    int alive = 0;
    struct token {
        explicit token(int& n) : count(n) { ++count; }
        ~token() { --count; }
        int& count;
    };
    {
        simulation sim;
        sim.add("198.18.0.1", host::silent());
        auto waits = [&]() -> asio::awaitable<void> {
            token t(alive);
            network net{co_await asio::this_coro::executor};  // its own: it and its handler keep each other
            co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1h});
            FAIL("nobody answers");
        };
        auto sleeps = [&]() -> asio::awaitable<void> {
            token t(alive);
            co_await sim.sleep(1h);
        };
        asio::co_spawn(sim, waits(), asio::detached);
        asio::co_spawn(sim, sleeps(), asio::detached);
        sim.run_for(1s);
        CHECK(alive == 2);
    }
    CHECK(alive == 0);
}

TEST_CASE("Real time can be the simulation's, too") {
    simulation sim;
    sim.add("198.18.0.1", {}, path::both({.delay = 10ms}));
    network net{sim};
    bool done = false;
    auto began = std::chrono::steady_clock::now();
    net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {},
            [&](error_code, std::optional<exchange> x) { done = x.has_value(); });
    sim.run_in_real_time([&] { return done; });
    CHECK(done);
    CHECK(std::chrono::steady_clock::now() - began >= 20ms);
}
