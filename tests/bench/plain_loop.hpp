#pragma once

#include <cstdint>
#include <vector>

namespace bench {

/// What C would do on the kernel's sockets: the measure for sonde's own figures. Addresses in host order.

/// Round-trip times, in microseconds, of `count` ICMP echoes, one after another: raw socket and epoll.
std::vector<double> plain_rtt(std::uint32_t address, unsigned count);

struct rate {
    std::uint64_t answered = 0;
    double seconds = 0;
};
/// One SYN to port 80 of each of `targets` addresses from `first` on, at most `window` unanswered: a packet
/// socket, sendmmsg and recvmmsg in batches of 64, a bit for each answer. Ends when nothing came for 200 ms.
rate plain_sr(char const* interface, std::uint32_t first, std::uint32_t targets, std::uint32_t window);

}  // namespace bench
