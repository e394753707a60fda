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
