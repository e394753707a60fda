#pragma once

#include <sonde/detail/namespace.hpp>

#include <chrono>
#include <concepts>
#include <limits>
#include <type_traits>

SONDE_NAMESPACE_BEGIN

/// The type of `adaptive`.
struct adaptive_t {
    explicit constexpr adaptive_t() = default;
};
/// Measured while it runs, instead of given: `{.timeout = adaptive}`, `{.rate = adaptive}`. See `rtt_table`
/// and `rate_control`.
inline constexpr adaptive_t adaptive{};

/// A duration, or `adaptive`. Any duration converts to it, and it is used as one. Trivially destructible.
class timeout_option : public std::chrono::nanoseconds {
    using base = std::chrono::nanoseconds;

public:
    constexpr timeout_option() : base(0) {}
    /// `adaptive`: is kept as the least duration there is.
    constexpr timeout_option(adaptive_t) : base(base::min()) {}
    /// Of any unit that converts to nanoseconds without loss.
    template <class Rep, class Period>
        requires std::convertible_to<std::chrono::duration<Rep, Period>, std::chrono::nanoseconds>
    constexpr timeout_option(std::chrono::duration<Rep, Period> given) : base(given) {}

    /// True when it stands for `adaptive`; the duration then says nothing.
    constexpr bool is_adaptive() const { return count() == base::min().count(); }
};

/// Packets per second, or `adaptive`. Any number converts to it, and it is used as one: `adaptive` as "no
/// limit", a number below 0.
class rate_option {
public:
    constexpr rate_option() = default;
    /// `adaptive`: is kept as minus infinity.
    constexpr rate_option(adaptive_t) : value_(-std::numeric_limits<double>::infinity()) {}
    /// Packets per second; 0 or less: no limit.
    template <class Number>
        requires std::is_arithmetic_v<Number>
    constexpr rate_option(Number per_second) : value_(static_cast<double>(per_second)) {}

    /// Packets per second; below 0 when it is `adaptive`.
    constexpr operator double() const { return value_; }
    /// True when it stands for `adaptive`.
    constexpr bool is_adaptive() const { return value_ == -std::numeric_limits<double>::infinity(); }

private:
    double value_ = 0;
};

SONDE_NAMESPACE_END
