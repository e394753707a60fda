#pragma once

#include "dns_name.hpp"

#include <array>
#include <cstdint>

// Where the parts of a DNS message lie (RFC 1035 §4.1).
namespace sonde::detail {

constexpr std::size_t message_fixed = 12;  ///< bytes before the first section
constexpr std::size_t record_fixed = 10;   ///< bytes between a record's name and its data

inline unsigned number16(std::span<std::byte const> h, std::size_t at) {
    return at + 1 < h.size() ? std::to_integer<unsigned>(h[at]) << 8 | std::to_integer<unsigned>(h[at + 1])
                             : 0;
}

/// Bytes that a name takes where it stands, whatever it points to; 0 when it is cut short.
std::size_t name_extent(std::span<std::byte const> h, std::size_t at);
/// Where the record, or question, that begins at `at` ends; 0 when it is cut short.
std::size_t record_end(std::span<std::byte const> h, std::size_t at);
std::size_t question_end(std::span<std::byte const> h, std::size_t at);

enum class section : std::uint8_t { questions, answers, authorities, additional };

/// The sections of a message, as far as their records can be read.
class dns_layout {
public:
    explicit dns_layout(std::span<std::byte const> message);
    std::size_t begin(section s) const { return ends_[static_cast<std::size_t>(s)]; }
    std::size_t size(section s) const { return ends_[static_cast<std::size_t>(s) + 1] - begin(s); }
    std::size_t end() const { return ends_.back(); }

private:
    std::array<std::size_t, 5> ends_{};
};

}  // namespace sonde::detail
