#!/bin/sh
# What a user pays for including sonde: user_build_time.sh COMPILER SOURCE_DIRECTORY BUILD_DIRECTORY
# Prints seconds and object sizes of minimal.cpp; fails when it pulls in what the library hides.
set -eu
compiler=$1 source=$2 build=$3
flags="-std=c++20 -I$source/include -c $source/tests/build/minimal.cpp"

for level in -O0 -O2; do
    start=$(date +%s%N)
    # shellcheck disable=SC2086  # flags are words
    "$compiler" $level $flags -o "$build/minimal$level.o"
    end=$(date +%s%N)
    awk -v l="$level" -v ns=$((end - start)) -v b="$(stat -c %s "$build/minimal$level.o")" \
        'BEGIN { printf "user build time %s: %.2f s, object %.0f KB\n", l, ns / 1e9, b / 1024 }'
done

# shellcheck disable=SC2086
included=$("$compiler" -M $flags)
printf 'headers read: %s\n' "$(printf '%s\n' "$included" | tr ' ' '\n' | grep -cE '\.(hpp|h)$|/[a-z_]+$')"
for hidden in boost/asio.hpp pcap.h pcap/pcap.h linux/if_packet.h linux/netlink.h boost/asio/experimental; do
    case $included in
        *"/$hidden"*) echo "a user's program includes $hidden" >&2; exit 1 ;;
    esac
done
