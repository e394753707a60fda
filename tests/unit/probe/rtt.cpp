#include <sonde/probe/rtt.hpp>

#include "support/catch.hpp"
#include "unit/probe/support.hpp"

#include <random>
#include <set>

using namespace sonde;
using namespace virtual_net;

namespace {

ip_address host(std::uint32_t n) {
    return ipv4(0xc6120000 + n);
}

}  // namespace

TEST_CASE("The first sample sets SRTT, and half of it RTTVAR (RFC 6298, 2.2)") {
    rtt_estimator e;
    CHECK(e.empty());
    e.sample(80ms);
    CHECK(e.srtt() == 80ms);
    CHECK(e.rttvar() == 40ms);
    CHECK(e.timeout() == 240ms);
}

TEST_CASE("Further samples move SRTT by an eighth and RTTVAR by a quarter, RTTVAR first (RFC 6298, 2.3)") {
    rtt_estimator e;
    e.sample(80ms);
    e.sample(160ms);
    CHECK(e.rttvar() == 50ms);  // 3/4 * 40 + 1/4 * |80 - 160|
    CHECK(e.srtt() == 90ms);    // 7/8 * 80 + 1/8 * 160
    CHECK(e.timeout() == 290ms);
}

TEST_CASE("A path that never varies keeps the granularity of the clock as its margin") {
    rtt_estimator e;
    for (int i = 0; i < 200; ++i) e.sample(20ms);
    CHECK(e.srtt() == 20ms);
    CHECK(e.timeout() == 21ms);
}

TEST_CASE("A destination that was never heard of waits as all others do, and the first of all a second") {
    rtt_table table;
    CHECK(table.timeout(host(1), 1) == 1s);
    CHECK(table.timeout({}, 1) == 1s);
    table.sample(host(1), 80ms, steady_time{});
    CHECK(table.timeout(host(1), 1) == 240ms);
    CHECK(table.timeout(host(2), 1) == 240ms);
    for (int i = 0; i < 50; ++i) table.sample(host(2), 600ms, steady_time{});
    CHECK(table.timeout(host(1), 1) == 240ms);
    CHECK(table.timeout(host(3), 1) > 500ms);
    CHECK(table.timeout(host(2), 1) > 600ms);
}

TEST_CASE("Each attempt waits twice as long as the one before, within the limits") {
    rtt_table table({.least = 100ms, .most = 3s});
    table.sample(host(1), 2ms, steady_time{});
    std::vector<steady_duration> waits;
    for (unsigned attempt = 1; attempt <= 7; ++attempt) waits.push_back(table.timeout(host(1), attempt));
    CHECK(waits == std::vector<steady_duration>{100ms, 200ms, 400ms, 800ms, 1600ms, 3s, 3s});
    CHECK(table.timeout(host(1), 65535) == 3s);
    for (int i = 0; i < 50; ++i) table.sample(host(2), 7s, steady_time{});
    CHECK(table.timeout(host(2), 1) == 3s);
}

TEST_CASE("Samples that cannot be are ignored and counted") {
    rtt_table table;
    CHECK_FALSE(table.sample(host(1), -1ns, steady_time{}));
    CHECK_FALSE(table.sample(host(1), 8s + 1ns, steady_time{}));
    CHECK(table.bogus() == 2);
    CHECK(table.global().empty());
    CHECK(table.destinations() == 0);
    CHECK(table.sample(host(1), 0ns, steady_time{}));
    CHECK(table.sample(host(1), 8s, steady_time{}));
}

TEST_CASE("A scan of a million hosts keeps the latest of them, and the estimate of all") {
    rtt_table table({}, 1000);
    steady_time now{};
    for (std::uint32_t i = 0; i < 1'000'000; ++i) table.sample(host(i), 200ms, now += 1us);
    CHECK(table.destinations() == 1000);
    CHECK(table.counters().inserted == 1'000'000);
    CHECK(table.counters().evicted == 999'000);
    CHECK(table.timeout(host(999'999), 1) == 600ms);
    CHECK(table.timeout(host(0), 1) == table.timeout({}, 1));
    CHECK(table.timeout(host(0), 1) < 210ms);
}

TEST_CASE("What was not heard of for ten minutes is forgotten, what is heard of is not") {
    rtt_table table;
    table.sample(host(1), 50ms, steady_time{});
    table.sample(host(2), 50ms, steady_time{});
    table.sample(host(1), 50ms, steady_time(9min));
    table.sample(host(3), 50ms, steady_time(11min));
    CHECK(table.destinations() == 2);
    CHECK(table.counters().expired == 1);
}

TEST_CASE("Spans are rounded up by less than an eighth, to eight different ones an octave") {
    std::mt19937_64 random(7);
    std::set<steady_duration> different;
    for (int i = 0; i < 100'000; ++i) {
        steady_duration span(static_cast<std::int64_t>(random() % 2'900'000'000 + 100'000'000));
        auto rounded = rounded_up(span);
        different.insert(rounded);
        if (rounded < span || rounded - span > span / 8) FAIL(span.count());
        if (rounded_up(rounded) != rounded) FAIL(span.count());
    }
    CHECK(different.size() <= 42);
    CHECK(rounded_up(steady_duration::max()) == no_timeout);
    CHECK(rounded_up(1ns) == 1ns);
    CHECK(rounded_up(15ns) == 15ns);
    CHECK(rounded_up(17ns) == 18ns);
    CHECK(rounded_up(-1ns) == 0ns);
}

// Runs

namespace {

/// A net with one run whose answers are samples; every probe goes to a host of its own number.
struct measured_net : net {
    using net::net;
    void go(probe_run& run) {
        while (!run.finished()) {
            while (auto d = run.next(now)) {
                departures.push_back({*d, now});
                auto key = key_of(1, d->index, fixed ? 0 : d->attempt);
                run.departed(*d, key, now, stamp(now), 0, host(static_cast<std::uint32_t>(d->index)));
                for (auto delay : respond(*d)) replies.emplace(now + delay, std::pair(key, d->index));
            }
            auto next = never;
            if (auto t = run.wake_at()) next = std::min(next, std::max(*t, now));
            if (auto t = table.next_deadline()) next = std::min(next, *t);
            if (!replies.empty()) next = std::min(next, replies.begin()->first);
            if (next == never) return;
            now = next;
            while (!replies.empty() && replies.begin()->first <= now) take(run);
            while (auto attempt = table.expire(now)) run.expired(*attempt, now);
        }
    }
    void take(probe_run& run) {
        auto [key, index] = replies.begin()->second;
        replies.erase(replies.begin());
        if (auto found = table.find(key))
            run.replied(*found, now, arrival{stamp(now), host(static_cast<std::uint32_t>(index))});
    }

    std::function<std::vector<steady_duration>(departure const&)> respond;
    std::multimap<steady_time, std::pair<match_key, std::uint64_t>> replies;
    bool fixed = false;
};

}  // namespace

TEST_CASE("With an adaptive timeout silence costs a second at first, and what answers took later") {
    measured_net n(silence);
    rtt_table rtts;
    n.respond = [](departure const& d) {
        return d.index < 100 ? std::vector<steady_duration>{20ms} : std::vector<steady_duration>{};
    };
    {
        probe_run run(n.table, 1, {.timeout = adaptive, .inter = 1ms}, 100, &rtts);
        n.go(run);
        CHECK(run.report().answered == 100);
    }
    auto began = n.now;
    n.respond = silence;
    probe_run run(n.table, 1, {.timeout = adaptive, .retry = 2}, 1, &rtts);
    n.go(run);
    CHECK(run.accounts().timed_out == 1);
    auto waited = n.now - began;
    CHECK(waited >= 100ms + 200ms + 400ms);
    CHECK(waited <= (100ms + 200ms + 400ms) * 9 / 8);
    CHECK(n.table.in_flight() == 0);
}

TEST_CASE(
    "An answer to a retry is a sample of the retry's own time, not of the time since the first attempt") {
    measured_net n(silence);
    rtt_table rtts;
    n.respond = [](departure const& d) {
        return d.attempt == 2 ? std::vector<steady_duration>{30ms} : std::vector<steady_duration>{};
    };
    SECTION("attempts have identities of their own") {
        probe_run run(n.table, 1, {.timeout = adaptive, .retry = 1}, 1, &rtts);
        n.go(run);
        CHECK(rtts.global().srtt() == 30ms);
    }
    SECTION("the user had fixed them: the answer tells nothing, and is no sample") {
        n.fixed = true;
        probe_run run(n.table, 1, {.timeout = adaptive, .retry = 1}, 1, &rtts);
        n.go(run);
        CHECK(run.report().answered == 1);
        CHECK(rtts.global().empty());
    }
}

TEST_CASE("An answer that comes after its attempt timed out makes the next timeout longer") {
    measured_net n(silence);
    rtt_table rtts;
    for (int i = 0; i < 100; ++i) rtts.sample(host(0), 10ms, n.now);
    CHECK(rtts.timeout(host(0), 1) == 100ms);
    n.respond = [](departure const&) { return std::vector<steady_duration>{400ms}; };
    probe_run run(n.table, 1, {.timeout = adaptive, .retry = 3}, 1, &rtts);
    n.go(run);
    CHECK(run.report().answered == 1);
    CHECK(rtts.timeout(host(0), 1) > 250ms);
}

TEST_CASE("Adaptive timeouts of ten thousand hosts, all different, come due in order") {
    measured_net n(silence);
    rtt_table rtts;
    std::mt19937 random(11);
    for (std::uint32_t i = 0; i < 10'000; ++i)
        rtts.sample(host(i), std::chrono::microseconds(random() % 1'000'000), n.now);
    n.respond = silence;
    probe_run run(n.table, 1, {.timeout = adaptive}, 10'000, &rtts);
    while (auto d = run.next(n.now))
        run.departed(*d, key_of(1, d->index, 1), n.now, stamp(n.now), 0,
                     host(static_cast<std::uint32_t>(d->index)));
    std::size_t expired = 0;
    while (auto t = n.table.next_deadline()) {
        REQUIRE(*t >= n.now);
        n.now = *t;
        while (auto attempt = n.table.expire(n.now)) {
            auto wanted = rtts.timeout(host(static_cast<std::uint32_t>(attempt->index)), 1);
            auto waited = n.now - steady_time{};
            if (waited < wanted || waited > wanted * 9 / 8) FAIL(attempt->index);
            run.expired(*attempt, n.now);
            ++expired;
        }
    }
    CHECK(expired == 10'000);
    CHECK(run.finished());
}
