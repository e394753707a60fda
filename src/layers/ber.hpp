#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

// Basic encoding rules (X.690 §8.1): tag, length and contents. Tags of one octet and definite lengths only.
namespace sonde::inline v0::detail {

struct ber_value {
    unsigned tag = 0;
    std::size_t head = 0;  // bytes of tag and length
    std::span<std::byte const> contents;
    std::size_t size() const { return head + contents.size(); }
};

/// The value that the bytes begin with. Nothing when it is not whole, or of another form.
std::optional<ber_value> read_ber(std::span<std::byte const> bytes);

/// The value of a place among those that follow each other inside the one that the bytes begin with.
std::optional<ber_value> read_ber(std::span<std::byte const> bytes, unsigned place);

/// True when the contents are values of these tags, one behind the other; 0: of any tag.
bool consists_of(std::span<std::byte const> contents, std::span<unsigned const> tags);

/// Tag and length of a value with contents of `size` bytes, in the shortest form (X.690 §10.1).
std::string ber_head(unsigned tag, std::size_t size);

/// Contents of an INTEGER in the shortest form (X.690 §8.3): the low 64 bits of a number and its sign.
std::string ber_integer(std::uint64_t low, bool negative);
struct ber_number {
    std::uint64_t low = 0;
    bool negative = false;
    friend bool operator==(ber_number const&, ber_number const&) = default;
};
/// Nothing without contents, and for numbers from 2^64 on or below -2^63.
std::optional<ber_number> read_ber_integer(std::span<std::byte const> contents);

/// OBJECT IDENTIFIER (X.690 §8.19): "1.3.6.1". Nothing when the contents end inside a number, or one has over
/// 64 bits.
std::optional<std::string> read_ber_oid(std::span<std::byte const> contents);
/// The contents; nothing for text that is no numbers with points between.
std::optional<std::string> ber_oid(std::string_view text);

}  // namespace sonde::inline v0::detail
