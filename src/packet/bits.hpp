#pragma once

#include <sonde/packet/layer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

// What fields are read and written with, where they are headers' leading ones, or whole octets.
namespace sonde::inline v0::detail {

/// Writes a number that was computed for a field. Throws value_out_of_range when the field is too small for
/// it; where the header ends before the field, there is nothing to write.
void write_computed(layer_description const& layer, std::size_t field, std::span<std::byte> header,
                    bit_range where, wire_value value);

/// True where one load of eight octets has all the bits, and there are as many.
inline bool lies_in_word(std::size_t octets, bit_range where) {
    return where.width != 0 && where.offset % 8 + where.width <= 64 && where.offset / 8 + 8 <= octets;
}

/// Reads such a number.
inline std::uint64_t load_word(std::byte const* bytes, bit_range where) {
    auto word = load_plain(bytes, {where.offset & ~7u, 64});
    return word << where.offset % 8 >> (64 - where.width);
}

/// Writes numbers one behind the other, most significant bit first, into room that is there.
class bit_sequence {
public:
    explicit bit_sequence(std::byte* at) : at_(at) {}

    void put(unsigned width, wire_value value) {
        if (bits_ == 0 && is_plain({0, width})) {
            store_plain(at_, {0, width}, value.low);
            at_ += width / 8;
        } else if (width > 64) {
            put(width - 64, {0, value.high});
            put(64, {0, value.low});
        } else if (width > 32) {
            append(width - 32, value.low >> 32);
            append(32, value.low);
        } else {
            append(width, value.low);
        }
    }

    /// Zeros up to the end of an octet.
    void close() {
        if (bits_ != 0) append(8 - bits_, 0);
    }

private:
    void append(unsigned width, std::uint64_t value) {
        open_ = open_ << width | (value & ((std::uint64_t{1} << width) - 1));
        for (bits_ += width; bits_ >= 8; bits_ -= 8) *at_++ = static_cast<std::byte>(open_ >> (bits_ - 8));
    }

    std::byte* at_;
    std::uint64_t open_ = 0;  // whose last `bits_`, fewer than 8, have not been written
    unsigned bits_ = 0;
};

}  // namespace sonde::inline v0::detail
