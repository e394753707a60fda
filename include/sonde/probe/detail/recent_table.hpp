#pragma once

#include <sonde/probe/time.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

SONDE_NAMESPACE_BEGIN
namespace detail {

/// What a table that forgets has done.
struct recent_counters {
    std::uint64_t inserted = 0;
    std::uint64_t expired = 0;  ///< not used for as long as the table remembers
    std::uint64_t evicted = 0;  ///< gave their place to a newer one
    std::uint64_t refused = 0;  ///< found no place
};

/// A bounded memory: values by key, in the order in which they were last used. The one that was not used for
/// the longest time goes first: after `age`, or when there are more than `capacity`.
///
/// Cost: O(1). Memory: what was in it at its peak.
/// Errors: std::bad_alloc, then nothing has changed.
template <class Key, class Value, class Hash>
class recent_table {
public:
    recent_table(std::size_t capacity, steady_duration age) : capacity_(capacity), age_(age) {}

    /// The value, now the most recently used; nullptr if there is none.
    Value* use(Key const& key, steady_time now) {
        forget(now);
        auto at = index_.find(key);
        if (at == index_.end()) return nullptr;
        unlink(at->second);
        link_newest(at->second);
        slots_[at->second].used = now;
        return &slots_[at->second].value;
    }
    Value const* find(Key const& key) const {
        auto at = index_.find(key);
        return at == index_.end() ? nullptr : &slots_[at->second].value;
    }

    /// The value of this key, made of `fresh` if there was none; nullptr when it would take the place of one
    /// for which may_go(value) is false.
    template <class MayGo>
    Value* use_or_insert(Key const& key, Value fresh, steady_time now, MayGo&& may_go) {
        if (auto* value = use(key, now)) return value;
        bool full = index_.size() >= capacity_;
        if (full && (capacity_ == 0 || !may_go(slots_[oldest_].value))) {
            ++counters_.refused;
            return nullptr;
        }
        if (full) {
            drop_oldest();
            ++counters_.evicted;
        }
        if (free_ == none) {
            slots_.emplace_back();
            free_ = static_cast<std::uint32_t>(slots_.size() - 1);
        }
        index_.emplace(key, free_);
        auto s = free_;
        free_ = slots_[s].next;
        slots_[s] = {.key = key, .value = std::move(fresh), .used = now};
        link_newest(s);
        ++counters_.inserted;
        return &slots_[s].value;
    }
    Value* use_or_insert(Key const& key, Value fresh, steady_time now) {
        return use_or_insert(key, std::move(fresh), now, [](Value const&) { return true; });
    }

    std::size_t size() const noexcept { return index_.size(); }
    std::size_t capacity() const noexcept { return capacity_; }
    recent_counters const& counters() const noexcept { return counters_; }
    void clear() {
        index_.clear();
        slots_.clear();
        free_ = oldest_ = newest_ = none;
    }

private:
    static constexpr std::uint32_t none = 0xffffffff;

    struct slot {
        Key key{};
        Value value{};
        steady_time used{};
        std::uint32_t previous = none, next = none;  // in the order of use; free ones by `next`
    };

    void forget(steady_time now) {
        while (oldest_ != none && later(slots_[oldest_].used, age_) <= now) {
            drop_oldest();
            ++counters_.expired;
        }
    }

    void drop_oldest() {
        auto s = oldest_;
        unlink(s);
        index_.erase(slots_[s].key);
        slots_[s].value = Value{};
        slots_[s].next = free_;
        free_ = s;
    }

    void link_newest(std::uint32_t s) {
        slots_[s].previous = newest_;
        slots_[s].next = none;
        (newest_ == none ? oldest_ : slots_[newest_].next) = s;
        newest_ = s;
    }

    void unlink(std::uint32_t s) {
        auto [previous, next] = std::pair(slots_[s].previous, slots_[s].next);
        (previous == none ? oldest_ : slots_[previous].next) = next;
        (next == none ? newest_ : slots_[next].previous) = previous;
    }

    std::size_t capacity_;
    steady_duration age_;
    boost::unordered_flat_map<Key, std::uint32_t, Hash> index_;
    std::vector<slot> slots_;
    std::uint32_t free_ = none, oldest_ = none, newest_ = none;
    recent_counters counters_;
};

}  // namespace detail
SONDE_NAMESPACE_END
