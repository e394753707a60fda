// Who may answer what goes to many, and what comes from nobody.
#include "support/catch.hpp"

#include "layers/matching.hpp"

using namespace sonde;
using namespace support;

TEST_CASE("What a frame to all carries to one host is answered by that host alone") {
    std::string const ours = "Ether(src='02:00:00:00:00:01', dst=",
                      reply = "Ether(src='02:00:00:00:00:03', dst='02:00:00:00:00:01')/";
    auto to_all = ours + "'ff:ff:ff:ff:ff:ff')/", to_group = ours + "'33:33:00:00:00:01')/";
    auto check = [&](std::string const& to, std::string const& from) {
        return verdict(to_all + "IP(src='192.0.2.1', dst='" + to + "')/UDP(sport=1000, dport=7)",
                       reply + "IP(src='" + from + "', dst='192.0.2.1')/UDP(sport=7, dport=1000)",
                       link_type::ethernet);
    };
    CHECK(check("192.0.2.2", "192.0.2.2") == "yes");
    CHECK(check("192.0.2.2", "192.0.2.9") == "ip src 192.0.2.9, expected 192.0.2.2");
    CHECK(check("192.0.2.1", "192.0.2.9") == "ip src 192.0.2.9, expected 192.0.2.1");
    // A subnet's broadcast address: its host bits are ones (RFC 922, section 7), of which the smallest has 2.
    CHECK(check("192.0.2.255", "192.0.2.9") == "yes");
    CHECK(check("192.0.2.3", "192.0.2.2") == "yes");
    // Which no segment of TCP goes to.
    CHECK(verdict(to_all + "IP(src='192.0.2.1', dst='192.0.2.255')/TCP(sport=1000, dport=7, seq=1)",
                  reply + "IP(src='192.0.2.9', dst='192.0.2.1')/TCP(sport=7, dport=1000, flags='SA', ack=2)",
                  link_type::ethernet) == "ip src 192.0.2.9, expected 192.0.2.255");
    for (auto const& frame : {to_all, to_group}) {
        CHECK(verdict(frame + there6("ICMPv6EchoRequest(id=7)"),
                      reply + "IPv6(src='fe80::8', dst='fe80::1')/ICMPv6EchoReply(id=7)",
                      link_type::ethernet) == "ipv6 src fe80::8, expected fe80::9");
        CHECK(verdict(frame + "IPv6(src='fe80::1', dst='ff02::1')/ICMPv6EchoRequest(id=7)",
                      reply + "IPv6(src='fe80::8', dst='fe80::1')/ICMPv6EchoReply(id=7)",
                      link_type::ethernet) == "yes");
    }
}

TEST_CASE(
    "What comes from no host's address is no answer (RFC 1122, section 3.2.1.3; RFC 4291, section 2.7)") {
    auto reply = [](std::string const& from) {
        return "IP(src='" + from + "', dst='192.0.2.1')/ICMP(type=0, id=7)";
    };
    auto error = [](std::string const& from) {
        return "IP(src='" + from + "', dst='192.0.2.1')/ICMP(type=11)/IPerror(src='192.0.2.1', " +
               "dst='224.0.0.1')/ICMPerror(id=7)";
    };
    std::string const sent = "IP(src='192.0.2.1', dst='224.0.0.1')/ICMP(id=7)";
    CHECK(verdict(sent, reply("198.51.100.9")) == "yes");
    CHECK(verdict(sent, error("198.51.100.9")) == "yes");
    for (std::string from : {"224.0.0.1", "239.1.1.1", "255.255.255.255", "0.0.0.0"}) {
        CHECK(verdict(sent, reply(from)) == "ip src " + from + " is no host's");
        CHECK(verdict(sent, error(from)) == "ip src " + from + " is no host's");
    }
    auto through = [](std::string const& inner) { return back("GRE()/" + inner); };
    CHECK(verdict(there("GRE()/IP(src='192.0.2.1', dst='0.0.0.0')/ICMP(id=7)"), through(reply("0.0.0.0"))) ==
          "ip src 0.0.0.0 is no host's");

    std::string const sent6 = "IPv6(src='fe80::1', dst='ff02::1')/ICMPv6EchoRequest(id=7)";
    auto reply6 = [](std::string const& from) {
        return "IPv6(src='" + from + "', dst='fe80::1')/ICMPv6EchoReply(id=7)";
    };
    auto error6 = [](std::string const& from) {
        return "IPv6(src='" + from + "', dst='fe80::1')/ICMPv6TimeExceeded()/IPerror6(src='fe80::1', " +
               "dst='ff02::1')/ICMPv6EchoRequest(id=7)";
    };
    CHECK(verdict(sent6, reply6("fe80::9")) == "yes");
    CHECK(verdict(sent6, error6("fe80::9")) == "yes");
    for (std::string from : {"ff02::1", "ff0e::7", "::"}) {
        CHECK(verdict(sent6, reply6(from)) == "ipv6 src " + from + " is no host's");
        CHECK(verdict(sent6, error6(from)) == "ipv6 src " + from + " is no host's");
    }
}

TEST_CASE("Who has no address yet is heard with BOOTP and among listeners (RFC 2131, RFC 3376, RFC 3590)") {
    CHECK(verdict("IP(src='0.0.0.0', dst='255.255.255.255')/UDP(sport=68, dport=67)/BOOTP(xid=7)",
                  "IP(src='0.0.0.0', dst='255.255.255.255')/UDP(sport=67, dport=68)/BOOTP(op=2, xid=7)") ==
          "yes");
    CHECK(verdict("IPv6(src='fe80::1', dst='ff02::1', hlim=1)/ICMPv6MLQuery2()",
                  "IPv6(src='::', dst='ff02::16', hlim=1)/ICMPv6MLReport2()") == "yes");
}

TEST_CASE("IGMP: reports answer a query, each in the group that is its place (RFC 2236, RFC 3376)") {
    auto query = [](std::string const& message, std::string const& to = "224.0.0.1") {
        return "IP(src='192.0.2.1', dst='" + to + "', ttl=1)/" + message;
    };
    auto from = [](std::string const& to, std::string const& message) {
        return "IP(src='192.0.2.9', dst='" + to + "', ttl=1)/" + message;
    };
    auto report = [](std::string const& group, std::string const& type = "0x16") {
        return "IGMP(type=" + type + ", gaddr='" + group + "')";
    };
    auto records = [](std::string const& all) { return "IGMPv3(type=0x22)/IGMPv3mr(records=[" + all + "])"; };
    std::string const of1 = "IGMPv3gr(maddr='239.1.1.1', srcaddrs=['192.0.2.77'])",
                      of2 = "IGMPv3gr(maddr='239.1.1.2')";
    std::string const general[] = {"IGMP(mrcode=0)", "IGMP()", "IGMPv3()/IGMPv3mq()"},
                      specific[] = {"IGMP(gaddr='239.1.1.1')", "IGMPv3()/IGMPv3mq(gaddr='239.1.1.1')"};
    for (auto const& asks : general) {
        CAPTURE(asks);
        CHECK(verdict(query(asks), from("239.1.1.1", report("239.1.1.1", "0x12"))) == "yes");
        CHECK(verdict(query(asks), from("239.1.1.1", report("239.1.1.1"))) == "yes");
        CHECK(verdict(query(asks), from("224.0.0.22", records(of1))) == "yes");
        CHECK(verdict(query(asks), from("224.0.0.2", report("239.1.1.1"))) ==
              "igmp report to 224.0.0.2, expected to 239.1.1.1");
        CHECK(verdict(query(asks), from("192.0.2.1", report("192.0.2.1"))) ==
              "igmp report of 192.0.2.1, which is no group");
        CHECK(verdict(query(asks), from("224.0.0.2", records(of1))) ==
              "igmp report to 224.0.0.2, expected to 224.0.0.22");
        CHECK(verdict(query(asks), from("192.0.2.1", records(of1))) ==
              "igmp report to 192.0.2.1, expected to 224.0.0.22");
        // Another's query, and who leaves, to us or to whom they go.
        for (auto to : {"192.0.2.1", "224.0.0.1"}) {
            CHECK(verdict(query(asks), from(to, "IGMP()")) == "igmp type 17 is no report");
            CHECK(verdict(query(asks), from(to, "IGMPv3()/IGMPv3mq()")) == "igmp type 17 is no report");
        }
        CHECK(verdict(query(asks), from("224.0.0.2", report("239.1.1.1", "0x17"))) ==
              "igmp type 23 is no report");
        CHECK(verdict(query(asks), from("239.1.1.1", "ICMP(type=0)")) != "yes");
        CHECK(verdict(query(asks, "198.51.100.9"), from("239.1.1.1", report("239.1.1.1"))) ==
              "ip src 192.0.2.9, expected 198.51.100.9");
        CHECK(verdict(query(asks, "192.0.2.9"), from("239.1.1.1", report("239.1.1.1"))) == "yes");
    }
    for (auto const& asks : specific) {
        CAPTURE(asks);
        auto sent = query(asks, "239.1.1.1");
        CHECK(verdict(sent, from("239.1.1.1", report("239.1.1.1"))) == "yes");
        CHECK(verdict(sent, from("239.1.1.2", report("239.1.1.2"))) ==
              "igmp group 239.1.1.2, expected 239.1.1.1");
        CHECK(verdict(sent, from("224.0.0.22", records(of2 + ", " + of1))) == "yes");
        CHECK(verdict(sent, from("224.0.0.22", records(of2))) == "igmp report without a record of 239.1.1.1");
    }
    for (auto const& told : {report("239.1.1.1"), records(of1)})
        CHECK(verdict(query(told, "239.1.1.1"), from("239.1.1.1", report("239.1.1.1")))
                  .ends_with("is no query"));
}

TEST_CASE("IGMP: of a report that was cut short, what is there counts") {
    auto query = read("IP(src='192.0.2.1', dst='239.1.1.2', ttl=1)/IGMP(gaddr='239.1.1.2')", link_type::raw);
    auto report = parse_packet(
                      "IP(src='192.0.2.9', dst='224.0.0.22', ttl=1)/IGMPv3(type=0x22)/"
                      "IGMPv3mr(numgrp=3, records=[IGMPv3gr(maddr='239.1.1.1'), "
                      "IGMPv3gr(maddr='239.1.1.2')])")
                      .build();
    auto check = [&](std::size_t octets) {
        return verdict_on(query, dissect(std::span(report).first(octets), link_type::raw));
    };
    CHECK(check(report.size()) == "yes");
    CHECK(check(report.size() - 1) == "igmp report without a record of 239.1.1.2");
    for (auto octets : {28u, 26u, 24u}) CHECK(check(octets) != "yes");
    auto report2 =
        parse_packet("IP(src='192.0.2.9', dst='239.1.1.2')/IGMP(type=0x16, gaddr='239.1.1.2')").build();
    CHECK(verdict_on(query, dissect(std::span(report2).first(27), link_type::raw)) ==
          "igmp message cut short");
}

TEST_CASE("MLD reports come from the link: one hop, and a link-local source or none (RFC 2710, RFC 3810)") {
    auto query = "IPv6(src='fe80::1', dst='ff02::1', hlim=1)/ICMPv6MLQuery()";
    for (std::string hop : {"", "IPv6ExtHdrHopByHop(options=[RouterAlert()])/"})
        for (std::string report : {"ICMPv6MLReport(mladdr='ff02::5')",
                                   "ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(dst='ff02::5')])"}) {
            CAPTURE(hop, report);
            auto from = [&](std::string const& source, std::string const& hops) {
                return "IPv6(src='" + source + "', dst='ff02::5', hlim=" + hops + ")/" + hop + report;
            };
            CHECK(verdict(query, from("fe80::9", "1")) == "yes");
            CHECK(verdict(query, from("::", "1")) == "yes");
            CHECK(verdict(query, from("fe80::9", "64")) == "mld hop limit 64, expected 1");
            CHECK(verdict(query, from("2001:db8::9", "1")) ==
                  "mld listener 2001:db8::9 is no link-local address");
        }
}

TEST_CASE("A neighbour that advertises to a group was not solicited (RFC 4861, section 7.1.2)") {
    auto probe = "IPv6(src='::', dst='ff02::1:ff00:9', hlim=255)/ICMPv6ND_NS(tgt='fe80::9')";
    auto reply = [](std::string const& layers) {
        return "IPv6(src='fe80::9', dst='ff02::1', hlim=255)/" + layers;
    };
    CHECK(verdict(probe, reply("ICMPv6ND_NA(tgt='fe80::9', S=0)")) == "yes");
    CHECK(verdict(probe, reply("ICMPv6ND_NA(tgt='fe80::9', S=1)")) ==
          "nd advertisement to group ff02::1 says that it was solicited");
    CHECK(verdict(probe, reply("IPv6ExtHdrDestOpt()/ICMPv6ND_NA(tgt='fe80::9', S=1)")) ==
          "nd advertisement to group ff02::1 says that it was solicited");
    CHECK(verdict(there6("ICMPv6ND_NS(tgt='fe80::9')"), back6("ICMPv6ND_NA(tgt='fe80::9', S=1)")) == "yes");
    // Behind extension headers too, the hop limit shows that no router was passed.
    CHECK(verdict(there6("ICMPv6ND_NS(tgt='fe80::9')"),
                  back6("IPv6ExtHdrDestOpt()/ICMPv6ND_NA(tgt='fe80::9', S=1)", 64)) ==
          "nd hop limit 64, expected 255");
}

TEST_CASE(
    "Labels below IP belong to the way, not to the packet (RFC 3031, section 3.16; RFC 3032, section 2.3)") {
    std::string const ether = "Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02')/",
                      ether_back = "Ether(src='02:00:00:00:00:02', dst='02:00:00:00:00:01')/",
                      sent = there("UDP(sport=1000, dport=7)"), reply = back("UDP(sport=7, dport=1000)"),
                      error =
                          "IP(src='203.0.113.9', dst='192.0.2.1')/ICMP(type=11)/IPerror(src='192.0.2.1', "
                          "dst='198.51.100.9')/UDPerror(sport=1000, dport=7)";
    std::string const stacks[] = {"", "MPLS(label=16)/", "MPLS(label=17)/MPLS(label=18)/"};
    for (auto const& below : stacks)
        for (auto const& below_reply : stacks) {
            CAPTURE(below, below_reply);
            auto check = [&](std::string const& probe, std::string const& answer) {
                return verdict(ether + below + probe, ether_back + below_reply + answer, link_type::ethernet);
            };
            CHECK(check(sent, reply) == "yes");
            CHECK(check(sent, error) == "yes");
            CHECK(check(sent, back("UDP(sport=8, dport=1000)")) == "udp sport 8, expected 7");
            // The group is the outermost network layer's.
            CHECK(check("IP(src='192.0.2.1', dst='224.0.0.1')/ICMP(id=7)", back("ICMP(type=0, id=7)")) ==
                  "yes");
        }
}

TEST_CASE("A group inside a tunnel is one address, whatever lies below it there") {
    for (std::string below : {"Ether()/", "Ether()/Dot1Q(vlan=5)/", "MPLS(label=16)/"})
        CHECK(verdict(there("GRE()/" + below + "IP(src='10.0.0.1', dst='224.0.0.1')/ICMP(id=7)"),
                      back("GRE()/" + below + "IP(src='10.0.0.9', dst='10.0.0.1')/ICMP(type=0, id=7)")) ==
              "ip src 10.0.0.9, expected 224.0.0.1");
}
