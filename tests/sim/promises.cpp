// What a user counts on, whatever else goes on: little room, slow readers, silent neighbours, a network that
// goes.
#include "support/simulated.hpp"

#include <sonde/layers/ether.hpp>
#include <sonde/layers/icmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/raw.hpp>
#include <sonde/net/stream.hpp>

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
        auto const sent = loop.report().total.sent;
        CHECK(sent < 3000);
        co_await sim.sleep(10s);
        CHECK(loop.report().total.sent == sent);
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
