#include <sonde/probe/rate_limiter.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace sonde::inline v0 {
namespace {

// Longer than a bucket holds: a prefix that was ready for so long is like one never seen.
constexpr steady_duration full_again = std::chrono::milliseconds(1);
constexpr double largest_packet = 65535 * 8 + 112;  // bits

// A packet delays the next one by its cost, and leaves when nothing is owed: after this long nothing is.
steady_duration age_of(prefix_rate const& limit) {
    double seconds = 60;
    if (limit.rate > 0) seconds = std::max(seconds, 2 / limit.rate);
    if (limit.bit_rate > 0) seconds = std::max(seconds, 2 * largest_packet / limit.bit_rate);
    return std::chrono::seconds(static_cast<std::int64_t>(std::min(seconds, 1e9)));
}

}  // namespace

rate_limiter::rate_limiter(rate_limits const& limits, std::size_t capacity)
    : limits_(limits),
      network_({}, limits.rate, limits.bit_rate),
      prefixes_(capacity, age_of(limits.per_prefix)) {
    set_prefix_rate(limits.per_prefix);
}

// Asking

std::optional<ip_address> rate_limiter::prefix_of(std::optional<ip_address> const& destination) const {
    auto const& limit = limits_.per_prefix;
    if (!destination || !limit.is_limit() || destination->is_multicast()) return {};
    return detail::prefix_of(*destination, destination->is_v4() ? limit.v4_length : limit.v6_length);
}

steady_time rate_limiter::prefix_ready_at(ip_address const& prefix) const {
    if (auto const* known = prefixes_.find(prefix)) return known->ready_at();
    return prefixes_.size() < prefixes_.capacity() ? steady_time::min() : crowded_.ready_at();
}

pacer& rate_limiter::prefix_pacer(ip_address const& prefix, steady_time now) {
    pacer fresh({}, limits_.per_prefix.rate, limits_.per_prefix.bit_rate);
    auto may_go = [now](pacer const& p) { return later(p.ready_at(), full_again) <= now; };
    auto* found = prefixes_.use_or_insert(prefix, fresh, now, may_go);
    return found ? *found : crowded_;
}

rate_limiter::hold rate_limiter::ask(std::optional<ip_address> const& destination, std::uint64_t bits,
                                     ticket who, steady_time now) {
    if (!active()) return hold::none;
    entry packet{.who = who, .bits = bits, .destination = destination};
    auto prefix = prefix_of(destination);
    if (prefix) {
        auto at = lines_.find(*prefix);
        if (at != lines_.end() || prefix_ready_at(*prefix) > now) {
            if (at == lines_.end()) at = lines_.try_emplace(*prefix).first;
            at->second.waiting.push_back(packet);
            ++waiting_;
            schedule(at);
            return hold::prefix;
        }
    }
    if (!turns_.empty() || network_.ready_at() > now) {
        turns_.push_back(packet);
        ++waiting_;
        if (prefix) lines_.try_emplace(*prefix).first->second.in_turn = true;
        return hold::network;
    }
    leave(packet, prefix, now);
    return hold::none;
}

void rate_limiter::leave(entry const& packet, std::optional<ip_address> const& prefix, steady_time now) {
    network_.left(now, packet.bits);
    if (prefix) prefix_pacer(*prefix, now).left(now, packet.bits);
}

// Waiting

void rate_limiter::schedule(lines_map::iterator at) {
    if (at->second.in_turn || at->second.waiting.empty() || at->second.due != never) return;
    at->second.due = prefix_ready_at(at->first);
    due_.emplace(at->second.due, at->first);
}

void rate_limiter::unschedule(lines_map::iterator at) {
    if (at->second.due == never) return;
    due_.erase({at->second.due, at->first});
    at->second.due = never;
}

// Fronts of lines whose prefix is ready get in line for the network.
void rate_limiter::bring_in(steady_time now) {
    while (!due_.empty() && due_.begin()->first <= now) {
        auto at = lines_.find(due_.begin()->second);
        unschedule(at);
        if (prefix_ready_at(at->first) > now) {  // others of the crowd were faster
            schedule(at);
            continue;
        }
        turns_.push_back(at->second.waiting.front());
        at->second.waiting.pop_front();
        at->second.in_turn = true;
    }
}

std::optional<rate_limiter::ticket> rate_limiter::release(steady_time now) {
    bring_in(now);
    if (turns_.empty() || network_.ready_at() > now) return {};
    auto packet = turns_.front();
    turns_.pop_front();
    --waiting_;
    auto prefix = prefix_of(packet.destination);
    leave(packet, prefix, now);
    if (!prefix) return packet.who;
    if (auto at = lines_.find(*prefix); at != lines_.end()) {
        at->second.in_turn = false;
        if (at->second.waiting.empty()) {
            lines_.erase(at);
        } else {
            schedule(at);
        }
    }
    return packet.who;
}

std::optional<steady_time> rate_limiter::wake_at() const noexcept {
    if (!turns_.empty()) return network_.ready_at();
    if (!due_.empty()) return std::max(due_.begin()->first, network_.ready_at());
    return {};
}

// Changing

void rate_limiter::count_limits() noexcept {
    limited_ = limits_.rate > 0 || limits_.bit_rate > 0 || limits_.per_prefix.is_limit();
}

void rate_limiter::set_rate(double rate) noexcept {
    limits_.rate = rate;
    network_.set_rate(rate);
    count_limits();
}

void rate_limiter::set_bit_rate(double bit_rate) noexcept {
    limits_.bit_rate = bit_rate;
    network_.set_bit_rate(bit_rate);
    count_limits();
}

void rate_limiter::set_prefix_rate(prefix_rate const& limit) {
    auto waiting = std::exchange(turns_, {});
    for (auto& [prefix, held] : lines_) std::ranges::move(held.waiting, std::back_inserter(waiting));
    lines_.clear();
    due_.clear();
    limits_.per_prefix = limit;
    prefixes_ = prefix_table(prefixes_.capacity(), age_of(limit));
    crowded_ = pacer({}, limit.rate, limit.bit_rate);
    count_limits();
    for (auto& packet : waiting) {
        auto prefix = prefix_of(packet.destination);
        (prefix ? lines_[*prefix].waiting : turns_).push_back(packet);
    }
    for (auto at = lines_.begin(); at != lines_.end(); ++at) schedule(at);
}

}  // namespace sonde::inline v0
