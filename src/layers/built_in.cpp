#include "../packet/registry.hpp"

#include <sonde/layers/arp.hpp>
#include <sonde/layers/dhcp.hpp>
#include <sonde/layers/dns.hpp>
#include <sonde/layers/ether.hpp>
#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmp_extensions.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/icmpv6_nd.hpp>
#include <sonde/layers/igmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ip_options.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/ipv6_ext.hpp>
#include <sonde/layers/link_types.hpp>
#include <sonde/layers/mld.hpp>
#include <sonde/layers/nbns.hpp>
#include <sonde/layers/ntp.hpp>
#include <sonde/layers/raw.hpp>
#include <sonde/layers/sctp.hpp>
#include <sonde/layers/snmp.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/tunnels.hpp>
#include <sonde/layers/udp.hpp>

namespace sonde::inline v0::detail {
namespace {

template <class... L>
void add(registry& r) {
    (r.add(describe<L>()), ...);
}

/// Every upper layer that an EtherType names.
template <class Lower>
void bind_ether_types(registry& r, std::string_view field = "type") {
    auto const& lower = describe<Lower>();
    r.bind(lower, field, 0x0800, describe<IP>());
    r.bind(lower, field, 0x86dd, describe<IPv6>());
    r.bind(lower, field, 0x0806, describe<ARP>());
    r.bind(lower, field, 0x8100, describe<Dot1Q>());
    r.bind(lower, field, 0x88a8, describe<Dot1AD>());
    r.bind(lower, field, 0x8847, describe<MPLS>());
}

/// What an IPv6 header and each of its extension headers may be followed by.
template <class Lower>
void bind_next_headers(registry& r) {
    auto const& lower = describe<Lower>();
    auto carries = [&](std::uint64_t nh, layer_description const& upper, int first_octet = -1) {
        r.bind(lower, "nh", nh, upper, first_octet);
    };
    carries(0, describe<IPv6ExtHdrHopByHop>());
    carries(4, describe<IP>());
    carries(6, describe<TCP>());
    carries(17, describe<UDP>());
    carries(41, describe<IPv6>());
    carries(43, describe<IPv6ExtHdrRouting>());
    carries(43, describe<IPv6ExtHdrSegmentRouting>());
    carries(44, describe<IPv6ExtHdrFragment>());
    carries(47, describe<GRE>());
    carries(60, describe<IPv6ExtHdrDestOpt>());
    carries(132, describe<SCTP>());
    carries(137, describe<MPLS>());
    // ICMPv6 messages share one protocol number; the type, their first octet, tells them apart.
    carries(58, describe<ICMPv6DestUnreach>(), 1);
    carries(58, describe<ICMPv6PacketTooBig>(), 2);
    carries(58, describe<ICMPv6TimeExceeded>(), 3);
    carries(58, describe<ICMPv6ParamProblem>(), 4);
    carries(58, describe<ICMPv6EchoRequest>(), 128);
    carries(58, describe<ICMPv6EchoReply>(), 129);
    carries(58, describe<ICMPv6MLQuery>(), 130);
    carries(58, describe<ICMPv6MLQuery2>(), 130);
    carries(58, describe<ICMPv6MLReport>(), 131);
    carries(58, describe<ICMPv6MLDone>(), 132);
    carries(58, describe<ICMPv6ND_RS>(), 133);
    carries(58, describe<ICMPv6ND_RA>(), 134);
    carries(58, describe<ICMPv6ND_NS>(), 135);
    carries(58, describe<ICMPv6ND_NA>(), 136);
    carries(58, describe<ICMPv6ND_Redirect>(), 137);
    carries(58, describe<ICMPv6MLReport2>(), 143);
    carries(58, describe<ICMPv6Unknown>());
}

template <class Lower>
void bind_nd_options(registry& r) {
    auto const& lower = describe<Lower>();
    auto is_followed_by = [&](int type, layer_description const& option) {
        r.bind(lower, "", 0, option, type);
    };
    is_followed_by(1, describe<ICMPv6NDOptSrcLLAddr>());
    is_followed_by(2, describe<ICMPv6NDOptDstLLAddr>());
    is_followed_by(3, describe<ICMPv6NDOptPrefixInfo>());
    is_followed_by(4, describe<ICMPv6NDOptRedirectedHdr>());
    is_followed_by(5, describe<ICMPv6NDOptMTU>());
    is_followed_by(6, describe<ICMPv6NDOptShortcutLimit>());
    is_followed_by(7, describe<ICMPv6NDOptAdvInterval>());
    is_followed_by(8, describe<ICMPv6NDOptHAInfo>());
    is_followed_by(9, describe<ICMPv6NDOptSrcAddrList>());
    is_followed_by(10, describe<ICMPv6NDOptTgtAddrList>());
    is_followed_by(24, describe<ICMPv6NDOptRouteInfo>());
    is_followed_by(25, describe<ICMPv6NDOptRDNSS>());
    is_followed_by(26, describe<ICMPv6NDOptEFA>());
    is_followed_by(31, describe<ICMPv6NDOptDNSSL>());
    is_followed_by(-1, describe<ICMPv6NDOptUnknown>());
}

/// SCTP chunks follow each other; the first octet is the type.
template <class Lower>
void bind_chunks_above(registry& r) {
    auto is_followed_by = [&](int type, layer_description const& chunk) {
        r.bind(describe<Lower>(), "", 0, chunk, type);
    };
    is_followed_by(0, describe<SCTPChunkData>());
    is_followed_by(1, describe<SCTPChunkInit>());
    is_followed_by(2, describe<SCTPChunkInitAck>());
    is_followed_by(3, describe<SCTPChunkSACK>());
    is_followed_by(4, describe<SCTPChunkHeartbeatReq>());
    is_followed_by(5, describe<SCTPChunkHeartbeatAck>());
    is_followed_by(6, describe<SCTPChunkAbort>());
    is_followed_by(7, describe<SCTPChunkShutdown>());
    is_followed_by(8, describe<SCTPChunkShutdownAck>());
    is_followed_by(9, describe<SCTPChunkError>());
    is_followed_by(10, describe<SCTPChunkCookieEcho>());
    is_followed_by(11, describe<SCTPChunkCookieAck>());
    is_followed_by(14, describe<SCTPChunkShutdownComplete>());
}
template <class... Lower>
void bind_chunks(registry& r) {
    (bind_chunks_above<Lower>(r), ...);
}

template <class... Lower>
void bind_neighbour_discovery(registry& r) {
    (bind_nd_options<Lower>(r), ...);
}

void add_layers(registry& r) {
    add<Ether, Dot1Q, ARP, IP, IPv6, ICMP, TCP, UDP, Raw, Padding>(r);
    add<ICMPv6DestUnreach, ICMPv6PacketTooBig, ICMPv6TimeExceeded, ICMPv6ParamProblem, ICMPv6EchoRequest,
        ICMPv6EchoReply, ICMPv6ND_NS, ICMPv6ND_NA, ICMPv6NDOptSrcLLAddr, ICMPv6NDOptDstLLAddr,
        ICMPv6NDOptUnknown, ICMPv6Unknown>(r);
    add<ICMPv6ND_RS, ICMPv6ND_RA, ICMPv6ND_Redirect, ICMPv6NDOptPrefixInfo, ICMPv6NDOptRedirectedHdr,
        ICMPv6NDOptMTU, ICMPv6NDOptShortcutLimit, ICMPv6NDOptAdvInterval, ICMPv6NDOptHAInfo,
        ICMPv6NDOptSrcAddrList, ICMPv6NDOptTgtAddrList, ICMPv6NDOptRouteInfo, ICMPv6NDOptRDNSS,
        ICMPv6NDOptEFA, ICMPv6NDOptDNSSL>(r);
    add<ICMPv6MLQuery, ICMPv6MLReport, ICMPv6MLDone, ICMPv6MLQuery2, ICMPv6MLReport2, ICMPv6MLDMultAddrRec>(
        r);
    add<IPv6ExtHdrHopByHop, IPv6ExtHdrDestOpt, IPv6ExtHdrRouting, IPv6ExtHdrSegmentRouting,
        IPv6ExtHdrFragment, Pad1, PadN, RouterAlert, Jumbo, HAO, HBHOptUnknown>(r);

    add<IPOption, IPOption_EOL, IPOption_NOP, IPOption_Security, IPOption_RR, IPOption_LSRR, IPOption_SSRR,
        IPOption_Stream_Id, IPOption_MTU_Probe, IPOption_MTU_Reply, IPOption_Traceroute, IPOption_Timestamp,
        IPOption_Address_Extension, IPOption_Router_Alert, IPOption_SDBM>(r);

    add<DNS, DNSQR, DNSRR, DNSRRMX, DNSRRSOA, DNSRRSRV, DNSRROPT, EDNS0TLV>(r);
    add<BOOTP, DHCP, NTPHeader, NTPAuthenticator>(r);
    add<IGMP, IGMPv3, IGMPv3mq, IGMPv3mr, IGMPv3gr, IGMPv3mra>(r);
    add<SNMP, SNMPget, SNMPnext, SNMPresponse, SNMPset, SNMPtrapv1, SNMPbulk, SNMPinform, SNMPtrapv2,
        SNMPvarbind>(r);
    add<NBNSHeader, NBNSQueryRequest, NBNSQueryResponse, NBNS_ADD_ENTRY, NBNSNodeStatusRequest,
        NBNSNodeStatusResponse, NBNSNodeStatusResponseService>(r);
    add<Dot1AD, Dot3, LLC, SNAP, Loopback, CookedLinux, CookedLinuxV2, GRE, VXLAN, MPLS>(r);

    add<ICMPExtensionHeader, ICMPExtensionObject, ICMPExtensionMPLS, ICMPExtensionInterfaceInformation>(r);

    add<SCTP, SCTPChunkData, SCTPChunkInit, SCTPChunkInitAck, SCTPChunkSACK, SCTPChunkHeartbeatReq,
        SCTPChunkHeartbeatAck, SCTPChunkAbort, SCTPChunkShutdown, SCTPChunkShutdownAck, SCTPChunkError,
        SCTPChunkCookieEcho, SCTPChunkCookieAck, SCTPChunkShutdownComplete, SCTPChunkParamHeartbeatInfo,
        SCTPChunkParamIPv4Addr, SCTPChunkParamIPv6Addr, SCTPChunkParamStateCookie,
        SCTPChunkParamUnrocognizedParam, SCTPChunkParamCookiePreservative, SCTPChunkParamHostname,
        SCTPChunkParamSupportedAddrTypes, SCTPChunkParamRandom, SCTPChunkParamChunkList,
        SCTPChunkParamRequestedHMACFunctions, SCTPChunkParamSupportedExtensions, SCTPChunkParamECNCapable,
        SCTPChunkParamFwdTSN, SCTPChunkParamAdaptationLayer>(r);
}

void bind_link_layers(registry& r) {
    bind_ether_types<Ether>(r);
    bind_ether_types<Dot1Q>(r);
    bind_ether_types<Dot1AD>(r);
    bind_ether_types<SNAP>(r, "code");
    bind_ether_types<CookedLinux>(r, "proto");
    bind_ether_types<CookedLinuxV2>(r, "proto");
    bind_ether_types<GRE>(r, "proto");
    // Frames longer than a length can tell (IEEE's 0x8870); and Scapy's number where there is no length.
    constexpr std::uint64_t llc = 0x8870, llc_without_length = 122;
    r.bind(describe<Ether>(), "type", llc, describe<LLC>());
    r.bind(describe<Dot1Q>(), "type", llc, describe<LLC>());
    r.bind(describe<Dot1AD>(), "type", llc, describe<LLC>());
    r.bind(describe<CookedLinux>(), "proto", llc_without_length, describe<LLC>());
    r.bind(describe<CookedLinuxV2>(), "proto", llc_without_length, describe<LLC>());
    r.bind(describe<GRE>(), "proto", llc_without_length, describe<LLC>());
    r.bind(describe<GRE>(), "proto", 0x6558, describe<Ether>());
    r.set(describe<Ether>(), {{"type", 1}}, describe<Ether>());
    r.bind(describe<Loopback>(), "type", 2, describe<IP>());
    r.bind(describe<Loopback>(), "type", 10, describe<IPv6>());
}

void bind_ip(registry& r) {
    auto carries = [&](std::uint64_t proto, layer_description const& upper) {
        r.bind(describe<IP>(), "proto", proto, upper);
    };
    carries(1, describe<ICMP>());
    carries(2, describe<IGMP>());
    carries(2, describe<IGMPv3>());
    carries(4, describe<IP>());
    carries(6, describe<TCP>());
    carries(17, describe<UDP>());
    carries(41, describe<IPv6>());
    carries(47, describe<GRE>());
    carries(132, describe<SCTP>());
    carries(137, describe<MPLS>());
    r.set(describe<IP>(), {{"ttl", 1}}, describe<IGMP>());
    r.set(describe<IP>(), {{"ttl", 1}, {"tos", 0xc0}, {"dst", 0xe0000016}}, describe<IGMPv3>());
    r.bind(describe<IGMPv3>(), "type", 0x11, describe<IGMPv3mq>());
    r.bind(describe<IGMPv3>(), {{"type", 0x22}, {"mrcode", 0}}, describe<IGMPv3mr>());
    r.bind(describe<IGMPv3>(), "type", 0x30, describe<IGMPv3mra>());
}

/// RFC 1002 §4.2.12 and on, with the flags that Scapy knows; NBNSHeader reads others.
void bind_name_service(registry& r) {
    constexpr std::uint64_t b = 1, rd = 1 << 4, aa = 1 << 6;
    auto carries = [&](std::initializer_list<field_value> fields, layer_description const& upper) {
        r.bind(describe<NBNSHeader>(), fields, upper);
    };
    carries({{"OPCODE", 0}, {"NM_FLAGS", rd | b}, {"QDCOUNT", 1}}, describe<NBNSQueryRequest>());
    carries({{"OPCODE", 0}, {"NM_FLAGS", aa | rd}, {"RESPONSE", 1}, {"ANCOUNT", 1}},
            describe<NBNSQueryResponse>());
    carries({{"OPCODE", 0}, {"NM_FLAGS", b}, {"QDCOUNT", 1}}, describe<NBNSNodeStatusRequest>());
    carries({{"OPCODE", 0}, {"NM_FLAGS", 0}, {"QDCOUNT", 1}}, describe<NBNSNodeStatusRequest>());
    carries({{"OPCODE", 0}, {"NM_FLAGS", aa}, {"RESPONSE", 1}, {"ANCOUNT", 1}},
            describe<NBNSNodeStatusResponse>());
}

void bind_ports(registry& r) {
    for (auto port : {4789, 4790, 6633, 8472, 48879})
        r.bind(describe<UDP>(), "dport", static_cast<std::uint64_t>(port), describe<VXLAN>());
    r.bind(describe<UDP>(), "dport", 6635, describe<MPLS>());  // RFC 7510
    r.bind(describe<UDP>(), "dport", 123, describe<NTPHeader>());
    r.bind(describe<UDP>(), "dport", 137, describe<NBNSHeader>());
    r.bind(describe<UDP>(), "dport", 161, describe<SNMP>());
    r.bind(describe<UDP>(), "dport", 162, describe<SNMP>());
    r.bind(describe<UDP>(), "dport", 68, describe<BOOTP>());  // what Scapy builds comes first
    r.bind(describe<UDP>(), "dport", 67, describe<BOOTP>());
    r.set(describe<UDP>(), {{"sport", 123}}, describe<NTPHeader>());
    r.set(describe<UDP>(), {{"sport", 137}}, describe<NBNSHeader>());
    r.set(describe<UDP>(), {{"sport", 161}}, describe<SNMP>());
    r.set(describe<UDP>(), {{"sport", 67}}, describe<BOOTP>());
    r.set(describe<UDP>(), {{"sport", 4789}}, describe<VXLAN>());
    for (auto port : {53, 5353, 5355})
        r.bind(describe<UDP>(), "dport", static_cast<std::uint64_t>(port), describe<DNS>());
    // Alone, as Scapy: from port 53.
    r.bind(describe<TCP>(), "sport", 53, describe<DNS>());
    r.bind(describe<TCP>(), "dport", 53, describe<DNS>());
}

}  // namespace

void register_built_in_layers(registry& r) {
    add_layers(r);
    bind_link_layers(r);
    bind_ip(r);
    bind_ports(r);
    bind_name_service(r);
    bind_chunks<SCTP, SCTPChunkData, SCTPChunkInit, SCTPChunkInitAck, SCTPChunkSACK, SCTPChunkHeartbeatReq,
                SCTPChunkHeartbeatAck, SCTPChunkAbort, SCTPChunkShutdown, SCTPChunkShutdownAck,
                SCTPChunkError, SCTPChunkCookieEcho, SCTPChunkCookieAck, SCTPChunkShutdownComplete>(r);
    bind_next_headers<IPv6>(r);
    bind_next_headers<IPv6ExtHdrHopByHop>(r);
    bind_next_headers<IPv6ExtHdrDestOpt>(r);
    bind_next_headers<IPv6ExtHdrRouting>(r);
    bind_next_headers<IPv6ExtHdrSegmentRouting>(r);
    bind_next_headers<IPv6ExtHdrFragment>(r);
    bind_neighbour_discovery<ICMPv6ND_NS, ICMPv6ND_NA, ICMPv6ND_RS, ICMPv6ND_RA, ICMPv6ND_Redirect,
                             ICMPv6NDOptSrcLLAddr, ICMPv6NDOptDstLLAddr, ICMPv6NDOptPrefixInfo,
                             ICMPv6NDOptRedirectedHdr, ICMPv6NDOptMTU, ICMPv6NDOptShortcutLimit,
                             ICMPv6NDOptAdvInterval, ICMPv6NDOptHAInfo, ICMPv6NDOptSrcAddrList,
                             ICMPv6NDOptTgtAddrList, ICMPv6NDOptRouteInfo, ICMPv6NDOptRDNSS, ICMPv6NDOptEFA,
                             ICMPv6NDOptDNSSL, ICMPv6NDOptUnknown>(r);
}

}  // namespace sonde::inline v0::detail
