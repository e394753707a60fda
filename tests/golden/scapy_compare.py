"""What Scapy says of a packet, in the spelling of sonde's text commands."""

import re
from decimal import Decimal

from golden import as_sonde
from scapy_packets import FixedPointField, ICMPv6NDOptRedirectedHdr, Packet, raw


def read(cls, frame):
    """A frame as Scapy dissects it; a packet inside an option stays bytes."""
    packet = cls(frame)
    if ICMPv6NDOptRedirectedHdr in packet:
        option = packet[ICMPv6NDOptRedirectedHdr]
        option.setfieldval("pkt", raw(option.pkt))
    return packet


def value_of(value):
    """A field of a dissected packet, as sonde's JSON has it."""
    if isinstance(value, (bytes, bytearray)):
        return {"hex": bytes(value).hex()}
    if isinstance(value, Packet):
        return layer_of(value)
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else str(value)
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
        if isinstance(f, FixedPointField):
            value = f.i2h(packet, value)
        conditional = hasattr(f, "cond") and not f.cond(packet)
        if type(packet).__name__ == "DNS" and isinstance(value, Packet):
            value = links(value)
        if not conditional:
            fields[f.name] = str(value) if type(value).__name__ == "FlagValue" else value_of(value)
    return {"layer": type(packet).__name__, "fields": fields}


def layers_of(packet):
    layers = []
    while packet and type(packet).__name__ != "NoPayload":
        layers.append(layer_of(packet))
        packet = packet.payload
    return as_sonde(layers)


def summary(text):
    """Scapy has no name for the root of the DNS but emptiness, and none for the mode of NTP."""
    return re.sub(r"/ NTP v.*", "/ NTP", text.replace("b'.'", "b''"))


def command(text):
    """Scapy leaves out a last field that is empty, and has no name for the root of the DNS but emptiness."""
    return re.sub(r", (?!rdata)\w+=b''|, rdata=(b''|\[\])", "", text.replace("=b'.'", "=b''"))


OWN = {"ts_ori", "ts_rx", "ts_tx", "ref", "orig", "recv", "sent", "ref_id"}


def aligned(line):
    """Scapy takes some records of the DNS for the payload of others, and indents those more and more. It knows whose an OUI
    is, if this machine has a list."""
    line = re.sub(r"(OUI +=) .*\((.*)\)", r"\1 \2", line)
    return re.sub(r"\|(?:   )+(  \S)", r"|\1", re.sub(r"\|(?:   )+\|", "|   |", line.rstrip()))


def shown(text):
    """Without what sonde shows in its own way: times as numbers, and bytes that are no text (Scapy decodes them as UTF-8
    and escapes the escapes); no options and the root of the DNS have two spellings."""
    kept = [aligned(line) for line in text.strip("\n").splitlines() if line.strip(" |").split()[:1] not in [[name] for name in OWN]]
    return [line.partition("=")[0] if "\\" in line.partition("=")[2] or not line.isascii() else
            line.replace("options   = ''", "options   = []").replace("= '.'", "= ''") for line in kept]
