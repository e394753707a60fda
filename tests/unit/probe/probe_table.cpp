#include "support/catch.hpp"
#include "unit/probe/support.hpp"

#include <vector>

using namespace sonde;
using namespace virtual_net;

namespace {

using owner_id = probe_table::owner_id;

std::uint32_t put(probe_table& table, owner_id owner, match_key const& key, std::uint64_t index,
                  steady_time now, std::uint16_t attempt = 1) {
    REQUIRE(!table.admit());
    return table.insert(owner, key, index, attempt, static_cast<std::uint32_t>(index + 100), now, stamp(now));
}

steady_time at(steady_duration d) {
    return steady_time(d);
}

}  // namespace

TEST_CASE("An attempt is found by its key, and by no other, with everything that was said of it") {
    probe_table table;
    auto owner = table.open(77, 1s, 2s);
    auto slot = put(table, owner, key_of(1, 5, 3), (std::uint64_t{1} << 48) - 1, at(10ms), 65535);
    auto found = table.find(key_of(1, 5, 3));
    REQUIRE(found);
    CHECK(found->user == 77);
    CHECK(found->index == (std::uint64_t{1} << 48) - 1);
    CHECK(found->attempt == 65535);
    CHECK(found->draw == 99);  // 2^48 - 1 + 100, cut to 32 bits
    CHECK(found->sent == stamp(at(10ms)));
    CHECK(found->state == attempt_state::in_flight);
    CHECK(found->slot == slot);
    CHECK(!table.find(key_of(1, 5, 4)));
    auto near = key_of(1, 5, 3);
    near.high ^= 1;
    CHECK(!table.find(near));
    CHECK(!table.find(key_of(1, 5, 3), [](attempt_info const&) { return false; }));
    table.cancel(owner);
}

TEST_CASE("Deadlines come in order, and not before their time") {
    probe_table table;
    auto slow = table.open(1, 500ms, 1s), fast = table.open(2, 100ms, 1s);
    put(table, slow, key_of(1, 0, 1), 0, at(0ms));
    put(table, fast, key_of(2, 0, 1), 0, at(50ms));
    put(table, fast, key_of(2, 1, 1), 1, at(450ms));
    CHECK(table.next_deadline() == at(150ms));
    CHECK(!table.expire(at(150ms) - 1ns));
    auto first = table.expire(at(150ms));
    REQUIRE(first);
    CHECK(first->user == 2);
    CHECK(first->index == 0);
    CHECK(first->state == attempt_state::timed_out);
    CHECK(first->slot == detail::no_slot);
    CHECK(!table.expire(at(150ms)));
    CHECK(table.next_deadline() == at(500ms));
    CHECK(table.expire(at(1s))->user == 1);
    CHECK(table.expire(at(1s))->index == 1);
    CHECK(!table.expire(at(1s)));
    CHECK(!table.next_deadline());
    CHECK(table.in_flight() == 0);
    CHECK(table.at_rest() == 3);
    table.close(slow);
    table.close(fast);
}

TEST_CASE("A finished attempt rests for its time, then its key is a stranger's") {
    probe_table table;
    auto owner = table.open(1, 100ms, 2s);
    auto a = put(table, owner, key_of(1, 0, 1), 0, at(0ms));
    put(table, owner, key_of(1, 1, 1), 1, at(0ms));
    table.settle(a, attempt_state::answered, at(20ms));
    CHECK(table.find(key_of(1, 0, 1))->state == attempt_state::answered);
    CHECK(table.expire(at(100ms))->index == 1);
    CHECK(table.find(key_of(1, 1, 1))->state == attempt_state::timed_out);
    CHECK(!table.next_deadline());  // resting needs no timer
    table.forget(at(2020ms) - 1ns);
    CHECK(table.at_rest() == 2);
    CHECK(!table.expire(at(2020ms)));  // forgets as it goes
    CHECK(!table.find(key_of(1, 0, 1)));
    CHECK(table.find(key_of(1, 1, 1)));
    table.forget(at(2100ms));
    CHECK(table.empty());
    table.close(owner);
}

TEST_CASE("Settling twice settles once") {
    probe_table table;
    auto owner = table.open(1, 100ms, 2s);
    auto a = put(table, owner, key_of(1, 0, 1), 0, at(0ms));
    table.settle(a, attempt_state::answered, at(1ms));
    table.settle(a, attempt_state::timed_out, at(2ms));
    CHECK(table.find(key_of(1, 0, 1))->state == attempt_state::answered);
    CHECK(table.in_flight() == 0);
    CHECK(table.at_rest() == 1);
    table.close(owner);
}

TEST_CASE("Of equal keys the oldest in flight is found first, and of those at rest the newest is kept") {
    probe_table table;
    auto owner = table.open(1, 1s, 2s);
    auto key = key_of(9, 9, 9);
    for (std::uint64_t i = 0; i < 5; ++i) put(table, owner, key, i, at(0ms));
    std::vector<std::uint64_t> order;
    CHECK(!table.find(key, [&](attempt_info const& a) {
        order.push_back(a.index);
        return false;
    }));
    CHECK(order == std::vector<std::uint64_t>{0, 1, 2, 3, 4});
    for (std::uint64_t i = 0; i < 5; ++i) {
        auto found = table.find(key);
        REQUIRE(found->index == i);
        table.settle(found->slot, attempt_state::answered, at(1ms));
    }
    CHECK(table.at_rest() == 1);
    CHECK(table.find(key)->index == 4);
    put(table, owner, key, 5, at(2ms));
    CHECK(table.find(key)->index == 5);  // what is in flight goes before what rests
    table.cancel(owner);
    CHECK(!table.find(key));
}

TEST_CASE("Equal keys can leave from the middle and from the end") {
    probe_table table;
    auto owner = table.open(1, 1s, 0s);
    auto key = key_of(9, 9, 9);
    std::vector<std::uint32_t> slot;
    for (std::uint64_t i = 0; i < 6; ++i) slot.push_back(put(table, owner, key, i, at(0ms)));
    for (std::size_t i : {5u, 2u, 0u, 3u}) {
        table.settle(slot[i], attempt_state::answered, at(1ms));
        table.forget(at(1ms));
    }
    std::vector<std::uint64_t> left;
    CHECK(!table.find(key, [&](attempt_info const& a) {
        left.push_back(a.index);
        return false;
    }));
    CHECK(left == std::vector<std::uint64_t>{1, 4});
    put(table, owner, key, 7, at(1ms));
    CHECK(table.find(key)->index == 1);
    table.cancel(owner);
    CHECK(table.empty());
}

TEST_CASE("A hundred thousand equal keys cost no more than as many different ones") {
    auto time_of = [](bool equal) {
        auto key = [&](std::uint64_t i) { return key_of(9, 9, equal ? 0 : i); };
        auto begin = std::chrono::steady_clock::now();
        probe_table table;
        auto owner = table.open(1, 1s, 2s);
        for (std::uint64_t i = 0; i < 100'000; ++i) put(table, owner, key(i), i, at(0ms));
        for (std::uint64_t i = 0; i < 50'000; ++i) {
            table.settle(table.find(key(i))->slot, attempt_state::answered, at(1ms));
        }
        for (std::uint64_t i = 0; i < 25'000; ++i) CHECK(table.expire(at(1s)));
        int offered = 0;
        CHECK(!table.find(key(80'000), [&](attempt_info const&) { return ++offered == 0; }));
        CHECK(offered == (equal ? 64 : 1));  // what fits none of them is not compared with all
        table.cancel(owner);
        CHECK(table.empty());
        return std::chrono::steady_clock::now() - begin;
    };
    auto different = time_of(false);
    CHECK(time_of(true) < 10 * different);  // quadratic, it would be a thousand times
}

TEST_CASE("The limit is errc::table_full, and each way out of the table makes room") {
    probe_table table(table_limits{.probes = 3});
    auto owner = table.open(1, 100ms, 2s), other = table.open(2, 1s, 2s);
    auto a = put(table, owner, key_of(1, 0, 1), 0, at(0ms));
    put(table, owner, key_of(1, 1, 1), 1, at(0ms));
    put(table, other, key_of(2, 0, 1), 0, at(0ms));
    CHECK(table.admit() == errc::table_full);
    SECTION("answered") {
        table.settle(a, attempt_state::answered, at(1ms));
    }
    SECTION("expired") {
        CHECK(table.expire(at(100ms)));
    }
    SECTION("cancelled") {
        table.cancel(std::exchange(other, table.open(3, 1s, 1s)));
    }
    SECTION("abandoned") {
        table.abandon(other);
    }
    CHECK(!table.admit());
    CHECK(table.admit() == errc::table_full);
    table.withdraw(1);
    CHECK(table.has_room());
    table.cancel(owner);
    table.cancel(other);
}

TEST_CASE("Rests give way, the one nearest its end first, and probes in flight do not") {
    probe_table table(table_limits{.probes = 10, .rests = 2});
    auto owner = table.open(1, 100ms, 2s);
    for (std::uint64_t i = 0; i < 4; ++i) put(table, owner, key_of(1, i, 1), i, at(0ms));
    table.settle(table.find(key_of(1, 2, 1))->slot, attempt_state::answered, at(1ms));
    table.settle(table.find(key_of(1, 0, 1))->slot, attempt_state::answered, at(2ms));
    table.settle(table.find(key_of(1, 1, 1))->slot, attempt_state::answered, at(3ms));
    CHECK(table.at_rest() == 2);
    CHECK(!table.find(key_of(1, 2, 1)));
    CHECK(table.find(key_of(1, 0, 1)));
    CHECK(table.find(key_of(1, 3, 1))->state == attempt_state::in_flight);
    table.cancel(owner);
}

TEST_CASE("With no room for rests nothing rests") {
    probe_table table(table_limits{.rests = 0});
    auto owner = table.open(1, 100ms, 2s), gone = table.open(2, 100ms, 2s);
    auto a = put(table, owner, key_of(1, 0, 1), 0, at(0ms));
    put(table, owner, key_of(1, 1, 1), 1, at(0ms));
    put(table, gone, key_of(2, 1, 1), 1, at(0ms));
    table.close(gone);
    table.settle(a, attempt_state::answered, at(1ms));
    CHECK(table.expire(at(100ms))->index == 1);
    CHECK(table.empty());
    table.close(owner);
}

TEST_CASE("An abandoned owner's attempts are due no more, and rest") {
    probe_table table;
    auto owner = table.open(1, 100ms, 2s), other = table.open(2, 500ms, 2s);
    put(table, owner, key_of(1, 0, 1), 0, at(0ms));
    auto b = put(table, owner, key_of(1, 1, 1), 1, at(0ms));
    put(table, other, key_of(2, 0, 1), 0, at(0ms));
    table.collect(b);
    table.abandon(owner);
    CHECK(table.in_flight() == 1);
    CHECK(table.at_rest() == 2);
    CHECK(table.find(key_of(1, 0, 1))->state == attempt_state::timed_out);
    CHECK(table.find(key_of(1, 1, 1))->state == attempt_state::answered);
    CHECK(table.find(key_of(1, 0, 1))->user == 1);
    table.close(owner);
    CHECK(table.find(key_of(1, 0, 1))->user == 0);
    CHECK(table.next_deadline() == at(500ms));
    CHECK(table.at_rest() == 2);
    CHECK(table.find(key_of(1, 0, 1))->state == attempt_state::timed_out);  // and now in a rest queue
    CHECK(table.expire(at(500ms))->user == 2);
    table.forget(at(3s));
    CHECK(table.empty());
    table.close(other);
}

TEST_CASE("Cancelling one owner among many frees its slots at the latest when they would have been due") {
    probe_table table;
    std::vector<owner_id> owners;
    for (std::uintptr_t i = 1; i <= 100; ++i) {
        owners.push_back(table.open(i, 1s, 2s));
        put(table, owners.back(), key_of(i, 0, 1), 0, at(0ms));
        put(table, owners.back(), key_of(i, 1, 1), 1, at(1ms));
        table.settle(table.find(key_of(i, 0, 1))->slot, attempt_state::answered, at(1ms));
    }
    for (std::size_t i = 0; i < 100; i += 3) table.cancel(owners[i]);
    CHECK(table.in_flight() == 66);
    CHECK(table.at_rest() == 66);
    for (std::uintptr_t i = 1; i <= 100; ++i) CHECK(table.find(key_of(i, 1, 1)).has_value() == (i % 3 != 1));
    std::size_t expired = 0;
    while (auto a = table.expire(at(2s))) {
        CHECK(a->user % 3 != 1);
        ++expired;
    }
    CHECK(expired == 66);
    for (std::size_t i = 0; i < 100; ++i) {
        if (i % 3) table.close(owners[i]);
    }
    table.forget(at(10s));
    CHECK(table.empty());
    // Every owner has gone for good: their numbers are given out again.
    CHECK(static_cast<std::uint32_t>(table.open(1, 1s, 1s)) < 101);
}

TEST_CASE("A table that empties gives its memory back, and one that falls idle can") {
    probe_table table(table_limits{.rests = 100'000});
    auto owner = table.open(1, 100ms, 2s);
    for (std::uint64_t i = 0; i < 100'000; ++i) put(table, owner, key_of(1, i, 1), i, at(0ms));
    CHECK(table.bytes() > 6'000'000);
    while (table.expire(at(100ms))) {
    }
    CHECK(table.at_rest() == 100'000);
    SECTION("its rests end") {
        table.forget(at(3s));
    }
    SECTION("its rests are dropped") {
        table.forget_all();
    }
    CHECK(table.empty());
    CHECK(table.bytes() < 300'000);
    CHECK(!table.find(key_of(1, 5, 1)));
    put(table, owner, key_of(1, 5, 1), 5, at(4s));
    CHECK(table.find(key_of(1, 5, 1)));
    CHECK(table.expire(at(5s)));
    CHECK(table.at_rest() == 1);
    table.close(owner);
}

TEST_CASE("Owners that have closed go with the rests that are dropped, many at once") {
    probe_table table(table_limits{.rests = 100'000});
    auto closed = table.open(1, 100ms, 2s), cancelled = table.open(2, 100ms, 2s);
    for (std::uint64_t i = 0; i < 10'000; ++i) {
        put(table, closed, key_of(1, i, 1), i, at(0ms));
        put(table, cancelled, key_of(2, i, 1), i, at(0ms));
    }
    while (table.expire(at(100ms))) {
    }
    table.close(closed), table.cancel(cancelled);
    table.forget_all();
    CHECK(table.empty());
    CHECK(table.bytes() < 300'000);
    auto first = table.open(3, 100ms, 2s), second = table.open(4, 100ms, 2s);
    CHECK(std::max(first, second) == std::max(closed, cancelled));
    table.close(first), table.close(second);
}

TEST_CASE("Dropping the rests leaves what is in flight") {
    probe_table table;
    auto owner = table.open(1, 100ms, 2s), left = table.open(2, 100ms, 2s), gone = table.open(3, 100ms, 2s);
    auto a = put(table, owner, key_of(1, 0, 1), 0, at(0ms));
    put(table, owner, key_of(1, 1, 1), 1, at(0ms));
    put(table, left, key_of(2, 0, 1), 0, at(0ms));
    put(table, gone, key_of(3, 0, 1), 0, at(0ms));
    table.settle(a, attempt_state::answered, at(1ms));
    table.close(left);
    table.cancel(gone);
    table.forget_all();
    CHECK(table.at_rest() == 0);
    CHECK(table.in_flight() == 1);
    CHECK(table.find(key_of(1, 1, 1)));
    CHECK(!table.find(key_of(2, 0, 1)));
    table.cancel(owner);
}

TEST_CASE("A twin is an earlier attempt at the same probe with the same key") {
    probe_table table;
    auto owner = table.open(1, 100ms, 2s), other = table.open(2, 100ms, 2s);
    auto key = key_of(1, 0, 0);
    put(table, owner, key, 7, at(0ms), 1);
    CHECK(table.expire(at(100ms)));
    auto second = put(table, owner, key, 7, at(100ms), 2);
    auto another = put(table, owner, key, 8, at(100ms), 2),
         stranger = put(table, other, key, 7, at(100ms), 2);
    REQUIRE(table.twin(second));
    CHECK(table.twin(second)->attempt == 1);
    CHECK(!table.twin(another));
    CHECK(!table.twin(stranger));
    table.cancel(owner);
    table.cancel(other);
}

TEST_CASE("A thousand owners with a thousand timeouts each get their own") {
    probe_table table;
    std::vector<owner_id> owners;
    for (std::uintptr_t i = 1; i <= 1000; ++i) {
        owners.push_back(table.open(i, 1ms * (1001 - i), 1s));
        put(table, owners.back(), key_of(i, 0, 1), 0, at(0ms));
    }
    for (std::uintptr_t i = 1000; i >= 1; --i) {
        REQUIRE(table.next_deadline() == at(1ms * (1001 - i)));
        REQUIRE(table.expire(at(1ms * (1001 - i)))->user == i);
    }
    for (auto owner : owners) table.close(owner);
}
