#include "support/catch.hpp"
#include "support/hex.hpp"

#include <sonde/layers/icmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

using namespace sonde;

namespace {

std::string places(packet const& set) {
    std::string text;
    for (auto p : set)
        text += p.get<IP>().dst.value().to_string().substr(6) + "/" +
                std::to_string(p.get<IP>().ttl.value()) + ":" + std::to_string(p.get<TCP>().dport.value()) +
                " ";
    return text;
}

}  // namespace

TEST_CASE("The innermost layer varies fastest, within a layer the first wire field: Scapy's order") {
    auto set = IP{.dst = {"1.1.1.1", "1.1.1.2"}, .ttl = range(1, 2)} / TCP{.dport = {80, 443}};
    CHECK(set.size() == 8);
    CHECK(places(set) == "1/1:80 1/1:443 1/2:80 1/2:443 2/1:80 2/1:443 2/2:80 2/2:443 ");
    auto ports = TCP{.dport = {80, 81}, .sport = {1, 2}};
    std::vector<int> sources;
    for (auto p : packet(ports)) sources.push_back(p.get<TCP>().sport);
    CHECK(sources == std::vector<int>{1, 2, 1, 2});  // sport lies before dport
}

TEST_CASE("Ranges include both ends, networks all their addresses") {
    std::vector<int> ttls;
    for (auto p : packet(IP{.ttl = range(1, 10, 3)})) ttls.push_back(p.get<IP>().ttl);
    CHECK(ttls == std::vector<int>{1, 4, 7, 10});
    packet net = IP{.dst = "10.0.0.5/30"};
    CHECK(net.size() == 4);
    CHECK(net[0].get<IP>().dst == "10.0.0.4");
    CHECK(net[3].get<IP>().dst == "10.0.0.7");
    packet span = IP{.dst = range("10.0.0.254", "10.0.1.1")};
    CHECK(span.size() == 4);
    CHECK(span[2].get<IP>().dst == "10.0.1.0");
    CHECK_THROWS_WITH(packet(IP{.ttl = range_of<int>{1, 4, 0}}).size(), Catch::Contains("range: step 0"));
    packet v6 = IPv6{.dst = "2001:db8::/96"};
    CHECK(v6.size() == 1ull << 32);
    CHECK(v6[0xffffffff].get<IPv6>().dst == "2001:db8::ffff:ffff");
}

TEST_CASE("A huge set costs nothing: size and any index at once") {
    auto set = IP{.dst = "10.0.0.0/8"} / TCP{.dport = range(0, 65535)};
    CHECK(set.size() == 1ull << 40);
    auto last = set[set.size() - 1];
    CHECK(last.get<IP>().dst == "10.255.255.255");
    CHECK(last.get<TCP>().dport == 65535);
    CHECK(set[65536].get<IP>().dst == "10.0.0.1");
    CHECK_THROWS_AS(set[set.size()], error);
    CHECK_THROWS_AS(packet(IPv6{.dst = "::/64"}).size(), error);
}

TEST_CASE("A long list is borrowed until the packet is made") {
    std::vector<std::uint16_t> ports(1000);
    for (std::size_t i = 0; i < ports.size(); ++i) ports[i] = static_cast<std::uint16_t>(i + 1);
    packet set = IP{} / TCP{.dport = values(ports)};
    ports.clear();
    CHECK(set.size() == 1000);
    CHECK(set[999].get<TCP>().dport == 1000);
}

TEST_CASE("Ranges, networks and a host name stand in lists, and their values as if they were written out") {
    std::vector<int> ports;
    for (auto p : packet(TCP{.dport = {range(1, 9, 4), 443, range(7, 8, 5), range(22, 23)}}))
        ports.push_back(p.get<TCP>().dport);
    CHECK(ports == std::vector<int>{1, 5, 9, 443, 7, 22, 23});
    CHECK(command(packet(IP{.dst = {"10.0.0.0/30", "10.0.1.1"}})) ==
          "IP(dst=[Net('10.0.0.0/30'),'10.0.1.1'])");
    std::string const net = "10.0.0.0/31";
    CHECK(command(packet(IP{.dst = {"host.example", net, range("10.0.0.9", "10.0.0.11")}})) ==
          "IP(dst=['host.example', Net('10.0.0.0/31'), ('10.0.0.9', '10.0.0.11')])");
    packet v6 = IPv6{.dst = {"2001:db8::/126", "::1"}, .hlim = {IPv6{.hlim = {range(1, 2), 7}}.hlim, 9}};
    CHECK(v6.size() == 20);
    CHECK(v6[3].get<IPv6>().dst == "2001:db8::");
    CHECK(v6[3].get<IPv6>().hlim == 9);
    CHECK(v6[19].get<IPv6>().dst == "::1");
    packet wide = IPv6{.dst = {range("::ffff:ffff:ffff:ffff", "::1:0:0:0:0"), range("::", "8000::", 1)}};
    CHECK_THROWS_AS(wide.size(), error);  // 2 and 2^127 + 1

    std::vector<std::string> many;
    for (int i = 0; i < 1000; ++i) many.push_back(fmt::format("10.{}.{}.0/24", i / 256, i % 256));
    packet borrowed = IP{.dst = values(many)};
    many.assign(2, "of.another.host");
    CHECK(borrowed.size() == 256'000);
    CHECK(borrowed[255'999].get<IP>().dst == "10.3.231.255");
    CHECK(borrowed.sets().front().content.part_ends.size() == 1000);  // to be searched
    packet names = IP{.dst = values(many)};
    CHECK(names.size() == 2);
    CHECK(command(names) == "IP(dst=['of.another.host', 'of.another.host'])");

    CHECK_THROWS_WITH(packet(TCP{.dport = {random_short(), 1}}), Catch::Contains("random"));
    CHECK_THROWS_WITH(packet(IP{.dst = {net, net, net, net, net, net, net, net, net}}),
                      Catch::Contains("use sonde::values"));
    std::string const name = "host.example";
    CHECK_THROWS_WITH(packet(IP{.dst = {name, name}}), Catch::Contains("use sonde::values"));
}

TEST_CASE("Random fields are values: drawn for each packet, the same for the same randomness") {
    packet p =
        IP{.dst = random_ip("10.0.0.0/8"), .id = random_short()} / TCP{.sport = random_choice(1000, 2000)};
    CHECK(p.size() == 1);
    std::set<unsigned> ids, ports;
    for (int i = 0; i < 200; ++i) {
        auto one = p[0];
        ids.insert(one.get<IP>().id);
        ports.insert(one.get<TCP>().sport);
        CHECK(one.get<IP>().dst.value().value >> 24 == 10);
    }
    CHECK(ids.size() > 100);
    CHECK(ports == std::set<unsigned>{1000, 2000});
    random_source a(7), b(7);
    CHECK(p.at(0, a).build() == p.at(0, b).build());
}

TEST_CASE("A set may change which fields there are, and how long they are") {
    auto set = IP{} / ICMP{.type = {8, 13, 5}, .seq = 5, .gw = "192.0.2.9"};
    CHECK(set.size() == 3);
    CHECK(set[0].build().size() == 28);
    CHECK(set[1].build().size() == 40);
    CHECK(set[1].get<ICMP>().seq == 5);
    CHECK(set[2].get<ICMP>().gw == "192.0.2.9");
    packet loads = UDP{} / Raw{.load = {"a", "bcd"}};
    CHECK(loads.size() == 2);
    CHECK(loads[1].build().size() == 11);
    CHECK(loads[1].get<Raw>().load == "bcd");
}

TEST_CASE("Editing a layer of a set keeps the sets of its other fields") {
    auto set = IP{.dst = {"1.1.1.1", "1.1.1.2"}} / TCP{.dport = {80, 443}};
    set.get<IP>().ttl = 7;
    CHECK(set.size() == 4);
    CHECK(places(set) == "1/7:80 1/7:443 2/7:80 2/7:443 ");
    set.get<TCP>().dport = 22;
    CHECK(places(set) == "1/7:22 2/7:22 ");
}

TEST_CASE("A field that is wrong on purpose stays so, with all that is behind it, in each packet of a set") {
    using support::hex;
    auto each = [](std::string_view set, std::initializer_list<std::string_view> alone) {
        auto const p = parse_packet(set);
        CHECK(p.size() == alone.size());
        std::uint64_t i = 0;
        for (auto one : alone) CHECK(hex(p[i++]) == hex(parse_packet(one)));
    };
    each("UDP()/DNS(id=[1, 2], qdcount=0, qd=DNSQR(qname='a'))",
         {"UDP()/DNS(id=1, qdcount=0, qd=DNSQR(qname='a'))",
          "UDP()/DNS(id=2, qdcount=0, qd=DNSQR(qname='a'))"});
    each("SCTPChunkData(len=[0, 17], data='abcdef')",
         {"SCTPChunkData(len=0, data='abcdef')", "SCTPChunkData(len=17, data='abcdef')"});
    each("IGMPv3mq(numsrc=0, qqic=[1, 2], srcaddrs=['1.1.1.1'])",
         {"IGMPv3mq(numsrc=0, qqic=1, srcaddrs=['1.1.1.1'])",
          "IGMPv3mq(numsrc=0, qqic=2, srcaddrs=['1.1.1.1'])"});
    // RFC 8200 §4.2: a header of options is as long as a multiple of 8 octets.
    each("IPv6ExtHdrHopByHop(options=[RouterAlert(value=[0, 1])])",
         {"IPv6ExtHdrHopByHop(options=[RouterAlert(value=0)])",
          "IPv6ExtHdrHopByHop(options=[RouterAlert(value=1)])"});
    each("IPv6ExtHdrHopByHop(autopad=0, options=[RouterAlert(value=[0, 1])])",
         {"IPv6ExtHdrHopByHop(autopad=0, options=[RouterAlert(value=0)])",
          "IPv6ExtHdrHopByHop(autopad=0, options=[RouterAlert(value=1)])"});
    // Bytes by Scapy 2.5.
    CHECK(hex(parse_packet("TCP(dport=53)/DNS(qdcount=0, qd=DNSQR(qname='a'))"))
              .ends_with("00130000010000000000000000000161000001"
                         "0001"));
    CHECK(hex(parse_packet("TCP(dport=53)/DNS(id=[1, 2], length=5)")[1])
              .ends_with("00050002010000010000000000000377777707657861"
                         "6d706c6503636f6d0000010001"));
}
