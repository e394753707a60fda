"""Damaged and odd frames: nothing crashes, no layer lies past the end, and every frame prints as an expression that
builds the same bytes, through the command. tests/fuzz/damaged_frames.cpp cuts them at every octet."""

import struct

from golden import *

LINKS = {0: "null", 1: "ether", 113: "sll", 228: "ipv4", 229: "ipv6", 276: "sll2", 101: "ipv4"}


def frames_of_pcap(path):
    """Classic pcap only: (link, bytes) of each record."""
    data = open(path, "rb").read()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}
    if data[:4] not in order:
        return
    o, at = order[data[:4]], 24
    link = LINKS.get(struct.unpack(o + "I", data[20:24])[0] & 0xffff)
    while link and at + 16 <= len(data):
        size = struct.unpack(o + "I", data[at + 8:at + 12])[0]
        yield link, data[at + 16:at + 16 + size]
        at += 16 + size


def size_of(layers):
    """Bytes that the layers of a JSON line say they have at most: payload layers tell exactly."""
    return sum(len(l["fields"].get("load", {}).get("hex", "")) // 2 for l in layers)


checks, by_link = Checks(), {}
for line in open(conformance("malformed.tsv")):
    _, link, _, _, _, _, frame = line.rstrip("\n").split("\t")
    by_link.setdefault(link, []).append(frame)
pcaps = conformance("pcaps")
for name in sorted(os.listdir(pcaps)):
    for number, (link, frame) in enumerate(frames_of_pcap(os.path.join(pcaps, name))):
        if number < 12 and len(frame) < 20000:
            by_link.setdefault(link, []).append(frame.hex())

for link, frames in by_link.items():
    frames = [f for f in dict.fromkeys(frames) if f]
    rebuild(checks, link, frames, "rebuilt")
    for frame, line in zip(frames, tool(["dissect", "--json", "--link", link], frames, want_status=0)):
        layers = json.loads(line)["layers"]
        checks.equal("within the frame", frame, size_of(layers) <= len(frame) // 2, True)
    tool(["dissect", "--summary", "--link", link], frames, want_status=0)
checks.finish()
