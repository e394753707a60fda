// What the kernel's ping socket can send of a packet, and how its probes are told apart.
#include "net/echo.hpp"
#include "support/catch.hpp"

#include <sonde/sonde.hpp>

#include <set>

using namespace sonde;
using namespace sonde::detail;

namespace {

/// RFC 2113.
constexpr std::array router_alert{std::byte(0x94), std::byte(4), std::byte(0), std::byte(0)};

/// The field that stands in the way; "none", or "no echo".
std::string obstacle(packet const& p) {
    auto request = as_echo_request(outgoing(p));
    if (!request) return "no echo";
    return request->obstacle.empty() ? "none" : std::string(request->obstacle);
}

}  // namespace

TEST_CASE(
    "an echo request goes through a ping socket with any addresses, TTL, TOS, DF, sequence number and "
    "payload") {
    CHECK(obstacle(IP{.dst = "192.0.2.1"} / ICMP{}) == "none");
    CHECK(
        obstacle(IP{.dst = "192.0.2.1", .src = "192.0.2.2", .ttl = 1, .proto = 1, .tos = 255, .flags = "DF"} /
                 ICMP{.seq = 7} / "payload") == "none");
    CHECK(obstacle(IPv6{.dst = "2001:db8::1", .src = "2001:db8::2", .hlim = 1, .tc = 3} /
                   ICMPv6EchoRequest{.seq = 7, .data = "payload"}) == "none");
    CHECK(as_echo_request(outgoing(packet(IP{} / ICMP{})))->id == 0);
    CHECK(as_echo_request(outgoing(packet(IP{} / ICMP{.id = 7})))->id == 7);
    CHECK(as_echo_request(outgoing(packet(IPv6{} / ICMPv6EchoRequest{.id = 8})))->id == 8);
}

TEST_CASE("what the kernel would write itself, or cannot, is named; other packets are no echo requests") {
    CHECK(obstacle(IP{.id = 1} / ICMP{}) == "IP.id");
    CHECK(obstacle(IP{.len = 99} / ICMP{}) == "IP.len");
    CHECK(obstacle(IP{.chksum = 0} / ICMP{}) == "IP.chksum");
    CHECK(obstacle(IP{.ihl = 6} / ICMP{}) == "IP.options");
    CHECK(obstacle(IP{.options = std::span<std::byte const>(router_alert)} / ICMP{}) == "IP.options");
    CHECK(obstacle(IP{.flags = "MF"} / ICMP{}) == "IP.flags");
    CHECK(obstacle(IP{.frag = 1} / ICMP{}) == "IP.frag");
    CHECK(obstacle(IP{.ttl = 0} / ICMP{}) == "IP.ttl");
    CHECK(obstacle(IP{.proto = 2} / ICMP{}) == "IP.proto");
    CHECK(obstacle(IP{.version = 5} / ICMP{}) == "IP.version");
    CHECK(obstacle(IP{} / ICMP{.code = 1}) == "ICMP.code");
    CHECK(obstacle(IP{} / ICMP{.chksum = 0}) == "ICMP.chksum");
    CHECK(obstacle(IP{} / ICMP{.id = 0}) == "an ICMP id of 0");
    CHECK(obstacle(IPv6{.fl = 1} / ICMPv6EchoRequest{}) == "IPv6.fl");
    CHECK(obstacle(IPv6{.plen = 1} / ICMPv6EchoRequest{}) == "IPv6.plen");
    CHECK(obstacle(IPv6{.nh = 6} / ICMPv6EchoRequest{}) == "IPv6.nh");
    CHECK(obstacle(IPv6{} / ICMPv6EchoRequest{.code = 1}) == "ICMPv6EchoRequest.code");
    CHECK(obstacle(IPv6{} / ICMPv6EchoRequest{.cksum = 1}) == "ICMPv6EchoRequest.cksum");
    CHECK(obstacle(IP{} / ICMP{.type = 13}) == "no echo");
    CHECK(obstacle(IP{} / TCP{}) == "no echo");
    CHECK(obstacle(IPv6{} / IPv6ExtHdrDestOpt{} / ICMPv6EchoRequest{}) == "no echo");
    CHECK(obstacle(Ether{} / IP{} / ICMP{}) == "no echo");
}

TEST_CASE("draws of one ICMP id give it each time, and 65536 different sequence numbers") {
    identity_source all(secret_key{1, 2});
    echo_draws draws(all, 4711);
    std::set<unsigned> sequences;
    for (unsigned i = 0; i < 65536; ++i) {
        auto d = draws.draw();
        REQUIRE(all.id(d) == 4711);
        sequences.insert(all.sequence(d));
    }
    CHECK(sequences.size() == 65536);
}
