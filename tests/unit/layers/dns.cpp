#include "layers/dns_name.hpp"
#include "support/catch.hpp"
#include "support/hex.hpp"

#include <sonde/layers/dns.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/json.hpp>
#include <sonde/packet/match.hpp>
#include <sonde/packet/text.hpp>

using namespace sonde;

namespace {

packet question(DNS dns) {
    return IP{.dst = "198.18.0.53", .src = "198.51.100.1"} / UDP{.dport = 53, .sport = 4000} / dns;
}
packet response(DNS dns) {
    dns.qr = 1;
    return IP{.dst = "198.51.100.1", .src = "198.18.0.53"} / UDP{.dport = 4000, .sport = 53} / dns;
}
std::string hex_behind(packet const& p, std::size_t offset) {
    auto bytes = p.build();
    return support::hex(std::span(bytes).subspan(offset));
}
packet built(packet const& p) {
    return dissect(p.build(), link_type::raw);
}
std::string verdict(packet const& reply, packet const& sent) {
    auto v = match(built(reply).view(), built(sent).view());
    return v.value == match_verdict::yes ? "yes" : v.why;
}

static_assert(std::is_trivially_destructible_v<DNS> && std::is_aggregate_v<DNS>);

}  // namespace

TEST_CASE("A question is written as one thinks of it, and its counts are computed") {
    auto p = question({.id = 7, .qd = DNSQR{.qname = "example.com", .qtype = "AAAA"}});
    auto back = built(p);
    CHECK(back.get<DNS>().qdcount == 1);
    CHECK(back.get<DNS>().ancount == 0);
    CHECK(hex_behind(p, 28) ==
          "00070100000100000000000007657861"
          "6d706c6503636f6d00001c0001");
    CHECK(question({}).layers().size() == 3);
    CHECK(built(question({.qdcount = 9})).get<DNS>().qdcount == 9);
}

TEST_CASE("Records of a response are packets, their compressed names whole") {
    // The owner of the answer points at the question, the name in its data into its middle (RFC 1035 §4.1.4).
    auto bytes = support::bytes(
        "123481800001000100000000"
        "076578616d706c6503636f6d0000050001"
        "c00c000500010000012c000603777777c014");
    auto message = detail::dissect_as(bytes, describe<DNS>());
    auto records = dns_records_of(message);
    REQUIRE(records.an.size() == 1);
    CHECK(records.an[0].get<DNSRR>().rrname == "example.com");
    CHECK(to_python(parse_literal(command(message))).find("\\xc0") != std::string::npos);
    CHECK(parse_packet(command(message)).build() == bytes);
    auto text = to_json(message);
    CHECK(text.find("\"rdata\":\"www.com.\"") != std::string::npos);
    CHECK(text.find("\"rdlen\":6") != std::string::npos);
}

TEST_CASE("A name that points forwards, at itself or in circles is no name, and nothing hangs") {
    auto name = [](std::string_view hex, std::size_t at) {
        return detail::read_domain_name(support::bytes(hex), at);
    };
    CHECK_FALSE(name("0161c000", 2));  // back to its begin, from where it comes back
    CHECK_FALSE(name("c000", 0));      // itself
    CHECK_FALSE(name("c002c000", 0));  // forwards
    CHECK_FALSE(name("c002c000", 2));
    CHECK_FALSE(name("0161", 0));
    CHECK_FALSE(name("0561", 0));
    CHECK_FALSE(name("4061", 0));  // a label type that nobody uses
    CHECK_FALSE(name("c0", 0));
    CHECK(name("00", 0)->text == ".");
    std::string longest;
    for (int i = 0; i < 4; ++i) longest += "3f" + std::string(126, '6');
    CHECK_FALSE(name(longest + "00", 0));  // 257 bytes
}

TEST_CASE("Names escape what is no letter, and read it back") {
    CHECK(domain_name("a\\.b.c").to_string() == "a\\.b.c.");
    CHECK(domain_name("a\\032b").to_string() == "a\\032b.");
    CHECK(domain_name("\\255").to_string() == "\\255.");
    CHECK(domain_name("Example.COM") == "example.com.");
    CHECK(domain_name("") == ".");
    CHECK_THROWS_AS(domain_name("a..b"), error);
    CHECK_THROWS_AS(domain_name("\\999"), error);
    CHECK_THROWS_AS(domain_name(std::string(64, 'a')), error);
    CHECK_THROWS_AS(domain_name(std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                                std::string(63, 'c') + "." + std::string(63, 'd')),
                    error);
}

TEST_CASE("The command spells a name as bytes, as Scapy does; escapes stand only for what bytes cannot say") {
    auto spelled = [](std::string const& qname) {
        auto back =
            dissect(parse_packet("IP()/UDP()/DNS(qd=DNSQR(qname=" + qname + "))").build(), link_type::ipv4);
        auto text = command(back);
        CHECK(parse_packet(text).build() == back.build());
        auto begin = text.find("qname=") + 6;
        return text.substr(begin, text.find(", qtype") - begin);
    };
    CHECK(spelled("'www.example.com.'") == "b'www.example.com.'");
    CHECK(spelled("b'a b.example.'") == "b'a b.example.'");
    CHECK(spelled("b'caf\\xc3\\xa9.\\x00\\xff.'") == "b'caf\\xc3\\xa9.\\x00\\xff.'");
    CHECK(spelled("'one\\\\.label.'") == "'one\\\\.label.'");
    CHECK(spelled("'back\\\\\\\\slash\\\\032.'") == "'back\\\\\\\\slash\\\\032.'");
}

TEST_CASE("A name that nobody gave is the root: the message around it can be read") {
    CHECK(domain_name() == ".");
    CHECK(domain_name() == domain_name("."));
    CHECK(domain_name().to_string() == ".");
    CHECK(support::hex(packet(DNSQR{.qname = {}})) == "0000010001");
    CHECK(support::hex(packet(DNS{.qd = DNSQR{.qname = domain_name()}})).substr(24) == "0000010001");
    CHECK(support::hex(dns_rdata(domain_name()).view()) == "00");
    CHECK(support::hex(packet(DNSRRMX{.exchange = {}})) == "00000f0001000000000003000000");
    for (auto name : {"''", "'.'", "b''", "None"})
        CHECK(support::hex(parse_packet("DNSQR(qname=" + std::string(name) + ")")) == "0000010001");
}

TEST_CASE("An answer has the id and the question of its query; each of them wrong is another's") {
    DNS asked{.id = 7, .qd = DNSQR{.qname = "example.com"}};
    auto sent = question(asked);
    CHECK(verdict(response(asked), sent) == "yes");
    CHECK(verdict(response({.id = 7, .qd = DNSQR{.qname = "EXAMPLE.com"}}), sent) == "yes");
    CHECK(verdict(response({.id = 8, .qd = DNSQR{.qname = "example.com"}}), sent) == "dns id 8, expected 7");
    CHECK(verdict(response({.id = 7, .qd = DNSQR{.qname = "example.org"}}), sent) ==
          "dns question example.org., expected example.com.");
    CHECK(verdict(response({.id = 7, .qd = DNSQR{.qname = "example.com", .qtype = "MX"}}), sent) ==
          "dns question of type 15 class 1, expected 1 1");
    CHECK(verdict(response({.id = 7, .qd = DNSQR{.qname = "example.com", .qclass = "CH"}}), sent) ==
          "dns question of type 1 class 3, expected 1 1");
    CHECK(verdict(response({.id = 7, .qd = {}}), sent) == "dns response without the question");
    CHECK(verdict(response({.id = 7, .qd = {}, .rcode = 1}), sent) ==
          "yes");  // it could not read the question
    CHECK(verdict(question(asked), sent) != "yes");
    auto twice = response(asked);
    CHECK(verdict(sent, twice) != "yes");
}

TEST_CASE("A list of names is a set of questions") {
    auto set = parse_packet(
        "IP(dst='198.18.0.53')/UDP()/DNS(rd=1, qd=DNSQR(qname=['a.example','b.example'], "
        "qtype=['A','AAAA']))");
    CHECK(set.size() == 4);
    CHECK(to_json(set[3]).find("\"qname\":\"b.example.\",\"qtype\":28") != std::string::npos);
    auto two = parse_packet("DNS(qd=[DNSQR(qname='a'),DNSQR(qname=['b','c'])])");
    CHECK(two.size() == 2);
    CHECK(dns_records_of(two[1]).an.empty());
    CHECK(to_json(two[1]).find("\"qdcount\":2") != std::string::npos);
}

TEST_CASE("A message cut at any byte comes back as it was") {
    auto whole = question({.id = 9,
                           .qd = DNSQR{.qname = "example.com"},
                           .an = dns_records(DNSRR{.rrname = "example.com", .rdata = "192.0.2.1"},
                                             DNSRRMX{.rrname = "example.com", .exchange = "mx.example.com"}),
                           .ar = DNSRROPT{.rdata = EDNS0TLV{.optcode = 3, .optdata = "nsid"}}})
                     .build();
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        auto cut = std::span(whole).first(size);
        auto p = dissect(cut, link_type::ipv4);
        CHECK(std::ranges::equal(p.build(), cut));
        if (size > 0) CHECK(std::ranges::equal(parse_packet(command(p)).build(), cut));
    }
}

TEST_CASE("Over TCP a message has its length before it, and nowhere else") {
    auto message = DNS{.id = 7, .qd = DNSQR{.qname = "example.com"}};
    auto over_tcp = IP{.dst = "198.18.0.53", .src = "198.51.100.1"} /
                    TCP{.dport = 53, .sport = 4000, .flags = "PA"} / message;
    auto over_udp = question(message);
    auto framed = over_tcp.build(), plain = over_udp.build();
    CHECK(support::hex(std::span(framed).subspan(40)) == "001d" + support::hex(std::span(plain).subspan(28)));
    auto back = built(over_tcp);
    CHECK(back.get<DNS>().length == 29);
    CHECK(back.get<DNS>().id == 7);
    CHECK(layer_view(back.view(), 2).is<DNS>());
    CHECK(built(over_udp).get<DNS>().length.is_automatic());
    CHECK(command(back).find("length=29") != std::string::npos);
    CHECK(command(built(over_udp)).find("length") == std::string::npos);
}

TEST_CASE("A length that the user gives stays, over TCP and alone") {
    auto wrong = DNS{.qd = DNSQR{.qname = "example.com"}, .length = 5};
    auto bytes = (TCP{} / wrong).build();
    CHECK(support::hex(std::span(bytes).subspan(20, 2)) == "0005");
    auto alone = packet(wrong).build();
    CHECK(support::hex(std::span(alone).first(2)) == "0005");
    CHECK((UDP{} / wrong).build().size() == 8 + 29);  // which has no length
}

TEST_CASE("A set inside a message over TCP keeps every member's length") {
    auto set = TCP{.dport = 53, .sport = 4000} / DNS{.id = {1, 2}, .qd = DNSQR{.qname = "example.com"}};
    REQUIRE(set.size() == 2);
    for (std::uint64_t i = 0; i < 2; ++i) {
        auto back = detail::dissect_as(set[i].build(), describe<TCP>());
        CHECK(back.get<DNS>().length == 29);
        CHECK(back.get<DNS>().id == i + 1);
    }
}

TEST_CASE("Messages follow each other in a segment; a part of one is bytes") {
    auto both = TCP{.sport = 53} / DNS{.id = 1, .qr = 1} / DNS{.id = 2, .qr = 1};
    auto bytes = both.build();
    auto back = detail::dissect_as(bytes, describe<TCP>());
    REQUIRE(back.layers().size() == 3);
    CHECK(layer_view(back.view(), 2).get<&DNS::id>() == 2);
    auto const first_end = back.layers()[1].end;
    for (auto size = bytes.size() - 1; size > 20; --size) {
        auto cut = detail::dissect_as(std::span(bytes).first(size), describe<TCP>());
        auto const last = layer_view(cut.view(), cut.layers().size() - 1);
        CHECK(last.description().name == (size == first_end ? "DNS" : "Raw"));
        CHECK(make_packet(parse_literal(command(cut))).build() == cut.build());
    }
}

TEST_CASE("Names in a message over TCP point from behind the length") {
    auto bytes = support::bytes(
        "0035138800000000000000005018200000000000"
        "0024"
        "123481800001000100000000"
        "016102626300"
        "00010001"
        "c00c00050001000000010002c00e");
    auto back = detail::dissect_as(bytes, describe<TCP>());
    auto records = dns_records_of(back);
    REQUIRE(records.an.size() == 1);
    CHECK(command(records.an[0]).find("rrname=b'a.bc.'") != std::string::npos);
    CHECK(command(records.an[0]).find("rdata=b'bc.'") != std::string::npos);
    CHECK(make_packet(parse_literal(command(back))).build() == bytes);
}

TEST_CASE("Over TCP an acknowledgement answers, and a message must be the question's own") {
    auto ask = [](std::uint16_t id, char const* name) {
        return IP{.dst = "198.18.0.53", .src = "198.51.100.1"} /
               TCP{.dport = 53, .sport = 4000, .flags = "PA", .seq = 100, .ack = 1} /
               DNS{.id = id, .qd = DNSQR{.qname = std::string_view(name)}};
    };
    auto sent = ask(7, "example.com");
    auto size = static_cast<std::uint32_t>(sent.build().size() - 40);
    auto from_server = IP{.dst = "198.51.100.1", .src = "198.18.0.53"} /
                       TCP{.dport = 4000, .sport = 53, .flags = "PA", .seq = 1, .ack = 100 + size};
    auto told = [&](std::uint16_t id, char const* name) {
        return from_server / DNS{.id = id, .qd = DNSQR{.qname = std::string_view(name)}, .qr = 1};
    };
    CHECK(verdict(from_server, sent) == "yes");
    CHECK(verdict(told(7, "example.com"), sent) == "yes");
    CHECK(verdict(told(8, "example.com"), sent) == "dns id 8, expected 7");
    CHECK(verdict(told(7, "example.org"), sent) == "dns question example.org., expected example.com.");
}

TEST_CASE("Compressed names say the same in fewer bytes") {
    auto whole = response(
        {.id = 7,
         .qd = DNSQR{.qname = "www.example.com"},
         .an = {DNSRR{.rrname = "www.example.com", .type = "CNAME", .rdata = domain_name("x.example.com")},
                DNSRRMX{.rrname = "example.com", .exchange = "mail.example.com"}},
         .ns = DNSRRSRV{.rrname = "_sip._tcp.example.com", .port = 5060, .target = "x.example.com"}});
    auto small = dns_compress(whole);
    CHECK(small.build().size() < whole.build().size());
    CHECK(hex_behind(small, 28) ==
          "000781000001000200010000"
          "0377777707657861"
          "6d706c6503636f6d0000010001"
          "c00c00050001000000000004"
          "0178c010"
          "c010000f0001000000000009"
          "0000046d61696cc010"
          "045f736970045f746370c010"
          "0021000100000000001500000000"
          "13c40178076578616d706c6503636f6d00");  // RFC 2782: the target stays whole
    auto text = [](packet const& p) {
        std::string all;
        auto sections = dns_records_of(built(p));
        for (auto const* s : {&sections.an, &sections.ns})
            for (auto const& r : *s) all += command(r) + "\n";
        for (std::size_t at; (at = all.find(", rdlen=")) != all.npos;)
            all.erase(at, all.find(',', at + 1) - at);
        return all;
    };
    CHECK(text(small) == text(whole));
    CHECK(text(dns_compress(built(small))) == text(whole));
    CHECK(dns_compress(built(small)).build() == small.build());
}

TEST_CASE("What cannot be read whole is not compressed") {
    auto cut = built(response({.qd = DNSQR{.qname = "a.example"}, .qdcount = 2}));
    CHECK(dns_compress(cut).build() == cut.build());
    CHECK_THROWS_AS(dns_compress(question({.id = {1, 2}})), error);
}

TEST_CASE("Types of records have Scapy's names, questions some more") {
    auto type = [](std::string const& layer) { return hex_behind(parse_packet(layer), 1).substr(0, 4); };
    CHECK(type("DNSQR(qname='.', qtype='IXFR')") == "00fb");
    CHECK(type("DNSQR(qname='.', qtype='ALL')") == "00ff");
    CHECK(type("DNSQR(qname='.', qtype='ANY')") == "0000");  // Scapy's, not IANA's
    CHECK(type("DNSQR(qname='.', qtype='TSIG')") == "00fa");
    CHECK(type("DNSRR(rrname='.', type='NSAP-PTR', rdata=b'')") == "0017");
    CHECK(type("DNSRR(rrname='.', type='DLV', rdata=b'')") == "8001");
    CHECK(support::hex(parse_packet("DNSRR(type='MD', rdata='a.')")) == "0000030001000000000003016100");
    CHECK(summary(parse_packet("IP(dst='192.0.2.1', proto='ospf')")) == "0.0.0.0 > 192.0.2.1 ospf");
    CHECK_THROWS_AS(parse_packet("DNSRR(type='IXFR')"), error);
}

TEST_CASE("A record without data has what Scapy takes for its type; data that are given are those") {
    auto data = [](std::string const& fields) {
        return hex_behind(parse_packet("DNSRR(rrname='.'" + fields + ")"), 9);
    };
    CHECK(data("") == "000400000000");
    CHECK(data(", type='AAAA'") == "0010" + std::string(32, '0'));
    for (auto type : {"NS", "MD", "MF", "CNAME", "PTR"})
        CHECK(data(fmt::format(", type='{}'", type)) == "000100");
    CHECK(data(", type='TXT'") == "0000");
    CHECK(data(", type=99") == "0000");
    CHECK(data(", rdata=None") == "000400000000");
    CHECK(data(", rdata=b''") == "0000");  // as dynamic updates have it (RFC 2136 §2.5.2)
    CHECK(data(", rdata='192.0.2.1'") == "0004c0000201");
    auto message = parse_packet("DNS(qd=None, an=DNSRR(rrname='.', rdata=b'')/DNSRR(rrname='.'))");
    CHECK(parse_packet(command(detail::dissect_as(message.build(), describe<DNS>()))).build() ==
          message.build());
}

TEST_CASE("The data of a record are written as one thinks of them: addresses, strings") {
    // bytes(DNSRR(rrname="a.example", …, ttl=60)) of Scapy 2.5, behind the name
    auto data = [](packet const& record) { return hex_behind(record, 11); };
    CHECK(data(DNSRR{.rrname = "a.example", .type = "AAAA", .ttl = 60, .rdata = ipv6("2001:db8::1")}) ==
          "001c00010000003c001020010db8000000000000000000000001");
    auto text = parse_packet("DNSRR(rrname='a.example', type='TXT', rdata=['ab', 'c'], ttl=60)");
    CHECK(data(text) == "001000010000003c00050261620163");
    auto message =
        dissect((IP{} / UDP{.sport = 53} / parse_packet("DNS(qd=None, an=" + command(text) + ")")).build(),
                link_type::raw);
    CHECK(command(message).find("rdata=[b'ab', b'c']") != std::string::npos);
}
