#include <sonde/probe/detail/progress.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <set>
#include <vector>

using sonde::detail::progress;

TEST_CASE("The first open number and all that are open are those of a plain set, in any order of ends") {
    for (unsigned seed = 0; seed < 20; ++seed) {
        std::mt19937 random(seed);
        std::vector<std::uint64_t> order(1000);
        std::iota(order.begin(), order.end(), 0);
        // Nearly in order, as deadlines are: each at most `spread` places off.
        auto spread = seed % 4 == 0 ? order.size() : std::size_t{1} << seed % 8;
        for (auto at = order.begin(); at < order.end(); at += static_cast<std::ptrdiff_t>(spread)) {
            auto left = static_cast<std::size_t>(order.end() - at);
            std::shuffle(at, at + static_cast<std::ptrdiff_t>(std::min(spread, left)), random);
            if (left <= spread) break;
        }
        progress p;
        std::set<std::uint64_t> open(order.begin(), order.end());
        for (auto n : order) {
            p.done(n);
            p.done(n);
            open.erase(n);
            auto first = open.empty() ? 1000 : *open.begin();
            REQUIRE(p.first_open() == first);
            REQUIRE(p.is_done(n));
        }
        CHECK(p.first_open() == 1000);
    }
}

TEST_CASE("Numbers that are open are told in ascending order, up to the end") {
    progress p;
    for (std::uint64_t n : {0, 1, 3, 64, 65, 200}) p.done(n);
    std::vector<std::uint64_t> open;
    p.each_open(68, [&](std::uint64_t n) { open.push_back(n); });
    CHECK(open.size() == 68 - 5);
    CHECK(open.front() == 2);
    CHECK(open[1] == 4);
    CHECK(open.back() == 67);
    open.clear();
    p.each_open(2, [&](std::uint64_t n) { open.push_back(n); });
    CHECK(open.empty());
}
