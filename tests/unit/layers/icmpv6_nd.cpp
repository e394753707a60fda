#include "support/catch.hpp"

#include "layers/support.hpp"

#include <sonde/layers/icmpv6_nd.hpp>
#include <sonde/packet/text.hpp>

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

TEST_CASE("A route has as much of its prefix as its length leaves (RFC 4191 section 2.3)") {
    auto route = [](std::string const& fields) {
        return hex(parse_packet("ICMPv6NDOptRouteInfo(" + fields + ")"));
    };
    // bytes(…) of Scapy 2.5
    CHECK(route("prefix='2001:db8::', plen=64, len=2, prf=1, rtlifetime=1800") ==
          "180240080000070820010db800000000");
    CHECK(route("prefix='2001:db8::', plen=64") == "18034000ffffffff20010db8000000000000000000000000");
    CHECK(route("len=1") == "18010000ffffffff");
    CHECK(route("prefix=b'12345678'") == "18020000ffffffff" + eight);
    CHECK(hex(ICMPv6NDOptRouteInfo{.prefix = ipv6("2001:db8::"), .plen = 64}) ==
          "18034000ffffffff20010db8000000000000000000000000");
    CHECK_THROWS_AS(route("prefix='2001:db8'"), error);
    auto const back =
        detail::dissect_as(parse_packet("ICMPv6NDOptRouteInfo(prefix='2001:db8::', len=2)").build(),
                           describe<ICMPv6NDOptRouteInfo>());
    CHECK(command(back).find("prefix='2001:db8::'") != std::string::npos);
    CHECK(back.view().bytes.size() == 16);
}

TEST_CASE("Options of router advertisements are told as Scapy tells them") {
    auto told = [](std::string const& option) { return summary(parse_packet("ICMPv6NDOpt" + option)); };
    CHECK(
        told("PrefixInfo(prefix='2001:db8::', prefixlen=64)") ==
        "ICMPv6 Neighbor Discovery Option - Prefix Information 2001:db8::/64 On-link 1 Autonomous Address 1 "
        "Router Address 0");
    CHECK(told("MTU(mtu=1480)") == "ICMPv6 Neighbor Discovery Option - MTU 1480");
    CHECK(told("AdvInterval(advint=3000)") ==
          "ICMPv6 Neighbor Discovery - Interval Advertisement 3000 milliseconds");
    CHECK(told("HAInfo(pref=1, lifetime=9)") ==
          "ICMPv6 Neighbor Discovery - Home Agent Information 1 9 seconds");
    CHECK(told("RouteInfo(prefix='2001:db8::', plen=64, prf=1)") ==
          "ICMPv6 Neighbor Discovery Option - Route Information Option 2001:db8::/64 Preference High");
}
