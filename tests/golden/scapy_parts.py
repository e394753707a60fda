"""Scapy, and the values and layers of which scapy_packets.py makes its packets, drawn at random (SONDE_SEED)."""

import logging
import os
import random

from golden import skip

try:
    logging.getLogger("scapy").setLevel(logging.CRITICAL)
    from scapy.all import (ARP, ICMP, LLC, SNAP, TCP, UDP, Dot1AD, Dot1Q, Dot3, Ether, ICMPerror, IP, IPerror, IPv6,
                           Loopback, Padding, Raw, TCPerror, UDPerror, conf, hexdump, raw)
    from scapy.fields import FixedPointField
    from scapy.contrib.igmp import IGMP
    from scapy.contrib.mpls import MPLS
    from scapy.layers.dhcp import BOOTP, DHCP
    from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRRMX, DNSRROPT, DNSRRSOA, DNSRRSRV, EDNS0TLV
    from scapy.layers.inet import *
    from scapy.layers.inet6 import *
    from scapy.layers.l2 import GRE, CookedLinux, CookedLinuxV2
    from scapy.layers.llmnr import _LLMNR
    from scapy.layers.ntp import NTPHeader
    from scapy.layers.sctp import *
    from scapy.layers.vxlan import VXLAN
    from scapy.packet import Packet, bind_bottom_up, split_bottom_up
    from scapy.themes import NoTheme
except ImportError as missing:
    skip(f"Scapy is not installed ({missing})")

conf.color_theme = NoTheme()
# LLMNR has the format of DNS (RFC 4795, section 2.1); sonde reads it as such.
for ports in ({"dport": 5355}, {"sport": 5355}, {"sport": 5355, "dport": 5355}):
    split_bottom_up(UDP, _LLMNR, **ports)
    bind_bottom_up(UDP, DNS, **ports)
# Messages that Scapy leaves as bytes.
for kind in (100, 200, 254):
    icmp6typescls[kind], icmp6typesminhdrlen[kind] = ICMPv6Unknown, 4

seed = int(os.environ.get("SONDE_SEED", "20"))
rnd = random.Random(seed)

# --- values ---------------------------------------------------------------------------------------------------------


def bit(): return rnd.randrange(2)
def byte(): return rnd.choice([0, 1, 127, 255, rnd.randrange(256)])
def short(): return rnd.choice([0, 1, 20, 65535, rnd.randrange(50000, 65536)])  # no port that a protocol is bound to
def word(): return rnd.choice([0, 1, 2**32 - 1, rnd.randrange(2**32)])
def ip4(): return ".".join(str(rnd.randrange(1, 255)) for _ in range(4))
def ip6(): return "2001:db8:" + ":".join(f"{rnd.randrange(1, 65536):x}" for _ in range(6))
def mac(): return ":".join(f"{rnd.randrange(256):02x}" for _ in range(6))
def data(): return rnd.randbytes(rnd.choice([0, 1, 8, 33]))
def up_to(n, make): return [make() for _ in range(rnd.randrange(n + 1))]
def some(fields): return {k: v for k, v in fields.items() if rnd.random() < 0.5}
def one(*makers): return rnd.choice(makers)()
def name(): return rnd.choice(["example.com.", "www.example.org.", "_sip._tcp.example.net.", "a.", "."])


def payload(packet):
    load = data()
    return packet / Raw(load=load) if load else packet


def chain(parts):
    first = None
    for part in parts:
        first = part if first is None else first / part
    return first


# --- IP and what it carries -----------------------------------------------------------------------------------------

IP_OPTIONS = [
    lambda: IPOption_NOP(), lambda: IPOption_RR(routers=[ip4(), ip4()]), lambda: IPOption_LSRR(routers=[ip4()], pointer=8),
    lambda: IPOption_SSRR(routers=[ip4(), ip4()]), lambda: IPOption_Router_Alert(alert=short()),
    lambda: IPOption_Security(security=short(), compartment=short(), handling_restrictions=short(),
                              transmission_control_code=b"abc"),
    lambda: IPOption_Stream_Id(security=short()), lambda: IPOption_MTU_Probe(mtu=short()),
    lambda: IPOption_MTU_Reply(mtu=short()), lambda: IPOption_Traceroute(id=short(), originator_ip=ip4()),
    lambda: IPOption_Timestamp(flg=0, timestamp=word(), pointer=5),
    lambda: IPOption_Timestamp(flg=rnd.choice([1, 3]), internet_address=ip4(), timestamp=word(), oflw=rnd.randrange(16)),
    lambda: IPOption_Address_Extension(src_ext=ip4(), dst_ext=ip4()), lambda: IPOption_SDBM(addresses=[ip4(), ip4()]),
    lambda: IPOption(copy_flag=1, optclass=0, option=25, value=rnd.randbytes(rnd.randrange(5))),
]

TCP_OPTIONS = [
    lambda: ("MSS", short()), lambda: ("NOP", None), lambda: ("WScale", byte()), lambda: ("SAckOK", b""),
    lambda: ("Timestamp", (word(), word())), lambda: ("SAck", (word(), word())),
    lambda: ("SAck", (word(), word(), word(), word())), lambda: ("UTO", short()), lambda: ("AltChkSum", (byte(), short())),
    lambda: ("AltChkSumOpt", b""), lambda: ("TFO", (word(), word())), lambda: (34, rnd.randbytes(rnd.choice([4, 6]))),
    lambda: (19, rnd.randbytes(16)), lambda: (rnd.randrange(200, 250), rnd.randbytes(3)),
    lambda: (254, rnd.randbytes(2)), lambda: ("MSS", rnd.randbytes(3)),
]


def options(kinds, most):
    return [make() for make in rnd.sample(kinds, rnd.randrange(most + 1))]


def ip_options():
    """Options of at most 40 bytes, and sometimes the end of the list."""
    chosen = options(IP_OPTIONS, 3)
    while sum(len(o) for o in chosen) > 39:
        chosen.pop()
    return chosen + [IPOption_EOL()] * bit() if chosen else chosen


def ip(cls=IP, chance=0.2, **fields):
    fields = {"src": ip4(), "dst": ip4(),
              **some({"ttl": byte(), "id": short(), "tos": byte(), "flags": rnd.choice(["DF", "evil", "DF+evil", 0])}), **fields}
    if rnd.random() < chance:
        fields["options"] = ip_options()
    return cls(**fields)


def tcp(cls=TCP, options=()):
    return cls(**some({"sport": short(), "dport": short(), "seq": word(), "ack": word(), "window": short(),
                       "flags": rnd.choice(["S", "SA", "R", "FPU", "PA", 0, "SEC", "FSRPAUECN"]), "urgptr": short(),
                       "reserved": rnd.randrange(8)}), **({"options": list(options)} if options else {}))


def tcp_options():
    """Options of at most 40 bytes."""
    chosen = options(TCP_OPTIONS, 4)
    while len(TCP(options=chosen).build()) > 60:
        chosen.pop()
    return chosen + [("EOL", None)] * bit() if chosen else chosen


def udp(cls=UDP, **fields):
    return cls(**{"sport": short(), "dport": short(), **some({"chksum": short()}), **fields})


def icmp(cls=ICMP):
    kind = rnd.choice([0, 8, 9, 10, 13, 14, 15, 16, 17, 18, 30, 31, 33, 35, 37, 38, 40, 42])
    if kind in (13, 14):
        return cls(type=kind, id=short(), seq=short(), ts_ori=word(), ts_rx=word(), ts_tx=word())
    if kind in (17, 18):
        return cls(type=kind, id=short(), seq=short(), addr_mask=ip4())
    return cls(type=kind, **({"id": short(), "seq": short()} if kind < 20 and kind not in (9, 10) or kind in (37, 38)
                             else {"code": byte()}))


def icmp_error():
    kind = rnd.choice([3, 4, 5, 11, 12])
    extra = {3: {"nexthopmtu": short()}, 5: {"gw": ip4()}, 12: {"ptr": byte()}}.get(kind, {})
    error = ICMP(type=kind, code=rnd.randrange(4), **extra)
    return error / ip(IPerror) / one(lambda: tcp(TCPerror), lambda: udp(UDPerror), lambda: icmp(ICMPerror))


def ipv6(cls=IPv6, **fields):
    return cls(src=ip6(), dst=ip6(), **some({"tc": byte(), "fl": rnd.randrange(2**20), "hlim": byte()}), **fields)


def icmp6_error(error):
    return ipv6() / error / ipv6(IPerror6) / one(lambda: tcp(TCPerror), lambda: udp(UDPerror))


def nd(option):
    """A neighbour discovery message with one option or two."""
    message = one(lambda: ICMPv6ND_RS(), lambda: ICMPv6ND_RA(chlim=byte(), M=bit(), O=bit(), prf=rnd.randrange(4),
                                                             routerlifetime=short(), reachabletime=word()),
                  lambda: ICMPv6ND_NS(tgt=ip6()), lambda: ICMPv6ND_NA(tgt=ip6(), R=bit(), S=bit(), O=bit()),
                  lambda: ICMPv6ND_Redirect(tgt=ip6(), dst=ip6()))
    return ipv6() / message / option / one(lambda: ICMPv6NDOptSrcLLAddr(lladdr=mac()), lambda: ICMPv6NDOptMTU(mtu=word()))


def extended(*headers):
    return payload(chain([ipv6(), *headers]) / udp())


def ipv6_option():
    return one(lambda: PadN(optdata=bytes(rnd.randrange(5))), lambda: RouterAlert(value=rnd.randrange(40)),
               lambda: HBHOptUnknown(otype=30, optdata=rnd.randbytes(rnd.randrange(9))))


# --- what UDP carries -----------------------------------------------------------------------------------------------

RECORDS = [
    lambda: DNSRR(rrname=name(), ttl=word(), rdata=ip4()), lambda: DNSRR(rrname=name(), type="AAAA", rdata=ip6()),
    lambda: DNSRR(rrname=name(), type="CNAME", rdata=name()), lambda: DNSRR(rrname=name(), type="PTR", rdata=name()),
    lambda: DNSRR(rrname=name(), type="NS", rdata=name()), lambda: DNSRR(rrname=name(), type="DNAME", rdata=name()),
    lambda: DNSRR(rrname=name(), type="TXT", rdata=[b"text", rnd.randbytes(9)]),
    lambda: DNSRR(rrname=name(), type=257, rdata=b"\0\5issueca.example"),
    lambda: DNSRR(rrname=name(), type=rnd.choice([44, 52, 65280]), rclass=rnd.choice([1, 3, 255]), rdata=data() + b"x"),
    lambda: DNSRRMX(rrname=name(), type=15, preference=short(), exchange=name()),
    lambda: DNSRRSOA(rrname=name(), mname=name(), rname=name(), serial=word()),
    lambda: DNSRRSRV(rrname=name(), priority=short(), weight=short(), port=short(), target=name()),
]


def records(most): return up_to(most, lambda: rnd.choice(RECORDS)())


def edns():
    return DNSRROPT(rclass=short(), extrcode=byte(), z=short(),
                    rdata=[EDNS0TLV(optcode=short(), optdata=data()) for _ in range(rnd.randrange(4))])


def dns():
    return DNS(id=short(), qr=bit(), rcode=rnd.randrange(6), opcode=rnd.randrange(3), aa=bit(), tc=bit(), ra=1, ad=bit(),
               qd=chain([DNSQR(qname=name(), qtype=rnd.choice(["A", "AAAA", "MX", "TXT", 257]), qclass=rnd.choice([1, 255]))
                         for _ in range(rnd.randrange(1, 3))]),
               an=chain(records(3)), ns=chain(records(1)),
               ar=chain(records(1) + [edns()] * (rnd.random() < .4)))


DHCP_OPTIONS = [
    lambda: ("subnet_mask", ip4()), lambda: ("router", ip4(), ip4()), lambda: ("name_server", ip4()),
    lambda: ("hostname", b"probe"), lambda: ("domain", b"example.org"), lambda: ("broadcast_address", ip4()),
    lambda: ("requested_addr", ip4()), lambda: ("lease_time", word()), lambda: ("server_id", ip4()),
    lambda: ("param_req_list", [1, 3, 6, 15]), lambda: ("renewal_time", word()), lambda: ("rebinding_time", word()),
    lambda: ("vendor_class_id", b"sonde"), lambda: ("client_id", b"\x01" + rnd.randbytes(6)), lambda: ("max_dhcp_size", short()),
    lambda: ("NTP_server", ip4()), lambda: ("error_message", b"no"), lambda: ("relay_agent_information", rnd.randbytes(5)),
    lambda: ("interface-mtu", short()), lambda: ("time_zone", word()), lambda: ("static-routes", ip4(), ip4()),
    lambda: ("classless_static_routes", [f"{ip4()}/32:{ip4()}", f"10.{rnd.randrange(256)}.0.0/{rnd.randrange(9, 17)}:{ip4()}", f"0.0.0.0/0:{ip4()}"]),
    lambda: (250, b"x"), lambda: "pad",
]


def dhcp():
    kind = rnd.choice(["discover", "offer", "request", "decline", "ack", "nak", "release", "inform", byte()])
    return BOOTP(op=rnd.randrange(1, 3), xid=word(), chaddr=rnd.randbytes(6), yiaddr=ip4(), ciaddr=ip4(), giaddr=ip4(),
                 secs=short(), hops=byte(), flags=rnd.choice([0, 0x8000]), **some({"sname": b"server", "file": b"boot"})) / DHCP(
        options=[("message-type", kind)] + options(DHCP_OPTIONS, 6) + ["end"])


def ntp():
    return NTPHeader(leap=rnd.randrange(4), version=rnd.randrange(1, 5), mode=rnd.randrange(1, 6), poll=byte(),
                     precision=byte(), stratum=rnd.choice([2, 3, 15]), id=ip4(), ref=rnd.randrange(2**32) + 0.5,
                     orig=rnd.randrange(2**32), recv=word(), sent=word() + 0.25, delay=0.5, dispersion=rnd.randrange(9))


# --- tunnels and links ----------------------------------------------------------------------------------------------


def gre():
    return GRE(key_present=bit(), key=word(), seqnum_present=bit(), sequence_number=word(), chksum_present=bit(),
               recursion_control=rnd.randrange(8), strict_route_source=bit())


def sctp(*chunks):
    return one(ip, ipv6) / chain([SCTP(sport=short(), dport=short(), tag=word()), *chunks])


SCTP_PARAMS = [
    lambda: SCTPChunkParamIPv4Addr(addr=ip4()), lambda: SCTPChunkParamIPv6Addr(addr=ip6()),
    lambda: SCTPChunkParamCookiePreservative(sug_cookie_inc=word()), lambda: SCTPChunkParamHostname(hostname=b"example.org"),
    lambda: SCTPChunkParamECNCapable(), lambda: SCTPChunkParamFwdTSN(), lambda: SCTPChunkParamAdaptationLayer(indication=word()),
    lambda: SCTPChunkParamSupportedAddrTypes(addr_type_list=one(lambda: [5], lambda: [5, 6], lambda: ["IPv6"])),
    lambda: SCTPChunkParamChunkList(chunk_list=one(lambda: [0xc1], lambda: ["init", 0x80])),
    lambda: SCTPChunkParamRequestedHMACFunctions(HMAC_functions_list=one(lambda: [1], lambda: ["SHA-256", "SHA-1"])),
    lambda: SCTPChunkParamSupportedExtensions(), lambda: SCTPChunkParamSupportedExtensions(supported_extensions=[0x82, 0xc0]),
    lambda: SCTPChunkParamStateCookie(cookie=data()), lambda: SCTPChunkParamUnrocognizedParam(param=data()),
]


def sctp_init(cls):
    return cls(init_tag=word(), a_rwnd=word(), n_out_streams=short(), n_in_streams=short(), init_tsn=word(),
               params=options(SCTP_PARAMS, 3))


def tagged(*tags):
    return chain([Ether(src=mac(), dst=mac()), *tags])


def vlan(): return Dot1Q(vlan=rnd.randrange(4096), prio=rnd.randrange(8), id=bit())
def service_vlan(): return Dot1AD(vlan=rnd.randrange(4096), prio=rnd.randrange(8), id=bit())
def arp(): return ARP(op=rnd.choice([1, 2, 3, 4, 9]), hwsrc=mac(), psrc=ip4(), hwdst=mac(), pdst=ip4())
def network(): return one(lambda: payload(ip() / tcp()), lambda: payload(ip() / udp()), lambda: payload(ipv6() / udp()), arp)


def cooked():
    return dict(pkttype=rnd.randrange(5), lladdrlen=6, src=rnd.randbytes(6) + b"\0\0", lladdrtype=rnd.choice([1, 512]))
