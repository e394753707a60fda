#include <sonde/probe/rate_control.hpp>

#include <algorithm>
#include <cmath>

namespace sonde::inline v0 {
namespace {

constexpr double decrease = 0.8;
constexpr double first_decrease = 0.5;  // the rate had doubled while the first loss was on its way
constexpr double used_to_the_full = 0.5;
constexpr steady_duration least_period = std::chrono::milliseconds(10);
constexpr steady_duration most_period = std::chrono::seconds(10);

rate_range checked(rate_range range) {
    range.floor = std::max(range.floor, 1e-3);
    range.ceiling = std::max(range.ceiling, range.floor);
    return range;
}

}  // namespace

rate_control::rate_control(rate_range range) noexcept
    : range_(checked(range)), rate_(std::clamp(range.initial, range_.floor, range_.ceiling)) {}

void rate_control::left(steady_time now, timestamp sent, steady_duration feedback) noexcept {
    latest_ = std::max(latest_, sent);
    ++packets_;
    if (now < period_end_) return;
    if (period_end_ != steady_time::min()) grow_if_earned(now);
    period_began_ = now;
    period_end_ = later(now, std::clamp(feedback, least_period, most_period));
    packets_ = answers_ = 0;
    fell_ = false;
}

void rate_control::grow_if_earned(steady_time now) noexcept {
    auto period = std::chrono::duration<double>(now - period_began_).count();
    bool used = static_cast<double>(packets_) >= used_to_the_full * rate_ * period;
    if (fell_ || answers_ == 0 || !used) return;
    rate_ = std::min(rate_ + (starting_ ? rate_ : std::sqrt(rate_)), range_.ceiling);
}

void rate_control::lost(timestamp sent) noexcept {
    if (sent > fell_after_) fall();
}

void rate_control::congested() noexcept {
    if (!fell_) fall();  // a full queue says so again and again until it has drained
}

void rate_control::fall() noexcept {
    rate_ = std::max(rate_ * (starting_ ? first_decrease : decrease), range_.floor);
    starting_ = false;
    fell_ = true;
    fell_after_ = latest_;
}

}  // namespace sonde::inline v0
