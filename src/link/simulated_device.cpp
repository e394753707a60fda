#include "link/simulated_device.hpp"

#include <algorithm>
#include <new>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t kept_beside = 256;  // bytes that a kernel charges for a frame, beside its own

}  // namespace

simulated_device::simulated_device(simulated_links& links, asio::any_io_executor executor, link_info info,
                                   bool routed, receive_options const& how)
    : links_(links),
      executor_(std::move(executor)),
      info_(std::move(info)),
      routed_(routed),
      see_outgoing_(how.see_outgoing && !info_.loopback),
      buffer_(how.buffer),
      snapshot_(how.snapshot) {
    if (how.filter && !how.filter->empty()) filter_ = *how.filter;
    down_untold_ = info_.index != 0 && !info_.up;
    links_.devices_.push_back(this);
}

simulated_device::~simulated_device() {
    std::erase(links_.devices_, this);
    cancel();
}

void simulated_device::arrived(frame const& f) {
    if (f.outgoing && !see_outgoing_) return;
    if (filter_ && !filter_->matches(f.bytes, f.length)) {
        ++links_.totals_.filtered;
        return;
    }
    if (queued_bytes_ + f.bytes.size() + kept_beside > buffer_) {
        ++counters_.kernel_dropped;
        ++links_.totals_.dropped;
        return;
    }
    ++counters_.received;
    ++links_.totals_.queued;
    auto& kept = queue_.emplace_back(f);
    if (kept.bytes.size() > snapshot_) kept.bytes.resize(snapshot_);
    queued_bytes_ += kept.bytes.size() + kept_beside;
    end(readable_, {});
}

void simulated_device::went_down() {
    down_untold_ = info_.index != 0;
    end(readable_, {});
}

void simulated_device::was_removed() {
    gone_ = info_.index != 0;
    end(readable_, {});
}

std::size_t simulated_device::receive(std::size_t limit, frame_sink sink, error_code& ec) {
    ec = {};
    std::size_t n = 0;
    for (; n < limit && !queue_.empty(); ++n) {
        auto f = std::move(queue_.front());
        queue_.pop_front();
        queued_bytes_ -= f.bytes.size() + kept_beside;
        sink(f.view());
    }
    if (n > 0) return n;
    if (gone_)
        ec = errc::no_such_interface;
    else if (std::exchange(down_untold_, false))
        ec = errc::interface_down;
    return 0;
}

error_code simulated_device::send(std::span<std::byte const> bytes) {
    auto const* link = links_.find(info_.index);
    if (!link) return errc::no_such_interface;
    if (!link->up) return errc::interface_down;
    constexpr std::size_t ethernet_header = 14;
    if (bytes.size() > link->mtu + (routed_ ? 0 : ethernet_header)) return errc::message_too_long;
    if (auto ec = links_.send_(info_.index, routed_, bytes)) return ec;
    if (!routed_ && !link->loopback)
        links_.arrive({.bytes = bytes,
                       .length = static_cast<std::uint32_t>(bytes.size()),
                       .time = links_.clock_.wall_time(),
                       .type = link->type,
                       .interface = info_.index,
                       .outgoing = true},
                      this);
    return {};
}

std::size_t simulated_device::transmit(std::span<std::span<std::byte const> const> frames, error_code& ec) {
    std::size_t left = 0;
    try {
        while (left < frames.size() && !(ec = send(frames[left]))) ++left;
    } catch (std::bad_alloc const&) {  // those before it have left
        ec = asio::error::no_memory;
    }
    return left;
}

void simulated_device::begin(wait_ptr& w, wait_handler handler) {
    auto fresh = std::make_shared<wait>();
    fresh->handler = std::move(handler);
    if (w && !w->told) return end(fresh, errc::already_running);
    w = std::move(fresh);
}

/// The first end posts the handler; a later one, before the handler's turn, changes its result only.
void simulated_device::end(wait_ptr const& w, error_code ec) {
    if (!w || w->told) return;
    if (!w->ended || ec) w->result = ec;
    tell(executor_, w);
}

void simulated_device::tell(asio::any_io_executor const& executor, wait_ptr const& w) {
    if (std::exchange(w->ended, true)) return;
    asio::post(executor, [w] {
        w->told = true;
        auto handler = std::move(w->handler);
        handler(w->result);
    });
}

void simulated_device::wait_readable(wait_handler handler) {
    begin(readable_, std::move(handler));
    if (has_news()) end(readable_, {});
}

/// Only a harness that answers would_block makes anybody come here.
void simulated_device::wait_writable(wait_handler handler) {
    begin(writable_, std::move(handler));
    std::weak_ptr<wait> later = writable_;
    links_.clock_.at(links_.clock_.now() + std::chrono::milliseconds(1), [later, executor = executor_] {
        if (auto w = later.lock()) tell(executor, w);
    });
}

}  // namespace sonde::inline v0::detail
