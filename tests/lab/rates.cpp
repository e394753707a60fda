// Limits of rates against the lab's kernel. Counts and lower bounds only: a busy machine is late, never
// early.

#include "support/catch.hpp"
#include "support/run.hpp"

#include <sonde/sonde.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <cstdlib>
#include <future>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> pause(std::chrono::nanoseconds how_long) {
    asio::steady_timer timer(co_await asio::this_coro::executor, how_long);
    co_await timer.async_wait(asio::use_awaitable);
}

/// From the first probe's departure to the last one's.
std::chrono::nanoseconds spread(exchange_list const& answers) {
    auto [first, last] = std::ranges::minmax(answers, {}, [](exchange const& x) { return x.sent.time; });
    return last.sent.time - first.sent.time;
}

}  // namespace

TEST_CASE("200 probes at 1000 a second take a fifth of a second to leave, all answered") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        co_await net.sr1(IP{.dst = "198.18.7.1"} / ICMP{});  // so that none waits for the neighbour's address
        auto [answers, silent] =
            co_await net.sr(IP{.dst = "198.18.7.1"} / ICMP{.seq = range(1, 200)}, {.rate = 1000}).collect();
        CHECK(answers.size() == 200);
        CHECK(spread(answers) >= 195ms);
        CHECK(spread(answers) <= 2s);
    });
}

TEST_CASE("A network's rate holds for all operations together, and they share it") {
    support::run([]() -> asio::awaitable<void> {
        network net(co_await asio::this_coro::executor, {.rate = 500});
        auto one = net.sr(IP{.dst = "198.18.7.1"} / ICMP{.seq = range(1, 100)});
        auto two = net.sr(IP{.dst = "198.18.7.2"} / ICMP{.seq = range(1, 100)});
        co_await one.next();
        co_await two.next();
        auto began = std::chrono::steady_clock::now();
        while (one.report().sent < 100 || two.report().sent < 100) {
            co_await pause(10ms);
            auto ahead = static_cast<int>(one.report().sent) - static_cast<int>(two.report().sent);
            CHECK(std::abs(ahead) <= 3);
        }
        CHECK(std::chrono::steady_clock::now() - began >= 370ms);
    });
}

TEST_CASE("A prefix that may have two packets a second does not hold up the other one") {
    support::run([]() -> asio::awaitable<void> {
        network net(co_await asio::this_coro::executor, {.per_prefix = {.rate = 2}});
        auto scan = net.sr(IP{.dst = {"198.18.7.1", "198.18.7.2", "198.18.7.3", "198.18.8.1"}} / ICMP{});
        auto first = co_await scan.next(), second = co_await scan.next();
        REQUIRE(first);
        REQUIRE(second);
        CHECK(first->sent.get<IP>().dst == "198.18.7.1");
        CHECK(second->sent.get<IP>().dst == "198.18.8.1");
        auto [rest, silent] = co_await scan.collect();
        CHECK(rest.size() == 2);
        CHECK(spread(rest) >= 490ms);
        CHECK(silent.size() == 0);
    });
}

TEST_CASE("What waits for a limit is let go by a new one, and never leaves when its operation is cancelled") {
    support::run([]() -> asio::awaitable<void> {
        network net(co_await asio::this_coro::executor, {.rate = 0.01});
        auto witness = net.sniff({.iface = "eth1", .filter = "icmp[icmptype] == icmp-echo"});
        co_await net.send(IP{.dst = "198.18.7.1"} / ICMP{});
        {
            auto cancelled = net.sr(IP{.dst = "198.18.7.2"} / ICMP{});
            auto waits = cancelled.next(asio::use_future);
            co_await pause(20ms);
            CHECK(cancelled.report().sent == 0);
        }
        auto scan = net.sr(IP{.dst = "198.18.7.3"} / ICMP{.seq = range(1, 10)}, {.rate = 0.01});
        auto waits = scan.next(asio::use_future);
        co_await pause(20ms);
        CHECK(scan.report().sent == 0);
        net.set_rate(1000);
        co_await pause(100ms);
        CHECK(scan.report().sent == 1);
        scan.set_rate(1000);
        for (int i = 0; i < 100 && scan.report().sent < 10; ++i) co_await pause(20ms);
        CHECK(scan.report().sent == 10);
        std::size_t to_the_cancelled = 0;
        while (auto p = witness.try_next()) to_the_cancelled += p->get<IP>().dst == "198.18.7.2";
        CHECK(to_the_cancelled == 0);
    });
}

TEST_CASE("An adaptive timeout gives a silent host up as soon as its neighbours' answers allow") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto [answers, silent] =
            co_await net.sr(IP{.dst = "198.18.7.0/28"} / ICMP{}, {.timeout = adaptive, .retry = 1}).collect();
        CHECK(answers.size() == 16);
        auto began = std::chrono::steady_clock::now();
        auto x = co_await net.sr1(IP{.dst = "198.19.248.7"} / ICMP{}, {.timeout = adaptive});
        auto waited = std::chrono::steady_clock::now() - began;
        CHECK_FALSE(x);
        CHECK(waited >= 100ms);
        CHECK(waited < 900ms);
    });
}
