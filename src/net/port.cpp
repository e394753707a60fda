#include "port.hpp"

#include <boost/container/static_vector.hpp>

#include <algorithm>
#include <utility>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t batch = 64;             // more gains nothing: docs/design/transmit.md
constexpr std::size_t frames_per_turn = 512;  // then the loop's other users have their turn
constexpr std::size_t spares = 1024;          // frames whose memory is kept
constexpr std::size_t largest_spare = 2048;   // octets of each
constexpr unsigned refusals_allowed = 1000;   // by a full queue, a millisecond apart

}  // namespace

port::port(platform& system, std::unique_ptr<link_device> device, sink receive,
           std::function<void()> received, std::function<void(error_code)> failed)
    : system_(system),
      device_(std::move(device)),
      info_(device_->info()),
      receive_(std::move(receive)),
      received_(std::move(received)),
      failed_(std::move(failed)),
      retry_(system.make_timer()) {}

void port::read(bool on) {
    if (reading_ == on) return;
    reading_ = on;
    if (on)
        wait_readable();
    else
        device_->cancel_readable();
}

void port::wait_readable() {
    if (waiting_) return;
    waiting_ = true;
    device_->wait_readable([self = weak_from_this()](error_code ec) {
        auto p = self.lock();
        if (!p) return;
        p->waiting_ = false;
        if (!p->reading_) return;
        if (ec && ec != asio::error::operation_aborted) return p->failed_(ec);
        try {
            p->drain(frames_per_turn);
        } catch (...) {  // of a layer's own code: it leaves the loop, but those who wait are still served
            if (p->reading_) p->wait_readable();
            throw;
        }
        if (p->reading_) p->wait_readable();
        if (p->after_batch) p->after_batch();
    });
}

void port::drain(std::size_t limit) {
    auto self = shared_from_this();
    error_code ec;
    while (limit > 0 && device_) {
        std::size_t n = 0;
        try {
            n = device_->receive(std::min(limit, batch), receive_, ec);
        } catch (...) {  // what came before it is judged all the same
            received_();
            throw;
        }
        received_();
        limit -= n;
        if (ec && ec != errc::interface_down) {
            reading_ = false;
            return failed_(ec);
        }
        if (n < batch) return;
    }
}

void port::make_room() {
    constexpr std::size_t first = 64;
    auto const enough = std::max(first, 2 * queue_.size());
    spare_.reserve(std::min(enough, spares));  // to keep one takes no memory then
    queue_.set_capacity(enough);
}

port::entry port::take_first() {
    auto first = std::move(queue_.front());
    queue_.pop_front();
    return first;
}

void port::keep(std::vector<std::byte>&& room) {
    if (spare_.size() < spare_.capacity() && room.capacity() <= largest_spare)
        spare_.push_back(std::move(room));
}

/// For want of memory one frame fails, as for want of anything else.
std::size_t port::transmit(std::span<std::span<std::byte const> const> frames, error_code& ec) try {
    return device_->transmit(frames, ec);
} catch (std::bad_alloc const&) {
    ec = asio::error::no_memory;
    return 0;
}

void port::flush() {
    auto self = shared_from_this();
    while (!queue_.empty() && !blocked_ && device_) {
        if (!queue_.front().owner->wants_to_send()) {
            queue_.pop_front();
            continue;
        }
        // No arrays: most often it is one frame, and 64 would be made.
        boost::container::static_vector<std::span<std::byte const>, batch> frames;
        boost::container::static_vector<entry, batch> gone;
        for (auto const& e : queue_) {
            if (frames.size() == batch || !e.owner->wants_to_send()) break;
            frames.push_back(e.bytes);
        }
        auto const n = frames.size();
        auto now = system_.now();
        auto sent = system_.wall_time();
        error_code ec;
        auto taken = transmit(frames, ec);
        bool full = ec == asio::error::would_block || ec == asio::error::no_buffer_space;
        if (taken > 0) refusals_ = 0;
        bool failed = ec && !full && taken < n;
        if (full && ++refusals_ > refusals_allowed && taken < n) failed = true, refusals_ = 0;
        if (full && taken < n) queue_[taken].owner->frame_delayed();
        // Out of the queue first: whatever is thrown when owners are told, none of these leaves twice.
        while (gone.size() < taken + failed) gone.push_back(take_first());
        for (auto& e : std::span(gone).first(taken)) {
            e.owner->frame_left(e.tag, now, sent);
            keep(std::move(e.bytes));
        }
        if (failed) gone.back().owner->frame_failed(gone.back().tag, ec);
        if (!full || queue_.empty()) continue;
        try {
            back_off(ec);
        } catch (std::bad_alloc const&) {  // to wait takes memory: the next one fails instead
            auto next = take_first();
            next.owner->frame_failed(next.tag, asio::error::no_memory);
        }
    }
}

void port::back_off(error_code ec) {
    auto go_on = [self = weak_from_this()](error_code waited) {
        auto p = self.lock();
        if (!p || !p->device_ || waited == asio::error::operation_aborted) return;
        p->blocked_ = false;
        p->flush();
        if (p->after_batch) p->after_batch();
    };
    if (ec == asio::error::would_block)
        device_->wait_writable(go_on);
    else  // a full interface queue has no event: look again in a millisecond
        retry_->start(system_.now() + std::chrono::milliseconds(1), [go_on] { go_on({}); });
    blocked_ = true;  // once somebody will end it
}

void port::close() {
    reading_ = false;
    queue_.clear();
    retry_->cancel();
    device_.reset();
}

void port::fail(error_code ec) {
    end_ = ec;
    auto unsent = std::exchange(queue_, boost::circular_buffer<entry>());
    close();
    for (auto& e : unsent) e.owner->frame_failed(e.tag, ec);
}

}  // namespace sonde::inline v0::detail
