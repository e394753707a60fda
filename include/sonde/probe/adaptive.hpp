#pragma once

#include <chrono>
#include <concepts>
#include <limits>
#include <type_traits>

namespace sonde {

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
    constexpr timeout_option(adaptive_t) : base(base::min()) {}
    template <class Rep, class Period>
        requires std::convertible_to<std::chrono::duration<Rep, Period>, std::chrono::nanoseconds>
    constexpr timeout_option(std::chrono::duration<Rep, Period> given) : base(given) {}

    constexpr bool is_adaptive() const { return count() == base::min().count(); }
};

/// Packets per second, or `adaptive`. Any number converts to it, and it is used as one: `adaptive` as "no
/// limit", a number below 0.
class rate_option {
public:
    constexpr rate_option() = default;
    constexpr rate_option(adaptive_t) : value_(-std::numeric_limits<double>::infinity()) {}
    template <class Number>
        requires std::is_arithmetic_v<Number>
    constexpr rate_option(Number per_second) : value_(static_cast<double>(per_second)) {}

    constexpr operator double() const { return value_; }
    constexpr bool is_adaptive() const { return value_ == -std::numeric_limits<double>::infinity(); }

private:
    double value_ = 0;
};

}  // namespace sonde
