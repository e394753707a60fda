#include <sonde/probe/detail/deadline_queues.hpp>

#include <algorithm>

namespace sonde::inline v0::detail {

deadline_queues::queue_id deadline_queues::acquire(steady_duration span) {
    auto [at, is_new] = by_span_.try_emplace(span.count(), 0);
    if (is_new) {
        try {
            if (free_.empty()) add_queue();
        } catch (...) {
            by_span_.erase(at);
            throw;
        }
        at->second = free_.back();
        free_.pop_back();
        queues_[at->second] = fifo{.span = span, .deadline = 0};
    }
    ++queues_[at->second].users;
    return at->second;
}

// With room for it in every list, so that pushing and releasing need no memory.
void deadline_queues::add_queue() {
    if (queues_.size() == queues_.capacity()) queues_.reserve(std::max<std::size_t>(4, 2 * queues_.size()));
    heap_.reserve(queues_.capacity());
    free_.reserve(queues_.capacity());
    free_.push_back(static_cast<queue_id>(queues_.size()));
    queues_.emplace_back();
}

void deadline_queues::release(queue_id id) noexcept {
    auto& queue = queues_[id];
    if (--queue.users > 0) return;
    by_span_.erase(queue.span.count());
    free_.push_back(id);
}

void deadline_queues::push(queue_id id, std::uint32_t s, steady_time now) noexcept {
    auto& queue = queues_[id];
    auto& slot = slots_[s];
    slot.deadline = later(now, queue.span).time_since_epoch().count();
    slot.next = end_mark | id;
    if (queue.last == no_slot) {
        slot.previous = end_mark | id;
        queue.first = queue.last = s;
        first_changed(id);
    } else {
        slot.deadline = std::max(slot.deadline, slots_[queue.last].deadline);
        slot.previous = queue.last;
        slots_[queue.last].next = s;
        queue.last = s;
    }
}

void deadline_queues::remove(std::uint32_t s) noexcept {
    auto const& slot = slots_[s];
    if (slot.next & end_mark) {
        auto& queue = queues_[slot.next & ~end_mark];
        queue.last = slot.previous & end_mark ? no_slot : slot.previous;
    } else {
        slots_[slot.next].previous = slot.previous;
    }
    if (slot.previous & end_mark) {
        auto id = slot.previous & ~end_mark;
        queues_[id].first = slot.next & end_mark ? no_slot : slot.next;
        first_changed(id);
    } else {
        slots_[slot.previous].next = slot.next;
    }
}

void deadline_queues::first_changed(queue_id id) noexcept {
    auto& queue = queues_[id];
    if (queue.first != no_slot) {
        queue.deadline = slots_[queue.first].deadline;
        if (queue.place == not_in_heap) {
            heap_.push_back(id);
            queue.place = static_cast<std::uint32_t>(heap_.size() - 1);
        }
        sift(queue.place);
    } else {
        auto hole = queue.place;
        auto last = heap_.back();
        heap_.pop_back();
        queue.place = not_in_heap;
        if (last != id) {
            put(hole, last);
            sift(hole);
        }
    }
}

void deadline_queues::put(std::size_t place, queue_id id) noexcept {
    heap_[place] = id;
    queues_[id].place = static_cast<std::uint32_t>(place);
}

void deadline_queues::sift(std::size_t place) noexcept {
    auto id = heap_[place];
    while (place > 0 && before(id, heap_[(place - 1) / 2])) {
        put(place, heap_[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (;;) {
        auto child = 2 * place + 1;
        if (child >= heap_.size()) break;
        if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
        if (!before(heap_[child], id)) break;
        put(place, heap_[child]);
        place = child;
    }
    put(place, id);
}

std::size_t deadline_queues::bytes() const noexcept {
    return queues_.capacity() * sizeof(fifo) + (free_.capacity() + heap_.capacity()) * sizeof(queue_id) +
           by_span_.bucket_count() * (sizeof(std::int64_t) * 2 + 1);
}

}  // namespace sonde::inline v0::detail
