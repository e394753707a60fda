#include "support/catch.hpp"

#include "layers/ber.hpp"
#include "layers/support.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/snmp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/json.hpp>

#include <limits>

using namespace sonde;
using support::built;
using support::hex_behind;
using support::refusal_of;
using support::verdict;

namespace {

static_assert(std::is_trivially_destructible_v<SNMP> && std::is_aggregate_v<SNMP>);

packet sent(SNMP const& message) {
    return IP{.dst = "198.18.0.1", .src = "198.51.100.1"} / UDP{.dport = 161, .sport = 4000} / message;
}
packet back(SNMP const& message) {
    return IP{.dst = "198.51.100.1", .src = "198.18.0.1"} / UDP{.dport = 4000, .sport = 161} / message;
}
SNMP get_of(int id) {
    return {.PDU = SNMPget{.varbindlist = SNMPvarbind{.oid = "1.3.6.1.2.1.1.1.0"}, .id = id}};
}
SNMP response_of(int id) {
    return {.PDU = SNMPresponse{.varbindlist = SNMPvarbind{.oid = "1.3.6.1.2.1.1.1.0", .value = "Linux"},
                                .id = id}};
}
/// A message behind headers, as it comes in.
packet received(std::string_view hex) {
    auto bytes = support::bytes(hex);
    return dissect((IP{} / UDP{.dport = 161} / octets(bytes).value).build(), link_type::raw);
}
std::string printed(std::string_view value) {
    return to_python(asn1_value::codec().print(support::bytes(value), {}));
}
std::string read(std::string_view value) {
    literal::list one;
    one.items.push_back(parse_literal(value));
    return support::hex(asn1_value::codec().read(one, nullptr));
}

}  // namespace

TEST_CASE("A question to an agent is written as one thinks of it; lengths are computed") {
    auto p = sent(get_of(5));
    CHECK(hex_behind(p, 28) ==
          "302602010104067075626c6963a019020105020100020100300e300c06082b060102010101000500");
    auto in = built(p);
    CHECK(in.get<SNMP>().version.value() == 1);
    CHECK(in.get<SNMP>().community.value() == "public");
    auto pdu = snmp_pdu_of(in);
    CHECK(pdu.get<SNMPget>().id.value() == 5);
    auto variables = snmp_varbinds_of(in);
    REQUIRE(variables.size() == 1);
    CHECK(variables[0].get<SNMPvarbind>().oid == "1.3.6.1.2.1.1.1.0");
    CHECK(variables[0].get<SNMPvarbind>().value.type() == asn1_tag::null);
    CHECK(snmp_varbinds_of(IP{} / UDP{}).empty());
    auto ports = built(IP{} / UDP{} / SNMP{});
    CHECK(ports.get<UDP>().sport == 161);
    CHECK(ports.get<UDP>().dport == 161);
}

TEST_CASE("A message prints as Scapy prints it, and in JSON as values") {
    auto p = received("302602010104067075626c6963a019020105020100020100300e300c06082b060102010101000500");
    auto text = command(p);
    CHECK(
        text.substr(text.find("SNMP(")) ==
        "SNMP(PDU=SNMPget(varbindlist=[SNMPvarbind(oid=ASN1_OID('1.3.6.1.2.1.1.1.0'), value=ASN1_NULL(0))], "
        "id=ASN1_INTEGER(5), error=ASN1_INTEGER(0), error_index=ASN1_INTEGER(0)), version=ASN1_INTEGER(1), "
        "community=ASN1_STRING(b'public'))");
    auto json = to_json(p);
    CHECK(json.find("{\"layer\":\"SNMP\",\"fields\":{\"version\":1,\"community\":{\"hex\":\"7075626c6963\"},"
                    "\"PDU\":{\"layer\":\"SNMPget\",\"fields\":{\"id\":5,\"error\":0,\"error_index\":0,"
                    "\"varbindlist\":[{\"layer\":\"SNMPvarbind\",\"fields\":{\"oid\":\"1.3.6.1.2.1.1.1.0\","
                    "\"value\":null}}]}}}}") != std::string::npos);
    auto shown = show(p);
    CHECK(shown.find("  version   = 'v2c' 0x1 <ASN1_INTEGER[1]>\n") != std::string::npos);
    CHECK(shown.find("   |   |###[ SNMPvarbind ]### \n") != std::string::npos);
    CHECK(shown.find("|  value     = <ASN1_NULL[0]>\n") != std::string::npos);
}

TEST_CASE("Values print with their type and are read back to the same bytes") {
    struct {
        char const* bytes;
        char const* text;
    } const cases[] = {
        {"020105", "ASN1_INTEGER(5)"},
        {"0201fb", "ASN1_INTEGER(-5)"},
        {"020180", "ASN1_INTEGER(-128)"},
        {"02020080", "ASN1_INTEGER(128)"},
        {"02087fffffffffffffff", "ASN1_INTEGER(9223372036854775807)"},
        {"02088000000000000000", "ASN1_INTEGER(-9223372036854775808)"},
        {"410500ffffffff", "ASN1_COUNTER32(4294967295)"},
        {"4101ff", "ASN1_COUNTER32(-1)"},
        {"420107", "ASN1_GAUGE32(7)"},
        {"430164", "ASN1_TIME_TICKS(100)"},
        {"460900ffffffffffffffff", "ASN1_COUNTER64(18446744073709551615)"},
        {"0400", "ASN1_STRING(b'')"},
        {"0403ff0027", "ASN1_STRING(b\"\\xff\\x00'\")"},
        {"06082b06010201010100", "ASN1_OID('1.3.6.1.2.1.1.1.0')"},
        {"0603883703", "ASN1_OID('2.999.3')"},
        {"0600", "ASN1_OID('')"},
        {"4004c0000201", "ASN1_IPADDRESS('192.0.2.1')"},
        {"4403414243", "ASN1_OPAQUE(b'ABC')"},
        {"8000", "ASN1_NO_SUCH_OBJECT()"},
        {"8100", "ASN1_NO_SUCH_INSTANCE()"},
        {"8200", "ASN1_END_OF_MIB_VIEW()"},
        // longer than need be: the bytes too
        {"02020005", "ASN1_INTEGER(5, ber=b'\\x02\\x02\\x00\\x05')"},
        {"02810105", "ASN1_INTEGER(5, ber=b'\\x02\\x81\\x01\\x05')"},
        {"0202ff80", "ASN1_INTEGER(-128, ber=b'\\x02\\x02\\xff\\x80')"},
        {"0603802b01", "ASN1_OID('1.3.1', ber=b'\\x06\\x03\\x80+\\x01')"},
        {"800141", "ASN1_NO_SUCH_OBJECT(ber=b'\\x80\\x01A')"},
        // no value of its type, or of no type that is known
        {"0200", "ASN1_BADTAG(b'\\x02\\x00')"},
        {"020901ffffffffffffffff", "ASN1_BADTAG(b'\\x02\\t\\x01\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff')"},
        {"06022b81", "ASN1_BADTAG(b'\\x06\\x02+\\x81')"},
        {"4003c00002", "ASN1_BADTAG(b'@\\x03\\xc0\\x00\\x02')"},
        {"3003020101", "ASN1_BADTAG(b'0\\x03\\x02\\x01\\x01')"},
    };
    for (auto const& c : cases) {
        CHECK(printed(c.bytes) == c.text);
        CHECK(read(c.text) == c.bytes);
    }
    CHECK(printed("0500") == "ASN1_NULL(None)");
    CHECK(read("ASN1_NULL(0)") == "0500");
    CHECK(read("5") == "020105");
    CHECK(read("-129") == "0202ff7f");
    CHECK(read("'text'") == "040474657874");
    CHECK(read("b'text'") == "040474657874");
    CHECK(read("None") == "0500");
    CHECK(read("ASN1_OID('26.39.3')") == "0603883703");  // as Scapy reads it
    CHECK(read("ASN1_OID('.1.3')") == "06012b");
    for (auto bad : {"ASN1_INTEGER('x')", "ASN1_OID('1.x')", "ASN1_OID('1..3')", "ASN1_IPADDRESS('1.2.3')",
                     "ASN1_NULL(1)", "ASN1_NOTHING(1)", "ASN1_INTEGER(1, 2)", "(1, 2)", "TCP()",
                     "ASN1_OID('1.99999999999999999999')"})
        CHECK_THROWS_AS(read(bad), error);
}

TEST_CASE("Numbers at the ends of their ranges are encoded shortest, and come back") {
    using limits = std::numeric_limits<std::int64_t>;
    for (std::int64_t n :
         {limits::min(), limits::min() + 1, std::int64_t(-32769), std::int64_t(-32768), std::int64_t(-129),
          std::int64_t(-128), std::int64_t(-1), std::int64_t(0), std::int64_t(127), std::int64_t(128),
          std::int64_t(32767), std::int64_t(32768), limits::max()}) {
        CHECK(asn1_integer(n).value() == n);
        CHECK(printed(support::hex(asn1_integer(n).view())).find("ber=") == std::string::npos);
    }
    CHECK(support::hex(asn1_integer(-129).view()) == "0202ff7f");
    CHECK(support::hex(asn1_value(asn1_tag::counter64, ~std::uint64_t(0)).view()) ==
          "460900ffffffffffffffff");
    CHECK(asn1_value(asn1_tag::gauge32, 7).number() == 7);
    CHECK(asn1_value(ipv4("192.0.2.1")).to_string() == "ASN1_IPADDRESS('192.0.2.1')");
    CHECK(asn1_value("text").contents() == "text");
    CHECK_FALSE(asn1_value("text").number());
    CHECK_THROWS_AS(asn1_oid("1.x"), error);
    CHECK(asn1_oid(".1.3") == ".1.3");
    CHECK(asn1_oid("1.3") == ".1.3");
    CHECK(asn1_oid(".1.3") == "1.3");
    CHECK_FALSE(asn1_oid("1.3") == "1.4");
    CHECK_FALSE(asn1_oid("1.3") == "no oid");
    CHECK_THROWS_AS(asn1_string(std::string(300, 'x')), error);
}

TEST_CASE("What an expression says is what goes out: names, plain values, bytes, sets") {
    auto get = [](char const* fields) {
        return support::hex(parse_packet(std::string("SNMP(") + fields + ")"));
    };
    CHECK(get("version='v1', community=b'x'").substr(4, 12) == "020100040178");
    CHECK(get("PDU=SNMPset(id=ASN1_INTEGER(7), error='no_such_name')").substr(30) ==
          "02010702010202010030"
          "00");
    CHECK(get("PDU=SNMPbulk(max_repetitions=10)").substr(26) == "a50b02010002010002010a3000");
    CHECK(parse_packet("SNMP(community=['public','private'], PDU=SNMPget(id=[1,2,3]))").size() == 6);
    CHECK(support::hex(parse_packet("SNMP(community=['a','bc'])")[1]).substr(0, 18) == "301402010104026263");
    CHECK(support::hex(parse_packet("SNMP(PDU=b'xyz')")) == "300e02010104067075626c696378797a");
    CHECK(support::hex(parse_packet("SNMP(ber=b'0\\x05')")).substr(0, 10) == "3005020101");
    CHECK_THROWS_AS(parse_packet("SNMP(version=ASN1_STRING('x'))"), error);
    CHECK_THROWS_AS(parse_packet("SNMP(PDU=TCP())"), error);
    CHECK_THROWS_AS(parse_packet("SNMP(PDU=SNMPget(error='no_such_error'))"), error);
}

TEST_CASE("A field that is changed in a message that came in changes the lengths around it") {
    auto p = built(back(response_of(5)));
    p.get<IP>().len = automatic;
    p.get<UDP>().len = automatic;
    p.get<SNMP>().community = "a longer community than before";
    auto changed = built(p);
    CHECK(changed.get<SNMP>().community.value() == "a longer community than before");
    CHECK(snmp_pdu_of(changed).get<SNMPresponse>().id.value() == 5);
}

TEST_CASE("Lengths longer than need be are read, shown where they are so, and kept") {
    // As some agents write each SEQUENCE: 0x82 and two octets.
    constexpr std::string_view message =
        "3082003202010104067075626c6963a2820023020400000005020100020100308200133082000f06082b0601020101010004"
        "036162"
        "63";
    CHECK_FALSE(received(message.substr(0, message.size() - 2)).has<SNMP>());
    auto p = received(message);
    REQUIRE(p.has<SNMP>());
    auto pdu = snmp_pdu_of(p);
    CHECK(pdu.get<SNMPresponse>().id.value() == 5);
    CHECK(snmp_varbinds_of(p).at(0).get<SNMPvarbind>().value.contents() == "abc");
    CHECK(command(p).find("ber=b'0\\x82\\x002'") != std::string::npos);
    CHECK(to_json(p).find("\"PDU\":{\"layer\":\"SNMPresponse\"") != std::string::npos);
    CHECK(support::comes_back(p.build()));
}

TEST_CASE("What is not read to its last value is bytes") {
    CHECK(received("302602010104067075626c6963a019020105020100020100300e300c06082b060102010101000500")
              .has<SNMP>());
    // version 3: a header instead of a community
    CHECK_FALSE(received("300f020103300a020101020203e804010702").has<SNMP>());
    // no end, a tag of two octets, a length of five, a PDU of no kind, one value too many, two PDUs
    CHECK_FALSE(received("308002010104067075626c69630000").has<SNMP>());
    CHECK_FALSE(received("3f0102010104067075626c6963").has<SNMP>());
    CHECK_FALSE(received("3085000000002602010104067075626c6963a019").has<SNMP>());
    CHECK_FALSE(received("301802010104067075626c6963a90b0201050201000201003000").has<SNMP>());
    CHECK(received("301802010104067075626c6963a00b0201050201000201003000").has<SNMP>());
    CHECK_FALSE(received("301b02010104067075626c6963a00b0201050201000201003000020105").has<SNMP>());
    CHECK_FALSE(received("301b02010104067075626c6963a00e0201050201000201003000020105").has<SNMP>());
    // bytes behind the message are not the message's
    auto p = received("301802010104067075626c6963a00b0201050201000201003000ffff");
    CHECK(p.has<SNMP>());
    CHECK(p.layers().back().size() == 2);
}

TEST_CASE("A response answers the request of its id, version and community") {
    auto probe = sent(get_of(5));
    CHECK(verdict(back(response_of(5)), probe) == "yes");
    CHECK(verdict(back(response_of(6)), probe) == "snmp request id 6, expected 5");
    CHECK(verdict(back(response_of(-5)), probe) == "snmp request id -5, expected 5");
    auto other = response_of(5);
    other.version = 0;
    CHECK(verdict(back(other), probe) == "snmp version 0, expected 1");
    other = response_of(5);
    other.community = "private";
    CHECK(verdict(back(other), probe) == "snmp community \"private\", expected \"public\"");
    CHECK(verdict(back(get_of(5)), probe) == "SNMPget found, SNMPresponse expected");
    packet elsewhere =
        IP{.dst = "198.51.100.1", .src = "198.18.0.1"} / UDP{.dport = 4000, .sport = 162} / response_of(5);
    CHECK(verdict(elsewhere, probe) == "udp sport 162, expected 161");
    for (snmp_pdu const& pdu : {snmp_pdu(SNMPnext{.id = 5}), snmp_pdu(SNMPset{.id = 5}),
                                snmp_pdu(SNMPbulk{.id = 5}), snmp_pdu(SNMPinform{.id = 5})})
        CHECK(verdict(back(response_of(5)), sent({.PDU = pdu})) == "yes");
    CHECK(verdict(back(response_of(5)), sent({.PDU = SNMPtrapv2{.id = 5}})) == "SNMPtrapv2 has no answer");
    CHECK(verdict(back(response_of(5)), sent({.PDU = SNMPtrapv1{}})) == "SNMPtrapv1 has no answer");
    CHECK(verdict(back(response_of(5)), sent(response_of(5))) == "SNMPresponse has no answer");
    // The same number, written longer.
    SNMP padded = {.PDU = SNMPresponse{}};
    auto bytes = support::bytes("a20d02030000050201000201003000");
    padded.PDU.assign(bytes);
    CHECK(verdict(back(padded), probe) == "yes");
}

TEST_CASE("Every PDU builds, and comes back cut or changed at any octet") {
    SNMPvarbind const variable{.oid = "1.3.6.1.2.1.2.2.1.10.1",
                               .value = asn1_value(asn1_tag::counter32, 1u << 31)};
    for (snmp_pdu const& pdu :
         {snmp_pdu(SNMPget{.varbindlist = variable}),
          snmp_pdu(SNMPbulk{.varbindlist = variable, .max_repetitions = 9}),
          snmp_pdu(SNMPtrapv1{.enterprise = "1.3.6.1.4.1.8072", .agent_addr = "192.0.2.1", .time_stamp = 5}),
          snmp_pdu(SNMPtrapv2{.varbindlist = {variable, SNMPvarbind{.value = "x"}}}),
          snmp_pdu(SNMPinform{})}) {
        auto p = sent({.PDU = pdu});
        CHECK(built(p).has<SNMP>());
        CHECK(snmp_pdu_of(built(p)).layers().size() == 1);
        CHECK(support::lost_cuts_and_changes(p, 28) == 0);
    }
}

TEST_CASE("A message holds one PDU, which holds single variables") {
    CHECK(refusal_of([] { return snmp_pdu(UDP{}); }) ==
          "the entries are a PDU, SNMPget(..) or bytes, not UDP: text that the field cannot read");
    CHECK(refusal_of([] { return snmp_pdu(SNMPvarbind{}); }) ==
          "the entries are a PDU, SNMPget(..) or bytes, not SNMPvarbind: text that the field cannot read");
    CHECK(refusal_of([] { return snmp_pdu(SNMPget{.ber = {"a", "b"}}); }) ==
          "a list: the field holds no single value");
    CHECK(refusal_of([] { return snmp_varbinds(SNMPvarbind{.ber = {"a", "b"}}); }) ==
          "a list: the field holds no single value");
    CHECK(support::hex(snmp_pdu(SNMPnext{}).view()) == "a10b0201000201000201003000");
}
