#pragma once

#include <bit>
#include <cstdint>

namespace sonde::inline v0::detail {

/// A permutation of 0 … size-1 that a seed chooses: a Feistel network over the next even number of bits,
/// walked until it falls inside (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). At most 4
/// walks are expected. Its values are kept for ever: users resume scans by them.
class permutation {
public:
    constexpr permutation(std::uint64_t size, std::uint64_t seed)
        : size_(size),
          seed_(seed),
          half_((static_cast<unsigned>(std::bit_width(size - (size > 0))) + 1) / 2) {
        if (half_ == 0) half_ = 1;
    }

    constexpr std::uint64_t operator()(std::uint64_t index) const {
        do index = network(index);
        while (index >= size_);
        return index;
    }

private:
    constexpr std::uint64_t network(std::uint64_t value) const {
        auto const mask = (std::uint64_t(1) << half_) - 1;
        auto left = value >> half_, right = value & mask;
        for (std::uint64_t round = 0; round < rounds; ++round) {
            auto mixed = left ^ (mix(right + seed_ + round * 0x9e3779b97f4a7c15) & mask);
            left = right, right = mixed;
        }
        return left << half_ | right;
    }
    // SplitMix64's finalizer.
    static constexpr std::uint64_t mix(std::uint64_t z) {
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }

    static constexpr std::uint64_t rounds = 6;
    std::uint64_t size_, seed_;
    unsigned half_;  // bits, 1 to 32
};

}  // namespace sonde::inline v0::detail
