// Figures beside those of a plain C loop on the same sockets, in the same run. By hand, in the lab:
//     sonde lab -- build/release/tests/sonde-bench rtt|sr|sr1

#include "plain_loop.hpp"

#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr std::uint32_t first_target = 0xc6120000;  // 198.18.0.0
constexpr std::uint32_t targets = 65536;
constexpr auto target_network = "198.18.0.0/16";

void run(asio::awaitable<void> body) {
    asio::io_context loop(1);
    asio::co_spawn(loop, std::move(body), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    });
    loop.run();
}

double seconds_since(steady::time_point begin) {
    return std::chrono::duration<double>(steady::now() - begin).count();
}

struct quantiles {
    double median, p99;
};
quantiles of(std::vector<double> times) {
    std::ranges::sort(times);
    return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

/// One echo after another, as long as the caller waits: until its coroutine goes on.
asio::awaitable<void> echo(std::vector<double>& waited, std::vector<double>& stamped, unsigned count) {
    network net{co_await asio::this_coro::executor};
    for (unsigned i = 0; i < count; ++i) {
        auto begin = steady::now();
        auto x = co_await net.sr1(IP{.dst = "198.18.0.9"} / ICMP{}, {.timeout = 1s});
        waited.push_back(seconds_since(begin) * 1e6);
        if (x) stamped.push_back(std::chrono::duration<double, std::micro>(x->rtt()).count());
    }
}

int rtt() {
    constexpr unsigned count = 1000;
    std::vector<double> waited, stamped;
    bench::plain_rtt(0xc6120009, 100);  // neighbours and caches are warm
    auto c = of(bench::plain_rtt(0xc6120009, count));
    run(echo(waited, stamped, count));
    auto s = of(waited), k = of(stamped);
    fmt::print("plain  median_us={:.1f} p99_us={:.1f}\n", c.median, c.p99);
    fmt::print("rtt()  median_us={:.1f} p99_us={:.1f}\n", k.median, k.p99);
    fmt::print("sonde  median_us={:.1f} p99_us={:.1f} ratio={:.2f}/{:.2f}\n", s.median, s.p99,
               s.median / c.median, s.p99 / c.p99);
    return 0;
}

void compare(bench::rate const& sonde) {
    auto c = bench::plain_sr("eth1", first_target, targets, 4096);
    double plain = static_cast<double>(c.answered) / c.seconds;
    double ours = static_cast<double>(sonde.answered) / sonde.seconds;
    fmt::print("plain  answered={} per_second={:.0f}\n", c.answered, plain);
    fmt::print("sonde  answered={} per_second={:.0f} ratio={:.2f}\n", sonde.answered, ours, ours / plain);
}

asio::awaitable<void> scan(bench::rate& r) {
    network net{co_await asio::this_coro::executor};
    auto begin = steady::now();
    auto answers = net.sr(IP{.dst = target_network} / TCP{.dport = 80}, {.timeout = 1s});
    while (auto x = co_await answers.next()) do
            ++r.answered, r.seconds = seconds_since(begin);
        while ((x = answers.try_next()));
}

int sr() {
    bench::rate r;
    run(scan(r));
    compare(r);
    return 0;
}

asio::awaitable<void> ask(network& net, std::uint32_t& next, bench::rate& r, steady::time_point begin) {
    while (next < targets) {
        auto address = ipv4(first_target + next++);
        auto x = co_await net.sr1(IP{.dst = address} / TCP{.dport = 80}, {.timeout = 1s});
        if (x) ++r.answered, r.seconds = seconds_since(begin);
    }
}

int sr1() {
    bench::rate r;
    asio::io_context loop(1);
    network net{loop};
    std::uint32_t next = 0;
    auto begin = steady::now();
    for (int i = 0; i < 4096; ++i)
        asio::co_spawn(loop, ask(net, next, r, begin), [](std::exception_ptr e) {
            if (e) std::rethrow_exception(e);
        });
    loop.run();
    compare(r);
    return 0;
}

}  // namespace

int main(int argc, char** argv) try {
    std::string_view what = argc > 1 ? argv[1] : "";
    if (what == "rtt") return rtt();
    if (what == "sr") return sr();
    if (what == "sr1") return sr1();
    fmt::print(stderr, "usage: sonde lab -- sonde-bench rtt|sr|sr1\n");
    return 2;
} catch (std::exception const& e) {
    fmt::print(stderr, "sonde-bench: {}\n", e.what());
    return 3;
}
