#include <sonde/probe/statistics.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using namespace sonde;
using namespace std::chrono_literals;

TEST_CASE("Of nothing, all statistics are 0; of one time, all spans are that time") {
    rtt_statistics s;
    CHECK(s.count() == 0);
    CHECK(s.mean() + s.deviation() + s.jitter() + s.least() + s.most() + s.quantile(0.5) == 0ns);
    s.add(1234567ns);
    CHECK(s.least() == 1234567ns);
    CHECK(s.most() == 1234567ns);
    CHECK(s.mean() == 1234567ns);
    CHECK(s.quantile(0) == 1234567ns);
    CHECK(s.quantile(1) == 1234567ns);
    CHECK(s.deviation() == 0ns);
    s.add(-5ns);
    CHECK(s.least() == 0ns);
}

TEST_CASE("Mean, deviation and jitter are those of their definitions") {
    rtt_statistics s;
    for (auto t : {2ms, 4ms, 4ms, 4ms, 5ms, 5ms, 7ms, 9ms}) s.add(t);
    CHECK(s.mean() == 5ms);
    CHECK(s.deviation() == 2ms);
    double jitter = 0;
    for (double d : {2.0, 0.0, 0.0, 1.0, 0.0, 2.0, 2.0}) jitter += (d - jitter) / 16;
    CHECK(std::abs(static_cast<double>(s.jitter().count()) - jitter * 1e6) < 2);
}

TEST_CASE("A quantile is within a 64th of the nearest rank, whatever the times") {
    for (unsigned seed = 1; seed <= 30; ++seed) {
        std::mt19937_64 random(seed);
        std::lognormal_distribution<double> times(14, 0.2 * seed);  // around a millisecond, narrow to wild
        rtt_statistics s;
        std::vector<double> all;
        for (unsigned i = 0; i < seed * 50; ++i) {
            auto t = std::min(times(random), 1e18);
            s.add(std::chrono::nanoseconds(static_cast<std::int64_t>(t)));
            all.push_back(std::floor(t));
        }
        std::ranges::sort(all);
        for (double share : {0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 1.0}) {
            auto rank = std::max(1.0, std::ceil(share * static_cast<double>(all.size())));
            auto exact = all[static_cast<std::size_t>(rank) - 1];
            auto got = static_cast<double>(s.quantile(share).count());
            CHECK(std::abs(got - exact) <= exact / 64 + 1);
        }
    }
}

TEST_CASE("Loss is the share of rounds without an answer") {
    probe_statistics p;
    CHECK(p.loss() == 0);
    p.rounds = 4, p.answered = 3;
    CHECK(p.loss() == 0.25);
}
