#include "link/xdp/sender.hpp"

#include <linux/if_ether.h>
#include <sys/socket.h>

#include <cstring>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t vlan_tag = 4;
// A veth's 256 places, or a card's, are free again about so soon.
constexpr auto try_again = std::chrono::microseconds(100);
constexpr unsigned tries = 10000;  // a second

bool has_vlan_tag(std::span<std::byte const> f) noexcept {
    return f[12] == std::byte{ETH_P_8021Q >> 8} && f[13] == std::byte{ETH_P_8021Q & 0xff};
}

}  // namespace

xdp_sender::xdp_sender(asio::any_io_executor const& executor, xdp_queue& queue, xdp_memory const& memory,
                       xdp_program& program, unsigned mtu, bool zero_copy)
    : queue_(queue), memory_(memory), program_(program), mtu_(mtu), zero_copy_(zero_copy), timer_(executor) {}

void xdp_sender::own(std::uint32_t chunks) {
    free_.reserve(chunks);
    for (std::uint32_t i = chunks; i-- > 0;) free_.push_back(std::uint64_t(i) * memory_.chunk_size());
}

void xdp_sender::stop() {
    stopped_ = true;
    timer_.cancel();
}

/// What the kernel would drop without a word.
error_code xdp_sender::refusal(std::span<std::byte const> frame) const {
    if (frame.size() < ETH_HLEN) return asio::error::invalid_argument;
    auto longest = std::size_t(mtu_) + ETH_HLEN + (has_vlan_tag(frame) ? vlan_tag : 0);
    if (frame.size() > longest || frame.size() > memory_.chunk_size()) return errc::message_too_long;
    return {};
}

void xdp_sender::reclaim() noexcept {
    auto& done = queue_.completed();
    auto n = done.ready();
    if (n == 0) return;
    while (n-- > 0) free_.push_back(done.take());
    done.release();
}

void xdp_sender::put(std::span<std::byte const> frame) noexcept {
    xdp_desc d{};
    d.addr = free_.back();
    d.len = static_cast<std::uint32_t>(frame.size());
    free_.pop_back();
    std::memcpy(memory_.at(d.addr), frame.data(), frame.size());
    queue_.sent().put(d);
    program_.expect_answers(frame);
}

void xdp_sender::take_back(std::uint32_t frames) noexcept {
    while (frames-- > 0) free_.push_back(queue_.sent().take_back().addr);
    queue_.sent().publish();
}

/// Lets the kernel send what it can. 0, or an errno value: EAGAIN where the interface has no room.
int xdp_sender::push() noexcept {
    auto& ring = queue_.sent();
    while (ring.used() > 0 && ring.needs_wakeup()) {
        auto before = ring.used();
        int failed = ::sendto(queue_.fd(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) < 0 ? errno : 0;
        if (failed == EINTR || ring.used() < before) continue;  // 32 frames a call
        // EBUSY: one was lost on the way, as any queue may lose it.
        if (failed == EBUSY || failed == ENOBUFS) failed = EAGAIN;
        if (failed == 0 && !zero_copy_) failed = EAGAIN;
        return failed;
    }
    return 0;
}

/// As many as there is room for in the ring, and lets the kernel have them.
std::uint32_t xdp_sender::send_some(std::span<std::span<std::byte const> const> frames, error_code& ec) {
    reclaim();
    auto& ring = queue_.sent();
    std::uint32_t n = 0;
    while (n < frames.size() && ring.room() > 0 && !free_.empty()) {
        if ((ec = refusal(frames[n]))) break;
        put(frames[n++]);
    }
    ring.publish();
    auto queued = ring.used();
    int failed = push();
    if (failed == EAGAIN) push_later();
    if (failed && failed != EAGAIN && n > 0 && ring.used() == queued) {
        // The kernel says so before it looks at the ring. Where it has looked, they stay for the next time.
        take_back(n);
        ec = link_error(failed);
        return 0;
    }
    return n;
}

std::size_t xdp_sender::send(std::span<std::span<std::byte const> const> frames, error_code& ec) {
    ec = {};
    auto& ring = queue_.sent();
    std::size_t sent = 0;
    while (sent < frames.size() && !ec) {
        auto n = send_some(frames.subspan(sent), ec);
        sent += n;
        if (n > 0 || ec) continue;
        // The socket says that it is writable while half of its ring is free.
        bool told = ring.used() > ring.size() / 2;
        ec = told ? asio::error::would_block : asio::error::no_buffer_space;
    }
    return sent;
}

void xdp_sender::push_later() {
    if (std::exchange(waiting_, true)) return;
    timer_.expires_after(try_again);
    timer_.async_wait([weak = weak_from_this()](error_code) {
        auto self = weak.lock();
        if (!self) return;
        self->waiting_ = false;
        if (self->stopped_) return;
        auto before = self->queue_.sent().used();
        bool stuck = self->push() == EAGAIN;
        bool moved = self->queue_.sent().used() < before;
        self->fruitless_ = moved ? 0 : self->fruitless_ + 1;
        if (stuck && self->fruitless_ < tries) self->push_later();
    });
}

}  // namespace sonde::inline v0::detail
