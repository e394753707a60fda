// What Asio asks of an asynchronous operation, of every operation: all completion tokens, the associated
// executor, allocator and cancellation slot, and work that is counted.
#include "sim/operations.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>

#include <future>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;
using operations::bed;
using operations::into;
using operations::is_full;
using operations::outcome;

namespace {

/// What went through an allocator, and all copies of it.
struct traffic {
    std::size_t allocations = 0, bytes = 0;
};

template <class T>
struct counting_allocator {
    using value_type = T;
    explicit counting_allocator(traffic& t) : count(&t) {}
    template <class U>
    counting_allocator(counting_allocator<U> const& other) : count(other.count) {}
    T* allocate(std::size_t n) {
        ++count->allocations;
        count->bytes += n * sizeof(T);
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* p, std::size_t n) {
        count->bytes -= n * sizeof(T);
        std::allocator<T>().deallocate(p, n);
    }
    template <class U>
    bool operator==(counting_allocator<U> const& other) const {
        return count == other.count;
    }
    traffic* count;
};

}  // namespace

TEST_CASE("A callback is called once, later, with the result of any operation") {
    operations::for_each([](std::string name, auto start) {
        CAPTURE(name);
        bed b;
        outcome o;
        start(b, into(o));
        CHECK(o.calls == 0);
        b.sim.run();
        CHECK(o.calls == 1);
        CHECK(!o.ec);
        CHECK(o.full);
    });
}

TEST_CASE("A future gets the result of any operation") {
    operations::for_each([](std::string name, auto start) {
        CAPTURE(name);
        bed b;
        auto result = start(b, asio::use_future);
        b.sim.run();
        REQUIRE(result.wait_for(0s) == std::future_status::ready);
        CHECK(is_full(result.get()));
    });
}

TEST_CASE("A coroutine awaits any operation by each of Asio's tokens for it") {
    operations::for_each([](std::string name, auto start) {
        CAPTURE(name);
        for (int which = 0; which < 6; ++which) {
            CAPTURE(which);
            bed b;
            b.sim.run([&]() -> asio::awaitable<void> {
                error_code ec;
                if (which == 0) {
                    auto r = co_await start(b, asio::use_awaitable);
                    CHECK(is_full(r));
                } else if (which == 1) {
                    auto r = co_await start(b, asio::deferred);
                    CHECK(is_full(r));
                } else if (which == 2) {
                    auto [e, r] = co_await start(b, asio::as_tuple(asio::deferred));
                    CHECK(!e);
                    CHECK(is_full(r));
                } else if (which == 3) {
                    auto [e, r] = co_await start(b, asio::as_tuple(asio::use_awaitable));
                    CHECK(!e);
                    CHECK(is_full(r));
                } else if (which == 4) {
                    auto r = co_await start(b, asio::redirect_error(asio::use_awaitable, ec));
                    CHECK(!ec);
                    CHECK(is_full(r));
                } else {
                    auto operation = start(b, asio::deferred);
                    co_await b.sim.sleep(50ms);
                    CHECK(b.net.in_flight() == 0);  // a deferred operation begins when it is awaited
                    auto r = co_await std::move(operation)(asio::use_awaitable);
                    CHECK(is_full(r));
                }
            });
        }
    });
}

TEST_CASE("An error is thrown, returned or redirected, as the token has it") {
    bed b;
    b.sim.run([&]() -> asio::awaitable<void> {
        auto nowhere = [&](auto token) {
            return b.net.sr1(IP{.dst = "198.51.100.200"} / ICMP{}, {.timeout = 1s}, std::move(token));
        };
        bool thrown = false;
        try {
            co_await nowhere(asio::use_awaitable);
        } catch (boost::system::system_error const& e) {
            thrown = e.code() == errc::no_neighbour;
        }
        CHECK(thrown);
        auto [ec, x] = co_await nowhere(asio::as_tuple(asio::deferred));
        CHECK(ec == errc::no_neighbour);
        error_code redirected;
        co_await nowhere(asio::redirect_error(asio::use_awaitable, redirected));
        CHECK(redirected == errc::no_neighbour);
    });
    auto failed = b.net.sr1(IP{.dst = "198.51.100.200"} / ICMP{}, {.timeout = 1s}, asio::use_future);
    b.sim.run();
    CHECK_THROWS_AS(failed.get(), boost::system::system_error);
}

TEST_CASE("A detached operation does what it does, with nobody to tell") {
    operations::for_each([](std::string name, auto start) {
        CAPTURE(name);
        bed b;
        start(b, asio::detached);
        b.sim.run();
        CHECK(b.net.in_flight() == 0);
        bool sends = name != "next of sniff";
        CHECK((b.sim.counts().sent > 0) == sends);
    });
}

TEST_CASE("A handler runs on its own executor: a strand, or another context, which has work until then") {
    operations::for_each([](std::string name, auto start) {
        CAPTURE(name);
        bed b;
        auto strand = asio::make_strand(b.sim.context());
        bool on_strand = false;
        start(b, asio::bind_executor(strand,
                                     [&](error_code, auto) { on_strand = strand.running_in_this_thread(); }));
        b.sim.run();
        CHECK(on_strand);

        bed again;
        auto of_any = asio::make_strand(asio::any_io_executor(again.sim.context().get_executor()));
        on_strand = false;
        start(again, asio::bind_executor(
                         of_any, [&](error_code, auto) { on_strand = of_any.running_in_this_thread(); }));
        again.sim.run();
        CHECK(on_strand);

        asio::io_context elsewhere;
        bed other;
        outcome o;
        start(other, asio::bind_executor(elsewhere, into(o)));
        elsewhere.poll();
        CHECK(!elsewhere.stopped());
        other.sim.run();
        CHECK(o.calls == 0);
        elsewhere.restart();
        elsewhere.run();  // returns: nothing keeps it alive any more
        CHECK(o.calls == 1);
        CHECK(o.full);
    });
}

TEST_CASE("A network and its pending operations have no work on a context that does nothing for them") {
    asio::io_context loop;
    network idle{loop};
    CHECK(loop.run_for(10s) == 0);
    auto unstarted = idle.sr(IP{.dst = "127.0.0.1"} / ICMP{});
    auto waiting = idle.sr1(IP{.dst = "127.0.0.1"} / ICMP{});
    loop.restart();
    CHECK(loop.run_for(10s) == 0);
}

TEST_CASE("An operation's memory is its handler's allocator's, and is free again before the handler runs") {
    operations::for_each([](std::string name, auto start) {
        CAPTURE(name);
        bed b;
        traffic memory;
        outcome o;
        std::size_t held_in_handler = 1;
        start(b, asio::bind_allocator(counting_allocator<void>(memory), [&](error_code ec, auto result) {
                  held_in_handler = memory.bytes;
                  into(o)(ec, std::move(result));
              }));
        CHECK(memory.allocations == 1);
        CHECK(memory.bytes > 0);
        b.sim.run();
        CHECK(o.full);
        CHECK(held_in_handler == 0);
        CHECK(memory.bytes == 0);
    });
}

TEST_CASE("What an operation never completes, it gives back: its context or its network goes first") {
    operations::for_each([](std::string name, auto start) {
        CAPTURE(name);
        traffic memory;
        outcome o;
        {
            bed b;
            start(b, asio::bind_allocator(counting_allocator<void>(memory), into(o)));
            b.sim.run_for(1ms);
            CHECK(memory.bytes > 0);
        }
        CHECK(o.calls == 0);  // there was no context left to call it on
        CHECK(memory.bytes == 0);
    });
}

TEST_CASE("Its slot cancels any operation, by each type of cancellation, once and never at once") {
    for (auto type : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
                      asio::cancellation_type::total})
        operations::for_each([type](std::string name, auto start) {
            CAPTURE(name, int(type));
            bed b;
            asio::cancellation_signal stop;
            outcome o;
            start(b, asio::bind_cancellation_slot(stop.slot(), into(o)));
            b.sim.run_for(1ms);
            CHECK(o.calls == 0);
            stop.emit(type);
            CHECK(o.calls == 0);
            stop.emit(type);
            b.sim.run();
            CHECK(o.calls == 1);
            CHECK(o.ec == asio::error::operation_aborted);
            CHECK(!o.full);
            CHECK(b.net.in_flight() == 0);
            stop.emit(type);  // nobody is there
            b.sim.run();
            CHECK(o.calls == 1);
        });
}

TEST_CASE("The signal of an operation that is over does nothing to the next one") {
    operations::for_each([](std::string name, auto start) {
        if (name.find("next") == name.npos) return;
        CAPTURE(name);
        bed b;
        asio::cancellation_signal first, second;
        outcome refused, served;
        start(b, asio::bind_cancellation_slot(second.slot(), into(served)));
        start(b, asio::bind_cancellation_slot(first.slot(), into(refused)));
        b.sim.run_for(1ms);
        CHECK(refused.ec == errc::already_running);
        first.emit(asio::cancellation_type::total);
        b.sim.run();
        CHECK(served.calls == 1);
        CHECK(served.full);
        outcome end;
        b.loop.emplace(b.net.srloop(bed::answered(), {.count = 1}));
        b.scan.emplace(b.net.sr(bed::answered()));
        b.sim.inject(Ether{} / bed::answered(), 30ms);
        start(b, into(end));
        second.emit(asio::cancellation_type::total);
        b.sim.run();
        CHECK(end.full);
    });
}

TEST_CASE("No operation completes inside the call that begins it, whatever is wrong or ready already") {
    bed b;
    b.sim.run_for(100ms);  // the sniffer has its frame
    bool inside = true;
    int calls = 0;
    auto never_inside = [&](error_code, auto) {
        CHECK(!inside);
        ++calls;
    };
    auto bad = b.net.sniff({.filter = "no filter"}), lost = b.net.sniff({.iface = "eth9"});
    auto unknown = b.net.sr(bed::answered(), {.iface = "eth9"});
    auto ended = b.net.sr(bed::answered());
    ended.cancel();
    asio::post(b.sim.context(), [&] {
        inside = true;
        b.capture->next(never_inside);
        b.capture->next(never_inside);  // already_running
        bad.next(never_inside), lost.next(never_inside), unknown.next(never_inside), ended.next(never_inside);
        b.net.send(bed::answered(), {.count = 0}, never_inside);
        b.net.sendp(bed::frame(), {.iface = "eth9"}, never_inside);
        b.net.sr1(bed::answered(), {.filter = "no filter"}, never_inside);
        b.net.sr1(bed::answered(), {.iface = "eth9"}, never_inside);
        b.list->collect(never_inside);
        b.list->collect(never_inside);
        b.list->next(never_inside);
        b.capture->cancel(), b.list->cancel();
        inside = false;
    });
    b.sim.run();
    CHECK(calls == 13);
}

TEST_CASE("Operators: the first of several ends the others, and all of several are waited for") {
    using namespace asio::experimental::awaitable_operators;
    bed b;
    b.sim.run([&]() -> asio::awaitable<void> {
        auto ping = [&](std::string to) {
            return b.net.sr1(IP{.dst = to} / ICMP{}, {.timeout = 1s}, asio::use_awaitable);
        };
        auto first =
            co_await (ping("198.18.0.66") || ping("198.18.0.1") || b.sim.sleep(5s, asio::use_awaitable));
        CHECK(first.index() == 1);
        CHECK(b.net.in_flight() == 0);
        auto [x, y] = co_await (ping("198.18.0.66") && ping("198.18.0.2"));
        CHECK(!x);
        CHECK(y);
        auto [ec, all, one] = co_await (b.list->collect(asio::as_tuple(asio::use_awaitable)) &&
                                        b.scan->next(asio::use_awaitable));
        CHECK(!ec);
        CHECK(is_full(all));
        CHECK(is_full(one));
        auto late = co_await (b.capture->next(asio::use_awaitable) || b.sim.sleep(1s, asio::use_awaitable));
        CHECK(late.index() == 0);
    });
}

TEST_CASE("Channels carry what a network's coroutines find, and close with them") {
    bed b;
    asio::experimental::channel<void(error_code, std::string)> found(b.sim.context(), 2);
    auto ask = [&](std::string to) -> asio::awaitable<void> {
        auto x = co_await b.net.sr1(IP{.dst = to} / ICMP{}, {.timeout = 100ms});
        if (!x) to += " is silent";
        co_await found.async_send(error_code(), to, asio::use_awaitable);
    };
    b.sim.run([&]() -> asio::awaitable<void> {
        auto executor = co_await asio::this_coro::executor;
        for (std::string to : {"198.18.0.66", "198.18.0.7", "198.18.0.8"})
            asio::co_spawn(executor, ask(to), asio::detached);
        std::vector<std::string> names;
        for (int i = 0; i < 3; ++i) names.push_back(co_await found.async_receive(asio::use_awaitable));
        CHECK(names == std::vector<std::string>{"198.18.0.7", "198.18.0.8", "198.18.0.66 is silent"});
    });
}

TEST_CASE("A network stands on a context, a strand, or any executor of either") {
    bed b;
    auto ping_on = [&](auto executor) {
        bool answered = false;
        asio::co_spawn(
            executor,
            [&]() -> asio::awaitable<void> {
                network net{co_await asio::this_coro::executor};
                auto x = co_await net.sr1(bed::answered());
                answered = x.has_value();
            },
            asio::detached);
        b.sim.run();
        return answered;
    };
    auto strand = asio::make_strand(b.sim.context());
    CHECK(ping_on(b.sim.context().get_executor()));
    CHECK(ping_on(strand));
    CHECK(ping_on(asio::any_io_executor(strand)));
    CHECK(ping_on(asio::make_strand(asio::any_io_executor(b.sim.context().get_executor()))));
    CHECK(ping_on(asio::any_io_executor(b.sim.get_executor())));
}
