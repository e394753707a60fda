#include <sonde/probe/index_set.hpp>

#include <bit>

namespace sonde::inline v0 {
namespace {

constexpr std::size_t word_of(std::uint64_t number) {
    return number % index_set::page_bits / 64;
}
constexpr std::uint64_t bit_of(std::uint64_t number) {
    return std::uint64_t{1} << number % 64;
}

}  // namespace

bool index_set::insert(std::uint64_t number) {
    auto at = pages_.find(number / page_bits);
    if (at == pages_.end()) {
        if (pages_.size() >= limit_) return false;
        at = pages_.emplace(number / page_bits, page{}).first;
    }
    auto& word = at->second[word_of(number)];
    if (!(word & bit_of(number))) ++size_;
    word |= bit_of(number);
    return true;
}

bool index_set::contains(std::uint64_t number) const {
    auto at = pages_.find(number / page_bits);
    return at != pages_.end() && (at->second[word_of(number)] & bit_of(number));
}

std::optional<std::uint64_t> index_set::next(std::uint64_t from) const {
    for (auto at = pages_.lower_bound(from / page_bits); at != pages_.end(); ++at) {
        auto first = at->first * page_bits;
        auto start = from > first ? from - first : 0;
        for (auto word = start / 64; word < at->second.size(); ++word) {
            auto bits = at->second[word];
            if (word == start / 64) bits &= ~std::uint64_t{0} << start % 64;
            if (bits) return first + word * 64 + static_cast<unsigned>(std::countr_zero(bits));
        }
    }
    return {};
}

}  // namespace sonde::inline v0
