#include <sonde/packet/checksum.hpp>

namespace sonde {

void internet_checksum::add(std::span<std::byte const> bytes) {
    std::size_t i = 0;
    auto octet = [&](std::size_t at) { return std::to_integer<std::uint64_t>(bytes[at]); };
    // 32 bits at a time: the sum of 16-bit words modulo 2^16 - 1 does not care where the words begin (RFC
    // 1071 §2).
    for (; i + 4 <= bytes.size(); i += 4)
        sum_ += octet(i) << 24 | octet(i + 1) << 16 | octet(i + 2) << 8 | octet(i + 3);
    for (; i + 2 <= bytes.size(); i += 2) sum_ += octet(i) << 8 | octet(i + 1);
    if (i < bytes.size()) sum_ += octet(i) << 8;
}

std::uint16_t internet_checksum::finish() const {
    auto sum = sum_;
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

}  // namespace sonde
