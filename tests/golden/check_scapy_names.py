"""Names of numbers that the installed Scapy knows: each is read as the number, and shown where the number stands."""

import re

from golden import *
from scapy_parts import DNS, DNSQR, DNSRR, IP, UDP, raw
from scapy.data import IP_PROTOS
from scapy.layers.dns import dnsqtypes, dnstypes


def names(table):
    return {number: table[number] for number in (table.d if hasattr(table, "d") else table)}


def message(**sections):
    return IP(src="192.0.2.1", dst="192.0.2.2") / UDP() / DNS(**{"qd": None, **sections})


# The layer and its field, the names, the largest number, and a packet with such a number.
TABLES = [
    ("DNSQR", "qtype", names(dnsqtypes), 65535, lambda n: message(qd=DNSQR(qname="a.", qtype=n))),
    # Scapy reads the data of these types as layers of their own.
    ("DNSRR", "type", {n: t for n, t in names(dnstypes).items() if n not in (15, 6, 33, 41, 43, 46, 47, 48, 50, 51, 250, 32769)},
     65535, lambda n: message(qd=DNSQR(qname="a."), an=DNSRR(rrname="a.", type=n, rdata={1: "192.0.2.3", 28: "2001:db8::"}.get(n, "b.")))),
    ("IP", "proto", names(IP_PROTOS), 255, lambda n: IP(src="192.0.2.1", dst="192.0.2.2", proto=n)),
]
checks = Checks()
for layer, field, known, largest, packet in TABLES:
    numbers = [n for n in known if n <= largest]  # netbase has an IP protocol 262
    lines = [f"{layer}({field}={known[n]!r})" for n in numbers] + [f"{layer}({field}={n})" for n in numbers]
    made = tool(["build", "--json"], lines)
    for n, line, by_name, by_number in zip(numbers, lines, made, made[len(numbers):]):
        checks.equal("names", line, built(by_name), built(by_number))
    numbers += [n for n in range(300) if n <= largest and n not in known and n not in (6, 15, 33, 41, 43, 46, 47, 48, 50, 51, 250)]
    frames = [raw(packet(n)).hex() for n in numbers]
    for n, frame, shown in zip(numbers, frames, blocks(["dissect", "--link", "ipv4"], frames)):
        of_field = re.compile(rf"^ *\|?{field} *= .*$", re.M)
        checks.equal("shown", f"{layer}({field}={n})", of_field.findall(shown),
                     of_field.findall(IP(bytes.fromhex(frame)).show(dump=True)))
checks.finish()
