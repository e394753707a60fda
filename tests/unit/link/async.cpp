#include <sonde/link/link.hpp>

#include "support/catch.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

using namespace sonde;

namespace {

using frame_list = std::vector<std::vector<std::byte>>;

std::vector<std::byte> text(std::string_view s) {
    auto* from = reinterpret_cast<std::byte const*>(s.data());
    return {from, from + s.size()};
}

// A device in memory: what is put into `in` can be received, what is transmitted stands in `out`.
class memory_link final : public link_device {
public:
    explicit memory_link(asio::io_context& io) : io_(io) {}
    ~memory_link() override { cancel(); }

    asio::any_io_executor get_executor() const override { return io_.get_executor(); }
    link_info const& info() const noexcept override { return info_; }

    std::size_t receive(std::size_t limit, frame_sink sink, error_code& ec) override {
        ec = in.empty() ? std::exchange(failure, {}) : error_code();
        std::size_t n = 0;
        for (; n < limit && !in.empty(); ++n) {
            auto bytes = std::move(in.front());
            in.pop_front();
            sink(frame{.bytes = bytes, .length = static_cast<std::uint32_t>(bytes.size()), .interface = 7});
        }
        return n;
    }

    std::size_t transmit(std::span<std::span<std::byte const> const> frames, error_code& ec) override {
        ec = full ? error_code(asio::error::would_block) : failure;
        if (ec) return 0;
        for (auto f : frames) out.emplace_back(f.begin(), f.end());
        return frames.size();
    }

    void wait_readable(wait_handler h) override {
        reader_ = std::move(h);
        if (!in.empty() || failure) wake(reader_, {});
    }
    void wait_writable(wait_handler h) override { writer_ = std::move(h); }
    void cancel_readable() override { wake(reader_, asio::error::operation_aborted); }
    void cancel_writable() override { wake(writer_, asio::error::operation_aborted); }
    link_counters counters() override { return {}; }

    void put(std::string_view s) {
        in.push_back(text(s));
        wake(reader_, {});
    }
    void spurious_wake() { wake(reader_, {}); }
    void drain() {
        full = false;
        wake(writer_, {});
    }
    bool waiting() const { return reader_ || writer_; }

    std::deque<std::vector<std::byte>> in;
    frame_list out;
    bool full = false;
    error_code failure;

private:
    void wake(wait_handler& waiting, error_code ec) {
        if (waiting) asio::post(io_, [h = std::exchange(waiting, wait_handler()), ec]() mutable { h(ec); });
    }

    asio::io_context& io_;
    link_info info_;
    wait_handler reader_, writer_;
};

template <class Body>
void run(asio::io_context& io, Body body) {
    std::exception_ptr thrown = std::make_exception_ptr(std::logic_error("the coroutine did not end"));
    asio::co_spawn(io, body(), [&](std::exception_ptr e) { thrown = e; });
    io.run();
    if (thrown) std::rethrow_exception(thrown);
}

struct outcome {
    int calls = 0;
    error_code ec;
    captured_frame got;
    auto handler() {
        return [this](error_code e, captured_frame f) {
            ++calls;
            ec = e;
            got = std::move(f);
        };
    }
};

}  // namespace

TEST_CASE("async_read hands a frame to a coroutine, a future and a callback alike", "[link]") {
    asio::io_context io(1);
    memory_link link(io);
    link.put("one");
    run(io, [&]() -> asio::awaitable<void> {
        captured_frame f = co_await link.async_read();
        CHECK(f.bytes == text("one"));
        CHECK(f.length == 3);
        CHECK(f.interface == 7);
        link.put("two");
        captured_frame g = co_await link.async_read(asio::use_awaitable);
        CHECK(g.bytes == text("two"));
        link.put("three");
        auto [ec, h] = co_await link.async_read(asio::as_tuple(asio::deferred));
        CHECK(!ec);
        CHECK(h.bytes == text("three"));
    });
    io.restart();
    link.put("four");
    auto future = link.async_read(asio::use_future);
    io.run();
    CHECK(future.get().bytes == text("four"));
}

TEST_CASE("async_read never completes inside the initiating call", "[link]") {
    asio::io_context io(1);
    memory_link link(io);
    link.put("x");
    outcome o;
    link.async_read(o.handler());
    CHECK(o.calls == 0);
    io.run();
    CHECK(o.calls == 1);
    CHECK(o.got.bytes == text("x"));
}

TEST_CASE("async_read waits on after a wake-up with nothing to read", "[link]") {
    asio::io_context io(1);
    memory_link link(io);
    outcome o;
    link.async_read(o.handler());
    link.spurious_wake();
    io.poll();
    CHECK(o.calls == 0);
    CHECK(link.waiting());
    link.put("y");
    io.restart();
    io.run();
    CHECK(o.calls == 1);
    CHECK(o.got.bytes == text("y"));
}

TEST_CASE("async_read reports the device's error after the frames before it", "[link]") {
    asio::io_context io(1);
    memory_link link(io);
    link.put("last");
    link.failure = errc::interface_down;
    outcome first, second;
    link.async_read(first.handler());
    io.run();
    CHECK(!first.ec);
    CHECK(first.got.bytes == text("last"));
    link.async_read(second.handler());
    io.restart();
    io.run();
    CHECK(second.ec == errc::interface_down);
}

TEST_CASE("a cancelled async_read takes no frame from the queue", "[link]") {
    auto type = GENERATE(asio::cancellation_type::terminal, asio::cancellation_type::partial,
                         asio::cancellation_type::total);
    bool event_has_come = GENERATE(false, true);
    asio::io_context io(1);
    memory_link link(io);
    asio::cancellation_signal signal;
    outcome o;
    link.async_read(asio::bind_cancellation_slot(signal.slot(), o.handler()));
    if (event_has_come) link.put("kept");  // the wait has completed, its handler has not run
    signal.emit(type);
    io.run();
    CHECK(o.calls == 1);
    CHECK(o.ec == asio::error::operation_aborted);
    CHECK(link.in.size() == (event_has_come ? 1 : 0));
    signal.emit(type);  // too late for anything
}

TEST_CASE("a late cancellation does not reach the next read", "[link]") {
    asio::io_context io(1);
    memory_link link(io);
    asio::cancellation_signal signal;
    outcome first, second;
    link.put("first");
    link.async_read(asio::bind_cancellation_slot(signal.slot(), first.handler()));
    io.run();
    CHECK(!first.ec);
    link.async_read(second.handler());
    signal.emit(asio::cancellation_type::terminal);
    io.restart();
    io.poll();
    CHECK(second.calls == 0);
    link.put("second");
    io.restart();
    io.run();
    CHECK(second.got.bytes == text("second"));
}

TEST_CASE("destroying the device ends a read once, and a cancellation after that is harmless", "[link]") {
    asio::io_context io(1);
    auto link = std::make_unique<memory_link>(io);
    asio::cancellation_signal signal;
    outcome o;
    link->async_read(asio::bind_cancellation_slot(signal.slot(), o.handler()));
    link.reset();
    signal.emit(asio::cancellation_type::terminal);
    io.run();
    CHECK(o.calls == 1);
    CHECK(o.ec == asio::error::operation_aborted);
}

TEST_CASE("async_write sends at once when the device takes the frame, and completes later", "[link]") {
    asio::io_context io(1);
    memory_link link(io);
    auto bytes = text("hello");
    int calls = 0;
    link.async_write(bytes, [&](error_code ec) {
        ++calls;
        CHECK(!ec);
    });
    CHECK(link.out == frame_list{bytes});
    CHECK(calls == 0);
    io.run();
    CHECK(calls == 1);
}

TEST_CASE("async_write waits while the device is full, and sends once", "[link]") {
    asio::io_context io(1);
    memory_link link(io);
    link.full = true;
    auto bytes = text("hello");
    std::optional<error_code> result;
    link.async_write(bytes, [&](error_code ec) { result = ec; });
    io.poll();
    CHECK(!result);
    link.drain();
    io.restart();
    io.run();
    REQUIRE(result);
    CHECK(!*result);
    CHECK(link.out == frame_list{bytes});
}

TEST_CASE("a cancelled async_write sends nothing", "[link]") {
    bool drained = GENERATE(false, true);
    asio::io_context io(1);
    memory_link link(io);
    link.full = true;
    auto bytes = text("hello");
    std::optional<error_code> result;
    asio::cancellation_signal signal;
    link.async_write(bytes, asio::bind_cancellation_slot(signal.slot(), [&](error_code ec) { result = ec; }));
    if (drained) link.drain();
    signal.emit(asio::cancellation_type::total);
    io.run();
    REQUIRE(result);
    CHECK(*result == asio::error::operation_aborted);
    CHECK(link.out.empty());
}

TEST_CASE("async_write reports the device's refusal", "[link]") {
    asio::io_context io(1);
    memory_link link(io);
    link.failure = errc::message_too_long;
    auto bytes = text("hello");
    run(io, [&]() -> asio::awaitable<void> {
        auto [ec] = co_await link.async_write(bytes, asio::as_tuple(asio::deferred));
        CHECK(ec == errc::message_too_long);
        link.failure = {};
        co_await link.async_write(bytes);
    });
    CHECK(link.out.size() == 1);
}

TEST_CASE("a read completes on its handler's own executor", "[link]") {
    asio::io_context io(1), other(1);
    memory_link link(io);
    link.put("z");
    outcome o;
    link.async_read(asio::bind_executor(other, o.handler()));
    io.poll();
    CHECK(o.calls == 0);
    other.run();
    CHECK(o.calls == 1);
    CHECK(o.got.bytes == text("z"));
}
