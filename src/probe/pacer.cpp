#include <sonde/probe/pacer.hpp>

#include <algorithm>
#include <cmath>

namespace sonde::inline v0 {
namespace {

constexpr steady_duration burst = std::chrono::milliseconds(1);
constexpr double slowest = 1e18;  // ns for a token, 31 years: sums with any time of day stay in range
constexpr double fraction_unit = 4294967296.0;

steady_duration times(steady_duration one, std::uint64_t n) noexcept {
    bool fits = one == steady_duration::zero() ||
                n <= static_cast<std::uint64_t>(steady_duration::max().count() / one.count());
    return fits ? steady_duration(one.count() * static_cast<std::int64_t>(n)) : steady_duration::max();
}

}  // namespace

namespace detail {

void token_bucket::set_rate(double per_second) noexcept {
    double old = static_cast<double>(interval_.count()) + fraction_ / fraction_unit;
    bool limit = per_second > 0;
    double ns = limit ? std::min(1e9 / per_second, slowest) : 0;
    double whole = std::floor(ns);
    interval_ = std::chrono::nanoseconds(static_cast<std::int64_t>(whole));
    fraction_ = static_cast<std::uint32_t>((ns - whole) * fraction_unit);
    carry_ = 0;
    if (end_ <= settled_) return;
    double owed = old > 0 ? static_cast<double>((end_ - settled_).count()) / old * ns : 0;
    end_ = later(settled_, std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(owed, slowest))));
}

void token_bucket::settle(steady_time now) noexcept {
    if (!is_limit()) return;
    bool first = settled_ == steady_time::min();
    settled_ = now;
    auto earliest = first ? now : now - burst;
    if (end_ >= earliest) return;
    end_ = earliest;
    carry_ = 0;
}

void token_bucket::spend(std::uint64_t tokens) noexcept {
    if (!is_limit()) return;
    tokens = std::min<std::uint64_t>(tokens, 1u << 31);
    std::uint64_t sum = std::uint64_t{carry_} + fraction_ * tokens;
    carry_ = static_cast<std::uint32_t>(sum);
    end_ =
        later(later(end_, times(interval_, tokens)), steady_duration(static_cast<std::int64_t>(sum >> 32)));
}

}  // namespace detail

pacer::pacer(steady_duration inter, double rate, double bit_rate) noexcept
    : inter_(std::max(inter, steady_duration::zero())), packets_(rate), bits_(bit_rate) {}

steady_time pacer::ready_at() const noexcept {
    return std::max({gap_end_, packets_.ready_at(), bits_.ready_at()});
}

void pacer::left(steady_time now, std::uint64_t bits) noexcept {
    if (inter_ > steady_duration::zero()) gap_end_ = later(now, inter_);
    packets_.settle(now);
    packets_.spend(1);
    bits_.settle(now);
    bits_.spend(bits);
}

}  // namespace sonde::inline v0
