#include "net/prefix_table.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace sonde::inline v0::detail {
namespace {

constexpr std::uint64_t mask(unsigned bits) {
    return bits == 0 ? 0 : ~std::uint64_t{} << (64 - std::min(bits, 64U));
}

}  // namespace

prefix_table::key prefix_table::key_of(ip_address const& address, unsigned length) {
    auto used = std::min(address.is_v4() ? length + 96 : length, 128U);
    auto const& a = address.v4().value;
    if (address.is_v4()) return {0, a & mask(used - 64), static_cast<std::uint8_t>(length)};
    return {address.v6().high() & mask(used), address.v6().low() & mask(used > 64 ? used - 64 : 0),
            static_cast<std::uint8_t>(length)};
}

std::size_t prefix_table::key_hash::operator()(key const& k) const noexcept {
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
    auto h = (k.high ^ k.length) * odd;
    h = (h ^ h >> 32 ^ k.low) * odd;
    return static_cast<std::size_t>(h ^ h >> 32);
}

prefix_table::prefix_table(std::vector<route_entry> entries) {
    auto rank = [&](std::uint32_t i) {
        auto const& e = entries[i];
        auto k = key_of(e.prefix, e.prefix_length);
        return std::make_tuple(255 - e.prefix_length, k.high, k.low, e.metric, i);
    };
    std::vector<std::uint32_t> order(entries.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return rank(a) < rank(b); });
    entries_.reserve(entries.size());
    for (auto from : order) {
        auto place = static_cast<std::uint32_t>(entries_.size());
        auto const& e = entries_.emplace_back(entries[from]);
        if (lengths_.empty() || lengths_.back() != e.prefix_length) lengths_.push_back(e.prefix_length);
        ++index_.try_emplace(key_of(e.prefix, e.prefix_length), range{place, 0}).first->second.count;
    }
}

}  // namespace sonde::inline v0::detail
