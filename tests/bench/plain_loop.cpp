#include "plain_loop.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>

namespace bench {
namespace {

using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point begin) {
    return std::chrono::duration<double>(steady::now() - begin).count();
}

int checked(int result, char const* what) {
    if (result < 0) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
    return result;
}

std::uint16_t checksum(void const* data, std::size_t size, std::uint32_t sum = 0) {
    auto const* bytes = static_cast<std::uint8_t const*>(data);
    for (std::size_t i = 0; i + 1 < size; i += 2)
        sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return htons(static_cast<std::uint16_t>(~sum));
}

}  // namespace

std::vector<double> plain_rtt(std::uint32_t address, unsigned count) {
    int s = checked(::socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP), "raw socket");
    int e = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll");
    epoll_event readable{.events = EPOLLIN, .data = {}};
    checked(::epoll_ctl(e, EPOLL_CTL_ADD, s, &readable), "epoll");
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(address);
    std::vector<double> times;
    for (unsigned i = 0; i < count; ++i) {
        icmphdr echo{};
        echo.type = ICMP_ECHO;
        echo.un.echo.id = htons(4711);
        echo.un.echo.sequence = htons(static_cast<std::uint16_t>(i));
        echo.checksum = checksum(&echo, sizeof echo);
        auto begin = steady::now();
        checked(
            static_cast<int>(::sendto(s, &echo, sizeof echo, 0, reinterpret_cast<sockaddr*>(&to), sizeof to)),
            "sendto");
        for (bool answered = false; !answered && seconds_since(begin) < 1;) {
            std::array<std::uint8_t, 256> reply{};
            ::epoll_wait(e, &readable, 1, 100);
            auto size = ::recv(s, reply.data(), reply.size(), 0);
            answered = size >= 28 && reply[20] == ICMP_ECHOREPLY && std::memcmp(&reply[24], &echo.un, 4) == 0;
        }
        times.push_back(seconds_since(begin) * 1e6);
    }
    ::close(e);
    ::close(s);
    return times;
}

namespace {

constexpr std::uint32_t source = 0xc6336401;  // 198.51.100.1, the probe's side of the lab
constexpr std::uint16_t source_port = 40000;
constexpr unsigned batch = 64;

struct __attribute__((packed)) syn {
    ether_header ether;
    iphdr ip;
    tcphdr tcp;
};
static_assert(sizeof(syn) == 54);

/// A SYN but for its destination, which `aim` gives it.
syn make_syn(std::array<std::uint8_t, 6> const& to, std::array<std::uint8_t, 6> const& from) {
    syn p{};
    std::memcpy(p.ether.ether_dhost, to.data(), 6);
    std::memcpy(p.ether.ether_shost, from.data(), 6);
    p.ether.ether_type = htons(ETHERTYPE_IP);
    p.ip.version = 4, p.ip.ihl = 5, p.ip.ttl = 64, p.ip.protocol = IPPROTO_TCP;
    p.ip.tot_len = htons(40), p.ip.saddr = htonl(source);
    p.tcp.source = htons(source_port), p.tcp.dest = htons(80);
    p.tcp.doff = 5, p.tcp.syn = 1, p.tcp.window = htons(8192);
    return p;
}

void aim(syn& p, std::uint32_t destination) {
    p.ip.daddr = htonl(destination);
    p.ip.check = 0, p.ip.check = checksum(&p.ip, sizeof p.ip);
    p.tcp.check = 0;
    std::uint32_t pseudo =
        (source >> 16) + (source & 0xffff) + (destination >> 16) + (destination & 0xffff) + IPPROTO_TCP + 20;
    p.tcp.check = checksum(&p.tcp, sizeof p.tcp, pseudo);
}

std::array<std::uint8_t, 6> parse_mac(std::string const& text) {
    std::array<unsigned, 6> m{};
    if (std::sscanf(text.c_str(), "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) != 6)
        throw std::runtime_error("no MAC address: " + text);
    std::array<std::uint8_t, 6> out{};
    for (std::size_t i = 0; i < 6; ++i) out[i] = static_cast<std::uint8_t>(m[i]);
    return out;
}

std::string first_word_of(std::string const& file) {
    std::ifstream in(file);
    std::string word;
    in >> word;
    return word;
}

/// The target's MAC, as the kernel's table has it after one echo.
std::array<std::uint8_t, 6> gateway(char const* interface) {
    plain_rtt(0xc6336402, 1);  // 198.51.100.2
    std::ifstream arp("/proc/net/arp");
    std::string line;
    while (std::getline(arp, line))
        if (line.starts_with("198.51.100.2 ") && line.find(interface) != line.npos)
            return parse_mac(line.substr(line.find(':') - 2, 17));
    throw std::runtime_error("no neighbour 198.51.100.2");
}

/// A packet socket on the interface that takes TCP to `source_port` only.
int open_socket(char const* interface) {
    int s = checked(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "packet socket");
    sock_filter code[] = {
        {BPF_LD | BPF_H | BPF_ABS, 0, 0, 12}, {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, ETHERTYPE_IP},
        {BPF_LD | BPF_H | BPF_ABS, 0, 0, 36}, {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, source_port},
        {BPF_RET | BPF_K, 0, 0, 0xffff},      {BPF_RET | BPF_K, 0, 0, 0}};
    sock_fprog filter{6, code};
    checked(::setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter), "filter");
    int size = 16 << 20;
    ::setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    sockaddr_ll where{};
    where.sll_family = AF_PACKET, where.sll_protocol = htons(ETH_P_IP);
    where.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
    checked(::bind(s, reinterpret_cast<sockaddr*>(&where), sizeof where), "bind");
    return s;
}

}  // namespace

rate plain_sr(char const* interface, std::uint32_t first, std::uint32_t targets, std::uint32_t window) {
    auto const to = gateway(interface);
    auto const from = parse_mac(first_word_of(std::string("/sys/class/net/") + interface + "/address"));
    int s = open_socket(interface);
    std::vector<syn> out(batch, make_syn(to, from));
    std::vector<std::array<std::uint8_t, 128>> in(batch);
    std::vector<iovec> out_parts(batch), in_parts(batch);
    std::vector<mmsghdr> out_messages(batch), in_messages(batch);
    for (unsigned i = 0; i < batch; ++i) {
        out_parts[i] = {&out[i], sizeof(syn)}, in_parts[i] = {in[i].data(), in[i].size()};
        out_messages[i].msg_hdr.msg_iov = &out_parts[i], out_messages[i].msg_hdr.msg_iovlen = 1;
        in_messages[i].msg_hdr.msg_iov = &in_parts[i], in_messages[i].msg_hdr.msg_iovlen = 1;
    }
    std::vector<bool> seen(targets);
    rate r;
    std::uint32_t sent = 0;
    auto const begin = steady::now();
    auto last = begin;
    while (r.answered < targets && std::chrono::duration<double>(steady::now() - last).count() < 0.2) {
        if (sent < targets && sent - r.answered < window) {
            auto n = std::min(batch, targets - sent);
            for (unsigned i = 0; i < n; ++i) aim(out[i], first + sent + i);
            int done = ::sendmmsg(s, out_messages.data(), n, 0);
            if (done > 0) sent += static_cast<std::uint32_t>(done);
        }
        int got = ::recvmmsg(s, in_messages.data(), batch, 0, nullptr);
        if (got <= 0 && (sent == targets || sent - r.answered >= window)) {
            pollfd readable{s, POLLIN, 0};
            ::poll(&readable, 1, 50);
        }
        for (int i = 0; i < got; ++i) {
            std::uint32_t address = 0;
            std::memcpy(&address, &in[static_cast<std::size_t>(i)][26], 4);
            auto index = ntohl(address) - first;
            if (index >= targets || seen[index]) continue;
            seen[index] = true;
            ++r.answered;
            last = steady::now();
        }
    }
    r.seconds = std::chrono::duration<double>(last - begin).count();
    ::close(s);
    return r;
}

}  // namespace bench
