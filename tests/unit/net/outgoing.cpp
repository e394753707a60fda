// Packets of a set leave as the same bytes, with a template or one by one.
#include "support/catch.hpp"

#include <sonde/sonde.hpp>

#include "net/outgoing.hpp"

#include <sonde/packet/expression.hpp>
#include <sonde/probe/identity.hpp>

#include <algorithm>

using namespace sonde;
using detail::outgoing;

namespace {

struct way {
    std::optional<ip_address> source;
    bool link = false;
    bool identified = true;
};

void go(outgoing& o, way const& w, identity_source const& identities, std::uint32_t draw) {
    detail::finisher shapes;  // which knows none: the layers' own code finishes what has no template
    if (w.source) o.set_source(*w.source);
    if (w.link) o.set_link_source(mac("02:00:00:00:00:01"));
    o.set_link_destination(mac("02:00:00:00:00:02"));
    if (w.identified) o.identify(identities, draw);
    o.finish(shapes);
}

bool is_same(layer_span const& a, layer_span const& b) {
    return a.layer == b.layer && a.begin == b.begin && a.end == b.end && a.automatic == b.automatic &&
           a.drawn == b.drawn;
}

/// True when there is a template, and it makes all as they are made one by one.
bool is_compiled(packet set, way const& w) {
    packet_source source{packet_set(set)};
    auto compiled = outgoing::compile(*source, w.identified);
    if (!compiled) return false;
    identity_source const identities({.low = 1, .high = 2});
    random_source ours(5), theirs(5);
    outgoing with;
    for (std::uint32_t i = 0; i < std::min<std::uint64_t>(set.size(), 300); ++i) {
        auto without = outgoing::of(set.at(i, theirs), {}).value();
        with.take(*compiled, i, ours);
        REQUIRE(with.destination() == without.destination());
        REQUIRE(with.naming() == without.naming());
        REQUIRE(with.has_automatic_source() == without.has_automatic_source());
        REQUIRE(with.wants_neighbour() == without.wants_neighbour());
        go(without, w, identities, i);
        go(with, w, identities, i);
        REQUIRE(with.bytes() == without.bytes());
        REQUIRE(std::ranges::equal(with.view().layers, without.view().layers, is_same));
    }
    return true;
}

}  // namespace

TEST_CASE("Packets of a set leave as the same bytes, with a template or one by one") {
    way const v4{ip_address(ipv4("198.51.100.1"))}, v6{ip_address(ipv6("2001:db8:ffff::1"))};
    way const link4{v4.source, true}, link6{v6.source, true}, none{}, sent{v4.source, false, false};
    std::pair<char const*, way> const sets[] = {
        {"IP(dst='198.18.0.0/24')/TCP(dport=[80, 443])", v4},
        {"IP(dst='198.18.0.0/24')/TCP(dport=[80, 443])", sent},
        {"IP(dst='198.18.0.0/24', src='198.51.100.7')/UDP(dport=(1, 9))/'odd'", v4},
        {"IP(dst='198.18.0.0/24')/ICMP()/'abc'", v4},
        {"IP(dst=RandIP(), ttl=(1, 30))/ICMP()", v4},
        {"IP(dst='198.18.0.0/24')/UDP()/DNS(qd=DNSQR(qname='a.example'))", v4},
        {"IP(dst='239.0.0.0/24')/UDP()", v4},
        {"IP(dst='127.0.0.0/24')/UDP()", none},
        {"IPv6(dst='2001:db8::/120')/TCP()", v6},
        {"IPv6(dst='2001:db8::/120')/ICMPv6EchoRequest()", v6},
        {"Ether()/IP(dst='198.18.0.0/24')/TCP()", link4},
        {"Ether()/Dot1Q(vlan=(1, 20))/IP(dst='198.18.0.1')/TCP()", link4},
        {"Ether(dst='ff:ff:ff:ff:ff:ff')/Dot1Q(vlan=(1, 20))/ARP(pdst='198.18.0.1')", link4},
        {"Ether()/IPv6(dst='2001:db8::/120')/UDP(dport=9)/'x'", link6}};
    for (auto const& [text, w] : sets) {
        INFO(text);
        CHECK(is_compiled(parse_packet(text), w));
    }
}

TEST_CASE("What a template cannot have all of is made packet by packet") {
    way const v4{ip_address(ipv4("198.51.100.1"))};
    CHECK_FALSE(is_compiled(parse_packet("IP(dst='198.18.0.1')/TCP(dport=(1, 9))"), v4));  // too few
    // Its own source follows from its destination.
    CHECK_FALSE(is_compiled(parse_packet("IP(dst='198.18.0.1')/GRE()/IP(dst='127.0.0.0/24')/UDP()"), v4));
    CHECK_FALSE(is_compiled(parse_packet("IP(dst='198.18.0.0/24')/SCTP()/SCTPChunkInit()"), v4));
    CHECK_FALSE(is_compiled(parse_packet("IP(dst='a.example')/TCP(dport=(1, 20))"), v4));
}

TEST_CASE("What was changed in a set's layers is in its template") {
    way const v4{ip_address(ipv4("198.51.100.1"))};
    packet set = IP{.dst = "198.18.0.0/24"} / TCP{.dport = 80};
    set.get<TCP>().sport = 4321;
    set.get<IP>().src = "198.51.100.9";
    packet_source source{packet_set(std::move(set))};
    auto compiled = outgoing::compile(*source, true);
    REQUIRE(compiled.has_value());
    random_source random(1);
    outgoing o;
    o.take(*compiled, 0, random);
    CHECK_FALSE(o.has_automatic_source());
    go(o, v4, identity_source({.low = 1, .high = 2}), 0);
    auto made = std::move(o).to_packet();
    CHECK(made.get<TCP>().sport == 4321);
    CHECK(made.get<IP>().src == "198.51.100.9");
}

TEST_CASE("A packet without a destination goes where what it carries goes by default") {
    auto destination = [](packet p) {
        return outgoing::of(std::move(p), {}).value().destination().value().to_string();
    };
    CHECK(destination(IPv6{} / ICMPv6ND_RS{}) == "ff02::2");
    CHECK(destination(Ether{} / IPv6{} / ICMPv6ND_RA{}) == "ff02::1");
    CHECK(destination(IPv6{.dst = "2001:db8::1"} / ICMPv6ND_RS{}) == "2001:db8::1");
    CHECK(destination(IPv6{} / ICMPv6EchoRequest{}) == "::1");
    CHECK(destination(IP{} / IGMPv3{} / IGMPv3mr{}) == "224.0.0.22");
    CHECK(destination(IP{.dst = "224.0.0.1"} / IGMPv3{} / IGMPv3mr{}) == "224.0.0.1");
    CHECK(destination(IP{} / ICMP{}) == "127.0.0.1");
    outgoing o(IPv6{} / ICMPv6ND_RS{});
    o.set_source(ipv6("fe80::1"));
    CHECK(o.source() == ip_address(ipv6("fe80::1")));
}
