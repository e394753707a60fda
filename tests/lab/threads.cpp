// Networks among threads: each on a strand of a pool that four threads run, its handlers wherever they like.
#include "support/catch.hpp"

#include <sonde/sonde.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <array>
#include <atomic>
#include <future>
#include <thread>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

struct tally {
    std::atomic<int> answered = 0, elsewhere = 0, cancelled = 0;
};

/// Probes, cancels, scans and sniffs on one network, on the executor that it is spawned on; handlers also on
/// `others`. All of it within a few hundred packets.
asio::awaitable<void> use_network(asio::any_io_executor others, tally& t) {
    using namespace asio::experimental::awaitable_operators;
    auto executor = co_await asio::this_coro::executor;
    network net{executor};
    auto capture = net.sniff({.iface = "lo", .filter = "icmp"});
    for (int n = 0; n < 20; ++n) {
        packet ping = IP{.dst = "127.0.0." + std::to_string(n + 1)} / ICMP{};
        auto x = co_await net.sr1(ping, {.timeout = 5s});
        t.answered += x.has_value();
        net.sr1(ping, {.timeout = 5s},
                asio::bind_executor(others, [&t](error_code ec, auto y) { t.elsewhere += !ec && y; }));
        asio::steady_timer brief(executor, 1ms);
        packet silent = IP{.dst = "198.19.248.7"} / ICMP{};
        auto first = co_await (net.sr1(silent, {.timeout = 5s}, asio::use_awaitable) ||
                               brief.async_wait(asio::use_awaitable));
        t.cancelled += first.index() == 1;
    }
    auto scan = net.sr(IP{.dst = "127.0.0.1"} / TCP{.dport = range(1, 100)}, {.timeout = 5s});
    while (auto x = co_await scan.next()) ++t.answered;
    auto seen = co_await capture.next();
    t.answered += seen.has_value();
}

constexpr int networks = 4;

void check(tally const& t) {
    CHECK(t.answered == networks * (20 + 100 + 1));
    CHECK(t.elsewhere == networks * 20);
    CHECK(t.cancelled == networks * 20);
}

}  // namespace

TEST_CASE("Four networks on strands of an io_context that four threads run") {
    tally t;
    {
        asio::io_context loop(4);
        for (int n = 0; n < networks; ++n)
            asio::co_spawn(asio::make_strand(loop), use_network(loop.get_executor(), t), asio::use_future);
        std::vector<std::thread> threads;
        for (int n = 0; n < 4; ++n) threads.emplace_back([&] { loop.run_for(60s); });
        for (auto& thread : threads) thread.join();
        CHECK(loop.stopped());  // all of them ended by themselves
    }
    check(t);
}

TEST_CASE("Four networks on strands of a thread_pool; futures are waited for by a thread of no pool") {
    tally t;
    {
        asio::thread_pool pool(4);
        std::vector<std::future<void>> ends;
        for (int n = 0; n < networks; ++n)
            ends.push_back(asio::co_spawn(asio::make_strand(pool), use_network(pool.get_executor(), t),
                                          asio::use_future));
        for (auto& end : ends) {
            REQUIRE(end.wait_for(60s) == std::future_status::ready);
            end.get();
        }
        pool.join();
    }
    check(t);
}

TEST_CASE("Many coroutines on many strands share one network by going to its strand") {
    asio::thread_pool pool(4);
    auto home = asio::make_strand(pool);
    auto net = asio::co_spawn(
                   home,
                   [&]() -> asio::awaitable<std::shared_ptr<network>> {
                       co_return std::make_shared<network>(co_await asio::this_coro::executor);
                   },
                   asio::use_future)
                   .get();
    std::atomic<int> answered = 0;
    auto ask = [&](int n) -> asio::awaitable<void> {
        auto probe = [&]() -> asio::awaitable<bool> {
            packet ping = IP{.dst = "127.0.1." + std::to_string(n % 250 + 1)} / ICMP{};
            auto x = co_await net->sr1(ping, {.timeout = 10s});
            co_return x.has_value();
        };
        answered += co_await asio::co_spawn(home, probe(), asio::use_awaitable);
    };
    std::vector<std::future<void>> ends;
    for (int n = 0; n < 200; ++n)
        ends.push_back(asio::co_spawn(asio::make_strand(pool), ask(n), asio::use_future));
    for (auto& end : ends) REQUIRE(end.wait_for(60s) == std::future_status::ready);
    asio::post(home, [&] { net.reset(); });
    pool.join();
    CHECK(answered == 200);
}

namespace {

struct heard {
    std::uint64_t answered = 0, unrelated = 0, at_chosen_port = 0;
};

/// One of two networks that probe over one interface at a time. The second begins when the first is busy, so
/// each hears the other's answers unless they share.
asio::awaitable<void> probe_part(std::uint32_t part, interface_share share, std::atomic<int>& busy,
                                 heard& h) {
    network net{co_await asio::this_coro::executor, {.share = share}};
    net.open({});
    asio::steady_timer pause(co_await asio::this_coro::executor);
    for (++busy; busy < 2;) {
        pause.expires_after(1ms);
        co_await pause.async_wait(asio::use_awaitable);
    }
    auto targets = IP{.dst = "198.18.0.0/20"} / TCP{.dport = {80, 81}} | shard(part, 2);
    auto scan = net.sr(targets, {.timeout = 5s});
    while (auto x = co_await scan.next()) ++h.answered;
    auto chosen = net.sr(IP{.dst = "198.18.0.0/24"} / TCP{.dport = 80, .sport = 40000} | shard(part, 2),
                         {.timeout = 5s});
    while (auto x = co_await chosen.next()) ++h.at_chosen_port;
    h.unrelated = scan.report().unrelated;
}

std::array<heard, 2> probe_by_two(bool shared) {
    std::array<heard, 2> both;
    std::atomic<int> busy = 0;
    std::vector<std::thread> threads;
    for (std::uint32_t part = 0; part < 2; ++part)
        threads.emplace_back([&, part] {
            asio::io_context loop(1);
            auto share = shared ? interface_share{.part = part, .parts = 2} : interface_share{};
            asio::co_spawn(loop, probe_part(part, share, busy, both[part]), asio::use_future);
            loop.run_for(60s);
        });
    for (auto& thread : threads) thread.join();
    return both;
}

}  // namespace

TEST_CASE("Networks that share an interface hear no answers but their own, and all of those") {
    for (auto const& h : probe_by_two(true)) {
        CHECK(h.answered == 4096);
        CHECK(h.at_chosen_port == 128);
        CHECK(h.unrelated < 100);  // what is neither TCP nor UDP comes to both
    }
    std::uint64_t strangers = 0;
    for (auto const& h : probe_by_two(false)) {
        CHECK(h.answered == 4096);
        strangers += h.unrelated;
    }
    CHECK(strangers > 1000);
}

TEST_CASE("A share of an interface that cannot be is refused") {
    asio::io_context loop;
    for (auto share : {interface_share{2, 2}, interface_share{0, 0}, interface_share{0, 65}})
        CHECK_THROWS_WITH(network(loop, {.share = share}), Catch::Contains("they count from 0"));
}
