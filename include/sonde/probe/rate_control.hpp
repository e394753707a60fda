#pragma once

#include <sonde/probe/time.hpp>

#include <cstdint>

SONDE_NAMESPACE_BEGIN

/// What `rate = adaptive` may become, in packets per second. A trivially destructible aggregate.
struct rate_range {
    double initial = 100;  ///< where it begins
    double floor = 10;     ///< it never falls below; 0.001 at least
    double ceiling = 1e6;  ///< it never grows above
};

/// How fast a run may send, learned from what becomes of its packets.
///
/// A packet is lost when a retry of the same probe is answered and it was not (as nmap infers it: silence
/// says nothing, so a run without retries learns of no loss), or when the host could not keep up
/// (`congested`). Then the rate falls by a fifth, and not again for packets that had left before it fell.
/// While answers come, none of them to a retry, and the rate is used to the full, it grows once in the time
/// that a loss takes to show: doubling until the first loss, which halves it; then by its square root, in
/// packets per second. Growth that lags behind proportion, and decrease in proportion, make runs that share a
/// path share it evenly (binomial congestion control, Bansal and Balakrishnan, 2001); the square root fits
/// slow paths and fast ones alike.
///
/// Stamps are of the clock that stamps packets, `now` and durations of the monotonic one.
/// Errors: none. Cost: a few instructions; 80 bytes.
class rate_control {
public:
    /// Begins at `range.initial`, which is brought within the range.
    explicit rate_control(rate_range range = {}) noexcept;

    /// Packets per second.
    double rate() const noexcept { return rate_; }

    /// A packet left. `feedback`: how long it may take until its loss would be known.
    void left(steady_time now, timestamp sent, steady_duration feedback) noexcept;
    /// An answer came.
    void answered() noexcept { ++answers_; }
    /// The packet that left at `sent` was lost.
    void lost(timestamp sent) noexcept;
    /// A packet was lost, or refused, on this host just now.
    void congested() noexcept;

private:
    void grow_if_earned(steady_time now) noexcept;
    void fall() noexcept;

    rate_range range_;
    double rate_;
    timestamp latest_ = timestamp::min();      // when the latest packet left
    timestamp fell_after_ = timestamp::min();  // packets that left until then had their say
    steady_time period_began_ = steady_time::min(), period_end_ = steady_time::min();
    std::uint64_t packets_ = 0, answers_ = 0;  // in this period
    bool starting_ = true, fell_ = false;
};

SONDE_NAMESPACE_END
