#include <sonde/probe/detail/key_index.hpp>

#include <algorithm>
#include <utility>

namespace sonde::inline v0::detail {

void key_index::reset(std::size_t entries) {
    // 3/4 of it holds the entries and two fifths as many more.
    std::vector<std::uint32_t> cells(std::max<std::size_t>(64, entries * 28 / 15));
    cells_ = std::move(cells);
    size_ = 0;
}

void key_index::shrink() noexcept {
    if (size_ == 0 && cells_.size() > 4096)
        cells_ = std::vector<std::uint32_t>();  // `= {}` would keep the capacity
}

void key_index::clear() noexcept {
    cells_ = std::vector<std::uint32_t>();
    size_ = 0;
}

bool key_index::insert(std::uint32_t hash, std::uint32_t slot) {
    auto at = home(hash);
    auto cell = mark_of(hash) | slot;
    while (away_of(cells_[at]) != 0) {
        if (away_of(cells_[at]) < away_of(cell)) std::swap(cells_[at], cell);
        if (away_of(cell) == 62) return false;
        cell += one_away;
        at = after(at);
    }
    cells_[at] = cell;
    ++size_;
    return true;
}

void key_index::replace(std::uint32_t hash, std::uint32_t slot, std::uint32_t by) noexcept {
    auto& cell = cells_[cell_of(hash, slot)];
    cell = (cell & ~slot_mask) | by;
}

void key_index::erase(std::uint32_t hash, std::uint32_t slot) noexcept {
    auto hole = cell_of(hash, slot);
    for (auto at = after(hole); away_of(cells_[at]) > 1; at = after(at)) {
        cells_[hole] = cells_[at] - one_away;
        hole = at;
    }
    cells_[hole] = 0;
    --size_;
}

std::size_t key_index::cell_of(std::uint32_t hash, std::uint32_t slot) const noexcept {
    auto at = home(hash);
    while (slot_of(cells_[at]) != slot || away_of(cells_[at]) == 0) at = after(at);
    return at;
}

}  // namespace sonde::inline v0::detail
