#pragma once

#include <sonde/probe/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// Round-trip times as they come: their spread, jitter and quantiles, in bounded memory.
///
/// Memory: 72 bytes, and 8 for each bucket of the histogram that is in use; a bucket spans a 32nd of its
/// value, there are 1,856 at most, and times within a factor of 2 take 32. Errors: std::bad_alloc. Cost:
/// O(log buckets) to add; a new bucket moves those behind it.
class rtt_statistics {
public:
    /// A negative one counts as 0.
    void add(std::chrono::nanoseconds rtt);

    /// How many were added.
    std::uint64_t count() const noexcept { return count_; }
    /// Of none, all of these are 0.
    std::chrono::nanoseconds least() const noexcept { return least_; }
    /// The longest.
    std::chrono::nanoseconds most() const noexcept { return most_; }
    /// The arithmetic mean of all.
    std::chrono::nanoseconds mean() const noexcept;
    /// The standard deviation of all, which ping calls mdev.
    std::chrono::nanoseconds deviation() const noexcept;
    /// How much one differs from the one before, smoothed as RFC 3550 §6.4.1 does: by a 16th.
    std::chrono::nanoseconds jitter() const noexcept;
    /// The time that a share of them, 0 to 1, does not exceed (nearest rank), within a 64th:
    /// `quantile(0.95)`.
    std::chrono::nanoseconds quantile(double share) const noexcept;

private:
    struct bucket {
        std::uint16_t number;
        std::uint32_t count;
    };

    std::vector<bucket> buckets_;  // by number
    std::uint64_t count_ = 0;
    std::chrono::nanoseconds least_{}, most_{}, latest_{};
    double mean_ = 0, squares_ = 0, jitter_ = 0;
};

/// What became of one probe of a `srloop`, round by round.
struct probe_statistics {
    std::uint64_t rounds = 0;    ///< that have ended for it
    std::uint64_t answered = 0;  ///< of these
    rtt_statistics rtt;          ///< of these answers

    /// The share of rounds that nothing answered, 0 to 1.
    double loss() const noexcept {
        return rounds == 0 ? 0 : 1 - static_cast<double>(answered) / static_cast<double>(rounds);
    }
};

SONDE_NAMESPACE_END
