#pragma once

#include "link/readiness.hpp"
#include "link/receive_ring.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <chrono>
#include <memory>

namespace sonde::inline v0::detail {

/// A packet socket's second way in, for when many frames come: a ring. It is opened when they first do, and
/// kept, deaf, while few come. docs/design/receive.md says why there are two.
class bulk_receiver {
public:
    using clock = std::chrono::steady_clock;
    enum class advice { stay, take_ring, leave_ring };

    explicit bulk_receiver(asio::any_io_executor executor);

    /// Takes a packet socket that is not bound yet and gives it a ring. False when the kernel or the loop
    /// refuses.
    bool open(unique_fd socket, std::size_t bytes);
    int fd() const { return waits_.fd(); }
    readiness& waits() { return waits_; }
    bool is_on() const { return on_; }
    /// A change is over when no frame can come by both ways any more: some time later, when the way that was
    /// left is empty, and what comes by the other came later than that, or is read to the end.
    bool is_over(clock::time_point now, bool left_is_empty, bool all_read) const {
        return now >= changing_until_ && (all_read || (left_is_empty && latest_ >= both_until_));
    }

    /// Frames that came, by whichever way: whether to go on so.
    advice count(std::size_t frames, clock::time_point now);
    /// Null before it is open.
    receive_ring* ring() const { return ring_.get(); }
    /// What the ring still holds of another time is nobody's.
    void forget_frames();
    void change(bool on, clock::time_point now, timestamp wall_now);
    /// Frames are counted anew from here.
    void begin_to_count(clock::time_point now) { counted_ = 0, counting_since_ = now; }

    /// Whether this frame was handed over already, having come by the other way.
    bool is_second(received_frame const& f, bool by_ring);

private:
    readiness waits_;
    std::unique_ptr<receive_ring> ring_;
    bool on_ = false;
    clock::time_point changing_until_{}, counting_since_{};
    timestamp both_until_{}, latest_{};  // by the kernel's stamps; of frames that came by the way that is on
    std::size_t counted_ = 0;
    // Frames that came by one way and not by the other yet: above 0 by the queue, below 0 by the ring.
    boost::unordered_flat_map<std::uint64_t, int> once_;
};

}  // namespace sonde::inline v0::detail
