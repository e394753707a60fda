// What a user counts on, whatever else goes on: little room, slow readers, silent neighbours, a network that
// goes.
#include "support/simulated.hpp"
#include "support/slow_list.hpp"

#include <sonde/layers/ether.hpp>
#include <sonde/layers/icmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/raw.hpp>
#include <sonde/net/stream.hpp>
#include <sonde/tools/traceroute.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>

#include <optional>
#include <ranges>
#include <stdexcept>
#include <vector>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

packet ping(std::string_view to) {
    return IP{.dst = to} / ICMP{};
}

// No co_await inside of CHECK: g++ 12 awaits twice there.
asio::awaitable<void> expect_one(auto& stream) {
    auto const x = co_await stream.next();
    REQUIRE(x.has_value());
}
asio::awaitable<void> expect_end(auto& stream) {
    auto const x = co_await stream.next();
    CHECK(!x.has_value());
}

/// How long, in virtual time, until nothing is left to happen.
std::chrono::nanoseconds time_to_rest(std::function<asio::awaitable<void>(simulation&)> const& body) {
    simulation sim(support::seed());
    sim.add("198.18.0.1");
    auto const began = sim.now();
    sim.run([&] { return body(sim); });
    sim.run();
    return sim.now() - began;
}

}  // namespace

TEST_CASE("Room for few probes is room for the question for their neighbour, too") {
    for (std::uint32_t const places : {1u, 10u, 100u}) {
        CAPTURE(places);
        support::simulate([places](simulation& sim) -> asio::awaitable<void> {
            sim.add("198.18.0.0/24");
            network net{co_await asio::this_coro::executor, {.probes = places}};
            auto [answered, silent] =
                co_await net.sr(IP{.dst = "198.18.0.0/24"} / ICMP{}, {.timeout = 200ms}).collect();
            CHECK(answered.size() == 256);
            CHECK(silent.empty());
        });
    }
}

TEST_CASE("A neighbour's entry that ends during a scan of silent hosts holds nothing up") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/16", host::silent());
        network net{co_await asio::this_coro::executor, {.probes = 100}};
        auto scan = net.sr(IP{.dst = "198.18.0.0/18"} / ICMP{}, {.timeout = 300ms});
        while (auto x = co_await scan.next()) FAIL("a silent host answered");
        CHECK(scan.report().sent == 16384);
    });
}

TEST_CASE("What a sniff captured in time is read after its time, too") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        network net{co_await asio::this_coro::executor};
        auto capture = net.sniff({.iface = "eth1", .filter = "icmp", .timeout = 1s});
        co_await net.send(ping("198.18.0.1"), {.count = 200});
        co_await sim.sleep(2s);
        co_await net.send(ping("198.18.0.1"), {.count = 5});  // these come too late
        co_await sim.sleep(1s);
        std::size_t read = 0;
        while (co_await capture.next()) ++read;
        CHECK(read == 400);
        CHECK(capture.report().received == 400);
    });
}

TEST_CASE("A loop whose answers nobody reads sends no more") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/24");
        network net{co_await asio::this_coro::executor};
        auto loop = net.srloop(IP{.dst = "198.18.0.0/24"} / ICMP{}, {.inter = 10ms});
        co_await expect_one(loop);
        co_await sim.sleep(1s);
        auto const sent = loop.report().sent;
        CHECK(sent < 3000);
        co_await sim.sleep(10s);
        CHECK(loop.report().sent == sent);
        for (int n = 0; n < 5000; ++n) co_await expect_one(loop);  // and it goes on
    });
}

TEST_CASE("A loop over nothing ends, however often it was to go round") {
    support::simulate([](simulation&) -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto of_set = net.srloop(ping("198.18.0.1") | take(0), {.inter = 10ms});
        co_await expect_end(of_set);
        auto of_range = net.srloop(std::vector<packet>(), {.inter = 10ms});
        co_await expect_end(of_range);
        auto of_view = net.srloop(
            std::vector<packet>(3) | std::views::filter([](auto const&) { return false; }), {.inter = 10ms});
        co_await expect_end(of_view);
    });
}

TEST_CASE("A network that goes between two calls of next is told of, after what had come") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/24");
        std::optional<network> net(co_await asio::this_coro::executor);
        auto scan = net->sr(IP{.dst = "198.18.0.0/28"} / ICMP{}, {.timeout = 1h, .rate = 10});
        auto list = net->sr(IP{.dst = "198.18.0.0/28"} / ICMP{}, {.timeout = 1h, .rate = 10});
        auto why = net->explain();
        co_await expect_one(scan);
        co_await expect_one(list);
        co_await sim.sleep(1s);
        auto const answered = scan.report().answered, of_list = list.report().answered;
        REQUIRE(answered > 5);
        net.reset();
        for (auto n = answered; n > 1; --n) co_await expect_one(scan);
        auto [ec, x] = co_await scan.next(asio::as_tuple(asio::use_awaitable));
        CHECK(ec == asio::error::operation_aborted);
        CHECK(!x);
        co_await expect_end(scan);
        while (why.try_next()) continue;
        auto [told, none] = co_await why.next(asio::as_tuple(asio::use_awaitable));
        CHECK(told == asio::error::operation_aborted);
        auto [failed, all] = co_await list.collect(asio::as_tuple(asio::use_awaitable));
        CHECK(failed == asio::error::operation_aborted);
        CHECK(all.answered.size() == of_list - 1);
    });
}

TEST_CASE("One packet that is none of layer 3 fails alone among others") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        network net{co_await asio::this_coro::executor};
        std::vector<packet> const packets{ping("198.18.0.1"), packet("no ip"), ping("198.18.0.1")};
        auto scan = net.sr(packets, {.timeout = 1s, .unanswered = true});
        std::size_t answered = 0, failed = 0;
        while (auto x = co_await scan.next()) {
            answered += x->answered();
            failed += x->failure == errc::no_such_layer;
        }
        CHECK(answered == 2);
        CHECK(failed == 1);
        auto alike = net.sr(packet("no ip"));
        auto [ec, x] = co_await alike.next(asio::as_tuple(asio::use_awaitable));
        CHECK(ec == errc::no_such_layer);  // of a set every packet has the same layers
    });
}

TEST_CASE("A source that throws ends after the answers to what had left, whatever it throws") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        network net{co_await asio::this_coro::executor};
        auto throwing = std::views::iota(0, 1000) | std::views::transform([](int n) {
                            if (n == 500) throw std::logic_error("no more");
                            return ping("198.18.0.1");
                        }) |
                        std::views::filter([](auto const&) { return true; });
        auto scan = net.sr(throwing, {.timeout = 1s});
        std::size_t answered = 0;
        for (;;) {
            auto [ec, x] = co_await scan.next(asio::as_tuple(asio::use_awaitable));
            if (!x) {
                CHECK(ec == errc::user_code_failed);
                CHECK(net.why().find("no more") != std::string::npos);
                break;
            }
            ++answered;
        }
        CHECK(answered >= 250);  // the filter's begin() is asked for its first packets twice
        CHECK(answered == scan.report().sent);
        auto [ec, report] = co_await net.send(throwing, {}, asio::as_tuple(asio::use_awaitable));
        CHECK(ec == errc::user_code_failed);
        CHECK(report.sent >= 250);
    });
}

TEST_CASE("Why tells of the latest error, not of one before it") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        network net{co_await asio::this_coro::executor};
        auto [missing, none] =
            co_await net.sr1(ping("198.18.0.1"), {.iface = "eth7"}, asio::as_tuple(asio::use_awaitable));
        CHECK(missing == errc::no_such_interface);
        CHECK(net.why() == "eth7");
        auto [ec, report] = co_await net.send(ping("198.18.0.1") / std::string(3000, 'x'), {},
                                              asio::as_tuple(asio::use_awaitable));
        CHECK(ec == errc::message_too_long);
        CHECK(net.why().find("eth7") == std::string::npos);
    });
}

TEST_CASE("Nothing goes on for a silent neighbour when nobody waits for it any more") {
    auto first_of_two = time_to_rest([](simulation&) -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto x = co_await net.sr1(IP{.dst = {"198.51.100.77", "198.18.0.1"}} / ICMP{});
        CHECK(x.has_value());
    });
    CHECK(first_of_two < 100ms);
    auto given_up = time_to_rest([](simulation& sim) -> asio::awaitable<void> {
        using namespace asio::experimental::awaitable_operators;
        network net{co_await asio::this_coro::executor};
        co_await (net.sr1(ping("198.51.100.77"), {}, asio::use_awaitable) ||
                  sim.sleep(200ms, asio::use_awaitable));
        co_await (net.send(ping("198.51.100.77"), {}, asio::use_awaitable) ||
                  sim.sleep(200ms, asio::use_awaitable));
    });
    CHECK(given_up < 500ms);
}

TEST_CASE("A question for a neighbour that was left alone for a while is asked anew") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        using namespace asio::experimental::awaitable_operators;
        network net{co_await asio::this_coro::executor};
        for (auto pause : {100ms, 5000ms}) {
            co_await (net.sr1(ping("198.51.100.77"), {}, asio::use_awaitable) ||
                      sim.sleep(200ms, asio::use_awaitable));
            co_await sim.sleep(pause);
        }
        sim.add("198.51.100.77");  // it is there now
        auto x = co_await net.sr1(ping("198.51.100.77"));
        CHECK(x.has_value());
    });
}

TEST_CASE("Sending ends at once where nothing can leave any more") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        network net{co_await asio::this_coro::executor};
        auto sending = [&]() -> asio::awaitable<error_code> {
            auto [ec, report] = co_await net.sendp(Ether{} / ping("198.18.0.1"),
                                                   {.inter = 100ms, .loop = true, .iface = "eth1"},
                                                   asio::as_tuple(asio::use_awaitable));
            CHECK(report.sent == 5);
            co_return ec;
        };
        auto removing = [&]() -> asio::awaitable<void> {
            co_await sim.sleep(450ms);
            sim.remove_interface("eth1");
        };
        using namespace asio::experimental::awaitable_operators;
        auto const ended = co_await (sending() && removing());
        CHECK(ended == errc::no_such_interface);
    });
}

TEST_CASE("A frame shorter than an Ethernet header is padded, as Scapy pads it") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        sim.record();
        co_await net.sendp(Raw{"hello"}, {.iface = "eth1"});
        REQUIRE(sim.trace().size() == 1);
        CHECK(sim.trace()[0].bytes.size() == 60);
    });
}

TEST_CASE("Of a range or a generator every packet leaves, those of its sets too, in their order") {
    std::vector<packet> const elements{IP{.dst = "198.18.0.1", .ttl = {1, 2}} / ICMP{}, ping("198.18.0.1"),
                                       IP{.dst = "198.18.0.1", .ttl = range(7, 9)} / ICMP{}};
    auto one_pass = std::views::filter([](auto const&) { return true; });
    auto all = std::views::join;
    for (int kind : {0, 1, 2, 3})
        support::simulate([&, kind](simulation& sim) -> asio::awaitable<void> {
            CAPTURE(kind);
            auto source = [&]() -> packet_source {
                switch (kind) {
                    case 0: return elements;
                    case 1: return elements | one_pass;
                    case 2: return elements | all;
                    default: return support::slow_list(sim, elements);
                }
            };
            sim.add("198.18.0.1");
            network net{co_await asio::this_coro::executor};
            auto ttls_left = [&] {
                std::vector<int> left;
                for (auto const& f : sim.trace())
                    if (auto p = dissect(f.bytes); p.has<ICMP>() && p.get<ICMP>().type == 8)
                        left.push_back(p.get<IP>().ttl);
                return left;
            };
            std::vector<int> const expected{1, 2, 64, 7, 8, 9};
            sim.record();
            auto const report = co_await net.send(source());
            CHECK(report.sent == 6);
            CHECK(ttls_left() == expected);
            auto scan = net.sr(source(), {.timeout = 1s});
            for (std::size_t n = 0; n < expected.size(); ++n) {
                auto const x = co_await scan.next();
                REQUIRE(x.has_value());
                CHECK(x->index == n);
                CHECK(x->sent.get<IP>().ttl == expected[n]);
            }
            co_await expect_end(scan);
        });
}

TEST_CASE("A packet of a set within a range is sent again as it was, and again in the next round") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        network net{co_await asio::this_coro::executor};
        std::vector<packet> const elements{IP{.dst = {"198.18.0.9", "198.18.0.1"}} / ICMP{}};
        auto scan = net.sr(elements, {.timeout = 100ms, .retry = 2});
        auto [answered, silent] = co_await scan.collect();
        CHECK(answered.size() == 1);
        REQUIRE(silent.size() == 1);
        CHECK(silent[0].get<IP>().dst == "198.18.0.9");
        auto loop = net.srloop(elements, {.count = 3, .inter = 1s});
        std::size_t rounds = 0;
        while (auto x = co_await loop.next()) rounds += x->answered();
        CHECK(rounds == 3);
        auto const report = co_await net.send(elements, {.count = 3});
        CHECK(report.sent == 6);
    });
}

TEST_CASE("A view that makes sets by number is told how to give all their packets") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/24");
        network net{co_await asio::this_coro::executor};
        auto sets = std::views::iota(1, 3) | std::views::transform([](int ttl) -> packet {
                        return IP{.dst = "198.18.0.1", .ttl = ttl} / ICMP{.seq = {1, 2}};
                    });
        auto [ec, x] = co_await net.sr1(sets, {.timeout = 1s}, asio::as_tuple(asio::use_awaitable));
        CHECK(ec == errc::not_a_single_value);
        CHECK(net.why() == "packet 1 of the view is a set of 2; std::views::join gives all its packets");
        auto [answered, silent] = co_await net.sr(sets | std::views::join, {.timeout = 1s}).collect();
        CHECK(answered.size() == 4);
    });
}

TEST_CASE("A loop without a pause waits for its answers, each round for its own") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {}, path::both({.delay = 300ms}));
        network net{co_await asio::this_coro::executor};
        auto loop = net.srloop(ping("198.18.0.1"), {.count = 3, .inter = 0s});
        for (std::uint64_t round = 1; round <= 3; ++round) {
            auto const x = co_await loop.next();
            REQUIRE(x.has_value());
            CHECK(x->answered());
            CHECK(x->round == round);
        }
        co_await expect_end(loop);
    });
}

TEST_CASE("The report of a loop adds up at any time, also where it is interrupted") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        network net{co_await asio::this_coro::executor};
        std::vector<packet> const both{ping("198.18.0.1"), ping("198.18.0.9")};
        auto loop = net.srloop(both, {.inter = 1s});
        for (int n = 1; n <= 5; ++n) {
            co_await expect_one(loop);
            auto const r = loop.report();
            CHECK(r.rounds >= r.answered);
            CHECK(r.rounds >= static_cast<std::uint64_t>(n));
            CHECK(r.rounds <= r.sent + r.send_errors);
        }
        auto const before = loop.report();
        loop.cancel();
        CHECK(loop.report().rounds == before.rounds);
        CHECK(fmt::format("{}", loop.report()) == "Sent 5 packets, received 3 packets. 60.0% hits.");
    });
}

TEST_CASE("What a view throws for one packet is that probe's failure, whatever it throws") {
    auto const view = std::views::iota(0, 4) | std::views::transform([](int i) -> packet {
                          if (i == 2) throw std::out_of_range("no such host");
                          return ping(std::string_view("198.18.0.1"));
                      });
    support::simulate([&](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        network net{co_await asio::this_coro::executor};
        auto all = net.sr(view, {.timeout = 1s});
        auto [answered, silent] = co_await all.collect();
        CHECK(answered.size() == 3);
        CHECK(silent.empty());
        auto some = net.sr(view, {.timeout = 1s});
        for (int n = 0; n < 3; ++n) co_await expect_one(some);
        co_await expect_end(some);
        CHECK(some.unanswered().empty());
        auto each = net.sr(view, {.timeout = 1s, .unanswered = true});
        std::size_t failed = 0;
        for (int n = 0; n < 4; ++n) {
            auto const x = co_await each.next();
            REQUIRE(x.has_value());
            failed += x->failure == errc::user_code_failed;
        }
        CHECK(failed == 1);
        co_await expect_end(each);
    });
}

TEST_CASE("Less than no time until a deadline is no time, not for ever") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto const began = sim.now();
        auto const none = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = -1s});
        CHECK(!none);
        auto capture = net.sniff({.timeout = -1s});
        co_await expect_end(capture);
        CHECK(sim.now() - began < 4s);  // the question for the neighbour
    });
}

TEST_CASE("Numbers that no attempt, port or hop can have are errors, and no others instead") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        auto executor = co_await asio::this_coro::executor;
        network net{executor};
        auto [ec, x] =
            co_await net.sr1(ping("198.18.0.1"), {.retry = 65535}, asio::as_tuple(asio::use_awaitable));
        CHECK(ec == errc::value_out_of_range);
        CHECK(net.why() == "retry 65535, at most 65534");
        CHECK_THROWS_AS(net.guard_resets(port_range{10, 5}), error);
        CHECK_THROWS_AS(network(executor, {.probes = 0}), error);
        CHECK_THROWS_AS(tools::traceroute(net, {ipv4("198.18.0.1")}, {.first_hop = 10, .max_hops = 3}),
                        error);
    });
}

TEST_CASE("A loop that rested in a round begins the next one its interval after that one left") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        network net{co_await asio::this_coro::executor};
        auto loop = net.srloop(ping("198.18.0.1"), {.count = 4, .inter = 1s});
        co_await expect_one(loop);
        auto const began = sim.now();
        loop.pause();
        co_await sim.sleep(4500ms);
        loop.resume();
        std::vector<std::chrono::milliseconds> at;
        for (int n = 0; n < 3; ++n) {
            co_await expect_one(loop);
            at.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(sim.now() - began));
        }
        CHECK(at == std::vector<std::chrono::milliseconds>{4500ms, 5500ms, 6500ms});
    });
}

TEST_CASE("Virtual time that is longer than there is lasts until nothing is left, and wraps around nowhere") {
    simulation sim(support::seed());
    bool woke = false;
    asio::co_spawn(
        sim.context(),
        [&]() -> asio::awaitable<void> {
            co_await sim.sleep(2h);
            woke = true;
        },
        asio::detached);
    sim.run_for(std::chrono::nanoseconds::max());
    CHECK(woke);
}
