#include "support/catch.hpp"

#include <sonde/layers/arp.hpp>
#include <sonde/layers/ether.hpp>
#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/link_types.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/checksum.hpp>

#include <fmt/format.h>

#include <random>
#include <string>
#include <vector>

using namespace sonde;

namespace {

std::string hex(packet const& p) {
    std::string text;
    for (auto b : p.build()) text += fmt::format("{:02x}", std::to_integer<unsigned>(b));
    return text;
}

}  // namespace

TEST_CASE("Lengths, checksums and protocol numbers are filled in as Scapy does") {
    // bytes(IP(src="192.0.2.1",dst="198.51.100.2")/TCP(sport=1,dport=65535)) of Scapy 2.5
    CHECK(hex(IP{.dst = "198.51.100.2", .src = "192.0.2.1"} / TCP{.dport = 65535, .sport = 1}) ==
          "450000280001000040068e98c0000201c63364020001ffff00000000000000005002200"
          "0a3aa0000");
    CHECK(hex(IP{.dst = "198.51.100.2", .src = "192.0.2.1"} / ICMP{.id = 4660, .seq = 3} /
              std::string("\0\a\x0e", 3)) ==
          "4500001f0001000040018ea6c0000201c63364020800d7c11234000300070e");
    CHECK(hex(Ether{.dst = "ff:ff:ff:ff:ff:ff", .src = "02:00:00:00:00:01"} / Dot1Q{.vlan = 5} /
              ARP{.pdst = "198.51.100.2", .psrc = "192.0.2.1", .hwsrc = "02:00:00:00:00:01"}) ==
          "ffffffffffff02000000000181000005080600010800060400010200000000"
          "01c0000201000000000000c6336402");
    // a computed checksum of zero is sent as 0xffff
    CHECK(hex(IPv6{.dst = "2001:db8:1::2", .src = "2001:db8::1"} / UDP{.dport = 2, .sport = 1} / "\xa4\x61")
              .substr(92, 4) == "ffff");
}

TEST_CASE("An explicit value wins, however wrong") {
    auto p = IP{.dst = "192.0.2.1", .proto = 99, .len = 5, .chksum = 0xbeef, .ihl = 3, .version = 9} /
             UDP{.len = 1, .chksum = 2};
    auto bytes = p.build();
    CHECK(std::to_integer<unsigned>(bytes[0]) == 0x93);
    CHECK(std::to_integer<unsigned>(bytes[3]) == 5);
    CHECK(std::to_integer<unsigned>(bytes[9]) == 99);
    CHECK(std::to_integer<unsigned>(bytes[10]) == 0xbe);
    CHECK(std::to_integer<unsigned>(bytes[25]) == 1);
    CHECK(std::to_integer<unsigned>(bytes[27]) == 2);
}

TEST_CASE("What a binding tells is set, unless the user did") {
    CHECK((IP{} / UDP{}).build()[9] == std::byte(17));
    CHECK((IP{.proto = 6} / UDP{}).build()[9] == std::byte(6));
    CHECK((IPv6{} / ICMPv6EchoRequest{}).build()[6] == std::byte(58));
    CHECK((Ether{} / IPv6{}).build()[12] == std::byte(0x86));
    CHECK(hex(Loopback{} / IPv6{}).substr(0, 8) == "0a000000");
    CHECK(hex(Loopback{} / IP{}).substr(0, 8) == "02000000");
    CHECK(hex(Loopback{.type = 2} / IPv6{}).substr(0, 8) == "02000000");
    CHECK(hex(Loopback{}) == "02000000");
    CHECK(dissect((Loopback{} / IPv6{.src = "2001:db8::1"}).build(), link_type::null).get<IPv6>().src ==
          "2001:db8::1");
}

TEST_CASE("A frame to a group that names no address is built for the group's (RFC 1112, RFC 2464)") {
    auto to = [](packet const& p) { return hex(p).substr(0, 12); };
    CHECK(to(Ether{} / IP{.dst = "224.0.0.5"}) == "01005e000005");
    CHECK(to(Ether{} / IP{.dst = "239.129.2.3"} / UDP{}) == "01005e010203");
    CHECK(to(Ether{} / Dot1Q{} / IP{.dst = "224.0.0.5"}) == "01005e000005");
    CHECK(to(Ether{} / IPv6{.dst = "ff02::1:ff00:9"} / ICMPv6ND_NS{}) == "3333ff000009");
    CHECK(to(Ether{.dst = "02:00:00:00:00:01"} / IP{.dst = "224.0.0.5"}) == "020000000001");
    for (packet const& p : {Ether{} / IP{.dst = "198.18.0.1"}, Ether{} / ARP{}, packet(Ether{})})
        CHECK(to(p) == "ffffffffffff");
    packet set = Ether{} / IP{.dst = {"224.0.0.5", "198.18.0.1"}};
    CHECK(to(set[0]) == "01005e000005");
    CHECK(to(set[1]) == "ffffffffffff");
}

TEST_CASE("Padding is counted by no length") {
    auto bytes = (IP{} / UDP{} / "abcd" / Padding{.load = "xxxxxx"}).build();
    CHECK(bytes.size() == 38);
    CHECK(std::to_integer<unsigned>(bytes[3]) == 32);
    CHECK(std::to_integer<unsigned>(bytes[25]) == 12);
}

TEST_CASE("Editing a dissected packet changes what was edited and nothing else") {
    auto p = dissect((IP{.dst = "192.0.2.1"} / UDP{} / "abc").build(), link_type::ipv4);
    auto before = p.build();
    p.get<IP>().ttl = 3;
    auto after = p.build();
    REQUIRE(after.size() == before.size());
    for (std::size_t i = 0; i < before.size(); ++i)
        if (i != 8) CHECK(before[i] == after[i]);
    p.get<IP>().chksum = automatic;
    internet_checksum sum;
    auto bytes = p.build();
    sum.add(std::span(bytes).first(20));
    CHECK(sum.finish() == 0);
}

TEST_CASE("The Internet checksum is the sum of 16-bit words that RFC 1071 defines, whatever the length") {
    std::mt19937 random(1071);
    for (std::size_t size = 0; size < 100; ++size)
        for (unsigned filled : {0u, 0xffu, 0x100u}) {
            std::vector<std::byte> bytes(size);
            for (auto& b : bytes) b = static_cast<std::byte>(filled == 0x100 ? random() : filled);
            std::uint32_t words = 0;
            for (std::size_t i = 0; i < size; ++i)
                words += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 ? 0 : 8);
            while (words >> 16) words = (words & 0xffff) + (words >> 16);
            internet_checksum whole, parts;
            whole.add(bytes);
            auto half = size / 4 * 2;
            parts.add(std::span(bytes).first(half));
            parts.add(std::span(bytes).subspan(half));
            CHECK(whole.finish() == (~words & 0xffff));
            CHECK(parts.finish() == (~words & 0xffff));
        }
}

TEST_CASE("A header that grows over its length field is refused") {
    CHECK_THROWS_AS((IP{} / std::string(65516, 'x')).build(), error);
    CHECK_NOTHROW((IP{} / std::string(65515, 'x')).build());
    std::vector<std::byte> options(41);
    CHECK_THROWS_AS(ip_options(std::span<std::byte const>(options)), error);
}

TEST_CASE("Every prefix of a frame dissects within its bounds and comes back as it was") {
    auto whole =
        (Ether{.dst = "02:00:00:00:00:02"} / Dot1Q{} / IP{.dst = "192.0.2.1"} / ICMP{.type = 3, .code = 3} /
         IP{.dst = "192.0.2.2"} / TCP{.options = {tcp_option::mss(1460), tcp_option::nop()}} / "payload")
            .build();
    for (std::size_t n = 0; n <= whole.size(); ++n) {
        auto part = std::span<std::byte const>(whole).first(n);
        auto p = dissect(part);
        CHECK(p.build() == std::vector<std::byte>(part.begin(), part.end()));
        std::size_t at = 0;
        for (auto const& l : p.layers()) {
            CHECK(l.begin == at);
            at = l.end;
        }
        CHECK(at == n);
    }
}

TEST_CASE("Nested layers end at the cap, not at the stack's end") {
    packet p;
    for (int i = 0; i < 100; ++i) p /= IP{.dst = "192.0.2.1"};
    auto d = dissect(p.build(), link_type::ipv4);
    CHECK(d.layers().size() <= 32);
    CHECK(d.build() == p.build());
}

TEST_CASE("get finds the first layer, quoted layers apart") {
    auto p = dissect(
        (IP{.dst = "192.0.2.1", .src = "192.0.2.9"} / ICMP{.type = 11} / IP{.dst = "192.0.2.7"} / UDP{})
            .build(),
        link_type::ipv4);
    CHECK(p.get<IP>().dst == "192.0.2.1");
    CHECK(p.get<IPerror>().dst == "192.0.2.7");
    CHECK(p.has<UDPerror>());
    CHECK_FALSE(p.has<UDP>());
    CHECK(p.find<TCP>() == nullptr);
    CHECK_THROWS_AS(p.get<TCP>(), error);
}
