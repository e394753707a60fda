#pragma once

#include <sonde/detail/namespace.hpp>

#include <bit>
#include <chrono>
#include <cstdint>

SONDE_NAMESPACE_BEGIN

/// Deadlines and gaps are told on the monotonic clock, so a step of the wall clock moves none of them. The
/// probe room never reads the clock: every function that needs the time is given it.
/// @{
using steady_time = std::chrono::steady_clock::time_point;
using steady_duration = std::chrono::steady_clock::duration;
/// @}

/// Nanoseconds since 1970, as the kernel stamps frames (the same type as in link/frame.hpp). Only round-trip
/// times are made of these: the difference of two of the kernel's stamps.
using timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

/// A timeout that never comes; a deadline that far in the future is none.
/// @{
inline constexpr steady_duration no_timeout = steady_duration::max();
inline constexpr steady_time never = steady_time::max();
/// @}

/// `from + by`, or `never` where that overflows. A negative `by` counts as 0: nothing is due before it began.
constexpr steady_time later(steady_time from, steady_duration by) noexcept {
    if (by <= steady_duration::zero()) return from;
    return from > never - by ? never : from + by;
}

/// The least span that is not below this one and whose nanoseconds have four significant bits: at most an
/// eighth longer. There are eight such spans to an octave, so those that were measured are few different
/// ones.
constexpr steady_duration rounded_up(steady_duration span) noexcept {
    if (span <= steady_duration::zero()) return steady_duration::zero();
    auto ns = static_cast<std::uint64_t>(span.count());
    auto width = static_cast<int>(std::bit_width(ns));
    int shift = width > 4 ? width - 4 : 0;
    auto steps = (ns + (std::uint64_t{1} << shift) - 1) >> shift;
    return steps > static_cast<std::uint64_t>(no_timeout.count()) >> shift
               ? no_timeout
               : steady_duration(static_cast<std::int64_t>(steps << shift));
}

SONDE_NAMESPACE_END
