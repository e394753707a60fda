#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <random>
#include <string_view>

namespace support {

/// Where no other process puts a file of this name, however many run these tests: their numbers are the same
/// in each lab.
inline std::filesystem::path own_path(std::string_view name) {
    static auto const own = std::uint64_t(std::random_device()()) << 32 | std::random_device()();
    return std::filesystem::temp_directory_path() / fmt::format("sonde-{:016x}-{}", own, name);
}

}  // namespace support
