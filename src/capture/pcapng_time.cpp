#include "capture/pcapng_time.hpp"

#include <algorithm>
#include <limits>

namespace sonde::inline v0::detail {
namespace {

__extension__ using wide = __int128;  // ticks x 10^9 takes 94 bits

}  // namespace

bool pcapng_clock::set_resolution(std::uint8_t resolution) {
    unsigned exponent = resolution & 0x7f;
    bool binary = resolution & 0x80;
    if (exponent > (binary ? 63 : 19)) return false;
    ticks_a_second = 1;
    for (unsigned i = 0; i < exponent; ++i) ticks_a_second *= binary ? 2 : 10;
    return true;
}

timestamp pcapng_clock::time(std::uint64_t ticks) const {
    constexpr wide billion = 1'000'000'000;
    using limits = std::numeric_limits<std::int64_t>;
    auto nanoseconds = wide(ticks) * billion / wide(ticks_a_second) + wide(offset) * billion;
    auto held = std::clamp(nanoseconds, wide(limits::min()), wide(limits::max()));
    return timestamp(std::chrono::nanoseconds(static_cast<std::int64_t>(held)));
}

}  // namespace sonde::inline v0::detail
