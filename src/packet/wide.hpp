#pragma once

#include <sonde/packet/value.hpp>

#include <cstdint>

// Field values as numbers to reckon with.
namespace sonde::inline v0::detail {

__extension__ using wide = unsigned __int128;

constexpr wide join(wire_value v) {
    return static_cast<wide>(v.high) << 64 | v.low;
}
constexpr wire_value split(wide v) {
    return {static_cast<std::uint64_t>(v >> 64), static_cast<std::uint64_t>(v)};
}

}  // namespace sonde::inline v0::detail
