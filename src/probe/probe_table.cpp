#include <sonde/probe/probe_table.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sonde::inline v0 {
namespace {

using detail::attempt_slot;
using detail::no_slot;

constexpr int ring_search = 8;  // how far a ring of equal keys is searched for a rest; it is first, or nearly

// The halves are keyed hashes. The multiplication only guards against keys that are not.
std::uint32_t hash_of(std::uint64_t low, std::uint32_t high) {
    return static_cast<std::uint32_t>((low + high) * 0x9e3779b97f4a7c15 >> 32);
}
std::uint32_t hash_of(match_key const& key) {
    return hash_of(key.low, static_cast<std::uint32_t>(key.high));
}
std::uint32_t hash_of(attempt_slot const& slot) {
    return hash_of(slot.key_low, slot.key_high);
}

attempt_state at_rest_as(attempt_state state) {
    return state == attempt_state::collecting ? attempt_state::answered : attempt_state::timed_out;
}

}  // namespace

probe_table::probe_table(table_limits limits) : limits_(limits) {
    // Twice their sum is the most that slots_ ever holds (see cancel), and slot numbers have 23 bits.
    limits_.probes = std::min(limits_.probes, 3'000'000u);
    limits_.rests = std::min(limits_.rests, 1'000'000u);
}

// Owners

probe_table::owner_id probe_table::open(std::uintptr_t user, steady_duration timeout, steady_duration rest) {
    if (free_owners_.empty()) {
        if (owners_.size() == owners_.capacity())
            owners_.reserve(std::max<std::size_t>(4, 2 * owners_.size()));
        free_owners_.reserve(owners_.capacity());  // so that retiring needs no memory
        free_owners_.push_back(static_cast<std::uint32_t>(owners_.size()));
        owners_.emplace_back();
    }
    auto timeout_queue = timeouts_.acquire(timeout);
    try {
        auto rest_queue = rests_.acquire(rest);
        auto id = free_owners_.back();
        free_owners_.pop_back();
        owners_[id] = owner_record{.user = user,
                                   .timeout_queue = timeout_queue,
                                   .rest_queue = rest_queue,
                                   .state = owner_state::open};
        return owner_id{id};
    } catch (...) {
        timeouts_.release(timeout_queue);
        throw;
    }
}

void probe_table::abandon(owner_id id) noexcept {
    auto& owner = of(id);
    if (owner.state != owner_state::open) return;
    owner.state = owner_state::abandoned;
    in_flight_ -= owner.in_flight;
    resting_ += owner.in_flight;
    trim_rests();
}

void probe_table::close(owner_id id) noexcept {
    abandon(id);
    of(id).user = 0;
    of(id).closed = true;
    retire(static_cast<std::uint32_t>(id));
}

void probe_table::cancel(owner_id id) noexcept {
    auto& owner = of(id);
    (owner.state == owner_state::open ? in_flight_ : resting_) -= owner.in_flight;
    resting_ -= owner.resting;
    dead_ += owner.in_flight + owner.resting;
    owner.state = owner_state::cancelled;
    owner.user = 0;
    owner.closed = true;
    retire(static_cast<std::uint32_t>(id));
    if (dead_ > in_flight_ + resting_) drop_each([&](attempt_slot const& slot) { return !visible(slot); });
}

void probe_table::retire(std::uint32_t id) noexcept {
    auto& owner = owners_[id];
    if (!owner.closed || owner.in_flight + owner.resting > 0) return;
    timeouts_.release(owner.timeout_queue);
    rests_.release(owner.rest_queue);
    owner = {};
    free_owners_.push_back(id);
}

// In flight

error_code probe_table::admit() noexcept {
    if (!has_room()) return make_error_code(errc::table_full);
    ++admitted_;
    return {};
}

std::uint32_t probe_table::insert(owner_id owner, match_key const& key, std::uint64_t index,
                                  std::uint16_t attempt, std::uint32_t draw, steady_time now, timestamp sent,
                                  std::optional<steady_duration> timeout) {
    forget(now, 2);
    auto queue = timeout ? queue_for(*timeout) : of(owner).timeout_queue;
    auto s = slots_.allocate();
    auto& slot = slots_[s];
    slot.key_low = key.low;
    slot.key_high = static_cast<std::uint32_t>(key.high);
    slot.draw = draw;
    slot.index_attempt = index << 16 | attempt;
    slot.sent = sent.time_since_epoch().count();
    slot.owner = static_cast<std::uint32_t>(owner);
    slot.set_state(attempt_state::in_flight);
    try {
        link_key(s);
    } catch (...) {
        slots_.release(s);
        throw;
    }
    timeouts_.push(queue, s, now);
    ++of(owner).in_flight;
    ++in_flight_;
    --admitted_;
    return s;
}

detail::deadline_queues::queue_id probe_table::queue_for(steady_duration timeout) {
    auto span = timeout < steady_duration::zero() ? no_timeout : rounded_up(timeout);
    auto [at, is_new] = own_timeouts_.try_emplace(span.count());
    if (!is_new) return at->second;
    try {
        return at->second = timeouts_.acquire(span);
    } catch (...) {
        own_timeouts_.erase(at);
        throw;
    }
}

void probe_table::settle(std::uint32_t s, attempt_state outcome, steady_time now) noexcept {
    auto& slot = slots_[s];
    if (!due(slot)) return;
    now_ = std::max(now_, now);
    --in_flight_;
    ++resting_;
    slot.set_state(outcome);
    rest(s, now);
    drop_older_rest(s);
    trim_rests();
}

// From a timeout queue into a rest queue; the totals are the caller's business.
void probe_table::rest(std::uint32_t s, steady_time now) noexcept {
    auto& owner = owners_[slots_[s].owner];
    timeouts_.remove(s);
    --owner.in_flight;
    rests_.push(owner.rest_queue, s, now);
    ++owner.resting;
}

void probe_table::drop(std::uint32_t s) noexcept {
    auto const& slot = slots_[s];
    auto id = slot.owner;
    --total(slot);
    if (slot.due()) {
        timeouts_.remove(s);
        --owners_[id].in_flight;
    } else {
        rests_.remove(s);
        --owners_[id].resting;
    }
    unlink_key(s);
    slots_.release(s);
    retire(id);
    if (empty() && dead_ == 0) index_.shrink();
}

std::uint32_t& probe_table::total(attempt_slot const& slot) noexcept {
    switch (owners_[slot.owner].state) {
        case owner_state::cancelled: return dead_;
        case owner_state::open: return slot.due() ? in_flight_ : resting_;
        default: return resting_;
    }
}

// Keys: the slots of equal keys form a ring, the index points at the newest, whose successor is the oldest.

std::uint32_t probe_table::ring_of(match_key const& key) const {
    return index_.find(hash_of(key), [&](std::uint32_t s) {
        return slots_[s].key_low == key.low && slots_[s].key_high == static_cast<std::uint32_t>(key.high);
    });
}

void probe_table::prefetch(match_key const& key) const noexcept {
    index_.prefetch(hash_of(key));
}

void probe_table::prefetch_found(match_key const& key) const noexcept {
    index_.find(hash_of(key), [&](std::uint32_t s) {
        __builtin_prefetch(&slots_[s]);
        return true;  // nearly always it is the one, and if not nothing is lost
    });
}

std::uint32_t probe_table::oldest_of(std::uint32_t s) const {
    auto const& slot = slots_[s];
    return slots_[ring_of({.high = slot.key_high, .low = slot.key_low})].same();
}

void probe_table::link_key(std::uint32_t s) {
    auto& slot = slots_[s];
    auto newest = ring_of({.high = slot.key_high, .low = slot.key_low});
    if (newest != no_slot) {
        slot.set_same(slots_[newest].same());
        slots_[newest].set_same(s);
        slots_[newest].set_indexed(false);
        slot.set_indexed(true);
        index_.replace(hash_of(slot), newest, s);
        return;
    }
    if (index_.full() || index_.sparse()) rebuild_index(index_.size() + 1);
    slot.set_same(s);
    slot.set_indexed(true);
    if (!index_.insert(hash_of(slot), s)) rebuild_index(2 * index_.size());
}

void probe_table::unlink_key(std::uint32_t s) noexcept {
    auto& slot = slots_[s];
    auto hash = hash_of(slot);
    if (slot.same() == s) return index_.erase(hash, s);
    auto before = ring_of({.high = slot.key_high, .low = slot.key_low});
    while (slots_[before].same() != s) before = slots_[before].same();
    slots_[before].set_same(slot.same());
    if (slot.indexed()) {
        slots_[before].set_indexed(true);
        index_.replace(hash, s, before);
    }
}

void probe_table::rebuild_index(std::size_t entries) {
    for (auto enough = 64 * entries + 65536; entries <= enough; entries *= 2) {
        bool complete = true;
        index_.reset(entries);
        slots_.each([&](std::uint32_t s, attempt_slot const& slot) {
            if (complete && slot.indexed()) complete = index_.insert(hash_of(slot), s);
        });
        if (complete) return;
    }
    throw std::length_error("sonde::probe_table: match keys are not spread evenly");
}

// One rest for each key is enough, and keeps rings short where a fixed identity is used again and again.
void probe_table::drop_older_rest(std::uint32_t s) noexcept {
    if (slots_[s].same() == s) return;
    auto other = oldest_of(s);
    for (int step = 0; step < ring_search; ++step, other = slots_[other].same()) {
        if (other != s && !slots_[other].due()) return drop(other);
    }
}

std::optional<attempt_info> probe_table::twin(std::uint32_t s) const {
    auto const& slot = slots_[s];
    if (slot.same() == s) return {};
    auto other = oldest_of(s);
    for (int step = 0; step < ring_search && other != s; ++step, other = slots_[other].same()) {
        auto const& o = slots_[other];
        if (o.state() == attempt_state::timed_out && o.owner == slot.owner && o.index() == slot.index()) {
            return info(other);
        }
    }
    return {};
}

attempt_info probe_table::info(std::uint32_t s) const {
    auto const& slot = slots_[s];
    auto const& owner = owners_[slot.owner];
    bool moot = slot.due() && owner.state != owner_state::open;
    return {.user = owner.user,
            .index = slot.index(),
            .attempt = slot.attempt(),
            .state = moot ? at_rest_as(slot.state()) : slot.state(),
            .draw = slot.draw,
            .sent = timestamp(std::chrono::nanoseconds(slot.sent)),
            .slot = s};
}

// Time

// Attempts of owners that wait no longer are taken out of the way here.
std::uint32_t probe_table::first_due() noexcept {
    for (;;) {
        auto s = timeouts_.front();
        if (s == no_slot) return s;
        auto& slot = slots_[s];
        switch (owners_[slot.owner].state) {
            case owner_state::open: return s;
            case owner_state::abandoned:
                slot.set_state(at_rest_as(slot.state()));
                rest(s, now_);
                drop_older_rest(s);
                break;
            default: drop(s);
        }
    }
}

std::optional<steady_time> probe_table::next_deadline() noexcept {
    auto s = first_due();
    if (s == no_slot) return {};
    steady_time deadline{std::chrono::nanoseconds(slots_[s].deadline)};
    if (deadline == never) return {};
    return deadline;
}

std::optional<attempt_info> probe_table::expire(steady_time now) noexcept {
    now_ = std::max(now_, now);
    auto deadline = next_deadline();
    if (!deadline || *deadline > now) {
        forget(now, 256);
        return {};
    }
    forget(now, 2);
    auto s = timeouts_.front();
    auto expired = info(s);
    expired.state = at_rest_as(expired.state);
    expired.slot = no_slot;
    settle(s, expired.state, now);
    return expired;
}

void probe_table::forget(steady_time now, std::uint32_t limit) noexcept {
    now_ = std::max(now_, now);
    for (; limit > 0; --limit) {
        auto s = rests_.front();
        if (s == no_slot || slots_[s].deadline > now.time_since_epoch().count()) return;
        drop(s);
    }
}

void probe_table::trim_rests() noexcept {
    while (resting_ > limits_.rests) {
        auto s = rests_.front();
        if (s == no_slot) break;
        drop(s);
    }
    if (resting_ <= limits_.rests) return;
    // What is left are attempts in flight of abandoned owners.
    drop_each([&](attempt_slot const& slot) { return slot.due() && !due(slot); });
}

void probe_table::forget_all() noexcept {
    constexpr std::uint32_t many = 8192;  // as one by one a large table would be loaded once more
    bool all_rest = std::ranges::all_of(owners_, [](auto const& o) { return o.in_flight == 0; });
    if (!all_rest || resting_ + dead_ < many)
        return drop_each([&](attempt_slot const& slot) { return !due(slot); });
    rests_.clear(), index_.clear(), slots_.clear();
    resting_ = dead_ = 0;
    for (std::uint32_t id = 0; id < owners_.size(); ++id)
        if (std::exchange(owners_[id].resting, 0) > 0) retire(id);
}

template <class Which>
void probe_table::drop_each(Which which) noexcept {
    auto drop_one = [&](std::uint32_t s) {
        if (which(slots_[s])) drop(s);
    };
    timeouts_.each(drop_one);
    rests_.each(drop_one);
}

// Numbers

std::size_t probe_table::bytes() const noexcept {
    constexpr auto own = sizeof(decltype(own_timeouts_)::value_type) + 1;  // and a byte of the hash
    return slots_.bytes() + index_.bytes() + timeouts_.bytes() + rests_.bytes() +
           own_timeouts_.bucket_count() * own + owners_.capacity() * sizeof(owner_record) +
           free_owners_.capacity() * sizeof(std::uint32_t);
}

void probe_table::reserve(std::uint32_t attempts) {
    if (attempts > index_.size()) rebuild_index(attempts);
}

}  // namespace sonde::inline v0
