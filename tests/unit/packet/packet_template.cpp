// A compiled set gives the same packets as the set.
#include "support/catch.hpp"

#include <sonde/layers/ether.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/packet_template.hpp>

#include <algorithm>

using namespace sonde;

namespace {

/// How many of some packets from all over the set the template makes otherwise.
unsigned wrong_of(packet_template const& t, packet_set const& set) {
    constexpr std::uint64_t tried = 1000;
    unsigned wrong = 0;
    random_source ours(7), theirs(7);
    std::vector<std::byte> bytes;
    for (std::uint64_t i = 0; i < set.size(); i += 1 + set.size() / tried) {
        t.build(i, ours, bytes);
        auto [expected, layers] = set.at(i, theirs).into_parts();
        finish(expected, layers);  // by the layers' own code
        wrong += bytes != expected;
    }
    return wrong;
}

bool compiles(std::string const& text) {
    return packet_template::of(parse_packet(text)).has_value();
}

}  // namespace

TEST_CASE("Each packet of a template is that of its set, checksums and all") {
    constexpr char const* sets[] = {
        "Ether()/IP(src='192.0.2.1', dst='198.18.0.0/24')/TCP(dport=[80, 443], seq=(1, 9))",
        "IP(src='192.0.2.1', dst='198.18.0.0/24')/TCP()",
        "IP(dst='198.18.0.0/24')/TCP()",
        "IP(dst=['127.0.0.1', '192.0.2.1', '127.0.0.9'])/TCP()",
        "IP(src='192.0.2.1', dst='198.18.0.0/24', ttl=(1, 30), tos=(0, 255))/UDP(sport=(1, 999))/'odd'",
        "IP(src='192.0.2.1', dst='198.18.0.0/24', version=(0, 15), frag=(0, 9))/UDP()",
        "IPv6(src='2001:db8::1', dst='2001:db8::/120', fl=(0, 9))/TCP(sport=RandShort())",
        "IPv6(src='2001:db8::1', dst=RandIP6('2001:db8::/32'))/ICMPv6EchoRequest(seq=(0, 9), data=b'xyz')",
        "IP(src='192.0.2.1', dst=RandIP(), id=(1, 9))/ICMP()/'abc'",
        "IP(src='192.0.2.1', dst='198.18.0.0/24')/GRE()/IP(src='10.0.0.1', dst='10.0.0.0/28')/TCP(flags='S')",
        "IP(src='192.0.2.1', dst='198.18.0.0/24')/UDP()/VXLAN()/Ether()/IP(src='10.0.0.1')/UDP()",
        "IP(src='192.0.2.1', dst='198.18.0.0/24')/UDP(dport=53)/DNS("
        "qd=DNSQR(qname='example.com'))",
        "IP(src='192.0.2.1', dst='198.18.0.0/24')/SCTP(tag=(1, 9))/SCTPChunkInit()",
        "Ether(src=RandMAC(), dst='02:00:00:00:00:02')/ARP(pdst='10.0.0.1')"};
    for (auto const* text : sets) {
        INFO(text);
        auto set = parse_packet(text);
        auto compiled = packet_template::of(set);
        REQUIRE(compiled.has_value());
        CHECK(compiled->size() == set.size());
        CHECK(wrong_of(*compiled, set) == 0);
        auto in_another_order = packet_set(set) | shuffled(3) | drop(2) | take(300);
        CHECK(wrong_of(packet_template::of(in_another_order).value(), in_another_order) == 0);
    }
}

TEST_CASE("A template's UDP checksum of 0 is sent as 0xffff") {
    auto compiled = packet_template::of(IP{.dst = "192.0.2.2", .src = "192.0.2.1"} /
                                        UDP{.dport = 53, .sport = range(0u, 65535u)});
    random_source random(1);
    std::vector<std::byte> bytes;
    unsigned ones = 0, zeros = 0;
    for (std::uint64_t i = 0; i < compiled->size(); ++i) {
        compiled->build(i, random, bytes);
        ones += bytes[26] == std::byte(0xff) && bytes[27] == std::byte(0xff);
        zeros += bytes[26] == std::byte(0) && bytes[27] == std::byte(0);
    }
    CHECK(ones == 1);
    CHECK(zeros == 0);
}

TEST_CASE("Slots are given for each packet, and summed") {
    packet const set = IP{.dst = "198.18.0.0/24"} / TCP{.dport = 80};
    packet_template::slot const slots[] = {{0, field_index<&IP::src>},
                                           {0, field_index<&IP::id>},
                                           {1, field_index<&TCP::sport>},
                                           {1, field_index<&TCP::seq>}};
    auto compiled = packet_template::of(set, slots);
    REQUIRE(compiled.has_value());
    CHECK(compiled->find_slot(1, field_index<&TCP::seq>) == 3);
    CHECK_FALSE(compiled->find_slot(1, field_index<&TCP::ack>).has_value());
    CHECK(std::ranges::equal(compiled->layers(), set.layers(), {}, &layer_span::automatic,
                             &layer_span::automatic));
    random_source random(1);
    std::vector<std::byte> bytes;
    for (std::uint32_t i = 0; i < 200; ++i) {
        auto sums = compiled->begin(i, random, bytes);
        std::uint64_t const values[] = {0xc0000201 + i, 0xfff0 + i / 20, 40000 + i, 0xfffffff0 + i};
        for (std::size_t k = 0; k < std::size(slots); ++k) compiled->set_slot(k, {0, values[k]}, bytes, sums);
        compiled->end(bytes, sums);
        auto expected = IP{.dst = ipv4(0xc6120000 + i),
                           .src = ipv4(static_cast<std::uint32_t>(values[0])),
                           .id = static_cast<std::uint16_t>(values[1])} /
                        TCP{.dport = 80, .sport = 40000 + i, .seq = static_cast<std::uint32_t>(values[3])};
        REQUIRE(bytes == expected.build());
    }
}

TEST_CASE("What packets differ by beside numbers at fixed places makes no template") {
    CHECK_FALSE(compiles("IP(dst=['www.example.com', '192.0.2.1'])/TCP()"));
    CHECK_FALSE(compiles("IP(dst='192.0.2.1')/UDP()/Raw(load=['a', 'bc'])"));
    CHECK_FALSE(compiles("IP(dst='192.0.2.1')/ICMP(type=[8, 13])"));  // which has other fields
    CHECK_FALSE(compiles("IP(dst=['192.0.2.1', ('192.0.2.8', '192.0.2.9')])/TCP()"));
    CHECK(compiles("IP(dst='192.0.2.1')/TCP()"));
    packet_template::slot const source[] = {{0, field_index<&IP::src>}};
    // Its checksum is a CRC, which is no sum.
    CHECK_FALSE(packet_template::of(parse_packet("IP(dst='192.0.2.0/24')/SCTP()/SCTPChunkInit()"), source));
}

TEST_CASE("A packet past a template's end is told") {
    auto compiled = packet_template::of(packet_set(IP{.dst = "192.0.2.0/24"} / TCP{}));
    random_source random(1);
    std::vector<std::byte> bytes;
    CHECK_NOTHROW(compiled->build(255, random, bytes));
    CHECK_THROWS_WITH(compiled->build(256, random, bytes), Catch::Contains("packet 256 of a set of 256"));
}
