#include "packet/permutation.hpp"
#include "support/catch.hpp"

#include <sonde/layers/arp.hpp>
#include <sonde/layers/icmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/packet/packet_set.hpp>

#include <numeric>
#include <set>
#include <string>

using namespace sonde;

namespace {

std::vector<int> ttls(packet_set const& set) {
    std::vector<int> all;
    for (auto p : set) all.push_back(p.get<IP>().ttl);
    return all;
}
packet ten() {
    return IP{.dst = "198.18.0.1", .ttl = range(1, 10)};
}
std::string destinations(packet const& set) {
    std::string text;
    for (auto p : set) text += p.get<IP>().dst.value().to_string() + " ";
    return text;
}

}  // namespace

TEST_CASE("A shuffled set has each packet once, whatever its size and seed") {
    for (std::uint64_t size : {1u, 2u, 3u, 4u, 5u, 7u, 16u, 17u, 255u, 256u, 257u, 1000u, 65537u, 1000000u}) {
        for (std::uint64_t seed : {0ull, 1ull, 0xffffffffffffffffull}) {
            detail::permutation p(size, seed);
            std::vector<bool> seen(size);
            std::uint64_t distinct = 0;
            for (std::uint64_t i = 0; i < size; ++i) {
                auto to = p(i);
                REQUIRE(to < size);
                distinct += !seen[to];
                seen[to] = true;
            }
            CHECK(distinct == size);
        }
    }
}

TEST_CASE("The order of a shuffled set depends on the seed, is not the old one, and never changes") {
    auto in_order = ttls(ten());
    auto one = ttls(ten() | shuffled(1)), two = ttls(ten() | shuffled(2));
    CHECK(one != in_order);
    CHECK(one != two);
    CHECK(one == ttls(ten() | shuffled(1)));
    CHECK(std::set<int>(one.begin(), one.end()) == std::set<int>(in_order.begin(), in_order.end()));
    // Users resume scans by seed and position: these values are a promise.
    detail::permutation p(1000, 42);
    CHECK(std::vector<std::uint64_t>{p(0), p(1), p(2), p(999)} ==
          std::vector<std::uint64_t>{289, 494, 634, 160});
}

TEST_CASE("A shuffled scan spreads over its networks from the beginning") {
    auto set = IP{.dst = "198.18.0.0/16"} / ICMP{} | shuffled(7) | take(256);
    std::set<unsigned> third;
    for (auto p : set) third.insert(p.get<IP>().dst.value().value >> 8 & 255);
    CHECK(third.size() > 120);  // 256 draws of 256 hit 162 on average
}

TEST_CASE("Shards share a set without meeting and without leaving anything out") {
    for (std::uint64_t count : {1u, 2u, 3u, 7u, 10u, 11u}) {
        std::multiset<int> all;
        for (std::uint64_t i = 0; i < count; ++i) {
            auto part = ttls(ten() | shuffled(3) | shard(i, count));
            all.insert(part.begin(), part.end());
        }
        CHECK(all == std::multiset<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    }
    CHECK((ten() | shard(1, 4)).size() == 3);
    CHECK((ten() | shard(2, 4)).size() == 2);
    CHECK_THROWS_AS(shard(4, 4), error);
    CHECK_THROWS_AS(shard(0, 0), error);
}

TEST_CASE("Dropping what was done resumes a run where it stopped") {
    auto whole = ttls(ten() | shuffled(9));
    auto rest = ttls(ten() | shuffled(9) | drop(4));
    CHECK(rest == std::vector<int>(whole.begin() + 4, whole.end()));
    CHECK(ttls(ten() | drop(2) | take(3)) == std::vector<int>{3, 4, 5});
    CHECK((ten() | drop(11)).size() == 0);
    CHECK((ten() | take(0)).size() == 0);
    CHECK((ten() | take(99)).size() == 10);
}

TEST_CASE("Adaptors know the number that a packet had") {
    auto set = ten() | drop(2) | shard(1, 3);
    CHECK(set.base_index(0) == 3);
    CHECK(set.base_index(1) == 6);
    CHECK(set[1].get<IP>().ttl == 7);
    CHECK_THROWS_AS(set[set.size()], error);
}

TEST_CASE("Adaptors of a set of 2^40 packets cost as little as those of ten") {
    auto set = IP{.dst = "10.0.0.0/8"} / TCP{.dport = range(0, 65535)} | exclude("10.1.0.0/16", "10.0.0.7") |
               shuffled(1) | shard(2, 5);
    CHECK(set.size() == ((((1ull << 24) - 65536 - 1) * 65536) - 2 + 4) / 5);
    auto p = set[set.size() - 1];
    CHECK(p.get<IP>().dst.value().value >> 16 != 0x0a01);
}

TEST_CASE("Excluded networks leave holes in networks, ranges and lists") {
    packet net = IP{.dst = "10.0.0.0/29"};
    CHECK(destinations(net | exclude("10.0.0.2/31")) ==
          "10.0.0.0 10.0.0.1 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 ");
    CHECK(destinations(net | exclude("10.0.0.0", "10.0.0.7", "10.0.0.3")) ==
          "10.0.0.1 10.0.0.2 10.0.0.4 10.0.0.5 10.0.0.6 ");
    CHECK(destinations(net | exclude("10.0.0.4/30", "10.0.0.4/31")) ==
          "10.0.0.0 10.0.0.1 10.0.0.2 10.0.0.3 ");
    packet list = IP{.dst = {"10.0.0.1", "10.0.0.2", "10.0.0.3"}};
    CHECK(destinations(list | exclude("10.0.0.2")) == "10.0.0.1 10.0.0.3 ");
    packet nets = IP{.dst = {"10.0.0.4/31", "10.0.0.1", "10.0.0.8/31"}};
    CHECK(destinations(nets | exclude("10.0.0.4", "10.0.0.8/30")) == "10.0.0.5 10.0.0.1 ");
    packet steps = IP{.dst = range("10.0.0.0", "10.0.0.20", 5)};
    CHECK(destinations(steps | exclude("10.0.0.8/29")) == "10.0.0.0 10.0.0.5 10.0.0.20 ");
    CHECK(destinations(steps | exclude("10.0.0.1/32")) == destinations(steps));
    CHECK(destinations(net | exclude("192.168.0.0/16")) == destinations(net));
    packet tens = IP{.dst = range("10.0.0.0", "10.0.0.50", 10)};
    CHECK(destinations(tens | exclude("10.0.0.0", "10.0.0.5", "10.0.0.12")) ==
          "10.0.0.10 10.0.0.20 10.0.0.30 10.0.0.40 10.0.0.50 ");
    CHECK(destinations(IP{.dst = range("255.255.255.245", "255.255.255.255", 10)} |
                       exclude("255.255.255.244/30", "255.255.255.248/32")) == "255.255.255.255 ");
}

TEST_CASE("A set of which everything is excluded is empty, and its packets cannot be had") {
    packet net = IP{.dst = "10.0.0.0/29"} | exclude("10.0.0.0/8");
    CHECK(net.size() == 0);
    CHECK_THROWS_AS(net[0], error);
    packet one = IP{.dst = "10.0.0.1"} / ICMP{} | exclude("10.0.0.0/8");
    CHECK(one.size() == 0);
    CHECK((one | shuffled(1)).size() == 0);
}

TEST_CASE("A long list of exclusions is searched, not walked") {
    std::vector<std::string> all;
    for (int i = 0; i < 2000; ++i)
        all.push_back("10." + std::to_string(i / 100) + "." + std::to_string(i % 100 * 2) + ".128/25");
    packet net = IP{.dst = "10.0.0.0/8"} | exclude(all);
    CHECK(net.size() == (1u << 24) - 2000 * 128);
    std::uint64_t excluded = 0;
    for (std::uint64_t i = 0; i < net.size(); i += 4099) {
        auto a = net[i].get<IP>().dst.value().value;
        auto second = a >> 16 & 255, third = a >> 8 & 255;
        excluded += second < 20 && third < 200 && third % 2 == 0 && (a & 255) >= 128;
    }
    CHECK(excluded == 0);
    CHECK(net[net.size() - 1].get<IP>().dst == "10.255.255.255");
}

TEST_CASE("Exclusions hold for IPv6 and for what ARP asks, and leave other layers alone") {
    packet v6 = IPv6{.dst = "2001:db8::/125"} | exclude("2001:db8::4/126", "10.0.0.0/8");
    CHECK(v6.size() == 4);
    CHECK(v6[3].get<IPv6>().dst == "2001:db8::3");
    packet last = IPv6{.dst = range("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0",
                                    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 16)};
    CHECK((last | exclude("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0")).size() == 0);
    packet everything = IPv6{.dst = range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1ull << 63)};
    CHECK_THROWS_AS(everything.size(), error);
    packet arp = ARP{.pdst = "10.0.0.0/30"} | exclude("10.0.0.1");
    CHECK(arp.size() == 3);
    packet inner = IP{.dst = "10.0.0.1"} / IP{.dst = "10.0.0.0/30"} | exclude("10.0.0.2");
    CHECK(inner.size() == 4);
}

TEST_CASE("What cannot be excluded is refused with the reason") {
    CHECK_THROWS_AS(exclude("10.0.0.0/33"), error);
    CHECK_THROWS_AS(exclude("somewhere"), error);
    CHECK_THROWS_AS(exclude(""), error);
    CHECK_THROWS_AS(packet(IP{.dst = random_ip("10.0.0.0/8")}) | exclude("10.0.0.1"), error);
}
