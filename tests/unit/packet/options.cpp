#include "support/catch.hpp"
#include "support/hex.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

using namespace sonde;
using support::bytes;
using support::hex;

namespace {

std::string printed(option_codec const& codec, std::string_view hex_digits) {
    return to_python(codec.print(bytes(hex_digits), {}));
}
std::string read(option_codec const& codec, std::string_view list) {
    return hex(codec.read(parse_literal(list), nullptr));
}

/// The bytes as a header of a multiple of 4 octets carries them.
std::string padded(std::string text) {
    while (text.size() % 8 != 0) text += "00";
    return text;
}

void check_all(option_codec const& codec, std::vector<std::byte> const& octets) {
    auto list = codec.print(octets, octets);
    auto again = padded(hex(codec.read(parse_literal(to_python(list)), nullptr)));
    if (again != hex(octets))
        FAIL(hex(octets) << " printed " << to_python(list) << " and came back " << again);
}

}  // namespace

TEST_CASE("TCP options print and read as Scapy writes them") {
    auto const& codec = tcp_options::codec();
    struct {
        char const* octets;
        char const* list;
    } const cases[] = {
        {"020405b40103030801010402",
         "[('MSS', 1460), ('NOP', None), ('WScale', 8), ('NOP', None), ('NOP', None), ('SAckOK', b'')]"},
        {"0101080a00000001fffffffe", "[('NOP', None), ('NOP', None), ('Timestamp', (1, 4294967294))]"},
        {"0101050a0000000100000002", "[('NOP', None), ('NOP', None), ('SAck', (1, 2))]"},
        {"0502", "[('SAck', ())]"},
        {"1c04000a", "[('UTO', 10)]"},
        {"0e05010002", "[('AltChkSum', (1, 2))]"},
        {"220a00070e151c232a31", "[('TFO', (462357, 472066609))]"},
        {"fe06f9890102", "[(254, b'\\xf9\\x89\\x01\\x02')]"},
        {"190561626364", "[('Mood', b'abc'), b'd']"},
    };
    for (auto const& c : cases) {
        CHECK(printed(codec, c.octets) == c.list);
        CHECK(read(codec, c.list) == c.octets);
    }
    CHECK(printed(codec, "03030100") == "[('WScale', 1), ('EOL', None)]");  // the rest pads
    CHECK(printed(codec, "") == "[]");
}

TEST_CASE("TCP options are also read by number, as lists and as bytes") {
    auto const& codec = tcp_options::codec();
    CHECK(
        read(codec, "[(0, b''), (1, b''), (2, b'\\x05\\xb4'), ['WScale', 7], b'\\x01', ('SAckOK', None)]") ==
        "0001020405b40303070104"
        "02");
    CHECK(read(codec, "[('MD5', b'abc')]") == "1312616263" + std::string(26, '0'));
    CHECK(hex(parse_packet("TCP(options=b'\\x02\\x04\\x05\\xb4')")).substr(40) == "020405b4");
    for (auto bad : {"[('MSS', 'x', 3)]", "[5]", "[('MSS', (1, 2))]", "[('Timestamp', 1)]", "[(256, b'')]",
                     "[(2.5, b'')]", "[(254, 5)]", "[('SAckOK', 3)]"})
        CHECK_THROWS_AS(codec.read(parse_literal(bad), nullptr), error);
}

TEST_CASE("What cannot be read as TCP options stays as bytes at the end") {
    auto const& codec = tcp_options::codec();
    CHECK(printed(codec, "01020005b4") == "[('NOP', None), b'\\x02\\x00\\x05\\xb4']");  // length 0
    CHECK(printed(codec, "0102010000") == "[('NOP', None), b'\\x02\\x01\\x00\\x00']");  // length 1
    CHECK(printed(codec, "0204ff") == "[b'\\x02\\x04\\xff']");                          // over the end
    CHECK(printed(codec, "0108") == "[('NOP', None), b'\\x08']");                       // no length
    CHECK(printed(codec, "00ff0000") == "[('EOL', None), b'\\xff\\x00\\x00']");         // behind the end
    CHECK(printed(codec, "0000000000000000") == "[('EOL', None), b'\\x00\\x00\\x00\\x00\\x00\\x00\\x00']");
}

TEST_CASE("Every string of option bytes prints as a list that reads back to it") {
    std::uint64_t state = 7;
    auto draw = [&](unsigned n) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<unsigned>(state >> 33) % n;
    };
    constexpr unsigned kinds[] = {0, 1,   2,   3,  4,   5,   8,   14, 19, 25,  28,  34,
                                  7, 131, 137, 68, 148, 130, 136, 11, 82, 147, 149, 254};
    for (int round = 0; round < 20000; ++round) {
        std::vector<std::byte> octets(4 * (1 + draw(10)));
        for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::byte>(draw(256));
        for (std::size_t at = 0; at + 1 < octets.size() && draw(8) != 0;) {  // mostly well formed
            auto length = 1 + draw(12);
            octets[at] = static_cast<std::byte>(kinds[draw(std::size(kinds))]);
            octets[at + 1] = static_cast<std::byte>(draw(5) ? length : draw(256));
            at += std::max(1u, length);
        }
        if (draw(4) == 0) std::fill(octets.end() - draw(5) % 4, octets.end(), std::byte{0});
        check_all(tcp_options::codec(), octets);
        check_all(ip_options::codec(), octets);
    }
}

TEST_CASE("IP options print and read as layers of their own") {
    auto const& codec = ip_options::codec();
    struct {
        char const* octets;
        char const* list;
    } const cases[] = {
        {"94040005", "[IPOption_Router_Alert(copy_flag=1, optclass=0, option=20, length=4, alert=5)]"},
        {"01", "[IPOption_NOP(copy_flag=0, optclass=0, option=1)]"},
        {"830b04cb0071fec6336402",
         "[IPOption_LSRR(copy_flag=1, optclass=0, option=3, length=11, pointer=4, routers=['203.0.113.254', "
         "'198.51.100.2'])]"},
        {"99020000",
         "[IPOption(copy_flag=1, optclass=0, option=25, length=2, value=b''),IPOption_EOL(copy_flag=0, "
         "optclass=0, "
         "option=0),IPOption_EOL(copy_flag=0, optclass=0, option=0)]"},
        // more than one stamp is more than Scapy's layer tells
        {"440c0d00000000010000000200",
         "[IPOption(copy_flag=0, optclass=2, option=4, length=12, "
         "value=b'\\r\\x00\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x02'),IPOption_EOL(copy_flag=0, optclass=0, "
         "option=0)]"},
        {"8205ff", "[b'\\x82\\x05\\xff']"},
        {"4400", "[b'D\\x00']"},
    };
    for (auto const& c : cases) {
        CHECK(printed(codec, c.octets) == c.list);
        CHECK(read(codec, c.list) == c.octets);
    }
    CHECK(read(codec, "[IPOption_RR(routers=['192.0.2.1'])]") == "070704c0000201");
    CHECK(read(codec, "[IPOption(option=25, value='ab')]") == "19046162");
    CHECK_THROWS_AS(codec.read(parse_literal("[TCP()]"), nullptr), error);
    CHECK_THROWS_AS(codec.read(parse_literal("[IPOption_RR(routers=['x'])]"), nullptr), error);
}

TEST_CASE("Options that do not fit into the header are an error when the packet is built") {
    CHECK_NOTHROW(parse_packet("TCP(options=b'\\x01'*40)").build());
    CHECK_THROWS_AS(parse_packet("TCP(options=b'\\x01'*41)").build(), error);
    CHECK_THROWS_AS(parse_packet("IP(options=b'\\x01'*41)").build(), error);
}

TEST_CASE("What a computed length or count cannot say is an error, and not cut") {
    auto refusal = [](std::string const& text) -> std::string {
        try {
            parse_packet(text).build();
        } catch (error const& e) {
            CHECK(e.code() == errc::value_out_of_range);
            std::string_view what = e.what();
            if (what.starts_with("column 1: ")) what.remove_prefix(10);
            return std::string(what.substr(0, what.rfind(": ")));
        }
        return "built";
    };
    struct {
        char const* before;
        int most;  // bytes
        char const* behind;
        char const* refusal;
    } const cases[] = {
        {"ICMPv6NDOptUnknown(data=b'x'*", 2038, ")", "ICMPv6NDOptUnknown len 256, at most 255"},
        {"ICMPv6NDOptRedirectedHdr(pkt=b'x'*", 2039, ")", "ICMPv6NDOptRedirectedHdr len 256, at most 255"},
        {"ICMPv6NDOptSrcAddrList(addrlist=b'x'*", 2032, ")", "ICMPv6NDOptSrcAddrList len 256, at most 255"},
        {"IPv6ExtHdrHopByHop(autopad=0, options=b'\\x00'*", 2046, ")",
         "IPv6ExtHdrHopByHop len 256, at most 255"},
        {"IPv6ExtHdrDestOpt(options=b'\\x00'*", 2046, ")", "IPv6ExtHdrDestOpt len 256, at most 255"},
        {"IPv6ExtHdrRouting(addresses=b'x'*", 2040, ")", "IPv6ExtHdrRouting len 256, at most 255"},
        {"IPv6ExtHdrSegmentRouting(tlv_objects=b'x'*", 2024, ")",
         "IPv6ExtHdrSegmentRouting len 256, at most 255"},
        {"IPv6ExtHdrSegmentRouting(len=0, segleft=0, addresses=b'x'*", 16 * 256 + 15, ")",
         "IPv6ExtHdrSegmentRouting lastentry 256, at most 255"},
        {"PadN(optdata=b'x'*", 255, ")", "PadN optlen 256, at most 255"},
        {"HBHOptUnknown(optdata=b'x'*", 255, ")", "HBHOptUnknown optlen 256, at most 255"},
        {"ICMPv6MLDMultAddrRec(auxdata=b'x'*", 1020, ")",
         "ICMPv6MLDMultAddrRec auxdata_len 256, at most 255"},
        {"IPOption(value=b'x'*", 253, ")", "IPOption length 256, at most 255"},
        {"SCTPChunkData(data=b'x'*", 65519, ")", "SCTPChunkData len 65536, at most 65535"},
        {"IGMPv3mq(srcaddrs=b'x'*", 4 * 65535 + 3, ")", "IGMPv3mq numsrc 65536, at most 65535"},
        {"IP()/Raw(load=b'x'*", 65515, ")", "IP len 65536, at most 65535"},
        {"IPv6()/Raw(load=b'x'*", 65535, ")", "IPv6 plen 65536, at most 65535"},
        {"UDP()/Raw(load=b'x'*", 65527, ")", "UDP len 65536, at most 65535"},
        {"EDNS0TLV(optdata=b'x'*", 65535, ")", "EDNS0TLV optlen 65536, at most 65535"},
    };
    for (auto const& c : cases) {
        CHECK(refusal(fmt::format("{}{}{}", c.before, c.most, c.behind)) == "built");
        CHECK(refusal(fmt::format("{}{}{}", c.before, c.most + 1, c.behind)) == c.refusal);
    }
    // An explicit value wins.
    CHECK(refusal("ICMPv6NDOptUnknown(len=1, data=b'x'*3000)") == "built");
    CHECK(refusal("IGMPv3mq(numsrc=1, srcaddrs=b'x'*262144)") == "built");
}

TEST_CASE("A set of record lists prints as a list of lists, and is read back as that set") {
    auto set = parse_packet("DNS(qd=DNSQR(qname=['a', 'b'])/DNSQR(qname='c'))");
    REQUIRE(set.size() == 2);
    auto text = command(set);
    auto again = parse_packet(text);
    CHECK(command(again) == text);
    REQUIRE(again.size() == 2);
    for (std::uint64_t i = 0; i < 2; ++i) CHECK(support::hex(again[i]) == support::hex(set[i]));
}
