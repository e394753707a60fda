#!/bin/sh
# with_xdp.sh PROGRAM ...: runs it where AF_XDP can be had. Elsewhere status 77 (skipped), and why.
skip() {
    echo "skipped: AF_XDP $1"
    exit 77
}
grep -q '^XDP ' /proc/net/protocols || skip 'is not in this kernel (CONFIG_XDP_SOCKETS)'
grep -q '^ *0 *0 *4294967295$' /proc/self/uid_map || skip 'needs the initial user namespace'
capabilities=0x$(awk '/^CapEff:/ { print $2 }' /proc/self/status)
for bit in 12 13 21 39; do # NET_ADMIN, NET_RAW, SYS_ADMIN, BPF
    [ $((capabilities >> bit & 1)) = 1 ] || skip "needs capability $bit (capabilities(7)): run it as root"
done
exec "$@"
