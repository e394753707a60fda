#include "link/readiness.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace sonde::inline v0::detail {

struct readiness::state {
    explicit state(asio::any_io_executor executor) : timer(executor), descriptor(executor) {}

    struct side {
        unsigned generation = 0;  // of the waits; those of an older one are aborted
        bool waiting = false;
        bool time_is_up = false;
    };

    void interrupt() {
        error_code ignored;
        descriptor.cancel(ignored);  // both directions: the one that was not meant arms itself again
    }

    side sides[2];
    asio::steady_timer timer;
    asio::posix::stream_descriptor descriptor;
};

readiness::readiness(asio::any_io_executor executor) : state_(std::make_shared<state>(std::move(executor))) {}

error_code readiness::assign(unique_fd fd) {
    error_code ec;
    state_->descriptor.assign(fd.get(), ec);
    if (!ec) fd.release();
    return ec;
}

// Asio takes an assigned descriptor out of the epoll set before it closes it, as it must: libpcap and forked
// children hold others of the same file.
readiness::~readiness() = default;

asio::any_io_executor readiness::get_executor() const {
    return state_->descriptor.get_executor();
}

int readiness::fd() const {
    return state_->descriptor.native_handle();
}

void readiness::wait(direction d, wait_handler handler, std::chrono::milliseconds at_most) {
    auto& side = state_->sides[d];
    if (side.waiting)
        return asio::post(get_executor(),
                          [handler = std::move(handler)]() mutable { handler(errc::already_running); });
    side.waiting = true;
    arm(state_, d, std::move(handler));
    if (at_most.count() == 0) return;
    state_->timer.expires_after(at_most);
    state_->timer.async_wait([weak = std::weak_ptr(state_), d, generation = side.generation](error_code ec) {
        auto s = weak.lock();
        if (ec || !s || !s->sides[d].waiting || s->sides[d].generation != generation) return;
        s->sides[d].time_is_up = true;
        s->interrupt();
    });
}

void readiness::arm(std::shared_ptr<state> const& s, direction d, wait_handler handler) {
    auto event =
        d == reading ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write;
    auto told = [weak = std::weak_ptr(s), d, generation = s->sides[d].generation,
                 handler = std::move(handler)](error_code ec) mutable {
        auto alive = weak.lock();
        if (!alive || alive->sides[d].generation != generation)
            return handler(asio::error::operation_aborted);
        auto& side = alive->sides[d];
        if (ec == asio::error::operation_aborted) {
            if (!side.time_is_up) return arm(alive, d, std::move(handler));
            ec = {};
        }
        side.waiting = side.time_is_up = false;
        ++side.generation;
        if (d == reading) alive->timer.cancel();
        alive.reset();  // the handler may destroy the device, which must then be closed at once
        handler(ec);
    };
    s->descriptor.async_wait(event, std::move(told));
}

void readiness::cancel(direction d) {
    auto& side = state_->sides[d];
    if (!side.waiting) return;
    ++side.generation;
    side.waiting = side.time_is_up = false;
    if (d == reading) state_->timer.cancel();
    state_->interrupt();
}

void readiness::end_wait(direction d) {
    auto& side = state_->sides[d];
    if (!side.waiting) return;
    side.time_is_up = true;
    state_->interrupt();
}

}  // namespace sonde::inline v0::detail
