#pragma once

#include <sonde/probe/time.hpp>

#include <cstdint>

namespace sonde {

/// When the next packet may leave: at least `inter` after the one before, and at `rate` packets per second.
///
/// The rate is a token bucket that holds one millisecond's worth. Small delays (a timer that fires late, a
/// batch that was read first) are made up for, so the mean rate is the one asked for; after a longer stall at
/// most that millisecond is made up at once, so a suspended laptop does not wake with a flood. `inter` is a
/// promise about each gap and is never made up for.
///
/// Units: durations in nanoseconds of the monotonic clock, rate in packets per second; 0 or less: no limit.
/// Errors: none.
/// Cost: a few instructions, 32 bytes. A virtual clock will do: time only enters as an argument.
class pacer {
public:
    pacer() = default;
    pacer(steady_duration inter, double rate) noexcept;

    /// The earliest time at which the next packet may leave; in the past when it may leave now.
    steady_time ready_at() const noexcept { return gap_end_ > rate_end_ ? gap_end_ : rate_end_; }

    /// One packet leaves at `now`.
    void left(steady_time now) noexcept;

private:
    steady_duration inter_{};
    steady_duration interval_{};  // whole nanoseconds between packets at the rate
    std::uint32_t fraction_ = 0;  // and the rest, in units of 2^-32 ns
    std::uint32_t carry_ = 0;     // fractions not yet part of rate_end_
    steady_time gap_end_ = steady_time::min();
    steady_time rate_end_ = steady_time::min();
};

}  // namespace sonde
