"""Fragments: those recorded, those that the installed Scapy cuts now, and back again; extensions of ICMP errors."""

import random

from golden import *

checks = Checks()


def cut(call, packet, size):
    return f"{call}({packet}, {size})"


def compare(what, cases):
    """(expression, fragments in hex) each."""
    for (text, want), line in zip(cases, tool(["build", "--json"], [text for text, _ in cases], want_status=0)):
        checks.equal(what, text, json.loads(line), want)


compare("recorded", [(cut("fragment6" if v["layers"][0]["layer"] == "IPv6" else "fragment", expression(v["layers"]),
                          v["fragsize"]), v["fragments"]) for v in json_lines(conformance("fragments.jsonl"))])
for vector in json_lines(conformance("fragments.jsonl")):
    link = "ipv6" if vector["layers"][0]["layer"] == "IPv6" else "ipv4"
    rebuild(checks, link, vector["fragments"], "rebuilt")

try:
    import logging
    logging.getLogger("scapy").setLevel(logging.CRITICAL)
    from scapy.all import ICMP, UDP, IP, IPv6, Padding, Raw, fragment, fragment6, raw
    from scapy.contrib.icmp_extensions import (ICMPExtensionHeader, ICMPExtensionMPLS, ICMPExtensionObject)
    from scapy.contrib.mpls import MPLS
    from scapy.layers.inet import IPerror, IPOption_NOP, IPOption_RR, UDPerror
    from scapy.layers.inet6 import IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, PadN
except ImportError as missing:
    print(f"without Scapy ({missing})")
    checks.finish()

seed = int(os.environ.get("SONDE_SEED", "4"))
rnd = random.Random(seed)
SMALL = [1, 2, 7, 8, 9, 20, 33, 100]


def packet4():
    options = rnd.choice([[], [], [IPOption_NOP()], [IPOption_RR(routers=["192.0.2.7", "192.0.2.8"])]])
    ip = IP(src="192.0.2.1", dst=rnd.choice(["198.51.100.2", ["198.51.100.2", "198.51.100.3"]]), id=rnd.randrange(65536),
            flags=rnd.choice(["", "DF", "MF", "evil"]), frag=rnd.choice([0, 0, 0, 1, 100]), options=options, proto=17)
    return ip / rnd.choice([UDP(sport=1, dport=2), ICMP()]) / Raw(load=rnd.randbytes(rnd.choice(SMALL + [1473, 4000])))


def packet6():
    behind = rnd.choice([UDP(sport=1, dport=2), IPv6ExtHdrDestOpt(options=[PadN(optdata=b"abcd")]) / UDP(sport=1, dport=2)])
    return IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrFragment(id=rnd.randrange(2**32)) / behind / Raw(
        load=rnd.randbytes(rnd.choice(SMALL + [1473, 4000])))


cases = []
for _ in range(150):
    p, size = packet4(), rnd.choice([8, 9, 15, 16, 100, 576, 1480, 1487])
    fragments = [raw(f).hex() for f in fragment(p, size)]
    # Scapy drops a packet far below a size that is no multiple of 8.
    if fragments:
        cases.append((cut("fragment", p.command(), f"fragsize={size}"), fragments))
for _ in range(100):
    p, size = packet6(), rnd.choice([64, 70, 100, 1280, 1500])
    cases.append((cut("fragment6", p.command(), f"fragSize={size}"), [raw(f).hex() for f in fragment6(p, size)]))
compare("cut as Scapy cuts", cases)

# Extensions. Scapy computes neither the structure's checksum over its objects nor an object's length without those
# behind it, and pads no quote, so these are given; then bytes and layers are equal.


def objects():
    mpls = ICMPExtensionMPLS(len=12, stack=[MPLS(label=rnd.randrange(2**20), cos=rnd.randrange(8), s=s, ttl=rnd.randrange(256))
                                            for s in (0, 1)])
    return rnd.choice([mpls, ICMPExtensionObject(len=8, classnum=rnd.randrange(3, 256), classtype=1) / Raw(load=rnd.randbytes(4))])


def checksum(structure):
    from scapy.utils import checksum as internet_checksum
    structure.chksum = 0
    structure.chksum = internet_checksum(raw(structure))
    return structure


extended = []
for _ in range(60):
    error = IP(src="203.0.113.1", dst="192.0.2.1") / ICMP(type=rnd.choice([3, 11, 12]), length=rnd.choice([0, 32]))
    quote = IPerror(src="192.0.2.1", dst="198.51.100.2", len=28, proto=17) / UDPerror(sport=1, dport=rnd.randrange(65536), len=8,
                                                                                    chksum=0)
    extended.append(error / quote / Padding(load=bytes(100)) / checksum(ICMPExtensionHeader() / objects()))
# Scapy puts padding behind all else when it builds.
bytes_of = [raw(p) for p in extended]


def in_place(p):
    top = p.copy()
    padding = top[Padding]
    behind = padding.payload
    padding.underlayer.remove_payload()
    tail = bytes(100) + raw(behind)
    q = top / Raw(load=tail)
    q[IPerror].len, q[UDPerror].len = 28, 8
    return raw(q).hex()


hexes = [in_place(p) for p in extended]
for p, frame, line in zip(extended, hexes, tool(["build", "--json"], [p.command() for p in extended])):
    checks.equal("extensions built", p.command(), built(line), frame)
for p, frame, line in zip(extended, hexes, tool(["dissect", "--json", "--link", "ipv4"], hexes, want_status=0)):
    layers = json.loads(line)["extensions"]
    again = IP(bytes.fromhex(frame))[ICMPExtensionHeader]
    checks.equal("extensions read", frame, [l["layer"] for l in layers],
                 ["ICMPExtensionHeader", type(again.payload).__name__])
    checks.equal("checksums", frame, layers[0]["fields"]["chksum"], again.chksum)
    if ICMPExtensionMPLS in again:
        labels = [{k: label["fields"][k] for k in ("label", "cos", "s", "ttl")} for label in layers[1]["fields"]["stack"]]
        # Scapy reads a label inside the one before it.
        stack = [m for top in again[ICMPExtensionMPLS].stack for m in top.iterpayloads() if isinstance(m, MPLS)]
        checks.equal("labels", frame, labels, [{k: getattr(m, k) for k in ("label", "cos", "s", "ttl")} for m in stack])
rebuild(checks, "ipv4", hexes, "extensions rebuilt")
# What sonde computes where Scapy leaves it out is what makes Scapy find the extensions by itself.
computed = [f"IP(src='203.0.113.1', dst='192.0.2.1')/ICMP(type={kind})/IPerror(src='192.0.2.1', dst='198.51.100.2')/UDPerror()"
            f"/ICMPExtensionHeader()/ICMPExtensionMPLS(stack=[MPLS(label={rnd.randrange(2**20)})])" for kind in (3, 11, 12)]
for text, line in zip(computed, tool(["build", "--json"], computed, want_status=0)):
    p = IP(bytes.fromhex(built(line)))
    checks.equal("found by Scapy", text, (ICMPExtensionMPLS in p, p[ICMP].length, p[IPerror].len), (True, 32, 28))
checks.finish(f"seed {seed}")
