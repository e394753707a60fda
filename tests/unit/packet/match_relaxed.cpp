#include "support/catch.hpp"

#include <sonde/layers/dns.hpp>
#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/match.hpp>

using namespace sonde;

namespace {

constexpr auto here = "198.51.100.1", there = "198.18.0.9";

IP out() {
    return {.dst = std::string_view(there), .src = std::string_view(here)};
}
IP back() {
    return {.dst = std::string_view(here), .src = std::string_view(there)};
}

struct judged {
    bool strict, relaxed, equal_keys;
    friend bool operator==(judged const&, judged const&) = default;
};
std::ostream& operator<<(std::ostream& out, judged const& j) {
    return out << "strict " << j.strict << ", relaxed " << j.relaxed << ", equal keys " << j.equal_keys;
}

judged judge(packet const& reply, packet const& sent) {
    auto r = dissect(reply.build(), link_type::raw), s = dissect(sent.build(), link_type::raw);
    auto relaxed = s.view();
    relaxed.relaxed = true;
    secret_key const secret{1, 2};
    auto keys = keys_of_answer(r.view(), secret, true);
    return {match(r.view(), s.view()).value == match_verdict::yes,
            match(r.view(), relaxed).value == match_verdict::yes,
            keys.contain(key_of_probe(relaxed, secret, false), false)};
}

constexpr judged only_relaxed{false, true, true};

}  // namespace

TEST_CASE("A relaxed UDP probe takes an answer from any port of its target") {
    auto sent = out() / UDP{.dport = 69, .sport = 4000};
    CHECK(judge(back() / UDP{.dport = 4000, .sport = 3000}, sent) == only_relaxed);
    CHECK(judge(back() / UDP{.dport = 4000, .sport = 69}, sent) == judged{true, true, true});
    CHECK_FALSE(judge(back() / UDP{.dport = 4001, .sport = 69}, sent).relaxed);
    CHECK_FALSE(judge(IP{.dst = "198.51.100.1", .src = "198.18.0.8"} / UDP{.dport = 4000, .sport = 69}, sent)
                    .relaxed);
}

TEST_CASE("A relaxed TCP probe takes acknowledgements that are off by two, across the wrap too") {
    auto sent = out() / TCP{.dport = 80, .sport = 4000, .flags = "S", .seq = 0xffffffff};
    auto reply = [](std::uint32_t ack, char const* flags) {
        return back() / TCP{.dport = 4000, .sport = 80, .flags = std::string_view(flags), .ack = ack};
    };
    CHECK(judge(reply(0, "SA"), sent) == judged{true, true, true});
    for (std::uint32_t ack : {0xfffffffeu, 0xffffffffu, 1u, 2u})
        CHECK(judge(reply(ack, "SA"), sent) == only_relaxed);
    for (std::uint32_t ack : {0xfffffffdu, 3u}) CHECK_FALSE(judge(reply(ack, "SA"), sent).relaxed);
    CHECK(judge(reply(0, "R"), sent) == only_relaxed);
}

TEST_CASE("A relaxed DNS probe takes an answer to another question with its id, no other id") {
    auto sent = out() / UDP{.dport = 53, .sport = 4000} / DNS{.id = 7, .qd = DNSQR{.qname = "a.example"}};
    auto reply = [](std::uint16_t id) {
        return back() / UDP{.dport = 4000, .sport = 53} /
               DNS{.id = id, .qd = DNSQR{.qname = "b.example"}, .qr = 1};
    };
    CHECK(judge(reply(7), sent) == only_relaxed);
    CHECK_FALSE(judge(reply(8), sent).relaxed);
}

TEST_CASE("A relaxed echo takes changed data") {
    CHECK(judge(back() / ICMP{.type = 0, .id = 3, .seq = 4} / "xx",
                out() / ICMP{.id = 3, .seq = 4} / "abc") == only_relaxed);
    auto six = [](char const* dst, char const* src) {
        return IPv6{.dst = std::string_view(dst), .src = std::string_view(src)};
    };
    CHECK(judge(six("2001:db8::1", "2001:db8::2") / ICMPv6EchoReply{.id = 3, .seq = 4, .data = "xx"},
                six("2001:db8::2", "2001:db8::1") / ICMPv6EchoRequest{.id = 3, .seq = 4, .data = "abc"}) ==
          only_relaxed);
}

TEST_CASE("A relaxed probe takes an acknowledgement alone for its SYN, and an echo reply of another code") {
    CHECK(judge(back() / TCP{.dport = 4000, .sport = 80, .flags = "A", .ack = 10},
                out() / TCP{.dport = 80, .sport = 4000, .seq = 9}) == only_relaxed);
    CHECK(judge(back() / ICMP{.type = 0, .code = 1, .id = 3, .seq = 4}, out() / ICMP{.id = 3, .seq = 4}) ==
          only_relaxed);
}

TEST_CASE("A relaxed probe ends at redirects and source quench, and at quotes with another id") {
    auto sent = IP{.dst = std::string_view(there), .src = std::string_view(here), .id = 5} /
                TCP{.dport = 80, .sport = 4000, .seq = 9};
    auto error = [](std::uint8_t type, std::uint16_t id, std::uint32_t seq) {
        auto quote = IP{.dst = std::string_view(there), .src = std::string_view(here), .id = id} /
                     TCP{.dport = 80, .sport = 4000, .seq = seq};
        auto bytes = quote.build();
        return IP{.dst = std::string_view(here), .src = "198.18.0.1"} / ICMP{.type = type} /
               packet(std::span(std::as_const(bytes)));
    };
    CHECK(judge(error(3, 5, 9), sent) == judged{true, true, true});
    CHECK(judge(error(4, 5, 9), sent) == only_relaxed);
    CHECK(judge(error(5, 5, 9), sent) == only_relaxed);
    CHECK(judge(error(3, 6, 9), sent) == only_relaxed);
    CHECK(judge(error(11, 5, 8), sent) == only_relaxed);
    CHECK_FALSE(judge(error(9, 5, 9), sent).relaxed);
}
