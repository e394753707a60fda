#include "net/prefix_table.hpp"

#include "support/catch.hpp"

#include <random>

using namespace sonde;
using namespace sonde::detail;

namespace {

route_entry entry(ip_address const& prefix, unsigned length, std::uint32_t metric = 0, int interface = 1) {
    route_entry e;
    e.prefix = prefix;
    e.prefix_length = static_cast<std::uint8_t>(length);
    e.metric = metric;
    e.interface = interface;
    return e;
}

struct visited {
    unsigned length;
    std::vector<int> interfaces;
    friend bool operator==(visited const&, visited const&) = default;
};

std::vector<visited> all_of(prefix_table const& table, ip_address const& address) {
    std::vector<visited> found;
    table.visit(address, [&](std::span<route_entry const> same, unsigned length) {
        found.push_back({length, {}});
        for (auto const& e : same) found.back().interfaces.push_back(e.interface);
        return false;
    });
    return found;
}

bool contains(route_entry const& e, ip_address const& a) {
    for (unsigned bit = 0; bit < e.prefix_length; ++bit) {
        if (a.is_v4()) {
            if ((a.v4().value ^ e.prefix.v4().value) >> (31 - bit) & 1) return false;
        } else if ((a.v6().octets[bit / 8] ^ e.prefix.v6().octets[bit / 8]) >> (7 - bit % 8) & 1) {
            return false;
        }
    }
    return true;
}

}  // namespace

TEST_CASE("prefixes are visited from the longest to the default route", "[net][routes]") {
    prefix_table table({entry(ipv4("0.0.0.0"), 0, 0, 1), entry(ipv4("10.0.0.0"), 8, 0, 2),
                        entry(ipv4("10.1.0.0"), 16, 0, 3), entry(ipv4("10.1.2.0"), 24, 0, 4),
                        entry(ipv4("10.1.2.3"), 32, 0, 5)});
    CHECK(all_of(table, ipv4("10.1.2.3")) ==
          std::vector<visited>{{32, {5}}, {24, {4}}, {16, {3}}, {8, {2}}, {0, {1}}});
    CHECK(all_of(table, ipv4("10.1.3.3")) == std::vector<visited>{{16, {3}}, {8, {2}}, {0, {1}}});
    CHECK(all_of(table, ipv4("11.0.0.0")) == std::vector<visited>{{0, {1}}});
}

TEST_CASE("a visitor that is content ends the visit", "[net][routes]") {
    prefix_table table({entry(ipv4("0.0.0.0"), 0), entry(ipv4("10.0.0.0"), 8)});
    int calls = 0;
    table.visit(ipv4("10.1.1.1"), [&](auto, unsigned) { return ++calls == 1; });
    CHECK(calls == 1);
}

TEST_CASE("entries of one prefix stand by metric, and as they came where that is equal", "[net][routes]") {
    prefix_table table({entry(ipv4("10.0.0.0"), 8, 20, 1), entry(ipv4("10.0.0.0"), 8, 5, 2),
                        entry(ipv4("10.0.0.0"), 8, 20, 3), entry(ipv4("10.0.0.0"), 8, 5, 4)});
    CHECK(all_of(table, ipv4("10.9.9.9")) == std::vector<visited>{{8, {2, 4, 1, 3}}});
}

TEST_CASE("IPv6 prefixes are told apart on both sides of bit 64", "[net][routes]") {
    prefix_table table({entry(ipv6("2001:db8::"), 32, 0, 1), entry(ipv6("2001:db8:0:1::"), 64, 0, 2),
                        entry(ipv6("2001:db8:0:1::100"), 120, 0, 3),
                        entry(ipv6("2001:db8:0:1::1"), 128, 0, 4)});
    CHECK(all_of(table, ipv6("2001:db8:0:1::1")) == std::vector<visited>{{128, {4}}, {64, {2}}, {32, {1}}});
    CHECK(all_of(table, ipv6("2001:db8:0:1::1ff")) == std::vector<visited>{{120, {3}}, {64, {2}}, {32, {1}}});
    CHECK(all_of(table, ipv6("2001:db8:0:2::")) == std::vector<visited>{{32, {1}}});
    CHECK(all_of(table, ipv6("2001:db9::")).empty());
}

TEST_CASE("host bits in a prefix do not matter", "[net][routes]") {
    prefix_table table({entry(ipv4("10.1.2.3"), 8, 0, 1)});
    CHECK(all_of(table, ipv4("10.200.0.1")) == std::vector<visited>{{8, {1}}});
}

TEST_CASE("an empty table visits nothing", "[net][routes]") {
    CHECK(all_of(prefix_table(), ipv4("10.0.0.1")).empty());
    CHECK(prefix_table().empty());
}

TEST_CASE("random tables give what a search through all entries gives", "[net][routes]") {
    std::mt19937 generator(3);
    auto random = [&] { return static_cast<std::uint32_t>(generator()); };
    for (int round = 0; round < 60; ++round) {
        bool v6 = round % 2;
        auto address = [&]() -> ip_address {  // dense, so that prefixes nest
            if (!v6) return ipv4(0x0a000000 | (random() & 0xff0f0f));
            return ipv6::from_halves(0x20010db800000000 | (random() & 0x0f0f), random() & 0xf0f);
        };
        std::vector<route_entry> entries;
        for (int i = 0; i < 200; ++i)
            entries.push_back(entry(address(), random() % (v6 ? 129U : 33U), random() % 3, i));
        prefix_table table(entries);
        for (int i = 0; i < 100; ++i) {
            auto to = address();
            std::vector<std::pair<unsigned, std::size_t>> expected;  // length, how many
            for (unsigned length = 129; length-- > 0;) {
                std::size_t count = 0;
                for (auto const& e : entries) count += e.prefix_length == length && contains(e, to);
                if (count) expected.emplace_back(length, count);
            }
            std::vector<std::pair<unsigned, std::size_t>> found;
            bool right = true;
            table.visit(to, [&](std::span<route_entry const> same, unsigned length) {
                found.emplace_back(length, same.size());
                for (std::size_t k = 0; k < same.size(); ++k)
                    right =
                        right && contains(same[k], to) && (k == 0 || same[k - 1].metric <= same[k].metric);
                return false;
            });
            REQUIRE(right);
            REQUIRE(found == expected);
        }
    }
}
