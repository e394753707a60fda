// What a bad link does to probes, and what becomes of them: each outcome against what chance makes of it.
#include "support/simulated.hpp"

#include <sonde/sonde.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cmath>
#include <set>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

constexpr double probes = 4096;  // a /20

struct outcome {
    report r;
    wire_counts there, back;
    std::uint64_t damaged = 0;
};

/// An sr over a /20 of hosts behind this link.
outcome scan(link_conditions const& link, sr_options options, host h = {}) {
    outcome o;
    support::simulate([&](simulation& sim) -> asio::awaitable<void> {
        auto& hosts = sim.add("198.18.0.0/20", h, path::both(link));
        network net{co_await asio::this_coro::executor};
        auto all = net.sr(IP{.dst = "198.18.0.0/20"} / ICMP{} / "a payload of some length", options);
        while (auto x = co_await all.next()) {
            CHECK(x->received.get<IP>().src == x->sent.get<IP>().dst.value());
            CHECK(x->received.get<Raw>().load == "a payload of some length");
        }
        o.r = all.report();
        if (!options.multi) support::accounting(o.r, 4096);
        support::accounting_of_one_device(sim);
        CHECK(net.in_flight() == 0);
        co_await sim.sleep(5s, asio::use_awaitable);
        o.there = hosts.there.counts(), o.back = hosts.back.counts(), o.damaged = hosts.damaged;
    });
    return o;
}

/// The number of probes that have an answer lies within three standard deviations of what is expected.
void check_rate(std::uint64_t answered, double chance) {
    auto expected = probes * chance;
    auto deviation = std::sqrt(probes * chance * (1 - chance));
    CHECK(std::abs(static_cast<double>(answered) - expected) <= 3 * deviation + 1);
}

}  // namespace

TEST_CASE("With loss of 1, 10 and 50 percent, retries reach the rate that chance allows") {
    for (double loss : {0.01, 0.1, 0.5})
        for (int retry : {0, 2}) {
            CAPTURE(loss, retry);
            auto o = scan({.delay = 5ms, .loss = loss}, {.timeout = 100ms, .retry = retry});
            double attempt_fails = 1 - (1 - loss) * (1 - loss);
            check_rate(o.r.answered, 1 - std::pow(attempt_fails, retry + 1));
            CHECK(o.r.duplicates == 0);
            CHECK(o.there.lost > 0);
            CHECK(o.there.entered == o.r.sent);
        }
}

TEST_CASE("Duplicates are counted, each of them, and yielded to nobody; with multi each is yielded") {
    auto o = scan({.delay = 5ms, .duplicate = 0.2}, {.timeout = 100ms});
    CHECK(o.r.answered == 4096);
    CHECK(o.there.duplicated > 600);
    CHECK(o.back.delivered == 4096 + o.there.duplicated + o.back.duplicated);
    auto multi = scan({.delay = 5ms, .duplicate = 0.2}, {.timeout = 100ms, .multi = true});
    CHECK(multi.r.answered == multi.back.delivered);
    CHECK(multi.r.duplicates == 0);
}

TEST_CASE("Reordered and jittered answers find their probes, with nothing counted twice") {
    auto o = scan({.delay = 1ms, .jitter = 20ms, .reorder = 0.3, .held_back = 30ms}, {.timeout = 200ms});
    CHECK(o.r.answered == 4096);
    CHECK(o.r.duplicates + o.r.late + o.r.unrelated + o.r.malformed == 0);
}

TEST_CASE("A corrupted answer is never matched: it counts as malformed, and its probe is sent again") {
    auto o = scan({.delay = 1ms, .corrupt = 0.1}, {.timeout = 100ms, .retry = 5});
    CHECK(o.r.answered == 4096);
    CHECK(o.damaged == o.there.corrupted);  // the hosts dropped what reached them so
    CHECK(o.r.malformed == o.back.corrupted);
    CHECK(o.r.malformed > 300);
    CHECK(o.r.unrelated == 0);
}

TEST_CASE("A whole flood of damaged answers over IPv6, TCP and UDP is malformed to the last one") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        link_conditions bad{.corrupt = 1};
        host h{.tcp = {80}, .udp = {{7, [](packet const&) { return packet("pong"); }}}};
        auto& v4 = sim.add("198.18.0.1", h, {.back = bad});
        auto& v6 = sim.add("2001:db8::1", h, {.back = bad});
        network net{co_await asio::this_coro::executor};
        auto tcp = net.sr(IP{.dst = "198.18.0.1"} / TCP{.dport = range(1, 500)}, {.timeout = 100ms});
        auto got1 = co_await tcp.next();
        CHECK(!got1);
        CHECK(tcp.report().malformed == 500);
        auto udp = net.sr(IP{.dst = "198.18.0.1"} / UDP{.dport = {7, 9}} / "ping", {.timeout = 100ms});
        auto got2 = co_await udp.next();
        CHECK(!got2);
        CHECK(udp.report().malformed == 2);
        CHECK(v4.back.counts().corrupted == 502);
        // IPv6 has no checksum of its own: only what hop limit, class and flow label lose goes unseen.
        auto six = net.sr(IPv6{.dst = "2001:db8::1"} / TCP{.dport = range(1, 500)}, {.timeout = 100ms});
        std::size_t unseen = 0;
        while (auto x = co_await six.next()) {
            auto const& ip = x->received.get<IPv6>();
            bool excused = ip.hlim != 64 || ip.tc != 0 || ip.fl != 0;
            CHECK(excused);
            ++unseen;
        }
        CHECK(unseen < 80);  // 36 of some 480 bits
        CHECK(six.report().malformed + six.report().unrelated + unseen == v6.back.counts().corrupted);
    });
}

TEST_CASE("Answers after the last deadline are late, and answer nothing") {
    auto o = scan({.delay = 60ms}, {.timeout = 100ms, .window = 1024});
    CHECK(o.r.answered == 0);
    CHECK(o.r.remaining == 4096);
    CHECK(o.r.late >= 4096 - 1024);  // the last window's come when the scan has ended
    CHECK(o.r.unrelated == 0);
}

TEST_CASE("A host that may send so many ICMP errors a second answers no more, and retries do not storm it") {
    auto o = scan({.delay = 1ms}, {.timeout = 100ms, .retry = 3, .rate = 10000},
                  {.script = [](packet const&, replies&) { return false; }});
    CHECK(o.r.answered == 4096);
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {.icmp_rate = 1000, .icmp_burst = 50});
        network net{co_await asio::this_coro::executor};
        auto closed = net.sr(IP{.dst = "198.18.0.1"} / UDP{.dport = range(1000, 1999)}, {.timeout = 50ms});
        std::size_t answers = 0;
        while (auto x = co_await closed.next()) ++answers;
        CHECK(answers == 50);  // all came at one moment
        auto paced = net.sr(IP{.dst = "198.18.0.1"} / UDP{.dport = range(1000, 1999)},
                            {.timeout = 50ms, .retry = 2, .rate = 2000});
        answers = 0;
        while (auto x = co_await paced.next()) ++answers;
        auto seconds = std::chrono::duration<double>(paced.report().duration).count();
        CHECK(static_cast<double>(answers) <= 50 + 1000 * seconds + 1);
        CHECK(static_cast<double>(answers) >= 1000 * seconds * 0.8);
    });
}

TEST_CASE("A slow link spreads its frames by its rate and drops what its queue cannot hold") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        // 100 bytes of frame at 800 kbit/s: one in a millisecond, ten wait.
        auto& slow = sim.add("198.18.0.1", {}, {.there = {.delay = 0ms, .rate = 800'000, .queue = 1000}});
        network net{co_await asio::this_coro::executor};
        auto all = net.sr(IP{.dst = "198.18.0.1", .id = range(1, 100)} / ICMP{} / std::string(100 - 42, 'x'),
                          {.timeout = 1s, .multi = false});
        std::vector<timestamp> came;
        while (auto x = co_await all.next()) came.push_back(x->received.time);
        CHECK(came.size() == 10);  // one on the wire, nine behind it
        CHECK(slow.there.counts().overflowed == 90);
        for (std::size_t i = 1; i < came.size(); ++i) CHECK(came[i] - came[i - 1] == 1ms);
    });
}

TEST_CASE("A packet that a link on the way cannot take is answered with that link's MTU") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        path narrow{.there = {.mtu = 1000}, .routers = {ipv4("192.0.2.1")}};
        sim.add("198.18.0.1", {}, narrow);
        sim.add("2001:db8::1", {}, {.there = {.mtu = 1280}, .routers = {ipv6("2001:db8:1::1")}});
        network net{co_await asio::this_coro::executor};
        auto x = co_await net.sr1(IP{.dst = "198.18.0.1", .flags = "DF"} / ICMP{} / std::string(1100, 'x'));
        REQUIRE(x);
        CHECK(x->received.get<IP>().src == "192.0.2.1");
        CHECK(x->received.get<ICMP>().code == 4);
        CHECK(x->received.get<ICMP>().nexthopmtu == 1000);
        auto fragmented = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{} / std::string(1100, 'x'));
        REQUIRE(fragmented);
        CHECK(fragmented->received.get<ICMP>().type == 0);
        std::string const long_data(1300, 'x');
        auto v6 = co_await net.sr1(IPv6{.dst = "2001:db8::1"} / ICMPv6EchoRequest{.data = long_data});
        REQUIRE(v6);
        CHECK(v6->received.get<ICMPv6PacketTooBig>().mtu == 1280);
        auto [ec, none] = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{} / std::string(1600, 'x'), {},
                                           asio::as_tuple(asio::use_awaitable));
        CHECK(ec == errc::message_too_long);
    });
}

TEST_CASE("What the kernel refuses is each probe's own failure; a full queue is tried again, for a second") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/24");
        network net{co_await asio::this_coro::executor};
        int full = 0;
        sim.refuse = [&](std::span<std::byte const>) -> error_code {
            return full-- > 0 ? error_code(asio::error::no_buffer_space) : error_code();
        };
        full = 20;
        auto began = sim.now();
        auto got3 = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{});
        CHECK(got3);
        CHECK(sim.now() - began == 20ms + 400us);  // looked again each millisecond; ARP, then the probe
        full = 1 << 20;
        auto [ec, x] =
            co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {}, asio::as_tuple(asio::use_awaitable));
        CHECK(ec == asio::error::no_buffer_space);
        int n = 0;
        sim.refuse = [&](std::span<std::byte const>) -> error_code {
            return ++n % 4 == 0 ? make_error_code(errc::permission) : error_code();
        };
        auto scan = net.sr(IP{.dst = "198.18.0.0/24"} / ICMP{}, {.timeout = 1s});
        std::size_t answers = 0;
        while (auto a = co_await scan.next()) ++answers;
        CHECK(answers == 192);
        CHECK(scan.report().send_errors == 64);
        CHECK(scan.report().sent == 192);
        support::accounting(scan.report(), 256);
        sim.refuse = {};
    });
}

TEST_CASE(
    "An interface that goes down with a thousand probes waiting loses none of them for good; one that is "
    "removed ends them at once") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/22", {}, path::both({.delay = 10ms}));
        network net{co_await asio::this_coro::executor};
        sim.clock().at(sim.now() + 5ms, [&] { sim.set_up("eth1", false); });
        sim.clock().at(sim.now() + 50ms, [&] { sim.set_up("eth1", true); });
        auto scan = net.sr(IP{.dst = "198.18.0.0/22"} / ICMP{}, {.timeout = 100ms, .retry = 1});
        std::size_t answers = 0;
        while (auto x = co_await scan.next()) ++answers;
        CHECK(answers == 1024);
        CHECK(sim.counts().unseen == 1024);
        support::accounting(scan.report(), 1024);

        sim.clock().at(sim.now() + 5ms, [&] { sim.remove_interface("eth1"); });
        auto gone = net.sr(IP{.dst = "198.18.0.0/22"} / ICMP{}, {.timeout = 100ms, .retry = 1});
        auto begin = sim.now();
        auto [ec, none] = co_await gone.next(boost::asio::as_tuple(boost::asio::use_awaitable));
        CHECK(ec == errc::no_such_interface);
        CHECK(!none);
        CHECK(sim.now() - begin == 5ms);  // not when their time is over
        CHECK(gone.report().remaining == 1024);
        support::accounting(gone.report(), 1024);
        CHECK(net.in_flight() == 0);
    });
}

TEST_CASE("Twenty thousand strangers are counted, to the last one, and disturb no probe") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/24", {}, path::both({.delay = 50ms}));
        network net{co_await asio::this_coro::executor};
        constexpr std::uint64_t strangers = 20'000;
        packet stranger = Ether{.dst = "02:00:c6:33:64:01", .src = "02:00:c6:33:64:02"} /
                          IP{.dst = "198.51.100.1", .src = "203.0.113.9"} / TCP{.flags = "SA"};
        for (std::uint64_t i = 0; i < strangers; ++i)
            sim.inject(stranger, 10ms + std::chrono::nanoseconds(i * 1000));
        auto scan = net.sr(IP{.dst = "198.18.0.0/24"} / ICMP{}, {.timeout = 1s});
        std::size_t answers = 0;
        while (auto x = co_await scan.next()) ++answers;
        CHECK(answers == 256);
        CHECK(scan.report().unrelated == strangers);
        CHECK(scan.report().kernel_drops == 0);
        support::accounting_of_one_device(sim);
    });
}

TEST_CASE("What a full receive queue drops is in kernel_drops, to the frame") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/24");
        network net(sim, {.receive_buffer = 10'000});
        packet stranger = Ether{} / IP{.dst = "198.51.100.1", .src = "203.0.113.9"} / TCP{};
        for (int i = 0; i < 100; ++i) sim.inject(stranger, 1ms);  // at once, before anybody can read
        auto scan = net.sr(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 100ms});
        auto got5 = co_await scan.next();
        CHECK(got5);
        co_await sim.sleep(10ms, asio::use_awaitable);
        auto other = net.sr(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 100ms});
        auto got6 = co_await other.next();
        CHECK(got6);
        auto c = sim.counts();
        CHECK(c.queue_drops > 0);
        CHECK(c.queue_drops < 100);
        support::accounting_of_one_device(sim);
    });
}

TEST_CASE("A sniff whose consumer is slow loses frames of its own, counts each, and keeps no probe waiting") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/24");
        network slow(sim, {.receive_buffer = 10'000});
        network net{co_await asio::this_coro::executor};
        auto frames = slow.sniff({.timeout = 10s});
        auto began = sim.now();
        auto scan = net.sr(IP{.dst = "198.18.0.0/24"} / ICMP{}, {.timeout = 1s});
        std::uint64_t answers = 0, seen = 0;
        while (auto x = co_await scan.next()) ++answers;
        CHECK(answers == 256);
        CHECK(sim.now() - began < 100ms);
        while (auto f = co_await frames.next()) ++seen;
        auto c = sim.counts();
        CHECK(frames.report().received == seen);
        CHECK(frames.report().kernel_drops > 0);
        CHECK(seen + frames.report().kernel_drops == c.sent + c.back.delivered);
    });
}

TEST_CASE("A wall clock that jumps moves no deadline, and no round-trip time but the one it happened in") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {}, path::both({.delay = 10ms}));
        sim.add("198.18.0.2", host::silent());
        network net{co_await asio::this_coro::executor};
        for (auto step : {1h, -2h}) {
            sim.clock().at(sim.now() + 50ms, [&sim, step] { sim.clock().step_wall_time(step); });
            auto began = sim.now();
            auto got7 = co_await net.sr1(IP{.dst = "198.18.0.2"} / ICMP{}, {.timeout = 100ms, .retry = 1});
            CHECK(!got7);
            CHECK(sim.now() - began <= 201ms);
            CHECK(sim.now() - began >= 200ms);
            auto x = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{});
            REQUIRE(x);
            CHECK(x->rtt() == 20ms);
        }
    });
}
