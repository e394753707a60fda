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
    interest all({2048, 3007});
    CHECK(passes(all, tcp(2048)));
    CHECK(passes(all, tcp(3007)));
    CHECK_FALSE(passes(all, tcp(2047)));
    CHECK_FALSE(passes(all, tcp(3008)));
    CHECK_FALSE(passes(all, IP{.dst = "192.0.2.1"} / UDP{.dport = 443, .sport = 2500}));
    CHECK(passes(all, IPv6{.dst = "2001:db8::1"} / UDP{.dport = 2500}));
    CHECK_FALSE(passes(all, IPv6{.dst = "2001:db8::1"} / UDP{.dport = 443}));
}

TEST_CASE("What has no port, or not all of it, passes") {
    interest all({2048, 3007});
    CHECK(passes(all, IP{.dst = "192.0.2.1"} / ICMP{}));
    CHECK(passes(all, IP{.dst = "192.0.2.1"} / ICMP{.type = "dest-unreach"} / IP{} / UDP{.dport = 443}));
    CHECK(passes(all, IPv6{.dst = "2001:db8::1"} / ICMPv6EchoReply{}));
    CHECK(passes(all, ARP{}));
    CHECK(passes(all, IP{.dst = "192.0.2.1"} / GRE{} / IP{.dst = "192.0.2.2"} / TCP{.dport = 443}));
    CHECK(passes(all, IP{.dst = "192.0.2.1"} / SCTP{.dport = 443}));
    CHECK(passes(all, Dot1Q{.vlan = 5} / tcp(443)));
    for (auto const& piece :
         fragment(IP{.dst = "192.0.2.1", .src = "192.0.2.2"} / UDP{.dport = 443} / std::string(3000, 'x')))
        CHECK(passes(all, piece));
    CHECK(passes(all,
                 IPv6{.dst = "2001:db8::1"} / IPv6ExtHdrFragment{.m = 1} / UDP{.dport = 443} / "0123456789"));
    CHECK(passes(all, IPv6{.dst = "2001:db8::1"} / IPv6ExtHdrDestOpt{} / UDP{.dport = 443}));
}

TEST_CASE("A port that a user chose is new once") {
    interest all({2048, 3007});
    packet probe = IP{.dst = "192.0.2.1"} / TCP{.dport = 80, .sport = 40000};
    CHECK_FALSE(passes(all, tcp(40000)));
    CHECK(add(all, probe));
    CHECK_FALSE(add(all, probe));
    CHECK_FALSE(add(all, IP{.dst = "192.0.2.1"} / TCP{.dport = 80, .sport = 2048}));
    CHECK_FALSE(add(all, IP{.dst = "192.0.2.1"} / ICMP{}));
    CHECK(passes(all, tcp(40000)));
    CHECK_FALSE(passes(all, tcp(40064)));
    CHECK_FALSE(passes(all, tcp(39999)));
    CHECK_FALSE(passes(all, tcp(80)));
}

TEST_CASE("Inside tunnels the ports of every layer count, and of what is asked by UDP both") {
    interest all({2048, 3007});
    packet inner = Ether{} / IP{.dst = "192.0.2.2"} / TCP{.dport = 80, .sport = 40000};
    CHECK(add(all, IP{.dst = "192.0.2.1"} / UDP{.dport = 4789, .sport = 50000} / VXLAN{.vni = 7} / inner));
    for (auto port : {4789, 50000, 40000}) CHECK(passes(all, tcp(static_cast<std::uint16_t>(port))));
    CHECK_FALSE(passes(all, tcp(80)));
    CHECK(add(all, IP{.dst = "192.0.2.1"} / UDP{.dport = 67, .sport = 68} / BOOTP{}));
    CHECK(passes(all, IP{.dst = "192.0.2.1"} / UDP{.dport = 68, .sport = 67}));
}

TEST_CASE("Ports that come one after another make few filters, and one range") {
    interest all({2048, 3007});
    int filters = 0;
    for (int port = 40000; port < 50000; ++port)
        filters +=
            add(all, IP{.dst = "192.0.2.1"} / UDP{.dport = 9, .sport = static_cast<std::uint16_t>(port)});
    CHECK(filters == 157);
    for (int port : {65535, 0, 3008, 2047})
        CHECK(add(all, IP{.dst = "192.0.2.1"} / UDP{.dport = 9, .sport = static_cast<std::uint16_t>(port)}));
    CHECK(
        all.filter().value().ends_with(" or dst portrange 0-63 or dst portrange 1984-3071 or dst portrange "
                                       "40000-50047 or dst portrange 65472-65535"));
}

TEST_CASE("The network's own ports pass also where they begin or end inside a block") {
    interest all({2000, 2999});
    for (std::uint16_t port : {std::uint16_t(2000), std::uint16_t(2999)}) CHECK(passes(all, tcp(port)));
    CHECK(interest({0, 65535}).filter().value().ends_with(" or dst portrange 0-65535"));
}

TEST_CASE("Too many ranges to name let everything pass, as long as there are so many") {
    interest all({2048, 3007});
    auto chosen = [&](int port) {
        return add(all, IP{.dst = "192.0.2.1"} / TCP{.sport = static_cast<std::uint16_t>(port)});
    };
    for (int i = 0; i < 23; ++i) CHECK(chosen(10000 + 128 * i));
    CHECK(all.filter());
    CHECK(chosen(60000));
    CHECK_FALSE(all.filter());
    for (int i = 0; i < 3; ++i) CHECK(chosen(10064 + 128 * i));  // what lay apart is one
    CHECK(all.filter());
}
