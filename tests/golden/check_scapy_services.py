"""IGMPv3, SNMP, NetBIOS names and authenticated NTP as the installed Scapy makes them up now: equal bytes, equal
fields, equal commands, summaries and show()."""

import random
import re

from golden import *

try:
    import logging
    logging.getLogger("scapy").setLevel(logging.CRITICAL)
    from scapy.all import IP, UDP, conf, raw
    from scapy.asn1.asn1 import (ASN1_COUNTER32, ASN1_GAUGE32, ASN1_INTEGER, ASN1_IPADDRESS, ASN1_NULL, ASN1_OID,
                                 ASN1_STRING, ASN1_TIME_TICKS, ASN1_Object)
    from scapy.contrib.igmp import IGMP
    from scapy.contrib.igmpv3 import IGMPv3, IGMPv3gr, IGMPv3mq, IGMPv3mr, IGMPv3mra
    from scapy.layers.dhcp import BOOTP
    from scapy.layers.dns import DNS, DNSQR
    from scapy.layers.netbios import *
    from scapy.layers.ntp import NTPAuthenticator, NTPHeader
    from scapy.layers.snmp import *
    from scapy.layers.vxlan import VXLAN
    from scapy.packet import Packet
    from scapy.themes import NoTheme
except ImportError as missing:
    skip(f"Scapy is not installed for {sys.executable} ({missing})")

conf.color_theme = NoTheme()
seed = int(os.environ.get("SONDE_SEED", "20"))
rnd = random.Random(seed)
COUNT = 400


def octet(): return rnd.choice([0, 1, 127, 128, 255, rnd.randrange(256)])
def short(): return rnd.choice([0, 1, 255, 256, 65535, rnd.randrange(65536)])
def word(): return rnd.choice([0, 1, 2**31, 2**32 - 1, rnd.randrange(2**32)])
def ip4(): return ".".join(str(rnd.randrange(256)) for _ in range(4))
def some(fields): return {k: v for k, v in fields.items() if rnd.random() < 0.6}
def several(make, most): return [make() for _ in range(rnd.randrange(most + 1))]


def igmp():
    record = lambda: IGMPv3gr(**some({"rtype": rnd.randrange(1, 7), "maddr": ip4(), "srcaddrs": several(ip4, 3)}))
    return IP(src=ip4(), dst=ip4()) / rnd.choice([
        lambda: IGMP(type=rnd.choice([0x11, 0x12, 0x16, 0x17]), mrcode=octet(), gaddr=ip4()),
        lambda: IGMPv3(**some({"mrcode": octet()})) / IGMPv3mq(**some({"gaddr": ip4(), "s": 1, "qrv": rnd.randrange(8), "resv": 15,
                                                                      "qqic": octet(), "srcaddrs": several(ip4, 4)})),
        lambda: IGMPv3() / IGMPv3mr(**some({"res2": short(), "records": several(record, 3)})),
        lambda: IGMPv3() / IGMPv3mra(qryIntvl=short(), robust=short()), lambda: IGMPv3(type=0x31), lambda: IGMPv3(type=0x32, chksum=short())])()


def oid(): return "1.3.6.1." + ".".join(str(rnd.choice([0, 1, 127, 128, 16383, 16384, 2**32 - 1])) for _ in range(rnd.randrange(1, 9)))


def number():
    """Without those that Scapy encodes longer than X.690 has them, whose first octet is 0x80: -2^7, -2^31 + 1 and the like."""
    return rnd.choice([0, 1, 127, 128, 255, 256, 32767, 32768, 2**31 - 1, -1, -127, -129, -300, -2**30, rnd.randrange(2**31)])


def value():
    return rnd.choice([
        lambda: ASN1_INTEGER(number()), lambda: ASN1_STRING(rnd.randbytes(rnd.choice([0, 1, 9, 127, 128, 300]))), lambda: ASN1_NULL(0),
        lambda: ASN1_OID(oid()), lambda: ASN1_IPADDRESS(ip4()), lambda: ASN1_COUNTER32(word()), lambda: ASN1_GAUGE32(word()),
        lambda: ASN1_TIME_TICKS(word())])()


def snmp():
    varbinds = several(lambda: SNMPvarbind(oid=oid(), value=value()), 4)
    error = some({"id": number(), "error": rnd.randrange(21), "error_index": rnd.randrange(300)})
    pdu = rnd.choice([
        lambda: SNMPget(varbindlist=varbinds, **error), lambda: SNMPnext(varbindlist=varbinds, **error),
        lambda: SNMPresponse(varbindlist=varbinds, **error), lambda: SNMPset(varbindlist=varbinds, **error),
        lambda: SNMPinform(varbindlist=varbinds, **error), lambda: SNMPtrapv2(varbindlist=varbinds, **error),
        lambda: SNMPbulk(varbindlist=varbinds, id=number(), non_repeaters=rnd.randrange(3), max_repetitions=number()),
        lambda: SNMPtrapv1(varbindlist=varbinds, enterprise=oid(), agent_addr=ip4(), generic_trap=rnd.randrange(8),
                           specific_trap=number(), time_stamp=word())])()
    ports = rnd.choice([{}, {"dport": 162}, {"sport": rnd.randrange(50000, 65536)}])
    return IP(src=ip4(), dst=ip4()) / UDP(**ports) / SNMP(PDU=pdu, **some({"version": rnd.randrange(3), "community": rnd.randbytes(rnd.choice([0, 6, 130]))}))


def name(): return rnd.choice([b"", b"A", b"WORKGROUP", b"FIFTEEN LETTERS", rnd.randbytes(15)])


def nbns():
    """With one address, as Scapy takes a second one for the payload of the first; its command() leaves out no entries at
    all, which stands for the default of one."""
    suffix = rnd.choice([0x4141, 0x4144, 0x4341, 0x4f50])
    entries = [NBNS_ADD_ENTRY(G=rnd.randrange(2), OWNER_NODE_TYPE=rnd.randrange(4), NB_ADDRESS=ip4())]
    service = lambda: NBNSNodeStatusResponseService(NETBIOS_NAME=b"%-15s" % name(), SUFFIX=octet(), NAME_FLAGS=octet())
    message = rnd.choice([
        lambda: NBNSQueryRequest(QUESTION_NAME=name(), SUFFIX=suffix), lambda: NBNSQueryResponse(RR_NAME=name(), TTL=word(), ADDR_ENTRY=entries),
        lambda: NBNSNodeStatusRequest(), lambda: NBNSNodeStatusResponse(RR_NAME=name(), NODE_NAME=[service(), *several(service, 2)], MAC_ADDRESS="02:00:00:00:00:01",
                                                                       STATISTICS=rnd.randbytes(46))])()
    return IP(src=ip4(), dst=ip4()) / UDP(**some({"sport": rnd.randrange(50000, 65536)})) / NBNSHeader(NAME_TRN_ID=short(), RCODE=rnd.randrange(2)) / message


def value_of(value):
    """A field of a dissected packet, as sonde's JSON has it."""
    if isinstance(value, ASN1_NULL):
        return None
    if isinstance(value, ASN1_Object):
        return value_of(value.val)
    if isinstance(value, Packet):
        return layer_of(value)
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, list):
        return [value_of(v) for v in value]
    return str(value) if type(value).__name__ == "FlagValue" else value


def layer_of(packet):
    return {"layer": type(packet).__name__, "fields": {f.name: value_of(packet.getfieldval(f.name)) for f in packet.fields_desc}}


def services(packet):
    """The layers above IP and UDP."""
    layers = []
    while packet and type(packet).__name__ != "NoPayload":
        layers.append(layer_of(packet))
        packet = packet.payload
    return [l for l in layers if l["layer"] not in ("IP", "UDP")]


def shown(text):
    """Without what sonde shows in its own way: bytes that are names, and the point before an object identifier."""
    own = ("QUESTION_NAME", "RR_NAME", "NETBIOS_NAME", "STATISTICS")
    lines = [line.rstrip().replace("<ASN1_OID['.", "<ASN1_OID['") for line in text.splitlines()]
    return [line for line in lines if not any(f" {name}=" in line or f" {name} " in line for name in own)]


checks = Checks()
made = [(make.__name__, make()) for make in (igmp, snmp, nbns) for _ in range(COUNT)]
packets = [p for _, p in made]
hexes = [raw(p).hex() for p in packets]
again = [IP(bytes.fromhex(h)) for h in hexes]
for p, frame, line in zip(packets, hexes, tool(["build", "--json"], [p.command() for p in packets])):
    checks.equal("built", p.command(), built(line), frame)
for q, frame, line in zip(again, hexes, tool(["dissect", "--json", "--link", "ipv4"], hexes, want_status=0)):
    got = [l for l in json.loads(line)["layers"] if l["layer"] not in ("IP", "UDP")]
    checks.equal("dissected", f"{frame}\n   {q.command()}", got, services(q))
for q, line in zip(again, tool(["dissect", "--command", "--link", "ipv4"], hexes, want_status=0)):
    spellings = [re.sub(r", \w+=b''", "", text) for text in (line, q.command())]
    checks.equal("spelled", q.command(), *spellings)
for (make, p), q, line in zip(made, again, tool(["dissect", "--summary", "--link", "ipv4"], hexes, want_status=0)):
    if make != "nbns" or all(0x20 < c < 0x7f for c in getattr(p.lastlayer(), "QUESTION_NAME", b"") + getattr(p.lastlayer(), "RR_NAME", b"")):
        checks.equal("summarised", q.command(), line, q.summary())
for q, text in zip(again, blocks(["dissect", "--link", "ipv4"], hexes)):
    checks.equal("shown", q.command(), shown(text.strip("\n")), shown(q.show(dump=True).strip("\n")))
rebuild(checks, "ipv4", hexes, "rebuilt")

# Scapy's NTP has the time of day as a default: bytes alone. It reads an MD5 digest right, longer ones not.
header = lambda: NTPHeader(orig=word(), sent=word(), stratum=rnd.randrange(2, 16))
signed = [raw(IP() / UDP() / header() / NTPAuthenticator(key_id=word(), dgst=rnd.randbytes(16))).hex() for _ in range(50)]
for frame, line in zip(signed, tool(["dissect", "--json", "--link", "ipv4"], signed, want_status=0)):
    want = IP(bytes.fromhex(frame))[NTPAuthenticator]
    checks.equal("authenticated", frame, json.loads(line)["layers"][-1]["fields"],
                 {"padding": {"hex": ""}, "key_id": want.key_id, "dgst": {"hex": want.dgst.hex()}})
rebuild(checks, "ipv4", signed, "rebuilt")

# The ports that a service is sent from and to when nobody says.
for service in ("BOOTP()", "VXLAN()", "DNS()", "SNMP()", "NBNSHeader()", "IGMPv3()/IGMPv3mq()"):
    text = f"IP(src='192.0.2.1')/UDP()/{service}" if "IGMP" not in service else f"IP(src='192.0.2.1')/{service}"
    checks.equal("defaults", text, built(tool(["build", "--json"], [text])[0]), raw(eval(text)).hex())
checks.finish(f"seed {seed}")
