#pragma once

#include <sonde/error.hpp>

#include <chrono>
#include <cstdint>

SONDE_NAMESPACE_BEGIN

/// What came of an `sr`, in numbers; readable while it runs. The unit is the packet, except for `remaining`.
///
/// Two sums always hold, and the tests hold every run to them:
///     sent + send_errors = packets that were tried,
///     received = answered + duplicates + late + unrelated + malformed.
/// A trivially destructible aggregate, so it may stand in a co_await expression.
struct report {
    std::uint64_t sent = 0;         ///< packets that left, retries included
    std::uint64_t received = 0;     ///< packets that came in and passed the filter, of whatever kind
    std::uint64_t answered = 0;     ///< answers to probes, read or not; more than one of each only by `multi`
    std::uint64_t duplicates = 0;   ///< further answers to a probe that had its answer
    std::uint64_t late = 0;         ///< answers that came after the probe's last deadline
    std::uint64_t unrelated = 0;    ///< packets that answer no probe of this network (a flood: in part)
    std::uint64_t malformed = 0;    ///< packets that could not be read
    std::uint64_t retries = 0;      ///< of `sent`, those that repeat a probe
    std::uint64_t send_errors = 0;  ///< packets that could not leave
    std::uint64_t kernel_drops = 0;       ///< packets that the kernel lost because we read too slowly
    std::uint64_t remaining = 0;          ///< probes without an answer, as of now (Scapy's "remaining")
    std::chrono::nanoseconds duration{};  ///< from the first probe to the end, or until now while it runs
    error_code first_error{};             ///< why the first of `send_errors` could not leave

    /// Member by member.
    friend bool operator==(report const&, report const&) = default;
};

/// The same for a `srloop`, as sums over all rounds; it prints Scapy's footer: how many rounds were answered.
struct loop_report : report {
    std::uint64_t rounds = 0;  ///< answered and unanswered probes, over all rounds

    /// Member by member.
    friend bool operator==(loop_report const&, loop_report const&) = default;
};

/// What became of the probes of a run, each counted once, while `report` counts packets. The accounting law:
///     probes = answered + timed_out + send_failed + cancelled + open + unsent.
struct accounting {
    std::uint64_t probes = 0;       ///< the size of the set; where it is unknown, the probes begun so far
    std::uint64_t answered = 0;     ///< had at least one answer
    std::uint64_t timed_out = 0;    ///< passed their last deadline in silence
    std::uint64_t send_failed = 0;  ///< could not leave
    std::uint64_t cancelled = 0;    ///< were open when the run was cancelled, or ended at its first answer
    std::uint64_t open = 0;         ///< on the way: leaving, in flight, or waiting for their next attempt
    std::uint64_t unsent = 0;       ///< not begun; after a cancellation, never will be

    /// The accounting law.
    constexpr bool holds() const {
        return probes == answered + timed_out + send_failed + cancelled + open + unsent;
    }
    /// Member by member.
    friend constexpr bool operator==(accounting const&, accounting const&) = default;
};

SONDE_NAMESPACE_END
