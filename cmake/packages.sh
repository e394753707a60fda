#!/bin/sh
# Sees to it that what a task needs is installed: packages.sh build|tests|ci ...
# On Debian and Ubuntu root installs what is missing; anyone else is told what to install, and gets status 3.
set -eu

PATH=$PATH:/usr/sbin:/sbin  # where ordinary users do not look, but what they may run is
missing=''
# need PACKAGE COMMAND...: the package is missing when the command fails.
need() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
have() { command -v "$1"; }
# have_file PATTERN...: any file that matches.
have_file() {
    for file in "$@"; do
        [ -e "$file" ] && return 0
    done
    return 1
}
have_boost() {
    cat /usr/include/boost/version.hpp /usr/local/include/boost/version.hpp 2>/dev/null |
        awk '/#define BOOST_VERSION / { found = $3 >= 108100 } END { exit !found }'
}

# Debian 12 has 1.81 beside an older default; other releases have a newer one. Not asked of apt-cache, which knows nothing
# on a fresh system.
boost_version=
# shellcheck disable=SC1091
[ -e /etc/os-release ] && [ "$(. /etc/os-release && echo "$ID ${VERSION_ID:-}")" = 'debian 12' ] && boost_version=1.81

for task in "$@"; do
    case $task in
        build)
            need g++ have g++
            need cmake have cmake
            need ninja-build have ninja
            need pkg-config have pkg-config
            need libboost$boost_version-dev have_boost
            need libboost-program-options$boost_version-dev have_file /usr/lib/*/libboost_program_options.so \
                /usr/lib64/libboost_program_options.so /usr/lib/libboost_program_options.so \
                /usr/local/lib/libboost_program_options.so
            need libfmt-dev have_file /usr/include/fmt/core.h /usr/local/include/fmt/core.h
            need zlib1g-dev have_file /usr/include/zlib.h /usr/local/include/zlib.h
            need libpcap-dev have_file /usr/include/pcap/pcap.h /usr/local/include/pcap/pcap.h
            ;;
        tests)
            need catch2 have_file /usr/include/catch2/* /usr/local/include/catch2/*
            need python3-scapy /usr/bin/python3 -c 'import scapy'
            need iproute2 have ip
            need iputils-ping have ping
            need libcap2-bin have setcap
            need nftables have nft
            need tcpdump have tcpdump
            ;;
        ci)
            need ccache have ccache
            need clang-19 have clang++-19
            need clang-format-19 have clang-format-19
            need clang-tidy-19 have clang-tidy-19
            need libclang-rt-19-dev have_file /usr/lib/llvm-19/lib/clang/19/lib/linux/libclang_rt.asan-*.a
            need git have git
            need tshark have tshark  # a second judge of golden checks
            need zsh have zsh  # where its completion is tried
            need valgrind have valgrind
            ;;
        *)
            echo "packages.sh: no such task: $task" >&2
            exit 2
            ;;
    esac
done

[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null; then
    echo "These Debian packages, or what your system calls them, are missing:$missing" >&2
    exit 3
fi
if [ "$(id -u)" != 0 ]; then
    echo "Some packages are missing. Install them, then run this again:" >&2
    echo "  sudo apt-get install$missing" >&2
    exit 3
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
[ -n "$(find /var/lib/apt/lists -name '*_Packages*' -print -quit 2>/dev/null)" ] || apt-get update -q >&2
# shellcheck disable=SC2086  # a list of words
apt-get install -y -q --no-install-recommends $missing >&2 ||
    { apt-get update -q >&2 && apt-get install -y -q --no-install-recommends $missing >&2; }
