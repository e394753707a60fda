#include <sonde/probe/rate_limiter.hpp>

#include "support/catch.hpp"

#include <map>
#include <random>
#include <vector>

using namespace sonde;
using namespace std::chrono_literals;

namespace {

using hold = rate_limiter::hold;

std::optional<ip_address> v4(std::string_view text) {
    return ip_address::parse(text);
}

struct left {
    rate_limiter::ticket who;
    steady_time at;
};

/// Lets all that wait leave, at the times that the limiter asks for.
std::vector<left> drain(rate_limiter& limiter, steady_time& now, std::size_t most = 100'000) {
    std::vector<left> result;
    for (;;) {
        while (auto who = limiter.release(now)) {
            result.push_back({*who, now});
            if (result.size() == most) return result;
        }
        auto wake = limiter.wake_at();
        if (!wake) break;
        REQUIRE(*wake > now);
        now = *wake;
    }
    return result;
}

}  // namespace

TEST_CASE("Without limits nothing is held, and nothing is remembered") {
    rate_limiter limiter;
    CHECK_FALSE(limiter.active());
    for (rate_limiter::ticket t = 1; t < 100; ++t)
        CHECK(limiter.ask(v4("192.0.2.1"), 512, t, {}) == hold::none);
    CHECK(limiter.prefixes() == 0);
    CHECK_FALSE(limiter.wake_at());
}

TEST_CASE("Packets of a network leave in the order in which they asked, at its rate") {
    rate_limiter limiter({.rate = 1000});
    steady_time now{};
    CHECK(limiter.ask({}, 512, 1, now) == hold::none);
    for (rate_limiter::ticket t = 2; t <= 1001; ++t) CHECK(limiter.ask({}, 512, t, now) == hold::network);
    auto all = drain(limiter, now);
    REQUIRE(all.size() == 1000);
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i].who == i + 2);
    CHECK(now == steady_time(1s));
}

TEST_CASE("Bits a second count the frame: large packets wait longer behind large ones") {
    rate_limiter limiter({.bit_rate = 10e6});
    steady_time now{};
    limiter.ask({}, 10'000, 1, now);
    for (rate_limiter::ticket t = 2; t <= 1000; ++t) limiter.ask({}, t % 2 ? 10'000 : 500, t, now);
    auto all = drain(limiter, now);
    CHECK(all[0].at == steady_time(1ms));
    CHECK(all[1].at == steady_time(1ms + 50us));
    CHECK(now >= steady_time(499 * 1050us));
    CHECK(now <= steady_time(501 * 1050us));
}

TEST_CASE("Both limits of a network hold at once: small packets meet one, large ones the other") {
    rate_limiter limiter({.rate = 1000, .bit_rate = 1e6});
    steady_time now{};
    for (rate_limiter::ticket t = 1; t <= 501; ++t) limiter.ask({}, 100, t, now);
    drain(limiter, now);
    CHECK(now == steady_time(500ms));
    for (rate_limiter::ticket t = 1; t <= 101; ++t) limiter.ask({}, 10'000, t, now);
    drain(limiter, now);
    CHECK(now >= steady_time(1490ms));
    CHECK(now <= steady_time(1520ms));
}

TEST_CASE("What a prefix holds back stands in nobody's way, and is not forgotten") {
    rate_limiter limiter({.per_prefix = {.rate = 10}});
    steady_time now{};
    CHECK(limiter.ask(v4("198.18.7.1"), 512, 1, now) == hold::none);
    for (rate_limiter::ticket t = 2; t <= 11; ++t)
        CHECK(limiter.ask(v4("198.18.7.200"), 512, t, now) == hold::prefix);
    CHECK(limiter.ask(v4("198.18.8.1"), 512, 12, now) == hold::none);
    CHECK(limiter.ask(v4("198.18.6.255"), 512, 13, now) == hold::none);
    CHECK(limiter.ask(v4("2001:db8::1"), 512, 14, now) == hold::none);
    CHECK(limiter.ask(v4("2001:db8:0:77::1"), 512, 15, now) == hold::prefix);
    CHECK(limiter.ask(v4("2001:db8:1::1"), 512, 16, now) == hold::none);
    CHECK(limiter.ask({}, 512, 17, now) == hold::none);
    CHECK(limiter.ask(v4("224.0.0.1"), 512, 18, now) == hold::none);
    CHECK(limiter.ask(v4("224.0.0.1"), 512, 19, now) == hold::none);
    auto all = drain(limiter, now);
    CHECK(all.size() == 11);
    CHECK(now == steady_time(1s));
    CHECK(limiter.waiting() == 0);
}

TEST_CASE("All limits hold in every second, whatever comes in which order") {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        std::mt19937 random(seed);
        rate_limiter limiter({.rate = 500, .bit_rate = 2e6, .per_prefix = {.rate = 40, .bit_rate = 2e5}});
        steady_time now(1h);
        struct sent {
            steady_time at;
            std::uint32_t network;
            std::uint64_t bits;
        };
        std::map<rate_limiter::ticket, sent> packets;
        std::vector<sent> out;
        for (rate_limiter::ticket t = 1; t <= 5000; ++t) {
            sent p{now, static_cast<std::uint32_t>(std::min({random() % 12, random() % 12, random() % 12})),
                   500 + random() % 12'000};
            ip_address to = ipv4(static_cast<std::uint32_t>(0xc6120000 + p.network * 256 + random() % 256));
            if (limiter.ask(to, p.bits, t, now) == hold::none)
                out.push_back(p);
            else
                packets.emplace(t, p);
            if (random() % 4 == 0) now += std::chrono::microseconds(random() % 10'000);
            if (random() % 500 == 0) now += 1s;  // a stall
            while (auto who = limiter.release(now)) {
                auto p2 = packets.extract(*who).mapped();
                p2.at = now;
                out.push_back(p2);
            }
        }
        for (auto const& l : drain(limiter, now)) {
            auto p = packets.extract(l.who).mapped();
            p.at = l.at;
            out.push_back(p);
        }
        CHECK(packets.empty());
        CHECK(out.size() == 5000);
        // Some prefixes are asked for more often than they allow, all together more than the network allows.
        // Of any second: what the rate allows, a millisecond's worth, and the packet at each end.
        auto check = [&](auto of, double rate, double bit_rate) {
            std::vector<sent> some;
            std::ranges::copy_if(out, std::back_inserter(some), of);
            double bits = 0, count = 0;
            for (std::size_t from = 0, to = 0; to < some.size(); ++to) {
                bits += static_cast<double>(some[to].bits), ++count;
                for (; some[to].at - some[from].at >= 1s; ++from)
                    bits -= static_cast<double>(some[from].bits), --count;
                if (count > rate * 1.001 + 2) FAIL("packets: " << count);
                if (bits > bit_rate * 1.001 + 2 * 12'500) FAIL("bits: " << bits);
            }
        };
        check([](sent const&) { return true; }, 500, 2e6);
        for (std::uint32_t network = 0; network < 12; ++network)
            check([&](sent const& p) { return p.network == network; }, 40, 2e5);
    }
}

TEST_CASE("Prefixes take turns at the network's rate") {
    rate_limiter limiter({.rate = 100, .per_prefix = {.rate = 100}});
    steady_time now{};
    rate_limiter::ticket t = 1;
    for (int i = 0; i < 300; ++i) limiter.ask(v4("198.18.1.1"), 512, t++, now);
    for (int i = 0; i < 10; ++i) limiter.ask(v4("198.18.2.1"), 512, t++, now);
    auto all = drain(limiter, now, 25);
    CHECK(std::ranges::count_if(all, [](auto const& l) { return l.who > 300; }) == 10);
}

TEST_CASE("Limits change while packets wait, and hold from the next packet on") {
    rate_limiter limiter({.rate = 0.01});
    steady_time now{};
    for (rate_limiter::ticket t = 1; t <= 1002; ++t) limiter.ask({}, 512, t, now);
    CHECK(limiter.wake_at() == now + 100s);
    limiter.set_rate(1000);
    CHECK(limiter.wake_at() == now + 1ms);
    drain(limiter, now, 501);
    CHECK(now == steady_time(501ms));
    limiter.set_rate(10);
    CHECK(limiter.wake_at() == now + 100ms);
    limiter.set_bit_rate(512);
    now += 100ms;
    CHECK(limiter.release(now));
    CHECK(limiter.wake_at() == now + 1s);
    limiter.set_rate(0);
    limiter.set_bit_rate(0);
    drain(limiter, now);
    CHECK_FALSE(limiter.active());
}

TEST_CASE("A prefix's limit changes for those who wait for it") {
    rate_limiter limiter({.per_prefix = {.rate = 0.001}});
    steady_time now{};
    for (rate_limiter::ticket t = 1; t <= 101; ++t) limiter.ask(v4("198.18.1.1"), 512, t, now);
    CHECK(limiter.wake_at() == now + 1000s);
    limiter.set_prefix_rate({.rate = 100, .v4_length = 32});
    auto all = drain(limiter, now);
    CHECK(all.size() == 100);
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i].who == i + 2);
    CHECK(now == steady_time(990ms));
    CHECK(limiter.ask(v4("198.18.1.2"), 512, 500, now) == hold::none);
}

TEST_CASE("Who withdraws leaves no trace, and does not hold up its prefix") {
    rate_limiter limiter({.rate = 10, .per_prefix = {.rate = 10}});
    steady_time now{};
    rate_limiter::ticket t = 1;
    for (; t <= 10; ++t) limiter.ask(v4("198.18.1.1"), 512, t, now);
    for (; t <= 20; ++t) limiter.ask(v4("198.18.2.1"), 512, t, now);
    CHECK(limiter.waiting() == 19);
    limiter.withdraw([](auto who) { return who <= 10 || who == 11; });
    CHECK(limiter.waiting() == 9);
    auto all = drain(limiter, now);
    REQUIRE(all.size() == 9);
    CHECK(all.front().who == 12);
    CHECK(all.back().at == steady_time(900ms));
    limiter.ask(v4("198.18.1.1"), 512, 100, now);
    limiter.withdraw([](auto) { return true; });
    CHECK_FALSE(limiter.wake_at());
}

TEST_CASE("Prefixes that find no place share one limit: slower, never faster, none of them stuck") {
    rate_limiter limiter({.per_prefix = {.rate = 1}}, 10);
    steady_time now{};
    for (rate_limiter::ticket t = 0; t < 20; ++t) {
        auto verdict =
            limiter.ask(ip_address(ipv4(static_cast<std::uint32_t>(0xc6120000 + t * 256))), 512, t + 1, now);
        CHECK(verdict == (t <= 10 ? hold::none : hold::prefix));
    }
    CHECK(limiter.prefixes() == 10);
    CHECK(limiter.counters().refused == 1);
    CHECK(drain(limiter, now).size() == 9);
    CHECK(now <= steady_time(9s));
    CHECK(limiter.prefixes() <= 10);
}

TEST_CASE("A prefix is forgotten when its limit says nothing any more, not before") {
    rate_limiter limiter({.per_prefix = {.rate = 0.001}});
    steady_time now{};
    limiter.ask(v4("198.18.1.1"), 512, 1, now);
    now += 999s;
    CHECK(limiter.ask(v4("198.18.1.1"), 512, 2, now) == hold::prefix);
    limiter.withdraw([](auto) { return true; });
    now += 2000s;
    CHECK(limiter.ask(v4("198.18.2.1"), 512, 3, now) == hold::none);
    CHECK(limiter.prefixes() == 1);
    CHECK(limiter.counters().expired == 1);
}
