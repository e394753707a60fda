#include "support/catch.hpp"
#include "unit/probe/support.hpp"

#include <malloc.h>

#include <cstdlib>
#include <new>
#include <utility>

using namespace sonde;
using namespace virtual_net;

// Every allocation of this program is counted, and can be made to fail; the tests look at differences.
namespace {

std::size_t allocations = 0;
std::size_t failing = 0;  // the number of the allocation that fails; 0: none
std::size_t live_bytes = 0;

void* counted(std::size_t size) {
    void* p = ++allocations == failing ? nullptr : std::malloc(size);
    live_bytes += ::malloc_usable_size(p);
    return p;
}

void uncounted(void* p) {
    live_bytes -= ::malloc_usable_size(p);
    std::free(p);
}

}  // namespace

void* operator new(std::size_t size) {
    if (void* p = counted(size)) return p;
    throw std::bad_alloc();
}
void* operator new(std::size_t size, std::nothrow_t const&) noexcept {
    return counted(size);
}
void operator delete(void* p) noexcept {
    uncounted(p);
}
void operator delete(void* p, std::size_t) noexcept {
    uncounted(p);
}

namespace {

constexpr std::uint32_t million = 1'000'000;

/// One probe of a new run, from its departure to its end.
void one_probe(probe_table& table, steady_time& now, std::uint64_t number, bool replies) {
    probe_run run(table, 1, {.timeout = 100ms, .keep_unanswered = false, .rest = 1s}, 1);
    auto d = run.next(now);
    run.departed(*d, key_of(number, 0, 1), now, stamp(now));
    now += 100ms;
    if (replies) {
        run.replied(*table.find(key_of(number, 0, 1)), now);
    } else {
        run.expired(*table.expire(now), now);
    }
    if (!run.finished()) std::abort();
}

/// Three runs with all kinds of ends, one after another on the same table.
void everything(probe_table& table) {
    steady_time now{};
    for (int retry : {0, 1, -1}) {
        probe_run run(table, 1, {.timeout = 100ms, .retry = retry, .rest = 1s});
        for (int turn = 0; turn < 10 && !run.finished(); ++turn) {
            while (auto d = run.next(now)) {
                if (d->index == 300) {
                    run.source_ended(300);
                } else if (d->index % 10 == 3) {
                    run.send_failed(*d, errc::no_route);
                } else {
                    run.departed(*d, key_of(1, d->index, d->attempt), now, stamp(now));
                }
            }
            now += 10ms;
            for (std::uint64_t i = 0; i < 300; i += 5) {
                if (auto found = table.find(key_of(1, i, 1))) run.replied(*found, now);
            }
            now += 90ms;
            while (auto a = table.expire(now)) run.expired(*a, now);
        }
        if (!run.finished() || !run.accounts().holds()) std::abort();
    }
    table.forget(now + 1h);
    if (!table.empty() || !table.has_room()) std::abort();
}

}  // namespace

TEST_CASE("A million probes in flight take at most 64 bytes each, and give them back") {
    probe_table table;
    auto empty = table.bytes();
    probe_run run(table, 1, {.timeout = 1s, .window = million, .keep_unanswered = false}, million);
    steady_time now{};
    double most = 0;
    auto each = [&] { return static_cast<double>(table.bytes() - empty) / table.in_flight(); };
    while (auto d = run.next(now)) {
        run.departed(*d, key_of(1, d->index, 1), now, stamp(now));
        if (d->index > 400'000) most = std::max(most, each());
    }
    REQUIRE(table.in_flight() == million);
    WARN("bytes per probe with 1,000,000 in flight: " << each() << "; at worst on the way there: " << most);
    CHECK(each() <= 64);
    CHECK(most <= 64);
    CHECK(sizeof(probe_run) <= 640);

    now += 1s;
    while (auto a = table.expire(now)) run.expired(*a, now);
    CHECK(run.finished());
    CHECK(table.at_rest() == table_limits{}.rests);
    CHECK(table.bytes() < 16u << 20);
    table.forget(now + 2s);
    CHECK(table.empty());
    CHECK(table.bytes() < 300'000);
}

TEST_CASE("What a table says that it takes is what it takes, also for timeouts of attempts' own") {
    steady_time const now{};
    probe_table table;
    auto owner = table.open(1, 1s, 1s);
    std::uint64_t number = 0;
    auto insert = [&](std::optional<steady_duration> timeout) {
        REQUIRE_FALSE(table.admit());
        table.insert(owner, key_of(1, number, 1), number, 1, 0, now, stamp(now), timeout);
        ++number;
    };
    insert({});
    auto told = table.bytes(), taken = live_bytes;
    // Every span that there is: eight to an octave.
    for (auto span = 1ns; span < no_timeout; span = rounded_up(span + 1ns)) insert(span);
    told = table.bytes() - told;
    taken = live_bytes - taken;
    REQUIRE(number == 1 + 15 + 59 * 8);
    CHECK(static_cast<double>(told) == Approx(static_cast<double>(taken)).epsilon(0.02));
    table.cancel(owner);
}

TEST_CASE("Once warm, a probe allocates nothing, alone or as one of many") {
    probe_table table;
    steady_time now{};
    SECTION("sr1 after sr1, with a rest of ten behind each") {
        for (std::uint64_t i = 0; i < 100; ++i) one_probe(table, now, i, i % 2);
        auto before = allocations;
        for (std::uint64_t i = 100; i < 10'000; ++i) one_probe(table, now, i, i % 2);
        CHECK(allocations == before);
    }
    SECTION("a long run in a window") {
        probe_run run(table, 1, {.timeout = 100ms, .retry = 1, .window = 1000, .rest = 1s});
        std::size_t before = 0;
        for (int turn = 0; turn < 300; ++turn) {
            if (turn == 150) before = allocations;
            while (auto d = run.next(now)) run.departed(*d, key_of(1, d->index, d->attempt), now, stamp(now));
            now += 50ms;
            while (auto a = table.expire(now)) run.expired(*a, now);
        }
        CHECK(run.report().sent > 140'000);
        CHECK(allocations <= before + 20);  // pages of `unanswered`: one for 4096 probes
        CHECK(allocations > before);        // and the counter counts
    }
}

TEST_CASE("Whichever allocation fails, its run ends and the table lives on") {
    int failures = 0;
    for (std::size_t n = 1;; ++n) {
        probe_table table(table_limits{.probes = 300});
        failing = allocations + n;
        try {
            everything(table);
            failing = 0;
            break;
        } catch (std::bad_alloc const&) {
            ++failures;
        }
        REQUIRE(table.in_flight() == 0);
        everything(table);  // with all 300 places
    }
    CHECK(failures > 20);
}

TEST_CASE("What a silent network costs is one bit for each probe") {
    index_set set;
    auto before = allocations;
    for (std::uint64_t i = 0; i < million; ++i) set.insert(i);
    CHECK((allocations - before) * 560 * 8 < million * 115 / 100);
}
