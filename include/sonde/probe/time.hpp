#pragma once

#include <chrono>

namespace sonde {

/// Deadlines and gaps are told on the monotonic clock, so a step of the wall clock moves none of them. The
/// probe room never reads the clock: every function that needs the time is given it.
using steady_time = std::chrono::steady_clock::time_point;
using steady_duration = std::chrono::steady_clock::duration;

/// Nanoseconds since 1970, as the kernel stamps frames (the same type as in link/frame.hpp). Only round-trip
/// times are made of these: the difference of two of the kernel's stamps.
using timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

/// A timeout that never comes; a deadline that far in the future is none.
inline constexpr steady_duration no_timeout = steady_duration::max();
inline constexpr steady_time never = steady_time::max();

/// `from + by`, or `never` where that overflows. A negative `by` counts as 0: nothing is due before it began.
constexpr steady_time later(steady_time from, steady_duration by) noexcept {
    if (by <= steady_duration::zero()) return from;
    return from > never - by ? never : from + by;
}

}  // namespace sonde
