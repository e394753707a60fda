#include <sonde/probe/rate_control.hpp>

#include "support/catch.hpp"
#include "unit/probe/support.hpp"

#include <cmath>
#include <deque>
#include <memory>
#include <queue>
#include <random>

using namespace sonde;
using namespace virtual_net;

namespace {

double seconds(steady_duration d) {
    return std::chrono::duration<double>(d).count();
}

/// One path that all runs share: `capacity` packets a second, a queue before it whose overflow is lost, a
/// delay behind it, and hosts of which a part never answers.
struct shared_path {
    shared_path(double per_second, double packets_queued, steady_duration one_way, unsigned seed)
        : capacity(per_second), queue(packets_queued), delay(one_way), random(seed) {}

    double capacity, queue;
    steady_duration delay;
    std::uint64_t silent = 300;  // of 1000
    std::mt19937_64 random;

    struct flow {
        std::unique_ptr<probe_run> run;
        steady_time begin{};
        std::uint64_t sent = 0;
    };
    struct reply {
        steady_time at;
        std::size_t flow;
        match_key key;
        bool operator>(reply const& o) const { return at > o.at; }
    };

    probe_table table;
    rtt_table rtts;
    std::deque<flow> flows;
    std::priority_queue<reply, std::vector<reply>, std::greater<>> replies;
    steady_time now{}, idle_from{};
    // Timers fire late by as much, which keeps runs from going in step.
    steady_duration lateness() { return std::chrono::microseconds(random() % 50); }

    void add(steady_time begin, run_options options) {
        flows.push_back(
            {.run = std::make_unique<probe_run>(table, flows.size() + 1, options, std::nullopt, &rtts),
             .begin = begin});
    }

    void carry(std::size_t f, departure const& d) {
        auto key = key_of(f + 1, d.index, d.attempt);
        flows[f].run->departed(d, key, now, stamp(now));
        ++flows[f].sent;
        idle_from = std::max(idle_from, now);
        if (seconds(idle_from - now) * capacity > queue) return;
        idle_from += std::chrono::nanoseconds(std::llround(1e9 / capacity));
        bool answers = (d.index * 2654435761 + f) % 1000 >= silent;
        if (answers) replies.push({idle_from + delay, f, key});
    }

    void run_until(steady_time end) {
        while (now < end) {
            auto next = end;
            for (std::size_t f = 0; f < flows.size(); ++f) {
                if (flows[f].begin > now) {
                    next = std::min(next, flows[f].begin);
                    continue;
                }
                while (auto d = flows[f].run->next(now)) carry(f, *d);
                if (auto t = flows[f].run->wake_at()) next = std::min(next, *t);
            }
            if (auto t = table.next_deadline()) next = std::min(next, *t);
            if (!replies.empty()) next = std::min(next, replies.top().at);
            now = std::max(now, next + lateness());
            while (!replies.empty() && replies.top().at <= now) {
                auto r = replies.top();
                replies.pop();
                if (auto found = table.find(r.key))
                    flows[r.flow].run->replied(*found, now, arrival{stamp(now), {}});
            }
            while (auto a = table.expire(now)) flows[a->user - 1].run->expired(*a, now);
        }
    }
};

run_options const hasty{.timeout = adaptive, .retry = 2, .rate = adaptive};

/// The mean rate of each flow over the next `span`.
std::vector<double> rates_over(shared_path& path, steady_duration span) {
    std::vector<std::uint64_t> before;
    for (auto& f : path.flows) before.push_back(f.sent);
    path.run_until(path.now + span);
    std::vector<double> rates;
    for (std::size_t i = 0; i < before.size(); ++i)
        rates.push_back(static_cast<double>(path.flows[i].sent - before[i]) / seconds(span));
    return rates;
}

}  // namespace

TEST_CASE("An adaptive rate finds the capacity of a path to within a fifth, and does not stay above it") {
    for (unsigned seed = 1; seed <= 12; ++seed) {
        std::mt19937_64 random(seed);
        double capacity =
            std::exp(std::uniform_real_distribution<>(std::log(300.), std::log(20'000.))(random));
        double queue = capacity * std::uniform_real_distribution<>(0.005, 0.05)(random) + 2;
        auto delay = std::chrono::milliseconds(random() % 80 + 2);
        INFO("seed " << seed << ": " << capacity << " a second, " << queue << " queued, " << delay.count()
                     << " ms");
        shared_path path(capacity, queue, delay, seed);
        path.add(steady_time{}, hasty);
        path.run_until(steady_time(10s));
        double sum = 0;
        int const spans = 20;
        for (int i = 0; i < spans; ++i) {
            auto rate = rates_over(path, 500ms)[0];
            CHECK(rate <= 1.5 * capacity);
            sum += rate;
        }
        CHECK(sum / spans >= 0.8 * capacity);
        CHECK(sum / spans <= 1.2 * capacity);
    }
}

TEST_CASE("On the way to a path's capacity a rate stays above one and a half of it for a second at most") {
    for (unsigned seed = 1; seed <= 6; ++seed) {
        shared_path path(1000, 20, 20ms, seed);
        path.add(steady_time{}, hasty);
        int above = 0;
        for (int i = 0; i < 100; ++i) above += rates_over(path, 100ms)[0] > 1500;
        CHECK(above <= 10);
    }
}

TEST_CASE("Two runs on one path share it evenly to a factor of two, whoever came first") {
    for (unsigned seed = 1; seed <= 8; ++seed) {
        INFO("seed " << seed);
        shared_path path(2000, 40, 15ms, seed);
        path.add(steady_time{}, hasty);
        path.add(steady_time(seed % 2 ? 5s : 0s), hasty);
        path.run_until(steady_time(40s));
        auto rates = rates_over(path, 20s);
        CHECK(rates[0] <= 2 * rates[1]);
        CHECK(rates[1] <= 2 * rates[0]);
        CHECK(rates[0] + rates[1] >= 0.8 * 2000);
        CHECK(rates[0] + rates[1] <= 1.2 * 2000);
    }
}

TEST_CASE("Silence says nothing: the rate neither grows nor falls") {
    net n(silence);
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = 1, .rate = adaptive}, 500);
    n.drive(run);
    CHECK(run.finished());
    CHECK(run.rate() == 100);
}

TEST_CASE("A rate that is not used does not grow") {
    net n([](departure const&) { return std::vector<steady_duration>{1ms}; });
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = 1, .inter = 50ms, .rate = adaptive}, 500);
    n.drive(run);
    CHECK(run.rate() == 100);
}

TEST_CASE("A loss counts once for all packets that left before it was noticed") {
    rate_control control({.initial = 1000});
    for (int i = 0; i < 100; ++i) control.left(steady_time(i * 1ms), stamp(steady_time(i * 1ms)), 1s);
    control.lost(stamp(steady_time(10ms)));
    CHECK(control.rate() == 500);
    for (int i = 11; i < 100; ++i) control.lost(stamp(steady_time(i * 1ms)));
    CHECK(control.rate() == 500);
    control.left(steady_time(200ms), stamp(steady_time(200ms)), 1s);
    control.lost(stamp(steady_time(200ms)));
    CHECK(control.rate() == 400);
}

TEST_CASE("A host that cannot keep up lowers the rate once for each time that feedback takes") {
    rate_control control({.initial = 1000});
    control.left(steady_time{}, stamp(steady_time{}), 100ms);
    for (int i = 0; i < 10; ++i) control.congested();
    CHECK(control.rate() == 500);
    control.left(steady_time(100ms), stamp(steady_time(100ms)), 100ms);
    control.congested();
    CHECK(control.rate() == 400);
}

TEST_CASE("Floor and ceiling hold, whatever happens") {
    rate_control control({.initial = 50, .floor = 20, .ceiling = 120});
    for (int i = 0; i < 5; ++i) {
        for (int k = 0; k < 100; ++k) {
            steady_time at(i * 1s + k * 10ms);
            control.left(at, stamp(at), 1s);
            control.answered();
        }
    }
    CHECK(control.rate() == 120);
    for (int i = 10; i < 100; ++i) {
        control.left(steady_time(i * 1s), stamp(steady_time(i * 1s)), 1s);
        control.lost(stamp(steady_time(i * 1s)));
    }
    CHECK(control.rate() == 20);
}
