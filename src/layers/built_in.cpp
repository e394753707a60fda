#include "../packet/registry.hpp"

#include <sonde/layers/arp.hpp>
#include <sonde/layers/ether.hpp>
#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ip_options.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/raw.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>

namespace sonde::detail {
namespace {

template <class... L>
void add(registry& r) {
    (r.add(describe<L>()), ...);
}

/// Every upper layer that an EtherType names.
template <class Lower>
void bind_ether_types(registry& r) {
    auto const& lower = describe<Lower>();
    r.bind(lower, "type", 0x0800, describe<IP>());
    r.bind(lower, "type", 0x86dd, describe<IPv6>());
    r.bind(lower, "type", 0x0806, describe<ARP>());
    r.bind(lower, "type", 0x8100, describe<Dot1Q>());
}

/// ICMPv6 messages share one protocol number; the type, their first octet, tells them apart.
template <class Message>
void bind_icmpv6(registry& r, int type) {
    r.bind(describe<IPv6>(), "nh", 58, describe<Message>(), type);
}

template <class Lower>
void bind_nd_options(registry& r) {
    r.bind(describe<Lower>(), "", 0, describe<ICMPv6NDOptSrcLLAddr>(), 1);
    r.bind(describe<Lower>(), "", 0, describe<ICMPv6NDOptDstLLAddr>(), 2);
    r.bind(describe<Lower>(), "", 0, describe<ICMPv6NDOptUnknown>());
}

}  // namespace

void register_built_in_layers(registry& r) {
    add<Ether, Dot1Q, ARP, IP, IPv6, ICMP, TCP, UDP, Raw, Padding>(r);
    add<ICMPv6DestUnreach, ICMPv6PacketTooBig, ICMPv6TimeExceeded, ICMPv6ParamProblem, ICMPv6EchoRequest,
        ICMPv6EchoReply, ICMPv6ND_NS, ICMPv6ND_NA, ICMPv6NDOptSrcLLAddr, ICMPv6NDOptDstLLAddr,
        ICMPv6NDOptUnknown, ICMPv6Unknown>(r);

    add<IPOption, IPOption_EOL, IPOption_NOP, IPOption_Security, IPOption_RR, IPOption_LSRR, IPOption_SSRR,
        IPOption_Stream_Id, IPOption_MTU_Probe, IPOption_MTU_Reply, IPOption_Traceroute, IPOption_Timestamp,
        IPOption_Address_Extension, IPOption_Router_Alert, IPOption_SDBM>(r);

    bind_ether_types<Ether>(r);
    bind_ether_types<Dot1Q>(r);

    r.bind(describe<IP>(), "proto", 1, describe<ICMP>());
    r.bind(describe<IP>(), "proto", 4, describe<IP>());
    r.bind(describe<IP>(), "proto", 6, describe<TCP>());
    r.bind(describe<IP>(), "proto", 17, describe<UDP>());
    r.bind(describe<IP>(), "proto", 41, describe<IPv6>());
    r.bind(describe<IPv6>(), "nh", 4, describe<IP>());
    r.bind(describe<IPv6>(), "nh", 6, describe<TCP>());
    r.bind(describe<IPv6>(), "nh", 17, describe<UDP>());
    r.bind(describe<IPv6>(), "nh", 41, describe<IPv6>());

    bind_icmpv6<ICMPv6DestUnreach>(r, 1);
    bind_icmpv6<ICMPv6PacketTooBig>(r, 2);
    bind_icmpv6<ICMPv6TimeExceeded>(r, 3);
    bind_icmpv6<ICMPv6ParamProblem>(r, 4);
    bind_icmpv6<ICMPv6EchoRequest>(r, 128);
    bind_icmpv6<ICMPv6EchoReply>(r, 129);
    bind_icmpv6<ICMPv6ND_NS>(r, 135);
    bind_icmpv6<ICMPv6ND_NA>(r, 136);
    bind_icmpv6<ICMPv6Unknown>(r, -1);

    bind_nd_options<ICMPv6ND_NS>(r);
    bind_nd_options<ICMPv6ND_NA>(r);
    bind_nd_options<ICMPv6NDOptSrcLLAddr>(r);
    bind_nd_options<ICMPv6NDOptDstLLAddr>(r);
    bind_nd_options<ICMPv6NDOptUnknown>(r);
}

}  // namespace sonde::detail
