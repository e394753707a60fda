#pragma once

#include <sonde/packet/siphash.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

SONDE_NAMESPACE_BEGIN

/// What a probe and its answer have in common, in 128 bits. It is computed twice, from the packet that is
/// sent and from the packet that comes back (addresses, ports, ids and sequence numbers, each seen from the
/// prober's side), and only a pair with equal keys is compared field by field. Equal keys are necessary for
/// an answer, never sufficient.
struct match_key {
    std::uint64_t high = 0;  ///< the second half of the hash
    std::uint64_t low = 0;   ///< the first half

    /// Both halves alike.
    friend constexpr bool operator==(match_key const&, match_key const&) = default;
};

/// For hash tables. A key is a keyed hash already, so half of it will do, and Boost.Unordered is told not to
/// mix again.
struct match_key_hash {
    /// Tells Boost.Unordered so.
    using is_avalanching = std::true_type;
    /// The first half of the key.
    constexpr std::size_t operator()(match_key const& key) const noexcept {
        return static_cast<std::size_t>(key.low);
    }
};

/// Makes match keys: SipHash-1-3-128 of whatever is added, under the network's secret. Strangers see answers
/// come and go, but without the secret they cannot choose packets whose keys fall together (hash flooding),
/// nor the key of a probe that they have not seen. No key is ever shown to anybody, as with the hash tables
/// that use SipHash-1-3 elsewhere (Linux, Python, Rust).
///
///     match_key key = key_mixer(secret).add(protocol).add(address.high()).add(address.low()).finish();
///
/// What is added is one string of bytes: put the length before a field of variable length, and a different
/// number first for each kind of probe, or different probes can give equal strings.
/// Cost: about 8 ns, and 0.8 ns for each 8 bytes; no allocation.
class key_mixer {
public:
    /// Nothing added yet; the secret is copied.
    explicit constexpr key_mixer(secret_key secret) noexcept : hash_(secret) {}

    /// Eight bytes, least significant first.
    constexpr key_mixer& add(std::uint64_t word) noexcept {
        hash_.add(word);
        return *this;
    }
    /// Bytes as they are, without their number.
    constexpr key_mixer& add(std::span<std::byte const> bytes) noexcept {
        hash_.add(bytes);
        return *this;
    }

    /// The key of what was added so far; more may be added afterwards, for a longer key's sake.
    constexpr match_key finish() const noexcept {
        auto hash = hash_;
        hash.finish();
        match_key key;
        key.low = hash.first();
        key.high = hash.second();
        return key;
    }

private:
    detail::siphash<1, 3, true> hash_;
};

SONDE_NAMESPACE_END
