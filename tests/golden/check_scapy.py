"""Packets that the installed Scapy makes up now: equal bytes, equal fields, equal commands and summaries."""

import random

from golden import *

try:
    import logging
    logging.getLogger("scapy").setLevel(logging.CRITICAL)
    from scapy.all import (ARP, ICMP, TCP, UDP, Dot1Q, Ether, ICMPerror, IP, IPerror, IPv6, Padding, Raw, TCPerror,
                           UDPerror, conf, hexdump, raw)
    from scapy.layers.inet import (IPOption, IPOption_LSRR, IPOption_MTU_Probe, IPOption_NOP, IPOption_RR,
                                   IPOption_Router_Alert, IPOption_Timestamp, IPOption_Traceroute)
    from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                                    ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig,
                                    ICMPv6ParamProblem, ICMPv6TimeExceeded, IPerror6)
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


def layer_of(packet):
    fields = {}
    for f in packet.fields_desc:
        value = packet.getfieldval(f.name)
        conditional = hasattr(f, "cond") and not f.cond(packet)
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
        checks.equal("summarised", q.command(), line, q.summary())
    for q, line in zip(again, tool(["dissect", "--command", "--link", link], hexes, want_status=0)):
        # Scapy leaves out a last field that is empty, and writes IP options before the other fields.
        spellings = [text.replace(", unused=b''", "").replace(", data=b''", "") for text in (line, q.command())]
        if "IPOption" not in line:
            checks.equal("spelled", q.command(), *spellings)
    rebuild(checks, link, hexes, "rebuilt")
    for q, text in zip(again, blocks(["dissect", "--hex", "--link", link], hexes)):
        checks.equal("dumped", q.command(), text.strip(), hexdump(q, dump=True).strip())
    for q, text in zip(again, blocks(["dissect", "--link", link], hexes)):
        checks.equal("shown", q.command(), comparable(text.strip("\n")),
                     comparable(q.show(dump=True).strip("\n")))
checks.finish(f"seed {seed}")
