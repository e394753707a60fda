// A protocol family at a time: the input is what a well-formed packet carries, or the options of its header.
// SONDE_FUZZ_FAMILY names the family.

#include "fuzz.hpp"

#include <sonde/packet/escape.hpp>
#include <sonde/packet/expression.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

using namespace sonde;
using namespace sonde::test;

namespace {

/// Expressions of Ethernet frames in which `%` is the input.
std::map<std::string_view, std::vector<std::string_view>> const families = {
    {"link",
     {"%", "Ether(type=0x0806)/%", "Ether(type=0x8100)/%", "Ether(type=0x88a8)/%",
      "Ether()/Dot1Q(type=0x0806)/%", "Dot3()/%", "Dot3()/LLC()/SNAP()/%", "CookedLinux(proto=0x0806)/%"}},
    {"ip",
     {"Ether(type=0x0800)/%", "Ether()/IP(options=%)", "Ether()/IP(options=%)/UDP()", "Ether()/IP(proto=4)/%",
      "Ether()/IP(proto=2)/%", "Ether()/IP(flags='MF', frag=3, proto=17)/%", "Ether()/IP()/ICMP(type=3)/%",
      "Ether()/IP()/ICMP(type=11)/IPerror(options=%)/UDPerror()"}},
    {"ipv6",
     {"Ether(type=0x86dd)/%", "Ether()/IPv6(nh=0)/%", "Ether()/IPv6(nh=60)/%", "Ether()/IPv6(nh=43)/%",
      "Ether()/IPv6(nh=44)/%", "Ether()/IPv6()/IPv6ExtHdrHopByHop(options=%)/UDP()",
      "Ether()/IPv6()/IPv6ExtHdrDestOpt(options=%)", "Ether()/IPv6(nh=41)/%"}},
    {"icmp",
     {"Ether()/IP(proto=1)/%", "Ether()/IP()/ICMP(type=3, code=4)/IPerror(proto=6)/%",
      "Ether()/IP()/ICMP(type=11)/IPerror(proto=17)/%", "Ether()/IP()/ICMP(type=12)/IPerror(proto=1)/%",
      "Ether()/IP()/ICMP(type=5)/%", "Ether()/IP()/ICMP(type=3)/IPerror()/ICMPerror(type=3)/%",
      "Ether()/IP()/ICMP(type=0)/%", "Ether()/IP()/ICMP(type=3)/%"}},
    {"icmpv6",
     {"Ether()/IPv6(nh=58)/%", "Ether()/IPv6()/ICMPv6ND_NS()/%", "Ether()/IPv6()/ICMPv6ND_RA()/%",
      "Ether()/IPv6()/ICMPv6ND_Redirect()/%", "Ether()/IPv6()/ICMPv6MLReport2(records=%)",
      "Ether()/IPv6()/ICMPv6MLQuery2(sources=%)", "Ether()/IPv6()/ICMPv6DestUnreach()/%",
      "Ether()/IPv6()/ICMPv6TimeExceeded()/IPerror6(nh=58)/%"}},
    {"tcp",
     {"Ether()/IP(proto=6)/%", "Ether()/IP()/TCP(options=%)", "Ether()/IP()/TCP(options=%)/b'data'",
      "Ether()/IPv6(nh=6)/%", "Ether()/IP()/TCP(dport=53)/%",
      "Ether()/IP()/TCP(sport=53, options=[('NOP', None)])/%", "Ether()/IP()/TCP(dport=80)/%",
      "Ether()/IPv6()/IPv6ExtHdrFragment(nh=6)/%"}},
    {"dns",
     {"Ether()/IP()/UDP(dport=53)/%", "Ether()/IP()/UDP(sport=53)/%", "Ether()/IP()/UDP(dport=5353)/%",
      "Ether()/IPv6()/UDP(dport=5355)/%", "Ether()/IP()/UDP()/DNS(qdcount=1, qd=%)",
      "Ether()/IP()/UDP()/DNS(qr=1, ancount=1, an=%)",
      "Ether()/IP()/UDP()/DNS(qr=1, ancount=2, arcount=1, an=%)", "Ether()/IP(proto=17)/%"}},
    {"dhcp",
     {"Ether()/IP()/UDP(sport=68, dport=67)/%", "Ether()/IP()/UDP(sport=67, dport=68)/BOOTP()/%",
      "Ether()/IP()/UDP(sport=68, dport=67)/BOOTP()/DHCP(options=%)",
      "Ether()/IP()/UDP(sport=123, dport=123)/%", "Ether()/IP()/UDP(dport=123)/NTP()/%",
      "Ether()/IP()/UDP(dport=161)/%", "Ether()/IP()/UDP(dport=137)/%", "Ether()/IP()/UDP(sport=161)/%"}},
    {"tunnel",
     {"Ether()/IP(proto=132)/%", "Ether()/IP()/SCTP()/%", "Ether()/IP(proto=47)/%",
      "Ether()/IP()/GRE(proto=0x6558)/%", "Ether()/IP()/UDP(dport=4789)/%", "Ether()/IP()/UDP()/VXLAN()/%",
      "Ether(type=0x8847)/%", "Ether()/IP()/SCTP()/SCTPChunkInit(params=%)"}},
};

std::string filled_in(std::string_view expression, std::string_view bytes) {
    std::string text(expression), quoted = "b";
    detail::append_python_quoted(quoted, bytes);
    return text.replace(text.find('%'), 1, quoted);
}

}  // namespace

SONDE_FUZZ_TARGET(in) {
    static auto const& expressions = families.at(SONDE_FUZZ_FAMILY);
    auto expression = expressions[in.choice(expressions.size())];
    auto bytes = in.rest_as_text();
    if (expression == "%") {
        check_frame(std::as_bytes(std::span(bytes)), link_type::ethernet);
        return kept;
    }
    std::vector<std::byte> frame;
    try {
        frame = parse_packet(filled_in(expression, bytes)).build();
    } catch (error const&) {
        return rejected;  // more options than a header holds
    }
    check_frame(frame, expression.starts_with("Cooked") ? link_type::linux_sll : link_type::ethernet);
    return kept;
}
