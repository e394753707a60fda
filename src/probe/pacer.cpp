#include <sonde/probe/pacer.hpp>

#include <algorithm>
#include <cmath>

namespace sonde {
namespace {

constexpr steady_duration burst = std::chrono::milliseconds(1);
constexpr double slowest = 1e18;  // ns between packets, 31 years: sums with any time of day stay in range

}  // namespace

pacer::pacer(steady_duration inter, double rate) noexcept : inter_(std::max(inter, steady_duration::zero())) {
    if (!(rate > 0)) return;
    double ns = std::min(1e9 / rate, slowest);
    double whole = std::floor(ns);
    interval_ = std::chrono::nanoseconds(static_cast<std::int64_t>(whole));
    fraction_ = static_cast<std::uint32_t>((ns - whole) * 4294967296.0);
}

void pacer::left(steady_time now) noexcept {
    if (inter_ > steady_duration::zero()) gap_end_ = later(now, inter_);
    if (interval_ == steady_duration::zero() && fraction_ == 0) return;

    bool first = rate_end_ == steady_time::min();
    auto earliest = first ? now : now - burst;  // what was not sent before this is lost, not owed
    if (rate_end_ < earliest) {
        rate_end_ = earliest;
        carry_ = 0;
    }
    std::uint64_t sum = std::uint64_t{carry_} + fraction_;
    carry_ = static_cast<std::uint32_t>(sum);
    rate_end_ = later(rate_end_, interval_) + std::chrono::nanoseconds(static_cast<std::int64_t>(sum >> 32));
}

}  // namespace sonde
