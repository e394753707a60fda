// How much at once: ten thousand hosts, a hundred thousand coroutines, a million probes in flight.
#include "support/simulated.hpp"

#include <sonde/sonde.hpp>

#include <malloc.h>

#include <chrono>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;  // an allocator of its own, and ten times the time
#else
constexpr bool sanitized = false;
#endif

std::size_t allocated() {
    return ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
}

double seconds_since(std::chrono::steady_clock::time_point began) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace

TEST_CASE("Ten thousand silent hosts, three attempts of two seconds each") {
    auto began = std::chrono::steady_clock::now();
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        auto& there = sim.add("198.18.0.0/15", host::silent()).there;
        network net{co_await asio::this_coro::executor};
        std::vector<packet> targets;
        auto scan = net.sr(IP{.dst = range(ipv4("198.18.0.0"), ipv4("198.18.39.15"))} / ICMP{},
                           {.timeout = 2s, .retry = 2});
        auto start = sim.now();
        auto got1 = co_await scan.next();
        CHECK(!got1);
        CHECK(there.counts().entered == 30'000);
        CHECK(sim.now() - start == 6s + 200us);
        support::accounting(scan.report(), 10'000);
    });
    auto took = seconds_since(began);
    WARN("10,000 hosts x 3 attempts x 2 s: " << took << " s");
    CHECK(took < (sanitized ? 60 : 5));
}

TEST_CASE("A hundred thousand coroutines await sr1 at once; each gets the answer to its own probe") {
    constexpr std::uint32_t many = sanitized ? 10'000 : 100'000;
    auto began = std::chrono::steady_clock::now();
    support::simulate([&](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/15", {}, path::both({.delay = 50ms, .jitter = 10ms, .loss = 0.01}));
        auto executor = co_await asio::this_coro::executor;
        network net{executor};
        std::uint32_t done = 0, right = 0;
        std::size_t most = 0;
        auto probe = [&](std::uint32_t n) -> asio::awaitable<void> {
            ipv4 target(ipv4("198.18.0.0").value + n);
            auto x = co_await net.sr1(IP{.dst = target} / ICMP{}, {.timeout = 1s, .retry = 4});
            right += x && x->received.get<IP>().src == target;
            ++done;
        };
        std::exception_ptr failed;
        for (std::uint32_t n = 0; n < many; ++n)
            asio::co_spawn(executor, probe(n), [&](std::exception_ptr e) {
                if (e) failed = e;
            });
        while (done < many && !failed) {
            co_await sim.sleep(10ms, asio::use_awaitable);
            most = std::max(most, net.in_flight());
        }
        if (failed) std::rethrow_exception(failed);
        CHECK(right == many);
        CHECK(most > many * 9 / 10);
        CHECK(net.in_flight() == 0);
    });
    WARN(many << " coroutines in sr1: " << seconds_since(began) << " s");
}

TEST_CASE("A million probes of one sr in flight take little, and give it back") {
    constexpr std::uint32_t probes = 1'000'000;
    if (sanitized) return;
    auto began = std::chrono::steady_clock::now();
    support::simulate([&](simulation& sim) -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto got2 = co_await net.sr1(IP{.dst = "198.51.100.2"} / ICMP{});
        CHECK(got2);  // all that is opened once is open
        auto before = allocated();
        std::size_t full = 0;
        {
            auto scan =
                net.sr(IP{.dst = "10.0.0.0/8"} / ICMP{} | shard(0, 16), {.timeout = 60s, .window = probes});
            sim.clock().at(sim.now() + 30s, [&] {
                CHECK(net.in_flight() == probes);
                full = allocated();
            });
            sim.clock().at(sim.now() + 31s, [&] { scan.cancel(); });
            auto [ec, none] = co_await scan.next(asio::as_tuple(asio::use_awaitable));
            CHECK(ec == asio::error::operation_aborted);
            CHECK(net.in_flight() == 0);
        }
        co_await sim.sleep(1s, asio::use_awaitable);
        auto after = allocated();
        auto each = static_cast<double>(full - before) / probes;
        WARN("a probe in flight: " << each << " bytes; left afterwards: "
                                   << static_cast<long>(after) - static_cast<long>(before));
        CHECK(each <= 64);
        CHECK(after <= before + 65536);
    });
    WARN("1,000,000 probes in flight: " << seconds_since(began) << " s");
}
