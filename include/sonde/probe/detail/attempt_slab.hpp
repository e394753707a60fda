#pragma once

#include <sonde/detail/namespace.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// Where an attempt stands. The first two are due at their deadline; the others rest.
enum class attempt_state : std::uint8_t {
    none,        ///< a free slot
    in_flight,   ///< waits for its answer
    collecting,  ///< has an answer, waits for more until its deadline (`multi`)
    answered,    ///< rests: further answers are duplicates
    timed_out,   ///< rests: answers are late
};

namespace detail {

inline constexpr std::uint32_t no_slot = 0x7fffff;  // slot numbers have 23 bits

/// One attempt, in 56 bytes. Of its key 96 bits are kept: with a million attempts in flight a stranger's
/// packet meets one of them with a chance of 2^-76, and then still has to pass the comparison field by field.
struct attempt_slot {
    std::uint64_t key_low;
    std::uint32_t key_high;
    std::uint32_t draw;            // see identity_source
    std::uint64_t index_attempt;   // 48 bits of index, 16 of attempt
    std::int64_t sent;             // ns since 1970
    std::int64_t deadline;         // ns of the monotonic clock: when it times out, or when its rest ends
    std::uint32_t previous, next;  // neighbours in its deadline queue; see deadline_queues
    std::uint32_t owner;
    std::uint32_t same_state;  // next slot with this key (a ring), indexed (1 bit), attempt_state (7 bits)

    std::uint64_t index() const { return index_attempt >> 16; }
    std::uint16_t attempt() const { return static_cast<std::uint16_t>(index_attempt); }

    attempt_state state() const { return static_cast<attempt_state>(same_state & 0x7f); }
    void set_state(attempt_state s) { same_state = (same_state & ~0x7fu) | static_cast<std::uint32_t>(s); }
    bool due() const { return state() == attempt_state::in_flight || state() == attempt_state::collecting; }

    /// Whether the key index points here: at the newest of its key's ring.
    bool indexed() const { return same_state & 0x80; }
    void set_indexed(bool on) { same_state = (same_state & ~0x80u) | (on ? 0x80u : 0u); }
    std::uint32_t same() const { return same_state >> 8; }
    void set_same(std::uint32_t slot) { same_state = (same_state & 0xffu) | slot << 8; }
};
static_assert(sizeof(attempt_slot) == 56);

/// The slots of a table, in chunks of 4096 that never move. Low chunks are filled first, so that after a peak
/// the high ones run empty and go back to the allocator.
class attempt_slab {
public:
    attempt_slot& operator[](std::uint32_t slot) {
        return chunks_[slot / per_chunk]->slots[slot % per_chunk];
    }
    attempt_slot const& operator[](std::uint32_t slot) const {
        return chunks_[slot / per_chunk]->slots[slot % per_chunk];
    }

    /// An uninitialised slot, its state `none`. Throws std::bad_alloc, then nothing has changed.
    std::uint32_t allocate();
    void release(std::uint32_t slot) noexcept;
    /// Releases all of them, and their memory.
    void clear() noexcept {
        chunks_.clear(), room_.clear();
        empty_chunks_ = 0;
    }

    /// Calls f(number, slot) for each slot that was allocated and not released, in ascending order.
    template <class F>
    void each(F&& f) {
        for (std::uint32_t c = 0; c < chunks_.size(); ++c) {
            if (!chunks_[c]) continue;
            for (std::uint32_t i = 0; i < chunks_[c]->fresh; ++i) {
                auto& slot = chunks_[c]->slots[i];
                if (slot.state() != attempt_state::none) f(c * per_chunk + i, slot);
            }
        }
    }

    std::size_t bytes() const noexcept;

private:
    static constexpr std::uint32_t per_chunk = 4096;

    struct block {
        std::uint32_t used = 0;
        std::uint32_t fresh = 0;  // slots from here on were never used: their pages are not yet touched
        std::uint32_t free = per_chunk;  // the first of the released slots, linked through `next`
        attempt_slot slots[per_chunk];
    };

    std::uint32_t chunk_with_room();
    void set_room(std::uint32_t chunk, bool room) noexcept;

    std::vector<std::unique_ptr<block>> chunks_;
    std::vector<std::uint64_t> room_;  // one bit for each chunk that can take another slot
    std::uint32_t empty_chunks_ = 0;
};

}  // namespace detail
SONDE_NAMESPACE_END
