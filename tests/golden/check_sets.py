"""Sets of packets: the same members in the same order as Scapy's iteration gives, for expressions made at random."""

from golden import *
from scapy_packets import ICMP, IP, TCP, UDP, Ether, Net, ip4, raw, rnd, seed

ROUNDS = 150
LARGEST = 400


def number_or_range(low, high):
    first = rnd.randrange(low, high - 5)
    return rnd.choice([str(first), f"({first}, {first + rnd.randrange(4)})"])


def numbers(low, high):
    """A value, a range or a list of them, as text."""
    return rnd.choice([
        lambda: number_or_range(low, high),
        lambda: "[" + ", ".join(number_or_range(low, high) for _ in range(rnd.randrange(1, 4))) + "]"])()


def address():
    return rnd.choice([repr(ip4()), repr(f"{ip4()}/{rnd.randrange(30, 33)}"), f"Net('{ip4()}/31')"])


def addresses():
    return rnd.choice([address, lambda: "[" + ", ".join(address() for _ in range(rnd.randrange(1, 4))) + "]"])()


def fields(**makers):
    return ", ".join(f"{name}={make()}" for name, make in makers.items() if rnd.random() < 0.6)


def expression():
    """Scapy's own order of keywords does not matter, that of its fields does."""
    octet, port = lambda: numbers(1, 250), lambda: numbers(50000, 60000)
    upper = rnd.choice([lambda: f"TCP({fields(dport=port, sport=port, window=port)})", lambda: f"UDP({fields(dport=port, sport=port)})",
                        lambda: f"ICMP({fields(id=port, seq=port)})"])()
    text = f"IP({fields(src=lambda: repr(ip4()), dst=addresses, ttl=octet, tos=octet, id=port)})/{upper}"
    return f"Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02')/{text}" if rnd.random() < 0.3 else text


def members(text):
    """What Scapy's iteration builds; nothing when that is too many."""
    found = []
    for packet in eval(text):
        found.append(raw(packet).hex())
        if len(found) > LARGEST:
            return None
    return found


def sourced(text):
    """With a source address: Scapy else asks this machine's routes."""
    return text if "src='" in text.split("/TCP")[0].split("IP(")[1] else text.replace("IP(", "IP(src='192.0.2.9', ", 1)


checks = Checks()
texts = [sourced(expression()) for _ in range(ROUNDS)]
wanted = [(text, found) for text in texts if (found := members(text))]
for (text, found), line in zip(wanted, tool(["build", "--json"], [text for text, _ in wanted])):
    checks.equal("sets", text, json.loads(line), found)
checks.equal("sets with several members", "", len([found for _, found in wanted if len(found) > 1]) > ROUNDS // 4, True)
checks.finish(f"{sum(len(found) for _, found in wanted)} packets, seed {seed}")
