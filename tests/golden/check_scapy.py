"""Packets that the installed Scapy makes up now: equal bytes, fields, commands, summaries, dumps and shows."""

import re
from pathlib import Path

import scapy_compare as scapy
from golden import *
from scapy_packets import BUILT, PACKETS, hexdump, layers_in, packets, raw, seed

ROUNDS = 6

checks, made = Checks(), set()


def by_link(table):
    found = {}
    for link, packet in packets(table, ROUNDS):
        found.setdefault(link, []).append(packet)
        made.update(layers_in(packet))
    return found.items()


def check_built(link, sent):
    """The frames as Scapy and sonde build them, as digits."""
    hexes = [raw(p).hex() for p in sent]
    for p, frame, line in zip(sent, hexes, tool(["build", "--json"], [p.command() for p in sent])):
        checks.equal("built", p.command(), built(line), frame)
    rebuild(checks, link, hexes, "rebuilt")
    return hexes


def check_read(link, received, hexes):
    dissect = ["dissect", "--link", link]
    for q, frame, line in zip(received, hexes, tool([*dissect, "--json"], hexes, want_status=0)):
        checks.equal("dissected", f"{frame}\n   {q.command()}", json.loads(line)["layers"], scapy.layers_of(q))
    for q, line in zip(received, tool([*dissect, "--summary"], hexes, want_status=0)):
        checks.equal("summarised", q.command(), scapy.summary(line), scapy.summary(q.summary()))
    for q, line in zip(received, tool([*dissect, "--command"], hexes, want_status=0)):
        checks.equal("spelled", q.command(), scapy.command(line), scapy.command(q.command()))
    for q, text in zip(received, blocks([*dissect, "--hex"], hexes)):
        checks.equal("dumped", q.command(), text.strip(), hexdump(q, dump=True).strip())
    for q, text in zip(received, blocks(dissect, hexes)):
        checks.equal("shown", q.command(), scapy.shown(text), scapy.shown(q.show(dump=True)))


for link, sent in by_link(PACKETS):
    hexes = check_built(link, sent)
    check_read(link, [scapy.read(type(p), bytes.fromhex(frame)) for p, frame in zip(sent, hexes)], hexes)
for link, sent in by_link(BUILT):
    check_built(link, sent)
# Some are made by checks of their own, one by the RFC's bytes (tests/unit/layers/icmp_extensions.cpp): Scapy's has other
# lengths than RFC 5837. Random numbers of SCTP (tests/unit/layers/sctp.cpp) are drawn by Scapy where there are none.
by_rfc = {"ICMPExtensionInterfaceInformation", "SCTPChunkParamRandom"}
elsewhere = "".join(Path(__file__).with_name(f"check_{name}.py").read_text() for name in ("scapy_services", "fragments"))
for layer in layers_of_sonde():
    generated = layer in made | by_rfc or re.search(rf"\b{layer}\b", elsewhere)
    checks.equal("layers generated", layer, layer if generated else "in no line of scapy_packets.py", layer)
checks.finish(f"seed {seed}")
