#include <sonde/probe/index_set.hpp>

#include "support/catch.hpp"

#include <set>

using namespace sonde;

TEST_CASE("An index set holds what a set holds, in order") {
    index_set set;
    std::set<std::uint64_t> model;
    std::uint64_t x = 1;
    for (int i = 0; i < 20'000; ++i) {
        x = x * 6364136223846793005 + 1442695040888963407;
        auto number = i % 3 == 0 ? x >> 16 : x >> 48;  // some far apart, most close together
        CHECK(set.insert(number));
        model.insert(number);
    }
    CHECK(set.size() == model.size());
    auto m = model.begin();
    for (auto i = set.next(0); i; i = set.next(*i + 1), ++m) REQUIRE(*i == *m);
    CHECK(m == model.end());
    for (std::uint64_t n = 0; n < 70'000; ++n) REQUIRE(set.contains(n) == model.contains(n));
}

TEST_CASE("The edges of words and pages are no edges") {
    index_set set;
    for (std::uint64_t n : {0u, 63u, 64u, 4095u, 4096u, 8191u}) set.insert(n);
    CHECK(set.next(1) == 63);
    CHECK(set.next(64) == 64);
    CHECK(set.next(65) == 4095);
    CHECK(set.next(4096) == 4096);
    CHECK(set.next(4097) == 8191);
    CHECK(!set.next(8192));
    set.insert((std::uint64_t{1} << 48) - 1);
    CHECK(set.next(8192) == (std::uint64_t{1} << 48) - 1);
}

TEST_CASE("Beyond its limit an index set refuses new pages, and goes on with those it has") {
    index_set set(2);
    CHECK(set.insert(1));
    CHECK(set.insert(5000));
    CHECK(!set.insert(10'000));
    CHECK(!set.contains(10'000));
    CHECK(set.insert(5001));
    CHECK(set.size() == 3);
}
