"""Packets that the installed Scapy makes up: at least one line for every layer that sonde has (see PACKETS)."""

from scapy_parts import *

# One line for each layer, and for each form of it that is worth one: it makes a packet of the link that its
# outermost layer tells. Every line is used as often as every other.
PACKETS = [
    lambda: payload(ip() / tcp()),
    lambda: payload(ip() / tcp(options=tcp_options())),
    lambda: payload(ipv6() / tcp(options=tcp_options())),
    lambda: payload(ip() / udp()),
    lambda: payload(ipv6() / udp()),
    lambda: payload(ip(chance=1) / udp()),
    lambda: payload(ip(chance=1) / icmp()),
    lambda: payload(ip() / icmp()),
    lambda: ip() / icmp_error(),
    lambda: payload(ip() / ip() / tcp()),
    lambda: ipv6() / ip() / udp(),
    lambda: ip() / ipv6() / udp(),
    lambda: ipv6() / ipv6() / udp(),
    lambda: IP(src=ip4(), dst=ip4(), proto=253, frag=bit()) / Raw(load=b"abc"),
    lambda: IP(src=ip4(), dst=ip4(), proto=17, frag=short() % 8192, flags="MF") / Raw(load=data() + b"x"),
    # IPv6: extension headers
    lambda: extended(IPv6ExtHdrHopByHop(options=[ipv6_option()])),
    lambda: extended(IPv6ExtHdrHopByHop(options=[RouterAlert(value=short()), ipv6_option(), ipv6_option()])),
    lambda: extended(IPv6ExtHdrHopByHop(options=[Jumbo(jumboplen=word())])),
    lambda: extended(IPv6ExtHdrHopByHop(options=[Pad1(), PadN(optdata=bytes(3))])),
    lambda: extended(IPv6ExtHdrHopByHop(autopad=0, options=[Pad1(), PadN(optdata=bytes(3))])),
    lambda: extended(IPv6ExtHdrDestOpt(options=[HAO(hoa=ip6())])),
    lambda: extended(IPv6ExtHdrDestOpt(options=up_to(3, ipv6_option))),
    lambda: extended(IPv6ExtHdrRouting(type=rnd.randrange(4), addresses=up_to(3, ip6))),
    lambda: extended(IPv6ExtHdrRouting(type=0, segleft=1, addresses=[ip6(), ip6()])),
    lambda: extended(IPv6ExtHdrSegmentRouting(addresses=[ip6() for _ in range(rnd.randrange(1, 4))], tag=short(), segleft=0)),
    lambda: extended(IPv6ExtHdrFragment(id=word(), m=bit())),
    lambda: ipv6() / IPv6ExtHdrFragment(id=word(), m=1, offset=rnd.randrange(1, 8192), nh=17) / Raw(load=b"part"),
    lambda: extended(IPv6ExtHdrHopByHop(options=[RouterAlert()]), IPv6ExtHdrRouting(addresses=[ip6()]), IPv6ExtHdrDestOpt()),
    # ICMPv6
    lambda: ipv6() / ICMPv6EchoRequest(id=short(), seq=short(), data=data()),
    lambda: ipv6() / ICMPv6EchoReply(id=short(), seq=short(), data=data()),
    lambda: icmp6_error(ICMPv6DestUnreach(code=rnd.randrange(7))),
    lambda: icmp6_error(ICMPv6PacketTooBig(mtu=word())),
    lambda: icmp6_error(ICMPv6TimeExceeded(code=bit())),
    lambda: icmp6_error(ICMPv6ParamProblem(code=rnd.randrange(3), ptr=word())),
    # What is quoted keeps its quoted names as long as Scapy binds them.
    lambda: ipv6() / ICMPv6TimeExceeded() / ipv6(IPerror6) / one(lambda: ipv6() / udp(), lambda: ip() / udp(), lambda: ip() / tcp()),
    lambda: ipv6() / ICMPv6TimeExceeded() / ipv6(IPerror6) / one(IPv6ExtHdrHopByHop, IPv6ExtHdrDestOpt, IPv6ExtHdrRouting) / one(udp, tcp),
    lambda: ipv6() / ICMPv6DestUnreach() / ipv6(IPerror6) / one(lambda: ICMPv6EchoRequest(id=short()), lambda: SCTP(tag=word())),
    lambda: ip() / ICMP(type=11) / ip(IPerror) / one(lambda: ipv6() / udp(), lambda: ipv6() / tcp(), lambda: GRE() / ip() / udp()),
    lambda: ip() / ICMP(type=11) / ip(IPerror) / one(lambda: SCTPerror(tag=word()), lambda: ip(IPerror) / udp(UDPerror)),
    lambda: ipv6() / ICMPv6Unknown(type=rnd.choice([100, 200, 254]), code=byte(), msgbody=b"1234" + data()),
    lambda: ipv6() / ICMPv6MLQuery(mladdr=ip6(), mrd=short()),
    lambda: ipv6() / ICMPv6MLReport(mladdr=ip6()),
    lambda: ipv6() / ICMPv6MLDone(mladdr=ip6()),
    lambda: ipv6() / ICMPv6MLQuery2(mladdr=ip6(), S=bit(), QRV=rnd.randrange(8), QQIC=byte(), sources=up_to(3, ip6)),
    lambda: ipv6() / ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(rtype=rnd.randrange(1, 7), dst=ip6(), sources=up_to(2, ip6))]),
    # Neighbour discovery: a message of each kind, an option of each kind
    lambda: ipv6() / ICMPv6ND_RS(),
    lambda: ipv6() / ICMPv6ND_NS(tgt=ip6()),
    lambda: nd(ICMPv6NDOptSrcLLAddr(lladdr=mac())),
    lambda: nd(ICMPv6NDOptDstLLAddr(lladdr=mac())),
    lambda: nd(ICMPv6NDOptPrefixInfo(prefix=ip6(), prefixlen=byte(), L=bit(), A=bit(), R=bit(), validlifetime=word())),
    lambda: nd(ICMPv6NDOptRedirectedHdr(pkt=payload(ipv6() / udp()))),
    lambda: nd(ICMPv6NDOptMTU(mtu=word())),
    lambda: nd(ICMPv6NDOptShortcutLimit(shortcutlim=byte())),
    lambda: nd(ICMPv6NDOptAdvInterval(advint=word())),
    lambda: nd(ICMPv6NDOptHAInfo(pref=short(), lifetime=short())),
    lambda: nd(ICMPv6NDOptSrcAddrList(addrlist=up_to(3, ip6))),
    lambda: nd(ICMPv6NDOptTgtAddrList(addrlist=up_to(3, ip6))),
    lambda: nd(ICMPv6NDOptRouteInfo(prefix=ip6(), plen=byte(), prf=rnd.randrange(4), rtlifetime=word())),
    lambda: nd(ICMPv6NDOptRDNSS(dns=up_to(3, ip6), lifetime=word())),
    lambda: nd(ICMPv6NDOptEFA(res=rnd.randrange(2**48))),
    lambda: nd(ICMPv6NDOptDNSSL(searchlist=["example.com.", "a.b.example."], lifetime=word())),
    # What UDP carries
    lambda: ip() / udp(dport=53) / dns(),
    lambda: ipv6() / udp(sport=53) / dns(),
    lambda: ip() / UDP(sport=5353, dport=5353) / dns(),
    lambda: ipv6() / udp(dport=5355) / dns(),
    lambda: ip() / udp(dport=53) / DNS(id=short(), qd=DNSQR(qname=name()), an=rnd.choice(RECORDS)(), ar=edns()),
    lambda: ip() / UDP(sport=68, dport=67) / dhcp(),
    lambda: ip() / UDP(sport=67, dport=68) / dhcp(),
    lambda: ip() / UDP(sport=68, dport=67) / BOOTP(xid=word(), chaddr=rnd.randbytes(16), options=b"vendor"),
    lambda: ip() / UDP(sport=123, dport=123) / ntp(),
    lambda: ipv6() / udp(dport=123) / NTPHeader(stratum=bit(), ref_id=b"GPS", orig=word(), sent=word()),
    lambda: ip(ttl=1, options=[IPOption_Router_Alert()]) / IGMP(type=rnd.choice([0x11, 0x12, 0x16, 0x17]), mrcode=byte(), gaddr=ip4()),
    # Tunnels
    lambda: ip() / gre() / ip() / udp(),
    lambda: ipv6() / gre() / ipv6() / udp(),
    lambda: ip() / GRE() / Ether(src=mac(), dst=mac()) / ip() / udp(),
    lambda: ip() / GRE(version=1, flags=rnd.randrange(32), proto=0x1234) / Raw(load=b"abc"),
    lambda: ip() / udp(dport=4789) / VXLAN(vni=rnd.randrange(2**24)) / Ether(src=mac(), dst=mac()) / ip() / udp(),
    lambda: ip() / udp(dport=4790) / VXLAN(vni=rnd.randrange(2**24), flags=0xC, NextProtocol=1) / ip() / udp(),
    lambda: tagged(MPLS(label=rnd.randrange(16, 2**20), cos=rnd.randrange(8), s=0, ttl=byte()), MPLS(label=17, s=1, ttl=64)) / ip() / udp(),
    lambda: tagged(MPLS(label=rnd.randrange(16, 2**20), s=1, ttl=byte())) / ipv6() / udp(),
    lambda: ip() / MPLS(label=100, s=1, ttl=byte()) / ip() / udp(),
    lambda: ip() / GRE() / MPLS(label=100, s=1, ttl=byte()) / ip() / udp(),
    # SCTP: a chunk of each kind
    lambda: sctp(SCTPChunkData(tsn=word(), stream_id=short(), stream_seq=short(), proto_id=word(), ending=1, beginning=bit(),
                               data=rnd.randbytes(rnd.randrange(1, 9)))),
    lambda: sctp(sctp_init(SCTPChunkInit)),
    lambda: sctp(sctp_init(SCTPChunkInitAck)),
    lambda: sctp(SCTPChunkSACK(cumul_tsn_ack=word(), a_rwnd=word(), gap_ack_list=["2:4", "7:9"], dup_tsn_list=[word()])),
    lambda: sctp(SCTPChunkHeartbeatReq(params=[SCTPChunkParamHeartbeatInfo(data=data())])),
    lambda: sctp(SCTPChunkHeartbeatAck(params=[SCTPChunkParamHeartbeatInfo(data=data())])),
    lambda: sctp(SCTPChunkAbort(TCB=bit(), error_causes=rnd.randbytes(rnd.choice([0, 4, 8])))),
    lambda: sctp(SCTPChunkShutdown(cumul_tsn_ack=word()), SCTPChunkShutdownAck()),
    lambda: sctp(SCTPChunkError(error_causes=rnd.randbytes(4))),
    lambda: sctp(SCTPChunkCookieEcho(cookie=rnd.randbytes(5)), SCTPChunkCookieAck()),
    lambda: sctp(SCTPChunkShutdownComplete(TCB=bit())),
    # Links
    lambda: tagged() / network(),
    lambda: tagged() / ip() / udp() / Padding(load=rnd.randbytes(rnd.randrange(1, 19))),
    lambda: tagged(vlan()) / network(),
    lambda: tagged(vlan(), vlan()) / network(),
    lambda: tagged(service_vlan(), vlan()) / network(),
    lambda: tagged(vlan()) / Raw(load=b"abc"),
    lambda: Dot3(src=mac(), dst=mac()) / LLC(dsap=byte(), ssap=0x42, ctrl=3) / Raw(load=b"spanning"),
    lambda: tagged(*one(lambda: (), lambda: (vlan(),), lambda: (service_vlan(), vlan())), LLC(dsap=byte(), ssap=0x43, ctrl=3)) / Raw(load=b"jumbo"),
    lambda: chain([ip(), GRE(), LLC(ssap=0x43)]) / Raw(load=b"x"),
    lambda: rnd.choice([CookedLinux, CookedLinuxV2])(**cooked()) / LLC(ssap=0x43) / Raw(load=b"x"),
    lambda: Dot3(src=mac(), dst=mac()) / LLC() / SNAP() / ip(chance=0) / udp(),  # Scapy's dst is wrong here with a source route
    lambda: Dot3(src=mac(), dst=mac()) / LLC(dsap=0xaa, ssap=0xaa, ctrl=3) / SNAP(OUI=0xc, code=0x2000) / Raw(load=b"cdp"),
    lambda: Loopback(type=rnd.choice([0, 2])) / ip() / udp(),
    lambda: CookedLinux(**cooked()) / network(),
    lambda: CookedLinuxV2(ifindex=word(), **cooked()) / network(),
]

# One line for each kind of an option, a parameter, a record.
PACKETS += [lambda make=make: ip(options=[make()]) / udp() for make in IP_OPTIONS]
PACKETS += [lambda make=make: ip() / tcp(options=[make()]) for make in TCP_OPTIONS]
PACKETS += [lambda make=make: ip() / UDP(sport=53) / DNS(id=1, qr=1, qd=DNSQR(qname=name()), an=make()) for make in RECORDS]
PACKETS += [lambda make=make: ip() / UDP(sport=67, dport=68) / BOOTP(xid=word()) / DHCP(options=[make(), "end"]) for make in DHCP_OPTIONS]
PACKETS += [lambda make=make: sctp(SCTPChunkInit(init_tag=1, params=[make()])) for make in SCTP_PARAMS]

# What Scapy 2.5 builds right and reads wrong.
BUILT = [
    # It counts the option's length in bytes.
    lambda: nd(ICMPv6NDOptUnknown(type=200, len=2, data=rnd.randbytes(14))),
    # The second record is the payload of the first.
    lambda: ipv6() / ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(dst=ip6()), ICMPv6MLDMultAddrRec(dst=ip6())]),
    # It counts auxiliary data in bytes: RFC 3810's words are in tests/unit/layers/mld.cpp.
    lambda: ipv6() / ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(dst=ip6(), sources=up_to(2, ip6), auxdata=b"auxi",
                                                                  auxdata_len=1)]),
    # The summary of 802.1ad asks for fields of 802.1Q.
    lambda: tagged(service_vlan(), service_vlan()) / Raw(load=b"abc"),
    # Its command() of the group policy's flags is no Python.
    lambda: ip() / udp(dport=4789) / VXLAN(flags=0x88, gpid=short(), vni=1) / Ether(src=mac(), dst=mac()) / arp(),
]

LINKS = {"Ether": "ether", "Dot3": "ether", "IP": "ipv4", "IPv6": "ipv6", "Loopback": "null", "CookedLinux": "sll",
         "CookedLinuxV2": "sll2"}


def packets(table, rounds):
    """(link, packet), every line of the table `rounds` times."""
    made = [make() for _ in range(rounds) for make in table]
    return [(LINKS[type(p).__name__], p) for p in made]


def layers_in(value):
    """The names of the layers of a packet and of those inside its fields."""
    if isinstance(value, (list, tuple)):
        return set().union(*map(layers_in, value))
    if not isinstance(value, Packet) or not value:
        return set()
    return {type(value).__name__} | layers_in(value.payload) | layers_in([value.getfieldval(f.name) for f in value.fields_desc])
