#include "support/catch.hpp"

#include <sonde/packet/expression.hpp>
#include <sonde/packet/match.hpp>

using namespace sonde;

namespace {

packet received(std::string_view expression) {
    return dissect(parse_packet(expression).build(), link_type::ipv4);
}

/// As it leaves: built, with the layers that it was made of.
packet sent(std::string_view expression) {
    auto p = parse_packet(expression);
    return packet::from_parts(p.build(), {p.layers().begin(), p.layers().end()});
}

/// True when the answer is found where the table keeps the probe.
bool is_found(packet const& answer, packet const& probe, key_reach reach = key_reach::ports) {
    secret_key const secret{1, 2};
    auto keys = keys_of_answer(answer.view(), secret);
    return keys.contain(key_of_probe(probe.view(), secret, false, reach), false);
}

bool is_answer(packet const& answer, packet const& probe) {
    return match(answer.view(), probe.view()).value == match_verdict::yes;
}

constexpr auto query = "IP(src='192.0.2.1', dst='192.0.2.2')/UDP(sport=1024, dport=53)";
constexpr auto reply = "IP(src='192.0.2.2', dst='192.0.2.1')/UDP(sport=53, dport=1024)/DNS(id=7, qr=1)";

}  // namespace

TEST_CASE("An answer that reads as more layers than its probe is found under the probe's key") {
    auto answer = received(reply);
    for (auto probe : {sent(query), sent(std::string(query) + "/b'not quite DNS'")}) {
        CHECK(is_answer(answer, probe));
        CHECK(is_found(answer, probe));
    }
    auto bytes = sent("IP(src='192.0.2.1', dst='192.0.2.2', proto=17)/b'a datagram as bytes'");
    CHECK(is_answer(answer, bytes));
    CHECK(is_found(answer, bytes));
}

TEST_CASE("An ICMP error that quotes 8 bytes of a DNS query is found under the query's key") {
    auto probe = sent(std::string(query) + "/DNS(id=7)");
    auto error = received(
        "IP(src='192.0.2.9', dst='192.0.2.1')/ICMP(type=3, code=3)/"
        "IPerror(src='192.0.2.1', dst='192.0.2.2')/UDPerror(sport=1024, dport=53, len=36)");
    REQUIRE(is_answer(error, probe));
    CHECK(is_found(error, probe));
}

TEST_CASE(
    "Probes of one source port that differ in their DNS ids share a key up to the ports, and have keys of "
    "their "
    "own above") {
    auto seven = sent(std::string(query) + "/DNS(id=7)"), eight = sent(std::string(query) + "/DNS(id=8)");
    auto answer =
        received(std::string(reply).replace(std::string_view(reply).find("qr=1"), 4, "qr=1, qd=DNSQR()"));
    CHECK(is_found(answer, seven));
    CHECK(is_found(answer, eight));
    CHECK(is_found(answer, seven, key_reach::above));
    CHECK_FALSE(is_found(answer, eight, key_reach::above));
    CHECK(is_answer(answer, seven));
    CHECK_FALSE(is_answer(answer, eight));
}

TEST_CASE("A quote that ends before the 8 bytes of RFC 792 ties to no probe") {
    auto probe = sent("IP(src='192.0.2.1', dst='192.0.2.2')/ICMP(id=5, seq=6)");
    auto quote = parse_packet("IP(src='192.0.2.1', dst='192.0.2.2', len=28)/ICMP(id=5, seq=6)").build();
    for (std::size_t size : {22, 26, 28}) {
        auto error = parse_packet("IP(src='192.0.2.9', dst='192.0.2.1')/ICMP(type=11)") /=
            packet(std::string_view(reinterpret_cast<char const*>(quote.data()), size));
        auto answer = dissect(error.build(), link_type::ipv4);
        CHECK(is_answer(answer, probe) == (size == 28));
    }
}

TEST_CASE("Why a packet is no answer is told in printable ASCII") {
    auto probe = sent("IPv6(src='2001:db8::1', dst='2001:db8::2')/ICMPv6EchoRequest(data=b'x')");
    auto answer = parse_packet("IPv6(src='2001:db8::2', dst='2001:db8::1')/ICMPv6EchoReply(data=b'y')");
    auto verdict = match(dissect(answer.build(), link_type::ipv6).view(), probe.view());
    CHECK(verdict.value == match_verdict::no);
    CHECK(verdict.why == "icmpv6 echo data changed (RFC 4443 section 4.2)");
}

TEST_CASE("A group inside a tunnel is answered by the group's own address only, a group outside by anybody") {
    auto is_answered = [](std::string const& lower_sent, std::string const& lower_received) {
        auto probe = sent(lower_sent + "IP(src='192.0.2.1', dst='230.1.1.1')/UDP(sport=1024, dport=9)");
        auto answer =
            received(lower_received + "IP(src='203.0.113.7', dst='192.0.2.1')/UDP(sport=9, dport=1024)");
        return is_answer(answer, probe);
    };
    CHECK(is_answered("", ""));
    CHECK_FALSE(is_answered("IP(src='10.0.0.1', dst='10.0.0.2')/", "IP(src='10.0.0.2', dst='10.0.0.1')/"));
}
