// What passes the filter that the kernel gets in a flood: all that may be an answer.
#include "net/interest.hpp"
#include "support/catch.hpp"

#include <sonde/link/filter.hpp>
#include <sonde/sonde.hpp>

using namespace sonde;
using detail::interest;

namespace {

packet const ether = Ether{.dst = "02:00:00:00:00:02", .src = "02:00:00:00:00:01"};

bool add(interest& all, packet const& probe) {
    auto octets = probe.build();
    return all.add(dissect(octets, link_type::raw).view());
}

bool passes(interest const& all, packet const& answer) {
    auto octets = (ether / answer).build();
    return capture_filter::compile(all.filter().value(), link_type::ethernet).matches(octets, octets.size());
}

packet tcp(std::uint16_t port) {
    return IP{.dst = "192.0.2.1"} / TCP{.dport = port};
}

}  // namespace

TEST_CASE("What may answer a probe passes, and strangers' TCP and UDP do not") {
    interest all({2000, 2999});
    CHECK(passes(all, tcp(2000)));
    CHECK(passes(all, tcp(2999)));
    CHECK_FALSE(passes(all, tcp(1999)));
    CHECK_FALSE(passes(all, tcp(3000)));
    CHECK_FALSE(passes(all, IP{.dst = "192.0.2.1"} / UDP{.dport = 443, .sport = 2500}));
    CHECK(passes(all, IPv6{.dst = "2001:db8::1"} / UDP{.dport = 2500}));
    CHECK_FALSE(passes(all, IPv6{.dst = "2001:db8::1"} / UDP{.dport = 443}));
}

TEST_CASE("What has no port, or not all of it, passes") {
    interest all({2000, 2999});
    CHECK(passes(all, IP{.dst = "192.0.2.1"} / ICMP{}));
    CHECK(passes(all, IP{.dst = "192.0.2.1"} / ICMP{.type = "dest-unreach"} / IP{} / UDP{.dport = 443}));
    CHECK(passes(all, IPv6{.dst = "2001:db8::1"} / ICMPv6EchoReply{}));
    CHECK(passes(all, ARP{}));
    CHECK(passes(all, IP{.dst = "192.0.2.1"} / GRE{} / IP{.dst = "192.0.2.2"} / TCP{.dport = 443}));
    CHECK(passes(all, IP{.dst = "192.0.2.1"} / SCTP{.dport = 443}));
    CHECK(passes(all, Dot1Q{.vlan = 5} / tcp(443)));
    for (auto const& piece : fragment(IP{.dst = "192.0.2.1"} / UDP{.dport = 443} / std::string(3000, 'x')))
        CHECK(passes(all, piece));
    CHECK(passes(all,
                 IPv6{.dst = "2001:db8::1"} / IPv6ExtHdrFragment{.m = 1} / UDP{.dport = 443} / "0123456789"));
    CHECK(passes(all, IPv6{.dst = "2001:db8::1"} / IPv6ExtHdrDestOpt{} / UDP{.dport = 443}));
}

TEST_CASE("A port that a user chose is new once") {
    interest all({2000, 2999});
    packet probe = IP{.dst = "192.0.2.1"} / TCP{.dport = 80, .sport = 40000};
    CHECK_FALSE(passes(all, tcp(40000)));
    CHECK(add(all, probe));
    CHECK_FALSE(add(all, probe));
    CHECK_FALSE(add(all, IP{.dst = "192.0.2.1"} / TCP{.dport = 80, .sport = 2000}));
    CHECK_FALSE(add(all, IP{.dst = "192.0.2.1"} / ICMP{}));
    CHECK(passes(all, tcp(40000)));
    CHECK_FALSE(passes(all, tcp(40001)));
    CHECK_FALSE(passes(all, tcp(80)));
}

TEST_CASE("Inside tunnels the ports of every layer count, and of what is asked by UDP both") {
    interest all({2000, 2999});
    packet inner = Ether{} / IP{.dst = "192.0.2.2"} / TCP{.dport = 80, .sport = 40000};
    CHECK(add(all, IP{.dst = "192.0.2.1"} / UDP{.dport = 4789, .sport = 50000} / VXLAN{.vni = 7} / inner));
    for (auto port : {4789, 50000, 40000}) CHECK(passes(all, tcp(static_cast<std::uint16_t>(port))));
    CHECK_FALSE(passes(all, tcp(80)));
    CHECK(add(all, IP{.dst = "192.0.2.1"} / UDP{.dport = 67, .sport = 68} / BOOTP{}));
    CHECK(passes(all, IP{.dst = "192.0.2.1"} / UDP{.dport = 68, .sport = 67}));
}

TEST_CASE("Ports beside each other are one range, in whatever order they come") {
    interest all({2000, 2999});
    for (int port : {40000, 40002, 40001, 3000, 1999, 65535, 65534, 0, 1})
        CHECK(add(all, IP{.dst = "192.0.2.1"} / UDP{.dport = 9, .sport = static_cast<std::uint16_t>(port)}));
    CHECK(
        all.filter().value().ends_with(" or dst portrange 0-1 or dst portrange 1999-3000 or dst portrange "
                                       "40000-40002 or dst portrange 65534-65535"));
}

TEST_CASE("Too many ports to name let everything pass, for good") {
    interest all({2000, 2999});
    for (unsigned i = 0; i < 23; ++i)
        CHECK(add(all, IP{.dst = "192.0.2.1"} / TCP{.sport = static_cast<std::uint16_t>(10000 + 2 * i)}));
    CHECK(all.filter());
    CHECK(add(all, IP{.dst = "192.0.2.1"} / TCP{.sport = 60000}));
    CHECK_FALSE(all.filter());
    CHECK_FALSE(add(all, IP{.dst = "192.0.2.1"} / TCP{.sport = 60002}));
    CHECK_FALSE(all.filter());
}
