#include "support/catch.hpp"
#include "support/hex.hpp"

#include <sonde/layers/ether.hpp>
#include <sonde/layers/fragment.hpp>
#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6_ext.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/expression.hpp>

using namespace sonde;

namespace {

std::string places(std::vector<packet> const& fragments) {
    std::string all;
    for (auto const& p : fragments) {
        auto const& ip = p.get<IP>();
        all += fmt::format("{}{}:{} ", ip.frag.value(), ip.flags == "MF" ? "+" : "", p.build().size());
    }
    return all;
}
packet big(std::size_t payload) {
    return IP{.dst = "198.18.0.1", .src = "192.0.2.1"} / ICMP{} / std::string(payload, 'X');
}

}  // namespace

TEST_CASE("A ping of 3000 bytes is three fragments, as Scapy cuts it") {
    CHECK(places(fragment(big(3000))) == "0+:1500 185+:1500 370:68 ");
}

TEST_CASE("The size is rounded down to 8, at least 8, but for the last fragment") {
    CHECK(places(fragment(big(8), 15)) == "0+:28 1:28 ");
    CHECK(places(fragment(big(7), 15)) == "0:35 ");
    CHECK(places(fragment(big(8), 3)) == "0+:28 1:28 ");
    CHECK(places(fragment(big(0), 1487)) == "0:28 ");
    CHECK(places(fragment(IP{.dst = "198.18.0.1", .src = "192.0.2.1"})) == "0:20 ");
}

TEST_CASE(
    "Fragments go on from the offset and the flags of a packet that is a fragment itself, options on each") {
    auto const part = parse_packet(
        "Ether()/"
        "IP(src='192.0.2.1',dst='198.18.0.1',flags='MF+DF',frag=10,proto=17,options=[IPOption_NOP()])/"
        "Raw(b'x'*20)");
    auto const all = fragment(part, 16);
    REQUIRE(all.size() == 2);
    CHECK(all[0].get<IP>().flags == "MF+DF");
    CHECK(all[1].get<IP>().flags == "MF+DF");
    CHECK(all[1].get<IP>().frag == 12);
    CHECK(all[1].build().size() == 14 + 24 + 4);
    CHECK(all[1].has<Ether>());
    CHECK(dissect(all[1].build()).get<IP>().len == 28);
}

TEST_CASE("A set gives the fragments of each of its packets, and padding of the frame is no payload") {
    auto const set = parse_packet(
        "Ether()/IP(src='192.0.2.1',dst=['198.18.0.1','198.18.0.2'])/ICMP()/Raw(b'x'*8)/Padding(b'zz')");
    auto const all = fragment(set, 8);
    REQUIRE(all.size() == 4);
    CHECK(all[2].get<IP>().dst == "198.18.0.2");
    CHECK(all[3].build().size() == 14 + 20 + 8);
}

TEST_CASE("What cannot be cut is told") {
    CHECK_THROWS_AS(fragment(IPv6{.dst = "2001:db8::1"} / UDP{}), error);
    CHECK_THROWS_AS(fragment6(big(10)), error);
    CHECK_THROWS_AS(fragment(IP{.dst = "host.example"} / UDP{}), error);
    CHECK_THROWS_AS(
        fragment(IP{.dst = "198.18.0.1", .src = "192.0.2.1", .frag = 8191} / std::string(17, 'x')), error);
    CHECK_THROWS_AS(fragment6(IPv6{.dst = "2001:db8::1", .src = "2001:db8::2"} / std::string(100, 'x'), 55),
                    error);
    CHECK_THROWS_AS(fragment(parse_packet("IP(src='192.0.2.1',dst='10.0.0.0/8')/ICMP()/Raw(b'x'*64)"), 8),
                    error);
}

TEST_CASE("A checksum that counts a source which nobody knows yet is told, not sent wrong") {
    ipv4 const to = "198.18.0.1";
    CHECK_THROWS_WITH(fragment(IP{.dst = to} / UDP{.dport = 7} / std::string(100, 'x'), 64),
                      Catch::Contains("fragment: write IP.src: the checksum of UDP counts it"));
    CHECK_THROWS_AS(fragment(packet(Ether{}) / IP{.dst = to} / TCP{}), error);
    CHECK_THROWS_WITH(fragment6(IPv6{.dst = "2001:db8::1"} / ICMPv6EchoRequest{}),
                      Catch::Contains("fragment6: write IPv6.src: the checksum of ICMPv6EchoRequest"));
    CHECK_THROWS_AS(
        fragment6(parse_packet("IPv6(dst='2001:db8::1')/IPv6ExtHdrFragment()/UDP()/Raw(b'x'*100)"), 64),
        error);
    // Written, or of ICMP; known when the packet is built; carried through a tunnel, which nobody fills in.
    CHECK(fragment(IP{.dst = to} / ICMP{} / "12345678", 8).size() == 2);
    CHECK(fragment(IP{.dst = to} / UDP{.chksum = 0} / "12345678", 8).size() == 2);
    CHECK(fragment(IP{.dst = "127.0.0.1"} / UDP{} / "12345678", 8).size() == 2);
    CHECK(fragment(IP{.dst = to} / std::string(16, 'x'), 8).size() == 2);
    CHECK(fragment6(IPv6{.dst = "::1"} / UDP{} / std::string(16, 'x'), 56).size() == 3);
    CHECK(fragment(IP{.dst = to} / IP{.dst = to, .src = "10.0.0.1"} / UDP{}, 8).size() == 4);
    // What fits stays as it is, and its checksum is made when it leaves.
    CHECK(fragment6(parse_packet("IPv6(dst='2001:db8::1')/IPv6ExtHdrFragment()/UDP()"), 64).size() == 1);
}

TEST_CASE("An IPv6 packet gets a fragment header behind what routers read, and no fragment is too long") {
    auto const p = parse_packet(
        "IPv6(src='2001:db8::1',dst='2001:db8::2')/IPv6ExtHdrHopByHop(options=[RouterAlert()])/"
        "UDP(sport=1,dport=2)/Raw(b'x'*1400)");
    auto const all = fragment6(p, 600);
    REQUIRE(all.size() == 3);
    std::size_t payload = 0;
    for (auto const& f : all) {
        auto const read = dissect(f.build(), link_type::ipv6);
        CHECK(f.build().size() <= 600);
        CHECK(read.layers()[1].layer->name == "IPv6ExtHdrHopByHop");
        auto const& header = read.get<IPv6ExtHdrFragment>();
        CHECK(header.nh == 17);
        CHECK(header.id == dissect(all[0].build(), link_type::ipv6).get<IPv6ExtHdrFragment>().id);
        CHECK(header.offset == payload / 8);
        payload += f.build().size() - 56;
    }
    CHECK(payload == 1408);
}

TEST_CASE("An IPv6 packet that fits is one atomic fragment") {
    auto const one = fragment6(IPv6{.dst = "2001:db8::1", .src = "2001:db8::2"} / UDP{} / "abc");
    REQUIRE(one.size() == 1);
    auto const read = dissect(one[0].build(), link_type::ipv6);
    CHECK(read.get<IPv6ExtHdrFragment>().m == 0);
    CHECK(read.has<UDP>());
    CHECK(read.get<IPv6>().nh == 44);
}

TEST_CASE("Expressions fragment") {
    auto const all =
        parse_packets("fragment(IP(src='192.0.2.1',dst='198.18.0.1')/ICMP()/b'12345678', fragsize=8)");
    CHECK(places(all) == "0+:28 1:28 ");
    CHECK(parse_packets("[IP(), fragment(IP(src='192.0.2.1')/ICMP()/b'12345678', 8)]").size() == 3);
    CHECK(parse_packets("fragment6(IPv6(src='::2',dst='::1')/UDP()/Raw(b'x'*100), fragSize=100)").size() ==
          3);
    for (auto wrong : {"fragment()", "fragment(IP(), 8, 8)", "fragment(IP(), size=8)",
                       "fragment(IP(), fragsize='x')", "IP()/fragment(IP())"})
        CHECK_THROWS_AS(parse_packets(wrong), error);
}
