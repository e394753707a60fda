#include "bench.hpp"
#include "plain_loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace bench {

using namespace sonde;
using namespace std::chrono_literals;

namespace {

void rethrow(std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
}

/// What is left of the arguments, and what `--xdp` and `--threads N` were among them.
struct choice {
    explicit choice(arguments words) {
        for (std::size_t i = 0; i < words.size(); ++i)
            if (words[i] == "--xdp")
                options.xdp = true;
            else if (words[i] == "--threads" && i + 1 < words.size())
                threads = static_cast<std::uint32_t>(number(words[++i]));
            else
                rest.push_back(words[i]);
    }
    network_options options;
    std::uint32_t threads = 1;
    std::vector<std::string> rest;
};

asio::awaitable<void> send_all(network_options how, std::uint64_t count) {
    network net{co_await asio::this_coro::executor, how};
    auto rounds = static_cast<std::uint32_t>((count + targets - 1) / targets);
    auto syns = IP{.dst = target_network, .src = "198.51.100.1"} /
                TCP{.dport = 80, .sport = 40000, .seq = range(1u, rounds)};
    co_await net.send(packet_set(syns) | take(count), {}, asio::use_awaitable);
}

struct scanned {
    std::uint64_t answered = 0;
    steady::time_point last_answer{};
};

asio::awaitable<void> scan(network_options how, scanned& s) {
    network net{co_await asio::this_coro::executor, how};
    auto set = packet_set(IP{.dst = target_network} / TCP{.dport = 80});
    auto answers =
        net.sr(how.share.parts > 1 ? set | shard(how.share.part, how.share.parts) : set, {.timeout = 1s});
    while (auto x = co_await answers.next()) {
        do ++s.answered;
        while ((x = answers.try_next()));
        s.last_answer = steady::now();
    }
}

asio::awaitable<void> ask(network& net, std::uint32_t& next, std::uint64_t& answered) {
    while (next < targets) {
        auto address = ipv4(first_target + next++);
        // Not inside the awaited expression: its layers would lie in the coroutine's frame as long as it
        // waits.
        packet probe = IP{.dst = address} / TCP{.dport = 80};
        if (co_await net.sr1(std::move(probe), {.timeout = 1s})) ++answered;
    }
}

/// As long as the caller waits: until its coroutine goes on.
asio::awaitable<void> echo(network_options how, std::vector<double>& waited, std::uint64_t count) {
    network net{co_await asio::this_coro::executor, how};
    for (std::uint64_t i = 0; i < count; ++i) {
        auto begin = steady::now();
        auto x = co_await net.sr1(IP{.dst = "198.18.0.9"} / ICMP{}, {.timeout = 1s});
        if (!x) throw std::runtime_error("198.18.0.9 does not answer");
        waited.push_back(seconds_since(begin) * 1e6);
    }
}

}  // namespace

void run(asio::awaitable<void> body) {
    asio::io_context loop(1);
    asio::co_spawn(loop, std::move(body), rethrow);
    loop.run();
}

double seconds_since(steady::time_point begin) {
    return std::chrono::duration<double>(steady::now() - begin).count();
}

std::uint64_t number(std::string const& text) {
    std::size_t end = 0;
    auto n = std::stoull(text, &end);
    if (end != text.size()) throw std::invalid_argument("a number expected, not " + text);
    return n;
}

quantiles of(std::vector<double> times) {
    if (times.empty()) return {};
    std::ranges::sort(times);
    return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

int tx(arguments words) {
    choice c(words);
    if (c.rest.size() == 2 && c.rest[0] == "--count") c.rest.erase(c.rest.begin());
    run(send_all(c.options, c.rest.empty() ? 262144 : number(c.rest[0])));
    return 0;
}

int sr(arguments words) {
    choice c(words);
    std::vector<scanned> parts(c.threads);
    std::vector<std::jthread> threads;
    auto scan_part = [&](std::uint32_t part) {
        auto how = c.options;
        how.share = {.part = part, .parts = c.threads};
        run(scan(how, parts[part]));
    };
    auto begin = steady::now();
    for (std::uint32_t part = 1; part < c.threads; ++part) threads.emplace_back(scan_part, part);
    scan_part(0);
    threads.clear();  // joins them
    std::uint64_t answered = 0;
    for (auto const& p : parts) answered += p.answered;
    auto last = std::ranges::max(parts, {}, &scanned::last_answer).last_answer;
    fmt::print("answered={} seconds={:.3f}\n", answered, std::chrono::duration<double>(last - begin).count());
    return 0;
}

int sr1(arguments words) {
    constexpr int at_once = 4096;
    asio::io_context loop(1);
    network net{loop, choice(words).options};
    std::uint32_t next = 0;
    std::uint64_t answered = 0;
    for (int i = 0; i < at_once; ++i) asio::co_spawn(loop, ask(net, next, answered), rethrow);
    loop.run();
    fmt::print("answered={}\n", answered);
    return 0;
}

int rtt(arguments words) {
    choice c(words);
    std::vector<double> waited;
    run(echo(c.options, waited, c.rest.empty() ? 300 : number(c.rest[0])));
    auto q = of(std::move(waited));
    fmt::print("median_us={:.1f} p99_us={:.1f}\n", q.median, q.p99);
    return 0;
}

int plain(arguments words) {
    constexpr std::uint32_t window = 4096, echoed = 0xc6120009;
    if (!words.empty() && words[0] == "rtt") {
        plain_rtt(echoed, 100);  // neighbours and caches are warm then
        auto q = of(plain_rtt(echoed, 1000));
        fmt::print("median_us={:.1f} p99_us={:.1f}\n", q.median, q.p99);
        return 0;
    }
    auto c = plain_sr("eth1", first_target, targets, window);
    fmt::print("answered={} per_second={:.0f}\n", c.answered, static_cast<double>(c.answered) / c.seconds);
    return 0;
}

}  // namespace bench
