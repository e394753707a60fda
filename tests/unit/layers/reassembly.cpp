#include "support/catch.hpp"
#include "support/hex.hpp"

#include <sonde/layers/ether.hpp>
#include <sonde/layers/fragment.hpp>
#include <sonde/layers/icmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6_ext.hpp>
#include <sonde/layers/reassembly.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/expression.hpp>

#include <algorithm>
#include <random>

using namespace sonde;
using namespace std::chrono_literals;

namespace {

/// As it comes off a wire.
packet received(packet const& p) {
    return dissect(p.build(), link_type::raw);
}
packet big(std::size_t payload, int id = 7) {
    return IP{.dst = "198.18.0.1", .src = "192.0.2.1", .id = id} / UDP{} / std::string(payload, 'X');
}
/// A piece of a datagram that nobody cut honestly.
packet piece(std::size_t offset, std::string const& data, bool more, int id = 7) {
    return received(IP{.dst = "198.18.0.1",
                       .src = "192.0.2.1",
                       .proto = 17,
                       .id = id,
                       .flags = more ? "MF" : "",
                       .frag = static_cast<int>(offset / 8)} /
                    data);
}
packet piece6(std::size_t offset, std::string const& data, bool more, int nh = 17, unsigned id = 7) {
    return received(
        IPv6{.dst = "2001:db8::1", .src = "2001:db8::2"} /
        IPv6ExtHdrFragment{.offset = static_cast<int>(offset / 8), .m = more ? 1 : 0, .id = id, .nh = nh} /
        data);
}
std::string const eight = "12345678", sixteen = eight + eight;

reassembly_counters after(std::vector<packet> const& packets, bool* whole = nullptr) {
    reassembler r;
    for (auto const& p : packets) {
        auto complete = r.add(p, 0s);
        if (whole) *whole |= complete.has_value();
    }
    return r.counters();
}

}  // namespace

TEST_CASE("Any packet, cut anywhere, shuffled and doubled, becomes the same bytes again") {
    std::mt19937 random(4);
    auto below = [&](std::size_t n) { return random() % n; };
    for (int round = 0; round < 400; ++round) {
        bool v6 = round % 2 != 0;
        std::string data(below(round % 20 == 0 ? 60000 : 600), '\0');
        for (auto& c : data) c = static_cast<char>(random());
        packet p =
            v6 ? parse_packet("IPv6(src='2001:db8::1',dst='2001:db8::2')") / UDP{.dport = 9, .sport = 8} /
                     data
               : IP{.dst = "198.18.0.1", .src = "192.0.2.1", .id = round, .flags = below(2) ? "DF" : ""} /
                     UDP{.dport = 9, .sport = 8} / data;
        if (below(3) == 0)
            p = v6 ? parse_packet(
                         "IPv6(src='2001:db8::1',dst='2001:db8::2')/"
                         "IPv6ExtHdrHopByHop(options=[RouterAlert()])") /
                         UDP{} / data
                   : parse_packet(
                         "IP(src='192.0.2.1',dst='198.18.0.1',options=[IPOption_RR(routers=['1.2.3.4'])])") /
                         UDP{} / data;
        auto size = (v6 ? 64 : 0) + 1 + below(below(2) ? 100 : 2000);
        auto fragments = v6 ? fragment6(p, size) : fragment(p, size);
        for (auto n = below(3); n > 0; --n) fragments.push_back(fragments[below(fragments.size())]);
        std::ranges::shuffle(fragments, random);
        reassembler r;
        std::vector<std::string> whole;
        for (auto const& f : fragments)
            if (auto complete = r.add(received(f), 0s)) whole.push_back(support::hex(complete->view().bytes));
        CAPTURE(round, size, data.size());
        REQUIRE_FALSE(whole.empty());
        CHECK(whole.front() == support::hex(p));
        CHECK(r.counters().conflicting == 0);
        CHECK(r.counters().malformed == 0);
    }
}

TEST_CASE(
    "What is no fragment goes through at once, and the whole packet is read anew behind its link layer") {
    reassembler r;
    auto const echo = packet(Ether{}) / big(20);
    CHECK(r.add(dissect(echo.build()), 0s));
    CHECK(r.counters() == reassembly_counters{});
    auto fragments = fragment(packet(Ether{}) / big(100), 64);
    REQUIRE(fragments.size() == 2);
    auto first = dissect(fragments[0].build()),
         last = dissect((fragments[1] / Padding{.load = "pad"}).build());
    last.time = timestamp(5s), last.interface = first.interface = 3;
    CHECK_FALSE(r.add(last, 0s));
    first.time = timestamp(6s);
    auto const whole = r.add(first, 0s);
    REQUIRE(whole);
    CHECK(whole->has<UDP>());
    CHECK(whole->get<UDP>().len == 108);
    CHECK(whole->time == timestamp(6s));
    CHECK(whole->interface == 3);
    CHECK(whole->wire_length == 14 + 20 + 108);
    CHECK(r.datagrams() == 0);
    CHECK(r.bytes() == 0);
}

TEST_CASE("Datagrams are told apart by addresses, protocol, id, interface and VLAN") {
    auto const a = fragment(big(16, 1), 16);
    auto const other = [&](auto change) {
        auto p = received(a[1]);
        change(p);
        reassembler r;
        r.add(received(a[0]), 0s);
        return r.add(std::move(p), 0s).has_value();
    };
    CHECK(other([](packet&) {}));
    CHECK_FALSE(other([](packet& p) { p.get<IP>().id = 2, p = received(p); }));
    CHECK_FALSE(other([](packet& p) { p.get<IP>().src = "192.0.2.2", p = received(p); }));
    CHECK_FALSE(other([](packet& p) { p.get<IP>().dst = "192.0.2.2", p = received(p); }));
    CHECK_FALSE(other([](packet& p) { p.get<IP>().proto = 6, p = received(p); }));
    CHECK_FALSE(other([](packet& p) { p.interface = 2; }));
    CHECK_FALSE(other([](packet& p) { p = dissect((Ether{} / Dot1Q{.vlan = 5} / p).build()); }));
    bool whole = false;  // RFC 8200: the next header of the first fragment counts, others may differ
    after({piece6(8, eight, false, 6), piece6(0, eight, true)}, &whole);
    CHECK(whole);
}

TEST_CASE("Overlapping fragments drop their datagram, and what still comes of it") {
    for (bool v6 : {false, true}) {
        auto cut = [&](std::size_t offset, std::string const& data, bool more) {
            return v6 ? piece6(offset, data, more) : piece(offset, data, more);
        };
        std::vector<std::vector<packet>> const attacks{
            {cut(0, sixteen, true), cut(8, sixteen, false)},          // over its end
            {cut(8, sixteen, true), cut(0, sixteen, true)},           // over its beginning
            {cut(0, sixteen + sixteen, true), cut(8, eight, false)},  // inside: teardrop
            {cut(8, eight, true), cut(0, sixteen + sixteen, true)},   // around
            {cut(0, eight, true), cut(0, "abcdefgh", true)},          // other bytes
            {cut(0, eight, true), cut(0, sixteen, true)},             // longer
            {cut(16, eight, false), cut(16, eight, true)},            // no end after all
            {cut(16, eight, false), cut(24, eight, true)},            // behind the end
            {cut(16, eight, false), cut(8, eight, false)},            // another end
            {cut(24, eight, true), cut(8, eight, false)},             // an end before what is there
        };
        for (auto attack : attacks) {
            attack.push_back(cut(0, eight, true));
            attack.push_back(cut(8, eight, true));
            attack.push_back(cut(16, eight, false));
            bool whole = false;
            auto const counters = after(attack, &whole);
            CAPTURE(v6, &attack - attacks.data());
            CHECK(counters.conflicting == 1);
            CHECK_FALSE(whole);
        }
    }
}

TEST_CASE("Fragments that no datagram can have are dropped alone") {
    reassembler r;
    auto cut_short = piece(0, sixteen, true);
    auto bytes = cut_short.build();
    bytes.resize(bytes.size() - 8);
    for (auto const& wrong :
         {piece(0, "1234567", true), piece(8, "", true), piece(8, "", false), piece(65528, eight, false),
          piece6(65528, eight, false), piece6(0, "1234567", true), piece6(8, "", true),
          dissect(bytes, link_type::raw)})
        CHECK_FALSE(r.add(wrong, 0s));
    CHECK(r.counters().malformed == 8);
    CHECK(r.datagrams() == 0);
}

TEST_CASE("A first fragment whose UDP length lies keeps all of its bytes") {
    auto p = received(IP{.dst = "198.18.0.1", .src = "192.0.2.1", .flags = "MF"} / UDP{.len = 10} / sixteen);
    reassembler r;
    CHECK_FALSE(r.add(p, 0s));
    auto const whole = r.add(piece(24, eight, false, 1), 0s);
    REQUIRE(whole);
    CHECK(whole->view().bytes.size() == 20 + 32);
}

TEST_CASE("The largest datagram is made whole, and one byte more is none") {
    auto const p = big(65535 - 28);
    bool whole = false;
    std::vector<packet> fragments;
    for (auto const& f : fragment(p, 1480)) fragments.push_back(received(f));
    after(fragments, &whole);
    CHECK(whole);
    auto const offset = (65535u - 20) / 8 * 8;
    CHECK(after({piece(offset, std::string(65535 - 20 - offset, 'x'), false)}).malformed == 0);
    CHECK(after({piece(offset, std::string(65535 - 20 - offset + 1, 'x'), false)}).malformed == 1);
}

TEST_CASE("An atomic fragment waits for nothing and disturbs no other") {
    reassembler r;
    CHECK_FALSE(r.add(piece6(8, eight, false), 0s));
    auto const atomic = r.add(piece6(0, sixteen, false), 0s);
    REQUIRE(atomic);
    CHECK_FALSE(atomic->has<IPv6ExtHdrFragment>());
    CHECK(atomic->get<IPv6>().nh == 17);
    CHECK(atomic->get<IPv6>().plen == 16);
    CHECK(r.add(piece6(0, eight, true), 0s));
    CHECK(r.counters().conflicting == 0);
}

TEST_CASE("First fragments without end are held to the limits, the oldest go") {
    reassembler r({.datagrams = 10, .bytes = 100000, .age = 30s});
    for (int id = 0; id < 1000; ++id) {
        CHECK_FALSE(r.add(piece(0, eight, true, id), 0s));
        CHECK(r.datagrams() <= 10);
    }
    CHECK(r.counters().evicted == 990);
    CHECK(r.add(piece(8, eight, false, 999), 0s));
    CHECK_FALSE(r.add(piece(8, eight, false, 1), 0s));

    reassembler small({.datagrams = 1000, .bytes = 20000, .age = 30s});
    for (int id = 0; id < 100; ++id)
        for (std::size_t at = 8; at < 1000; at += 16) {
            CHECK_FALSE(small.add(piece(at, eight, true, id), 0s));
            REQUIRE(small.bytes() <= 20000);
        }
    CHECK(small.counters().evicted > 90);

    reassembler none({.datagrams = 0, .bytes = 0});
    for (int id = 0; id < 5; ++id) CHECK_FALSE(none.add(piece(0, eight, true, id), 0s));
    CHECK(none.bytes() == 0);
}

TEST_CASE("Datagrams that stay incomplete grow old from their first fragment on") {
    reassembler r({.age = 30s});
    CHECK_FALSE(r.add(piece(0, eight, true), 1s));
    CHECK_FALSE(r.add(piece(16, eight, false), 30s));
    CHECK_FALSE(r.add(piece(8, eight, true), 31s));  // too late: begins anew
    CHECK(r.counters().expired == 1);
    CHECK(r.datagrams() == 1);
    r.expire(60s);
    CHECK(r.datagrams() == 1);
    r.expire(61s);
    CHECK(r.datagrams() == 0);
    CHECK(r.bytes() == 0);
}

TEST_CASE("A list of packets is made whole as Scapy's defragment and defrag do") {
    std::vector<packet> list;
    for (auto const& f : fragment(big(3000))) list.push_back(received(f));
    list.insert(list.begin() + 1, received(big(5, 8)));
    list.push_back(piece(0, eight, true, 99));
    auto const all = defragment(list);
    REQUIRE(all.size() == 2);
    CHECK(all[0].get<IP>().id == 8);
    CHECK(support::hex(all[1].view().bytes) == support::hex(big(3000)));
    auto const lists = defrag(list);
    CHECK(lists.unfragmented.size() == 1);
    CHECK(lists.reassembled.size() == 1);
    CHECK(lists.counters.fragments == 4);
}

TEST_CASE("Fragments of any bytes harm nobody") {
    std::mt19937 random(9);
    reassembler r({.datagrams = 16, .bytes = 50000, .age = 5s});
    auto const v4 = piece(0, sixteen, true).build(), v6 = piece6(0, sixteen, true).build();
    for (int i = 0; i < 20000; ++i) {
        auto bytes = i % 2 ? v4 : v6;
        for (int n = 0; n < 3; ++n) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
        bytes.resize(random() % 8 ? bytes.size() : random() % bytes.size());
        (void)r.add(dissect(bytes, link_type::raw), std::chrono::milliseconds(i));
        REQUIRE(r.bytes() <= 50000);
        REQUIRE(r.datagrams() <= 16);
    }
    CHECK(r.counters().fragments > 1000);
}
