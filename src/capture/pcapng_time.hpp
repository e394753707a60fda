#pragma once

#include <sonde/link/frame.hpp>

#include <cstdint>

namespace sonde::inline v0::detail {

__extension__ using wide_integer = __int128;

/// What the ticks of a pcapng interface mean (options if_tsresol and if_tsoffset).
struct pcapng_clock {
    wide_integer ticks_a_second = 1'000'000;
    std::int64_t offset = 0;  // seconds

    /// 10^-n, or 2^-n with the highest bit set.
    void set_resolution(std::uint8_t resolution);
    /// To the nanosecond below; the first or last that a timestamp can hold where it is outside.
    timestamp time(std::uint64_t ticks) const;
};

}  // namespace sonde::inline v0::detail
