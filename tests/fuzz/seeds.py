#!/usr/bin/env python3
"""Seeds for the fuzz targets, made by `sonde build` from expressions of our own: seeds.py SONDE DIRECTORY
writes DIRECTORY/TARGET/... How the kept corpus comes about, after a long run of run.sh:

    tests/fuzz/seeds.py build/release/sonde build/fuzz/seeds
    tests/fuzz/keep.sh                        # merges what the fuzzer found with these, and keeps few

With SONDE_CONFORMANCE the frames that lie there are seeds, too, for the run only: nothing of them is kept as it is.
"""

import gzip
import hashlib
import json
import os
import struct
import subprocess
import sys

DNS_RECORDS = ("an=[DNSRR(rrname='a.example.', type='A', rdata='192.0.2.1'), DNSRR(rrname='a.example.', type='AAAA', "
               "rdata='2001:db8::1'), DNSRR(rrname='b.', type='CNAME', rdata='a.example.'), DNSRRMX(rrname='c.', "
               "exchange='m.example.'), DNSRR(rrname='t.', type='TXT', rdata=[b'one', b'two'])], ns=[DNSRRSOA(rrname='.', "
               "mname='n.', rname='r.')], ar=[DNSRROPT(rclass=4096, rdata=[EDNS0TLV(optcode=3, optdata=b'id')]), "
               "DNSRRSRV(rrname='_s._tcp.', port=1, target='h.')]")

# Payloads by target: (row of the target's expressions, expression); a payload of bytes is b'...'.
FAMILIES = {
    "link": [(0, "Ether()/ARP()"), (1, "ARP(op=2)"), (1, "ARP(hwlen=8, plen=16)"), (2, "Dot1Q(vlan=5)/ARP()"),
             (3, "Dot1AD(vlan=7)/Dot1Q()/IP()/ICMP()"), (5, "LLC()/SNAP()/IP()/UDP()"), (6, "IP()/TCP()"), (7, "ARP()"),
             (0, "Dot3()/LLC(dsap=66, ssap=66)/b'stp'"), (0, "Ether()/IP()/UDP()/b'padding'")],
    "ip": [(0, "IP()/TCP()"), (1, "IPOption_RR(routers=['192.0.2.1'])"), (2, "IPOption_Timestamp()"),
           (1, "IPOption_LSRR(routers=['192.0.2.1','192.0.2.2'])/IPOption_NOP()"), (1, "IPOption_Router_Alert()"),
           (2, "IPOption_Traceroute()"), (1, "IPOption_Security()"), (3, "IP(options=[IPOption_MTU_Probe()])/UDP()"),
           (4, "IGMP()"), (5, "b'fragment'"), (6, "IPerror()/UDPerror()"), (7, "IPOption_SDBM(addresses=['192.0.2.1'])"),
           (0, "IP(ihl=15)/b'short'"), (0, "IP(len=20)/b'padding'")],
    "ipv6": [(0, "IPv6()/UDP()"), (1, "IPv6ExtHdrHopByHop(options=[RouterAlert()])/UDP()"),
             (2, "IPv6ExtHdrDestOpt(options=[HAO()])/TCP()"), (3, "IPv6ExtHdrRouting(addresses=['2001:db8::1'])/UDP()"),
             (3, "IPv6ExtHdrSegmentRouting(addresses=['2001:db8::1'])/UDP()"), (4, "IPv6ExtHdrFragment(offset=3)/b'rest'"),
             (5, "RouterAlert()"), (6, "PadN(optdata=b'000')"), (5, "Jumbo(jumboplen=70000)"), (7, "IPv6()/ICMPv6EchoRequest()"),
             (1, "IPv6ExtHdrHopByHop()/IPv6ExtHdrDestOpt()/IPv6ExtHdrFragment()/IPv6ExtHdrRouting()/UDP()")],
    "icmp": [(0, f"ICMP(type={t})/b'data'") for t in (0, 3, 5, 8, 9, 10, 11, 12, 13, 15, 17, 30, 37, 40)] +
            [(1, "TCPerror()"), (2, "UDPerror()/DNS()"), (3, "ICMPerror()"), (4, "IPerror()/TCPerror()"),
             (7, "IPerror(options=[IPOption_NOP()])/IPerror()/UDPerror()"), (5, "IPerror()/ICMPerror(type=3)/IPerror()/UDPerror()"),
             (0, "ICMP(type=3, length=5)/IP()/UDP()/b'" + "x" * 100 + "'")],
    "icmpv6": [(0, e) for e in (
        "ICMPv6EchoRequest(data=b'x')", "ICMPv6DestUnreach()/IPerror6()/UDPerror()", "ICMPv6PacketTooBig()/IPerror6()/TCPerror()",
        "ICMPv6ParamProblem()/IPerror6()/ICMPv6EchoRequest()", "ICMPv6ND_RS()", "ICMPv6MLQuery()", "ICMPv6MLReport()",
        "ICMPv6MLDone()", "ICMPv6MLQuery2(sources=['2001:db8::1'])", "ICMPv6ND_NA()/ICMPv6NDOptDstLLAddr()",
        "ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(sources=['2001:db8::1'], auxdata=b'abcd')])",
        "ICMPv6Unknown(type=200, msgbody=b'x')")] +
        [(1, "ICMPv6NDOptSrcLLAddr()"), (2, "ICMPv6NDOptPrefixInfo()/ICMPv6NDOptMTU()/ICMPv6NDOptRDNSS(dns=['2001:db8::1'])"),
         (2, "ICMPv6NDOptDNSSL(searchlist=['a.example.', 'b.'])/ICMPv6NDOptRouteInfo(plen=64)"), (3, "ICMPv6NDOptRedirectedHdr()/IPv6()"),
         (2, "ICMPv6NDOptAdvInterval()/ICMPv6NDOptHAInfo()/ICMPv6NDOptShortcutLimit()/ICMPv6NDOptUnknown(data=b'123456')"),
         (2, "ICMPv6NDOptSrcAddrList(addrlist=['2001:db8::1'])/ICMPv6NDOptTgtAddrList(addrlist=['2001:db8::1'])/ICMPv6NDOptEFA()"),
         (4, "ICMPv6MLDMultAddrRec()"), (6, "IPerror6()/IPv6ExtHdrFragment()/UDPerror()"), (7, "ICMPv6EchoRequest()")],
    "tcp": [(0, "TCP(flags='S', options=[('MSS', 1460), ('SAckOK', b''), ('Timestamp', (1, 0)), ('NOP', None), ('WScale', 7)])/b'x'"),
            (0, "TCP(options=[('SAck', (1, 2, 3, 4)), ('EOL', None)])"), (3, "TCP(options=[(34, b'cookie')])"), (4, "DNS()"),
            (0, "TCP(options=[('UTO', 1), ('AltChkSum', (1, 2)), (253, b'exp')])"), (1, "b'\\x02\\x04\\x05\\xb4\\x01\\x03\\x03\\x07'"),
            (2, "b'\\x05\\x0a\\0\\0\\0\\1\\0\\0\\0\\2'"), (0, "TCP(dataofs=15)/b'short'"), (0, "TCP(dataofs=4)/b'none'"),
            (5, "b'\\0\\x1c'/DNS()"), (7, "TCP()")],
    "dns": [(0, "DNS(qd=DNSQR(qname='www.example.com', qtype='AAAA'))"), (1, f"DNS(qr=1, {DNS_RECORDS})"),
            (2, f"DNS(qr=1, qd=None, {DNS_RECORDS})"), (3, "DNS(qd=[DNSQR(qname='a'), DNSQR(qname='b.c')])"),
            (4, "DNSQR(qname='x.')"), (5, "DNSRR(rrname='x.', rdata='192.0.2.1')"), (6, "DNSRR(rrname='x.', rdata='192.0.2.1')"),
            (1, "DNS(qr=1, qdcount=1, ancount=2, qd=b'\\1a\\0\\0\\1\\0\\1', an=b'\\xc0\\x0c\\0\\5\\0\\1\\0\\0\\0\\0\\0\\4\\1b\\xc0\\x0c"
             "\\xc0\\x1f\\0\\1\\0\\1\\0\\0\\0\\0\\0\\4\\xc0\\0\\2\\1')"), (7, "UDP(dport=53)/DNS()"), (0, "DNS(qd=None, qdcount=9)")],
    "dhcp": [(0, "BOOTP(options=b'c\\x82Sc')/DHCP(options=[('message-type', 'discover'), ('hostname', b'me'), ('param_req_list', [1, 3, 6]), "
              "('lease_time', 60), ('pad'), 'end'])"), (1, "DHCP(options=[('message-type', 5), ('server_id', '192.0.2.1'), ('router', "
              "'192.0.2.1', '192.0.2.2'), ('domain', b'example'), 'end'])"), (2, "b'5\\1\\1\\xff'"), (3, "NTP()"), (4, "b'\\0\\0\\0\\1key'"),
             (3, "NTP(mode=4, stratum=1, ref_id='GPS')"), (1, "b'c\\x82Sc'"), (5, "b'0,\\2\\1\\1\\4\\6public\\xa0\\x1f'"), (6, "b'\\0\\1\\1\\x10'")],
    "tunnel": [(0, "SCTP()/SCTPChunkInit(params=[SCTPChunkParamIPv4Addr(), SCTPChunkParamECNCapable()])"),
               (0, "SCTP()/SCTPChunkData(data=b'abc')/SCTPChunkSACK()"), (1, "SCTPChunkInitAck(params=[SCTPChunkParamStateCookie(cookie=b'12')])"),
               (1, "SCTPChunkAbort(error_causes=b'1234')"), (1, "SCTPChunkHeartbeatReq(params=[SCTPChunkParamHeartbeatInfo(data=b'x')])"),
               (1, "SCTPChunkShutdown()/SCTPChunkCookieEcho(cookie=b'x')/SCTPChunkError()"), (2, "GRE(proto=0x800)/IP()/UDP()"),
               (2, "GRE(chksum_present=1, key_present=1, seqnum_present=1, proto=0x86dd)/IPv6()"), (3, "Ether()/ARP()"),
               (4, "VXLAN(vni=5)/Ether()/IP()/TCP()"), (5, "Ether()/IPv6()/UDP()"), (6, "MPLS(s=0)/MPLS(s=1)/IP()/ICMP()"),
               (7, "SCTPChunkParamHostname(hostname=b'h')"), (6, "MPLS(s=1)/IPv6()")],
}

# A probe and what may answer it.
PAIRS = [("Ether()/IP(src='192.0.2.1', dst='192.0.2.2')/", "Ether()/IP(src='192.0.2.2', dst='192.0.2.1')/", [
    ("ICMP(id=1)/b'x'", "ICMP(type=0, id=1)/b'x'"), ("TCP(sport=1024, dport=80, seq=5, flags='S')", "TCP(sport=80, dport=1024, ack=6, flags='SA')"),
    ("TCP(sport=1024, dport=80, seq=5, flags='S')", "TCP(sport=80, dport=1024, ack=6, flags='RA')"), ("UDP(sport=1024, dport=9)/b'x'", "UDP(sport=9, dport=1024)/b'y'"),
    ("UDP(sport=1024)/DNS(qd=DNSQR(qname='a.'))", "UDP(dport=1024)/DNS(qr=1, qd=DNSQR(qname='a.'), an=DNSRR(rrname='a.', rdata='192.0.2.3'))"),
    ("UDP(sport=1024, dport=9)", "ICMP(type=3)/IPerror(src='192.0.2.1', dst='192.0.2.2')/UDPerror(sport=1024, dport=9)"),
    ("TCP(sport=1024, seq=5)", "ICMP(type=11)/IPerror(src='192.0.2.1', dst='192.0.2.2')/TCPerror(sport=1024, seq=5)"),
    ("ICMP(id=1)", "ICMP(type=11)/IPerror(src='192.0.2.1', dst='192.0.2.2')/ICMPerror(id=1)"), ("ICMP(type=13, id=1)", "ICMP(type=14, id=1)"),
    ("SCTP(sport=7, dport=8)/SCTPChunkInit(init_tag=5)", "SCTP(sport=8, dport=7, tag=5)/SCTPChunkInitAck()"),
    ("SCTP(sport=7, dport=8)/SCTPChunkInit(init_tag=5)", "SCTP(sport=8, dport=7, tag=5)/SCTPChunkAbort()"),
    ("UDP(sport=123)/NTP(sent=7)", "UDP(dport=123)/NTP(mode=4, orig=7)")]),
    ("Ether()/IPv6(src='2001:db8::1', dst='2001:db8::2')/", "Ether()/IPv6(src='2001:db8::2', dst='2001:db8::1')/", [
        ("ICMPv6EchoRequest(id=1, data=b'x')", "ICMPv6EchoReply(id=1, data=b'x')"), ("ICMPv6ND_NS(tgt='2001:db8::2')", "ICMPv6ND_NA(tgt='2001:db8::2')"),
        ("ICMPv6ND_RS()", "ICMPv6ND_RA()"), ("ICMPv6MLQuery()", "ICMPv6MLReport()"), ("ICMPv6MLQuery2()", "ICMPv6MLReport2()"),
        ("UDP(sport=1024)", "ICMPv6DestUnreach()/IPerror6(src='2001:db8::1', dst='2001:db8::2')/UDPerror(sport=1024)"),
        ("IPv6ExtHdrFragment()/UDP(sport=1024)/b'x'", "UDP(dport=1024)")]),
    ("Ether()/", "Ether()/", [("ARP(psrc='192.0.2.1', pdst='192.0.2.2')", "ARP(op=2, psrc='192.0.2.2', pdst='192.0.2.1')"),
                              ("Dot1Q(vlan=3)/IP(dst='192.0.2.2')/ICMP()", "Dot1Q(vlan=3)/IP(src='192.0.2.2', dst='127.0.0.1')/ICMP(type=0)"),
                              ("IP(src='0.0.0.0', dst='255.255.255.255')/UDP(sport=68, dport=67)/BOOTP(xid=1)",
                               "IP(src='192.0.2.2', dst='255.255.255.255')/UDP(sport=67, dport=68)/BOOTP(op=2, xid=1)"),
                              ("IP(src='192.0.2.1', dst='224.0.0.251')/UDP(sport=5353, dport=5353)/DNS(qd=DNSQR(qname='a.'))",
                               "IP(src='192.0.2.2', dst='224.0.0.251')/UDP(sport=5353, dport=5353)/DNS(qr=1, qd=None, an=DNSRR(rrname='a.', rdata='192.0.2.3'))"),
                              ("IP()/IP(src='192.0.2.1', dst='192.0.2.2')/UDP()", "IP()/IP(src='192.0.2.2', dst='192.0.2.1')/UDP()")])]

EXPRESSIONS = [
    "IP(dst=['192.0.2.1', '198.51.100.0/30', ('10.0.0.1', '10.0.0.9', 2)])/TCP(dport=(1, 1024), flags='S')/b'data'",
    "Ether(dst=RandMAC('00:*:01-0f'))/IP(src=RandIP('10.0.0.0/8'), id=RandShort(), ttl=RandNum(1, 9))/UDP()/RandString(9)",
    "fuzz(IP()/TCP())/'x'*20", "IP(options=[IPOption_RR(routers=['1.2.3.4']), IPOption_NOP()])", "IPv6(dst=Net6('2001:db8::/126'))",
    "TCP(options=[('MSS', 1460), ('NOP', None), (253, b'\\x01')])", "DNS(qd=DNSQR(qname=['a', 'b'], qtype=(1, 3))/DNSQR())", "b'a' 'b'",
    "BOOTP()/DHCP(options=[('message-type', 'discover'), 'end'])", "Raw(load=[RandBin(3), 'x'])", "IP(proto=-1)", "0x1F/0b1/0o7", "[IP(), [TCP()]]",
    "IP(b'E\\x00\\x00\\x14')", "IP(ttl=[1, [2, (3, 9, 3)], RandChoice(1, 2)])/ICMP()/\"t\\u00e9xt\\n\"", "r'\\n' * 3", "ARP(pdst=Net('192.0.2.0', '192.0.2.9'))",
    "ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(sources=['::1'])])", "SCTP()/SCTPChunkInit(params=[SCTPChunkParamIPv4Addr()])", "IP(dst='example.com')",
]

FILTERS = ["", "tcp port 80", "icmp or icmp6", "host 192.0.2.1 and not port 22", "net 10.0.0.0/8", "ip6 host 2001:db8::1", "vlan 5 and arp",
           "tcp[tcpflags] & (tcp-syn|tcp-ack) != 0", "ether host 00:11:22:33:44:55", "portrange 1-1024", "ip[6:2] & 0x1fff != 0", "a) or (b",
           "udp and (dst port 53 or 5353)", "mpls 3", "len <= 100", "less 64", "ether proto 0x88b5", "ip proto \\sctp", "inbound", "not (tcp and udp)",
           "icmp[icmptype] = icmp-echo", "pppoes", "geneve 7", "link[0] == 0", "ip broadcast", "gateway x", "src or dst net 192.0.2"]


def build(sonde, expressions):
    lines = subprocess.run([sonde, "build", "--json"], input="\n".join(expressions), capture_output=True, text=True).stdout
    for expression, line in zip(expressions, lines.splitlines()):
        made = json.loads(line)
        if isinstance(made, dict):
            sys.exit(f"{expression}: {made['error']}")
        yield bytes.fromhex(made[0])


def pcap(frames, magic=0xa1b2c3d4, order="<", link=1):
    out = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, link)
    for n, f in enumerate(frames):
        out += struct.pack(order + "IIII", n, 999, len(f), len(f) + n) + f
    return out


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def pcapng(frames, order="<"):
    out = block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))
    options = struct.pack(order + "HH4sHHB3xHHqHH", 2, 4, b"eth0", 9, 1, 9, 14, 8, 5, 0, 0)
    out += block(order, 1, struct.pack(order + "HHI", 1, 0, 96) + options) + block(order, 1, struct.pack(order + "HHI", 101, 0, 0))
    for n, f in enumerate(frames):
        out += block(order, 6, struct.pack(order + "IIIII", n % 2, 0, n, len(f), len(f)) + f + b"\0" * (-len(f) % 4) + struct.pack(order + "HH4s", 1, 3, b"hey"))
    out += block(order, 3, struct.pack(order + "I", len(frames[0])) + frames[0])
    out += block(order, 2, struct.pack(order + "HHIIII", 0, 0, 0, 1, len(frames[0]), len(frames[0])) + frames[0])
    return out + block(order, 5, b"statistics")


def write(directory, target, data):
    os.makedirs(os.path.join(directory, target), exist_ok=True)
    with open(os.path.join(directory, target, hashlib.sha1(data).hexdigest()[:16]), "wb") as out:
        out.write(data)


def conformance_frames(directory):
    links = {"ether": 0, "null": 1, "sll": 3, "sll2": 4, "ipv4": 5, "ipv6": 6}
    for line in open(os.path.join(directory, "malformed.tsv")):
        columns = line.rstrip("\n").split("\t")
        yield bytes([links[columns[1]]]) + bytes.fromhex(columns[6])
    for line in open(os.path.join(directory, "vectors.jsonl")):
        vector = json.loads(line)
        yield bytes([links.get(vector["link"], 2)]) + bytes.fromhex(vector["hex"])


def conformance_pairs(directory):
    links = {"ether": 0, "ipv4": 1, "ipv6": 1, "raw": 1}
    for line in open(os.path.join(directory, "answers.jsonl")):
        a = json.loads(line)
        sent = bytes.fromhex(a["stimulus"])
        yield bytes([links[a["link"]]]) + struct.pack(">H", len(sent)) + sent + bytes.fromhex(a["response"])


def main(sonde, to):
    frames = []
    for target, rows in FAMILIES.items():
        for (row, _), made in zip(rows, build(sonde, [expression for _, expression in rows])):
            write(to, target, bytes([row]) + made)
    for lower_sent, lower_received, pairs in PAIRS:
        made = list(build(sonde, [lower + e for pair in pairs for lower, e in zip((lower_sent, lower_received), pair)]))
        frames += made
        for sent, received in zip(made[::2], made[1::2]):
            write(to, "matcher", b"\0" + struct.pack(">H", len(sent)) + sent + received)
    for frame in frames:
        write(to, "frame", b"\0" + frame)
        write(to, "frame", b"\2" + frame[14:])
    for text in EXPRESSIONS:
        write(to, "expression", text.encode())
    for n, text in enumerate(FILTERS):
        write(to, "filter", bytes([n % 4, 20]) + b"\x45" + bytes(19) + text.encode())
    for order in "<>":
        for how in (0, 2):
            for magic in (0xa1b2c3d4, 0xa1b23c4d):
                write(to, "pcap", bytes([how, 0, 99]) + pcap(frames[:3], magic, order))
            write(to, "pcapng", bytes([how, 0, 199]) + pcapng(frames[:3], order))
    write(to, "pcap", b"\1\0\x40" + gzip.compress(pcap(frames[:2], link=101), mtime=0))
    write(to, "pcapng", b"\1\0\x40" + gzip.compress(pcapng(frames[:2]), mtime=0))
    directory = os.environ.get("SONDE_CONFORMANCE")
    if directory:
        for frame in conformance_frames(directory):
            write(to, "frame", frame)
        for pair in conformance_pairs(directory):
            write(to, "matcher", pair)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
