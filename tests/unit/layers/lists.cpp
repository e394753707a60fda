// Lists inside layers as programs write them, and what is refused with a reason.
#include "support/catch.hpp"
#include "support/hex.hpp"

#include "layers/support.hpp"

#include <sonde/layers/dhcp.hpp>
#include <sonde/layers/dns.hpp>
#include <sonde/layers/icmp_extensions.hpp>
#include <sonde/layers/icmpv6_nd.hpp>
#include <sonde/layers/igmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/mld.hpp>
#include <sonde/layers/sctp.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/format.hpp>
#include <sonde/packet/json.hpp>
#include <sonde/packet/text.hpp>

using namespace sonde;
using support::refusal_of;

namespace {

std::string refusal(std::string_view text) {
    try {
        parse_packet(text);
    } catch (error const& e) {
        std::string what = e.what();
        return what.substr(0, what.rfind(": "));
    }
    return "read";
}

}  // namespace

TEST_CASE("TCP options by name are those of an expression") {
    auto const data = support::bytes("0102");
    packet p = TCP{.options = {tcp_option::mss(1460), tcp_option::nop(), tcp_option::window_scale(7),
                               tcp_option::sack_permitted(), tcp_option::timestamps(1, 2),
                               tcp_option::generic(254, data), tcp_option::eol()}};
    CHECK(p.build() ==
          parse_packet("TCP(options=[('MSS', 1460), ('NOP', None), ('WScale', 7), ('SAckOK', b''), "
                       "('Timestamp', (1, 2)), (254, b'\\x01\\x02'), ('EOL', None)])")
              .build());
    std::vector<std::byte> const long_data(39);
    CHECK_THROWS_AS(tcp_option::generic(254, long_data), error);
}

TEST_CASE("Lists of layers as members are those of an expression") {
    packet mld = ICMPv6MLReport2{.records = {ICMPv6MLDMultAddrRec{.dst = "ff02::5", .rtype = 3},
                                             ICMPv6MLDMultAddrRec{.dst = "ff02::6"}}};
    CHECK(mld.build() ==
          parse_packet("ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(dst='ff02::5', rtype=3), "
                       "ICMPv6MLDMultAddrRec(dst='ff02::6')])")
              .build());
    packet init =
        SCTPChunkInit{.params = {SCTPChunkParamIPv4Addr{.addr = "192.0.2.1"}, SCTPChunkParamECNCapable{}}};
    CHECK(init.build() == parse_packet("SCTPChunkInit(params=[SCTPChunkParamIPv4Addr(addr='192.0.2.1'), "
                                       "SCTPChunkParamECNCapable()])")
                              .build());
    packet message = DNS{.an = {DNSRR{.rrname = "a.", .type = "AAAA", .rdata = "2001:db8::1"},
                                DNSRR{.rrname = "a.", .type = "NS", .rdata = "b.example"},
                                DNSRR{.rrname = "a.", .rdata = ipv4(0x01020304)}}};
    CHECK(message.build() == parse_packet("DNS(an=DNSRR(rrname='a.', type='AAAA', rdata='2001:db8::1')/"
                                          "DNSRR(rrname='a.', type='NS', rdata='b.example')/"
                                          "DNSRR(rrname='a.', rdata='1.2.3.4'))")
                                 .build());
}

TEST_CASE("What no list can hold is refused at its column, with what would be right") {
    CHECK(refusal("TCP(options=[('MSS', 65536)])") ==
          "column 22: TCP option MSS cannot hold 65536 (largest 65535)");
    CHECK(refusal("DNS(an=DNSRR(type='A', rdata='nowhere'))") ==
          "column 24: a DNS record of type A holds an address, not \"nowhere\"");
    CHECK(refusal("DNS(an=DNSRR(type=16, rdata=[5]))").find("a TXT record holds strings") !=
          std::string::npos);
    CHECK(refusal("DNS(an=DNSRR(type=99, rdata=['a', 'b']))").find("not a list") != std::string::npos);
    CHECK(refusal("ICMPv6NDOptDNSSL(searchlist=[5])").find("a list of domain names, not of") !=
          std::string::npos);
    CHECK(refusal("DHCP(options=[('lease_time', 'long')])").find("takes a number") != std::string::npos);
    CHECK(refusal("DHCP(options=[('router', 'here')])").find("takes IPv4 addresses") != std::string::npos);
    CHECK(refusal("DHCP(options=[('hostname', 5)])").find("takes text or bytes") != std::string::npos);
    CHECK(refusal("DHCP(options=[('default_ttl', 256)])").find("cannot hold 256") != std::string::npos);
    CHECK(refusal("DHCP(options=[(250, b'" + std::string(256, 'x') + "')])").find("at most 255") !=
          std::string::npos);
    CHECK(refusal("SCTPChunkSACK(gap_ack_list=['2-4'])").find("a gap is") != std::string::npos);
    CHECK(refusal("SCTPChunkSACK(dup_tsn_list=['x'])").find("a list of numbers") != std::string::npos);
    CHECK(refusal("IP(options=[TCP()])").find("IP option") != std::string::npos);
    CHECK(refusal("IPOption_RR(routers=['x'])").find("a list of IPv4 addresses") != std::string::npos);
}

TEST_CASE("Lists that end in the middle of an entry show what they hold, and the rest as bytes") {
    struct {
        char const* text;
        char const* shown;
    } const cases[] = {
        {"IPOption_RR(length=8, routers=['1.2.3.4', b'x'])", "routers   = [1.2.3.4, b'x']"},
        {"IPv6ExtHdrRouting(addresses=['::1', b'x'])", "addresses = [ ::1, b'x' ]"},
        {"SCTPChunkSACK(n_gap_ack=0, dup_tsn_list=[1, 255])", "dup_tsn_list= [0x1, 0xff]"},
        {"SCTPChunkSACK(gap_ack_list=['1:2', '3:4'])", "gap_ack_list= ['1:2', '3:4']"},
        {"IP(options=[IPOption_NOP(), b'\\x83'])", "   |  b'\\x83"},
        {"DHCP(options=[('hostname', b'x'), b'\\x01'])", "options   = [hostname=b'x' b'\\x01']"},
        {"DHCP(options=[(250, b'x'), ('router', '1.2.3.4', '5.6.7.8')])",
         "options   = [250=b'x' router=1.2.3.4,5.6.7.8]"},
        {"BOOTP(chaddr=b'\\x02\\x00\\x00\\x00\\x00\\x01')", "chaddr    = 02:00:00:00:00:01 (+ 10 nul pad)"},
        {"BOOTP(chaddr=b'\\x02\\x00\\x00\\x00\\x00\\x01abcdefghij')",
         "chaddr    = 02:00:00:00:00:01 (pad: b'abcdefghij')"},
        {"BOOTP(htype=6, chaddr=b'abc')", "chaddr    = 'abc'"},
    };
    for (auto const& c : cases) {
        auto text = show(parse_packet(c.text));
        INFO(text);
        CHECK(text.find(c.shown) != std::string::npos);
    }
}

TEST_CASE("A packet inside an option may be written as layers") {
    auto layers = parse_packet("ICMPv6NDOptRedirectedHdr(pkt=IPv6(src='::1', dst='::2')/UDP())");
    auto inner = parse_packet("IPv6(src='::1', dst='::2')/UDP()").build();
    auto bytes = layers.build();
    CHECK(std::equal(inner.begin(), inner.end(), bytes.begin() + 8, bytes.end()));
    CHECK(parse_packet("Raw(load=UDP(dport=[1, 2]))").size() == 2);
}

TEST_CASE("Packets, fields and bytes print through fmt in each style") {
    packet p = IP{.dst = "192.0.2.1", .src = "192.0.2.2"} / TCP{.dport = 80, .flags = "SA"} / "a\n";
    CHECK(fmt::format("{}", p) == "IP / TCP 192.0.2.2:ftp_data > 192.0.2.1:http SA / Raw");
    CHECK(fmt::format("{:command}", p) == command(p));
    CHECK(fmt::format("{:show}", p) == show(p));
    CHECK(fmt::format("{:hex}", p) == hexdump(p.build()));
    CHECK(fmt::format("{} {:command}", IP{.dst = "192.0.2.1"}, TCP{.dport = 80}) ==
          summary(IP{.dst = "192.0.2.1"}) + " TCP(dport=80)");
    CHECK(fmt::format("{} {} {}", p.get<IP>().dst, p.get<TCP>().flags, p.get<Raw>().load) ==
          "192.0.2.1 SA a\\x0a");
    CHECK(fmt::format("{}", IP{.ttl = range(1, 9, 2)}.ttl) == "(1, 9, 2)");
    CHECK(fmt::format("{}", IP{}.ttl) == "64");
}

TEST_CASE("Ranges, lists and cut headers print and show as they are") {
    for (auto text : {"TCP(dport=[1, (5, 9), (10, 20, 5)])", "IP(dst=['10.0.0.0', Net('10.1.0.0/16')])",
                      "IP(dst='host.example')"})
        CHECK(command(parse_packet(text)) == text);
    CHECK(layers_to_json(parse_packet("IP(id=RandShort())")).find("\"id\":\"RandShort()\"") !=
          std::string::npos);
    auto cut = dissect(support::bytes("450000"), link_type::ipv4);
    CHECK(show(cut) == "###[ Raw ]### \n  load      = 'E\\x00\\x00'\n");
    packet copied;
    copied = parse_packet("IP(dst='10.0.0.1')");
    packet again = copied;
    copied = again;
    CHECK(command(copied) == "IP(dst='10.0.0.1')");
}

TEST_CASE("DHCP options in text are a list; what is none is refused as text, told with the place") {
    CHECK(refusal_of([] { return DHCP{.options = "'end'"}; }) ==
          "column 1: DHCP options are a list, [('message-type', 'discover'), 'end'], not text: text that the "
          "field cannot read");
    CHECK(refusal_of([] { return DHCP{.options = " ('message-type', 'discover')"}; }) ==
          "column 2: DHCP options are a list, [('message-type', 'discover'), 'end'], not a tuple: text that "
          "the field cannot read");
    for (auto other : {"None", "5", "b'x'", "-1", "True", "DHCP()", "DHCP()/DHCP()"})
        CHECK_THROWS_AS(dhcp_options(std::string_view(other)), error);
    CHECK_THROWS_AS(dhcp_options(std::string_view()), error);
    CHECK(support::hex(dhcp_options("['end']").view()) == "ff");
    CHECK_THROWS_AS(parse_packet("DHCP(options='end')"), error);
    CHECK(support::hex(parse_packet("DHCP(options=b'end')")) == "656e64");  // octets, as they are
    CHECK(support::hex(parse_packet("DHCP(options=('message-type', 'discover'))")) == "350101");
}

TEST_CASE("A list that a program writes holds the layers that an expression takes there, one packet each") {
    CHECK(refusal_of([] { return DNS{.an = DNSRR{.ttl = {1, 2}}}; }) ==
          "a list: the field holds no single value");
    CHECK(refusal_of([] { return DNS{.an = DNSRR{.ttl = range(1, 2)}}; }) ==
          "a range: the field holds no single value");
    CHECK(refusal_of([] { return DNS{.ar = DNSRROPT{.z = random_short()}}; }) ==
          "random: the field holds no single value");
    CHECK(refusal_of([] { return DNS{.an = TCP{}}; }) ==
          "the entries are DNSRR..(..) or bytes, not TCP: text that the field cannot read");
    CHECK(refusal_of([] { return edns_options(EDNS0TLV{.optcode = {1, 2}}); }) ==
          "a list: the field holds no single value");
    CHECK(refusal_of([] { return dns_questions(DNSQR{.qtype = {1, 2}}); }) ==
          "a list: the field holds no single value");
    CHECK(refusal_of([] { return igmp3_records(IGMPv3gr{.rtype = {1, 2}}); }) ==
          "a list: the field holds no single value");
    CHECK(refusal_of([] { return mpls_stack(MPLS{.label = {1, 2}}); }) ==
          "a list: the field holds no single value");
}

TEST_CASE("Layers inside layers are read once for each level, however deep") {
    // Read anew for each look at it, the innermost of 20 levels would be built 2^40 times.
    std::string text = "EDNS0TLV()";
    for (int level = 0; level < 20; ++level) text = "EDNS0TLV(optdata=DNS(ar=DNSRROPT(rdata=" + text + ")))";
    CHECK(parse_packet(text).build().size() == 4 + 20 * (4 + 12 + 17 + 4 + 11));
}
