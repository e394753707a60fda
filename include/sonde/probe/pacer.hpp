#pragma once

#include <sonde/probe/time.hpp>

#include <cstdint>

SONDE_NAMESPACE_BEGIN

namespace detail {

/// A token bucket that holds one millisecond's worth, told as the time at which the next token is there.
class token_bucket {
public:
    token_bucket() = default;
    explicit token_bucket(double per_second) noexcept { set_rate(per_second); }

    bool is_limit() const noexcept { return interval_ != steady_duration::zero() || fraction_ != 0; }
    steady_time ready_at() const noexcept { return end_; }
    /// From now on; what was spent before is paid off at the new rate.
    void set_rate(double per_second) noexcept;
    /// Forgets what was not used before `now`, but for the millisecond.
    void settle(steady_time now) noexcept;
    /// Takes tokens, those not yet there included: the next are later by as much.
    void spend(std::uint64_t tokens) noexcept;

private:
    steady_duration interval_{};  // whole nanoseconds for a token
    std::uint32_t fraction_ = 0;  // and the rest, in units of 2^-32 ns
    std::uint32_t carry_ = 0;     // fractions not yet part of end_
    steady_time end_ = steady_time::min();
    steady_time settled_ = steady_time::min();
};

}  // namespace detail

/// When the next packet may leave: at least `inter` after the one before, and at `rate` packets and
/// `bit_rate` bits per second, whichever is the latest.
///
/// Each rate is a token bucket that holds one millisecond's worth. Small delays (a timer that fires late, a
/// batch that was read first) are made up for, so the mean rate is the one asked for; after a longer stall at
/// most that millisecond is made up at once, so a suspended laptop does not wake with a flood. `inter` is a
/// promise about each gap and is never made up for. A packet leaves when there is a token at all, and what it
/// takes beyond that delays the next one: so its size need not be known before.
///
/// Units: durations in nanoseconds of the monotonic clock, rates in packets and bits per second; 0 or less:
/// no limit. Errors: none.
/// Cost: a few instructions, 88 bytes. A virtual clock will do: time only enters as an argument.
class pacer {
public:
    pacer() = default;
    /// A negative `inter` counts as 0.
    pacer(steady_duration inter, double rate, double bit_rate = 0) noexcept;

    /// The earliest time at which the next packet may leave; in the past when it may leave now.
    steady_time ready_at() const noexcept;

    /// One packet of `bits` leaves at `now`. Where the size is known later, charge it then.
    void left(steady_time now, std::uint64_t bits = 0) noexcept;
    /// `bits` more of the packet that left last.
    void charge(std::uint64_t bits) noexcept { bits_.spend(bits); }

    /// For the next packet on: one that waits is not kept longer than the new rate says.
    /// @{
    void set_rate(double rate) noexcept { packets_.set_rate(rate); }
    void set_bit_rate(double bit_rate) noexcept { bits_.set_rate(bit_rate); }
    /// @}

private:
    steady_duration inter_{};
    steady_time gap_end_ = steady_time::min();
    detail::token_bucket packets_, bits_;
};

SONDE_NAMESPACE_END
