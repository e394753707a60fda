#include "link/bulk_receiver.hpp"

#include <utility>

namespace sonde::inline v0::detail {
namespace {

using namespace std::chrono_literals;

// From about 50,000 frames a second on a ring pays; below a tenth of that its delay is not worth it.
constexpr auto period = 10ms;
constexpr std::size_t many = 512, few = 64;
// Long enough for a block to be handed over (1 ms), and for a frame on its way through another processor.
constexpr auto change_takes = 20ms;
constexpr std::size_t most_kept = 1 << 16;

}  // namespace

bulk_receiver::bulk_receiver(asio::any_io_executor executor) : waits_(std::move(executor)) {}

bool bulk_receiver::open(unique_fd socket, std::size_t bytes) {
    auto ring = receive_ring::make(socket.get(), bytes);
    if (!ring || waits_.assign(std::move(socket))) return false;
    ring_ = std::move(ring);
    return true;
}

bulk_receiver::advice bulk_receiver::count(std::size_t frames, clock::time_point now) {
    counted_ += frames;
    if (!on_ && counted_ > many && now - counting_since_ <= period) return advice::take_ring;
    if (now - counting_since_ <= period) return advice::stay;
    bool calm = counted_ < few;
    counted_ = 0, counting_since_ = now;
    return on_ && calm ? advice::leave_ring : advice::stay;
}

void bulk_receiver::forget_frames() {
    while (ring_->next()) {
    }
}

void bulk_receiver::change(bool on, clock::time_point now, timestamp wall_now) {
    on_ = on;
    once_.clear();
    changing_until_ = now + change_takes;
    both_until_ = wall_now + change_takes;
    latest_ = timestamp();
}

bool bulk_receiver::is_second(received_frame const& f, bool by_ring) {
    if (by_ring == on_) latest_ = f.time;
    if (once_.size() >= most_kept) once_.clear();
    auto id = static_cast<std::uint64_t>(f.time.time_since_epoch().count()) * 0x9e3779b97f4a7c15 + f.length;
    auto& balance = once_[id];
    bool second = by_ring ? balance > 0 : balance < 0;
    balance += by_ring ? -1 : 1;
    return second;
}

}  // namespace sonde::inline v0::detail
