#include <sonde/probe/detail/attempt_slab.hpp>

#include <bit>

namespace sonde::inline v0::detail {

std::uint32_t attempt_slab::allocate() {
    auto c = chunk_with_room();
    auto& chunk = *chunks_[c];
    std::uint32_t i = chunk.free;
    if (i != per_chunk) {
        chunk.free = chunk.slots[i].next;
    } else {
        i = chunk.fresh++;
    }
    if (chunk.used++ == 0) --empty_chunks_;
    if (chunk.used == per_chunk) set_room(c, false);
    chunk.slots[i].same_state = 0;
    return c * per_chunk + i;
}

void attempt_slab::release(std::uint32_t slot) noexcept {
    auto c = slot / per_chunk, i = slot % per_chunk;
    auto& chunk = *chunks_[c];
    chunk.slots[i].same_state = 0;
    chunk.slots[i].next = chunk.free;
    chunk.free = i;
    set_room(c, true);
    if (--chunk.used > 0) return;
    if (empty_chunks_ == 0) {  // one stays, so that a single probe that comes and goes allocates nothing
        ++empty_chunks_;
    } else {
        chunks_[c].reset();
        set_room(c, false);
    }
}

std::uint32_t attempt_slab::chunk_with_room() {
    for (std::size_t w = 0; w < room_.size(); ++w) {
        if (room_[w])
            return static_cast<std::uint32_t>(w * 64 + static_cast<unsigned>(std::countr_zero(room_[w])));
    }
    std::size_t c = 0;
    while (c < chunks_.size() && chunks_[c]) ++c;
    auto made = std::make_unique_for_overwrite<block>();
    if (c == chunks_.size()) chunks_.emplace_back();
    room_.resize((chunks_.size() + 63) / 64);
    chunks_[c] = std::move(made);
    ++empty_chunks_;
    set_room(static_cast<std::uint32_t>(c), true);
    return static_cast<std::uint32_t>(c);
}

void attempt_slab::set_room(std::uint32_t chunk, bool room) noexcept {
    auto bit = std::uint64_t{1} << chunk % 64;
    if (room) {
        room_[chunk / 64] |= bit;
    } else {
        room_[chunk / 64] &= ~bit;
    }
}

std::size_t attempt_slab::bytes() const noexcept {
    std::size_t sum = chunks_.capacity() * sizeof(chunks_[0]) + room_.capacity() * sizeof(room_[0]);
    for (auto const& c : chunks_) sum += c ? sizeof(block) : 0;
    return sum;
}

}  // namespace sonde::inline v0::detail
