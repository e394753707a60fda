#pragma once

#include <sonde/detail/namespace.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

SONDE_NAMESPACE_BEGIN

/// A set of probe numbers that only grows, kept as one bit each in pages of 4096: numbers that lie close
/// together, as those of a silent network do, cost one bit each, and a number that lies alone costs 560
/// bytes.
///
/// Numbers come out in ascending order:
///     for (auto i = set.next(0); i; i = set.next(*i + 1)) use(*i);
///
/// It is bounded: beyond its limit of pages it refuses new ones, and says so.
/// Errors: std::bad_alloc.
/// Cost: O(log pages) for each call.
class index_set {
public:
    static constexpr std::size_t page_bits = 4096;  ///< numbers to a page

    /// `pages` limits the memory: 560 bytes each, 18 MB by default, room for 134 million numbers in a row.
    explicit index_set(std::size_t pages = 32768) noexcept : limit_(pages) {}

    /// False when the number would need a page beyond the limit; it is then not in the set.
    bool insert(std::uint64_t number);
    /// Whether the number is in the set.
    bool contains(std::uint64_t number) const;
    /// The smallest number of the set that is at least `from`.
    std::optional<std::uint64_t> next(std::uint64_t from) const;

    /// Numbers in the set. O(1).
    /// @{
    std::uint64_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    /// @}

private:
    using page = std::array<std::uint64_t, page_bits / 64>;

    std::map<std::uint64_t, page> pages_;  // by number / page_bits
    std::uint64_t size_ = 0;
    std::size_t limit_;
};

SONDE_NAMESPACE_END
