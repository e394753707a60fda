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
