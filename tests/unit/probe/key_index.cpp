#include <sonde/probe/detail/key_index.hpp>

#include "support/catch.hpp"

#include <map>
#include <random>
#include <vector>

using sonde::detail::key_index;

namespace {

/// Hash to slot, with every hash its own key.
std::uint32_t find(key_index const& index, std::vector<std::uint32_t> const& hash_of, std::uint32_t hash) {
    return index.find(hash, [&](std::uint32_t slot) { return hash_of[slot] == hash; });
}

}  // namespace

TEST_CASE("The key index does what a map does, through storms of insertion and removal") {
    std::mt19937 random(42);
    key_index index;
    index.reset(3000);
    std::map<std::uint32_t, std::uint32_t> model;  // hash to slot
    std::vector<std::uint32_t> hash_of(3000), free, hashes;
    for (std::uint32_t s = 0; s < 3000; ++s) free.push_back(s);

    for (int step = 0; step < 300'000; ++step) {
        bool grow = step / 30'000 % 2 == 0 ? random() % 3 != 0 : random() % 3 == 0;
        if (grow && !free.empty()) {
            // Some crowd at the end, so that they wrap round.
            auto hash = static_cast<std::uint32_t>(random());
            if (random() % 200 == 0) hash |= 0xff800000;
            if (model.contains(hash)) continue;
            if (index.full()) continue;
            hash_of[free.back()] = hash;
            REQUIRE(index.insert(hash, free.back()));
            model[hash] = free.back();
            free.pop_back();
            hashes.push_back(hash);
        } else if (!model.empty()) {
            std::swap(hashes[random() % hashes.size()], hashes.back());
            auto at = model.find(hashes.back());
            hashes.pop_back();
            REQUIRE(find(index, hash_of, at->first) == at->second);
            index.erase(at->first, at->second);
            free.push_back(at->second);
            REQUIRE(find(index, hash_of, at->first) == key_index::none);
            model.erase(at);
        }
        REQUIRE(index.size() == model.size());
        if (step % 10'000 == 0) {
            for (auto [hash, slot] : model) REQUIRE(find(index, hash_of, hash) == slot);
        }
    }
}

TEST_CASE("Slot numbers up to 23 bits survive, and an entry can be pointed elsewhere") {
    key_index index;
    CHECK(index.find(7, [](auto) { return true; }) == key_index::none);  // before it has any room
    index.reset(10);
    REQUIRE(index.insert(7, 0x7ffffe));
    REQUIRE(index.insert(7, 0));
    CHECK(index.find(7, [](auto s) { return s == 0x7ffffe; }) == 0x7ffffe);
    index.replace(7, 0x7ffffe, 5);
    CHECK(index.find(7, [](auto s) { return s != 0; }) == 5);
    index.erase(7, 5);
    CHECK(index.find(7, [](auto s) { return s != 0; }) == key_index::none);
    CHECK(index.find(7, [](auto s) { return s == 0; }) == 0);
}

TEST_CASE("Hashes that fall together are refused before they are lost") {
    key_index index;
    index.reset(2000);
    std::uint32_t n = 0;
    while (n < 300 && index.insert(1234, n)) ++n;
    CHECK(n == 62);
}
