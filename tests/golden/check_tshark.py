"""tshark's reading of the same frames: recorded with the conformance captures, and asked now where it is installed.

Of each layer that both have: where it begins, the fields that both name, and whether its checksum is right.
"""

import glob
import re
import shutil
import struct
import tempfile

from golden import *

# tshark's protocol: sonde's layers of that kind, and tshark's field -> how sonde's fields say the same.
FIELDS = {
    "eth": (["Ether"], {"eth.dst": "dst", "eth.src": "src", "eth.type": "type"}),
    "vlan": (["Dot1Q"], {"vlan.priority": "prio", "vlan.dei": "id", "vlan.id": "vlan", "vlan.etype": "type"}),
    "ieee8021ad": (["Dot1AD"], {"ieee8021ad.priority": "prio", "ieee8021ad.dei": "id", "ieee8021ad.id": "vlan"}),
    "arp": (["ARP"], {"arp.hw.type": "hwtype", "arp.proto.type": "ptype", "arp.hw.size": "hwlen", "arp.proto.size": "plen",
                      "arp.opcode": "op", "arp.src.hw_mac": "hwsrc", "arp.src.proto_ipv4": "psrc",
                      "arp.dst.hw_mac": "hwdst", "arp.dst.proto_ipv4": "pdst"}),
    "ip": (["IP"], {"ip.version": "version", "ip.hdr_len": lambda f: 4 * f["ihl"], "ip.dsfield": "tos", "ip.len": "len",
                    "ip.id": "id", "ip.flags.df": lambda f: "DF" in f["flags"], "ip.flags.mf": lambda f: "MF" in f["flags"],
                    "ip.flags.rb": lambda f: "evil" in f["flags"], "ip.frag_offset": "frag", "ip.ttl": "ttl",
                    "ip.proto": "proto", "ip.checksum": "chksum", "ip.src": "src", "ip.dst": "dst",
                    "ip.opt.type": lambda f: option_types(f["options"])}),
    "ipv6": (["IPv6"], {"ipv6.version": "version", "ipv6.tclass": "tc", "ipv6.flow": "fl", "ipv6.plen": "plen",
                        "ipv6.nxt": "nh", "ipv6.hlim": "hlim", "ipv6.src": "src", "ipv6.dst": "dst"}),
    "ipv6.hopopts": (["IPv6ExtHdrHopByHop"], {"ipv6.hopopts.nxt": "nh", "ipv6.hopopts.len": "len"}),
    "ipv6.dstopts": (["IPv6ExtHdrDestOpt"], {"ipv6.dstopts.nxt": "nh", "ipv6.dstopts.len": "len"}),
    "ipv6.routing": (["IPv6ExtHdrRouting", "IPv6ExtHdrSegmentRouting"],
                     {"ipv6.routing.nxt": "nh", "ipv6.routing.len": "len", "ipv6.routing.type": "type",
                      "ipv6.routing.segleft": "segleft"}),
    "ipv6.fraghdr": (["IPv6ExtHdrFragment"], {"ipv6.fraghdr.nxt": "nh", "ipv6.fraghdr.offset": "offset",
                                              "ipv6.fraghdr.more": "m", "ipv6.fraghdr.ident": "id"}),
    "tcp": (["TCP"], {"tcp.srcport": "sport", "tcp.dstport": "dport", "tcp.seq": "seq", "tcp.ack": "ack",
                      "tcp.seq_raw": "seq", "tcp.ack_raw": "ack", "tcp.hdr_len": lambda f: 4 * f["dataofs"],
                      "tcp.flags": lambda f: sum(1 << "FSRPAUECN".index(c) for c in f["flags"]) | f["reserved"] << 9,
                      "tcp.window_size_value": "window", "tcp.checksum": "chksum", "tcp.urgent_pointer": "urgptr",
                      "tcp.option_kind": lambda f: tcp_kinds(f["options"]),
                      "tcp.options.mss_val": lambda f: tcp_values(f["options"], "MSS"),
                      "tcp.options.wscale.shift": lambda f: tcp_values(f["options"], "WScale"),
                      "tcp.options.timestamp.tsval": lambda f: [v[0] for v in tcp_values(f["options"], "Timestamp")],
                      "tcp.options.timestamp.tsecr": lambda f: [v[1] for v in tcp_values(f["options"], "Timestamp")]}),
    "udp": (["UDP"], {"udp.srcport": "sport", "udp.dstport": "dport", "udp.length": "len", "udp.checksum": "chksum"}),
    "icmp": (["ICMP"], {"icmp.type": "type", "icmp.code": "code", "icmp.checksum": "chksum", "icmp.ident": "id",
                        "icmp.seq": "seq"}),
    "icmpv6": (["ICMPv6"], {"icmpv6.type": "type", "icmpv6.code": "code", "icmpv6.checksum": "cksum",
                            "icmpv6.echo.identifier": "id", "icmpv6.echo.sequence_number": "seq",
                            "icmpv6.nd.ns.target_address": "tgt", "icmpv6.nd.na.target_address": "tgt",
                            "icmpv6.nd.rd.target_address": "tgt", "icmpv6.nd.ra.cur_hop_limit": "chlim",
                            "icmpv6.nd.ra.router_lifetime": "routerlifetime", "icmpv6.nd.ra.flag.m": "M",
                            "icmpv6.nd.ra.flag.o": "O", "icmpv6.nd.na.flag.r": "R", "icmpv6.nd.na.flag.s": "S",
                            "icmpv6.nd.na.flag.o": "O", "icmpv6.pointer": "ptr"}),
    "igmp": (["IGMP"], {"igmp.type": "type", "igmp.checksum": "chksum", "igmp.maddr": lambda f: [f["gaddr"]]}),
    "gre": (["GRE"], {"gre.proto": "proto"}),
    "vxlan": (["VXLAN"], {"vxlan.vni": "vni"}),
    "sll": (["CookedLinux"], {"sll.pkttype": "pkttype", "sll.hatype": "lladdrtype", "sll.halen": "lladdrlen",
                              "sll.etype": "proto"}),
    "sctp": (["SCTP"], {"sctp.srcport": "sport", "sctp.dstport": "dport", "sctp.verification_tag": "tag",
                        "sctp.checksum": "chksum"}),
    "ntp": (["NTPHeader"], {"ntp.stratum": "stratum", "ntp.ppoll": "poll", "ntp.precision": "precision"}),
    "dhcp": (["BOOTP"], {"dhcp.type": "op", "dhcp.hw.type": "htype", "dhcp.hw.len": "hlen", "dhcp.hops": "hops",
                         "dhcp.id": "xid", "dhcp.secs": "secs", "dhcp.ip.client": "ciaddr", "dhcp.ip.your": "yiaddr",
                         "dhcp.ip.server": "siaddr", "dhcp.ip.relay": "giaddr"}),
    "dns": (["DNS"], {"dns.id": "id", "dns.count.queries": "qdcount", "dns.count.answers": "ancount",
                      "dns.count.auth_rr": "nscount", "dns.count.add_rr": "arcount",
                      "dns.qry.name": lambda f: [r["fields"]["qname"].rstrip(".") or "<Root>" for r in f["qd"]],
                      "dns.qry.type": lambda f: [r["fields"]["qtype"] for r in f["qd"]],
                      "dns.resp.type": lambda f: [r["fields"]["type"] for s in ("an", "ns", "ar") for r in f[s]]}),
}
FIELDS["llmnr"] = FIELDS["mdns"] = FIELDS["dns"]

# Where the checksum lies in its layer, and how long it is.
CHECKSUMS = {"ip": (10, 2), "tcp": (16, 2), "udp": (6, 2), "icmp": (2, 2), "icmpv6": (2, 2), "igmp": (2, 2), "sctp": (8, 4)}
BAD, GOOD = 0, 1

TCP_KINDS = {"EOL": 0, "NOP": 1, "MSS": 2, "WScale": 3, "SAckOK": 4, "SAck": 5, "Timestamp": 8, "AltChkSum": 14,
             "AltChkSumOpt": 15, "MD5": 19, "Mood": 25, "UTO": 28, "AO": 29, "TFO": 34}


def tcp_kinds(options):
    return [TCP_KINDS.get(o[0], o[0]) for o in options if isinstance(o, list)]


def tcp_values(options, name):
    return [o[1] for o in options if isinstance(o, list) and o[0] == name]


def option_types(options):
    fields = [o["fields"] for o in options if "fields" in o]
    return [f["copy_flag"] << 7 | f["optclass"] << 5 | f["option"] for f in fields]


def sizes(layers):
    """Bytes of each header, as far as they follow from its fields; the others end the walk."""
    known = {"Ether": 14, "Dot1Q": 4, "Dot1AD": 4, "IPv6": 40, "UDP": 8, "CookedLinux": 16, "CookedLinuxV2": 20, "Loopback": 4,
             "VXLAN": 8, "IPv6ExtHdrFragment": 8, "MPLS": 4}
    for layer in layers:
        name, f = layer["layer"], layer["fields"]
        if name == "IP":
            yield 4 * f["ihl"]
        elif name == "TCP":
            yield 4 * f.get("dataofs", 5)
        elif name.startswith("IPv6ExtHdr") and name != "IPv6ExtHdrFragment":
            yield 8 + 8 * f["len"]
        else:
            yield known.get(name)


def offsets(layers):
    at = 0
    for size in sizes(layers):
        yield at
        at = None if at is None or size is None else at + size


def is_same(layer, kinds):
    return any(layer["layer"] == kind or kind == "ICMPv6" and layer["layer"].startswith(kind) and
               not layer["layer"].startswith("ICMPv6NDOpt") for kind in kinds)


def said(fields, how):
    try:
        value = how(fields) if callable(how) else fields[how]
    except (KeyError, TypeError, ValueError, IndexError):  # a header that is cut short has no such field
        return None
    return int(value) if isinstance(value, bool) else value


def check_layers(checks, case, layers, theirs):
    """Each of tshark's layers against the next of sonde's of its kind. Those that both have."""
    places, next_one, both = list(offsets(layers)), 0, []
    for their in theirs:
        kinds, fields = FIELDS.get(their["p"], ([], {}))
        found = next((i for i in range(next_one, len(layers)) if is_same(layers[i], kinds)), None)
        if found is None:
            continue
        next_one = found + 1
        both.append(their)
        if places[found] is not None:
            checks.equal("offsets", f"{case} {their['p']}", places[found], their["off"])
        for name, how in fields.items():
            if name in their and (ours := said(layers[found]["fields"], how)) is not None:
                checks.equal("fields", f"{case} {name}", ours, their[name])
    return both


def without_checksums(command):
    return re.sub(r"\b(chksum|cksum)=\d+(, )?", "", command)


def check_checksums(checks, case, frame, rebuilt, theirs):
    """tshark's verdict, and whether sonde would have computed the same."""
    for their in theirs:
        place, status = CHECKSUMS.get(their["p"]), their.get(f"{their['p']}.checksum.status")
        if not place or status not in (BAD, GOOD):
            continue
        at = their["off"] + place[0]
        same = frame[at:at + place[1]] == rebuilt[at:at + place[1]]
        if not (their["p"] == "udp" and frame[at:at + 2] == b"\0\0"):
            checks.equal("checksums", f"{case} {their['p']}", same, status == GOOD)


def dissect_file(path, style):
    done = subprocess.run([os.environ["SONDE_GOLDEN_TOOL"], "dissect", style, "-r", path], capture_output=True, text=True,
                          timeout=280)
    return done.stdout.splitlines()


def recorded(checks):
    """The captures of the conformance data."""
    whole = []
    for path in sorted(glob.glob(conformance("pcaps") + "/*.pcap*")):
        name = os.path.basename(path)
        expected = json_lines(conformance(f"expect/{name}.jsonl"))
        lines = [json.loads(l) for l in dissect_file(path, "--json")]
        checks.equal("frames", name, len(lines), len(expected))
        for line, command, theirs in zip(lines, dissect_file(path, "--command"), expected):
            case = f"{name} {theirs['n']}"
            if "layers" in line:
                both = check_layers(checks, case, line["layers"], theirs["layers"])
                if theirs["len"] == theirs["caplen"]:
                    whole.append((case, command, both))
    commands = [command for _, command, _ in whole]
    rebuilt = tool(["build", "--json"], [without_checksums(c) for c in commands])
    for (case, _, both), frame, again in zip(whole, tool(["build", "--json"], commands), rebuilt):
        check_checksums(checks, case, bytes.fromhex(built(frame)), bytes.fromhex(built(again)), both)


def write_pcap(file, frames):
    file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
    for n, frame in enumerate(frames):
        file.write(struct.pack("<IIII", n, 0, len(frame), len(frame)) + frame)
    file.flush()


def is_told(ours, theirs):
    """A value of sonde's and what tshark prints for the first such field of a frame."""
    ours = ours[0] if isinstance(ours, list) else ours
    if isinstance(ours, int):
        return ours == (theirs == "True" if theirs in ("True", "False") else int(theirs, 0))
    return ours == theirs


# What tshark says in another sense there: IPv6 has an ip.version, padding of options is no option, and ip.dst is the last
# stop of a source route.
OTHERWISE = {"ip.version", "ip.opt.type"}


def asked_now(checks, rounds):
    """Frames that sonde builds of the expressions of scapy_packets.py, read by the tshark of this machine."""
    from scapy_packets import BUILT, PACKETS, packets
    import scapy_compare
    ethernet = "Ether(dst='02:00:00:00:00:01', src='02:00:00:00:00:02')/"
    texts = [("" if link == "ether" else ethernet) + p.command()
             for link, p in packets(PACKETS + BUILT, rounds) if link in ("ether", "ipv4", "ipv6")]
    frames = [bytes.fromhex(built(line)) for line in tool(["build", "--json"], texts)]
    names = sorted({name for _, fields in FIELDS.values() for name in fields})
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        write_pcap(file, frames)
        lines = [json.loads(l)["layers"] for l in dissect_file(file.name, "--json")]
        done = subprocess.run(["tshark", "-r", file.name, "-n", "-o", "tcp.relative_sequence_numbers:FALSE", "-o", "ip.defragment:FALSE",
                               "-T", "fields", "-E", "occurrence=f", "-E", "separator=/t",
                               *[word for n in names for word in ("-e", n)]],
                              capture_output=True, text=True, timeout=200)
    for text, layers, line in zip(texts, lines, done.stdout.splitlines()):
        theirs = dict(zip(names, line.split("\t")))
        for kinds, fields in FIELDS.values():
            layer = next((l for l in layers if is_same(l, kinds)), None)
            for name, how in fields.items() if layer else ():
                ours = said(layer["fields"], how)
                if theirs[name] and ours not in (None, []) and name not in OTHERWISE and not (name == "ip.dst" and "SRR(" in text):
                    checks.equal("fields of this machine's tshark", f"{text}\n   {name}",
                                 (ours, is_told(ours, theirs[name])), (ours, True if is_told(ours, theirs[name]) else theirs[name]))


if __name__ == "__main__":
    checks, notes = Checks(), []
    recorded(checks)
    if shutil.which("tshark"):
        asked_now(checks, 2)
    else:
        notes.append("no tshark here")
    checks.finish(*notes)
