// ICMP errors: whose packet they quote, whatever of it they quote.
#include "support/catch.hpp"

#include "layers/matching.hpp"

using namespace sonde;
using namespace support;

namespace {

std::string const too_short = "the quote ends before it ties to the probe";

/// Quotes so much of the probe, which is read in its link type, as it is or as `quoted`.
std::string verdict_of_quote(std::string const& sent, std::size_t octets, std::string const& quoted = "") {
    auto bytes = parse_packet(quoted.empty() ? sent : quoted).build();
    bytes.resize(std::min(bytes.size(), octets));
    std::string const error = sent.starts_with("IPv6")
                                  ? "IPv6(src='fe80::7', dst='fe80::1')/ICMPv6TimeExceeded()"
                                  : "IP(src='203.0.113.9', dst='192.0.2.1')/ICMP(type=11)";
    auto answer = parse_packet(error) /=
        packet(std::string_view(reinterpret_cast<char const*>(bytes.data()), bytes.size()));
    return verdict_on(read(sent, link_type::raw), dissect(answer.build(), link_type::raw));
}

constexpr std::size_t whole = 1000, ip = 20;

}  // namespace

TEST_CASE("A quoted length that tells less than is quoted cuts nothing off (RFC 792: 8 octets at least)") {
    std::string const udp = "450000241234400040113c5ec0000201c63364020fa0829a0010c40b7061796c6f616421",
                      tcp =
                          "450000281234400040063c65c0000201c63364020fa000501122334400000000500220004f550000",
                      sctp =
                          "450000341234400040843bdbc0000201c63364020fa00050000000001a5c64430100001455667788"
                          "000000000000000000000000",
                      echo = "450000201234400040013c72c0000201c633640208001f2e0007000864617461";
    // Without its header (as old BSD systems do), or without anything else.
    CHECK(verdict_of_hex(udp,
                         "45000038000100004001f5c4c00002fec00002010b009ea900000000450000141234400001117b6e"
                         "c0000201c63364020fa0829a0010c40b") == "yes");
    CHECK(verdict_of_hex(tcp,
                         "45000044000100004001f5b8c00002fec00002010b00e15100000000450000141234400001067b79"
                         "c0000201c63364020fa000501122334400000000500220004f550000") == "yes");
    CHECK(verdict_of_hex(tcp,
                         "45000038000100004001f5c4c00002fec00002010b00a0a900000000450000141234400001067b79"
                         "c0000201c63364020fa0005011223344") == "yes");
    CHECK(verdict_of_hex(
              sctp,
              "45000050000100004001f5acc00002fec00002010b00986d00000000450000201234400001847aef"
              "c0000201c63364020fa00050000000001a5c64430100001455667788000000000000000000000000") == "yes");
    CHECK(verdict_of_hex(echo,
                         "45000038000100004001f5c4c00002fec00002010b00cdc200000000450000141234400001017b7e"
                         "c0000201c633640208001f2e00070008") == "yes");
    // Which are compared: another port, less than 8.
    CHECK(verdict_of_hex(udp,
                         "45000038000100004001f5c4c00002fec00002010b009ea900000000450000141234400001117b6e"
                         "c0000201c63364020fa1829a0010c40b") == "quoted UDP sport 0xfa1, expected 0xfa0");
    CHECK(verdict_of_hex(tcp,
                         "45000034000100004001f5c4c00002fec00002010b00a0a900000000450000141234400001067b79"
                         "c0000201c63364020fa00050") == too_short);
    auto short_of = [](int octets) {
        auto length = [](int n) {
            return "IP(src='192.0.2.1', dst='198.51.100.9', id=7, len=" + std::to_string(n) + ")/";
        };
        return verdict_of_quote(length(36) + "UDP(sport=1, dport=2)/'12345678'", whole,
                                length(octets) + "UDP(sport=1, dport=2, len=16)/'12345678'");
    };
    for (int octets : {0, 19, 20, 21, 27, 28, 35, 36, 40}) {
        CAPTURE(octets);
        CHECK(short_of(octets) == "yes");
    }
}

TEST_CASE("What fills up the frame is no more of the quote") {
    CHECK(
        verdict_of_hex("02fc0000000502fc000000010800450000341234400040843bdbc0000201c63364020fa0005000000000"
                       "1a5c64430100001455667788000000000000000000000000",
                       "02fc0000000502fc00000001080045000038000100004001f5c4c00002fec00002010b00e50f00000000"
                       "450000341234400001847adbc0000201c63364020fa000500000000000000000",
                       link_type::ethernet) == "yes");
}

TEST_CASE("An ICMP error about a GRE tunnel is of the packet inside") {
    // ICMP time exceeded about GRE with UDP from port 1000 to 2000 inside.
    std::string const sent =
        "4500003c22220000402f6c3ac0000201c6336402000008004500002400010000401166c60a0000010a00000203e807d0"
        "00104e7e6162636465666768";
    auto error = [](std::string const& inside) {
        return "45000058000100004001f5a4c00002fec00002010b000124000000004500003c22220000012fab3ac0000201c6336"
               "402" +
               inside;
    };
    CHECK(verdict_of_hex(sent, error("000008004500002400010000401166c60a0000010a00000203e807d000104e7e"
                                     "6162636465666768")) == "yes");
    CHECK(verdict_of_hex(sent, error("000008004500002400010000401166c60a0000010a00000203e807d000104e7e")) ==
          "yes");
    CHECK(verdict_of_hex(sent, error("000008004500002400010000401166c60a0000010a00000203e907d000104e7e")) ==
          "quoted UDP sport 0x3e9, expected 0x3e8");
    CHECK(verdict_of_hex(sent, error("000008004500002400020000401166c60a0000010a00000203e807d000104e7e")) ==
          "quoted ip id 2, expected 1");
    CHECK(verdict_of_hex(sent, error("000108004500002400010000401166c60a0000010a00000203e807d000104e7e")) ==
          "quoted GRE octet 1 is 0x1, expected 0x0");
    // ICMP quotes of IPv4 that are no longer than RFC 792 asks for do not reach the ports inside.
    CHECK(verdict_of_hex(sent, error("0000080045000024")) == "quoted header cut short");
    CHECK(verdict_of_hex(sent, error("00000800")) == too_short);
    for (std::string tunnel : {"GRE(key_present=1, key=7)/", "GRE()/Ether()/Dot1Q(vlan=5)/",
                               "GRE()/MPLS(label=16)/", "MPLS(label=16)/"})
        for (auto inner : {there("UDP(sport=1, dport=2)"), there6("UDP(sport=1, dport=2)")}) {
            CAPTURE(tunnel, inner);
            CHECK(verdict_of_quote(there(tunnel + inner), whole) == "yes");
            CHECK(verdict_of_quote(there(tunnel + inner), ip + 8) != "yes");
        }
    CHECK(verdict_of_quote(there("GRE(key_present=1, key=7)/" + there("UDP()")), whole,
                           there("GRE(key_present=1, key=8)/" + there("UDP()"))) ==
          "quoted GRE octet 7 is 0x8, expected 0x7");
    CHECK(verdict_of_quote(there("GRE()/Ether()/Dot1Q(vlan=5)/" + there("UDP()")), whole,
                           there("GRE()/Ether()/Dot1Q(vlan=6)/" + there("UDP()"))) ==
          "quoted Dot1Q octet 1 is 0x6, expected 0x5");
    CHECK(verdict_of_quote(there("GRE()/'no packet'"), whole) == "yes");
    CHECK(verdict_of_quote(there("GRE()/'no packet'"), ip + 8) == "yes");
    CHECK(verdict_of_quote(there("GRE()"), whole) == "yes");
}

TEST_CASE("Messages without ports and numbers are compared octet by octet, as far as they are quoted") {
    for (std::string message : {"IGMP(gaddr='239.1.1.1')", "IGMPv3()/IGMPv3mq(gaddr='239.1.1.1')"}) {
        auto sent = there(message);
        CAPTURE(sent);
        CHECK(verdict_of_quote(sent, whole) == "yes");
        CHECK(verdict_of_quote(sent, ip + 8) == "yes");
        CHECK(verdict_of_quote(sent, ip + 7) == too_short);
        CHECK(verdict_of_quote(sent, ip) == too_short);
    }
    CHECK(verdict_of_quote(there("IGMP(gaddr='239.1.1.1', chksum=5)"), whole,
                           there("IGMP(gaddr='239.1.1.2', chksum=5)")) ==
          "quoted IGMP octet 7 is 0x2, expected 0x1");
    // MLD query; extended echo request (RFC 8335).
    CHECK(
        verdict_of_hex(
            "6000000000183a0120010db800000000000000000000000120010db80000000000000000000000028200fb2727100000"
            "00000000000000000000000000000000",
            "6000000000483a4020010db8ffff0000000000000000000120010db80000000000000000000000010300074200000000"
            "6000000000183a0120010db800000000000000000000000120010db80000000000000000000000028200fb2727100000"
            "00000000000000000000000000000000") == "yes");
    CHECK(
        verdict_of_hex(
            "6000000000083a4020010db800000000000000000000000120010db8000000000000000000000002a00000000001010"
            "1",
            "6000000000383a4020010db8ffff0000000000000000000120010db800000000000000000000000103000a9800000000"
            "6000000000083a0120010db800000000000000000000000120010db8000000000000000000000002a00000000001010"
            "1") == "yes");
    // What makes a key of the message is there whole.
    constexpr std::size_t ip6 = 40;
    for (auto [message, octets] : {std::pair<std::string, std::size_t>("ICMPv6MLQuery(mladdr='ff02::5')", 24),
                                   {"ICMPv6MLQuery2(mladdr='ff02::5')", 28},
                                   {"ICMPv6ND_NA(tgt='fe80::7')", 24},
                                   {"ICMPv6ND_RS()", 8}}) {
        auto sent = there6(message);
        CAPTURE(sent);
        CHECK(verdict_of_quote(sent, whole) == "yes");
        CHECK(verdict_of_quote(sent, ip6 + octets) == "yes");
        CHECK(verdict_of_quote(sent, ip6 + octets - 1) == too_short);
        CHECK(verdict_of_quote(sent, ip6) == too_short);
    }
    CHECK(verdict_of_quote(there6("ICMPv6MLQuery(mladdr='ff02::5', cksum=5)"), whole,
                           there6("ICMPv6MLQuery(mladdr='ff02::6', cksum=5)")) ==
          "quoted ICMPv6MLQuery octet 23 is 0x6, expected 0x5");
}
