"""Pairs of packets with a verdict by the RFCs: none accepted that is no answer, none missed that is one."""

from golden import *

CLASSES = {"tcp4", "tcp6", "udp4", "udp6", "icmp4", "icmp4-err", "icmp6", "icmp6-err", "icmp6-nd", "arp", "vlan", "ether", "dns4", "dns6", "mdns", "dhcp", "sctp", "ntp", "icmp6-mld", "tunnel"}

checks, by_link = Checks(), {}
for pair in json_lines(conformance("answers.jsonl")):
    if pair["class"] in CLASSES and pair["want"] is not None:
        by_link.setdefault(pair["link"], []).append(pair)
for link, pairs in by_link.items():
    lines = tool(["match", "--link", link],
                 [json.dumps({"sent": p["stimulus"], "received": p["response"]}) for p in pairs], want_status=0)
    for pair, line in zip(pairs, lines):
        verdict = json.loads(line)
        what = "answers" if pair["want"] else "no answers"
        checks.equal(what, f"{pair['id']} {pair['class']} {pair['desc']}: {verdict.get('why', '')}; {pair.get('why', '')}",
                     verdict["answers"], pair["want"])
        if not verdict["answers"]:
            checks.equal("reasons", pair["id"], bool(verdict["why"]), True)
checks.finish()
