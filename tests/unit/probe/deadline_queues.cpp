#include <sonde/probe/detail/deadline_queues.hpp>

#include "support/catch.hpp"

#include <random>
#include <set>
#include <vector>

using namespace sonde;
using namespace std::chrono_literals;

namespace {

steady_time deadline(detail::attempt_slab& slots, std::uint32_t s) {
    return steady_time(std::chrono::nanoseconds(slots[s].deadline));
}

std::uint32_t fresh(detail::attempt_slab& slots) {
    auto s = slots.allocate();
    slots[s].set_state(attempt_state::in_flight);
    return s;
}

}  // namespace

TEST_CASE("The earliest deadline comes first, with 10,000 different timeouts in use") {
    std::mt19937 random(7);
    detail::attempt_slab slots;
    detail::deadline_queues queues(slots);
    std::vector<std::uint32_t> queue;
    for (int i = 0; i < 10'000; ++i) queue.push_back(queues.acquire(1us * (1 + i)));
    std::set<std::pair<steady_time, std::uint32_t>> model;
    std::vector<std::uint32_t> all;
    steady_time now{};
    for (int step = 0; step < 60'000; ++step) {
        now += std::chrono::nanoseconds(random() % 200);
        if (random() % 8 < 5 || model.empty()) {
            auto s = fresh(slots);
            auto q = random() % 10'000;
            queues.push(queue[q], s, now);
            REQUIRE(deadline(slots, s) == now + 1us * (1 + static_cast<int>(q)));
            model.emplace(deadline(slots, s), s);
            all.push_back(s);
        } else if (random() % 2) {  // answered: from the middle
            auto at = random() % all.size();
            auto s = all[at];
            all[at] = all.back();
            all.pop_back();
            if (model.erase({deadline(slots, s), s})) {
                queues.remove(s);
                slots.release(s);
            }
        } else {  // expired
            auto s = queues.front();
            REQUIRE(deadline(slots, s) == model.begin()->first);
            REQUIRE(model.erase({deadline(slots, s), s}) == 1);
            queues.remove(s);
            all.erase(std::find(all.begin(), all.end(), s));
            slots.release(s);
        }
        auto front = queues.front();
        REQUIRE((front == detail::no_slot) == model.empty());
        if (!model.empty()) REQUIRE(deadline(slots, front) == model.begin()->first);
    }
    std::size_t walked = 0;
    queues.each([&](std::uint32_t s) {
        ++walked;
        queues.remove(s);
    });
    CHECK(walked == model.size());
    CHECK(queues.front() == detail::no_slot);
    for (auto q : queue) queues.release(q);
}

TEST_CASE("Equal spans share a queue, which goes with its last user") {
    detail::attempt_slab slots;
    detail::deadline_queues queues(slots);
    auto a = queues.acquire(1s);
    CHECK(queues.acquire(1s) == a);
    auto b = queues.acquire(2s);
    CHECK(b != a);
    queues.release(a);
    queues.release(a);
    CHECK(queues.acquire(3s) == a);  // used again
    CHECK(queues.acquire(2s) == b);
}

TEST_CASE("Time that runs backwards makes no deadline early, and the order stays") {
    detail::attempt_slab slots;
    detail::deadline_queues queues(slots);
    auto q = queues.acquire(1s);
    auto first = fresh(slots), second = fresh(slots);
    queues.push(q, first, steady_time(10s));
    queues.push(q, second, steady_time(5s));
    CHECK(queues.front() == first);
    CHECK(deadline(slots, second) == steady_time(11s));
}

TEST_CASE("Waiting for ever is waiting longest") {
    detail::attempt_slab slots;
    detail::deadline_queues queues(slots);
    auto forever = queues.acquire(no_timeout);
    auto s = fresh(slots), t = fresh(slots);
    queues.push(forever, s, steady_time(10s));
    CHECK(deadline(slots, queues.front()) == never);
    queues.push(queues.acquire(24h), t, steady_time(10s));
    CHECK(queues.front() == t);
}

TEST_CASE("Slots are handed out once, and the chunks of a peak are given back") {
    detail::attempt_slab slots;
    std::set<std::uint32_t> out;
    auto small = slots.bytes();
    for (int i = 0; i < 50'000; ++i) REQUIRE(out.insert(fresh(slots)).second);
    auto peak = slots.bytes();
    CHECK(peak > 50'000 * 56);
    std::size_t seen = 0;
    slots.each([&](std::uint32_t s, auto&) { seen += out.contains(s); });
    CHECK(seen == 50'000);
    for (auto s : out) slots.release(s);
    CHECK(slots.bytes() < 300'000);
    CHECK(slots.bytes() > small);  // one chunk stays
    out.clear();
    for (int i = 0; i < 50'000; ++i) REQUIRE(out.insert(fresh(slots)).second);
    CHECK(slots.bytes() <= peak);
}
