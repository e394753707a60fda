#pragma once

#include <sonde/probe/detail/attempt_slab.hpp>
#include <sonde/probe/time.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

SONDE_NAMESPACE_BEGIN
namespace detail {

/// Slots in the order of their deadlines. Slots that wait equally long come due in the order in which they
/// began to wait, so each span has a queue of its own, linked through the slots, and a heap holds the queues
/// by their first deadline. With one timeout, the usual case, every step is a list operation.
///
/// A queue lives as long as somebody has acquired it, and must be empty when the last one releases it.
/// Cost: O(1) to push and to remove in the middle, O(log queues) when a queue's first slot changes; 32 bytes
/// a queue.
class deadline_queues {
public:
    using queue_id = std::uint32_t;

    explicit deadline_queues(attempt_slab& slots) noexcept : slots_(slots) {}

    /// The queue of those who wait for `span`. Throws std::bad_alloc, then nothing has changed.
    queue_id acquire(steady_duration span);
    void release(queue_id queue) noexcept;

    /// Appends a slot that begins to wait at `now`; its deadline is `later(now, span)`, or that of the slot
    /// before it where that is later still (time that runs backwards never makes a deadline early).
    void push(queue_id queue, std::uint32_t slot, steady_time now) noexcept;
    void remove(std::uint32_t slot) noexcept;
    /// Forgets all slots, without looking at them.
    void clear() noexcept {
        for (auto q : heap_) queues_[q].first = queues_[q].last = no_slot, queues_[q].place = not_in_heap;
        heap_.clear();
    }

    /// The slot with the earliest deadline, or `no_slot`.
    std::uint32_t front() const noexcept { return heap_.empty() ? no_slot : queues_[heap_[0]].first; }

    /// Calls f(slot) for every slot, queue by queue, oldest first; f may remove the slot that it was given.
    template <class F>
    void each(F&& f) {
        for (std::size_t q = 0; q < queues_.size(); ++q) {
            auto slot = queues_[q].first;
            while (slot != no_slot) {
                auto next = slots_[slot].next;
                f(slot);
                slot = next & end_mark ? no_slot : next;
            }
        }
    }

    std::size_t bytes() const noexcept;

private:
    // The outward link of a queue's first and last slot is the queue's number with this bit.
    static constexpr std::uint32_t end_mark = 0x80000000;
    static constexpr std::uint32_t not_in_heap = 0xffffffff;

    struct fifo {
        steady_duration span;
        std::int64_t deadline;  // of the first slot
        std::uint32_t first = no_slot, last = no_slot;
        std::uint32_t users = 0;
        std::uint32_t place = not_in_heap;
    };

    void add_queue();
    void first_changed(queue_id id) noexcept;
    bool before(queue_id a, queue_id b) const { return queues_[a].deadline < queues_[b].deadline; }
    void put(std::size_t place, queue_id id) noexcept;
    void sift(std::size_t place) noexcept;

    attempt_slab& slots_;
    std::vector<fifo> queues_;
    std::vector<queue_id> free_;
    std::vector<queue_id> heap_;  // of the queues that hold a slot, the earliest first deadline on top
    boost::unordered_flat_map<std::int64_t, queue_id> by_span_;
};

}  // namespace detail
SONDE_NAMESPACE_END
