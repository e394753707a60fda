#include "support/catch.hpp"
#include "support/hex.hpp"

#include <sonde/layers/arp.hpp>
#include <sonde/layers/dhcp.hpp>
#include <sonde/layers/ether.hpp>
#include <sonde/layers/icmpv6_nd.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6_ext.hpp>
#include <sonde/layers/sctp.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/tunnels.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/format.hpp>
#include <sonde/packet/json.hpp>
#include <sonde/packet/match.hpp>
#include <sonde/packet/text.hpp>

using namespace sonde;

namespace {

std::string hex_behind(packet const& p, std::size_t offset) {
    auto bytes = p.build();
    return support::hex(std::span(bytes).subspan(offset));
}
packet built(packet const& p, link_type link) {
    return dissect(p.build(), link);
}
std::string verdict(packet const& reply, packet const& sent, link_type link = link_type::raw) {
    auto r = built(reply, link), s = built(sent, link);
    auto v = match(r.view(), s.view());
    bool same_key = false;
    if (v.value == match_verdict::yes) {
        secret_key const secret{1, 2};
        auto keys = keys_of_answer(r.view(), secret);
        for (bool many : {false, true}) same_key |= keys.contain(key_of_probe(s.view(), secret, many), many);
    }
    return v.value != match_verdict::yes ? v.why : same_key ? "yes" : "an answer without the probe's key";
}

constexpr auto here = "2001:db8:ffff::1", there = "2001:db8::9";

}  // namespace

TEST_CASE("Options of extension headers are aligned, and the header ends at a multiple of 8") {
    packet p =
        IPv6{.dst = there, .src = here} / IPv6ExtHdrDestOpt{.options = HAO{.hoa = "2001:db8::1"}} / UDP{};
    CHECK(p.layers()[1].size() == 24);
    CHECK(support::hex(p.view().bytes.subspan(40, 8)) == "3b0001020000c910");
    packet bare = IPv6ExtHdrHopByHop{.options = RouterAlert{}, .autopad = 0};
    CHECK(bare.build().size() == 6);
    CHECK(packet(IPv6ExtHdrHopByHop{.options = RouterAlert{}}).build().size() == 8);
}

TEST_CASE("An answer without the probe's extension headers is its answer; the protocol behind them counts") {
    auto sent = IPv6{.dst = there, .src = here} / IPv6ExtHdrHopByHop{.options = RouterAlert{}} /
                TCP{.dport = 80, .sport = 9};
    packet reply = IPv6{.dst = here, .src = there} / TCP{.dport = 9, .sport = 80, .flags = "SA", .ack = 1};
    CHECK(verdict(reply, sent) == "yes");
    packet other = IPv6{.dst = here, .src = there} / UDP{.dport = 9, .sport = 80};
    CHECK(verdict(other, sent) == "ipv6 nh 17, expected 6");
}

TEST_CASE("A routed probe is answered by its last stop, and its checksum is made for that") {
    auto sent = IPv6{.dst = "2001:db8::1", .src = here} /
                IPv6ExtHdrRouting{.addresses = ipv6_list(ipv6(there))} / TCP{.dport = 80, .sport = 9};
    packet reply = IPv6{.dst = here, .src = there} / TCP{.dport = 9, .sport = 80, .flags = "SA", .ack = 1};
    CHECK(verdict(reply, sent) == "yes");
    reply.get<IPv6>().src = "2001:db8::1";
    CHECK(verdict(reply, sent) != "yes");
    packet direct = IPv6{.dst = there, .src = here} / TCP{.dport = 80, .sport = 9};
    CHECK(built(sent, link_type::raw).get<TCP>().chksum == built(direct, link_type::raw).get<TCP>().chksum);
}

TEST_CASE("Segments are counted, and what lies behind them is none") {
    // bytes(IPv6ExtHdrSegmentRouting(addresses=["2001:db8::1"],
    //     tlv_objects=[IPv6ExtHdrSegmentRoutingTLVPadN(padding=bytes(14))])) of Scapy 2.5
    constexpr auto one =
        "3b0404000000000020010db8000000000000000000000001"
        "040e0000000000000000000000000000";
    CHECK(support::hex(parse_packet("IPv6ExtHdrSegmentRouting(addresses=['2001:db8::1'], "
                                    "tlv_objects=[HBHOptUnknown(otype=4, optdata=b'\\x00'*14)])")) == one);
    auto two = parse_packet(
        "IPv6(src='2001:db8::9', dst='2001:db8::2')/IPv6ExtHdrSegmentRouting(addresses=['2001:db8::1', "
        "'2001:db8::2'], tlv_objects=[HBHOptUnknown(otype=4, optdata=b'\\x00'*30)])/UDP()");
    CHECK(hex_behind(two, 40).starts_with("1108040101000000"));
    auto read = built(two, link_type::raw).get<IPv6ExtHdrSegmentRouting>();
    CHECK(read.addresses.view() == ipv6_list(ipv6("2001:db8::1"), ipv6("2001:db8::2")).view());
    CHECK(read.tlv_objects.view().size() == 32);
    // What is counted stands there before the packet is built.
    CHECK(parse_packet(command(two)).build() == two.build());
    // As Scapy, each of the two by itself.
    CHECK(hex_behind(IPv6ExtHdrSegmentRouting{.addresses = {ipv6("::1"), ipv6("::2")}, .segleft = 0}, 3)
              .starts_with("0001"));
    CHECK(hex_behind(IPv6ExtHdrSegmentRouting{.addresses = {ipv6("::1"), ipv6("::2")}, .lastentry = 0}, 3)
              .starts_with("0100"));
    CHECK(support::hex(parse_packet("IPv6ExtHdrSegmentRouting(addresses=[])")) == "3b00040000000000");
}

TEST_CASE("Tunnels are looked through: the packet inside must answer, in the same virtual network") {
    auto inner = IP{.dst = "192.0.2.9", .src = "192.0.2.1"} / UDP{.dport = 7, .sport = 1000};
    auto answer = IP{.dst = "192.0.2.1", .src = "192.0.2.9"} / UDP{.dport = 1000, .sport = 7};
    auto vxlan = [&](packet const& p, bool back, int vni) {
        return IP{.dst = back ? "198.51.100.1" : "198.18.0.1", .src = back ? "198.18.0.1" : "198.51.100.1"} /
               UDP{.dport = 4789, .sport = back ? 50001 : 50000} / VXLAN{.vni = vni} / Ether{} / p;
    };
    CHECK(verdict(vxlan(answer, true, 5), vxlan(inner, false, 5)) == "yes");
    CHECK(verdict(vxlan(answer, true, 6), vxlan(inner, false, 5)) == "vxlan vni 0x6, expected 0x5");
    CHECK(verdict(vxlan(inner, true, 5), vxlan(inner, false, 5)) != "yes");
    auto gre = [&](packet const& p, bool back) {
        return IP{.dst = back ? "198.51.100.1" : "198.18.0.1", .src = back ? "198.18.0.1" : "198.51.100.1"} /
               GRE{} / p;
    };
    CHECK(verdict(gre(answer, true), gre(inner, false)) == "yes");
    CHECK(verdict(gre(inner, true), gre(inner, false)) != "yes");
}

TEST_CASE("A label stack ends at its bottom, and one without is no stack") {
    packet p = Ether{} / MPLS{.label = 16} / MPLS{} / IP{.dst = "192.0.2.1"} / UDP{};
    auto back = built(p, link_type::ethernet);
    REQUIRE(back.layers().size() == 5);
    CHECK(back.get<MPLS>().s == 0);
    CHECK(back.has<UDP>());
    auto endless = dissect(support::bytes("020000000001020000000002884700010000"), link_type::ethernet);
    CHECK_FALSE(endless.has<MPLS>());
}

TEST_CASE("A DHCP answer has our xid, from whatever address, and the cookie stands before the options") {
    auto sent = IP{.dst = "255.255.255.255", .src = "0.0.0.0"} / UDP{.dport = 67, .sport = 68} /
                BOOTP{.xid = 0x1234} / DHCP{.options = "[('message-type','discover'),'end']"};
    CHECK(hex_behind(sent, 28 + 236) == "63825363350101ff");
    auto offer = [](std::uint32_t xid) {
        return IP{.dst = "255.255.255.255", .src = "192.0.2.254"} / UDP{.dport = 68, .sport = 67} /
               BOOTP{.xid = xid, .op = 2} / DHCP{.options = "[('message-type','offer'),'end']"};
    };
    CHECK(offer(1).build().size() == sent.build().size());
    auto r = built(offer(0x1235), link_type::raw), s = built(sent, link_type::raw);
    CHECK(match(r.view(), s.view()).value == match_verdict::no);
    CHECK_THROWS_AS(dhcp_options("[('no-such-option', 1)]"), error);
}

TEST_CASE("An SCTP answer has the tag that the INIT asked for") {
    auto init = IP{.dst = "198.18.0.1", .src = "198.51.100.1"} / SCTP{.dport = 80, .sport = 9} /
                SCTPChunkInit{.init_tag = 17, .a_rwnd = 1000};
    auto abort = [](std::uint32_t tag) {
        return IP{.dst = "198.51.100.1", .src = "198.18.0.1"} / SCTP{.dport = 9, .sport = 80, .tag = tag} /
               SCTPChunkAbort{};
    };
    CHECK(verdict(abort(17), init) == "yes");
    CHECK(verdict(abort(0), init) == "sctp tag 0x0, expected 0x11");
}

TEST_CASE("A router solicitation is answered by an advertisement with hop limit 255") {
    auto sent = IPv6{.src = here} / ICMPv6ND_RS{};
    CHECK(built(sent, link_type::raw).get<IPv6>().dst == "ff02::2");
    packet reply = IPv6{.dst = here, .src = "fe80::1"} / ICMPv6ND_RA{} / ICMPv6NDOptMTU{.mtu = 1400};
    CHECK(verdict(reply, sent) == "yes");
    reply.get<IPv6>().hlim = 64;
    CHECK(verdict(reply, sent) == "nd hop limit 64, expected 255");
}

TEST_CASE("Only what goes to this host comes from ::1, whoever chose the destination") {
    auto ends = [](packet const& p) {
        auto ip = built(p, link_type::raw).get<IPv6>();
        return fmt::format("{} > {}", ip.src, ip.dst);
    };
    CHECK(ends(IPv6{} / ICMPv6ND_RS{}) == ":: > ff02::2");
    CHECK(ends(IPv6{} / ICMPv6ND_NS{.tgt = "fe80::1"}) == ":: > ff02::1");
    CHECK(ends(IPv6{.dst = "ff02::2"} / ICMPv6ND_RS{}) == ":: > ff02::2");
    CHECK(ends(IPv6{.dst = "::1"} / ICMPv6ND_RS{}) == "::1 > ::1");
    CHECK(ends(IPv6{} / UDP{}) == "::1 > ::1");
}

TEST_CASE("Addresses of ARP are octets where they are no Ethernet's and no IP's, as Scapy has them") {
    auto command_of = [](std::string const& hex) {
        auto bytes = support::bytes(hex);
        auto p = detail::dissect_as(bytes, describe<ARP>());
        CHECK(support::hex(parse_packet(command(p))) == hex);
        return command(p);
    };
    CHECK(command_of("0006080006040001616263646566c000020200000000000000000000") ==
          "ARP(hwtype=6, ptype=2048, hwlen=6, plen=4, op=1, hwsrc=b'abcdef', psrc='192.0.2.2', "
          "hwdst=b'\\x00\\x00\\x00\\x00\\x00\\x00', pdst='0.0.0.0')");
    CHECK(command_of("000112340604000102fc000000016162636400000000000000000000") ==
          "ARP(hwtype=1, ptype=4660, hwlen=6, plen=4, op=1, hwsrc='02:fc:00:00:00:01', psrc=b'abcd', "
          "hwdst='00:00:00:00:00:00', pdst=b'\\x00\\x00\\x00\\x00')");
    CHECK(command_of("000186dd0610000102fc00000001fd000000000000000000000000000002"
                     "00000000000000000000000000000000000000000000") ==
          "ARP(hwtype=1, ptype=34525, hwlen=6, plen=16, op=1, hwsrc='02:fc:00:00:00:01', psrc='fd00::2', "
          "hwdst='00:00:00:00:00:00', pdst='::')");
    auto p = parse_packet("ARP(hwtype=6, hwsrc='02:00:00:00:00:01')");
    CHECK(p.get<ARP>().hwsrc.value() == mac("02:00:00:00:00:01"));
    CHECK_THROWS_AS(parse_packet("ARP(psrc='fd00::2')").build(), error);
}

TEST_CASE(
    "LLC behind an EtherType has one of its own, behind a tag too; where there is a length it has none") {
    std::string const addresses = "ffffffffffff020000000001", llc = "424203";
    auto built = [](std::string const& layers) {
        return support::hex(
            parse_packet("Ether(src='02:00:00:00:00:01')/" + layers + "LLC(dsap=66, ssap=66, ctrl=3)"));
    };
    CHECK(built("") == addresses + "8870" + llc);
    CHECK(built("Dot1Q(vlan=5)/") == addresses + "810000058870" + llc);
    CHECK(built("Dot1AD(vlan=6)/Dot1Q(vlan=5)/") == addresses + "88a80006810000058870" + llc);
    CHECK(built("Dot1Q(vlan=5, type=3)/") == addresses + "810000050003" + llc);
    for (auto tag : {"", "81000005", "88a80006"}) {
        auto p = dissect(support::bytes(addresses + tag + "8870" + llc + "616263"), link_type::ethernet);
        REQUIRE(p.has<LLC>());
        CHECK(p.get<LLC>().ctrl == 3);
        CHECK(parse_packet(command(p)).build() == p.build());
    }
}

TEST_CASE("A loopback frame that tells no family is read as IP") {
    auto layers = [](std::string const& type) {
        auto bytes = parse_packet("IP(dst='192.0.2.1')/UDP()/b'x'").build();
        auto frame = support::bytes(type);
        frame.insert(frame.end(), bytes.begin(), bytes.end());
        auto p = dissect(frame, link_type::null);
        CHECK(parse_packet(command(p)).build() == frame);
        return summary(p);
    };
    CHECK(layers("00000000") == layers("02000000"));
    CHECK(layers("00000000").starts_with("Loopback / IP / UDP"));
    CHECK(layers("03000000") == "Loopback / Raw");
}

TEST_CASE("Flags of group policy are joined by a plus, though their names are letters") {
    auto p = parse_packet("VXLAN(flags=0x88, gpflags=5, gpid=9)");
    CHECK(to_json(p).find(R"("gpflags":"R+R")") != std::string::npos);
    CHECK(to_json(parse_packet("VXLAN(flags='Instance+G', gpflags='A')")).find(R"("gpflags":"A")") !=
          std::string::npos);
    CHECK(hex_behind(parse_packet("VXLAN(flags=0x88, gpflags='A+D')"), 1) == "48000000000000");
    CHECK(hex_behind(parse_packet("VXLAN(flags=0x88, gpflags='R+R')"), 1) == "01000000000000");  // one name
    CHECK_THROWS_AS(parse_packet("VXLAN(flags=0x88, gpflags='AD')"), error);
    CHECK_THROWS_AS(parse_packet("VXLAN(flags=0x88, gpflags='A++D')"), error);
}

TEST_CASE("Classless static routes are text, as Scapy has them; what is no list of them stays bytes") {
    auto made = [](std::string const& option) {
        return support::hex(parse_packet("DHCP(options=[" + option + "])"));
    };
    auto read = [](std::string const& digits) {
        auto p = detail::dissect_as(support::bytes(digits), describe<DHCP>());
        auto text = command(p);
        CHECK(support::hex(parse_packet(text)) == digits);
        return text;
    };
    std::string const first = "18c0000201020304", second = "200102030409080706";
    CHECK(made("('classless_static_routes', '192.0.2.0/24:1.2.3.4')") == "7908" + first);
    CHECK(made("('classless_static_routes', ['192.0.2.0/24:1.2.3.4', '1.2.3.4/32:9.8.7.6'])") ==
          "7911" + first + second);
    CHECK(made("('classless_static_routes', '192.0.2.0/24:1.2.3.4', '1.2.3.4/32:9.8.7.6')") ==
          "7911" + first + second);
    CHECK(made("('classless_static_routes', '192.0.2.7/9:1.2.3.4')") == "790709c00001020304");
    CHECK(made("('classless_static_routes', '')") == "7900");
    CHECK(made("('classless_static_routes', b'abc')") == "7903616263");
    CHECK(read("7911" + first + second) ==
          "DHCP(options=[('classless_static_routes', ['192.0.2.0/24:1.2.3.4', '1.2.3.4/32:9.8.7.6'])])");
    CHECK(read("79050001020304") == "DHCP(options=[('classless_static_routes', ['0.0.0.0/0:1.2.3.4'])])");
    CHECK(read("790709c0ff01020304") ==
          "DHCP(options=[('classless_static_routes', ['192.255.0.0/9:1.2.3.4'])])");
    CHECK(read("7900") == "DHCP(options=[(121, b'')])");
    CHECK(read("790318c000") == "DHCP(options=[(121, b'\\x18\\xc0\\x00')])");                   // cut
    CHECK(read("7906210102030405") == "DHCP(options=[(121, b'!\\x01\\x02\\x03\\x04\\x05')])");  // 33 bits
    CHECK(read("f908" + first).starts_with("DHCP(options=[(249, b'"));
    for (auto bad : {"'x'", "'1.2.3.4/33:1.2.3.4'", "'1.2.3.4:1.2.3.4'", "'1.2.3.4/3'", "'/:'", "':/'", "5"})
        CHECK_THROWS_AS(parse_packet(fmt::format("DHCP(options=[('classless_static_routes', {})])", bad)),
                        error);
}

TEST_CASE("What an error quotes has quoted names as far as Scapy binds them") {
    auto layers = [](std::string const& quoted, bool v6) {
        auto outer = v6 ? "IPv6()/ICMPv6TimeExceeded()/" : "IP()/ICMP(type=11)/";
        auto bytes = parse_packet(outer + quoted).build();
        auto p = dissect(bytes, link_type::raw);
        CHECK(parse_packet(command(p)).build() == bytes);
        auto text = summary(p);
        return text.substr(text.find("error"));
    };
    CHECK(layers("IPerror6()/UDPerror()", true) == "error6 / UDPerror");
    CHECK(layers("IPerror6()/TCPerror()", true) == "error6 / TCPerror");
    CHECK(layers("IPerror6()/IPv6ExtHdrDestOpt()/UDP(dport=9)", true)
              .starts_with("error6 / IPv6ExtHdrDestOpt / UDP "));
    CHECK(layers("IPerror6()/IPv6()/TCP()", true).starts_with("error6 / IPv6 / TCP ::1:"));
    CHECK(layers("IPerror6()/SCTP()", true) == "error6 / SCTP");
    CHECK(layers("IPerror6()/ICMPv6DestUnreach()/IPerror6()/UDPerror()", true)
              .ends_with("/ IPerror6 / UDPerror"));
    CHECK(layers("IPerror()/SCTPerror()", false) == "error / SCTPerror");
    CHECK(layers("IPerror()/IPerror()/UDPerror()", false) == "error / IPerror / UDPerror");
    CHECK(layers("IPerror()/ICMPerror(type=3)/IPerror()/UDPerror()", false) ==
          "error / ICMPerror / IPerror / UDPerror");
    CHECK(layers("IPerror()/IPv6()/UDP()", false).starts_with("error / IPv6 / UDP ::1:"));
}

namespace {

/// Of each packet of the set.
std::vector<std::string> all_hex(std::string const& expression) {
    std::vector<std::string> all;
    for (auto const& p : parse_packet(expression)) all.push_back(support::hex(p.build()));
    return all;
}

}  // namespace

TEST_CASE("Text in a set is padded or cut where the field always has the same length") {
    CHECK(all_hex("CookedLinux(src=[b'abcdefgh', b'12', b'123456789'])") ==
          std::vector<std::string>{"00000200000061626364656667680800", "00000200000031320000000000000800",
                                   "00000200000031323334353637380800"});
    CHECK(all_hex("CookedLinux(src=[b'abcdefgh', b''], pkttype=[1, 2])").size() == 4);
}

TEST_CASE("A set beside the addresses of a name query's response leaves them as they are") {
    for (std::string set : {"TTL=[1, 2]", "SUFFIX=[1, 2]", "RR_NAME=['a', 'b']"}) {
        INFO(set);
        auto both =
            all_hex("NBNSQueryResponse(ADDR_ENTRY=[NBNS_ADD_ENTRY(NB_ADDRESS='1.2.3.4')], " + set + ")");
        REQUIRE(both.size() == 2);
        for (auto const& hex : both) CHECK(hex.ends_with("0006000001020304"));
    }
}

TEST_CASE("Addresses of a list are read as text too, and layers in a row as a list, as Scapy prints them") {
    CHECK(all_hex("IPOption_RR(routers='1.2.3.4')") == all_hex("IPOption_RR(routers=['1.2.3.4'])"));
    CHECK(all_hex("IGMPv3gr(srcaddrs='1.1.1.1')") == all_hex("IGMPv3gr(srcaddrs=['1.1.1.1'])"));
    CHECK(all_hex("IPOption_RR(routers=b'1.2')").front().ends_with("312e32"));
    std::string const a = "ICMPv6MLDMultAddrRec(dst='ff02::1')", b = "ICMPv6MLDMultAddrRec(dst='ff02::2')";
    auto report = [](std::string const& records) { return "ICMPv6MLReport2(records=[" + records + "])"; };
    CHECK(all_hex(report(a + "/" + b)) == all_hex(report(a + ", " + b)));
}

TEST_CASE("Times of NTP are read as Scapy prints them: Decimal('1.5')") {
    CHECK(all_hex("NTPHeader(sent=Decimal('1.5'), orig=Decimal('0'), delay=Decimal('0.5'))") ==
          all_hex("NTPHeader(sent='1.5', orig=0, delay='0.5')"));
    CHECK(all_hex("NTPHeader(sent=1.5, orig=Decimal(0), delay=0.5)") ==
          all_hex("NTPHeader(sent='1.5', orig=0, delay='0.5')"));
    auto const printed =
        command(built(parse_packet("IP()/UDP()/NTPHeader(orig=2, delay=0.5)"), link_type::raw));
    CHECK(printed.find("delay=Decimal('0.5'), dispersion=Decimal('0')") != std::string::npos);
    CHECK(printed.find("orig=Decimal('2')") != std::string::npos);
    CHECK_THROWS(parse_packet("NTPHeader(sent=Decimal('a'))"));
    CHECK_THROWS(parse_packet("NTPHeader(sent=Decimal('1', '2'))"));
}

TEST_CASE("MPLS in UDP has its port (RFC 7510); a frame in a frame has Scapy's type") {
    CHECK(hex_behind(UDP{} / MPLS{.label = 5}, 0).starts_with("003519eb"));
    auto read = built(IP{} / UDP{.sport = 4000} / MPLS{.label = 5} / IP{}, link_type::ipv4);
    CHECK(read.has<MPLS>());
    CHECK(hex_behind(Ether{.dst = "02:00:00:00:00:01", .src = "02:00:00:00:00:02"} / Ether{}, 12)
              .starts_with("0001"));
}

TEST_CASE("Records whose own lengths are wrong are counted as they are written") {
    auto counts = [](std::string const& sections) {
        return all_hex("DNS(" + sections + ")").front().substr(8, 16);
    };
    CHECK(counts("qd=b'', an=DNSRR(type='A', rdata='1.2.3.4', rdlen=7)") == "0000000100000000");
    CHECK(counts("qd=b'', an=DNSRR(type='AAAA', rdata='::1', rdlen=0)") == "0000000100000000");
    CHECK(counts("qd=b'', an=DNSRR(rdata='1.2.3.4', rdlen=5)/DNSRR(rdata='1.1.1.1')") == "0000000200000000");
    CHECK(counts("qd=b'', ar=[DNSRROPT(rdlen=9)]") == "0000000000000001");
    CHECK(counts("qd=b'', ancount=5, an=DNSRR(rdata='1.2.3.4', rdlen=7)") == "0000000500000000");
    CHECK(counts("qd=b'', an=[DNSRR(rdata='1.2.3.4'), DNSRR(rdata='1.1.1.1')]") == "0000000200000000");
    auto report = all_hex("IGMPv3()/IGMPv3mr(records=[IGMPv3gr(numsrc=5, srcaddrs=['1.1.1.1'])])").front();
    CHECK(report.substr(12, 4) == "0001");
}

TEST_CASE("GRE with a checksum sums up all that it holds (RFC 2784 section 2.3)") {
    // bytes(…) of Scapy 2.5
    CHECK(all_hex("GRE(chksum_present=1)/IP(src='1.1.1.1', dst='2.2.2.2')").front() ==
          "8000080077ff00004500001400010000400074e40101010102020202");
    CHECK(show(parse_packet("SNAP(OUI=0x00000c)")).find("00:00:0c") != std::string::npos);
}

TEST_CASE("VXLAN-GPE tells what is inside, whoever wrote the flags") {
    // bytes(VXLAN(flags=12, vni=42)/IP(src="1.1.1.1", dst="2.2.2.2")) of Scapy 2.5
    CHECK(all_hex("VXLAN(flags=12, vni=42)/IP(src='1.1.1.1', dst='2.2.2.2')")
              .front()
              .starts_with("0c00000100002a00"));
    CHECK(all_hex("VXLAN(flags=12, vni=42)/Ether()").front().starts_with("0c00000300002a00"));
    CHECK(all_hex("VXLAN(flags=12, NextProtocol=0)/IP()").front().starts_with("0c000000"));
    CHECK(all_hex("VXLAN(flags=8)/IP()").front().starts_with("08000000"));
    CHECK(all_hex("VXLAN()/IP()").front().starts_with("0c000001"));
}

TEST_CASE(
    "A routing header of type 4 ends at its first segment (RFC 8754 section 2), whichever layer wrote it") {
    auto checksum = [](std::string const& routing) {
        auto const hex = all_hex("IPv6(src='::1', dst='::2')/" + routing + "/ICMPv6EchoRequest()").front();
        return hex.substr(hex.size() - 12, 4);
    };
    std::string const one = "(addresses=['2001:db8::1'], segleft=1",
                      two = "(addresses=['2001:db8::1', '2001:db8::2'], segleft=1";
    CHECK(checksum("IPv6ExtHdrRouting" + one + ", type=4)") == "5202");  // Scapy 2.5, too
    CHECK(checksum("IPv6ExtHdrSegmentRouting" + one + ")") == "5202");
    CHECK(checksum("IPv6ExtHdrRouting" + two + ", type=4)") == "5202");
    CHECK(checksum("IPv6ExtHdrRouting" + two + ", type=0)") == "5201");
}
