#include "support/catch.hpp"
#include "support/hex.hpp"

#include <sonde/layers/icmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

using namespace sonde;
using support::hex;

namespace {

/// Each packet of the set, by the values of one field.
template <auto Member>
std::vector<std::string> all(std::string_view expression) {
    using layer = decltype(detail::layer_of_member(Member));
    std::vector<std::string> found;
    for (auto const& set : parse_packets(expression))
        for (auto p : set) found.push_back(to_python(value_of(layer_view(p.view(), 0), field_index<Member>)));
    static_assert(sonde::layer<layer>);
    return found;
}

using texts = std::vector<std::string>;

std::string same(std::string_view text) {
    return to_python(parse_literal(text));
}

}  // namespace

TEST_CASE("An expression makes the packet that the same line makes with braces") {
    auto written = parse_packet(
        R"(IP(src="192.0.2.1", dst="198.51.100.2", ttl=3)/TCP(sport=1, dport=65535, flags="SA")/"data")");
    auto braced = IP{.dst = "198.51.100.2", .src = "192.0.2.1", .ttl = 3} /
                  TCP{.dport = 65535, .sport = 1, .flags = "SA"} / "data";
    CHECK(hex(written) == hex(braced));
    CHECK(hex(parse_packet("IP()/TCP()")) == hex(IP{} / TCP{}));
}

TEST_CASE("Numbers are read in every base that Python has") {
    CHECK(same("1_000_000") == "1000000");
    CHECK(same("0x_fF") == "255");
    CHECK(same("0o17") == "15");
    CHECK(same("0b101") == "5");
    CHECK(same("18446744073709551615") == "18446744073709551615");
    CHECK(same("-3") == "-3");
    CHECK(same("00") == "0");
    for (auto bad :
         {"18446744073709551616", "010", "0x", "1__0", "1.", ".5", "1.5.2", "1.5e3", "12ab", "--3", "-"})
        CHECK_THROWS_AS(parse_literal(bad), error);
}

TEST_CASE("Strings and bytes are read as Python reads them") {
    CHECK(hex(parse_packet(R"("a\x00\n\t\\\'\"\101\q")")) == hex(std::string_view("a\0\n\t\\'\"A\\q", 10)));
    CHECK(hex(parse_packet(R"(b"\xff\0")")) == "ff00");
    CHECK(hex(parse_packet(R"("\xe9\u20ac\U0001f600")")) == "c3a9e282acf09f9880");  // text goes out as UTF-8
    CHECK(hex(parse_packet(R"(r'\n' u"x" 'y')")) == hex(std::string_view("\\nxy")));
    CHECK(hex(parse_packet("'ab'*3")) == hex(std::string_view("ababab")));
    for (auto bad : {"'a", "b'\xc3\xa9'", "f'x'", R"("\x1")", R"("\ud800")", "'a' b'b'", "'a\n'", "3*IP()",
                     "'a'*-1", "'aaaaaaaaaa'*1000000"})
        CHECK_THROWS_AS(parse_literal(bad), error);
}

TEST_CASE("Lists, tuples and networks are sets, in the order they are written") {
    CHECK(all<&IP::ttl>("IP(ttl=[1, (3, 5), [7, (10, 20, 5)]])") ==
          texts{"1", "3", "4", "5", "7", "10", "15", "20"});
    CHECK(all<&IP::dst>(R"(IP(dst="192.0.2.5/30"))") ==
          texts{"'192.0.2.4'", "'192.0.2.5'", "'192.0.2.6'", "'192.0.2.7'"});
    CHECK(all<&IP::dst>(R"(IP(dst=Net("192.0.2.0/31")))") == texts{"'192.0.2.0'", "'192.0.2.1'"});
    CHECK(all<&IP::dst>(R"(IP(dst=["192.0.2.9", ("192.0.2.254", "192.0.3.1"), "10.0.0.0/31"]))") ==
          texts{"'192.0.2.9'", "'192.0.2.254'", "'192.0.2.255'", "'192.0.3.0'", "'192.0.3.1'", "'10.0.0.0'",
                "'10.0.0.1'"});
    CHECK(all<&TCP::dport>(R"(TCP(dport=[22, "http", "https"]))") == texts{"22", "80", "443"});
    CHECK(all<&TCP::flags>(R"(TCP(flags=["S", "SA", 1]))") == texts{"2", "18", "1"});
    CHECK(all<&IP::ttl>("[IP(ttl=9), IP(ttl=(1, 2))]") == texts{"9", "1", "2"});
    CHECK(all<&IP::ttl>("IP(ttl=[5])") == texts{"5"});
}

TEST_CASE("The innermost layer of a set varies fastest, within a layer the first wire field") {
    std::vector<std::string> order;
    for (auto p : parse_packet("IP(ttl=(1, 2))/TCP(sport=[1, 2], dport=[80, 81])"))
        order.push_back(fmt::format("{} {} {}", p.get<IP>().ttl.value(), p.get<TCP>().sport.value(),
                                    p.get<TCP>().dport.value()));
    CHECK(order == texts{"1 1 80", "1 2 80", "1 1 81", "1 2 81", "2 1 80", "2 2 80", "2 1 81", "2 2 81"});
}

TEST_CASE("None asks for the computed value, True is 1") {
    CHECK(hex(parse_packet("IP(len=None, chksum=None, proto=None)/TCP(dataofs=None)")) == hex(IP{} / TCP{}));
    CHECK(parse_packet("TCP(reserved=True)").get<TCP>().reserved == 1);
}

TEST_CASE("Random values are drawn anew for each packet, within their bounds") {
    auto p = parse_packet(R"(IP(src=RandIP("10.0.0.0/8"), id=RandShort(), ttl=RandNum(3, 5),
                                tos=RandChoice(1, 2, 4))/TCP(seq=RandInt(), sport=RandNum(1024, 1030))/
                             Raw(RandString(20)))");
    CHECK(p.size() == 1);
    std::vector<unsigned> ids;
    for (int i = 0; i < 50; ++i) {
        auto one = p[0];
        CHECK(one.get<IP>().src.value().value >> 24 == 10);
        CHECK((one.get<IP>().ttl.value() >= 3 && one.get<IP>().ttl.value() <= 5));
        auto tos = one.get<IP>().tos.value();
        CHECK((tos == 1 || tos == 2 || tos == 4));
        CHECK((one.get<TCP>().sport.value() >= 1024 && one.get<TCP>().sport.value() <= 1030));
        CHECK(one.view().bytes.size() == 60);
        ids.push_back(one.get<IP>().id.value());
    }
    std::sort(ids.begin(), ids.end());
    CHECK(std::unique(ids.begin(), ids.end()) - ids.begin() > 40);
}

TEST_CASE("Bytes as the only argument are read as that layer, as in Scapy") {
    auto p = parse_packet(
        R"(IP(b"\x45\x00\x00\x14\x00\x01\x00\x00\x40\x00\x7c\xe7\x7f\x00\x00\x01\x7f\x00\x00\x01"))");
    CHECK(p.get<IP>().dst == "127.0.0.1");
    CHECK(p.get<IP>().chksum == 0x7ce7);
    CHECK(hex(parse_packet(R"(Raw(b"\x01")/Padding("x"))")) == "0178");
}

TEST_CASE("Addresses may be host names, which wait for the resolver") {
    auto p = parse_packet(R"(IP(dst=["192.0.2.1", "host.example"])/TCP())");
    REQUIRE(p.size() == 2);
    CHECK(p[0].sets().empty());
    REQUIRE(p[1].sets().size() == 1);
    CHECK(p[1].sets()[0].name == "host.example");
}

TEST_CASE("Text of 1 MiB and 64 brackets are read, more are not") {
    std::string deep(64, '['), shut(64, ']');
    CHECK_NOTHROW(parse_literal(deep + "1" + shut));
    CHECK_THROWS_AS(parse_literal("[" + deep + "1" + shut + "]"), error);
    CHECK_THROWS_AS(parse_literal(std::string(100000, '(')), error);
    std::string text((1 << 20) - 2, 'x');
    CHECK_NOTHROW(parse_literal("'" + text + "'"));
    CHECK_THROWS_AS(parse_literal("'" + text + "x'"), error);
    std::string layers = "IP()";
    for (int i = 1; i < 64; ++i) layers += "/IP()";
    CHECK(parse_packet(layers).layers().size() == 64);
    CHECK_THROWS_AS(parse_packet(layers + "/IP()"), error);
}

TEST_CASE("A huge set costs what its spelling does") {
    CHECK(parse_packet(R"(IP(dst=["0.0.0.0/0", ("10.0.0.0", "11.255.255.255")])/TCP(dport=(0, 65535)))")
              .size() == ((std::uint64_t(1) << 32) + (1 << 25)) * 65536);
    CHECK_THROWS_AS(parse_packet(R"(IP(dst="0.0.0.0/0", src="0.0.0.0/0"))").size(), error);
    CHECK_THROWS_AS(parse_packet(R"(IPv6(dst="::/0"))").size(), error);
}

TEST_CASE("A layer of no bytes has its defaults, as in Scapy") {
    CHECK(hex(parse_packet("IP('')")) == hex(parse_packet("IP()")));
    CHECK(command(parse_packet("IP(b'')/TCP(b'')")) == "IP()/TCP()");
}

TEST_CASE("Python's operators put numbers, text and lists together, each at its rank") {
    CHECK(same("1+2*3") == "7");
    CHECK(same("2*3-5") == "1");
    CHECK(same("1|2+4") == "7");
    CHECK(same("1<<4|0x2") == "18");
    CHECK(same("'a'+'b'*2") == "'abb'");
    CHECK(same("3*b'x'+b'y'") == "b'xxxy'");
    CHECK(same("[1]+[2, 3]*2") == "[1, 2, 3, 2, 3]");
    CHECK(same("[('NOP', None)]*2") == "[('NOP', None), ('NOP', None)]");
    CHECK(hex(parse_packet("IP(ttl=64-1)/('a'+'b')")) == hex(IP{.ttl = 63} / "ab"));
    for (auto bad : {"1-2", "18446744073709551615+1", "1<<64", "3<<63", "1<2", "'a'+b'b'", "'a'+1", "'a'-'b'",
                     "IP()*2", "IP()+IP()", "'a'*'b'", "[1]-[1]", "1+", "4294967296*4294967296"})
        CHECK_THROWS_AS(parse_literal(bad), error);
}

TEST_CASE("Comments, strings over lines and decimals are read as Python reads them") {
    CHECK(same("# first\n[1, # one\n 2]# end") == "[1, 2]");
    CHECK(same("'#'") == "'#'");
    CHECK(same("\"\"\"a \"q\"\nb\"\"\"") == "'a \"q\"\\nb'");
    CHECK(same("b'''x'y'''") == "b\"x'y\"");
    CHECK(same("'a\\\nb'") == "'ab'");
    CHECK(same("1.50") == "Decimal('1.50')");
    CHECK_THROWS_AS(parse_literal("\"\"\"a\"\""), error);
    CHECK_THROWS_AS(parse_literal("'\\N{BULLET}'"), error);
}

TEST_CASE("Text among the entries of a list is a forgotten comma, and no bytes of the wire") {
    for (auto bad : {"TCP(options=['MSS'])", "TCP(options=[('MSS')])", "TCP(options='MSS')",
                     "IP(options=['1.1.1.1'])", "ICMPv6NDOptDNSSL(searchlist='example.com')"})
        CHECK_THROWS_AS(parse_packet(bad), error);
    CHECK(hex(parse_packet("TCP(options=b'\\1\\1')")) == hex(parse_packet("TCP(options=[b'\\1\\1'])")));
    CHECK(hex(parse_packet("IP(options='')")) == hex(IP{}));
}

TEST_CASE("Values that are encoded may be ranges, and MAC addresses their six bytes") {
    CHECK(parse_packet("SNMP(PDU=SNMPget(id=(1, 3)))").size() == 3);
    CHECK(parse_packet("NTPHeader(sent=[1, 2])").size() == 2);
    CHECK(hex(parse_packet("NTPHeader(sent=[1, 2])")[1]) == hex(parse_packet("NTPHeader(sent=2)")));
    CHECK_THROWS_AS(parse_packet("SNMP(PDU=SNMPget(id=(1, 1000000)))"), error);
    CHECK(hex(parse_packet("Ether(src=b'\\2\\0\\0\\0\\0\\1')")) ==
          hex(parse_packet("Ether(src='02:00:00:00:00:01')")));
    CHECK_THROWS_AS(parse_packet("Ether(src=b'12345')"), error);
}
