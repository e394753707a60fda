#pragma once

#include <sonde/detail/namespace.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

SONDE_NAMESPACE_BEGIN

/// The Internet checksum (RFC 1071) of parts that follow each other. Each part but the last has an even
/// length.
class internet_checksum {
public:
    /// Bytes as on the wire; an odd one at the end counts as if a zero followed.
    void add(std::span<std::byte const> bytes);
    /// A word in host order.
    void add16(std::uint16_t value) { sum_ += value; }
    /// Two words, as an address is, in host order.
    void add32(std::uint32_t value) {
        add16(static_cast<std::uint16_t>(value >> 16));
        add16(static_cast<std::uint16_t>(value));
    }
    /// The complement of the sum, as the header carries it. 0 over bytes that carry their right checksum.
    std::uint16_t finish() const;

private:
    std::uint64_t sum_ = 0;
};

SONDE_NAMESPACE_END
