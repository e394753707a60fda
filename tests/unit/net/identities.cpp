// What somebody who is not on the path can do to probes: guess them, and choose packets that fall together.
// He knows addresses, well-known ports, the ports' range and this source; not the network's secrets.
#include "support/catch.hpp"

#include <sonde/sonde.hpp>

#include "net/outgoing.hpp"

#include <sonde/packet/match.hpp>
#include <sonde/probe/detail/key_index.hpp>
#include <sonde/probe/identity.hpp>

#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <random>
#include <set>

using namespace sonde;
using detail::outgoing;

namespace {

using generator = std::mt19937_64;  // not the one that identities are made of

secret_key some_secret(generator& random) {
    return {.low = random(), .high = random()};
}

outgoing probe(packet const& p, identity_source const& source, std::uint32_t draw) {
    outgoing o(p);
    o.identify(source, draw);
    finisher shapes;
    o.finish(shapes);
    return o;
}

/// Where an answer holds a part of what it must know.
struct place {
    std::size_t at, octets;
    std::uint64_t (*part)(identity const&);
};
constexpr auto port = +[](identity const& i) -> std::uint64_t { return i.port; };
constexpr auto id = +[](identity const& i) -> std::uint64_t { return i.id; };
constexpr auto sequence = +[](identity const& i) -> std::uint64_t { return i.sequence; };
constexpr auto number = +[](identity const& i) -> std::uint64_t { return i.number; };
constexpr auto next_number = +[](identity const& i) -> std::uint64_t { return (i.number + 1) & 0xffffffff; };

void put(std::vector<std::byte>& bytes, std::vector<place> const& places, identity const& who) {
    for (auto const& p : places)
        for (std::size_t i = 0; i < p.octets; ++i)
            bytes[p.at + i] = std::byte(p.part(who) >> 8 * (p.octets - 1 - i));
}

struct attack {
    std::string name;
    packet sent, answer;
    std::vector<place> places;  // of the answer
    double chance;              // of one guess, as documented
};

/// The quote of an ICMP error: header and 8 octets, as a router sends it that shows no more.
packet quote(packet const& sent, std::size_t header) {
    auto bytes = sent.build();
    bytes.resize(header + 8);
    return packet(std::span<std::byte const>(bytes));
}

std::vector<attack> attacks() {
    constexpr double ports = 32767 - 1024 + 1, two_to_16 = 65536, two_to_32 = two_to_16 * two_to_16;
    auto four = IP{.dst = "198.18.0.1", .src = "198.51.100.1"};
    auto back = IP{.dst = "198.51.100.1", .src = "198.18.0.1"};
    auto router = IP{.dst = "198.51.100.1", .src = "192.0.2.9"};
    auto six = IPv6{.dst = "2001:db8::1", .src = "2001:db8:ffff::1"};
    auto back6 = IPv6{.dst = "2001:db8:ffff::1", .src = "2001:db8::1"};
    auto router6 = IPv6{.dst = "2001:db8:ffff::1", .src = "2001:db8:99::9"};
    packet syn = four / TCP{.dport = 80}, syn6 = six / TCP{.dport = 80}, bare = four / UDP{.dport = 9} / "x";
    packet dns = four / UDP{.dport = 53} / DNS{.qd = DNSQR{.qname = "a.example"}};
    packet bare6 = six / UDP{.dport = 9} / "x";
    packet echo = four / ICMP{}, echo6 = six / ICMPv6EchoRequest{};
    ICMPv6DestUnreach unreachable6{.code = 1};
    ICMP unreachable{.type = 3, .code = 1};
    return {
        {"TCP SYN/ACK",
         syn,
         back / TCP{.dport = 0, .sport = 80, .flags = "SA"},
         {{22, 2, port}, {28, 4, next_number}},
         1 / ports / two_to_32},
        {"TCP RST",
         syn,
         back / TCP{.dport = 0, .sport = 80, .flags = "RA"},
         {{22, 2, port}, {28, 4, next_number}},
         1 / ports / two_to_32},
        {"bare UDP", bare, back / UDP{.dport = 0, .sport = 9} / "y", {{22, 2, port}}, 1 / ports},
        {"DNS",
         dns,
         back / UDP{.dport = 0, .sport = 53} / DNS{.id = 0, .qd = DNSQR{.qname = "a.example"}, .qr = 1},
         {{22, 2, port}, {28, 2, id}},
         1 / ports / two_to_16},
        {"ICMP echo",
         echo,
         back / ICMP{.type = 0, .id = 0, .seq = 0},
         {{24, 2, id}, {26, 2, sequence}},
         1 / two_to_32},
        {"ICMPv6 echo",
         echo6,
         back6 / ICMPv6EchoReply{.id = 0, .seq = 0},
         {{44, 2, id}, {46, 2, sequence}},
         1 / two_to_32},
        {"ICMP error about a SYN",
         syn,
         router / unreachable / quote(syn, 20),
         {{28 + 4, 2, id}, {28 + 20, 2, port}, {28 + 24, 4, number}},
         1 / ports / two_to_32 / two_to_16},
        {"ICMP error about UDP",
         bare,
         router / unreachable / quote(bare, 20),
         {{28 + 4, 2, id}, {28 + 20, 2, port}},
         1 / ports / two_to_16},
        {"ICMP error about DNS",
         dns,
         router / unreachable / quote(dns, 20),
         {{28 + 4, 2, id}, {28 + 20, 2, port}},
         1 / ports / two_to_16},
        {"ICMP error about an echo",
         echo,
         router / unreachable / quote(echo, 20),
         {{28 + 4, 2, id}, {28 + 24, 2, id}, {28 + 26, 2, sequence}},
         1 / two_to_32},
        {"ICMPv6 error about a SYN",
         syn6,
         router6 / unreachable6 / quote(syn6, 40),
         {{48 + 40, 2, port}, {48 + 44, 4, number}},
         1 / ports / two_to_32},
        {"ICMPv6 error about bare UDP",
         bare6,
         router6 / unreachable6 / quote(bare6, 40),
         {{48 + 40, 2, port}},
         1 / ports},
        {"ICMPv6 error about an echo",
         echo6,
         router6 / unreachable6 / quote(echo6, 40),
         {{48 + 44, 2, id}, {48 + 46, 2, sequence}},
         1 / two_to_32},
    };
}

/// Chi-square of values in 256 classes: 330.5 is what a random source stays below in 999 of 1000 cases.
double chi_square(std::span<std::uint64_t const> values, std::uint64_t first, std::uint64_t size) {
    std::array<double, 256> seen{}, expected{};
    for (std::uint64_t c = 0; c < 256; ++c)  // classes of a range that 256 does not divide differ by one
        expected[c] = static_cast<double>((size * (c + 1) + 255) / 256 - (size * c + 255) / 256) /
                      static_cast<double>(size) * static_cast<double>(values.size());
    for (auto v : values) seen[(v - first) * 256 / size] += 1;
    double sum = 0;
    for (std::size_t c = 0; c < 256; ++c)
        sum += (seen[c] - expected[c]) * (seen[c] - expected[c]) / expected[c];
    return sum;
}

}  // namespace

TEST_CASE(
    "Forged answers are taken no oftener than chance has it: of a million, none but those to bare UDP") {
    char const* text = std::getenv("SONDE_FORGERIES");
    std::uint64_t const guesses = text ? std::stoull(text) : 100'000, at_one_probe = 1000;
    generator random(20261125);
    std::uniform_int_distribution<std::uint16_t> some_port(1024, 32767);
    for (auto& a : attacks()) {
        CAPTURE(a.name);
        identity_source source(some_secret(random), {}, static_cast<std::uint32_t>(random()));
        auto bytes = a.answer.build();
        packet const shape = dissect(bytes, a.sent.has<IPv6>() ? link_type::ipv6 : link_type::ipv4);
        std::uint64_t taken = 0;
        for (std::uint64_t n = 0; n < guesses; n += at_one_probe) {
            auto const draw = source.draw();
            auto const who = source.at(draw);
            auto const sent = probe(a.sent, source, draw);
            auto judged = [&](identity const& known) {
                put(bytes, a.places, known);
                packet_view answer{bytes, shape.layers()};
                return match(answer, sent.view()).value == match_verdict::yes;
            };
            REQUIRE(judged(who));  // the true answer is one
            for (std::uint64_t i = 0; i < at_one_probe; ++i)
                taken += judged({.port = some_port(random),
                                 .id = static_cast<std::uint16_t>(random()),
                                 .sequence = static_cast<std::uint16_t>(random()),
                                 .number = static_cast<std::uint32_t>(random()),
                                 .cookie = 0});
        }
        auto expected = static_cast<double>(guesses) * a.chance;
        CHECK(static_cast<double>(taken) <=
              expected + 4 * std::sqrt(expected));  // below 1 for all but bare UDP
        if (expected > 10) CHECK(taken > 0);        // and the guesses are guesses
    }
}

TEST_CASE("Ports, ids and numbers of 100,000 probes look random, and no probe is like one before it") {
    generator random(42);
    packet const kinds[]{IP{.dst = "198.18.0.1", .src = "198.51.100.1"} / TCP{.dport = 80},
                         IP{.dst = "198.18.0.1", .src = "198.51.100.1"} / ICMP{}};
    for (int round = 0; round < 2; ++round) {
        identity_source source(some_secret(random), {}, static_cast<std::uint32_t>(random()));
        std::vector<std::uint64_t> ports, numbers, ids, steps;
        std::set<std::pair<std::uint64_t, std::uint64_t>> tcp, echo;
        for (int n = 0; n < 100'000; ++n) {
            auto const draw = source.draw();
            auto syn = probe(kinds[0], source, draw), ping = probe(kinds[1], source, draw);
            auto octets = [&](outgoing const& o, std::size_t at, std::size_t count) {
                std::uint64_t value = 0;
                for (std::size_t i = 0; i < count; ++i) value = value << 8 | std::uint64_t(o.bytes()[at + i]);
                return value;
            };
            steps.push_back((octets(syn, 24, 4) - (numbers.empty() ? 0 : numbers.back())) & 0xffffffff);
            ids.push_back(octets(syn, 4, 2));
            ports.push_back(octets(syn, 20, 2));
            numbers.push_back(octets(syn, 24, 4));
            tcp.emplace(ports.back(), numbers.back());
            echo.emplace(octets(ping, 24, 2), octets(ping, 26, 2));
        }
        CHECK(chi_square(ports, 1024, 32767 - 1024 + 1) < 330.5);
        CHECK(chi_square(ids, 0, 65536) < 330.5);
        CHECK(chi_square(numbers, 0, std::uint64_t(1) << 32) < 330.5);
        CHECK(chi_square(steps, 0, std::uint64_t(1) << 32) < 330.5);
        CHECK(tcp.size() == 100'000);
        CHECK(echo.size() == 100'000);
        // The rest of a key is a fraction of a second to some seconds; a port or id alone comes again after
        // all others.
        CHECK(std::set(ports.begin(), ports.begin() + 10'000).size() > 9'000);
    }
}

TEST_CASE("Tuples that a stranger chooses to fall together cost the table what random ones do") {
    constexpr std::uint32_t count = 100'000;
    generator random(7);
    auto const secret = some_secret(random);
    // How many entries a search looks at, over all of them, when the keys are those of these probes.
    auto cost = [&](std::function<void(std::vector<std::byte>&, std::uint32_t)> choose) {
        auto shape = probe(IP{.dst = "198.18.0.1", .src = "198.51.100.1"} / TCP{.dport = 80, .sport = 1},
                           identity_source(secret), 0);
        auto bytes = shape.bytes();
        detail::key_index index;
        index.reset(count);
        std::vector<match_key> keys;
        std::size_t far = 0;  // from home: those would make it grow
        for (std::uint32_t n = 0; n < count; ++n) {
            choose(bytes, n);
            keys.push_back(key_of_probe({bytes, shape.view().layers}, secret, false));
            far += !index.insert(static_cast<std::uint32_t>(keys.back().low), n);
        }
        CHECK(far == 0);
        std::uint64_t looks = 0;
        for (std::uint32_t n = 0; n < count; ++n)
            index.find(static_cast<std::uint32_t>(keys[n].low), [&](std::uint32_t slot) {
                ++looks;
                return slot == n;
            });
        return looks;
    };
    auto set = [](std::vector<std::byte>& bytes, std::size_t at, std::size_t octets, std::uint64_t value) {
        for (std::size_t i = 0; i < octets; ++i) bytes[at + i] = std::byte(value >> 8 * (octets - 1 - i));
    };
    auto by_chance = cost([&](auto& bytes, auto) {
        set(bytes, 16, 4, random());
        set(bytes, 20, 4, random());
    });
    CHECK(by_chance < 2 * count);
    auto in_order = cost([&](auto& bytes, auto n) { set(bytes, 16, 4, 0xc6120000 + n); });
    auto high_bits = cost([&](auto& bytes, auto n) { set(bytes, 16, 4, std::uint64_t(n) << 15); });
    auto same_sum = cost([&](auto& bytes, auto n) {  // by addition and by exclusive or
        set(bytes, 16, 4, 0xc6120000 + n);
        set(bytes, 20, 4, 0x12345678 - n);
    });
    auto same_xor = cost([&](auto& bytes, auto n) {
        set(bytes, 16, 4, 0xc6120000 ^ n);
        set(bytes, 20, 4, 0x12345678 ^ n);
    });
    for (auto looks : {in_order, high_bits, same_sum, same_xor}) CHECK(looks <= 2 * by_chance);
}
