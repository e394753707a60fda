// What became of each probe, why, and how a scan is held, stopped and taken up again.
#include "support/simulated.hpp"

#include <sonde/sonde.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

using kind = probe_outcome::kind;
using why = explanation::kind;

std::uint32_t last_octet(exchange const& x) {
    return x.sent.get<IP>().dst.value().value & 0xff;
}

struct told {
    std::uint32_t host;
    probe_outcome what;
    std::uint16_t attempt;
};

asio::awaitable<std::vector<told>> read(exchange_stream& scan) {
    std::vector<told> all;
    while (auto x = co_await scan.next()) all.push_back({last_octet(*x), x->outcome(), x->attempt});
    co_return all;
}

}  // namespace

TEST_CASE("sr tells of every probe on request, each when its fate is known") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {.think = 30ms});
        sim.add("198.18.0.2", {}, path{.there = {}, .back = {}, .routers = {ipv4("198.18.9.1")}});
        sim.add("198.18.0.3", host::silent());
        sim.add("198.18.0.4", {.think = 10ms});
        network net{co_await asio::this_coro::executor};
        auto scan = net.sr(
            IP{.dst = {"198.18.0.1", "198.18.0.2", "198.18.0.3", "198.51.100.77", "198.18.0.4"}, .ttl = 1} /
                ICMP{},
            {.timeout = 20ms, .retry = 1, .unanswered = true});
        auto all = co_await read(scan);
        REQUIRE(all.size() == 5);
        std::map<std::uint32_t, told> by_host;
        for (auto const& t : all) by_host.emplace(t.host, t);
        CHECK(by_host.at(4).what.what == kind::answered);
        CHECK(by_host.at(2).what == probe_outcome{kind::icmp_error, 11, 0, ipv4("198.18.9.1")});
        CHECK(fmt::format("{}", by_host.at(2).what) == "ICMP error 11/0 from 198.18.9.1");
        CHECK(by_host.at(3).what == probe_outcome{kind::timed_out});
        CHECK(by_host.at(3).attempt == 2);
        CHECK(by_host.at(77).what == probe_outcome{.what = kind::send_failed, .error = errc::no_neighbour});
        // 30 ms are too late for the first attempt, not for the probe.
        CHECK(by_host.at(1).what.what == kind::answered);
        CHECK(all[3].host == 3);
        CHECK(all[4].host == 77);
        auto r = scan.report();
        CHECK(r.answered == 3);
        CHECK(r.send_errors == 1);
    });
}

TEST_CASE("A probe that timed out is shown as it left: its identity, its source, its time") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/24", host::silent());
        network net{co_await asio::this_coro::executor};
        auto witness = net.sniff({.iface = "eth1", .filter = "tcp"});
        for (int retry : {1, -2}) {
            auto scan = net.sr(IP{.dst = "198.18.0.0/30"} / TCP{.dport = {80, 81}},
                               {.timeout = 100ms, .retry = retry, .unanswered = true});
            std::vector<packet> left, told;
            while (auto x = co_await scan.next()) told.push_back(std::move(x->sent));
            while (auto p = witness.try_next()) left.push_back(std::move(*p));
            REQUIRE(told.size() == 8);
            left.erase(left.begin(), left.end() - 8);  // the last attempts
            for (std::size_t i = 0; i < 8; ++i) {
                auto bytes = left[i].build();
                CHECK(std::vector(bytes.begin() + 14, bytes.end()) == told[i].build());
                CHECK(left[i].time == told[i].time);
            }
        }
    });
}

TEST_CASE("collect keeps its two lists when the unanswered are asked for, too") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/28");
        sim.add("198.18.0.5", host::silent());
        network net{co_await asio::this_coro::executor};
        auto scan = net.sr(IP{.dst = "198.18.0.0/28"} / ICMP{}, {.timeout = 50ms, .unanswered = true});
        auto [ans, unans] = co_await scan.collect();
        CHECK(ans.size() == 15);
        CHECK(std::ranges::all_of(ans, &exchange::answered));
        CHECK(unans.size() == 1);
    });
}

TEST_CASE("A paused scan sends nothing; its deadlines go on, and it goes on where it was") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        auto& there = sim.add("198.18.0.0/24").there;
        network net{co_await asio::this_coro::executor};
        auto scan = net.sr(IP{.dst = "198.18.0.0/24"} / ICMP{}, {.timeout = 100ms, .inter = 1ms});
        std::size_t answers = 0;
        while (answers < 50) {
            auto x = co_await scan.next();
            answers += x.has_value();
        }
        scan.pause();
        co_await sim.sleep(10ms);
        auto left = there.counts().entered;
        co_await sim.sleep(10s);
        CHECK(there.counts().entered == left);
        CHECK(net.in_flight() == 0);
        scan.resume();
        while (co_await scan.next()) ++answers;
        CHECK(answers == 256);
        CHECK(scan.report().answered == 256);
        CHECK(scan.report().sent == 256);
        CHECK(scan.report().remaining == 0);
        support::accounting(scan.report(), 256);
    });
}

TEST_CASE("A stopped scan hands over what came, ends the rest as cancelled, and sends no more") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        auto& there = sim.add("198.18.0.0/24", {.think = 20ms}).there;
        network net{co_await asio::this_coro::executor};
        auto scan =
            net.sr(IP{.dst = "198.18.0.0/24"} / ICMP{}, {.timeout = 100ms, .inter = 1ms, .unanswered = true});
        auto first = co_await scan.next();
        CHECK(first);
        co_await sim.sleep(20ms);
        scan.stop();
        auto left = there.counts().entered;
        std::map<kind, std::size_t> ends{{kind::answered, 1}};
        while (auto x = co_await scan.next()) ++ends[x->outcome().what];
        co_await sim.sleep(1s);
        CHECK(there.counts().entered == left);
        CHECK(ends[kind::answered] + ends[kind::cancelled] == left);
        CHECK(ends[kind::cancelled] >= 19);
        CHECK(scan.unanswered().size() == ends[kind::cancelled]);
        CHECK(net.in_flight() == 0);
        auto after = co_await scan.next();
        CHECK(!after);
    });
}

TEST_CASE("What waits for room in the kernel when its scan is stopped never leaves") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        auto& there = sim.add("198.18.0.0/28").there;
        network net{co_await asio::this_coro::executor};
        co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s});  // the router is known
        auto left = there.counts().entered;
        auto scan = net.sr(IP{.dst = "198.18.0.0/28"} / ICMP{}, {.timeout = 100ms, .unanswered = true});
        sim.refuse = [&](std::span<std::byte const>) { return error_code(asio::error::no_buffer_space); };
        co_await (scan.next(asio::use_awaitable) || sim.sleep(10ms, asio::use_awaitable));
        scan.stop();
        sim.refuse = {};
        std::size_t cancelled = 0;
        while (auto x = co_await scan.next()) cancelled += x->outcome().what == kind::cancelled;
        co_await sim.sleep(1s);
        CHECK(there.counts().entered == left);
        CHECK(cancelled == 16);
        CHECK(net.in_flight() == 0);
    });
}

TEST_CASE("A loop that is stopped ends its round, and begins no other") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        sim.add("198.18.0.2", host::silent());
        network net{co_await asio::this_coro::executor};
        auto loop =
            net.srloop(IP{.dst = {"198.18.0.1", "198.18.0.2"}} / ICMP{}, {.inter = 1s, .timeout = 500ms});
        auto first = co_await loop.next();
        CHECK(first);
        loop.stop();
        auto last = co_await loop.next();
        REQUIRE(last);
        CHECK(last->outcome().what == kind::cancelled);
        auto after = co_await loop.next();
        CHECK(!after);
        CHECK(loop.report().rounds == 1);
    });
}

TEST_CASE("Taken up at its cursor, a scan that broke off at any moment misses no probe") {
    auto seed = support::seed();
    for (std::uint64_t round = 0; round < 40; ++round) {
        support::simulate(
            [round](simulation& sim) -> asio::awaitable<void> {
                sim.add("198.18.0.0/23", {.tcp = {80}},
                        path::both({.delay = 3ms, .jitter = 2ms, .loss = 0.3}));
                random_source random(round);
                auto targets = IP{.dst = "198.18.0.0/23"} / TCP{.dport = 80};
                std::set<std::uint32_t> told;
                std::uint64_t from = 0;
                network net{co_await asio::this_coro::executor};
                for (int part = 0;; ++part) {
                    auto scan = net.sr(targets | drop(from), {.timeout = 20ms,
                                                              .retry = round % 2 ? 2 : -1,
                                                              .rate = 20000,
                                                              .window = 64,
                                                              .unanswered = true});
                    auto take = part < 3 ? random.next() % 300 : forever;
                    std::uint64_t n = 0;
                    for (; n < take; ++n) {
                        auto x = co_await scan.next();
                        if (!x) break;
                        told.insert(x->sent.get<IP>().dst.value().value);
                    }
                    bool over = n < take;
                    if (part % 2) scan.cancel();
                    from += scan.cursor();
                    if (over) break;
                }
                CHECK(from == 512);
                CHECK(told.size() == 512);
            },
            seed + round);
    }
}

TEST_CASE("A loop knows loss, jitter and quantiles of each of its probes") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        int n = 0;
        host odd{.script = [&n](packet const& p, replies& out) {
            if (n++ % 4 == 3) return true;  // lost
            auto const& asked = p.get<ICMP>();
            out.send(
                out.back() / ICMP{.type = "echo-reply", .id = asked.id.value(), .seq = asked.seq.value()},
                n % 20 == 1 ? 40ms : 10ms);
            return true;
        }};
        sim.add("198.18.0.1", {.think = 5ms});
        sim.add("198.18.0.2", host::silent());
        sim.add("198.18.0.3", odd);
        network net{co_await asio::this_coro::executor};
        auto loop = net.srloop(IP{.dst = {"198.18.0.1", "198.18.0.2", "198.18.0.3"}} / ICMP{},
                               {.count = 40, .inter = 100ms, .timeout = 50ms});
        while (co_await loop.next()) {
        }
        auto took = loop.report().duration;  // 39 pauses and the last round, as time goes
        CHECK(took >= 3950ms);
        CHECK(took < 3960ms);
        auto of = loop.statistics();
        REQUIRE(of.size() == 3);
        CHECK(of[0].loss() == 0);
        CHECK(of[0].rounds == 40);
        CHECK(of[0].rtt.count() == 40);
        CHECK(of[0].rtt.mean() == 5200us);
        CHECK(of[0].rtt.jitter() == 0ns);
        CHECK(of[0].rtt.quantile(0.5) == 5200us);
        CHECK(of[0].rtt.quantile(0.95) == 5200us);
        CHECK(of[1].loss() == 1);
        CHECK(of[1].rounds == 40);
        CHECK(of[1].rtt.quantile(0.5) == 0ns);
        CHECK(of[2].loss() == 0.25);
        CHECK(of[2].rtt.least() == 10200us);
        CHECK(of[2].rtt.most() == 40200us);
        CHECK(of[2].rtt.mean() == 12200us);  // 2 of 30 took 40
        auto median = of[2].rtt.quantile(0.5), slowest = of[2].rtt.quantile(0.95);
        CHECK(std::chrono::abs(median - 10200us) <= 10200us / 64);
        CHECK(std::chrono::abs(slowest - 40200us) <= 40200us / 64);
    });
}

TEST_CASE("Each packet that comes in is explained: matched, duplicate, late, unrelated, malformed") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        host odd{.script = [](packet const& p, replies& out) {
            auto const& asked = p.get<TCP>();
            auto say = [&](std::uint32_t ack, std::chrono::nanoseconds after) {
                out.send(out.back() / TCP{.dport = asked.sport.value(),
                                          .sport = asked.dport.value(),
                                          .flags = "SA",
                                          .ack = asked.seq.value() + ack},
                         after);
            };
            switch (asked.dport.value()) {
                case 80: say(1, 1ms), say(1, 2ms); break;  // an answer, and again
                case 81: say(1, 200ms); break;             // too late
                case 82: say(7, 3ms), out.send(out.back() / UDP{.dport = 9}, 4ms); break;
            }
            return true;
        }};
        sim.add("198.18.0.1", odd);
        sim.add("198.18.0.2", host::silent());
        network net{co_await asio::this_coro::executor};
        auto explain = net.explain();
        auto scan = net.sr(IP{.dst = "198.18.0.1"} / TCP{.dport = {80, 81, 82}}, {.timeout = 100ms});
        co_await (scan.collect(asio::use_awaitable) &&
                  net.sr1(IP{.dst = "198.18.0.2"} / ICMP{}, {.timeout = 1s}, asio::use_awaitable));
        std::vector<std::pair<why, std::string>> all;
        while (auto e = explain.try_next())
            if (e->received.has<IP>()) all.emplace_back(e->what, e->reason);
        REQUIRE(all.size() == 5);
        CHECK(all[0] == std::pair(why::matched, std::string("probe 0, attempt 1")));
        CHECK(all[1] == std::pair(why::duplicate, std::string("probe 0, attempt 1: it has had its answer")));
        CHECK(all[2].first == why::unrelated);
        CHECK(all[2].second.starts_with("probe 2: tcp ack "));
        CHECK(all[3].first == why::unrelated);
        CHECK(all[3].second.starts_with("no probe in flight"));
        CHECK(all[4] == std::pair(why::late, std::string("probe 1, attempt 1: it had timed out")));
        CHECK(explain.dropped() == 0);
    });
}

TEST_CASE("A damaged answer is explained; a full queue drops explanations, and counts them") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/24", {}, path{.there = {}, .back = {.corrupt = 1}, .routers = {}});
        network net{co_await asio::this_coro::executor};
        auto few = net.explain(10);
        auto all = net.explain();
        auto scan = net.sr(IP{.dst = "198.18.0.0/24"} / ICMP{}, {.timeout = 100ms});
        co_await scan.collect();
        std::size_t damaged = 0, told = 0, kept = 0;
        while (auto e = all.try_next()) damaged += e->what == why::malformed, ++told;
        while (few.try_next()) ++kept;
        CHECK(damaged == scan.report().malformed);
        CHECK(damaged > 100);
        CHECK(kept == 10);
        CHECK(few.dropped() == told - 10);
    });
}

TEST_CASE("Who waits for an explanation is woken by one, and by the network's end") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {.think = 5ms});
        auto executor = co_await asio::this_coro::executor;
        std::optional<network> net(executor);
        auto explain = net->explain();
        std::vector<why> seen;
        error_code end;
        asio::co_spawn(
            executor,
            [&]() -> asio::awaitable<void> {
                for (;;) {
                    auto [ec, e] = co_await explain.next(asio::as_tuple(asio::use_awaitable));
                    if (!e) {
                        end = ec;
                        co_return;
                    }
                    if (e->received.has<ICMP>()) seen.push_back(e->what);
                }
            },
            asio::detached);
        co_await net->sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s});
        co_await sim.sleep(1ms);
        CHECK(seen == std::vector{why::matched});
        net.reset();
        co_await sim.sleep(1ms);
        CHECK(end == asio::error::operation_aborted);
    });
}
