#include "support/catch.hpp"

#include <sonde/packet/expression.hpp>

using namespace sonde;

namespace {

/// What the expression's error says, and its code.
struct failure {
    errc code{};
    std::string text;
};

failure failure_of(std::string_view expression) {
    try {
        parse_packets(expression);
    } catch (error const& e) {
        std::string_view text = e.what();
        return {static_cast<errc>(e.code().value()), std::string(text.substr(0, text.rfind(": ")))};
    }
    return {};
}

}  // namespace

TEST_CASE("Errors tell the column, what is wrong, and what was perhaps meant") {
    struct {
        char const* expression;
        errc code;
        char const* text;
    } const cases[] = {
        {R"(IP(dst="1.2.3.4", tll=3))", errc::no_such_field,
         R"(column 19: IP has no field "tll"; did you mean "ttl"?)"},
        {"ICPM()", errc::no_such_layer, R"(column 1: no layer ICPM; did you mean "ICMP"?)"},
        {"Dot1Q(colour=1)", errc::no_such_field,
         "column 7: Dot1Q has no field \"colour\" (it has prio, id, vlan, type)"},
        {"IP(ttl=256)", errc::value_out_of_range, "column 4: IP.ttl cannot hold 256 (largest 255)"},
        {"IP(ttl=-1)", errc::value_out_of_range, "column 4: IP.ttl cannot hold -1 (0 to 255)"},
        {"IP(ttl=[1, 300])", errc::value_out_of_range, "column 12: IP.ttl cannot hold 300 (largest 255)"},
        {"IP(ihl=RandByte())", errc::value_out_of_range, "column 4: IP.ihl cannot hold 255 (largest 15)"},
        {"IP(ttl=(9, 3))", errc::value_out_of_range, "column 4: IP.ttl: a range from 9 down to 3"},
        {"IP(ttl=(1, 3, 0))", errc::value_out_of_range, "column 15: IP.ttl: a step of at least 1"},
        {"IP(ttl=[])", errc::bad_text, "column 4: IP.ttl: an empty list is no packet at all"},
        {R"(IP(dst="1.2.3.256"))", errc::bad_text,
         R"(column 4: IP.dst takes an IPv4 address or network, or a host name, not "1.2.3.256")"},
        {R"(IP(dst="159.168.13x7.118"))", errc::bad_text,
         R"(column 4: IP.dst takes an IPv4 address or network, or a host name, not "159.168.13x7.118")"},
        {R"(IP(dst="1.2.3.0/33"))", errc::bad_text, R"(column 4: IP.dst: "33" is no prefix length up to 32)"},
        {"IP(dst=5)", errc::bad_text,
         "column 4: IP.dst takes an IPv4 address or network, or a host name, not a number"},
        {R"(TCP(flags="SX"))", errc::bad_text, R"(column 5: TCP.flags has no flag "X" (flags: FSRPAUECN))"},
        {R"(TCP(dport="htp"))", errc::bad_text,
         R"(column 5: TCP.dport knows no name "htp"; did you mean "http"?)"},
        {"Raw(load=5)", errc::bad_text, "column 5: Raw.load takes text or bytes, not a number"},
        {R"(TCP(options=[("MMS", 1)]))", errc::bad_text,
         R"(column 15: no TCP option "MMS"; did you mean "MSS"?; others go by number: (254, b'..'))"},
        {R"(TCP(options=[("MSS", 70000)]))", errc::value_out_of_range,
         "column 22: TCP option MSS cannot hold 70000 (largest 65535)"},
        {"IP(ttl=1, ttl=2)", errc::bad_expression, "column 11: IP.ttl is given twice"},
        {"IP(ttl=1", errc::bad_expression, "column 9: ',' or ')' expected, not the end"},
        {"IP()/", errc::bad_expression, "column 6: a layer or a value expected, not the end"},
        {"IP() TCP()", errc::bad_expression, "column 6: '/' or the end expected, not TCP"},
        {"IP()/5", errc::bad_expression, "column 6: a layer was expected, not a number"},
        {"IP(5)", errc::bad_expression, "column 1: IP(..) takes fields by name, or bytes to dissect"},
        {"IP(ttl=x)", errc::bad_expression, "column 9: '(' after x expected, not ')'"},
        {"IP(ttl=f())", errc::bad_expression, "column 4: no function f(..)"},
        {"IP(ttl=RandSort())", errc::bad_expression,
         R"(column 4: no function RandSort(..); did you mean "RandShort"?)"},
        {"IP(ttl=RandMAC())", errc::bad_text, "column 4: IP.ttl cannot hold RandMAC(..)"},
        {"", errc::bad_expression, "column 1: a layer or a value expected, not the end"},
        {"IP();", errc::bad_expression, "column 5: \";\" has no meaning here"},
        {"\x1b[2J", errc::bad_expression, "column 1: \"\\x1b\" has no meaning here"},
    };
    for (auto const& c : cases) {
        auto found = failure_of(c.expression);
        CHECK(found.text == c.text);
        CHECK((int)found.code == (int)c.code);
    }
}

TEST_CASE("No expression, however mangled, does anything but parse or fail") {
    std::string const good =
        R"([IP(dst=["1.2.3.4",("1.1.1.1","1.1.1.9")],options=[IPOption_RR(routers=["1.2.3.4"])])/TCP(options=[("MSS",1460),("SAck",(1,2))],flags="SA")/b"\x00\xff",Ether(src=RandMAC("02:*"))/ARP(op="who-has")/"x"*3])";
    std::string const noise = "()[],=/*-'\"\\xb09zAI \n\xff";
    std::uint64_t state = 1;
    auto draw = [&](std::size_t n) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::size_t>(state >> 33) % n;
    };
    int parsed = 0;
    for (int round = 0; round < 3000; ++round) {
        auto text = good;
        for (std::size_t changes = 1 + draw(4); changes-- > 0;) {
            auto at = draw(text.size());
            switch (draw(3)) {
                case 0: text[at] = noise[draw(noise.size())]; break;
                case 1: text.erase(at, 1 + draw(8)); break;
                default: text.insert(at, 1, noise[draw(noise.size())]);
            }
        }
        try {
            for (auto const& p : parse_packets(text)) (void)p.size();
            ++parsed;
        } catch (error const& e) {
            for (char c : std::string_view(e.what())) REQUIRE((c >= 0x20 && c < 0x7f));
        }
    }
    CHECK(parsed > 0);
}

TEST_CASE("What only the bytes of a layer show to be wrong is told with a column, too") {
    CHECK(failure_of("IP()/ARP(pdst=b'12345')")
              .text.starts_with("column 6: ARP.pdst of 5 bytes, the header states 4"));
    CHECK(failure_of("IP()/DNSQR(qname='a..b')")
              .text.starts_with("column 12: domain name \"a..b\": an empty label"));
}

TEST_CASE("An expression that would be far larger than its text is refused") {
    auto repeated = std::string("\"A\"*1000000");
    CHECK_NOTHROW(parse_literal(repeated));
    CHECK(failure_of(repeated + "/" + repeated).text.starts_with("column 16: repeated text of over 1 MiB"));
    auto set = failure_of("DNS(an=DNSRR(type=10, rdata='A'*60000, ttl=(1, 2000)))").text;
    CHECK(set.find("combinations of over 16 MiB") != set.npos);
}

TEST_CASE("Nothing, however often, is nothing") {
    CHECK(parse_packet("''*18446744073709551615").build().empty());
    CHECK(parse_packet("'a'*0*18446744073709551615/b'x'*1").build().size() == 1);
}

TEST_CASE("Sets beside each other in a field are refused when all of them together are too many") {
    CHECK(parse_packet("DNS(an=[[DNSRR(ttl=(1, 40000))], [DNSRR(ttl=(1, 20000))]])").size() == 60000);
    CHECK(failure_of("DNS(an=[[DNSRR(ttl=(1, 40000))], [DNSRR(ttl=(1, 40000))]])").code ==
          errc::set_too_large);
    CHECK(parse_packet("Raw(load=[UDP(dport=(1, 40000)), UDP(dport=(1, 20000))])").size() == 60000);
    CHECK(failure_of("Raw(load=[UDP(dport=(1, 40000)), UDP(dport=(1, 40000))])").code == errc::set_too_large);
    CHECK(failure_of("DNS(an=[DNSRR(ttl=(1, 65536)), DNSRR(ttl=(1, 65536))])").code == errc::set_too_large);
    std::string entries = "DNSRR(ttl=(1, 60000))";
    for (int i = 0; i < 100000; ++i) entries += ",b''";
    CHECK(parse_packet("DNS(an=[" + entries + "])").size() == 60000);
}
