#include <sonde/probe/identity.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <vector>

using namespace sonde;

namespace {

constexpr secret_key secret{.low = 0x243f6a8885a308d3, .high = 0x13198a2e03707344};

/// Chi-square of how evenly values fall into 256 classes. With 255 degrees of freedom a random source stays
/// between 190 and 331 in all but two of a thousand cases; the secret is fixed, so the tests do not depend on
/// luck.
template <class Class>
double chi_square(std::uint32_t draws, Class class_of) {
    std::array<double, 256> seen{};
    for (std::uint32_t d = 0; d < draws; ++d) seen[class_of(d) & 0xff] += 1;
    double expected = draws / 256.0, sum = 0;
    for (double n : seen) sum += (n - expected) * (n - expected) / expected;
    return sum;
}

template <class Part>
bool all_differ(std::uint32_t first, std::uint32_t count, Part part) {
    std::vector<std::uint64_t> seen;
    for (std::uint32_t i = 0; i < count; ++i) seen.push_back(part(first + i));
    std::sort(seen.begin(), seen.end());
    return std::adjacent_find(seen.begin(), seen.end()) == seen.end();
}

}  // namespace

TEST_CASE("A small permutation holds each number once, whatever its size") {
    for (std::uint32_t size :
         {1u, 2u, 3u, 4u, 5u, 16u, 17u, 255u, 256u, 257u, 4536u, 31744u, 65535u, 65536u}) {
        detail::small_permutation order(secret, 1, size);
        std::vector<bool> seen(size);
        for (std::uint32_t i = 0; i < size; ++i) {
            auto n = order(i);
            REQUIRE(n < size);
            REQUIRE(!seen[n]);
            seen[n] = true;
        }
    }
}

TEST_CASE("The wide permutation does not repeat, at either end of its range") {
    detail::wide_permutation order(secret, 1);
    CHECK(all_differ(0, 1u << 20, order));
    CHECK(all_differ(0xfff80000, 1u << 20, order));  // across the wrap
}

TEST_CASE("Each bit of what goes into the wide permutation changes half of the bits that come out") {
    detail::wide_permutation order(secret, 1);
    for (unsigned in = 0; in < 32; ++in) {
        std::array<int, 32> changed{};
        constexpr int tries = 4000;
        for (std::uint32_t n = 0; n < tries; ++n) {
            auto difference = order(n * 0x9e3779b9) ^ order(n * 0x9e3779b9 ^ 1u << in);
            for (unsigned out = 0; out < 32; ++out) changed[out] += difference >> out & 1;
        }
        for (int c : changed) CHECK(std::abs(c - tries / 2) < 200);  // six standard deviations
    }
}

TEST_CASE("Permutations under another label or key are others") {
    detail::small_permutation a(secret, 1, 65536), b(secret, 2, 65536), c({.low = 1, .high = 2}, 1, 65536);
    detail::wide_permutation wa(secret, 1), wb(secret, 2);
    int same = 0;
    for (std::uint32_t i = 0; i < 1000; ++i) same += (a(i) == b(i)) + (a(i) == c(i)) + (wa(i) == wb(i));
    CHECK(same < 5);
}

TEST_CASE("Successive identities do not repeat before the space of each part is used up") {
    identity_source source(secret);
    std::uint32_t const start = 123'456'789;
    std::uint32_t const ports = 32767 - 1024 + 1;
    CHECK(all_differ(start, 65536, [&](std::uint32_t d) { return source.id(d); }));
    CHECK(all_differ(start - start % ports, ports, [&](auto d) { return source.port(d); }));
    CHECK(all_differ(65536 * 7, 65536, [&](std::uint32_t d) { return source.sequence(d); }));
    CHECK(all_differ(start, 1u << 20, [&](std::uint32_t d) { return source.number(d); }));
    CHECK(all_differ(start, 1u << 20, [&](std::uint32_t d) {
        return std::uint64_t{source.id(d)} << 16 | source.sequence(d);
    }));
    // One id goes through all sequence numbers in the 65536 blocks in which it comes.
    CHECK(all_differ(0, 65536, [&](std::uint32_t block) { return source.sequence(block * 65536 + 4711); }));
    CHECK(all_differ(start, 1u << 20, [&](std::uint32_t d) { return source.cookie(d); }));
}

TEST_CASE("An identity is a function of its draw, and draws count on from any number") {
    identity_source source(secret, {}, 0xffffffff);
    auto first = source.draw();
    CHECK(first == 0xffffffff);
    CHECK(source.draw() == 0);
    auto i = source.at(first);
    CHECK(i == identity_source(secret).at(first));
    CHECK(i == identity{source.port(first), source.id(first), source.sequence(first), source.number(first),
                        source.cookie(first)});
    CHECK(i != identity_source({.low = 1, .high = 2}).at(first));
}

TEST_CASE("Ports stay in their range, down to a range of one") {
    for (port_range range :
         {port_range{}, port_range{61000, 65535}, port_range{4242, 4242}, port_range{0, 65535}}) {
        identity_source source(secret, range);
        for (std::uint32_t d = 0; d < 100'000; d += 7) {
            auto port = source.port(d);
            REQUIRE(port >= range.first);
            REQUIRE(port <= range.last);
        }
    }
}

TEST_CASE("Each byte of an identity looks even, and so do the steps from one to the next") {
    identity_source source(secret, {0, 65535});
    auto even = [](double chi) { return chi > 190 && chi < 331; };
    // Ports and ids come once each in a period, so over much of one their bytes are more than even.
    CHECK(even(chi_square(10'000, [&](auto d) { return source.port(d) >> 8; })));
    CHECK(even(chi_square(10'000, [&](auto d) { return source.id(d); })));
    CHECK(even(chi_square(60'000, [&](auto d) { return source.id(d + 1) - source.id(d); })));
    CHECK(even(chi_square(60'000, [&](auto d) { return source.port(d + 1) - source.port(d); })));
    CHECK(even(chi_square(100'000, [&](auto d) { return source.sequence(d + 1) - source.sequence(d); })));
    for (int shift : {0, 8, 16, 24}) {
        CHECK(even(chi_square(100'000, [&](auto d) { return source.number(d) >> shift; })));
        CHECK(even(
            chi_square(100'000, [&](auto d) { return (source.number(d + 1) - source.number(d)) >> shift; })));
    }
    for (int shift = 0; shift < 64; shift += 8) {
        CHECK(even(chi_square(
            100'000, [&](auto d) { return static_cast<std::uint32_t>(source.cookie(d) >> shift); })));
    }
}
