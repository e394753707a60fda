#include "support/catch.hpp"

#include "layers/support.hpp"

#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/mld.hpp>

using namespace sonde;
using support::hex;

namespace {

std::string const first_group = "ff020000000000000000000000000005",
                  second_group = "ff020000000000000000000000000006",
                  source = "20010db8000000000000000000000007";

/// The report of version 2 that has these records, as it comes in from the wire.
packet received(std::string const& records, int count) {
    return dissect(support::bytes(fmt::format(
                       "60000000{:04x}"
                       "3a01fe800000000000000000000000000001ff0200000000000000000000000000168f000000{:08x}{}",
                       8 + records.size() / 2, count, records)),
                   link_type::raw);
}

/// Its records as they print; "lost" unless that builds the same bytes.
std::string printed(std::string const& records, int count) {
    auto p = received(records, count);
    auto text = command(p);
    if (hex(parse_packet(text)) != hex(p)) return "lost: " + text;
    auto begin = text.find("(records=[") + 10;
    return text.substr(begin, text.find("], type=") - begin);
}

}  // namespace

TEST_CASE("A multicast address record has as many words of auxiliary data as it counts") {
    // RFC 3810 §5.2.6; Scapy counts octets
    CHECK(printed("04020000" + first_group + "6162636465666768" + "03000001" + second_group + source, 2) ==
          "ICMPv6MLDMultAddrRec(rtype=4, auxdata_len=2, sources_number=0, dst='ff02::5', "
          "auxdata=b'abcdefgh'),ICMPv6MLDMultAddrRec(sources=['2001:db8::7'], rtype=3, auxdata_len=0, "
          "sources_number=1, dst='ff02::6', auxdata=b'')");
    CHECK(received("04010000" + first_group + "61626364", 1).layers().size() == 2);
    // More words than there are: no record.
    CHECK(printed("04020000" + first_group + "61626364", 1).starts_with("b'\\x04\\x02"));
}

TEST_CASE("Auxiliary data that are built are whole words, and counted as such") {
    CHECK(hex(ICMPv6MLDMultAddrRec{.dst = "ff02::5", .auxdata = "abcdefgh"}) ==
          "04020000" + first_group + "6162636465666768");
    CHECK(hex(ICMPv6MLDMultAddrRec{
              .dst = "ff02::5", .sources = ipv6_list(ipv6("2001:db8::7")), .auxdata = "x"}) ==
          "04010001" + first_group + source + "78000000");
    CHECK(hex(ICMPv6MLDMultAddrRec{.dst = "ff02::5"}) == "04000000" + first_group);
    CHECK(hex(ICMPv6MLDMultAddrRec{.dst = "ff02::5", .auxdata = "abcd", .auxdata_len = 9}) ==
          "04090000" + first_group + "61626364");
}

TEST_CASE("Reports of version 2 cut or changed at any octet come back as they were") {
    auto report = parse_packet(
        "IPv6(src='fe80::1')/ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(dst='ff02::5', auxdata=b'abcd'), "
        "ICMPv6MLDMultAddrRec(dst='ff02::6', sources=['2001:db8::7'])])");
    CHECK(support::lost_cuts_and_changes(report, 40) == 0);
}
