#include "support/catch.hpp"

#include "layers/support.hpp"

#include <sonde/layers/icmpv6_nd.hpp>

using namespace sonde;
using support::hex;

namespace {

std::string const eight = "3132333435363738";

std::string built(std::string const& fields) {
    return hex(parse_packet("ICMPv6NDOptRedirectedHdr(" + fields + ")"));
}

}  // namespace

TEST_CASE("A redirected header is cut to the whole units that its length tells") {
    CHECK(built("pkt=b'12345678'") == "0402000000000000" + eight);
    CHECK(built("pkt=b'123456789'") == "0402000000000000" + eight);
    CHECK(built("pkt=b'1234567'") == "0401000000000000");
    CHECK(built("") == "0401000000000000");
    CHECK(hex(ICMPv6NDOptRedirectedHdr{.pkt = "123456789"}) == "0402000000000000" + eight);

    packet edited = ICMPv6NDOptRedirectedHdr{.pkt = "1"};
    edited.get<ICMPv6NDOptRedirectedHdr>().pkt = "12345678abc";
    CHECK(hex(edited) == "0402000000000000" + eight);

    auto set = parse_packet("ICMPv6NDOptRedirectedHdr(pkt=[b'1', b'12345678abc'])");
    CHECK(hex(set[0]) == "0401000000000000");
    CHECK(hex(set[1]) == "0402000000000000" + eight);
}

TEST_CASE("A redirected header with a length of its own holds what it is given") {
    CHECK(built("pkt=b'12345678a', len=2") == "0402000000000000" + eight + "61");
    CHECK(built("pkt=b'1', len=9") == "040900000000000031");
    auto redirect = parse_packet(
        "IPv6(src='fe80::1', dst='fe80::9', hlim=255)/ICMPv6ND_Redirect(tgt='fe80::9', dst='2001:db8::5')/"
        "ICMPv6NDOptRedirectedHdr(pkt=IPv6(src='::1', dst='::2')/UDP()/b'x')/ICMPv6NDOptMTU()");
    // Scapy's bytes, of a message without the MTU
    CHECK(hex(redirect).substr(2 * 80, 2 * 8) == "0407000000000000");
    CHECK(redirect.build().size() == 80 + 7 * 8 + 8);
    CHECK(support::lost_cuts_and_changes(redirect, 80) == 0);
}
