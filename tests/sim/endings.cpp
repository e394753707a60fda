// Ends that come from inside: handlers, sources, hosts and destructors that stop or destroy what calls them.
#include "sim/operations.hpp"

#include "net/platform.hpp"

#include <sonde/tools/traceroute.hpp>

#include <algorithm>
#include <array>
#include <functional>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;
using operations::bed;
using operations::into;
using operations::outcome;

TEST_CASE("What a traceroute hears of a target after it has told of it changes nothing") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        path way = path::both({.delay = 50ms});
        way.routers = {ipv4("203.0.113.1")};
        host seldom;  // tells of the first probe that reaches it; the probes behind that one wait in vain
        seldom.icmp_rate = 0.001, seldom.icmp_burst = 2;
        sim.add("198.18.0.1", seldom, way);
        sim.add("198.18.0.2", host::silent(), way);
        network net{co_await asio::this_coro::executor};
        tools::traceroute run(net, {ipv4("198.18.0.1"), ipv4("198.18.0.2")}, {.queries = 1});
        auto first = co_await run.next();
        REQUIRE(first);
        CHECK(first->reached);
        CHECK(first->hops.size() == 2);
        auto second = co_await run.next();
        REQUIRE(second);
        CHECK(!second->reached);
        CHECK(second->hops.size() == 30);
        auto end = co_await run.next();
        CHECK(!end);
    });
}

namespace {

/// Runs `what` deep below bytes that are no objects, where the caller had called functions before.
[[gnu::noinline]] void over_old_frames(std::function<void()> const& what) {
    unsigned char volatile rubbish[1 << 16];
    for (auto& b : rubbish) b = 0xa5;
    what();
    CHECK(std::ranges::all_of(rubbish, [](unsigned char b) { return b == 0xa5; }));
}

}  // namespace

TEST_CASE("A coroutine that a simulation has given up may still end") {
    simulation sim;
    std::optional<network> net(std::in_place, sim);
    auto capture = net->sniff({.iface = "eth1"});
    error_code why;
    CHECK_THROWS_AS(sim.run([&]() -> asio::awaitable<void> {
        auto [ec, p] = co_await capture.next(asio::as_tuple(asio::use_awaitable));
        why = ec;
    }),
                    std::runtime_error);
    over_old_frames([&] {
        net.reset();
        sim.run();
    });
    CHECK(why == asio::error::operation_aborted);
}

TEST_CASE("Sleeps that end with their simulation may cancel one another as they go") {
    for (int canceller : {0, 1, 2}) {
        CAPTURE(canceller);
        asio::cancellation_signal stop[3];
        simulation sim;
        for (int i = 0; i < 3; ++i) {
            std::shared_ptr<void> at_end(nullptr, [&stop, cancels = i == canceller](void*) {
                for (auto& s : stop)
                    if (cancels) s.emit(asio::cancellation_type::terminal);
            });
            sim.sleep(1h, asio::bind_cancellation_slot(stop[i].slot(), [at_end](error_code) {}));
        }
        sim.run_for(1ms);
    }
}

namespace {

/// An async generator that does `what` in its n-th next, before it gives a packet.
struct generator {
    asio::any_io_executor executor;
    int n;
    std::function<void()> what;
    template <class Token>
    auto next(Token&& token) {
        return asio::async_initiate<Token, void(error_code, std::optional<packet>)>(
            [this](auto handler) {
                if (--n == 0) what();
                asio::post(executor, [h = std::move(handler)]() mutable {
                    h(error_code(), std::optional<packet>(bed::answered()));
                });
            },
            token);
    }
};

}  // namespace

TEST_CASE("An async generator that throws when it is asked ends its operation, which tells why") {
    auto fail = [] { throw boost::system::system_error(make_error_code(errc::bad_text), "the third"); };
    bed b;
    auto scan = b.net.sr(generator{b.sim.get_executor(), 3, fail}, {.timeout = 1s});
    int answers = 0;
    error_code end;
    b.sim.run([&]() -> asio::awaitable<void> {
        for (;;) {
            auto [ec, x] = co_await scan.next(asio::as_tuple(asio::use_awaitable));
            end = ec;
            if (!x) break;
            ++answers;
        }
    });
    CHECK(answers == 2);
    CHECK(end == errc::bad_text);
    outcome o;
    b.net.send(generator{b.sim.get_executor(), 3, fail}, {}, [&o](error_code ec, send_report r) {
        ++o.calls;
        o.ec = ec;
        CHECK(r.sent == 2);
    });
    b.sim.run();
    CHECK(o.calls == 1);
    CHECK(o.ec == errc::bad_text);
}

TEST_CASE("A host's script may replace itself, and all that its host does") {
    for (bool udp : {false, true}) {
        CAPTURE(udp);
        bed b;
        auto& s = b.sim.add("198.18.0.9");
        std::string const text(100, 'x');
        int calls = 0;
        if (udp)
            s.behaviour.udp[53] = [&s, &calls, text](packet const&) -> std::optional<packet> {
                s.behaviour = host::silent();
                ++calls;
                return packet(text);
            };
        else
            s.behaviour.script = [&s, &calls, text](packet const&, replies& out) {
                s.behaviour = host::silent();
                ++calls;
                out.send(out.back() / UDP{.dport = 53, .sport = 53} / packet(text));
                return true;
            };
        auto probe = IP{.dst = "198.18.0.9"} / UDP{.dport = 53, .sport = 53} / "a";
        outcome o, again;
        b.net.sr1(probe, {.timeout = 1s}, into(o));
        b.sim.run();
        b.net.sr1(probe, {.timeout = 1s}, into(again));
        b.sim.run();
        CHECK(o.full);
        CHECK(!again.full);
        CHECK(calls == 1);
    }
}
