#include <sonde/probe/rtt.hpp>

#include <algorithm>

namespace sonde::inline v0 {
namespace {

constexpr steady_duration granularity = std::chrono::milliseconds(1);
constexpr steady_duration remembered = std::chrono::minutes(10);

rtt_limits checked(rtt_limits limits) {
    limits.least = std::max(limits.least, granularity);
    limits.most = std::max(limits.most, limits.least);
    return limits;
}

}  // namespace

void rtt_estimator::sample(steady_duration rtt) noexcept {
    if (empty()) {
        srtt_ = rtt;
        rttvar_ = rtt / 2;
        measured_ = true;
        return;
    }
    auto error = srtt_ - rtt;
    rttvar_ += (std::max(error, -error) - rttvar_) / 4;
    srtt_ -= error / 8;
}

steady_duration rtt_estimator::timeout() const noexcept {
    return srtt_ + std::max(granularity, 4 * rttvar_);
}

rtt_table::rtt_table(rtt_limits limits, std::size_t capacity)
    : limits_(checked(limits)), by_destination_(capacity, remembered) {}

bool rtt_table::sample(std::optional<ip_address> const& destination, steady_duration rtt, steady_time now) {
    if (rtt < steady_duration::zero() || rtt > limits_.bogus) {
        ++bogus_;
        return false;
    }
    global_.sample(rtt);
    if (!destination) return true;
    if (auto* known = by_destination_.use_or_insert(*destination, {}, now)) known->sample(rtt);
    return true;
}

steady_duration rtt_table::timeout(std::optional<ip_address> const& destination,
                                   unsigned attempt) const noexcept {
    auto const* known = destination ? by_destination_.find(*destination) : nullptr;
    auto const& estimator = known ? *known : global_;
    auto result =
        std::clamp(estimator.empty() ? limits_.initial : estimator.timeout(), limits_.least, limits_.most);
    for (; attempt > 1 && result < limits_.most; --attempt) result = std::min(2 * result, limits_.most);
    return result;
}

}  // namespace sonde::inline v0
