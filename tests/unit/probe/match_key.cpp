#include <sonde/packet/match_key.hpp>

#include "support/catch.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <string>
#include <vector>

using namespace sonde;

namespace {

// Key 00 01 .. 0f, input 00 01 .. of this length: from vectors.h of the reference code
// (github.com/veorq/SipHash), and the same from OpenSSL's SIPHASH.
struct reference {
    std::size_t length;
    std::string narrow, wide;
};
std::vector<reference> const references = {
    {0, "310e0edd47db6f72", "a3817f04ba25a8e66df67214c7550293"},
    {1, "fd67dc93c539f874", "da87c1d86b99af44347659119b22fc45"},
    {2, "5a4fa9d909806c0d", "8177228da4a45dc7fca38bdef60affe4"},
    {3, "2d7efbd796666785", "9c70b60c5267a94e5f33b6b02985ed51"},
    {4, "b7877127e09427cf", "f88164c12d9c8faf7d0f6e7c7bcd5579"},
    {5, "8da699cd64557618", "1368875980776f8854527a07690e9627"},
    {6, "cee3fe586e46c9cb", "14eeca338b208613485ea0308fd7a15e"},
    {7, "37d1018bf50002ab", "a1f1ebbed8dbc153c0b84aa61ff08239"},
    {8, "6224939a79f5f593", "3b62a9ba6258f5610f83e264f31497b4"},
    {9, "b0e4a90bdf82009e", "264499060ad9baabc47f8b02bb6d71ed"},
    {10, "f3b9dd94c5bb5d7a", "00110dc378146956c95447d3f3d0fbba"},
    {11, "a7ad6b22462fb3f4", "0151c568386b6677a2b4dc6f81e5dc18"},
    {12, "fbe50e86bc8f1e75", "d626b266905ef35882634df68532c125"},
    {13, "903d84c02756ea14", "9869e247e9c08b10d029934fc4b952f7"},
    {14, "eef27a8e90ca23f7", "31fcefac66d7de9c7ec7485fe4494902"},
    {15, "e545be4961ca29a1", "5493e99933b0a8117e08ec0f97cfc3d9"},
    {16, "db9bc2577fcc2a3f", "6ee2a4ca67b054bbfd3315bf85230577"},
    {31, "42c341d8fa92d832", "2939b0183223fafc1723de4f52c43d35"},
    {63, "724506eb4c328a95", "5150d1772f50834a503e069a973fbd7c"},
};

constexpr secret_key reference_key{.low = 0x0706050403020100, .high = 0x0f0e0d0c0b0a0908};

std::string hex(std::uint64_t word) {
    std::string text;
    for (int i = 0; i < 8; ++i, word >>= 8) {
        text += "0123456789abcdef"[word >> 4 & 15];
        text += "0123456789abcdef"[word & 15];
    }
    return text;
}

std::vector<std::byte> counting(std::size_t n) {
    std::vector<std::byte> bytes(n);
    for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i);
    return bytes;
}

std::uint64_t word_at(std::vector<std::byte> const& bytes, std::size_t at) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < 8; ++i) word |= static_cast<std::uint64_t>(bytes[at + i]) << 8 * i;
    return word;
}

}  // namespace

TEST_CASE("SipHash-2-4 gives the reference code's 64 bits") {
    for (auto const& r : references) {
        detail::siphash<2, 4, false> hash(reference_key);
        hash.add(counting(r.length));
        hash.finish();
        CHECK(hex(hash.first()) == r.narrow);
    }
    CHECK(hex(detail::siphash_word(reference_key, 0x0706050403020100)) == references[8].narrow);
}

TEST_CASE("SipHash-2-4-128 gives the reference code's 128 bits") {
    for (auto const& r : references) {
        detail::siphash<2, 4, true> hash(reference_key);
        hash.add(counting(r.length));
        hash.finish();
        auto const first = hash.first();
        CHECK(hex(first) + hex(hash.second()) == r.wide);
    }
}

TEST_CASE("SipHash-1-3 gives Linux's hsiphash: the first 32 bits") {
    std::string const expected[] = {"dcc40f05", "93ca577d", "4dd4c74d"};
    for (std::size_t length = 0; length < std::size(expected); ++length) {
        detail::siphash<1, 3, false> hash(reference_key);
        hash.add(counting(length));
        hash.finish();
        CHECK(hex(hash.first()).starts_with(expected[length]));
    }
}

TEST_CASE("A match key is SipHash-1-3-128 of its input, in whatever pieces that comes") {
    for (auto const& r : references) {
        auto bytes = counting(r.length);
        std::span<std::byte const> all = bytes;
        detail::siphash<1, 3, true> hash(reference_key);
        hash.add(all);
        hash.finish();
        auto const first = hash.first();
        match_key const whole{.high = hash.second(), .low = first};
        for (std::size_t cut = 0; cut <= r.length; ++cut) {
            CHECK(key_mixer(reference_key).add(all.first(cut)).add(all.subspan(cut)).finish() == whole);
            if (cut + 8 > r.length) continue;
            auto word = word_at(bytes, cut);
            auto rest = all.subspan(cut + 8);
            CHECK(key_mixer(reference_key).add(all.first(cut)).add(word).add(rest).finish() == whole);
        }
    }
}

TEST_CASE("A key can be taken in between, and depends on the secret and on the order") {
    key_mixer mixer(reference_key);
    auto one = mixer.add(1).finish();
    auto two = mixer.add(2).finish();
    CHECK(one == key_mixer(reference_key).add(1).finish());
    CHECK(two == key_mixer(reference_key).add(1).add(2).finish());
    CHECK(two != key_mixer(reference_key).add(2).add(1).finish());
    CHECK(one != key_mixer(secret_key{.low = 1, .high = 2}).add(1).finish());
    static_assert(key_mixer(reference_key).add(7).finish() == key_mixer(reference_key).add(7).finish());
}

TEST_CASE("Match keys go into Boost's flat map without another mix") {
    static_assert(boost::unordered::hash_is_avalanching<match_key_hash>::value);
    boost::unordered_flat_map<match_key, int, match_key_hash> map;
    for (int i = 0; i < 1000; ++i)
        map[key_mixer(reference_key).add(static_cast<std::uint64_t>(i)).finish()] = i;
    CHECK(map.size() == 1000);
    CHECK(map.at(key_mixer(reference_key).add(500).finish()) == 500);
}
