#pragma once

#include <sonde/packet/address.hpp>

#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace sonde::inline v0::detail {

/// A bounded memory of answers that are true for a short time. Direct-mapped: a new key drives the old one
/// out of its slot, so nothing grows and nothing is searched. Forgetting all of it costs nothing.
template <class Key, class Value, class Hash>
class recent_cache {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Room for `slots` answers (rounded up to a power of two), taken at the first `store`.
    explicit recent_cache(std::size_t slots) : size_(std::bit_ceil(slots)) {}

    /// What was stored under `key` after `since`, and not forgotten; nullptr otherwise.
    Value const* find(Key const& key, time_point since) const {
        if (slots_.empty()) return nullptr;
        auto const& s = slots_[slot_of(key)];
        return s.era == era_ && s.stored > since && s.key == key ? &s.value : nullptr;
    }

    void store(Key const& key, Value value, time_point now) {
        if (slots_.empty()) slots_.resize(size_);
        slots_[slot_of(key)] = {key, std::move(value), now, era_};
    }

    void forget() { ++era_; }

private:
    struct slot {
        Key key{};
        Value value{};
        time_point stored{};
        std::uint64_t era = 0;
    };

    std::size_t slot_of(Key const& key) const { return Hash{}(key) & (size_ - 1); }

    std::size_t size_;
    std::uint64_t era_ = 1;
    std::vector<slot> slots_;
};

/// An address as seen from an interface: what routes and neighbours are asked by.
struct scoped_address {
    ip_address address;
    int interface = 0;
    friend bool operator==(scoped_address const&, scoped_address const&) = default;
};

struct scoped_address_hash {
    std::size_t operator()(scoped_address const& a) const noexcept {
        constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
        auto h = (a.address.v6().high() ^ static_cast<std::uint64_t>(a.interface)) * odd;
        h = (h ^ h >> 32 ^ a.address.v6().low() ^ (a.address.is_v6() ? 1ULL << 63 : 0)) * odd;
        return static_cast<std::size_t>(h ^ h >> 32);
    }
};

}  // namespace sonde::inline v0::detail
