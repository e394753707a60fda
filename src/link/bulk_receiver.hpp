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
    /// False for a while after each change, when a frame may come by both ways.
    bool is_over(clock::time_point now) const { return now >= changing_until_; }

    /// Frames that came, by whichever way: whether to go on so.
    advice count(std::size_t frames, clock::time_point now);
    /// Null before it is open.
    receive_ring* ring() const { return ring_.get(); }
    /// What the ring still holds of another time is nobody's.
    void forget_frames();
    void change(bool on, clock::time_point now);

    /// Whether this frame was handed over already, having come by the other way.
    bool is_second(received_frame const& f, bool by_ring);

private:
    readiness waits_;
    std::unique_ptr<receive_ring> ring_;
    bool on_ = false;
    clock::time_point changing_until_{}, counting_since_{};
    std::size_t counted_ = 0;
    // Frames that came by one way and not by the other yet: above 0 by the queue, below 0 by the ring.
    boost::unordered_flat_map<std::uint64_t, int> once_;
};

}  // namespace sonde::inline v0::detail
