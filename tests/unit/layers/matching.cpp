// What is no answer, and why not: pairs of which one thing is wrong. Whatever answers has its probe's key.
#include "support/catch.hpp"

#include "layers/matching.hpp"

#include <sonde/layers/ip.hpp>

#include <fmt/format.h>

using namespace sonde;
using namespace support;

TEST_CASE("TCP: both ports, then the acknowledgement, then who may reset") {
    auto sent = there("TCP(sport=1000, dport=80, seq=100, flags='S')");
    auto reply = [](std::string const& fields) { return back("TCP(sport=80, dport=1000, " + fields + ")"); };
    CHECK(verdict(sent, reply("flags='SA', ack=101")) == "yes");
    CHECK(verdict(sent, back("TCP(sport=81, dport=1000, flags='SA', ack=101)")) ==
          "tcp sport 81, expected 80");
    CHECK(verdict(sent, back("TCP(sport=80, dport=999, flags='SA', ack=101)")) ==
          "tcp dport 999, expected 1000");
    CHECK(verdict(sent, reply("flags='SA', ack=103")) == "tcp ack 103, expected 101");
    CHECK(verdict(sent, reply("flags='RA', ack=101")) == "yes");
    CHECK(verdict(sent, reply("flags='R'")) == "tcp RST without ACK, to a segment without ACK");
    CHECK(verdict(sent, reply("flags='P'")) == "tcp segment without ACK acknowledges nothing");
    auto data = there("TCP(sport=1000, dport=80, seq=100, ack=7, flags='A')/'ab'");
    CHECK(verdict(data, reply("flags='R', seq=7")) == "yes");
    CHECK(verdict(data, reply("flags='R', seq=8")) == "tcp RST seq 8, expected 7");
    CHECK(verdict(data, reply("flags='SA', ack=102")) == "tcp SYN/ACK answers a SYN only");
    CHECK(verdict(there("TCP(sport=1000, dport=80, flags='R')"), reply("flags='A'")) ==
          "tcp RST is never answered");
    for (std::string flags : {"A", "FA", "PA", "UA"})
        CHECK(verdict(sent, reply("ack=101, flags='" + flags + "'")) ==
              "tcp segment without SYN answers no SYN");
    auto wraps = there("TCP(sport=1000, dport=80, seq=4294967295, flags='S')");
    CHECK(verdict(wraps, reply("flags='SA', ack=0")) == "yes");
}

TEST_CASE("ICMP: each query has its own reply, with the same id, number, data and time") {
    auto echo = there("ICMP(id=7, seq=3)/'data'");
    CHECK(verdict(echo, back("ICMP(type=0, id=7, seq=3)/'data'")) == "yes");
    CHECK(verdict(echo, back("ICMP(type=0, id=8, seq=3)/'data'")) == "icmp id 8, expected 7");
    CHECK(verdict(echo, back("ICMP(type=0, id=7, seq=4)/'data'")) == "icmp seq 4, expected 3");
    CHECK(verdict(echo, back("ICMP(type=0, id=7, seq=3)/'date'")) == "icmp echo data changed (RFC 792)");
    CHECK(verdict(echo, back("ICMP(type=14, id=7, seq=3)")) == "icmp type 14 does not answer type 8");
    for (auto [query, reply] : {std::pair(13, 14), {15, 16}, {17, 18}, {37, 38}}) {
        auto q = there("ICMP(type=" + std::to_string(query) + ", id=7, seq=3)");
        CHECK(verdict(q, back("ICMP(type=" + std::to_string(reply) + ", id=7, seq=3)")) == "yes");
        CHECK(verdict(q, back("ICMP(type=0, id=7, seq=3)")) ==
              "icmp type 0 does not answer type " + std::to_string(query));
    }
    CHECK(verdict(there("ICMP(type=13, ts_ori=5)"), back("ICMP(type=14, ts_ori=6)")) ==
          "icmp originate timestamp changed (RFC 792)");
    auto whole_echo = there("ICMP(id=1, seq=2)"), odd = there("ICMP(code=9, id=1, seq=2)");
    CHECK(verdict(whole_echo, back("ICMP(type=0, code=1, id=1, seq=2)")) == "icmp code 1, expected 0");
    CHECK(verdict(odd, back("ICMP(type=0, code=9, id=1, seq=2)")) == "yes");  // Linux repeats it
    CHECK(verdict(odd, back("ICMP(type=0, id=1, seq=2)")) == "yes");          // Windows does not
}

TEST_CASE("ICMPv6: echo by id and number, neighbours by the target, from the same link only") {
    auto echo = there6("ICMPv6EchoRequest(id=7, seq=3, data=b'x')");
    CHECK(verdict(echo, back6("ICMPv6EchoReply(id=7, seq=3, data=b'x')")) == "yes");
    auto const behind = there6("ICMPv6EchoRequest(id=7, seq=3)/'x'");  // the same on the wire
    CHECK(verdict(behind, back6("ICMPv6EchoReply(id=7, seq=3, data=b'x')")) == "yes");
    CHECK(verdict(behind, back6("ICMPv6EchoReply(id=7, seq=3, data=b'y')")) != "yes");
    CHECK(verdict(echo, back6("ICMPv6EchoReply(id=8, seq=3, data=b'x')")) == "icmpv6 id 8, expected 7");
    CHECK(verdict(echo, back6("ICMPv6EchoReply(id=7, seq=4, data=b'x')")) == "icmpv6 seq 4, expected 3");
    CHECK(verdict(echo, back6("ICMPv6EchoReply(id=7, seq=3, data=b'y')")) ==
          "icmpv6 echo data changed (RFC 4443 section 4.2)");
    CHECK(verdict(echo, back6("ICMPv6EchoRequest(id=7, seq=3, data=b'x')")) == "icmpv6 echo reply expected");
    auto asks = there6("ICMPv6ND_NS(tgt='fe80::9')");
    CHECK(verdict(asks, back6("ICMPv6ND_NA(tgt='fe80::9')")) == "yes");
    CHECK(verdict(asks, back6("ICMPv6ND_NA(tgt='fe80::8')")) == "nd target fe80::8, expected fe80::9");
    CHECK(verdict(asks, back6("ICMPv6ND_NA(tgt='fe80::9')", 254)) == "nd hop limit 254, expected 255");
    CHECK(verdict(asks, back6("ICMPv6ND_NA(tgt='fe80::9')/Raw(load=b'\\x02\\x00')")) ==
          "nd option of length 0, or cut short");
    CHECK(verdict(asks, back6("ICMPv6ND_NA(tgt='fe80::9', code=1)")) == "nd code 1, expected 0");
    CHECK(verdict(asks, back6("ICMPv6ND_NS(tgt='fe80::9')")) == "neighbour advertisement expected");
    CHECK(verdict(there6("ICMPv6ND_NA(tgt='fe80::9')"), back6("ICMPv6ND_NA(tgt='fe80::9')")) ==
          "ICMPv6ND_NA has no answer");
}

TEST_CASE("Routers, and neighbours of who has no address yet, answer all nodes (RFC 4861)") {
    auto from = [](std::string const& src, std::string const& dst, std::string const& layers) {
        return "IPv6(src='" + src + "', dst='" + dst + "', hlim=255)/" + layers;
    };
    auto asks = from("fe80::1", "ff02::2", "ICMPv6ND_RS()");
    CHECK(verdict(asks, from("fe80::9", "ff02::1", "ICMPv6ND_RA()")) == "yes");
    CHECK(verdict(asks, from("fe80::9", "fe80::1", "ICMPv6ND_RA()")) == "yes");
    CHECK(verdict(from("::", "ff02::2", "ICMPv6ND_RS()"), from("fe80::9", "ff02::1", "ICMPv6ND_RA()")) ==
          "yes");
    CHECK(verdict(asks, from("fe80::9", "ff02::2", "ICMPv6ND_RA()")) == "ipv6 dst ff02::2, expected fe80::1");
    CHECK(verdict(asks, from("2001:db8::9", "ff02::1", "ICMPv6ND_RA()")) ==
          "nd router 2001:db8::9 is no link-local address");
    CHECK(verdict(asks, "IPv6(src='fe80::9', dst='ff02::1', hlim=64)/ICMPv6ND_RA()") ==
          "nd hop limit 64, expected 255");
    CHECK(verdict(asks, from("fe80::9", "ff02::1", "ICMPv6ND_RA(code=1)")) == "nd code 1, expected 0");
    CHECK(verdict(asks, from("fe80::9", "ff02::1", "ICMPv6ND_RA()/Raw(load=b'\\x03\\x00')")) ==
          "nd option of length 0, or cut short");
    CHECK(
        verdict(asks, from("fe80::9", "ff02::1", "ICMPv6ND_RA()/ICMPv6NDOptMTU()/Raw(load=b'\\x03\\x00')")) ==
        "nd option of length 0, or cut short");
    auto probe = from("::", "ff02::1:ff00:9", "ICMPv6ND_NS(tgt='fe80::9')");
    CHECK(verdict(probe, from("fe80::9", "ff02::1", "ICMPv6ND_NA(tgt='fe80::9', S=0)")) == "yes");
    CHECK(verdict(there6("ICMPv6ND_NS(tgt='fe80::9')"),
                  from("fe80::9", "ff02::1", "ICMPv6ND_NA(tgt='fe80::9', S=0)")) ==
          "ipv6 dst ff02::1, expected fe80::1");
}

TEST_CASE("A query that was cut short has no answer") {
    auto cut = [](packet const& p, std::size_t octets) {
        auto bytes = p.build();
        bytes.resize(bytes.size() - octets);
        return dissect(bytes, link_type::raw);
    };
    auto echo = cut(parse_packet(there6("ICMPv6EchoRequest(id=0, seq=0)")), 4);
    auto reply = read(back6("ICMPv6EchoReply(id=0, seq=0)"), link_type::raw);
    CHECK(match(reply.view(), echo.view()).why == "icmpv6 header cut short");
}

TEST_CASE("Multicast listeners report the address they were asked for, or any to a general query") {
    auto query = [](std::string const& address) {
        return "IPv6(src='fe80::1', dst='ff02::1', hlim=1)/ICMPv6MLQuery(mladdr='" + address + "')";
    };
    auto report = "IPv6(src='fe80::9', dst='ff02::5', hlim=1)/ICMPv6MLReport(mladdr='ff02::5')";
    CHECK(verdict(query("::"), report) == "yes");
    CHECK(verdict(query("ff02::5"), report) == "yes");
    CHECK(verdict(query("ff02::6"), report) == "mld address ff02::5, expected ff02::6");
    CHECK(verdict(query("::"),
                  "IPv6(src='fe80::9', dst='ff02::16')/"
                  "ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(dst='ff02::5')])") == "yes");
    CHECK(verdict(query("::"), "IPv6(src='fe80::9', dst='ff02::2')/ICMPv6MLDone(mladdr='ff02::5')") ==
          "multicast listener report expected");
}

TEST_CASE("A query about one group is answered by a report that has a record of it (RFC 3810)") {
    auto report = [](std::string const& records) {
        return "IPv6(src='fe80::9', dst='ff02::16')/ICMPv6MLReport2(records=[" + records + "])";
    };
    std::string const of5 = "ICMPv6MLDMultAddrRec(dst='ff02::5', sources=['fe80::7', 'fe80::8'])",
                      of6 = "ICMPv6MLDMultAddrRec(dst='ff02::6', rtype=2, auxdata=b'four')";
    for (std::string message : {"ICMPv6MLQuery", "ICMPv6MLQuery2"}) {
        CAPTURE(message);
        auto asks = [&](std::string const& group) {
            return "IPv6(src='fe80::1', dst='" + (group == "::" ? "ff02::1" : group) + "', hlim=1)/" +
                   message + "(mladdr='" + group + "')";
        };
        CHECK(verdict(asks("ff02::5"), report(of5)) == "yes");
        CHECK(verdict(asks("ff02::6"), report(of6)) == "yes");
        CHECK(verdict(asks("ff02::6"), report(of5)) == "mld report without a record of ff02::6");
        CHECK(verdict(asks("ff02::7"), report(of6 + ", " + of5)) == "mld report without a record of ff02::7");
        CHECK(verdict(asks("ff02::5"), report("")) == "mld report without a record of ff02::5");
        for (auto const& both : {of5 + ", " + of6, of6 + ", " + of5}) {
            CHECK(verdict(asks("ff02::5"), report(both)) == "yes");
            CHECK(verdict(asks("ff02::6"), report(both)) == "yes");
        }
        CHECK(verdict(asks("::"), report(of5)) == "yes");
    }
    // More records are counted than there are, or fewer; the last one is cut short.
    auto cut = [](std::string const& more, std::size_t octets) {
        auto query =
            parse_packet("IPv6(src='fe80::1', dst='ff02::6')/ICMPv6MLQuery2(mladdr='ff02::6')").build();
        auto bytes =
            parse_packet("IPv6(src='fe80::9', dst='ff02::16')/ICMPv6MLReport2(" + more + ")").build();
        bytes.resize(bytes.size() - octets);
        return match(dissect(bytes, link_type::raw).view(), dissect(query, link_type::raw).view()).why;
    };
    auto records = "records=[" + of5 + ", " + of6 + "]";
    CHECK(cut(records + ", records_number=3", 0).empty());
    CHECK(cut(records + ", records_number=1", 0) == "mld report without a record of ff02::6");
    CHECK(cut(records, 1) == "mld report without a record of ff02::6");
    CHECK(cut(records, 24) == "mld report without a record of ff02::6");
}

TEST_CASE("ARP: who was asked answers who asked") {
    std::string ether = "Ether(src='02:00:00:00:00:01', dst='ff:ff:ff:ff:ff:ff')/";
    auto sent = ether + "ARP(hwsrc='02:00:00:00:00:01', psrc='192.0.2.1', pdst='192.0.2.9')";
    auto reply = [](std::string const& op, std::string const& hwsrc, std::string const& psrc,
                    std::string const& pdst) {
        return "Ether(src='02:00:00:00:00:09', dst='02:00:00:00:00:01')/ARP(op=" + op + ", hwsrc='" + hwsrc +
               "', psrc='" + psrc + "', hwdst='02:00:00:00:00:01', pdst='" + pdst + "')";
    };
    auto check = [&](auto... fields) { return verdict(sent, reply(fields...), link_type::ethernet); };
    auto host = "02:00:00:00:00:09";
    CHECK(check("2", host, "192.0.2.9", "192.0.2.1") == "yes");
    CHECK(check("1", host, "192.0.2.9", "192.0.2.1") == "arp op 1, expected 2");
    CHECK(check("2", host, "192.0.2.8", "192.0.2.1") == "arp psrc 192.0.2.8, expected 192.0.2.9");
    CHECK(check("2", host, "192.0.2.9", "192.0.2.2") == "arp pdst 192.0.2.2, expected 192.0.2.1");
    CHECK(check("2", "ff:ff:ff:ff:ff:ff", "192.0.2.9", "192.0.2.1") ==
          "arp hwsrc ff:ff:ff:ff:ff:ff is no host's");
}

TEST_CASE(
    "An ARP answer has the question's kinds of addresses, and names its sender's or nobody's (RFC 826)") {
    auto check = [](std::string const& question, std::string const& answer) {
        std::string const ether = "Ether(dst='ff:ff:ff:ff:ff:ff')/ARP(psrc='192.0.2.";
        return verdict(ether + "1', pdst='192.0.2.9'" + question + ")",
                       ether + "9', pdst='192.0.2.1', op=2, hwsrc='02:00:00:00:00:09'" + answer + ")",
                       link_type::ethernet);
    };
    std::string const ours = ", hwsrc='02:00:00:00:00:01'", to_us = ", hwdst='02:00:00:00:00:01'";
    CHECK(check(ours, to_us) == "yes");
    CHECK(check(ours, to_us + ", hwtype=6") == "arp hwtype 0x6, expected 0x1");
    CHECK(check(ours, to_us + ", ptype=0x86dd") == "arp ptype 0x86dd, expected 0x800");
    CHECK(check(ours + ", hwtype=6", to_us + ", hwtype=6") == "yes");
    auto with_length = [](std::size_t at) {
        constexpr std::size_t ether = 14;
        auto sent = parse_packet("Ether()/ARP(psrc='192.0.2.1', pdst='192.0.2.9')").build(), told = sent;
        told[ether + 7] = std::byte(2), told[ether + at] = std::byte(3);
        return match(dissect(told, link_type::ethernet).view(), dissect(sent, link_type::ethernet).view())
            .why;
    };
    CHECK(with_length(4) == "arp hwlen 0x3, expected 0x6");
    CHECK(with_length(5) == "arp plen 0x3, expected 0x4");
    CHECK(check(ours, ", hwdst='02:00:00:00:00:02'") ==
          "arp hwdst 02:00:00:00:00:02, expected 02:00:00:00:00:01");
    CHECK(check(ours, ", hwdst='01:00:5e:00:00:01'") ==
          "arp hwdst 01:00:5e:00:00:01, expected 02:00:00:00:00:01");
    CHECK(check(ours, ", hwdst='ff:ff:ff:ff:ff:ff'") == "yes");
    CHECK(check(ours, ", hwdst='00:00:00:00:00:00'") == "yes");
    // Who did not say its own is answered at whatever the frame tells.
    CHECK(check("", to_us) == "yes");
}

TEST_CASE("Reverse and inverse ARP are answered by whom the hardware address names (RFC 903, RFC 2390)") {
    auto arp = [](std::string const& fields) {
        return "Ether(src='02:00:00:00:00:01', dst='ff:ff:ff:ff:ff:ff')/ARP(" + fields + ")";
    };
    auto check = [](auto const& sent, auto const& received) {
        return verdict(sent, received, link_type::ethernet);
    };
    auto reverse = arp("op=3, hwsrc='02:00:00:00:00:01', hwdst='02:00:00:00:00:01', psrc='0.0.0.0'");
    auto told = [&](std::string const& hwdst) {
        return arp("op=4, hwsrc='02:00:00:00:00:09', psrc='192.0.2.9', pdst='192.0.2.1', hwdst='" + hwdst +
                   "'");
    };
    CHECK(check(reverse, told("02:00:00:00:00:01")) == "yes");
    CHECK(check(reverse, told("02:00:00:00:00:02")) ==
          "arp hwdst 02:00:00:00:00:02, expected 02:00:00:00:00:01");
    auto inverse =
        arp("op=8, hwsrc='02:00:00:00:00:01', psrc='192.0.2.1', hwdst='02:00:00:00:00:09', pdst='0.0.0.0'");
    auto is = [&](std::string const& hwsrc, std::string const& pdst) {
        return arp("op=9, psrc='192.0.2.9', hwdst='02:00:00:00:00:01', hwsrc='" + hwsrc + "', pdst='" + pdst +
                   "'");
    };
    CHECK(check(inverse, is("02:00:00:00:00:09", "192.0.2.1")) == "yes");
    CHECK(check(inverse, is("02:00:00:00:00:08", "192.0.2.1")) ==
          "arp hwsrc 02:00:00:00:00:08, expected 02:00:00:00:00:09");
    CHECK(check(inverse, is("02:00:00:00:00:09", "192.0.2.2")) == "arp pdst 192.0.2.2, expected 192.0.2.1");
    CHECK(check(is("02:00:00:00:00:09", "192.0.2.1"), inverse) == "arp op 9 asks nothing");
    CHECK(check(told("02:00:00:00:00:01"), reverse) == "arp op 4 asks nothing");
}

TEST_CASE("DNS: id and question; multicast DNS by what the records are about") {
    auto sent = there("UDP(sport=4000, dport=53)/DNS(id=7, qd=DNSQR(qname='a.example'))");
    auto reply = [](std::string const& fields) {
        return back("UDP(sport=53, dport=4000)/DNS(qr=1, " + fields + ")");
    };
    CHECK(verdict(sent, reply("id=7, qd=DNSQR(qname='A.example')")) == "yes");
    CHECK(verdict(sent, reply("id=8, qd=DNSQR(qname='a.example')")) == "dns id 8, expected 7");
    CHECK(verdict(sent, reply("id=7, opcode=2, qd=DNSQR(qname='a.example')")) == "dns opcode 2, expected 0");
    CHECK(verdict(sent, reply("id=7, qd=DNSQR(qname='b.example')")) ==
          "dns question b.example., expected a.example.");
    CHECK(verdict(sent, reply("id=7, qd=DNSQR(qname='a.example', qtype=16)")) ==
          "dns question of type 16 class 1, expected 1 1");
    CHECK(verdict(sent, reply("id=7, rcode=1, qd=None")) == "yes");
    CHECK(verdict(sent, reply("id=7, qd=None")) == "dns response without the question");

    auto asks =
        "IP(src='192.0.2.1', dst='224.0.0.251')/UDP(sport=5353, dport=5353)/"
        "DNS(qd=DNSQR(qname='printer.local'))";
    auto tells = [](std::string const& records) {
        return "IP(src='192.0.2.9', dst='224.0.0.251')/UDP(sport=5353, dport=5353)/DNS(qr=1, id=0, qd=None, "
               "an=" +
               records + ")";
    };
    CHECK(verdict(asks, tells("DNSRR(rrname='other.local', rdata='192.0.2.8')/"
                              "DNSRR(rrname='printer.local', rdata='192.0.2.9')")) == "yes");
    CHECK(verdict(asks,
                  "IP(src='192.0.2.9', dst='192.0.2.1')/UDP(sport=5353, dport=5353)/DNS(qr=1, id=0, qd=None, "
                  "an=DNSRR(rrname='printer.local', rdata='192.0.2.9'))") == "yes");  // to one alone
    CHECK(
        verdict(
            "IPv6(src='fe80::1', dst='ff02::fb')/UDP(sport=5353, dport=5353)/DNS(qd=DNSQR(qname='p.local'))",
            "IPv6(src='fe80::9', dst='ff02::fb')/UDP(sport=5353, dport=5353)/DNS(qr=1, id=0, qd=None, "
            "an=DNSRR(rrname='p.local', rdata='192.0.2.9'))") == "yes");
    CHECK(verdict(there("UDP(sport=7, dport=8)"),
                  "IP(src='198.51.100.9', dst='224.0.0.251')/UDP(sport=8, dport=7)") ==
          "ip dst 224.0.0.251, expected 192.0.2.1");
    CHECK(verdict(asks, tells("DNSRR(rrname='other.local', rdata='192.0.2.8')")) ==
          "no answer about printer.local.");
    CHECK(verdict(asks, tells("DNSRR(rrname='printer.local', type='TXT', rdata=['x'])")) ==
          "no answer about printer.local.");
}

TEST_CASE("A DNS response repeats all questions of its query, in their order") {
    auto sent = [](std::string const& fields) {
        return there("UDP(sport=4000, dport=53)/DNS(id=7, " + fields + ")");
    };
    auto reply = [](std::string const& fields) {
        return back("UDP(sport=53, dport=4000)/DNS(qr=1, id=7, " + fields + ")");
    };
    std::string const a = "DNSQR(qname='a.example')", b = "DNSQR(qname='b.example')",
                      txt = "DNSQR(qname='b.example', qtype='TXT')";
    auto two = sent("qd=" + a + "/" + b), one = sent("qd=" + a);
    CHECK(verdict(two, reply("qd=" + a + "/DNSQR(qname='B.EXAMPLE')")) == "yes");
    CHECK(verdict(two, reply("qd=" + a + "/DNSQR(qname='c.example')")) ==
          "dns question c.example., expected b.example.");
    CHECK(verdict(two, reply("qd=" + a + "/" + txt)) == "dns question of type 16 class 1, expected 1 1");
    CHECK(verdict(two, reply("qd=" + b + "/" + a)) == "dns question b.example., expected a.example.");
    CHECK(verdict(two, reply("qd=" + a)) == "dns questions 1, expected 2");
    CHECK(verdict(one, reply("qd=" + a + "/" + b)) == "dns questions 2, expected 1");
    CHECK(verdict(one, reply("qd=" + a + ", qdcount=2")) == "dns questions 2, expected 1");
    CHECK(verdict(two, reply("qd=" + a + ", qdcount=2")) == "dns questions cut short");
    CHECK(verdict(two, reply("qd=None, rcode=5")) == "yes");
    CHECK(verdict(two, reply("qd=None")) == "dns response without the question");
    // Of a probe that says more than it has, what is there is compared.
    CHECK(verdict(sent("qdcount=2, qd=" + a), reply("qdcount=2, qd=" + a)) == "yes");
    // Both names are one in the response, the second a pointer to the first.
    auto compressed = parse_packet(reply("qdcount=2, qd=DNSQR(qname='a.example')")).build();
    for (unsigned octet : {0xc0u, 12u, 0u, 1u, 0u, 1u}) compressed.push_back(static_cast<std::byte>(octet));
    for (auto at : {2u, 20u + 4u})  // both lengths
        compressed[at + 1] = static_cast<std::byte>(std::to_integer<unsigned>(compressed[at + 1]) + 6);
    auto same = read(sent("qd=" + a + "/" + a), link_type::raw), other = read(two, link_type::raw);
    CHECK(match(dissect(compressed, link_type::raw).view(), same.view()).value == match_verdict::yes);
    CHECK(match(dissect(compressed, link_type::raw).view(), other.view()).why ==
          "dns question a.example., expected b.example.");
}

TEST_CASE("A probe to a group that is seen again is no answer to itself, with a message or without") {
    for (std::string message : {"", "/DNS(qd=DNSQR(qname='a.example'))", "/'text'"}) {
        auto sent = "IP(src='192.0.2.1', dst='224.0.0.251')/UDP(sport=5353, dport=5353)" + message;
        auto sent6 = "IPv6(src='fe80::1', dst='ff02::fb')/UDP(sport=5353, dport=5353)" + message;
        CHECK(verdict(sent, sent) != "yes");
        CHECK(verdict(sent6, sent6) != "yes");
    }
    auto tunnel = "IP(src='192.0.2.1', dst='224.0.0.251')/UDP(sport=5353, dport=6633)/VXLAN(vni=7)";
    CHECK(verdict(tunnel, tunnel) != "yes");
    for (std::string message : {"", "/BOOTP(xid=7)", "/'text'"}) {
        auto sent = "IP(src='0.0.0.0', dst='255.255.255.255')/UDP(sport=68, dport=67)" + message;
        CHECK(verdict(sent, sent) != "yes");
        auto one_port = "IP(src='0.0.0.0', dst='255.255.255.255')/UDP(sport=67, dport=67)" + message;
        CHECK(verdict(one_port, one_port) != "yes");
    }
}

TEST_CASE("A probe that is routed to a group has the key of one to many") {
    auto sent =
        "IPv6(src='2001:db8::1', dst='2001:db8::2')/IPv6ExtHdrRouting(addresses=['ff0e::9'])/"
        "ICMPv6EchoRequest(id=7)";
    auto reply = "IPv6(src='2001:db8::9', dst='2001:db8::1')/ICMPv6EchoReply(id=7)";
    CHECK(verdict(sent, reply) == "yes");
}

TEST_CASE("An answer that is routed on to somebody else is none of ours") {
    auto sent = "IPv6(src='2001:db8::1', dst='2001:db8::9')/ICMPv6EchoRequest(id=7)";
    auto reply = [](std::string const& last) {
        return "IPv6(src='2001:db8::9', dst='2001:db8::1')/IPv6ExtHdrRouting(addresses=['" + last +
               "'], segleft=1)/ICMPv6EchoReply(id=7)";
    };
    CHECK(verdict(sent, reply("2001:db8::77")) == "ipv6 dst 2001:db8::77, expected 2001:db8::1");
    CHECK(verdict(sent, reply("2001:db8::1")) == "yes");
}

TEST_CASE("BOOTP, NTP and SCTP answer what carries their number") {
    auto discover =
        "IP(src='0.0.0.0', dst='255.255.255.255')/UDP(sport=68, dport=67)/"
        "BOOTP(xid=7)/DHCP(options=[('message-type', 'discover'), 'end'])";
    auto offer = [](std::string const& fields) {
        return "IP(src='192.0.2.9', dst='255.255.255.255')/UDP(sport=67, dport=68)/BOOTP(" + fields +
               ")/DHCP(options=[('message-type', 'offer'), 'end'])";
    };
    CHECK(verdict(discover, offer("op=2, xid=7")) == "yes");
    CHECK(
        verdict(discover,
                "IP(src='192.0.2.9', dst='192.0.2.77')/UDP(sport=67, dport=68)/BOOTP(op=2, xid=7)/DHCP()") ==
        "yes");  // at the address that is offered
    CHECK(verdict(there("UDP(sport=68, dport=67)/BOOTP(xid=7)"), offer("op=2, xid=7")) ==
          "ip dst 255.255.255.255, expected 192.0.2.1");
    CHECK(verdict(discover, offer("op=2, xid=8")) == "bootp xid 0x8, expected 0x7");
    CHECK(verdict(discover, offer("op=2, xid=7, chaddr=b'other'")) == "bootp chaddr is another client's");
    CHECK(verdict(discover, offer("op=1, xid=7")) == "bootp op 1 does not answer op 1");

    auto asks = there("UDP(sport=123, dport=123)/NTPHeader(mode=3, sent=5)");
    CHECK(verdict(asks, back("UDP(sport=123, dport=123)/NTPHeader(mode=4, orig=5)")) == "yes");
    CHECK(verdict(asks, back("UDP(sport=123, dport=123)/NTPHeader(mode=4, orig=6)")) ==
          "ntp origin timestamp is not our transmit timestamp");
    CHECK(verdict(asks, back("UDP(sport=123, dport=123)/NTPHeader(mode=5, orig=5)")) ==
          "ntp mode 5, expected 4");
    CHECK(verdict(there("UDP(sport=123, dport=123)/NTPHeader(mode=5)"),
                  back("UDP(sport=123, dport=123)/NTPHeader(mode=4)")) == "ntp mode 5 has no answer");

    auto init = there("SCTP(sport=1000, dport=7)/SCTPChunkInit(init_tag=9)");
    CHECK(verdict(init, back("SCTP(sport=7, dport=1000, tag=9)/SCTPChunkInitAck()")) == "yes");
    CHECK(verdict(init, back("SCTP(sport=8, dport=1000, tag=9)/SCTPChunkInitAck()")) ==
          "sctp sport 8, expected 7");
    CHECK(verdict(init, back("SCTP(sport=7, dport=999, tag=9)/SCTPChunkInitAck()")) ==
          "sctp dport 999, expected 1000");
    CHECK(verdict(init, back("SCTP(sport=7, dport=1000, tag=8)/SCTPChunkInitAck()")) ==
          "sctp tag 0x8, expected 0x9");
    CHECK(verdict(init, back("SCTP(sport=7, dport=1000, tag=9)/SCTPChunkInit()")) ==
          "an sctp INIT is no answer");
    CHECK(verdict(init, back("SCTP(sport=7, dport=1000, tag=9)/SCTPChunkAbort()")) == "yes");
    // Whoever guesses: an INIT has no tag that could be reflected (RFC 9260 §8.4).
    CHECK(verdict(init, back("SCTP(sport=7, dport=1000, tag=0)/SCTPChunkAbort(TCB=1)")) ==
          "sctp tag 0x0, expected 0x9");
}

TEST_CASE("DHCP: an offer answers a discovery, an acknowledgement or a refusal a request (RFC 2131)") {
    auto message = [](int op, std::string const& type, std::string const& more = "") {
        return (op == 1 ? "IP(src='0.0.0.0', dst='255.255.255.255')/UDP(sport=68, dport=67)/BOOTP(op=1"
                        : "IP(src='192.0.2.9', dst='255.255.255.255')/UDP(sport=67, dport=68)/BOOTP(op=2") +
               std::string(", xid=7)/DHCP(options=[('message-type', '") + type + "'), " + more + "'end'])";
    };
    auto check = [&](std::string const& asked, std::string const& told) {
        return verdict(message(1, asked), message(2, told));
    };
    CHECK(check("discover", "offer") == "yes");
    CHECK(check("request", "ack") == "yes");
    CHECK(check("request", "nak") == "yes");
    CHECK(check("inform", "ack") == "yes");
    CHECK(check("discover", "nak") == "dhcp message type 6 does not answer type 1");
    CHECK(check("discover", "ack") == "dhcp message type 5 does not answer type 1");
    CHECK(check("request", "offer") == "dhcp message type 2 does not answer type 3");
    CHECK(check("inform", "nak") == "dhcp message type 6 does not answer type 8");
    CHECK(check("release", "ack") == "dhcp message type 5 does not answer type 7");
    // RFC 4039: who asks for it is told at once.
    CHECK(verdict(message(1, "discover", "(80, b''), "), message(2, "ack", "(80, b''), ")) == "yes");
}

TEST_CASE("SCTP: a heartbeat is acknowledged with what it said (RFC 9260, section 8.3)") {
    auto beat = [](std::string const& chunk, std::string const& info) {
        return "SCTPChunkHeartbeat" + chunk + "(params=[SCTPChunkParamHeartbeatInfo(data=b'" + info + "')])";
    };
    auto sent = there("SCTP(sport=1000, dport=7, tag=5)/" + beat("Req", "cookie"));
    auto reply = "SCTP(sport=7, dport=1000, tag=6)/";
    CHECK(verdict(sent, back(reply + beat("Ack", "cookie"))) == "yes");
    CHECK(verdict(sent, back(reply + beat("Ack", "cookiE"))) == "sctp heartbeat information changed");
    CHECK(verdict(sent, back(reply + beat("Ack", ""))) == "sctp heartbeat information changed");
    CHECK(verdict(sent, back("SCTP(sport=7, dport=1000, tag=5)/SCTPChunkAbort(TCB=1)")) == "yes");
}

TEST_CASE("SCTP: a chunk is answered by those that RFC 9260 answers it with") {
    auto check = [](std::string const& asked, std::string const& told) {
        return verdict(there("SCTP(sport=1000, dport=7, tag=5)/" + asked),
                       back("SCTP(sport=7, dport=1000, tag=9)/" + told));
    };
    std::string const init = "SCTPChunkInit(init_tag=9)";
    for (auto chunk : {"InitAck", "Abort", "ShutdownAck"})
        CHECK(check(init, "SCTPChunk" + std::string(chunk) + "()") == "yes");
    CHECK(check(init, "SCTPChunkError()/SCTPChunkAbort()") == "yes");
    CHECK(check(init, "SCTPChunkError()") == "sctp chunk type 9 does not answer type 1");
    CHECK(check(init, "SCTPChunkHeartbeatReq()") == "sctp chunk type 4 does not answer type 1");
    CHECK(check(init, "SCTPChunkCookieAck()") == "sctp chunk type 11 does not answer type 1");
    CHECK(check(init, "SCTPChunkShutdownComplete()") == "sctp chunk type 14 does not answer type 1");
    CHECK(check(init, "Raw(load=b'\\xc1\\x00\\x00\\x04')") == "sctp chunk type 193 does not answer type 1");
    CHECK(check(init, "''") == "sctp packet without a chunk");

    auto all = {"Data",        "SACK",  "HeartbeatReq", "HeartbeatAck", "Abort",           "Shutdown",
                "ShutdownAck", "Error", "CookieEcho",   "CookieAck",    "ShutdownComplete"};
    auto answered_by = [&](std::string const& asked) {
        std::string answers;
        for (std::string told : all)
            if (check("SCTPChunk" + asked + "()", "SCTPChunk" + told + "()") == "yes") answers += told + " ";
        return answers;
    };
    CHECK(answered_by("CookieEcho") == "Abort Error CookieAck ");
    CHECK(answered_by("HeartbeatReq") == "HeartbeatAck Abort ");
    CHECK(answered_by("Data") == "SACK Abort Shutdown Error ");
    CHECK(answered_by("Shutdown") == "Abort ShutdownAck ");
    for (std::string asked : {"InitAck", "SACK", "ShutdownAck", "Error"}) {
        INFO(asked);
        CHECK(answered_by(asked).size() == answered_by("ShutdownAck").size());
        CHECK(answered_by(asked).find("ShutdownComplete") != std::string::npos);
    }
    // Bundles: any of what was asked, by any of what is told, behind chunks of unknown types too.
    CHECK(check("SCTPChunkCookieEcho()/SCTPChunkData(data=b'x')", "SCTPChunkSACK()") == "yes");
    CHECK(check("SCTPChunkData(data=b'x')", "SCTPChunkHeartbeatReq()/SCTPChunkSACK()") == "yes");
    std::string const unknown = "\\xc1\\x00\\x00\\x05xyzw", cookie_ack = "\\x0b\\x00\\x00\\x04";
    CHECK(check("SCTPChunkCookieEcho()", "Raw(load=b'" + unknown + cookie_ack + "')") == "yes");
    CHECK(check("SCTPChunkCookieEcho()", "Raw(load=b'" + cookie_ack + "')") == "yes");
    CHECK(check("SCTPChunkCookieEcho()", "Raw(load=b'" + unknown + "\\x0e\\x00\\x00\\x00')") ==
          "sctp chunk type 193 does not answer type 10");
    CHECK(check("SCTPChunkSACK()", "''") == "yes");
}

TEST_CASE(
    "SCTP: an ICMP error quotes the probe's tag, and its INIT's own as far as it goes (RFC 9260, section "
    "10)") {
    auto check = [](std::string const& sent, std::string const& quoted, std::size_t octets) {
        auto quote = parse_packet(there(quoted)).build();
        constexpr std::size_t ip = 20;
        std::string load;
        for (auto b : std::span(quote).first(std::min(ip + octets, quote.size())))
            load += fmt::format("\\x{:02x}", std::to_integer<unsigned>(b));
        return verdict(there(sent),
                       "IP(src='10.5.0.1', dst='192.0.2.1')/ICMP(type=3, code=2)/Raw(load=b'" + load + "')");
    };
    auto packet = [](std::string const& tag, std::string const& chunk) {
        return "SCTP(sport=1000, dport=7, tag=" + tag + ")/" + chunk;
    };
    auto sack = packet("5", "SCTPChunkSACK()"), init = packet("0", "SCTPChunkInit(init_tag=9)");
    constexpr std::size_t whole = 1000, least = 8, before_tag = 19, with_tag = 20;
    for (auto octets : {whole, least}) {
        CHECK(check(sack, sack, octets) == "yes");
        CHECK(check(sack, packet("6", "SCTPChunkSACK()"), octets) == "quoted SCTP tag 0x6, expected 0x5");
        CHECK(check(init, init, octets) == "yes");
        CHECK(check(init, packet("9", "SCTPChunkInit(init_tag=9)"), octets) ==
              "quoted SCTP tag 0x9, expected 0x0");
    }
    for (auto octets = least; octets <= 40; ++octets) CHECK(check(init, init, octets) == "yes");
    CHECK(check(sack, sack, least - 1) == "the quote ends before it ties to the probe");
    auto other = packet("0", "SCTPChunkInit(init_tag=8)");
    CHECK(check(init, other, whole) == "quoted SCTPChunkInit init_tag 0x8, expected 0x9");
    CHECK(check(init, other, with_tag) == "quoted SCTPChunkInit init_tag 0x8, expected 0x9");
    CHECK(check(init, other, before_tag) == "yes");
    CHECK(check(init, packet("0", "SCTPChunkAbort()"), whole) ==
          "quotes SCTPChunkAbort, expected SCTPChunkInit");
}

TEST_CASE("Tags, protocols and layers that differ are told") {
    std::string ether = "Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:09')/";
    std::string ether_back = "Ether(src='02:00:00:00:00:09', dst='02:00:00:00:00:01')/";
    auto sent = ether + "Dot1Q(vlan=5)/" + there("ICMP()");
    auto reply = back("ICMP(type=0)");
    CHECK(verdict(sent, ether_back + "Dot1Q(vlan=5)/" + reply, link_type::ethernet) == "yes");
    CHECK(verdict(sent, ether_back + "Dot1Q(vlan=6)/" + reply, link_type::ethernet) == "vlan 6, expected 5");
    CHECK(verdict(sent, ether_back + reply, link_type::ethernet) == "vlan none, expected 5");
    CHECK(verdict(sent, ether_back + "Dot1Q(vlan=6)/Dot1Q(vlan=5)/" + reply, link_type::ethernet) ==
          "vlan 6, 5, expected 5");
    auto urgent = ether + "Dot1Q(vlan=0, prio=5)/" + there("ICMP()");  // a priority, no VLAN
    CHECK(verdict(urgent, ether_back + reply, link_type::ethernet) == "yes");
    CHECK(verdict(ether + there("ICMP()"), ether_back + "Dot1Q(vlan=0)/" + reply, link_type::ethernet) ==
          "yes");
    CHECK(verdict(urgent, ether_back + "Dot1Q(vlan=5)/" + reply, link_type::ethernet) ==
          "vlan 5, expected none");
    CHECK(verdict(ether + "Dot1AD(vlan=2)/" + there("ICMP()"), ether_back + "Dot1AD(vlan=2)/" + reply,
                  link_type::ethernet) == "yes");
    for (std::string tunnel : {"GRE()/", "UDP(sport=4000, dport=4789)/VXLAN(vni=7)/"})
        for (std::string tag : {"Dot1Q", "Dot1AD"}) {
            auto inside = [&](std::string const& vlan, std::string const& layers) {
                return tunnel + "Ether()/" + tag + "(vlan=" + vlan + ")/" + layers;
            };
            auto back_inside = [&](std::string const& vlan) { return back(inside(vlan, reply)); };
            auto tagged = there(inside("5", there("ICMP()")));
            INFO(tagged);
            CHECK(verdict(tagged, back_inside("5")) == "yes");
            CHECK(verdict(tagged, back_inside("6")) == "vlan 6, expected 5");
        }
    CHECK(verdict(there("GRE()/Ether()/Dot1AD(vlan=5)/" + there("ICMP()")),
                  back("GRE()/Ether()/Dot1Q(vlan=5)/" + reply)) == "Dot1Q found, Dot1AD expected");
    CHECK(verdict(there("ICMP()"), back6("ICMPv6EchoReply()")) == "IPv6 found, IP expected");
    CHECK(verdict("IP(src='192.0.2.1', dst='255.255.255.255')/ICMP()",
                  "IP(src='198.51.100.77', dst='192.0.2.1')/ICMP(type=0)") == "yes");
}

TEST_CASE(
    "An ICMP error inside a tunnel is of the packet inside, and comes through the tunnel of the probe") {
    std::string const tunnels[] = {"GRE()/", "", "UDP(sport=4789, dport=4789)/VXLAN(vni=5)/Ether()/"};
    for (auto const& tunnel : tunnels) {
        CAPTURE(tunnel);
        auto through = [&](std::string const& from, std::string const& to, std::string const& inner) {
            return "IP(src='" + from + "', dst='" + to + "')/" + tunnel + inner;
        };
        std::string const inner = "(src='10.0.0.1', dst='10.9.0.7', ttl=1, id=5)/UDP",
                          ports = "(sport=1000, dport=7)";
        auto sent = through("192.0.2.1", "198.51.100.9", "IP" + inner + ports);
        auto quote = [&](std::string const& who) { return "/ICMP(type=11)/IPerror" + who + "error" + ports; };
        auto error = "IP(src='10.5.0.1', dst='10.0.0.1')" + quote(inner);
        CHECK(verdict(sent, through("198.51.100.9", "192.0.2.1", error)) == "yes");
        CHECK(verdict(sent, through("198.51.100.8", "192.0.2.1", error)) ==
              "ip src 198.51.100.8, expected 198.51.100.9");
        CHECK(verdict(sent, through("198.51.100.9", "192.0.2.1",
                                    "IP(src='10.5.0.1', dst='10.0.0.2')" + quote(inner))) ==
              "ip dst 10.0.0.2, expected 10.0.0.1");
        CHECK(verdict(sent, through("198.51.100.9", "192.0.2.1",
                                    "IP(src='10.5.0.1', dst='10.0.0.1')" +
                                        quote("(src='10.0.0.1', dst='10.9.0.8', ttl=1, id=5)/UDP"))) ==
              "quoted dst 10.9.0.8, expected 10.9.0.7");
        // Outside the tunnel it quotes the tunnel.
        CHECK(verdict(sent, "IP(src='10.5.0.1', dst='10.0.0.1')" + quote(inner)) != "yes");
    }
    auto other = back(
        "GRE(proto=0x86dd)/IPv6(src='fe80::5', dst='fe80::1')/ICMPv6TimeExceeded()/"
        "IPerror6(src='fe80::1', dst='fe80::9')/UDPerror(sport=1, dport=2)");
    CHECK(verdict(there("GRE()/IP(dst='10.0.0.1')/UDP(sport=1, dport=2)"), other) != "yes");
    CHECK(verdict(there("GRE(proto=0x86dd)/IPv6(src='fe80::1', dst='fe80::9')/UDP(sport=1, dport=2)"),
                  other) == "yes");
    CHECK(verdict(there("GRE()/'no packet'"), back("GRE()/IP(src='10.0.0.2', dst='10.0.0.1')/ICMP(type=11)/"
                                                   "IPerror(dst='10.0.0.2')/UDPerror()")) ==
          "quotes IP, expected Raw");
}

TEST_CASE("Where a source route leads is who answers; a router on the way tells of errors (RFC 791)") {
    std::string const route = "options=[IPOption_LSRR(routers=['198.51.100.2', '198.51.100.3'])]";
    auto sent = "IP(src='192.0.2.1', dst='198.51.100.1', id=7, " + route + ")/UDP(sport=1000, dport=7)";
    auto reply = [](std::string const& from) {
        return "IP(src='" + from + "', dst='192.0.2.1')/UDP(sport=7, dport=1000)";
    };
    CHECK(verdict(sent, reply("198.51.100.3")) == "yes");
    CHECK(verdict(sent, reply("198.51.100.1")) == "ip src 198.51.100.1, expected 198.51.100.3");
    // The answer comes by the same way back, whose stops are used up.
    CHECK(verdict(sent,
                  "IP(src='198.51.100.3', dst='192.0.2.1', options=[IPOption_LSRR(pointer=12, "
                  "routers=['198.51.100.2', '198.51.100.1'])])/UDP(sport=7, dport=1000)") == "yes");
    auto used_up =
        "IP(src='198.51.100.3', dst='192.0.2.1', options=[IPOption_LSRR(pointer=12, "
        "routers=['198.51.100.2', '198.51.100.1'])])/UDP(sport=7, dport=1000, chksum=";
    CHECK(checksums_hold(read(used_up + std::string("0xfb7)"), link_type::raw).view()));
    CHECK_FALSE(checksums_hold(read(used_up + std::string("0xfb6)"), link_type::raw).view()));
    // At its second stop.
    auto error =
        "IP(src='198.51.100.2', dst='192.0.2.1')/ICMP(type=3, code=5)/"
        "IPerror(src='192.0.2.1', dst='198.51.100.2', id=7, options=[IPOption_LSRR(pointer=8, "
        "routers=['198.51.100.99', '198.51.100.3'])])/UDPerror(sport=1000, dport=7)";
    CHECK(verdict(sent, error) == "yes");
    CHECK(verdict("IP(src='192.0.2.1', dst='198.51.100.1', id=7)/UDP(sport=1000, dport=7)", error) ==
          "quoted dst 198.51.100.3, expected 198.51.100.1");
}

TEST_CASE("Routers that are solicited advertise, to who asked or to all hosts (RFC 1256)") {
    auto sent = "IP(src='192.0.2.1', dst='224.0.0.2', ttl=1)/ICMP(type=10)";
    auto reply = [](std::string const& to, int type) {
        return "IP(src='192.0.2.254', dst='" + to + "', ttl=1)/ICMP(type=" + std::to_string(type) + ")";
    };
    CHECK(verdict(sent, reply("224.0.0.1", 9)) == "yes");
    CHECK(verdict(sent, reply("192.0.2.1", 9)) == "yes");
    CHECK(verdict(sent, reply("255.255.255.255", 9)) == "yes");
    CHECK(verdict(sent, reply("192.0.2.2", 9)) == "ip dst 192.0.2.2, expected 192.0.2.1");
    CHECK(verdict(sent, reply("192.0.2.1", 0)) == "icmp type 0 does not answer type 10");
    CHECK(verdict(sent, reply("192.0.2.1", 10)) == "icmp type 10 does not answer type 10");
}

TEST_CASE("A packet whose own IP header cannot be is discarded, so it answers nothing (RFC 1122)") {
    auto sent = there("UDP(sport=1000, dport=7)/'text'");
    auto reply = [](std::string const& fields) {
        return "IP(src='198.51.100.9', dst='192.0.2.1', " + fields + ")/UDP(sport=7, dport=1000)/'text'";
    };
    CHECK(verdict(sent, reply("len=32"), link_type::ipv4) == "yes");
    for (auto version : {"0", "5", "6", "15"})
        CHECK(verdict(sent, reply("version=" + std::string(version)), link_type::ipv4) ==
              "ip version " + std::string(version) + ", expected 4");
    CHECK(verdict(sent, reply("ihl=4")) == "ip header length 4, expected 5 at least");
    CHECK(verdict(sent, reply("ihl=0")) == "ip header length 0, expected 5 at least");
    CHECK(verdict(sent, reply("ihl=15")) == "ip header cut short");
    CHECK(verdict(sent, reply("len=19")) == "ip len 19, expected 20 at least");
    CHECK(verdict(sent, reply("len=0")) == "ip len 0, expected 20 at least");
    // As the kernel leaves segments that it joined to more than a length can say.
    auto joined = [&](std::size_t octets) {
        auto bytes = parse_packet(back("TCP(sport=80, dport=1000, flags='A', ack=100)")).build();
        bytes[2] = bytes[3] = std::byte(0);
        bytes.resize(octets);
        auto s = read(there("TCP(sport=1000, dport=80, seq=100, flags='A')"), link_type::raw);
        return match(dissect(bytes, link_type::raw).view(), s.view()).why;
    };
    CHECK(joined(65536) == "");
    CHECK(joined(65535) == "ip len 0, expected 20 at least");
    auto sent6 = there6("UDP(sport=1000, dport=7)");
    auto reply6 = [](std::string const& version) {
        return "IPv6(src='fe80::9', dst='fe80::1', version=" + version + ")/UDP(sport=7, dport=1000)";
    };
    CHECK(verdict(sent6, reply6("6"), link_type::ipv6) == "yes");
    CHECK(verdict(sent6, reply6("4"), link_type::ipv6) == "ipv6 version 4, expected 6");
}

TEST_CASE("Headers inside a tunnel, and the one that brings an ICMP error, must be possible too") {
    auto through = [](std::string const& layers) { return there("GRE()/" + layers); };
    auto back_through = [](std::string const& layers) { return back("GRE()/" + layers); };
    auto sent = through("IP(src='10.0.0.1', dst='10.0.0.9')/UDP(sport=1000, dport=7)");
    auto reply = [&](std::string const& fields) {
        return back_through("IP(src='10.0.0.9', dst='10.0.0.1'" + fields + ")/UDP(sport=7, dport=1000)");
    };
    CHECK(verdict(sent, reply("")) == "yes");
    CHECK(verdict(sent, reply(", version=5")) == "ip version 5, expected 4");
    CHECK(verdict(sent, reply(", ihl=4")) == "ip header length 4, expected 5 at least");
    auto vxlan = [](std::string const& udp) {
        return "UDP(sport=9, dport=4789" + udp + ")/VXLAN()/Ether()/";
    };
    CHECK(verdict(there(vxlan("") + there("ICMP()")), back(vxlan(", len=7") + back("ICMP(type=0)"))) ==
          "udp len 7, at least 8");

    std::string const error =
        ")/ICMP(type=11)/IPerror(src='10.0.0.1', dst='10.0.0.9')/"
        "UDPerror(sport=1000, dport=7)";
    std::string const router = "IP(src='10.5.0.1', dst='10.0.0.1'";
    CHECK(verdict(sent, back_through(router + error)) == "yes");
    CHECK(verdict(sent, back_through(router + ", version=6" + error)) == "ip version 6, expected 4");
    auto inside = sent.substr(sent.find("GRE()/") + 6);
    CHECK(verdict(inside, router + error) == "yes");
    CHECK(verdict(inside, router + ", ihl=4" + error) == "ip header length 4, expected 5 at least");
    auto error6 = [](std::string const& version) {
        return "IPv6(src='fe80::5', dst='fe80::1', version=" + version +
               ")/ICMPv6TimeExceeded()/"
               "IPerror6(src='fe80::1', dst='fe80::9')/UDPerror(sport=1, dport=2)";
    };
    auto sent6 = there6("UDP(sport=1, dport=2)");
    CHECK(verdict(sent6, error6("6"), link_type::ipv6) == "yes");
    CHECK(verdict(sent6, error6("5"), link_type::ipv6) == "ipv6 version 5, expected 6");
}

TEST_CASE("A TCP header has 5 words at least, and lies inside its segment (RFC 9293, section 3.1)") {
    auto sent = there("TCP(sport=1000, dport=80, seq=0, flags='S')");
    auto reply = [](std::string const& dataofs, std::string const& options = "[]") {
        return back("TCP(sport=80, dport=1000, flags='SA', ack=1, dataofs=" + dataofs +
                    ", options=" + options + ")");
    };
    CHECK(verdict(sent, reply("5")) == "yes");
    CHECK(verdict(sent, reply("6", "[('MSS', 1460)]")) == "yes");
    for (auto words : {"0", "3", "4"})
        CHECK(verdict(sent, reply(words)) ==
              "tcp header length " + std::string(words) + ", expected 5 at least");
    CHECK(verdict(sent, reply("6")) == "tcp header length 6, in a segment of 20 bytes");
    CHECK(verdict(sent, reply("15", "[('MSS', 1460)]")) == "tcp header length 15, in a segment of 24 bytes");
}

TEST_CASE("An error about one fragment ends the probe that is that fragment, not another of the packet") {
    auto fragment = [](int at) {
        return "IP(src='192.0.2.1', dst='198.51.100.9', proto=17, id=7, frag=" + std::to_string(at) +
               ")/Raw(load=b'0123456789abcdef')";
    };
    auto about = [&](int at) {
        return "IP(src='203.0.113.1', dst='192.0.2.1')/ICMP(type=11)/IPerror(src='192.0.2.1', "
               "dst='198.51.100.9', "
               "proto=17, id=7, frag=" +
               std::to_string(at) + ")/Raw(load=b'01234567')";
    };
    CHECK(verdict(fragment(4), about(4)) == "yes");
    CHECK(verdict(fragment(4), about(5)) == "quoted fragment offset 5, expected 4");
}

TEST_CASE(
    "TCP: who is told where the other end is answers from there on, within the largest window (RFC 9293, "
    "section 3.10.7.4)") {
    auto sent = [](std::string const& ack, std::string const& flags = "A") {
        return there("TCP(sport=1000, dport=80, seq=100, ack=" + ack + ", flags='" + flags + "')");
    };
    auto reply = [](std::string const& seq, std::string const& ack = "100") {
        return back("TCP(sport=80, dport=1000, flags='A', seq=" + seq + ", ack=" + ack + ")");
    };
    CHECK(verdict(sent("500"), reply("500")) == "yes");
    CHECK(verdict(sent("500"), reply("501")) == "yes");
    CHECK(verdict(sent("500"), reply("1073742323")) == "yes");
    CHECK(verdict(sent("500"), reply("1073742324")) == "tcp seq 1073742324, expected from 500");
    CHECK(verdict(sent("500"), reply("1342177280")) == "tcp seq 1342177280, expected from 500");
    // What it asks with whether we are alive, and what it sends once more.
    CHECK(verdict(sent("500"), reply("499")) == "yes");
    CHECK(verdict(sent("500"), reply("4294902260")) == "yes");
    CHECK(verdict(sent("500"), reply("4294902259")) == "tcp seq 4294902259, expected from 500");
    CHECK(verdict(sent("4294967295"), reply("5")) == "yes");
    // Who opens tells nothing about the other end, nor does who has not heard of it.
    CHECK(verdict(sent("500", "SA"), reply("1342177280", "101")) == "yes");
    auto s = read(sent("500"), link_type::raw), r = read(reply("1342177280"), link_type::raw);
    CHECK(verdict_on(s, r, true) == "yes");
}

TEST_CASE(
    "Multicast DNS: an answer to any of the questions, of its class, answers (RFC 6762, sections 5.3, 5.4)") {
    auto asks = [](std::string const& questions, int port = 5353) {
        return "IP(src='192.0.2.1', dst='224.0.0.251')/UDP(sport=" + std::to_string(port) +
               ", dport=5353)/DNS(id=0, qd=" + questions + ")";
    };
    auto tells = [](std::string const& message, std::string const& to = "224.0.0.251", int port = 5353) {
        return "IP(src='192.0.2.9', dst='" + to + "')/UDP(sport=5353, dport=" + std::to_string(port) +
               ")/DNS(qr=1, id=0, " + message + ")";
    };
    auto record = [&](std::string const& name, std::string const& more = "") {
        return tells("qd=None, an=DNSRR(rrname='" + name + "', rdata='192.0.2.9'" + more + ")");
    };
    std::string const a = "DNSQR(qname='a.local')", b = "DNSQR(qname='b.local')";
    CHECK(verdict(asks(a + "/" + b), record("a.local")) == "yes");
    CHECK(verdict(asks(a + "/" + b), record("b.local")) == "yes");
    CHECK(verdict(asks(a + "/" + b), record("c.local")) == "no answer about a.local. or b.local.");
    CHECK(verdict(asks(a), record("b.local")) == "no answer about a.local.");
    // The top bit of a class is none of its: unicast is wanted there, the cache to be flushed here.
    std::string const unicast = "DNSQR(qname='a.local', qclass=0x8001)";
    CHECK(verdict(asks(unicast), record("a.local")) == "yes");
    CHECK(verdict(asks(a), record("a.local", ", rclass=0x8001")) == "yes");
    CHECK(verdict(asks(a), record("a.local", ", rclass=3")) == "no answer about a.local.");
    CHECK(verdict(asks("DNSQR(qname='a.local', qclass=255)"), record("a.local", ", rclass=3")) == "yes");
    // To an ordinary resolver it repeats the question (section 6.7).
    CHECK(verdict(asks(unicast, 4000), tells("qd=" + a, "192.0.2.1", 4000)) == "yes");
    CHECK(verdict(asks(a, 4000), tells("qd=DNSQR(qname='a.local', qclass=3)", "192.0.2.1", 4000)) ==
          "dns question of type 1 class 3, expected 1 1");
    CHECK(verdict(there("UDP(sport=4000, dport=53)/DNS(qd=" + unicast + ")"),
                  back("UDP(sport=53, dport=4000)/DNS(qr=1, qd=" + a + ")")) ==
          "dns question of type 1 class 1, expected 1 32769");
}

TEST_CASE("A probe that is seen again is no answer, nor is what a cooked capture says that we sent") {
    for (std::string sent : {"IP(src='127.0.0.1', dst='127.0.0.1')/UDP(sport=5000, dport=5000)/'text'",
                             "IP(src='127.0.0.1', dst='127.0.0.1', proto=99)/'text'",
                             "IPv6(src='::1', dst='::1')/UDP(sport=5000, dport=5000)"}) {
        CAPTURE(sent);
        CHECK(verdict(sent, sent) == "the probe itself");
        // Padded, and to another address on the link.
        std::string const ether = "Ether(dst='02:00:00:00:00:0";
        CHECK(verdict(ether + "1')/" + sent, ether + "2')/" + sent + "/Padding(load=b'zz')",
                      link_type::ethernet) == "the probe itself");
    }
    CHECK(verdict("IP(src='127.0.0.1', dst='127.0.0.1', id=1)/UDP(sport=5000, dport=5000)",
                  "IP(src='127.0.0.1', dst='127.0.0.1', id=2)/UDP(sport=5000, dport=5000)") == "yes");
    for (auto [cooked, link] :
         {std::pair("CookedLinux", link_type::linux_sll), {"CookedLinuxV2", link_type::linux_sll2}}) {
        auto frame = [&](int type, std::string const& layers) {
            return cooked + std::string("(pkttype=") + std::to_string(type) + ")/" + layers;
        };
        for (int type : {0, 1, 2, 3})
            CHECK(verdict(frame(4, there("ICMP(id=7)")), frame(type, back("ICMP(type=0, id=7)")), link) ==
                  "yes");
        CHECK(verdict(frame(4, there("ICMP(id=7)")), frame(4, back("ICMP(type=0, id=7)")), link) ==
              "a frame that went out (packet type 4)");
    }
}

TEST_CASE("Why not is told as it is") {
    auto tcp = [](std::string const& flags) { return "TCP(sport=80, dport=1000, flags='" + flags + "')"; };
    for (auto flags : {"S", "F", ""})
        CHECK(verdict(there("TCP(sport=1000, dport=80, flags='" + std::string(flags) + "')"),
                      back(tcp("R"))) == "tcp RST without ACK, to a segment without ACK");
    auto cut = [](std::string const& sent, std::string const& reply, std::size_t octets) {
        auto bytes = parse_packet(reply).build();
        bytes.resize(bytes.size() - octets);
        return verdict_on(read(sent, link_type::raw), dissect(bytes, link_type::raw));
    };
    CHECK(cut(there("ICMP(id=7)/'data'"), back("ICMP(type=0, id=7)/'data'"), 1) ==
          "icmp echo data of 3 bytes, expected 4");
    CHECK(verdict(there("ICMP(id=7)/'data'"), back("ICMP(type=0, id=7)/'datas'")) ==
          "icmp echo data of 5 bytes, expected 4");
    CHECK(cut(there("ICMP(type=13, ts_ori=5)"), back("ICMP(type=14, ts_ori=5)"), 9) ==
          "icmp header cut short");
    CHECK(cut(there6("ICMPv6EchoRequest(data=b'data')"), back6("ICMPv6EchoReply(data=b'data')"), 1) ==
          "icmpv6 echo data of 3 bytes, expected 4");
    CHECK(cut(there("UDP(sport=4000, dport=53)/DNS(qd=DNSQR(qname='a.example'))"),
              back("UDP(sport=53, dport=4000)/DNS(qr=1, qd=DNSQR(qname='a.example'))"),
              1) == "dns questions cut short");
    CHECK(verdict(there("UDP(sport=1, dport=2)"),
                  "IP(src='203.0.113.9', dst='192.0.2.1')/ICMP(type=5)/IPerror(src='192.0.2.1', "
                  "dst='198.51.100.9')/UDPerror(sport=1, dport=2)") == "icmp type 5 ends no probe");
}
