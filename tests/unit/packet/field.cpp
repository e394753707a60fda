#include "support/catch.hpp"

#include <sonde/layers/arp.hpp>
#include <sonde/layers/icmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/tcp.hpp>

#include <arpa/inet.h>

#include <random>

using namespace sonde;

namespace {

template <class F>
errc thrown_by(F f) {
    try {
        f();
    } catch (error const& e) {
        return static_cast<errc>(e.code().value());
    }
    return {};
}

}  // namespace

TEST_CASE("A number that does not fit its field is an error, never cut") {
    CHECK(thrown_by([] { return TCP{.dport = 70000}; }) == errc::value_out_of_range);
    CHECK(thrown_by([] { return TCP{.dport = -1}; }) == errc::value_out_of_range);
    CHECK(thrown_by([] { return IP{.ihl = 16}; }) == errc::value_out_of_range);
    CHECK(thrown_by([] { return IP{.dst = random_ip6("2001:db8::/128")}; }) == errc::value_out_of_range);
    CHECK(thrown_by([] { return TCP{.seq = random_ip6("2001:db8::/96")}; }) == errc::value_out_of_range);
    CHECK(thrown_by([] { return TCP{.dport = random_int()}; }) == errc::value_out_of_range);
    CHECK(TCP{.dport = 65535}.dport == 65535);
    CHECK(IP{.ihl = 15}.ihl == 15);
}

TEST_CASE("Run-time text becomes addresses, flags and names, or an error that names it") {
    std::string address = "198.18.0.1", flags = "SA", name = "echo-reply", wrong = "198.18.0.256";
    CHECK(IP{.dst = address}.dst == "198.18.0.1");
    CHECK(TCP{.flags = flags}.flags == 0x12);
    CHECK(ICMP{.type = name}.type == 0);
    CHECK(thrown_by([&] { return IP{.dst = wrong}; }) == errc::bad_text);
    CHECK(thrown_by([] { return TCP{.flags = std::string("SX")}; }) == errc::bad_text);
    try {
        IP ip{.src = wrong};
        FAIL("accepted " << ip.src.value().to_string());
    } catch (error const& e) {
        CHECK(std::string(e.what()).find(wrong) != std::string::npos);
    }
}

TEST_CASE("A field takes the value of another layer's field, with arithmetic") {
    TCP received{.dport = 40000, .sport = 80, .flags = "SA", .seq = 0xffffffff};
    TCP answer{.dport = received.sport, .sport = received.dport, .ack = received.seq + 1};
    CHECK(answer.dport == 80);
    CHECK(answer.ack == 0);  // unsigned 32-bit arithmetic, as sequence numbers have
}

TEST_CASE("An automatic field shows its default, a set has no single value") {
    TCP tcp{.dport = {80, 443}};
    CHECK(tcp.sport == 20);
    CHECK(tcp.sport.is_automatic());
    CHECK(thrown_by([&] { return tcp.dport.value(); }) == errc::not_a_single_value);
    tcp.sport = 1000;
    CHECK_FALSE(tcp.sport.is_automatic());
    tcp.sport = automatic;
    CHECK(tcp.sport.is_automatic());
}

TEST_CASE("A layer taken out of a packet with sets says that it holds them, wherever it is put") {
    packet const scan = IP{.dst = "192.0.2.1"} / TCP{.dport = {80, 443}};
    auto const tcp = scan.get<TCP>();
    CHECK(thrown_by([&] { return (IP{.dst = "192.0.2.2"} / tcp).build(); }) == errc::not_a_single_value);
    CHECK(scan[1].get<TCP>().dport == 443);
}

TEST_CASE("Host names stand where addresses do, mistyped addresses do not") {
    CHECK(IP{.dst = "example.org"}.dst.state() == field_state::name);
    CHECK(IP{.dst = std::string("a-b.c")}.dst.state() == field_state::name);
    CHECK(thrown_by([] { return IP{.dst = std::string("1.2.3")}; }) == errc::bad_text);
    CHECK(thrown_by([] { return IP{.dst = std::string("-x.org")}; }) == errc::bad_text);
    CHECK(thrown_by([] { return IP{.dst = std::string("a..b")}; }) == errc::bad_text);
    CHECK(thrown_by([] { return IP{.dst = std::string("10.0.0.0/33")}; }) == errc::bad_text);
}

TEST_CASE("IPv6 addresses print as the system's inet_ntop prints them, and read back") {
    CHECK(ipv6("::102:304").to_string() == "::1.2.3.4");
    CHECK(ipv6("::ffff:0:0").to_string() == "::ffff:0.0.0.0");
    CHECK(ipv6("::304").to_string() == "::304");
    std::mt19937 draw(7);
    constexpr std::array<std::uint16_t, 6> usual{0, 0, 0, 1, 0xffff, 0x10};
    for (int round = 0; round < 100000; ++round) {
        ipv6 address;
        for (std::size_t i = 0; i < 16; i += 2) {
            auto group = draw() % 5 == 0 ? draw() : usual[draw() % usual.size()];
            address.octets[i] = static_cast<std::uint8_t>(group >> 8);
            address.octets[i + 1] = static_cast<std::uint8_t>(group);
        }
        // The first groups zero, as many as makes a difference.
        std::fill_n(address.octets.begin(), 2 * (draw() % 9), std::uint8_t(0));
        if (draw() % 4 == 0) address.octets[10] = address.octets[11] = 0xff;
        char text[INET6_ADDRSTRLEN]{};
        inet_ntop(AF_INET6, address.octets.data(), text, sizeof text);
        if (address.to_string() != text || ipv6::parse(text) != address)
            FAIL(address.to_string() << " is " << text);
    }
}

TEST_CASE("Addresses read and print as their RFCs say") {
    CHECK(ipv6("2001:db8:0:0:1:0:0:1").to_string() == "2001:db8::1:0:0:1");  // RFC 5952 §4.2.3
    CHECK(ipv6("2001:db8:0:1:1:1:1:1").to_string() == "2001:db8:0:1:1:1:1:1");
    CHECK(ipv6("::").to_string() == "::");
    CHECK(ipv6("::ffff:192.0.2.1").to_string() == "::ffff:192.0.2.1");
    CHECK(ipv6("fe80::1").is_link_local());
    for (auto bad : {"", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
                     "12345::", "1:2:3:4:5:6:7:8::", "::g"})
        CHECK_FALSE(ipv6::parse(bad));
    for (auto bad : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1..2.3", "01234.1.1.1", "1.2.3.4 "})
        CHECK_FALSE(ipv4::parse(bad));
    for (auto bad : {"", "1:2:3:4:5", "1:2:3:4:5:6:7", "100:2:3:4:5:6", "g:2:3:4:5:6"})
        CHECK_FALSE(mac::parse(bad));
    CHECK(mac("2:0:0:0:0:a").to_string() == "02:00:00:00:00:0a");
}
