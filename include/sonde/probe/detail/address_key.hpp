#pragma once

#include <sonde/packet/address.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

SONDE_NAMESPACE_BEGIN
namespace detail {

/// The first `length` bits of an address (at most all), the others 0.
constexpr ip_address prefix_of(ip_address const& address, unsigned length) {
    auto mask = [](unsigned bits) { return bits >= 64 ? ~0ULL : bits == 0 ? 0 : ~0ULL << (64 - bits); };
    if (address.is_v4()) {
        auto kept = mask(32 + std::min(length, 32u));  // an IPv4 address is the low half of 64 bits
        return ipv4(address.v4().value & static_cast<std::uint32_t>(kept));
    }
    auto const& a = address.v6();
    return ipv6::from_halves(a.high() & mask(length), a.low() & mask(length > 64 ? length - 64 : 0));
}

struct address_hash {
    std::size_t operator()(ip_address const& a) const noexcept {
        constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
        auto h = (a.v6().high() ^ (a.is_v6() ? 1 : 0)) * odd;
        h = (h ^ h >> 32 ^ a.v6().low()) * odd;
        return static_cast<std::size_t>(h ^ h >> 32);
    }
};

}  // namespace detail
SONDE_NAMESPACE_END
