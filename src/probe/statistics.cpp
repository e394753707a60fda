#include <sonde/probe/statistics.hpp>

#include <algorithm>
#include <bit>
#include <cmath>

namespace sonde::inline v0 {
namespace {

using std::chrono::nanoseconds;

constexpr int fine_bits = 5;  // 32 buckets to an octave

/// Values below 64 have a bucket each; above, those that agree in their first six bits share one.
std::uint16_t bucket_of(std::uint64_t ns) {
    int shift = std::max(0, static_cast<int>(std::bit_width(ns)) - fine_bits - 1);
    return static_cast<std::uint16_t>((static_cast<std::uint64_t>(shift) << fine_bits) + (ns >> shift));
}

std::uint64_t middle_of(std::uint16_t number) {
    int shift = std::max(0, (number >> fine_bits) - 1);
    auto first = (number - (std::uint64_t(shift) << fine_bits)) << shift;
    return first + ((std::uint64_t{1} << shift) - 1) / 2;
}

nanoseconds rounded(double ns) {
    return nanoseconds(std::llround(ns));
}

}  // namespace

void rtt_statistics::add(nanoseconds rtt) {
    rtt = std::max(rtt, nanoseconds::zero());
    auto number = bucket_of(static_cast<std::uint64_t>(rtt.count()));
    auto at = std::ranges::lower_bound(buckets_, number, {}, &bucket::number);
    if (at == buckets_.end() || at->number != number) at = buckets_.insert(at, {number, 0});
    ++at->count;

    auto value = static_cast<double>(rtt.count());
    least_ = count_ == 0 ? rtt : std::min(least_, rtt);
    most_ = std::max(most_, rtt);
    if (count_ > 0) jitter_ += (std::abs(value - static_cast<double>(latest_.count())) - jitter_) / 16;
    latest_ = rtt;
    auto off = value - mean_;
    mean_ += off / static_cast<double>(++count_);
    squares_ += off * (value - mean_);
}

nanoseconds rtt_statistics::mean() const noexcept {
    return rounded(mean_);
}

nanoseconds rtt_statistics::deviation() const noexcept {
    return count_ == 0 ? nanoseconds::zero() : rounded(std::sqrt(squares_ / static_cast<double>(count_)));
}

nanoseconds rtt_statistics::jitter() const noexcept {
    return rounded(jitter_);
}

nanoseconds rtt_statistics::quantile(double share) const noexcept {
    auto rank = std::max(1.0, std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_)));
    double seen = 0;
    for (auto const& b : buckets_) {
        seen += b.count;
        if (seen >= rank)
            return std::clamp(nanoseconds(static_cast<std::int64_t>(middle_of(b.number))), least_, most_);
    }
    return {};
}

}  // namespace sonde::inline v0
