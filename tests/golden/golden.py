"""What the golden checks share: running the text commands, and Scapy's spelling of values.

Environment: SONDE_GOLDEN_TOOL, the sonde command;
SONDE_CONFORMANCE, the directory of vectors made by other programs. A check without its data ends with SKIPPED.
"""

import json
import os
import subprocess
import sys

SKIPPED = 77

# The layers that are checked; vectors and frames with others are counted and left out.
LAYERS = {
    "Ether", "Dot1Q", "ARP", "IP", "IPv6", "ICMP", "TCP", "UDP", "Raw", "Padding",
    "IPerror", "IPerror6", "TCPerror", "UDPerror", "ICMPerror",
    "ICMPv6DestUnreach", "ICMPv6PacketTooBig", "ICMPv6TimeExceeded", "ICMPv6ParamProblem",
    "ICMPv6EchoRequest", "ICMPv6EchoReply", "ICMPv6ND_NS", "ICMPv6ND_NA",
    "ICMPv6NDOptSrcLLAddr", "ICMPv6NDOptDstLLAddr", "ICMPv6NDOptPrefixInfo", "ICMPv6NDOptRedirectedHdr",
    "ICMPv6NDOptMTU", "ICMPv6NDOptAdvInterval", "ICMPv6NDOptHAInfo", "ICMPv6NDOptRouteInfo", "ICMPv6NDOptRDNSS",
    "ICMPv6NDOptDNSSL", "ICMPv6ND_RS", "ICMPv6ND_RA", "ICMPv6ND_Redirect", "ICMPv6Unknown",
    "ICMPv6MLQuery", "ICMPv6MLReport", "ICMPv6MLDone", "ICMPv6MLQuery2", "ICMPv6MLReport2",
    "SCTP", "SCTPChunkData", "SCTPChunkInit", "SCTPChunkInitAck", "SCTPChunkSACK", "SCTPChunkHeartbeatReq", "SCTPChunkHeartbeatAck", "SCTPChunkAbort", "SCTPChunkShutdown", "SCTPChunkShutdownAck", "SCTPChunkError", "SCTPChunkCookieEcho", "SCTPChunkCookieAck", "SCTPChunkShutdownComplete", "SCTPChunkParamHeartbeatInfo", "SCTPChunkParamIPv4Addr", "SCTPChunkParamIPv6Addr", "SCTPChunkParamStateCookie", "SCTPChunkParamUnrocognizedParam", "SCTPChunkParamCookiePreservative", "SCTPChunkParamHostname", "SCTPChunkParamSupportedAddrTypes", "SCTPChunkParamRandom", "SCTPChunkParamChunkList", "SCTPChunkParamRequestedHMACFunctions", "SCTPChunkParamSupportedExtensions", "SCTPChunkParamECNCapable", "SCTPChunkParamFwdTSN", "SCTPChunkParamAdaptationLayer",
    "NTP", "NTPHeader", "IGMP", "Dot1AD", "Dot3", "LLC", "SNAP", "GRE", "VXLAN", "BOOTP", "DHCP", "DNS", "DNSQR", "DNSRR", "DNSRRMX", "DNSRRSOA", "DNSRRSRV", "DNSRROPT", "EDNS0TLV",
    "IGMPv3", "IGMPv3mq", "IGMPv3mr", "IGMPv3gr", "IGMPv3mra", "NTPAuthenticator",
    "SNMP", "SNMPget", "SNMPnext", "SNMPresponse", "SNMPset", "SNMPtrapv1", "SNMPbulk", "SNMPinform", "SNMPtrapv2", "SNMPvarbind",
    "NBNSHeader", "NBNSQueryRequest", "NBNSQueryResponse", "NBNS_ADD_ENTRY", "NBNSNodeStatusRequest", "NBNSNodeStatusResponse", "NBNSNodeStatusResponseService",
    "IPv6ExtHdrHopByHop", "IPv6ExtHdrDestOpt", "IPv6ExtHdrRouting", "IPv6ExtHdrSegmentRouting", "IPv6ExtHdrFragment",
}

FLAGS = {"VXLAN": ["OAM", "R", "NextProtocol", "Instance", "V1", "V2", "R", "G"], "BOOTP": "?" * 15 + "B", "IP": ["MF", "DF", "evil"], "IPerror": ["MF", "DF", "evil"], "TCP": "FSRPAUECN", "TCPerror": "FSRPAUECN"}


def skip(why):
    print("skipped:", why)
    sys.exit(SKIPPED)


def conformance(name):
    directory = os.environ.get("SONDE_CONFORMANCE", "")
    path = os.path.join(directory, name)
    if not directory or not os.path.exists(path):
        skip(f"no conformance data ({name}); SONDE_CONFORMANCE names its directory")
    return path


def json_lines(path):
    with open(path) as lines:
        return [json.loads(line) for line in lines]


def tool(arguments, lines, want_status=None):
    """One output line for each input line; none of them may be blank."""
    done = subprocess.run([os.environ["SONDE_GOLDEN_TOOL"], *arguments], input="".join(l + "\n" for l in lines),
                          capture_output=True, text=True, timeout=280, errors="surrogateescape")
    out = done.stdout.splitlines()
    for line in out:
        if any(not " " <= c <= "~" for c in line):
            sys.exit(f"{arguments}: unprintable output {line!r}")
    if len(out) != len(lines) or done.returncode not in ((0, 1) if want_status is None else (want_status,)):
        sys.exit(f"{arguments}: {len(lines)} lines in, {len(out)} out, status {done.returncode}\n{done.stderr[-3000:]}")
    return out


def blocks(arguments, lines):
    """Several output lines for each input line, with a blank line behind them."""
    done = subprocess.run([os.environ["SONDE_GOLDEN_TOOL"], *arguments], input="".join(l + "\n" for l in lines),
                          capture_output=True, text=True, timeout=280)
    found = done.stdout.split("\n\n")[:-1]
    if len(found) != len(lines) or done.returncode != 0:
        sys.exit(f"{arguments}: {len(lines)} lines in, {len(found)} blocks out, status {done.returncode}\n{done.stderr}")
    return found


def layers_of_sonde():
    """The names of the layers that sonde knows."""
    done = subprocess.run([os.environ["SONDE_GOLDEN_TOOL"], "layers"], capture_output=True, text=True, timeout=60, check=True)
    return [line.split()[0] for line in done.stdout.splitlines()]


def built(line):
    """The one packet of an output line of build, or the error as text."""
    value = json.loads(line)
    return value[0] if isinstance(value, list) and len(value) == 1 else str(value)


def python(value):
    """A vector's value as expressions write it."""
    if isinstance(value, dict) and "hex" in value:
        return repr(bytes.fromhex(value["hex"]))
    if isinstance(value, dict):
        return layer_expression(value)
    if isinstance(value, list):
        return "[" + ", ".join(python(v) for v in value) + "]"
    return repr(value)


def options(value, layer):
    """[["MSS", 1460], …] as a list of pairs; layers stay layers."""
    def pair(entry):
        if isinstance(entry, (dict, str)):
            return python(entry)
        name, *rest = entry
        if len(rest) > 1 or isinstance(rest[0], list) and layer == "DHCP":
            return f"({python(name)}, {', '.join(python(v) for v in rest)})"
        data = rest[0]
        data = tuple(data) if isinstance(data, list) else data
        return f"({python(name)}, {repr(data) if isinstance(data, tuple) else python(data)})"
    return "[" + ", ".join(pair(v) for v in value) + "]"


def layer_expression(layer):
    fields = []
    for name, value in layer["fields"].items():
        text = options(value, layer["layer"]) if name == "options" and isinstance(value, list) else python(value)
        fields.append(f"{name}={text}")
    return f"{layer['layer']}({', '.join(fields)})"


def expression(layers):
    return "/".join(layer_expression(l) for l in layers)


def flags_text(layer, number):
    names = FLAGS[layer]
    joint = "+" if isinstance(names, list) else ""
    return joint.join(n for i, n in enumerate(names) if number >> i & 1)


def is_domain_name(layer, key, fields):
    if layer == "DNSRR" and key == "rdata":
        return fields["type"] in (2, 3, 4, 5, 12)
    return key in ("qname", "rrname", "exchange", "mname", "rname", "target")


def domain_name(value):
    """Scapy's bytes of a name as text with escapes (RFC 1035, section 5.1)."""
    raw = bytes.fromhex(value["hex"]) or b"."  # the root inside record data
    return "".join(chr(b) if 0x20 < b < 0x7f and b != 0x5c else f"\\{b:03}" for b in raw)


def as_sonde(layers):
    """Scapy's fields as sonde's JSON has them."""
    result = []
    for layer in layers:
        name, fields = layer["layer"], dict(layer["fields"])
        for key, value in fields.items():
            if isinstance(value, dict) and "hex" in value and is_domain_name(name, key, fields):
                value = domain_name(value)
            if name == "DNSRR" and key == "rdata" and fields["type"] == 16:
                value = value or []
            if name == "DNS" and key in ("qd", "an", "ns", "ar"):
                value = as_sonde(value or [])
            if key == "flags" and isinstance(value, int) and name in FLAGS:
                value = flags_text(name, value)
            if key == "options":
                if isinstance(value, dict) and name != "BOOTP":
                    value = []
            if isinstance(value, list):
                value = [v[0] if isinstance(v, list) and len(v) == 1 and isinstance(v[0], dict) else v for v in value]
            if key == "unused" and value is None:
                value = {"hex": ""}
            fields[key] = value
        result.append({"layer": name, "fields": fields})
    return result


class Checks:
    """Counts, and tells the first failures of each kind."""

    def __init__(self):
        self.done, self.failed, self.told = {}, 0, {}

    def equal(self, what, case, got, want):
        self.done[what] = self.done.get(what, 0) + 1
        if got != want:
            self.failed += 1
            self.told[what] = self.told.get(what, 0) + 1
            if self.told[what] <= 10:
                if isinstance(got, list) and isinstance(want, list) and len(got) == len(want):
                    got, want = zip(*([(g, w) for g, w in zip(got, want) if g != w]))
                at = max(0, len(os.path.commonprefix([str(got), str(want)])) - 200)
                print(f"{what}: {case}\n   got  {str(got)[at:][:1200]}\n   want {str(want)[at:][:1200]}")

    def finish(self, *notes):
        print(", ".join([f"{n} {what}" for what, n in self.done.items()] + list(notes) + [f"{self.failed} failed"]))
        if not self.done or min(self.done.values()) == 0:
            sys.exit("nothing was checked")
        sys.exit(1 if self.failed else 0)


def rebuild(checks, link, frames, what):
    """dissect --command, then build: the same bytes for every frame."""
    commands = tool(["dissect", "--command", "--link", link], [f for f in frames if f])
    frames = [f for f in frames if f]
    for frame, command, line in zip(frames, commands, tool(["build", "--json"], commands)):
        checks.equal(what, f"{frame}\n   {command}", built(line), frame)
