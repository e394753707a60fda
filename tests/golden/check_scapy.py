"""Packets that the installed Scapy makes up now: equal bytes, equal fields, equal commands and summaries."""

import random
import re

from golden import *

try:
    import logging
    logging.getLogger("scapy").setLevel(logging.CRITICAL)
    from scapy.all import (ARP, ICMP, TCP, UDP, Dot1Q, Ether, ICMPerror, IP, IPerror, IPv6, Padding, Raw, TCPerror,
                           UDPerror, conf, hexdump, raw)
    from scapy.layers.inet import (IPOption, IPOption_LSRR, IPOption_MTU_Probe, IPOption_NOP, IPOption_RR,
                                   IPOption_Router_Alert, IPOption_Timestamp, IPOption_Traceroute)
    from scapy.layers.inet6 import *
    from scapy.layers.dhcp import BOOTP, DHCP
    from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRRMX, DNSRROPT, DNSRRSOA, DNSRRSRV, EDNS0TLV
    from scapy.layers.l2 import GRE
    from scapy.layers.sctp import *
    from scapy.layers.vxlan import VXLAN
    from scapy.packet import Packet
    from scapy.themes import NoTheme
except ImportError as missing:
    skip(f"Scapy is not installed for {sys.executable} ({missing})")

conf.color_theme = NoTheme()
seed = int(os.environ.get("SONDE_SEED", "20"))
rnd = random.Random(seed)
COUNT = 600


def byte(): return rnd.choice([0, 1, 127, 255, rnd.randrange(256)])
def short(): return rnd.choice([0, 1, 20, 65535, rnd.randrange(1024, 65536)])  # no port that a protocol is bound to
def word(): return rnd.choice([0, 1, 2**32 - 1, rnd.randrange(2**32)])
def ip4(): return ".".join(str(rnd.randrange(1, 255)) for _ in range(4))
def ip6(): return "2001:db8:" + ":".join(f"{rnd.randrange(1, 65536):x}" for _ in range(6))
def mac(): return ":".join(f"{rnd.randrange(256):02x}" for _ in range(6))
def data(): return rnd.randbytes(rnd.choice([0, 1, 8, 33]))
def some(fields): return {k: v for k, v in fields.items() if rnd.random() < 0.5}


def tcp_options():
    kinds = [("MSS", short()), ("NOP", None), ("WScale", byte()), ("SAckOK", b""), ("Timestamp", (word(), word())),
             ("SAck", (word(), word())), ("UTO", short()), ("AltChkSum", (byte(), short())),
             (rnd.randrange(200, 250), rnd.randbytes(3))]
    return rnd.sample(kinds, rnd.randrange(4))


def ip_options():
    kinds = [IPOption_NOP(), IPOption_RR(routers=[ip4(), ip4()]), IPOption_LSRR(routers=[ip4()]),
             IPOption_Router_Alert(alert=short()), IPOption_MTU_Probe(mtu=short()), IPOption_Traceroute(id=short()),
             IPOption_Timestamp(flg=rnd.choice([0, 1, 3]), timestamp=word()),
             IPOption(copy_flag=1, optclass=0, option=25, value=rnd.randbytes(rnd.randrange(5)))]
    return rnd.sample(kinds, rnd.randrange(3))


def ip(cls=IP, dst=None):
    fields = some({"ttl": byte(), "id": short(), "tos": byte(), "flags": rnd.choice(["DF", "evil", "DF+evil", 0])})
    if rnd.random() < 0.2:
        fields["options"] = ip_options()
    return cls(src=ip4(), dst=dst or ip4(), **fields)


def tcp(cls=TCP):
    return cls(**some({"sport": short(), "dport": short(), "seq": word(), "ack": word(), "window": short(),
                       "flags": rnd.choice(["S", "SA", "R", "FPU", "PA", 0, "SEC", "FSRPAUECN"]), "urgptr": short(),
                       "reserved": rnd.randrange(8), "options": tcp_options()}))


def udp(cls=UDP):
    return cls(sport=short(), dport=short(), **some({"chksum": short()}))


def payload(packet):
    load = data()
    return packet / Raw(load=load) if load else packet


def icmp(cls=ICMP):
    kind = rnd.choice([0, 8, 13, 14, 15, 16, 17, 18, 30, 31, 33, 37, 38, 40, 42])
    if kind in (13, 14):
        return cls(type=kind, id=short(), seq=short(), ts_ori=word(), ts_rx=word(), ts_tx=word())
    if kind in (17, 18):
        return cls(type=kind, id=short(), seq=short(), addr_mask=ip4())
    return cls(type=kind, **({"id": short(), "seq": short()} if kind < 20 or kind in (37, 38) else {"code": byte()}))


def icmp_error():
    kind = rnd.choice([3, 4, 5, 11, 12])
    extra = {3: {"nexthopmtu": short()}, 5: {"gw": ip4()}, 12: {"ptr": byte()}}.get(kind, {})
    error = ICMP(type=kind, code=rnd.randrange(4), **extra)
    return error / ip(IPerror) / rnd.choice([lambda: tcp(TCPerror), lambda: udp(UDPerror), lambda: icmp(ICMPerror)])()


def ipv6(cls=IPv6, **fields):
    return cls(src=ip6(), dst=ip6(), **some({"tc": byte(), "fl": rnd.randrange(2**20), "hlim": byte()}), **fields)


def icmp6():
    return rnd.choice([
        lambda: ICMPv6EchoRequest(id=short(), seq=short(), data=data()),
        lambda: ICMPv6EchoReply(id=short(), seq=short(), data=data()),
        lambda: ICMPv6ND_NS(tgt=ip6()) / ICMPv6NDOptSrcLLAddr(lladdr=mac()),
        lambda: ICMPv6ND_NA(tgt=ip6(), R=rnd.randrange(2), S=rnd.randrange(2)) / ICMPv6NDOptDstLLAddr(lladdr=mac()),
        lambda: ICMPv6ND_NS(tgt=ip6()),
    ])()


def nd_option():
    return rnd.choice([
        lambda: ICMPv6NDOptPrefixInfo(prefix=ip6(), prefixlen=byte(), L=rnd.randrange(2), validlifetime=word()),
        lambda: ICMPv6NDOptMTU(mtu=word()), lambda: ICMPv6NDOptRDNSS(dns=[ip6(), ip6()], lifetime=word()),
        lambda: ICMPv6NDOptAdvInterval(advint=word()), lambda: ICMPv6NDOptHAInfo(pref=short(), lifetime=short()),
        lambda: ICMPv6NDOptSrcLLAddr(lladdr=mac()), lambda: ICMPv6NDOptRouteInfo(prefix=ip6(), plen=byte()),
        lambda: ICMPv6NDOptDNSSL(searchlist=["example.com.", "a.b.example."], lifetime=word())])()


def listening():
    """Router and multicast listener discovery."""
    return rnd.choice([
        lambda: ICMPv6ND_RS() / nd_option(), lambda: ICMPv6ND_RA(chlim=byte(), M=1, prf=rnd.randrange(4)) / nd_option() / nd_option(),
        lambda: ICMPv6ND_Redirect(tgt=ip6(), dst=ip6()) / nd_option(),
        lambda: ICMPv6MLQuery(mladdr=ip6(), mrd=short()), lambda: ICMPv6MLReport(mladdr=ip6()),
        lambda: ICMPv6MLDone(mladdr=ip6()), lambda: ICMPv6MLQuery2(mladdr=ip6(), S=1, QRV=3, sources=[ip6(), ip6()]),
        lambda: ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(rtype=rnd.randrange(1, 7), dst=ip6(), sources=[ip6()])])])()


def extension():
    return rnd.choice([
        lambda: IPv6ExtHdrHopByHop(options=[RouterAlert(value=short())]),
        lambda: IPv6ExtHdrDestOpt(options=[HAO(hoa=ip6())]),
        lambda: IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=30, optdata=rnd.randbytes(rnd.randrange(9)))]),
        lambda: IPv6ExtHdrRouting(addresses=[ip6() for _ in range(rnd.randrange(4))]),
        lambda: IPv6ExtHdrFragment(id=word(), m=rnd.randrange(2))])()


def name():
    return rnd.choice(["example.com.", "www.example.org.", "_sip._tcp.example.net.", "a.", "."])


def record():
    return rnd.choice([
        lambda: DNSRR(rrname=name(), ttl=word(), rdata=ip4()), lambda: DNSRR(rrname=name(), type="AAAA", rdata=ip6()),
        lambda: DNSRR(rrname=name(), type="CNAME", rdata=name()), lambda: DNSRR(rrname=name(), type="PTR", rdata=name()),
        lambda: DNSRR(rrname=name(), type="TXT", rdata=[b"text", rnd.randbytes(9)]),
        lambda: DNSRR(rrname=name(), type=257, rdata=b"\0\5issueca.example"),
        lambda: DNSRRMX(rrname=name(), type=15, preference=short(), exchange=name()),
        lambda: DNSRRSOA(rrname=name(), mname=name(), rname=name(), serial=word()),
        lambda: DNSRRSRV(rrname=name(), priority=short(), weight=short(), port=short(), target=name())])()


def chain(parts):
    first = None
    for part in parts:
        first = part if first is None else first / part
    return first


def dns():
    edns = [DNSRROPT(rclass=short(), rdata=[EDNS0TLV(optcode=short(), optdata=rnd.randbytes(4))])] if rnd.random() < .3 else []
    return DNS(id=short(), qr=rnd.randrange(2), rcode=rnd.randrange(6), opcode=rnd.randrange(3), ra=1,
               qd=chain([DNSQR(qname=name(), qtype=rnd.choice(["A", "AAAA", "MX", "TXT"])) for _ in range(rnd.randrange(1, 3))]),
               an=chain([record() for _ in range(rnd.randrange(4))]), ns=chain([record() for _ in range(rnd.randrange(2))]),
               ar=chain([record() for _ in range(rnd.randrange(2))] + edns))


def dhcp():
    return BOOTP(op=rnd.randrange(1, 3), xid=word(), chaddr=rnd.randbytes(6), yiaddr=ip4(), flags=rnd.choice([0, 0x8000])) / DHCP(
        options=[("message-type", rnd.choice(["discover", "offer", "ack"])), ("server_id", ip4()), ("lease_time", word()),
                 ("router", ip4(), ip4()), ("hostname", b"probe"), ("param_req_list", [1, 3, 6]), (250, b"x"), "end"])


def sctp():
    return SCTP(sport=short(), dport=short(), tag=word()) / rnd.choice([
        lambda: SCTPChunkInit(init_tag=word(), a_rwnd=word(), n_out_streams=short(), n_in_streams=short(), init_tsn=word(),
                              params=[SCTPChunkParamIPv4Addr(addr=ip4()), SCTPChunkParamECNCapable()]),
        lambda: SCTPChunkInitAck(init_tag=word(), a_rwnd=1, n_out_streams=1, n_in_streams=1, init_tsn=1,
                                 params=[SCTPChunkParamStateCookie(cookie=rnd.randbytes(rnd.randrange(20)))]),
        lambda: SCTPChunkData(tsn=word(), stream_id=short(), stream_seq=short(), proto_id=word(), data=rnd.randbytes(rnd.randrange(1, 9)), ending=1)
        / SCTPChunkSACK(cumul_tsn_ack=word(), a_rwnd=word(), gap_ack_list=["2:4"], dup_tsn_list=[word()]),
        lambda: SCTPChunkAbort(TCB=rnd.randrange(2), error_causes=rnd.randbytes(8)), lambda: SCTPChunkCookieEcho(cookie=rnd.randbytes(5)),
        lambda: SCTPChunkHeartbeatReq(params=[SCTPChunkParamHeartbeatInfo(data=rnd.randbytes(7))]),
        lambda: SCTPChunkShutdown(cumul_tsn_ack=word()) / SCTPChunkShutdownAck(), lambda: SCTPChunkCookieAck()])()


def tunnelled():
    return rnd.choice([
        lambda: ip() / GRE(key_present=rnd.randrange(2), key=word(), seqnum_present=rnd.randrange(2), sequence_number=word(),
                           chksum_present=rnd.randrange(2)) / ip() / udp(),
        lambda: ip() / UDP(sport=short(), dport=4789) / VXLAN(vni=rnd.randrange(2**24)) / Ether(src=mac(), dst=mac()) / ip() / udp(),
        lambda: ipv6() / IP(src=ip4(), dst=ip4()) / udp()])()


def icmp6_error():
    error = rnd.choice([ICMPv6DestUnreach(code=rnd.randrange(5)), ICMPv6PacketTooBig(mtu=word()),
                        ICMPv6TimeExceeded(code=rnd.randrange(2)), ICMPv6ParamProblem(ptr=word())])
    return error / ipv6(IPerror6) / rnd.choice([lambda: tcp(TCPerror), lambda: udp(UDPerror)])()


def network():
    return rnd.choice([
        lambda: payload(ip() / tcp()), lambda: payload(ip() / udp()), lambda: payload(ip() / icmp()),
        lambda: ip() / icmp_error(), lambda: payload(ipv6() / tcp()), lambda: payload(ipv6() / udp()),
        lambda: ipv6() / icmp6(), lambda: ipv6() / icmp6_error(),
        lambda: payload(ip(dst=ip4()) / ip() / tcp()),
        lambda: ipv6() / listening(), lambda: payload(ipv6() / extension() / udp()),
        lambda: ipv6() / extension() / icmp6(), lambda: ip() / UDP(sport=short(), dport=53) / dns(),
        lambda: ipv6() / UDP(sport=53, dport=short()) / dns(), lambda: ip() / UDP(sport=68, dport=67) / dhcp(),
        lambda: ip() / sctp(), lambda: ipv6() / sctp(), tunnelled,
        lambda: IP(src=ip4(), dst=ip4(), proto=253, frag=rnd.randrange(2)) / Raw(load=b"abc"),
    ])()


def arp():
    return ARP(op=rnd.choice([1, 2, 3, 4, 9]), hwsrc=mac(), psrc=ip4(), hwdst=mac(), pdst=ip4())


def ether():
    outer = Ether(src=mac(), dst=mac())
    for _ in range(rnd.choice([0, 0, 0, 1, 2])):
        outer = outer / Dot1Q(vlan=rnd.randrange(4096), prio=rnd.randrange(8), id=rnd.randrange(2))
    inner = rnd.choice([network, network, arp])()
    packet = outer / inner
    if rnd.random() < 0.3:
        packet = packet / Padding(load=rnd.randbytes(rnd.randrange(1, 19)))
    return packet


def value_of(value):
    """A field of a dissected packet, as sonde's JSON has it."""
    if isinstance(value, (bytes, bytearray)):
        return {"hex": bytes(value).hex()}
    if isinstance(value, Packet):
        return layer_of(value)
    if isinstance(value, (list, tuple)):
        return [value_of(v) for v in value]
    return value if value is None or isinstance(value, (int, str)) else str(value)


def links(packet):
    """Scapy chains DNS records as payloads."""
    return [packet] + (links(packet.payload) if isinstance(packet.payload, Packet) and packet.payload else [])


def layer_of(packet):
    fields = {}
    for f in packet.fields_desc:
        value = packet.getfieldval(f.name)
        conditional = hasattr(f, "cond") and not f.cond(packet)
        if type(packet).__name__ == "DNS" and isinstance(value, Packet):
            value = links(value)
        if not conditional:
            fields[f.name] = str(value) if type(value).__name__ == "FlagValue" else value_of(value)
    return {"layer": type(packet).__name__, "fields": fields}


def comparable(shown):
    """Without what sonde shows in its own way: bytes (Scapy decodes them as UTF-8), times of day as numbers, and
    Scapy's two spellings of no options."""
    own = ("load", "data", "value", "ts_ori", "ts_rx", "ts_tx")
    lines = [line.rstrip() for line in shown.splitlines() if line.strip(" |").split()[:1] not in [[name] for name in own]]
    return [line.replace("options   = ''", "options   = []") for line in lines]


def layers_of(packet):
    layers = []
    while packet and type(packet).__name__ != "NoPayload":
        layers.append(layer_of(packet))
        packet = packet.payload
    return as_sonde(layers)


# Layers whose lists and names sonde shows in its own way.
LISTS = {"DNS", "BOOTP", "IPv6ExtHdrHopByHop", "IPv6ExtHdrDestOpt", "IPv6ExtHdrRouting", "ICMPv6NDOptDNSSL",
         "ICMPv6NDOptRDNSS", "ICMPv6NDOptRouteInfo", "ICMPv6MLQuery2", "ICMPv6MLReport2", "SCTP", "VXLAN", "GRE"}

checks = Checks()
made = [(ether(), Ether, "ether") if i % 3 == 0 else (network(), None, "") for i in range(COUNT)]
made = [(p, c, l) if c else (p, type(p), "ipv6" if type(p) is IPv6 else "ipv4") for p, c, l in made]
for link in ("ether", "ipv4", "ipv6"):
    packets = [(p, cls) for p, cls, l in made if l == link]
    bytes_of = [raw(p) for p, _ in packets]
    again = [cls(b) for b, (_, cls) in zip(bytes_of, packets)]
    hexes = [b.hex() for b in bytes_of]
    for (p, _), frame, line in zip(packets, hexes, tool(["build", "--json"], [p.command() for p, _ in packets])):
        checks.equal("built", p.command(), built(line), frame)
    for q, frame, line in zip(again, hexes, tool(["dissect", "--json", "--link", link], hexes, want_status=0)):
        checks.equal("dissected", f"{frame}\n   {q.command()}", json.loads(line)["layers"], layers_of(q))
    for q, line in zip(again, tool(["dissect", "--summary", "--link", link], hexes, want_status=0)):
        checks.equal("summarised", q.command(), line.replace("b'.'", "b''"), q.summary().replace("b'.'", "b''"))
    for q, line in zip(again, tool(["dissect", "--command", "--link", link], hexes, want_status=0)):
        # Scapy leaves out a last field that is empty, and has no name for the root of the DNS but emptiness.
        spellings = [re.sub(r", (?!rdata)\w+=b''|, rdata=(b''|\[\])", "", text.replace("=b'.'", "=b''")) for text in (line, q.command())]
        checks.equal("spelled", q.command(), *spellings)
    rebuild(checks, link, hexes, "rebuilt")
    for q, text in zip(again, blocks(["dissect", "--hex", "--link", link], hexes)):
        checks.equal("dumped", q.command(), text.strip(), hexdump(q, dump=True).strip())
    for q, text in zip(again, blocks(["dissect", "--link", link], hexes)):
        if not LISTS & {type(l).__name__ for l in q.iterpayloads()}:
            checks.equal("shown", q.command(), comparable(text.strip("\n")),
                         comparable(q.show(dump=True).strip("\n")))
checks.finish(f"seed {seed}")
