#include <sonde/packet/checksum.hpp>

#include <boost/endian/conversion.hpp>

#include <cstring>

namespace sonde::inline v0 {

void internet_checksum::add(std::span<std::byte const> bytes) {
    // Eight octets at a time, in the machine's own byte order, which is put right once: neither matters to
    // the sum of 16-bit words modulo 2^16 - 1 (RFC 1071 §2).
    auto const* at = bytes.data();
    auto left = bytes.size();
    std::uint64_t sum = 0;
    auto load = [&]<class Word>(Word word) {
        std::memcpy(&word, at, sizeof word);
        at += sizeof word, left -= sizeof word;
        return std::uint64_t{word};
    };
    while (left >= 8) {
        auto word = load(std::uint64_t{});
        sum += (word >> 32) + (word & 0xffffffff);
    }
    if (left >= 4) sum += load(std::uint32_t{});
    if (left >= 2) sum += load(std::uint16_t{});
    if (left == 1)
        sum += boost::endian::native_to_big(static_cast<std::uint16_t>(std::to_integer<unsigned>(*at) << 8));
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    sum_ += boost::endian::big_to_native(static_cast<std::uint16_t>(sum));
}

std::uint16_t internet_checksum::finish() const {
    auto sum = sum_;
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

}  // namespace sonde::inline v0
