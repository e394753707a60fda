#include <sonde/probe/permutation.hpp>

#include <bit>

namespace sonde::inline v0::detail {
namespace {

constexpr std::uint64_t round_word(std::uint8_t label, int round, std::uint64_t half) {
    return std::uint64_t{label} << 56 | static_cast<std::uint64_t>(round) << 48 | half;
}

}  // namespace

small_permutation::small_permutation(secret_key key, std::uint8_t label, std::uint32_t size) noexcept
    : size_(size), right_bits_(static_cast<unsigned>(std::bit_width(size - 1) + 1) / 2) {
    auto const left_bits = static_cast<unsigned>(std::bit_width(size - 1)) - right_bits_;
    for (std::uint32_t i = 0; i < 256; ++i) {
        auto const word = siphash_word(key, round_word(label, 0, i));
        table_[0][i] = static_cast<std::uint8_t>(word & ((1u << left_bits) - 1));
        table_[1][i] = static_cast<std::uint8_t>(word >> 32 & ((1u << right_bits_) - 1));
    }
    for (int round = 0; round < rounds; ++round)
        keys_[static_cast<std::size_t>(round)] = static_cast<std::uint8_t>(
            siphash_word(key, round_word(label, 1, static_cast<std::uint64_t>(round))));
}

std::uint32_t small_permutation::operator()(std::uint32_t number) const noexcept {
    auto const mask = (1u << right_bits_) - 1;
    do {
        std::uint32_t left = number >> right_bits_, right = number & mask;
        for (std::size_t round = 0; round < rounds; round += 2) {
            left ^= table_[0][right ^ keys_[round]];
            right ^= table_[1][left ^ keys_[round + 1]];
        }
        number = left << right_bits_ | right;
    } while (number >= size_);
    return number;
}

wide_permutation::wide_permutation(secret_key key, std::uint8_t label) noexcept {
    for (int t = 0; t < 2; ++t)
        for (std::uint32_t i = 0; i < 256; ++i)
            table_[static_cast<std::size_t>(t)][i] =
                static_cast<std::uint16_t>(siphash_word(key, round_word(label, t, i)));
    for (int round = 0; round < rounds; ++round)
        keys_[static_cast<std::size_t>(round)] = static_cast<std::uint16_t>(
            siphash_word(key, round_word(label, 2, static_cast<std::uint64_t>(round))));
}

std::uint32_t wide_permutation::operator()(std::uint32_t number) const noexcept {
    std::uint32_t left = number >> 16, right = number & 0xffff;
    for (auto key : keys_) {
        auto in = right ^ key;
        auto next = left ^ ((table_[0][in >> 8] + table_[1][in & 0xff]) & 0xffffu);
        left = right;
        right = next;
    }
    return left << 16 | right;
}

}  // namespace sonde::inline v0::detail
