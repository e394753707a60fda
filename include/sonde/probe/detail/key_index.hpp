#pragma once

#include <sonde/detail/namespace.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

SONDE_NAMESPACE_BEGIN
namespace detail {

/// From a hash to a slot number, in 4 bytes a cell: Robin Hood hashing with linear probing. A cell holds how
/// far it lies from its home (6 bits), 3 more bits of its hash, and the slot (23 bits). So a search looks
/// only at slots whose home and hash bits are the ones searched, of which 9 in 10 have the key, and removal
/// shifts back without reading a single key. The keys stay in the slots; whoever searches compares them.
///
/// Load is at most 3/4 and grows by two fifths, so an entry takes 5.3 to 7.5 bytes. Hashes must be spread
/// evenly, as those of keyed hashes are.
/// Cost: one cache miss, and one for the slot that is found. Growing costs 20 ns an entry, at once.
class key_index {
public:
    static constexpr std::uint32_t none = 0x7fffff;

    /// The slot for which same(slot) holds, or `none`.
    template <class Same>
    std::uint32_t find(std::uint32_t hash, Same&& same) const {
        if (cells_.empty()) return none;
        auto at = home(hash);
        for (auto wanted = mark_of(hash); cells_[at] >= (wanted & ~tag_mask); wanted += one_away) {
            if ((cells_[at] & ~slot_mask) == wanted && same(slot_of(cells_[at]))) return slot_of(cells_[at]);
            at = after(at);
        }
        return none;
    }

    /// Begins to load what a search for this hash will read.
    void prefetch(std::uint32_t hash) const noexcept { __builtin_prefetch(cells_.data() + home(hash)); }

    std::size_t size() const noexcept { return size_; }
    bool full() const noexcept { return size_ >= cells_.size() - cells_.size() / 4; }
    /// Whether it has become so empty that a smaller one would do.
    bool sparse() const noexcept { return cells_.size() > 1024 && size_ < cells_.size() / 8; }

    /// Empties the index and makes room for `entries` and two fifths as many more. Throws std::bad_alloc,
    /// then nothing has changed.
    void reset(std::size_t entries);

    /// Gives the memory of an empty index back, unless it is small.
    void shrink() noexcept;
    /// Empties it, and gives all of its memory back.
    void clear() noexcept;

    /// There must be room (not full), and no slot with this key. False when an entry would lie more than 61
    /// cells from home, which evenly spread hashes never do; the index has then lost an entry and must be
    /// built anew, larger.
    [[nodiscard]] bool insert(std::uint32_t hash, std::uint32_t slot);
    void replace(std::uint32_t hash, std::uint32_t slot, std::uint32_t by) noexcept;
    void erase(std::uint32_t hash, std::uint32_t slot) noexcept;

    std::size_t bytes() const noexcept { return cells_.capacity() * sizeof(cells_[0]); }

private:
    static constexpr std::uint32_t slot_mask = none;
    static constexpr std::uint32_t tag_mask = 7u << 23;
    static constexpr std::uint32_t one_away = 1u << 26;  // at home 1, at most 62; an empty cell is 0

    static std::uint32_t slot_of(std::uint32_t cell) { return cell & slot_mask; }
    static std::uint32_t away_of(std::uint32_t cell) { return cell / one_away; }
    /// What the cell of this hash holds above the slot, at home. The home is made of the high bits.
    static std::uint32_t mark_of(std::uint32_t hash) { return one_away | (hash << 23 & tag_mask); }
    std::size_t home(std::uint32_t hash) const { return std::uint64_t{hash} * cells_.size() >> 32; }
    std::size_t after(std::size_t at) const { return at + 1 == cells_.size() ? 0 : at + 1; }
    std::size_t cell_of(std::uint32_t hash, std::uint32_t slot) const noexcept;

    std::vector<std::uint32_t> cells_;
    std::size_t size_ = 0;
};

}  // namespace detail
SONDE_NAMESPACE_END
