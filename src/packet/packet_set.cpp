#include "permutation.hpp"

#include <sonde/packet/packet_set.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace sonde::inline v0 {

packet_set::packet_set(packet set) : base_(std::move(set)), size_(base_.empty() ? 0 : base_.size()) {}

std::uint64_t packet_set::base_index(std::uint64_t index) const {
    if (index >= size_)
        throw error(errc::value_out_of_range, fmt::format("packet {} of a set of {}", index, size_));
    for (auto s = steps_.rbegin(); s != steps_.rend(); ++s)
        index = s->what == step::permute ? detail::permutation(s->a, s->b)(index) : s->a + index * s->b;
    return index;
}

packet_set operator|(packet_set set, shuffled how) {
    if (set.size_ > 1) set.steps_.push_back({packet_set::step::permute, set.size_, how.seed});
    return set;
}

shard::shard(std::uint64_t i, std::uint64_t n) : index(i), count(n) {
    if (i >= n) throw error(errc::value_out_of_range, fmt::format("shard {} of {}: they count from 0", i, n));
}

packet_set operator|(packet_set set, shard which) {
    set.size_ = set.size_ / which.count + (set.size_ % which.count > which.index);
    set.steps_.push_back({packet_set::step::stride, which.index, which.count});
    return set;
}

packet_set operator|(packet_set set, drop count) {
    auto left_out = std::min(count.count, set.size_);
    set.size_ -= left_out;
    set.steps_.push_back({packet_set::step::stride, left_out, 1});
    return set;
}

packet_set operator|(packet_set set, take count) {
    set.size_ = std::min(set.size_, count.count);
    return set;
}

}  // namespace sonde::inline v0
