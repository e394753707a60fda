#pragma once

#include <sonde/packet/address.hpp>
#include <sonde/probe/detail/address_key.hpp>
#include <sonde/probe/detail/recent_table.hpp>
#include <sonde/probe/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

SONDE_NAMESPACE_BEGIN

/// What `timeout = adaptive` may become. A trivially destructible aggregate.
struct rtt_limits {
    steady_duration least = std::chrono::milliseconds(100);  ///< RFC 6298 §2.4 says 1 s, for TCP's sake
    steady_duration most = std::chrono::seconds(3);          ///< also of what back-off makes of it
    steady_duration initial = std::chrono::seconds(1);       ///< before anything was measured (§2.1)
    steady_duration bogus = std::chrono::seconds(8);  ///< samples above are ignored, as are negative ones
};

/// How long answers take: RFC 6298 §2, smoothed round-trip time and its variation.
class rtt_estimator {
public:
    /// A round-trip time, not negative (§2.2 for the first, §2.3 for others).
    void sample(steady_duration rtt) noexcept;
    /// True before the first sample.
    bool empty() const noexcept { return !measured_; }
    /// SRTT and RTTVAR; 0 before the first sample.
    /// @{
    steady_duration srtt() const noexcept { return srtt_; }
    steady_duration rttvar() const noexcept { return rttvar_; }
    /// @}
    /// SRTT + max(G, 4 RTTVAR), with G = 1 ms: what a timer may be late.
    steady_duration timeout() const noexcept;

private:
    steady_duration srtt_{}, rttvar_{};
    bool measured_ = false;
};

/// The estimators of a network: one for each destination heard of lately, and one for all together, which
/// stands in for destinations that it does not know.
///
/// Give it samples of unambiguous attempts only (Karn): every attempt has its own identity, so an answer to a
/// retry is one too.
/// Memory: 104 bytes a destination, `capacity` of them; those not heard of for ten minutes are forgotten, and
/// beyond the capacity the one heard of least recently gives its place. A scan of 16 million hosts keeps the
/// latest 16,384.
/// Errors: std::bad_alloc. Cost: O(1).
class rtt_table {
public:
    static constexpr std::size_t default_capacity = 16384;  ///< destinations

    /// `least` is raised to 1 ms, and `most` to `least`. `capacity`: destinations remembered at most.
    explicit rtt_table(rtt_limits limits = {}, std::size_t capacity = default_capacity);

    /// False when the sample is bogus, and was ignored.
    bool sample(std::optional<ip_address> const& destination, steady_duration rtt, steady_time now);
    /// How long this attempt (1: the first) should wait: the estimate, twice as long for each attempt before
    /// it (§5.5), within the limits.
    steady_duration timeout(std::optional<ip_address> const& destination, unsigned attempt) const noexcept;

    /// The limits in force.
    rtt_limits const& limits() const noexcept { return limits_; }
    /// The estimator of all samples together.
    rtt_estimator const& global() const noexcept { return global_; }
    /// Destinations that are remembered now.
    std::size_t destinations() const noexcept { return by_destination_.size(); }
    /// What the memory of destinations took in and gave up.
    detail::recent_counters const& counters() const noexcept { return by_destination_.counters(); }
    /// Samples that were ignored.
    std::uint64_t bogus() const noexcept { return bogus_; }

private:
    rtt_limits limits_;
    rtt_estimator global_;
    detail::recent_table<ip_address, rtt_estimator, detail::address_hash> by_destination_;
    std::uint64_t bogus_ = 0;
};

SONDE_NAMESPACE_END
