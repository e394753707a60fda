#include "support/catch.hpp"

#include <sonde/layers/ether.hpp>
#include <sonde/layers/icmpv6_nd.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/raw.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

#include <array>
#include <cctype>
#include <functional>
#include <set>
#include <string>

using namespace sonde;

namespace {

constexpr unsigned boxes = 16, draws = 4096;

/// Pearson's statistic over 16 boxes; 0.999 of all uniform samples stay below 37.7.
double chi_square(packet const& set, std::function<unsigned(packet const&)> const& box) {
    random_source random(42);
    std::array<double, boxes> counts{};
    for (unsigned i = 0; i < draws; ++i) {
        auto b = box(set.at(0, random));
        if (b >= boxes) FAIL("a value out of its range: box " << b);
        counts[b] += 1;
    }
    double sum = 0, expected = double(draws) / boxes;
    for (auto n : counts) sum += (n - expected) * (n - expected) / expected;
    return sum;
}
constexpr double limit = 37.7;

unsigned char first_octet(packet const& p) {
    return static_cast<unsigned char>(p.get<Raw>().load.value().value[0]);
}

}  // namespace

TEST_CASE("Each random function stays in its range and favours no part of it") {
    CHECK(chi_square(IP{.ttl = random_byte()}, [](auto& p) { return p.template get<IP>().ttl / 16u; }) <
          limit);
    CHECK(chi_square(IP{.id = random_short()}, [](auto& p) { return p.template get<IP>().id / 4096u; }) <
          limit);
    CHECK(chi_square(TCP{.seq = random_int()}, [](auto& p) { return p.template get<TCP>().seq >> 28; }) <
          limit);
    CHECK(chi_square(IP{.ttl = random_num(100, 163)},
                     [](auto& p) { return (p.template get<IP>().ttl - 100u) / 4; }) < limit);
    CHECK(chi_square(IP{.dst = random_ip("10.32.0.0/11")}, [](auto& p) {
              return (p.template get<IP>().dst.value().value - 0x0a200000) >> 17;
          }) < limit);
    CHECK(chi_square(IPv6{.dst = random_ip6("2001:db8::/32")}, [](auto& p) {
              auto v = value_traits<ipv6>::to_wire(p.template get<IPv6>().dst.value());
              return v.high >> 32 == 0x20010db8 ? static_cast<unsigned>(v.high >> 28 & 15) : boxes;
          }) < limit);
    CHECK(chi_square(Ether{.dst = random_mac("aa:*:00-0f:01:02:03")}, [](auto& p) {
              auto octets = p.template get<Ether>().dst.value().octets;
              return octets[0] == 0xaa && octets[5] == 3 ? octets[2] : boxes;
          }) < limit);
    CHECK(chi_square(Ether{.dst = random_mac("aa:*:00-0f:01:02:03")},
                     [](auto& p) { return p.template get<Ether>().dst.value().octets[1] / 16u; }) < limit);
    CHECK(chi_square(Raw{.load = random_bin(3)}, [](auto& p) { return first_octet(p) / 16u; }) < limit);
    CHECK(chi_square(IP{.ttl = random_choice(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)},
                     [](auto& p) { return p.template get<IP>().ttl.value(); }) < limit);
}

TEST_CASE("random_long draws from all 64 bits") {
    packet p = parse_packet("ICMPv6NDOptEFA(res=RandNum(0, 281474976710655))");
    CHECK(chi_square(p, [](auto& one) {
              return static_cast<unsigned>(one.template get<ICMPv6NDOptEFA>().res.value() >> 44);
          }) < limit);
    random_source random(9);
    std::array<int, 64> ones{};
    for (int i = 0; i < 1000; ++i) {
        auto v = random.draw(random_long()).low;
        for (unsigned bit = 0; bit < 64; ++bit) ones[bit] += static_cast<int>(v >> bit & 1);
    }
    for (auto n : ones) CHECK(std::abs(n - 500) < 65);  // four standard deviations
}

TEST_CASE("Wide intervals are met evenly and never left, whatever their ends") {
    // A half of the first 2^64, all of the second, a quarter of the third.
    random_interval const interval{{7, std::uint64_t(1) << 63}, {9, (std::uint64_t(1) << 62) - 1}, false};
    random_source random(3);
    std::array<int, 3> met{};
    for (int i = 0; i < 7000; ++i) {
        auto v = random.draw(interval);
        REQUIRE(v.high >= 7);
        REQUIRE(v.high <= 9);
        if (v.high == 7) REQUIRE(v.low >= interval.first.low);
        if (v.high == 9) REQUIRE(v.low <= interval.last.low);
        ++met[v.high - 7];
    }
    CHECK(std::abs(met[0] - 2000) < 160);  // four standard deviations
    CHECK(std::abs(met[1] - 4000) < 170);
    CHECK(std::abs(met[2] - 1000) < 120);
    for (int i = 0; i < 100; ++i) CHECK(random.draw({{1, 2}, {1, 2}, false}) == wire_value{1, 2});
}

TEST_CASE("random_string is letters and digits of the length that was asked for") {
    random_source random(1);
    packet p = Raw{.load = random_string(40)};
    for (int i = 0; i < 100; ++i) {
        auto one = p.at(0, random);
        auto text = std::string(one.get<Raw>().load.value().value);
        CHECK(text.size() == 40);
        for (unsigned char c : text) CHECK(std::isalnum(c));
    }
}

TEST_CASE("Random values are drawn anew for each member of a set and in each pass over it") {
    packet set = IP{.dst = {"192.0.2.1", "192.0.2.2"}, .id = random_short()} / TCP{.seq = random_int()};
    CHECK(set.size() == 2);
    random_source random(6);
    std::set<std::uint32_t> seqs;
    for (int pass = 0; pass < 50; ++pass)
        for (std::uint64_t i = 0; i < 2; ++i) seqs.insert(set.at(i, random).get<TCP>().seq);
    CHECK(seqs.size() == 100);
}

TEST_CASE("Scapy's random functions are read in expressions, and printed as they were written") {
    constexpr char const* texts[] = {"IP(ttl=RandByte())",
                                     "IP(id=RandShort())",
                                     "TCP(seq=RandInt())",
                                     "IP(ttl=RandNum(3, 9))",
                                     "IP(dst=RandIP('10.0.0.0/8'))",
                                     "IPv6(dst=RandIP6('2001:db8::/32'))",
                                     "Ether(dst=RandMAC('aa:*:00-0f:*:*:*'))",
                                     "TCP(dport=RandChoice(22, 80, 443))",
                                     "Raw(load=RandString(12))",
                                     "Raw(load=RandBin(12))"};
    for (auto text : texts) CHECK(command(parse_packet(text)) == text);
    CHECK(command(parse_packet("IP(dst=RandIP())")) == "IP(dst=RandIP('0.0.0.0/0'))");
    CHECK(command(parse_packet("Ether(dst=RandMAC('aa:*:00-0f'))")) ==
          "Ether(dst=RandMAC('aa:*:00-0f:*:*:*'))");
    CHECK(command(Raw{.load = random_bin(5)}) == "Raw(load=RandBin(5))");
    for (auto wrong : {"IP(ttl=RandShort())", "IP(ttl=RandNum(1, 256))", "IP(ttl=RandNum(9, 3))",
                       "IP(dst=RandIP('10.0.0.0/33'))", "Ether(dst=RandMAC('xx'))", "IP(dst=RandMAC())",
                       "TCP(dport=RandChoice())", "Raw(load=RandString(65536))"})
        CHECK_THROWS_AS(parse_packet(wrong), error);
}
