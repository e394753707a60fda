#include "support/catch.hpp"
#include "support/hex.hpp"

#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmp_extensions.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/checksum.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/json.hpp>
#include <sonde/packet/match.hpp>
#include <sonde/packet/text.hpp>

using namespace sonde;

namespace {

packet const probe =
    IP{.dst = "198.51.100.2", .src = "192.0.2.1", .ttl = 1} / UDP{.dport = 33434, .sport = 4000};
packet const probe6 =
    parse_packet("IPv6(src='2001:db8::1',dst='2001:db8::2',hlim=1)/UDP(sport=4000,dport=33434)");

/// What a router sends back, with this behind the quote.
packet exceeded(std::string const& extensions, std::string const& icmp = "type=11") {
    return parse_packet(
        "IP(src='203.0.113.1',dst='192.0.2.1')/ICMP(" + icmp +
        ")/IPerror(src='192.0.2.1',dst='198.51.100.2',ttl=1)/UDPerror(sport=4000,dport=33434)" + extensions);
}
bool contains(std::string const& text, std::string_view part) {
    return text.find(part) != text.npos;
}
packet again(packet const& p, link_type link = link_type::ipv4) {
    return dissect(p.build(), link);
}
std::string names(packet const& p) {
    std::string all;
    for (auto const& l : p.layers()) all += (all.empty() ? "" : " ") + std::string(l.layer->name);
    return all;
}
std::vector<std::byte> with_octet(std::vector<std::byte> bytes, std::size_t at, unsigned value) {
    bytes[at] = static_cast<std::byte>(value);
    return bytes;
}

constexpr auto labels =
    "/ICMPExtensionHeader()/ICMPExtensionMPLS(stack=[MPLS(label=16000,s=0,ttl=1),MPLS(label=3,ttl=2)])";
constexpr std::size_t icmp_at = 20, length_at = icmp_at + 5, quote_at = icmp_at + 8,
                      structure_at = quote_at + 128;

}  // namespace

TEST_CASE(
    "Extensions lie 128 bytes behind the ICMP header, and length, checksums and the quote's own length tell "
    "so") {
    auto const p = exceeded(labels);
    auto const bytes = p.build();
    REQUIRE(bytes.size() == structure_at + 4 + 12);
    CHECK(std::to_integer<int>(bytes[length_at]) == 32);
    CHECK(support::hex(std::span(bytes).subspan(structure_at + 4)) == "000c010103e8000100003102");
    internet_checksum sum;
    sum.add(std::span(bytes).subspan(structure_at));
    CHECK(sum.finish() == 0);
    auto const back = again(p);
    CHECK(names(back) == "IP ICMP IP UDP Padding ICMPExtensionHeader ICMPExtensionMPLS");
    CHECK(back.get<IPerror>().len == 28);
    CHECK(back.get<UDPerror>().len == 8);
    CHECK(back.get<ICMPExtensionMPLS>().stack.size() == 8);
    CHECK(back.get<ICMP>().length == 32);
    CHECK(support::hex(parse_packet(command(back))) == support::hex(bytes));
}

TEST_CASE("A quote of more than 128 bytes goes on to a whole unit: 4 bytes in ICMP, 8 in ICMPv6") {
    auto const long_quote = exceeded("/Raw(b'x'*103)/ICMPExtensionHeader()");
    CHECK(again(long_quote).get<ICMP>().length == 33);
    CHECK(long_quote.build().size() == quote_at + 132 + 4);
    auto const v6 = parse_packet(
        "IPv6(src='2001:db8::9',dst='2001:db8::1')/ICMPv6TimeExceeded()/"
        "IPerror6(src='2001:db8::1',dst='2001:db8::2',"
        "hlim=1)/UDPerror(sport=4000,dport=33434)/Raw(b'x'*81)/ICMPExtensionHeader()/"
        "ICMPExtensionObject(classnum=3,"
        "classtype=1,data=b'abcd')");
    auto const back = again(v6, link_type::ipv6);
    CHECK(back.get<ICMPv6TimeExceeded>().length == 17);
    CHECK(names(back) ==
          "IPv6 ICMPv6TimeExceeded IPv6 UDP Raw Padding ICMPExtensionHeader ICMPExtensionObject");
    CHECK(back.get<ICMPExtensionObject>().len == 8);
    auto const sent = again(probe6 / std::string(81, 'x'), link_type::ipv6);
    CHECK(match(back.view(), sent.view()).value == match_verdict::yes);
    CHECK(match(back.view(), again(probe6, link_type::ipv6).view()).value == match_verdict::no);
    CHECK(support::hex(parse_packet(command(back))) == support::hex(v6));
    CHECK_THROWS_AS(exceeded("/Raw(b'x'*1000)/ICMPExtensionHeader()").build(), error);
}

TEST_CASE("Without extensions length is 0, and a length of the user's wins") {
    CHECK(again(exceeded("")).get<ICMP>().length == 0);
    CHECK(std::to_integer<int>(exceeded(labels, "type=11,length=7").build()[length_at]) == 7);
}

TEST_CASE(
    "With a length of 0 or of nonsense extensions are believed 128 bytes behind if their checksum is right") {
    auto const bytes = exceeded(labels).build();
    auto const read = [&](unsigned length, unsigned flip = 0) {
        auto changed = with_octet(bytes, length_at, length);
        changed[structure_at + 8] ^= static_cast<std::byte>(flip);
        auto p = dissect(changed, link_type::ipv4);
        CHECK(support::hex(parse_packet(command(p))) == support::hex(changed));
        return p.has<ICMPExtensionMPLS>();
    };
    CHECK(read(0));
    CHECK(read(1));
    CHECK(read(255));
    CHECK_FALSE(read(0, 1));
    CHECK(read(32, 1));  // stated rightly: read, as wrong as it is
    CHECK_FALSE(read(33));
}

TEST_CASE("An object's length keeps it inside the structure; one that cannot be is bytes") {
    auto const bytes =
        exceeded(labels + std::string("/ICMPExtensionObject(classnum=9,data=b'abcd')")).build();
    auto const read = [&](unsigned length) {
        auto changed = with_octet(bytes, structure_at + 5, length);
        auto p = dissect(changed, link_type::ipv4);
        CHECK(support::hex(parse_packet(command(p))) == support::hex(changed));
        return names(p).substr(std::string("IP ICMP IP UDP Padding ICMPExtensionHeader").size());
    };
    CHECK(read(12) == " ICMPExtensionMPLS ICMPExtensionObject");
    CHECK(read(3) == " Raw");
    CHECK(read(4) == " ICMPExtensionMPLS ICMPExtensionObject");  // whose length is a part of the first label
    CHECK(read(200) == " ICMPExtensionMPLS");
}

TEST_CASE("Interface information has the parts that its flags name, the name padded to 4 bytes") {
    auto const p = exceeded(
        "/ICMPExtensionHeader()/"
        "ICMPExtensionInterfaceInformation(interface_role=2,has_ifindex=1,has_ipaddr=1,"
        "has_ifname=1,has_mtu=1,ifindex=7,ip4='192.0.2.9',ifname=b'eth10',mtu=1500)");
    auto const bytes = p.build();
    CHECK(support::hex(std::span(bytes).subspan(structure_at + 4)) ==
          "001c028f"
          "00000007"
          "00010000c0000209"
          "0865746831300000"
          "000005dc");
    auto const info = again(p).get<ICMPExtensionInterfaceInformation>();
    CHECK(info.ifindex == 7);
    CHECK(info.ip4 == "192.0.2.9");
    CHECK(info.mtu == 1500);
    CHECK(info.ifname_len == 8);
    CHECK(support::hex(parse_packet(command(again(p)))) == support::hex(bytes));
    auto const v6 = exceeded(
        "/ICMPExtensionHeader()/ICMPExtensionInterfaceInformation(has_ipaddr=1,afi=2,ip6='2001:db8::5')");
    CHECK(again(v6).get<ICMPExtensionInterfaceInformation>().ip6 == "2001:db8::5");
    CHECK(again(v6).get<ICMPExtensionInterfaceInformation>().len == 24);
}

TEST_CASE("Extensions and padding are no part of the quote that is compared") {
    CHECK(match(again(exceeded(labels)).view(), again(probe).view()).value == match_verdict::yes);
    auto const echo = parse_packet("IP(src='192.0.2.1',dst='198.51.100.2')/ICMP(id=1,seq=2)");
    auto other = exceeded(labels).build();
    other[quote_at + 20] ^= std::byte(1);  // the port that the probe came from
    CHECK(match(dissect(other, link_type::ipv4).view(), again(probe).view()).value == match_verdict::no);
    // The quote ends where length says: what follows is no port of the probe.
    auto const cut = parse_packet(
        "IP(src='203.0.113.1',dst='192.0.2.1')/ICMP(type=11,length=32)/IPerror(src='192.0.2.1',"
        "dst='198.51.100.2',proto=1,options=b'')/ICMPerror(id=1,seq=2)/ICMPExtensionHeader()");
    CHECK(match(again(cut).view(), again(echo).view()).value == match_verdict::yes);
}

TEST_CASE(
    "Extensions are told in JSON beside the padding that plain Scapy sees, and in show and summary as "
    "layers") {
    auto const p = again(exceeded(labels));
    auto const json = to_json(p);
    CHECK(contains(json, R"({"layer":"Padding","fields":{"load":{"hex":"00)"));
    CHECK(contains(json, R"(],"extensions":[{"layer":"ICMPExtensionHeader",)"));
    CHECK(contains(json, R"("stack":[{"layer":"MPLS","fields":{"label":16000,"cos":0,"s":0,"ttl":1}})"));
    CHECK(contains(summary(p), "Padding / ICMPExtensionHeader / ICMPExtensionMPLS"));
    CHECK(contains(show(p), "###[ ICMP Extension Object - MPLS (RFC4950) ]###"));
    CHECK_FALSE(contains(to_json(again(exceeded(""))), "extensions"));
}

TEST_CASE("Extensions cut at any byte are read without harm, and print as what they are") {
    auto const whole =
        exceeded(labels + std::string("/ICMPExtensionInterfaceInformation(has_ifindex=1,has_ipaddr=1,"
                                      "has_ifname=1,has_mtu=1,ifname=b'eth0')"))
            .build();
    for (std::size_t size = icmp_at; size <= whole.size(); ++size) {
        auto const p = dissect(std::span(whole).first(size), link_type::ipv4);
        CHECK(support::hex(parse_packet(command(p))) == support::hex(std::span(whole).first(size)));
    }
    for (std::size_t at = structure_at; at < whole.size(); ++at)
        for (unsigned value : {0u, 1u, 2u, 127u, 255u}) {
            auto const changed = with_octet(whole, at, value);
            CHECK(support::hex(parse_packet(command(dissect(changed, link_type::ipv4)))) ==
                  support::hex(changed));
        }
}
