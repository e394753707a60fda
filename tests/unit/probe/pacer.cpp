#include <sonde/probe/pacer.hpp>

#include "support/catch.hpp"

using namespace sonde;
using namespace std::chrono_literals;

namespace {

/// Sends whenever the pacer lets it, waking up `lateness` after each time it was told; returns how many left.
int packets_until(pacer& p, steady_time& now, steady_time end, steady_duration lateness = {}) {
    int sent = 0;
    for (;;) {
        if (p.ready_at() > now) now = p.ready_at() + lateness;
        if (now >= end) return sent;
        p.left(now);
        ++sent;
    }
}

}  // namespace

TEST_CASE("Without limits a packet may leave at any time") {
    pacer p;
    for (int i = 0; i < 1000; ++i) {
        CHECK(p.ready_at() <= steady_time::min());
        p.left(steady_time{});
    }
    pacer q(-5ms, -1);
    q.left(steady_time{});
    CHECK(q.ready_at() <= steady_time{});
}

TEST_CASE("inter is the least gap between packets, and is never made up for") {
    pacer p(10ms, 0);
    p.left(steady_time{});
    CHECK(p.ready_at() == steady_time(10ms));
    p.left(steady_time(17ms));
    CHECK(p.ready_at() == steady_time(27ms));
    p.left(steady_time(10s));
    CHECK(p.ready_at() == steady_time(10s + 10ms));
}

TEST_CASE("The rate is met to the packet, at any rate") {
    for (double rate : {0.5, 3.0, 100.0, 7777.7, 300'000.0, 1'000'000.0, 3e9}) {
        pacer p({}, rate);
        steady_time now{};
        auto span = rate > 1e6 ? 1ms : rate > 1000 ? 1s : 100s;
        auto sent = packets_until(p, now, now + span);
        auto expected = rate * std::chrono::duration<double>(span).count();
        CHECK(sent >= expected - 1);
        CHECK(sent <= expected + 1);
    }
}

TEST_CASE("Timers that fire late do not lower the rate") {
    pacer p({}, 1000);
    steady_time now{};
    auto sent = packets_until(p, now, now + 10s, 300us);
    CHECK(sent >= 9'998);
    CHECK(sent <= 10'001);
}

TEST_CASE("After a stall no more than a millisecond's worth leaves at once") {
    for (double rate : {10.0, 1000.0, 100'000.0}) {
        pacer p({}, rate);
        steady_time now{};
        packets_until(p, now, now + 1s);
        now += 1h;
        int burst = 0;
        for (; p.ready_at() <= now; ++burst) p.left(now);
        CHECK(burst <= rate / 1000 + 1);
        CHECK(burst >= 1);
        auto sent = packets_until(p, now, now + 10s);
        CHECK(sent <= rate * 10 + 1);
        CHECK(sent >= rate * 10 - 1);
    }
}

TEST_CASE("The first packets are no burst") {
    pacer p({}, 100'000);
    steady_time now(5s);
    p.left(now);
    CHECK(p.ready_at() == now + 10us);
}

TEST_CASE("inter and rate hold together: the slower one decides") {
    pacer p(10ms, 1000);
    p.left(steady_time{});
    CHECK(p.ready_at() == steady_time(10ms));
    pacer q(1ms, 10);
    q.left(steady_time{});
    CHECK(q.ready_at() == steady_time(100ms));
}

TEST_CASE("Rates and gaps beyond all reason do not overflow") {
    pacer slow({}, 1e-300);
    slow.left(steady_time(1s));
    CHECK(slow.ready_at() > steady_time(24h * 365 * 30));
    pacer gap(steady_duration::max(), 0);
    gap.left(steady_time(1s));
    CHECK(gap.ready_at() == never);
    pacer nan({}, std::numeric_limits<double>::quiet_NaN());
    nan.left(steady_time(1s));
    CHECK(nan.ready_at() <= steady_time{});
}

TEST_CASE("Bits a second are met to the packet, whatever the sizes and whenever they are known") {
    for (bool later_known : {false, true}) {
        pacer p({}, 0, 8e6);
        steady_time now{};
        std::uint64_t bits = 0;
        for (int i = 0; now < steady_time(10s); ++i) {
            now = std::max(now, p.ready_at());
            std::uint64_t const size = i % 3 ? 512 : 12'112;
            p.left(now, later_known ? 0 : size);
            if (later_known) p.charge(size);
            bits += size;
        }
        CHECK(bits >= 80'000'000 - 12'112);
        CHECK(bits <= 80'000'000 + 2 * 12'112);
    }
}

TEST_CASE("After a stall no more than a millisecond's worth of bits leaves at once") {
    pacer p({}, 0, 100e6);
    steady_time now{};
    p.left(now, 8000);
    now += 1h;
    std::uint64_t bits = 0;
    for (; p.ready_at() <= now; bits += 8000) p.left(now, 8000);
    CHECK(bits >= 100'000);
    CHECK(bits <= 100'000 + 8000);
}

TEST_CASE("A new rate holds from the next packet on, up and down") {
    pacer p({}, 0.01);
    steady_time now(1s);
    p.left(now);
    CHECK(p.ready_at() == now + 100s);
    p.set_rate(1000);
    CHECK(p.ready_at() == now + 1ms);
    now += 1ms;
    CHECK(packets_until(p, now, now + 1s) == 1000);
    p.set_rate(10);
    auto sent = packets_until(p, now, now + 10s);
    CHECK(sent >= 99);
    CHECK(sent <= 101);
    p.set_rate(0);
    CHECK(p.ready_at() <= now);
}
