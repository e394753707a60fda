// What the room costs, printed: unit_probe "[.bench]" in an optimised build.
#include "support/catch.hpp"
#include "unit/probe/support.hpp"

#include <sonde/probe/identity.hpp>

#include <array>
#include <ctime>
#include <memory>
#include <vector>

using namespace sonde;
using namespace virtual_net;

namespace {

/// Nanoseconds of processor time that one of `n` calls takes: what else runs on the machine counts less.
template <class F>
double time_each(std::uint64_t n, F&& call) {
    auto begin = std::clock();
    for (std::uint64_t i = 0; i < n; ++i) call(i);
    return static_cast<double>(std::clock() - begin) * (1e9 / CLOCKS_PER_SEC) / static_cast<double>(n);
}

void cycle(std::uint32_t n) {
    probe_table table;
    probe_run run(table, 1, {.timeout = 1s, .window = n, .keep_unanswered = false}, n);
    steady_time now{};
    std::vector<match_key> keys;
    double key = time_each(n, [&](std::uint64_t i) { keys.push_back(key_of(1, i, 1)); });
    double send =
        time_each(n, [&](std::uint64_t i) { run.departed(*run.next(now), keys[i], now, stamp(now)); });
    double stranger = time_each(n, [&](std::uint64_t i) {
        if (table.find({.high = keys[i].low, .low = keys[i].high})) std::abort();
    });
    double answer = time_each(n / 2, [&](std::uint64_t i) { run.replied(*table.find(keys[i * 2]), now); });
    now += 1s;
    double expire = time_each(n - n / 2, [&](std::uint64_t) { run.expired(*table.expire(now), now); });
    WARN(n << " in flight, ns each: key " << key << ", next + departed " << send << ", stranger looked up "
           << stranger << ", answered " << answer << ", expired " << expire);
}

/// A long scan: for each probe that leaves, the one `window` before it is answered.
void scan(std::uint64_t window) {
    probe_table table;
    probe_run run(table, 1, {.timeout = 1s, .keep_unanswered = false});
    steady_time now{};
    std::array<match_key, 16> ahead;
    for (std::uint64_t i = 0; i < 16; ++i) ahead[i] = key_of(1, i, 1);
    auto turn = [&](std::uint64_t i) {
        auto key = ahead[i % 16];
        ahead[i % 16] = key_of(1, i + 16, 1);
        table.prefetch(ahead[i % 16]);
        run.departed(*run.next(now), key, now, stamp(now));
        if (i >= window) run.replied(*table.find(key_of(1, i - window, 1)), now);
        now += 1us;
    };
    time_each(500'000, turn);
    auto first = run.accounts().probes;
    WARN("long scan, " << window << " in flight, ns each, two keys included: "
                       << time_each(2'000'000, [&](std::uint64_t i) { turn(first + i); }));
}

}  // namespace

TEST_CASE("The cost of a probe", "[.bench]") {
    scan(100);
    scan(10'000);
    scan(60'000);
    cycle(10'000);
    cycle(100'000);
    cycle(1'000'000);
}

TEST_CASE("The cost of one probe a run, with ten thousand runs at once", "[.bench]") {
    probe_table table;
    steady_time now{};
    std::vector<std::unique_ptr<probe_run>> runs(10'000);
    auto turn = [&](std::uint64_t i) {
        auto& run = runs[i % runs.size()];
        if (run) run->replied(*table.find(key_of(i % runs.size(), 0, 1)), now);
        run = std::make_unique<probe_run>(table, i + 1, run_options{.timeout = 1s}, 1);
        auto d = run->next(now);
        run->departed(*d, key_of(i % runs.size(), 0, 1), now, stamp(now));
        now += 1us;
    };
    time_each(100'000, turn);
    WARN("ns each: " << time_each(1'000'000, turn) << "; sizeof(probe_run) " << sizeof(probe_run));
}

TEST_CASE("The cost of an identity", "[.bench]") {
    identity_source source(secret);
    std::uint64_t sum = 0;
    auto each = [&](auto part) {
        return time_each(1'000'000, [&](std::uint64_t) { sum += part(source.draw()); });
    };
    WARN("ns each: port " << each([&](auto d) { return source.port(d); }) << ", id "
                          << each([&](auto d) { return source.id(d); }) << ", sequence "
                          << each([&](auto d) { return source.sequence(d); }) << ", number "
                          << each([&](auto d) { return source.number(d); }) << ", cookie "
                          << each([&](auto d) { return source.cookie(d); }) << ", all "
                          << each([&](auto d) { return source.at(d).cookie; }));
    CHECK(sum != 0);
}
