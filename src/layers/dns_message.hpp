#pragma once

#include "dns_name.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

// Where the parts of a DNS message lie (RFC 1035 §4.1).
namespace sonde::inline v0::detail {

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

inline std::string text_of(std::span<std::byte const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}
inline void put16(std::string& out, std::size_t n) {
    out += {static_cast<char>(n >> 8), static_cast<char>(n)};
}

/// Types of records whose data have a form of their own here.
namespace rr {
constexpr unsigned a = 1, ns = 2, md = 3, mf = 4, cname = 5, soa = 6, ptr = 12, mx = 15, txt = 16, aaaa = 28,
                   srv = 33, opt = 41;
}
/// The data are a name and nothing else.
constexpr bool is_name_type(unsigned type) {
    return type == rr::ns || type == rr::md || type == rr::mf || type == rr::cname || type == rr::ptr;
}

/// Record data of a type that holds names: bytes before them, names, and what is left.
struct data_layout {
    std::size_t before = 0, names = 0;
    bool compresses = false;  ///< pointers may be written there (RFC 3597 §4)
};
data_layout layout_of_data(unsigned type);

/// The data at `at` to `end` of a message, with their names whole; nothing when they are not what the type
/// says.
std::optional<std::string> expanded_data(std::span<std::byte const> message, std::size_t at, std::size_t end,
                                         unsigned type);

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

}  // namespace sonde::inline v0::detail
