#include "support/catch.hpp"

#include <sonde/layers/icmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/fuzz.hpp>

#include <set>

using namespace sonde;

TEST_CASE("fuzz draws what holds its default anew for each packet, and leaves what was set") {
    auto set = fuzz(IP{.dst = "198.18.0.1", .ttl = 7} / TCP{.dport = 443, .flags = "SA"} / "data");
    CHECK(set.size() == 1);
    std::set<unsigned> ids, windows, sources;
    for (int i = 0; i < 64; ++i) {
        auto p = set[0];
        ids.insert(p.get<IP>().id.value());
        windows.insert(p.get<TCP>().window.value());
        sources.insert(p.get<TCP>().sport.value());
        CHECK(p.get<IP>().dst == "198.18.0.1");
        CHECK(p.get<IP>().ttl == 7);
        CHECK(p.get<TCP>().dport == 443);
        CHECK(p.get<TCP>().flags == "SA");
    }
    CHECK(ids.size() > 50);
    CHECK(windows.size() > 50);
    CHECK(sources.size() > 50);
}

TEST_CASE("A fuzzed packet keeps its lengths, its checksums and what says which layer follows") {
    auto set = IP{.dst = "198.18.0.1", .frag = 0, .version = 4} / fuzz(UDP{.dport = 9} / "data");
    for (int i = 0; i < 32; ++i) {
        auto back = dissect(set[0].build(), link_type::raw);
        CHECK(back.get<IP>().len == 32);
        CHECK(back.get<IP>().proto == 17);
        CHECK(back.get<UDP>().len == 12);
        auto sum = back.get<UDP>().chksum.value();
        back.get<UDP>().chksum = automatic;
        CHECK(dissect(back.build(), link_type::raw).get<UDP>().chksum == sum);
    }
}

TEST_CASE("A fuzzed layer whose type decides its fields is built and read whatever was drawn") {
    auto set = IP{.dst = "198.18.0.1"} / fuzz(ICMP{});
    std::set<unsigned> types;
    for (int i = 0; i < 512; ++i) {
        auto bytes = set[0].build();
        auto back = dissect(bytes, link_type::raw);
        CHECK(back.build() == bytes);
        types.insert(back.get<ICMP>().type.value());
    }
    CHECK(types.size() > 100);
    CHECK(fuzz(IPv6{}).size() == 1);
}

TEST_CASE("fuzz is read in expressions as Scapy writes it") {
    auto p = parse_packet("IP(dst=\"198.18.0.1\")/fuzz(UDP(dport=9)/ICMP())");
    CHECK(p.layers().size() == 3);
    CHECK(p.is_template());
    CHECK(p[0].get<UDP>().dport == 9);
    CHECK_THROWS_AS(parse_packet("fuzz()"), error);
    CHECK_THROWS_AS(parse_packet("fuzz(UDP(), 3)"), error);
    CHECK_THROWS_AS(parse_packet("fuzz(sport=3)"), error);
}
