#pragma once

#include <sonde/detail/namespace.hpp>

#include <cstdint>
#include <deque>

SONDE_NAMESPACE_BEGIN
namespace detail {

/// Which of the numbers 0, 1, 2 … are done: all below `first_open()`, and of those from there on one bit
/// each. For probes that end nearly in the order in which they began, that is a few words, however many there
/// are.
///
/// Memory: one bit for each number between the first that is open and the last that is done.
/// Errors: std::bad_alloc. Cost: O(1) amortized; `each_open` O(end - first_open()).
class progress {
public:
    /// This number is done; again does no harm.
    void done(std::uint64_t number);
    /// The smallest number that is not done.
    std::uint64_t first_open() const noexcept { return first_; }
    bool is_done(std::uint64_t number) const noexcept;

    /// Calls f(number) for each that is not done, below `end`, in ascending order.
    template <class F>
    void each_open(std::uint64_t end, F&& f) const {
        for (auto n = first_; n < end; ++n)
            if (!is_done(n)) f(n);
    }

private:
    std::uint64_t first_ = 0;
    std::uint64_t base_ = 0;           // the number of the first bit of words_, a multiple of 64
    std::deque<std::uint64_t> words_;  // one bit for each that is done
};

}  // namespace detail
SONDE_NAMESPACE_END
