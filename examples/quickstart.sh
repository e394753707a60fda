#!/bin/sh
# Installs what is missing (as root), builds sonde, and shows Scapy's send and receive verbs at work:
# examples/quickstart.sh
# Every packet stays in the lab, a private network made for this run (`sonde lab --help`).
set -eu
cd "$(dirname "$0")/.."

if [ "${1:-}" != --in-the-lab ]; then
    cmake/packages.sh build
    if command -v ninja >/dev/null; then export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}"; fi
    cmake --preset release -D SONDE_WERROR=OFF -D SONDE_BUILD_TESTS=OFF -D SONDE_BUILD_EXAMPLES=OFF
    cmake --build --preset release --target sonde_tool --parallel "${SONDE_JOBS:-$(nproc)}"
    exec build/release/sonde lab -- "$0" --in-the-lab
fi

# Runs each line of its input as a shell would, after showing it.
failed=0
while IFS= read -r line; do
    case $line in
        '#'*) printf '\n%s\n' "$line" ;;
        '') ;;
        *)
            printf '\n$ %s\n' "$line"
            (eval "$line") </dev/null || { echo "(exit status $?)"; failed=1; }
            ;;
    esac
done <<'SESSION'
# send: layer 3, sonde finds the way and makes layer 2
sonde send 'IP(dst="198.18.0.1")/TCP(dport=53, flags="S")'
sonde send 'IP(dst=["198.18.0.1", "198.18.0.2"])/TCP(dport=53, flags="S")'
sonde send 'IP(dst="198.18.0.1")/TCP(dport=53, flags="S")' --count 10
sonde send 'IP(dst="198.18.0.1")/TCP(dport=53, flags="S")' --loop --count 1503
# sendp: layer 2, as given
sonde sendp 'Ether()/IP(dst="1.2.3.4", ttl=(1,4))' --iface eth1
sonde sendp '"I'"'"'m travelling on Ethernet"' --iface eth1 --loop --inter 0.2 --count 5
sonde sendp examples/session.pcap --iface eth1 --realtime
# sr: every answer, and what stayed unanswered
sonde sr 'IP(dst="198.18.0.1")/TCP(dport=[21,22,23])'
# sr1: the first answer
sonde sr1 'IP(dst="198.18.0.1")/ICMP()/"XXXXXXXXXXX"'
# srloop: again and again
sonde srloop 'IP(dst="198.18.0.1")/ICMP()' --count 3
# sniff, while another sonde pings
sonde srloop 'IP(dst="198.18.0.1")/ICMP()' --count 4 --inter 0.3 >/dev/null & sonde sniff --iface eth1 --filter icmp --count 4
SESSION
exit $failed
