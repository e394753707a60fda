// Operations that are cancelled, dropped or left behind after each single step of their lives.
#include "sim/operations.hpp"

#include <boost/asio/append.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <array>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;
using operations::bed;
using operations::into;
using operations::is_full;
using operations::outcome;

namespace {

constexpr std::array types{asio::cancellation_type::terminal, asio::cancellation_type::partial,
                           asio::cancellation_type::total};

/// The next handler, or else the next event of the clock; false when nothing is left to happen.
bool step(simulation& sim) {
    sim.context().restart();
    return sim.context().poll_one() > 0 || sim.clock().step();
}

/// Packets of layer 3 that have left: not the questions for neighbours, which are the network's.
std::size_t packets_sent(simulation const& sim) {
    std::size_t n = 0;
    for (auto const& f : sim.trace())
        n += f.outgoing && f.bytes.size() > 13 && f.bytes[12] == std::byte(8) && f.bytes[13] == std::byte(0);
    return n;
}

/// Once, with its value or operation_aborted; nothing of it is left, and the network serves the next one.
void check_end(bed& b, outcome const& o) {
    CHECK(o.calls == 1);
    CHECK((o.full || o.ec));  // a send that is cancelled late reports packets that have left
    if (o.ec) CHECK(o.ec == asio::error::operation_aborted);
    CHECK(b.net.in_flight() == 0);
    outcome next;
    b.net.sr1(bed::answered(), {.timeout = 1s}, into(next));
    b.sim.run();
    CHECK(next.full);
    CHECK(b.net.in_flight() == 0);
    CHECK(b.sim.clock().pending() == 0);
}

/// Begins the operation, lets `disturb(bed, k)` happen after its k-th step, then all that follows; for each k
/// until the operation is over before. At least `least` steps, or the test tests nothing.
template <class Start, class Disturb, class Check>
void after_each_step(Start start, Disturb disturb, Check check, std::size_t least = 3) {
    for (std::size_t k = 0;; ++k) {
        CAPTURE(k);
        bed b;
        b.sim.record();
        outcome o;
        start(b, o);
        bool over = false;
        for (std::size_t i = 0; i < k && !over; ++i) over = !step(b.sim);
        bool ended_before = o.calls > 0;
        disturb(b);
        auto sent = packets_sent(b.sim);
        while (step(b.sim)) {
        }
        check(b, o, sent);
        if (ended_before) {
            CHECK(k >= least);
            return;
        }
        REQUIRE(!over);
    }
}

}  // namespace

TEST_CASE("Cancelled after any step, by any type, an operation ends once, sends no more and leaves nothing") {
    for (auto type : types)
        operations::for_each([type](std::string name, auto start) {
            CAPTURE(name, int(type));
            bool of_a_stream = name.find("next") != name.npos || name == "collect";
            asio::cancellation_signal stop;
            after_each_step(
                [&](bed& b, outcome& o) { start(b, asio::bind_cancellation_slot(stop.slot(), into(o))); },
                [&](bed&) { stop.emit(type); },
                [&](bed& b, outcome const& o, std::size_t sent) {
                    if (o.ec && of_a_stream) {  // the wait has ended, not the stream: nothing is lost
                        outcome again;
                        start(b, into(again));
                        b.sim.run();
                        CHECK(again.full);
                    } else if (o.ec) {
                        CHECK(packets_sent(b.sim) == sent);
                    }
                    check_end(b, o);
                });
        });
}

TEST_CASE("A signal before the operation begins is none of its business") {
    operations::for_each([](std::string name, auto start) {
        CAPTURE(name);
        bed b;
        asio::cancellation_signal stop;
        stop.emit(asio::cancellation_type::all);
        outcome o;
        start(b, asio::bind_cancellation_slot(stop.slot(), into(o)));
        b.sim.run();
        CHECK(o.full);
        check_end(b, o);
    });
}

TEST_CASE("A completed operation whose handler still waits on its executor is not cancelled any more") {
    operations::for_each([](std::string name, auto start) {
        CAPTURE(name);
        bed b;
        asio::io_context elsewhere;
        asio::cancellation_signal stop;
        outcome o;
        start(b, asio::bind_executor(elsewhere, asio::bind_cancellation_slot(stop.slot(), into(o))));
        b.sim.run();
        stop.emit(asio::cancellation_type::all);
        b.sim.run();
        elsewhere.run();
        CHECK(o.full);
        check_end(b, o);
    });
}

TEST_CASE("A stream dropped after any step ends its next with operation_aborted, and sends no more") {
    operations::for_each([](std::string name, auto start) {
        if (name.find("next") == name.npos) return;
        CAPTURE(name);
        after_each_step([&](bed& b, outcome& o) { start(b, into(o)); },
                        [&](bed& b) {
                            if (name == "next of sr") b.scan.reset();
                            if (name == "next of srloop") b.loop.reset();
                            if (name == "next of sniff") b.capture.reset();
                        },
                        [&](bed& b, outcome const& o, std::size_t sent) {
                            CHECK(packets_sent(b.sim) == sent);
                            check_end(b, o);
                        });
    });
}

TEST_CASE("A network that goes after any step ends its operations once; the next one has nothing of it") {
    operations::for_each([](std::string name, auto start) {
        CAPTURE(name);
        after_each_step([&](bed& b, outcome& o) { start(b, into(o)); },
                        [&](bed& b) { b.net = network(b.sim); },
                        [&](bed& b, outcome const& o, std::size_t sent) {
                            CHECK(packets_sent(b.sim) == sent);
                            check_end(b, o);
                        });
    });
}

TEST_CASE(
    "A network that goes while it asks for a neighbour is gone: its question's end finds nobody to tell") {
    for (bool v6 : {false, true}) {
        CAPTURE(v6);
        bool over = false;
        for (std::size_t k = 0; !over; ++k) {
            CAPTURE(k);
            simulation sim;
            std::optional<network> net(std::in_place, sim);
            outcome o;
            auto probe = v6 ? IPv6{.dst = "2001:db8:ffff::77"} / ICMPv6EchoRequest{}
                            : IP{.dst = "198.51.100.77"} / ICMP{};
            net->sr1(std::move(probe), {.timeout = 1s}, into(o));
            for (std::size_t i = 0; i < k && o.calls == 0; ++i) step(sim);
            over = o.calls > 0;
            net.emplace(sim);  // which takes the last of the old one's memory away
            sim.run();
            CHECK(o.calls == 1);
            CHECK(sim.clock().pending() == 0);
        }
    }
}

TEST_CASE("Streams and deferred operations that begin after their network has gone are aborted, unsent") {
    bed b;
    b.sim.record();
    auto send = b.net.send(bed::answered());
    auto sr1 = b.net.sr1(bed::answered());
    b.net = network(b.sim);
    std::array<outcome, 6> outcomes;
    std::move(send)(into(outcomes[0]));
    std::move(sr1)(into(outcomes[1]));
    b.scan->next(into(outcomes[2]));
    b.list->collect(into(outcomes[3]));
    b.loop->next(into(outcomes[4]));
    b.capture->next(into(outcomes[5]));
    b.sim.run();
    for (auto const& o : outcomes) {
        CHECK(o.calls == 1);
        CHECK(!o.full);
    }
    CHECK(outcomes[0].ec == asio::error::operation_aborted);
    CHECK(outcomes[1].ec == asio::error::operation_aborted);
    CHECK(packets_sent(b.sim) == 0);
}

TEST_CASE("A context that is stopped after any step and started again loses nothing") {
    operations::for_each([](std::string name, auto start) {
        CAPTURE(name);
        after_each_step([&](bed& b, outcome& o) { start(b, into(o)); },
                        [&](bed& b) {
                            b.sim.context().stop();
                            CHECK(b.sim.context().poll() == 0);
                        },
                        [&](bed& b, outcome const& o, std::size_t) {
                            CHECK(o.full);
                            check_end(b, o);
                        });
    });
}

TEST_CASE("A context destroyed after any step destroys what is pending on it, uncalled") {
    operations::for_each([](std::string name, auto start) {
        CAPTURE(name);
        bool over = false;
        for (std::size_t k = 0; !over; ++k) {
            outcome o;
            auto alive = std::make_shared<int>();
            {
                bed b;
                start(b, [&o, alive](error_code ec, auto r) { into(o)(ec, std::move(r)); });
                for (std::size_t i = 0; i < k && o.calls == 0; ++i) step(b.sim);
                over = o.calls > 0;
            }
            CHECK(o.calls == (over ? 1 : 0));
            CHECK(alive.use_count() == 1);
        }
    });
}

namespace {

/// Awaits each operation once.
asio::awaitable<void> all_operations(bed& b, int& reached) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await b.net.send(bed::answered(), {.count = 3, .inter = 10ms});
    ++reached;
    co_await b.net.sendp(bed::frame(), {.count = 2, .inter = 10ms, .iface = "eth1"});
    ++reached;
    co_await b.net.sr1(bed::answered(), {.timeout = 1s});
    ++reached;
    co_await b.net.srp1(bed::frame(), {.timeout = 1s, .iface = "eth1"});
    ++reached;
    co_await b.scan->next();
    ++reached;
    co_await b.loop->next();
    ++reached;
    co_await b.capture->next();
    ++reached;
    co_await b.list->collect();
    ++reached;
}
constexpr int operations_in_all = 8;

}  // namespace

TEST_CASE("A coroutine cancelled after any step, by any type, ends once at the operation it awaits") {
    for (auto type : types) {
        bool whole = false;
        std::array<int, operations_in_all + 1> ended_at{};
        for (std::size_t k = 0; !whole; ++k) {
            CAPTURE(k, int(type));
            bed b;
            b.sim.record();
            asio::cancellation_signal stop;
            int ends = 0, reached = 0;
            std::exception_ptr why;
            asio::co_spawn(b.sim, all_operations(b, reached),
                           asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e) {
                               ++ends;
                               why = e;
                           }));
            for (std::size_t i = 0; i < k && ends == 0; ++i) step(b.sim);
            whole = ends > 0;
            int before = 0;
            std::size_t sent = 0;
            asio::post(b.sim.context(), [&] {  // elsewhere, co_spawn would pass the signal on later
                before = reached;
                stop.emit(type);
                sent = packets_sent(b.sim);
            });
            b.sim.run();
            CAPTURE(before);
            CHECK(ends == 1);
            CHECK(b.net.in_flight() == 0);
            CHECK((why != nullptr) == (reached < operations_in_all));
            if (why) {
                CHECK_THROWS_AS(std::rethrow_exception(why), boost::system::system_error);
                CHECK(reached <= before + 1);
            }
            if (why && before != 4 && before != 5 && before != 7) CHECK(packets_sent(b.sim) == sent);
            ++ended_at[static_cast<std::size_t>(reached)];
        }
        for (auto n : ended_at) CHECK(n > 0);
    }
}

TEST_CASE("The loser of an operator is cancelled wherever the winner finds it") {
    using namespace asio::experimental::awaitable_operators;
    for (auto patience = 0us; patience < 60ms; patience += 500us) {
        CAPTURE(patience.count());
        bed b;
        b.sim.run([&]() -> asio::awaitable<void> {
            co_await b.net.sr1(IP{.dst = "198.18.0.9"} / ICMP{});  // knows the router from here on
            auto first = co_await (b.net.sr1(bed::answered(), {.timeout = 1s}, asio::use_awaitable) ||
                                   b.sim.sleep(patience, asio::use_awaitable));
            CHECK((first.index() == 0) == (patience > 20200us));
            CHECK(b.net.in_flight() == 0);
            auto next =
                co_await (b.scan->next(asio::use_awaitable) || b.sim.sleep(patience, asio::use_awaitable));
            if (next.index() == 1) {
                auto later = co_await b.scan->next();
                CHECK(is_full(later));
            } else {
                CHECK(is_full(std::get<0>(next)));
            }
            auto end = co_await b.scan->next();
            CHECK(!end);
        });
    }
}
