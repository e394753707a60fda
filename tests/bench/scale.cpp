#include "bench.hpp"

#include <sonde/sim/simulation.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

namespace bench {

using namespace sonde;
using namespace std::chrono_literals;

namespace {

std::uint64_t resident_octets() {
    std::uint64_t total = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> total >> resident;
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// All in flight at once, none answered: each is sent, waits, expires.
void in_flight(std::uint32_t count) {
    simulation sim(1);
    std::uint64_t before = 0, at_most = 0;
    auto begin = steady::now();
    sim.run([&]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor, {.probes = count + 1024}};
        auto set = packet_set(IP{.dst = "10.0.0.0/8"} / TCP{.dport = 80}) | take(count);
        before = resident_octets();
        auto answers = net.sr(std::move(set), {.timeout = 60s, .window = count});
        while (co_await answers.next()) continue;
        at_most = resident_octets();  // what was used stays resident
    });
    fmt::print("{:>9}  {:>8.0f}  {:>8.0f}\n", count, seconds_since(begin) * 1e9 / count,
               static_cast<double>(at_most - before) / count);
}

}  // namespace

int scale(arguments words) {
    auto most = words.empty() ? 1'000'000 : number(words[0]);
    fmt::print("{:>9}  {:>8}  {:>8}\n", "in flight", "ns each", "octets");
    for (std::uint64_t n = 1000; n <= most; n *= 10) in_flight(static_cast<std::uint32_t>(n));
    return 0;
}

}  // namespace bench
