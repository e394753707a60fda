#pragma once

#include <sonde/packet/value.hpp>

#include <limits>

SONDE_NAMESPACE_BEGIN

/// Fresh values for each packet that is made: Scapy's Rand* family. They are values, not sets: a packet with
/// random fields is one packet, drawn anew each time it is sent or built.

/// Uniform over a closed interval, in the order of the wire; for a MAC address each octet for itself.
struct random_interval {
    /// The ends, both included.
    /// @{
    wire_value first, last;
    /// @}
    bool by_octet = false;  ///< of 48 bits: each octet between those of the ends
};

/// One of a few values with equal chance.
template <class T, std::size_t N>
struct random_one_of {
    std::array<T, N> choices;  ///< one that stands here twice has twice the chance
};

/// `length` printable ASCII letters and digits; any bytes, with `binary`.
struct random_text {
    std::uint16_t length;  ///< bytes
    bool binary = false;   ///< any bytes, not letters and digits only
};

/// RandByte: 0 to 255.
constexpr random_interval random_byte() {
    return {{}, {0, 0xff}};
}
/// RandShort: 0 to 65535.
constexpr random_interval random_short() {
    return {{}, {0, 0xffff}};
}
/// RandInt: 0 to 2^32 - 1.
constexpr random_interval random_int() {
    return {{}, {0, 0xffffffff}};
}
/// RandLong: 0 to 2^64 - 1.
constexpr random_interval random_long() {
    return {{}, {0, std::numeric_limits<std::uint64_t>::max()}};
}
/// RandNum: `first` to `last`, both included.
constexpr random_interval random_num(std::uint64_t first, std::uint64_t last) {
    if (first > last) throw_error(errc::value_out_of_range, "random_num: first > last");
    return {{0, first}, {0, last}};
}
/// RandIP: any address of the network, "0.0.0.0/0" when none is given. Throws `error` (bad_text).
random_interval random_ip(std::string_view network = "0.0.0.0/0");
/// RandIP6: any address of the network, "::/0" when none is given. Throws `error` (bad_text).
random_interval random_ip6(std::string_view network = "::/0");
/// RandMAC: a template of six parts, each an octet ("aa"), a range ("00-0f") or "*"; missing parts are "*".
/// Throws `error` (bad_text).
random_interval random_mac(std::string_view pattern = "*:*:*:*:*:*");
/// RandString: `length` letters and digits.
constexpr random_text random_string(std::uint16_t length) {
    return {length};
}
/// RandBin: `length` bytes of any value.
constexpr random_text random_bin(std::uint16_t length) {
    return {length, true};
}
/// RandChoice: one of the arguments.
template <class A, class... B>
constexpr auto random_choice(A first, B... rest) {
    return random_one_of<std::common_type_t<A, B...>, 1 + sizeof...(B)>{{first, rest...}};
}

/// Where random values come from: an argument everywhere, so that runs can be repeated.
class random_source {
public:
    /// xoshiro-free, small and repeatable: SplitMix64 (Steele, Lea, Flood 2014). Not for secrets.
    explicit constexpr random_source(std::uint64_t seed) : state_(seed) {}
    /// Seeded from the operating system.
    static random_source from_system();

    /// 64 random bits.
    constexpr std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }
    /// Uniform from 0 to `last`, both included.
    std::uint64_t up_to(std::uint64_t last);
    /// Uniform over the interval.
    wire_value draw(random_interval const& interval);

private:
    std::uint64_t state_;
};

SONDE_NAMESPACE_END
