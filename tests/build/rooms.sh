#!/bin/sh
# The rooms' directions, read from #include lines: rooms.sh SOURCE_DIRECTORY. Prints what breaks them; status 1 then.
#   packet <- layers <- net    packet <- probe <- net    packet <- link <- net    packet <- capture    all <- sim    all but sim <- tools    all <- tool
cd "$1" || exit 2

# Headers of one room (a file or directory below include/sonde and src) include only the rooms named after it.
# What every room may use: error.hpp, and detail/.
check() {
    where=$1 allowed=$2
    [ -e "$where" ] || return 0
    grep -rnE '^ *# *include *["<]' "$where" --include=*.hpp --include=*.cpp |
        sed -E 's/^([^:]*:[0-9]+): *# *include *["<](sonde\/)?([^">]*)[">].*/\1 \3/' |
        grep -E '^[^ ]+ (packet|layers|probe|link|net|sim|capture|tools|tool|sonde\.hpp)(/[a-z0-9_/]+\.hpp)?$' |
        grep -vE '^[^ ]+ net/(if|if_arp|ethernet)\.h' |
        grep -vE "^[^ ]+ ($allowed)(/|\$)" |
        sed "s#\$# is not for this room (it may use: $allowed)#"
}

# These rooms have no Asio, no libpcap, no clock and no socket.
check_pure() {
    [ -e "$1" ] || return 0
    grep -rnE '<boost/asio|<pcap[/.]|<sys/socket\.h>|<unistd\.h>|_clock::now\(|[^_a-z]clock_gettime' "$1" |
        sed 's/$/   <- no I\/O and no clock in this room/'
}

broken=$(
    check include/sonde/packet 'packet|link/frame.hpp'   # a frame is bytes and a time: data, not I/O
    check src/packet 'packet|layers|link/frame.hpp'      # dissection and matching begin at layers that are built in
    for top in include/sonde src; do
        check $top/layers 'packet|layers'
        check $top/capture 'packet|capture|link/frame.hpp'
        check $top/probe 'packet|probe'
        check $top/link 'packet|link'
        check $top/net 'packet|layers|probe|link|capture|net'
        check $top/sim 'packet|layers|probe|link|capture|net|sim'
        check $top/tools 'packet|layers|probe|link|capture|net|tools'
        for room in packet layers capture probe; do check_pure $top/$room; done
    done
    grep -rlE '<pcap(/pcap)?\.h>' include src | sort | sed '1d; s/$/ includes pcap.h, which one file may/'
    grep -rnE '<boost/asio\.hpp>|boost/asio/experimental' include | sed 's/$/   <- too much for a public header/'
)
[ -z "$broken" ] && exit 0
printf '%s\n' "$broken"
exit 1
