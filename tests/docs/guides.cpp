// The code of docs/guide/{timeouts,cancellation,back-pressure,rates,politeness}.md and of README.md, as it
// stands there, on the simulated lab.
#include "docs/support.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

TEST_CASE("Guide to timeouts: each attempt has its own, and a retry is a probe of its own") {
    docs::in_the_lab([](simulation& sim, network& net) -> asio::awaitable<void> {
        auto began = sim.now();
        auto x = co_await net.sr1(IP{.dst = "198.19.248.1"} / ICMP{}, {.timeout = 500ms, .retry = 2});
        CHECK(!x);                           // silence, after three attempts
        CHECK(sim.now() - began >= 1500ms);  // of half a second each
        CHECK(sim.now() - began < 1600ms);
    });
}

TEST_CASE("Guide to timeouts: those that follow the path") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto scan = net.sr(IP{.dst = "198.18.0.0/24"} / ICMP{}, {.timeout = adaptive, .retry = 2});
        auto [ans, unans] = co_await scan.collect();
        CHECK(ans.size() == 256);
    });
}

TEST_CASE("Guide to timeouts: one deadline for all of it") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto scan = net.sr(IP{.dst = "198.18.0.0/16"} / ICMP{}, {.rate = 100});
        std::size_t answered = 0;
        while (auto x = co_await scan.next()) {
            ++answered;
            if (scan.report().duration > 2s) scan.stop();  // what has come is read to the end
        }
        CHECK(answered > 150);
        CHECK(answered < 250);
    });
}

TEST_CASE("Guide to cancellation: a slot ends one wait, and nothing is lost") {
    docs::in_the_lab([](simulation& sim, network& net) -> asio::awaitable<void> {
        auto scan = net.sr(IP{.dst = "198.19.248.1"} / ICMP{}, {.timeout = 1s, .unanswered = true});
        asio::cancellation_signal enough;
        error_code ended;
        scan.next(asio::bind_cancellation_slot(enough.slot(),
                                               [&](error_code ec, std::optional<exchange>) { ended = ec; }));
        co_await sim.sleep(100ms);
        enough.emit(asio::cancellation_type::total);
        co_await sim.sleep(1ms);
        CHECK(ended == asio::error::operation_aborted);

        auto x = co_await scan.next();  // the scan itself goes on
        REQUIRE(x);
        CHECK(x->outcome().what == probe_outcome::kind::timed_out);
    });
}

TEST_CASE("Guide to cancellation: the loser of a race is cancelled") {
    docs::in_the_lab([](simulation& sim, network& net) -> asio::awaitable<void> {
        using namespace asio::experimental::awaitable_operators;
        packet ping = IP{.dst = "198.19.248.1"} / ICMP{};
        auto first = co_await (net.sr1(ping, {.timeout = 1h}, asio::use_awaitable) ||
                               sim.sleep(2s, asio::use_awaitable));
        CHECK(first.index() == 1);
        CHECK(net.in_flight() == 0);
    });
}

TEST_CASE("Guide to cancellation: a stream that goes out of scope") {
    docs::in_the_lab([](simulation& sim, network& net) -> asio::awaitable<void> {
        {
            auto scan = net.sr(IP{.dst = "198.18.0.0/16"} / ICMP{}, {.rate = 1000});
            co_await scan.next();
        }
        CHECK(net.in_flight() == 0);
        auto sent = sim.counts().sent;
        co_await sim.sleep(1s);
        CHECK(sim.counts().sent == sent);  // not one packet more
    });
}

TEST_CASE("Guide to back-pressure: who does not read holds the sender back") {
    docs::in_the_lab([](simulation& sim, network& net) -> asio::awaitable<void> {
        auto scan = net.sr(IP{.dst = "198.18.0.0/16"} / ICMP{}, {.window = 1000});
        co_await scan.next();
        co_await sim.sleep(10s);  // the consumer is busy with something else
        CHECK(scan.report().sent < 10000);
        std::size_t answered = 1;
        while (auto x = co_await scan.next()) ++answered;
        CHECK(answered == 65536);  // late, but all of them
    });
}

TEST_CASE("Guide to back-pressure: a batch is read without the event loop") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        std::size_t answered = 0;
        auto scan = net.sr(IP{.dst = "198.18.0.0/20"} / ICMP{}, {.timeout = 1s});
        while (auto x = co_await scan.next()) do
                ++answered;
            while ((x = scan.try_next()));
        CHECK(answered == 4096);
    });
}

TEST_CASE("Guide to back-pressure: a capture cannot hold its sender back, and what is lost is counted") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add_lab();
        auto executor = co_await asio::this_coro::executor;
        network net{executor, {.receive_buffer = 64 << 10}};
        auto capture = net.sniff({.iface = "eth1", .filter = "icmp", .timeout = 60s});
        co_await net.send(IP{.dst = "198.18.0.0/20"} / ICMP{}, {.rate = 1000});  // nobody reads meanwhile
        std::uint64_t seen = 0;
        while (auto p = co_await capture.next()) ++seen;
        fmt::print("{} seen, {} lost\n", seen, capture.report().kernel_drops);
        CHECK(seen + capture.report().kernel_drops == 8192);
        CHECK(capture.report().kernel_drops > 0);
    });
}

TEST_CASE("Guide to rates: of an operation, of a network, of each destination network") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add_lab();
        network net{co_await asio::this_coro::executor,
                    {.rate = 2000, .per_prefix = {.rate = 200, .v4_length = 24}}};
        auto began = sim.now();
        co_await net.sr(IP{.dst = "198.18.0.0/24"} / ICMP{}, {.rate = 1000}).collect();
        CHECK(sim.now() - began > 1s);  // 256 packets to one /24, at 200 a second
        net.set_prefix_rate({});
        net.set_rate(0);
    });
}

TEST_CASE("Guide to rates: as fast as the path bears") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto scan =
            net.sr(IP{.dst = "198.18.0.0/24"} / ICMP{}, {.timeout = adaptive, .retry = 1, .rate = adaptive});
        auto [ans, unans] = co_await scan.collect();
        CHECK(ans.size() == 256);
    });
}

TEST_CASE("Guide to rates: was it complete?") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto scan = net.sr(IP{.dst = "198.18.0.0/24"} / ICMP{}, {.timeout = 1s, .retry = 2});
        co_await scan.collect();
        auto r = scan.report();
        fmt::print("{}\n{} sent, {} answered, {} silent, {} could not leave, {} lost by the kernel\n", r,
                   r.sent, r.answered, r.remaining, r.send_errors, r.kernel_drops);
        CHECK(r.received == r.answered + r.duplicates + r.late + r.unrelated + r.malformed);
    });
}

TEST_CASE("Guide to politeness: where nothing goes") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        net.allow("198.18.0.0/15");                             // nothing else, whatever is asked
        net.block(address_set("198.18.7.0/24", "198.18.9.1"));  // these neither

        auto scan =
            net.sr(IP{.dst = {"198.18.0.1", "198.18.9.1", "203.0.113.1"}} / ICMP{}, {.unanswered = true});
        int refused = 0;
        while (auto x = co_await scan.next())
            if (x->failure == errc::target_blocked) ++refused;
        CHECK(refused == 2);
    });
}

TEST_CASE("Guide to politeness: slowly, in no order, and only once") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        net.set_prefix_rate({.rate = 50, .v4_length = 24});
        auto targets = IP{.dst = "198.18.0.0/22"} / TCP{.dport = 443, .flags = "S"} |
                       exclude("198.18.3.0/24") | shuffled(2026);
        auto [ans, unans] = co_await net.sr(targets, {.timeout = 2s, .rate = 500}).collect();
        CHECK(ans.size() == 768);
    });
}

TEST_CASE("README: another order, shared out") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto part = net.sr(IP{.dst = "198.18.0.0/20"} / TCP{.dport = {80, 443}} | exclude("198.18.7.0/24") |
                           shuffled(42) | shard(0, 4));
        auto [ans, unans] = co_await part.collect();
        CHECK(ans.size() == (4096 - 256) * 2 / 4);
    });
}
