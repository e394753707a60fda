#include "capture/pcapng_time.hpp"

#include <algorithm>
#include <limits>

namespace sonde::inline v0::detail {

void pcapng_clock::set_resolution(std::uint8_t resolution) {
    bool binary = resolution & 0x80;
    // Of finer ones, which say no more, 64 bits count less than a nanosecond: 2^64 x 10^9 < 2^94 < 10^29.
    auto exponent = std::min(resolution & 0x7f, binary ? 94 : 29);
    ticks_a_second = 1;
    for (int i = 0; i < exponent; ++i) ticks_a_second *= binary ? 2 : 10;
}

timestamp pcapng_clock::time(std::uint64_t ticks) const {
    using wide = wide_integer;  // ticks x 10^9 takes 94 bits
    constexpr wide billion = 1'000'000'000;
    using limits = std::numeric_limits<std::int64_t>;
    auto nanoseconds = wide(ticks) * billion / ticks_a_second + wide(offset) * billion;
    auto held = std::clamp(nanoseconds, wide(limits::min()), wide(limits::max()));
    return timestamp(std::chrono::nanoseconds(static_cast<std::int64_t>(held)));
}

}  // namespace sonde::inline v0::detail
