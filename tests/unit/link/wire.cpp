#include <sonde/link/wire.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <bit>
#include <string>

using namespace sonde;
using namespace std::chrono_literals;

namespace {

struct arrivals final : wire_end {
    explicit arrivals(virtual_clock& c) : clock(c) {}
    void arrived(std::vector<std::byte> frame) override {
        frames.push_back(std::move(frame));
        times.push_back(clock.now());
    }
    virtual_clock& clock;
    std::vector<std::vector<std::byte>> frames;
    std::vector<virtual_clock::time_point> times;
};

std::vector<std::byte> numbered(unsigned n, std::size_t size = 100) {
    std::vector<std::byte> f(size);
    f[0] = std::byte(n & 0xff), f[1] = std::byte(n >> 8);
    return f;
}

int changed_bits(std::vector<std::byte> const& a, std::vector<std::byte> const& b) {
    int n = 0;
    for (std::size_t i = 0; i < a.size(); ++i) n += std::popcount(std::to_integer<unsigned>(a[i] ^ b[i]));
    return n;
}

}  // namespace

TEST_CASE("Events run in the order of their times, those of one time in the order in which they were made") {
    virtual_clock clock;
    std::string order;
    auto add = [&](std::chrono::nanoseconds after, char c) {
        return clock.at(clock.now() + after, [&order, c] { order += c; });
    };
    add(2ms, 'c'), add(1ms, 'a'), add(2ms, 'd'), add(1ms, 'b');
    auto gone = add(1ms, 'x');
    CHECK(clock.cancel(gone));
    CHECK(!clock.cancel(gone));
    CHECK(!clock.cancel({}));
    auto began = clock.now();
    CHECK(clock.step());
    CHECK(order == "ab");
    CHECK(clock.now() - began == 1ms);
    add(0ms, 'e');  // now
    CHECK(clock.step());
    CHECK(order == "abe");
    clock.wait_until(began + 1h);  // no further than the next event
    CHECK(clock.now() - began == 2ms);
    CHECK(clock.step());
    CHECK(!clock.step());
    CHECK(order == "abecd");
}

TEST_CASE("An event that makes another for the present leaves it to the next step, so that others may act") {
    virtual_clock clock;
    int runs = 0;
    clock.at(clock.now(), [&] { clock.at(clock.now(), [&] { ++runs; }), ++runs; });
    clock.step();
    CHECK(runs == 1);
    clock.step();
    CHECK(runs == 2);
}

TEST_CASE("The wall clock steps alone") {
    virtual_clock clock;
    auto wall = clock.wall_time();
    auto steady = clock.now();
    clock.step_wall_time(-1h);
    CHECK(clock.wall_time() == wall - 1h);
    CHECK(clock.now() == steady);
}

TEST_CASE("A clear wire delivers what enters, in order, after its delay") {
    virtual_clock clock;
    arrivals to(clock);
    wire w(clock, {.delay = 3ms}, 1);
    auto began = clock.now();
    for (unsigned i = 0; i < 3; ++i) w.send(numbered(i), 14, to);
    CHECK(w.counts().in_flight == 3);
    while (clock.step()) {
    }
    REQUIRE(to.frames.size() == 3);
    for (unsigned i = 0; i < 3; ++i) {
        CHECK(to.frames[i] == numbered(i));
        CHECK(to.times[i] - began == 3ms);
    }
    CHECK(w.counts() == wire_counts{.entered = 3, .delivered = 3});
}

TEST_CASE("A corrupted frame differs by as many bits as were asked for, all behind its link header") {
    virtual_clock clock;
    arrivals to(clock);
    wire w(clock, {.corrupt = 1}, 1);
    for (unsigned i = 0; i < 200; ++i) w.send(numbered(7), 14, to);
    while (clock.step()) {
    }
    for (auto const& f : to.frames) {
        CHECK(changed_bits(f, numbered(7)) == 1);
        CHECK(std::equal(f.begin(), f.begin() + 14, numbered(7).begin()));
    }
    CHECK(w.counts().corrupted == 200);
}

TEST_CASE("Rate, queue, loss and copies: every frame is in one count, the same for the same seed") {
    auto run = [](std::uint64_t seed) {
        virtual_clock clock;
        arrivals to(clock);
        wire w(clock,
               {.jitter = 1ms, .loss = 0.1, .duplicate = 0.1, .reorder = 0.1, .rate = 1e6, .queue = 5000},
               seed);
        for (unsigned i = 0; i < 2000; ++i) {
            clock.at(clock.now() + 100us * i, [&w, &to, i] { w.send(numbered(i, 15), 14, to); });
            clock.at(clock.now() + 100us * i, [&w, &to, i] { w.send(numbered(i, 50), 14, to); });
        }
        while (clock.step()) CHECK(w.counts().holds());
        CHECK(w.counts().in_flight == 0);
        CHECK(w.counts().overflowed > 100);
        CHECK(w.counts().delivered == to.frames.size());
        return w.counts();
    };
    CHECK(run(1) == run(1));
    CHECK(run(1) != run(2));
}
