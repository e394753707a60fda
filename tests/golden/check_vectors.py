"""Packets that Scapy built: the same bytes from the same expression, the same fields from the same bytes."""

from golden import *

# Where Scapy's own reading is not followed.
OTHERWISE = {
    "v0123": "Scapy reads an ihl of 4 as options of -4 octets; they are the payload",
    "v0373": "Scapy has no layer for this type; sonde's is ICMPv6Unknown",
    "v0541": "Scapy cuts the payload of a UDP length under 8 by Python's rule for negative indices",
}

checks, left_out = Checks(), 0
by_link = {}
for vector in json_lines(conformance("vectors.jsonl")):
    names = {l["layer"] for l in vector["layers"]} | {l["layer"] for l in vector.get("full", [])}
    if not names <= LAYERS or "hex" not in vector:
        left_out += 1
        continue
    by_link.setdefault(vector["link"], []).append(vector)

for link, vectors in by_link.items():
    lines = tool(["build", "--json"], [expression(v["layers"]) for v in vectors])
    for vector, line in zip(vectors, lines):
        checks.equal("built", f"{vector['id']} {vector['desc']}\n   {expression(vector['layers'])}", built(line),
                     vector["hex"])
    lines = tool(["dissect", "--json", "--link", link], [v["hex"] for v in vectors])
    for vector, line in zip(vectors, lines):
        if "full" in vector and vector["id"] not in OTHERWISE:
            checks.equal("dissected", f"{vector['id']} {vector['desc']}", json.loads(line)["layers"],
                         as_sonde(vector["full"]))
    rebuild(checks, link, [v["hex"] for v in vectors], "rebuilt")
checks.finish(f"{left_out} of other layers", f"{len(OTHERWISE)} known to differ")
