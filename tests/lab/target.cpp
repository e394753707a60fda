// What the target of `sonde lab` answers, and what it does not, seen through the kernel's own sockets.
// ctest runs this inside the lab.

#include "support/catch.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// An address and port of either family, as the socket calls want it.
struct endpoint {
    sockaddr_storage storage{};
    socklen_t size = 0;

    endpoint(std::string const& text, int port) {
        auto order = htons(static_cast<std::uint16_t>(port));
        auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
        auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
        if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
            v4.sin_family = AF_INET;
            v4.sin_port = order;
            size = sizeof v4;
        } else {
            storage = {};
            REQUIRE(::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1);
            v6.sin6_family = AF_INET6;
            v6.sin6_port = order;
            size = sizeof v6;
        }
    }
    sockaddr const* get() const { return reinterpret_cast<sockaddr const*>(&storage); }
    int family() const { return storage.ss_family; }
};

/// A non-blocking socket.
struct socket_fd {
    int fd;
    socket_fd(int family, int type, int protocol = 0) : fd(::socket(family, type | SOCK_NONBLOCK, protocol)) {
        REQUIRE(fd >= 0);
    }
    socket_fd(socket_fd const&) = delete;
    socket_fd& operator=(socket_fd const&) = delete;
    ~socket_fd() { ::close(fd); }

    bool wait(short events, std::chrono::milliseconds limit = 2s) const {
        pollfd state{fd, events, 0};
        return ::poll(&state, 1, static_cast<int>(limit.count())) == 1;
    }
    int error() const {
        int code = 0;
        socklen_t size = sizeof code;
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
        return code;
    }
};

/// What a TCP connection attempt comes to: 0, ECONNREFUSED, ... or ETIMEDOUT when nothing came within
/// `limit`.
int connect_to(socket_fd const& s, endpoint const& to, std::chrono::milliseconds limit = 2s) {
    if (::connect(s.fd, to.get(), to.size) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    return s.wait(POLLOUT, limit) ? s.error() : ETIMEDOUT;
}

/// Addresses at the edges of both ranges and between, and the target's own.
auto const answering = {"198.18.0.0",       "198.18.0.1",
                        "198.18.77.3",      "198.19.255.255",
                        "198.51.100.2",     "2001:db8::",
                        "2001:db8::1",      "2001:db8:1234:5678::9",
                        "2001:db8:ffff::2", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"};
auto const silent = {"198.19.248.0", "198.19.248.9", "198.19.248.255",
                     "2001:db8:dead::", "2001:db8:dead:ffff::1"};

/// An echo request of either family for a ping socket, which writes the identifier and the checksum itself.
std::array<std::uint8_t, 8> echo_request(int family, int sequence) {
    return {static_cast<std::uint8_t>(family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST),
            0,
            0,
            0,
            0,
            0,
            static_cast<std::uint8_t>(sequence >> 8),
            static_cast<std::uint8_t>(sequence)};
}

int ping_protocol(int family) {
    return family == AF_INET ? IPPROTO_ICMP : static_cast<int>(IPPROTO_ICMPV6);
}

/// Reads everything that waits on `s`, and puts each sender's address into `senders`.
void collect_senders(socket_fd const& s, std::set<std::string>& senders) {
    std::array<char, 2048> data;
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    while (::recvfrom(s.fd, data.data(), data.size(), 0, reinterpret_cast<sockaddr*>(&from), &size) >= 0) {
        auto const* v4 = reinterpret_cast<sockaddr_in const*>(&from);
        auto const* v6 = reinterpret_cast<sockaddr_in6 const*>(&from);
        void const* address =
            from.ss_family == AF_INET ? static_cast<void const*>(&v4->sin_addr) : &v6->sin6_addr;
        std::array<char, INET6_ADDRSTRLEN> text{};
        senders.insert(::inet_ntop(from.ss_family, address, text.data(), text.size()));
        size = sizeof from;
    }
}

constexpr std::uint32_t nobody = 0xc0000201;  // 192.0.2.1: answers reach this host, which does not own it

/// A SYN from `nobody` to port 80 of `to`, with a whole checksum (RFC 9293 §3.1).
struct syn {
    iphdr ip{};
    tcphdr tcp{};

    explicit syn(std::uint32_t to) {
        ip.version = 4;
        ip.ihl = 5;
        ip.ttl = 64;
        ip.protocol = IPPROTO_TCP;
        ip.saddr = htonl(nobody);
        ip.daddr = htonl(to);
        tcp.th_sport = htons(40000);
        tcp.th_dport = htons(80);
        tcp.th_off = sizeof tcp / 4;
        tcp.th_flags = TH_SYN;
        std::uint32_t sum = IPPROTO_TCP + sizeof tcp;
        for (auto word : {nobody >> 16, nobody & 0xffff, to >> 16, to & 0xffff}) sum += word;
        std::array<std::uint8_t, sizeof tcp> bytes{};
        std::memcpy(bytes.data(), &tcp, sizeof tcp);
        for (std::size_t i = 0; i < bytes.size(); i += 2)
            sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
        sum = (sum >> 16) + (sum & 0xffff);
        tcp.th_sum = htons(static_cast<std::uint16_t>(~((sum >> 16) + sum)));
    }
};

/// Puts the source of every SYN/ACK to `nobody` that waits on a packet socket into `senders`.
void collect_syn_acks(socket_fd const& s, std::set<std::uint32_t>& senders) {
    std::array<char, 2048> data;
    for (ssize_t size; (size = ::recv(s.fd, data.data(), data.size(), 0)) >= 0;) {
        if (static_cast<std::size_t>(size) < sizeof(iphdr) + sizeof(tcphdr)) continue;
        iphdr ip{};
        tcphdr tcp{};
        std::memcpy(&ip, data.data(), sizeof ip);
        std::memcpy(&tcp, data.data() + sizeof ip, sizeof tcp);
        if (ip.daddr == htonl(nobody) && tcp.th_flags == (TH_SYN | TH_ACK)) senders.insert(ip.saddr);
    }
}

}  // namespace

TEST_CASE("TCP ports 22, 80 and 443 of every address accept, and close without a reset", "[lab]") {
    char const* address = GENERATE(values(answering));
    int port = GENERATE(22, 80, 443);
    INFO(address << " port " << port);
    endpoint to(address, port);
    socket_fd s(to.family(), SOCK_STREAM);
    REQUIRE(connect_to(s, to) == 0);
    CHECK(::send(s.fd, "GET /\r\n", 7, MSG_NOSIGNAL) == 7);
    char byte = 0;
    REQUIRE(s.wait(POLLIN));
    CHECK(::recv(s.fd, &byte, 1, 0) == 0);
    CHECK(::send(s.fd, "more", 4, MSG_NOSIGNAL) == 4);
    ::shutdown(s.fd, SHUT_WR);
    CHECK(s.error() == 0);
}

TEST_CASE("every other TCP port refuses", "[lab]") {
    char const* address = GENERATE(values(answering));
    int port = GENERATE(1, 7, 21, 23, 81, 444, 65535);
    INFO(address << " port " << port);
    endpoint to(address, port);
    CHECK(connect_to(socket_fd(to.family(), SOCK_STREAM), to) == ECONNREFUSED);
}

TEST_CASE("UDP port 7 echoes, from the address that was asked", "[lab]") {
    char const* address = GENERATE(values(answering));
    INFO(address);
    endpoint to(address, 7);
    socket_fd s(to.family(), SOCK_DGRAM);
    REQUIRE(::connect(s.fd, to.get(), to.size) == 0);  // from now on only this address is heard
    std::string sent(GENERATE(0U, 1U, 1400U, 3000U), 'x'), received(4000, '-');
    REQUIRE(::send(s.fd, sent.data(), sent.size(), 0) == static_cast<ssize_t>(sent.size()));
    REQUIRE(s.wait(POLLIN));
    auto size = ::recv(s.fd, received.data(), received.size(), 0);
    REQUIRE(size >= 0);
    received.resize(static_cast<std::size_t>(size));
    CHECK(received == sent);
}

TEST_CASE("every other UDP port is unreachable", "[lab]") {
    char const* address = GENERATE(values(answering));
    INFO(address);
    endpoint to(address, GENERATE(1, 9, 53, 33434));
    socket_fd s(to.family(), SOCK_DGRAM);
    REQUIRE(::connect(s.fd, to.get(), to.size) == 0);
    REQUIRE(::send(s.fd, "x", 1, 0) == 1);
    REQUIRE(s.wait(POLLIN));
    CHECK(s.error() == ECONNREFUSED);
}

TEST_CASE("the silent ranges answer neither ping nor TCP nor UDP", "[lab]") {
    char const* address = GENERATE(values(silent));
    INFO(address);
    endpoint web(address, 80), closed(address, 81), echo(address, 7), unused(address, 9), host(address, 0);
    socket_fd tcp_open(web.family(), SOCK_STREAM), tcp_closed(web.family(), SOCK_STREAM);
    socket_fd udp_echo(web.family(), SOCK_DGRAM), udp_closed(web.family(), SOCK_DGRAM);
    socket_fd ping(web.family(), SOCK_DGRAM, ping_protocol(web.family()));

    CHECK(connect_to(tcp_open, web, 0ms) == ETIMEDOUT);
    CHECK(connect_to(tcp_closed, closed, 0ms) == ETIMEDOUT);
    for (auto [s, to] : {std::pair(&udp_echo, &echo), std::pair(&udp_closed, &unused)}) {
        REQUIRE(::connect(s->fd, to->get(), to->size) == 0);
        REQUIRE(::send(s->fd, "x", 1, 0) == 1);
    }
    auto request = echo_request(web.family(), 1);
    REQUIRE(::sendto(ping.fd, request.data(), request.size(), 0, host.get(), host.size) == 8);

    std::array<pollfd, 5> all{{{tcp_open.fd, POLLOUT, 0},
                               {tcp_closed.fd, POLLOUT, 0},
                               {udp_echo.fd, POLLIN, 0},
                               {udp_closed.fd, POLLIN, 0},
                               {ping.fd, POLLIN, 0}}};
    CHECK(::poll(all.data(), all.size(), 150) == 0);
}

TEST_CASE("5,000 pings to as many addresses are all answered", "[lab]") {
    auto const* format = GENERATE("198.18.%d.%d", "2001:db8:%x::%x");
    INFO(format);
    int family = std::strchr(format, ':') ? AF_INET6 : AF_INET;
    socket_fd s(family, SOCK_DGRAM, ping_protocol(family));
    std::set<std::string> asked, answered;
    for (int i = 0; i < 5000; ++i) {
        std::array<char, 64> text{};
        std::snprintf(text.data(), text.size(), format, i / 250, i % 250 + 1);
        asked.insert(text.data());
        endpoint to(text.data(), 0);
        auto request = echo_request(family, i);
        REQUIRE(::sendto(s.fd, request.data(), request.size(), 0, to.get(), to.size) == 8);
        if (i % 50 == 0) collect_senders(s, answered);
    }
    while (answered.size() < asked.size() && s.wait(POLLIN)) collect_senders(s, answered);
    CHECK(asked.size() == 5000);
    CHECK(answered.size() == asked.size());
}

TEST_CASE("no rate limit holds port unreachables back", "[lab]") {
    auto const* address = GENERATE("198.18.0.1", "2001:db8::1");
    INFO(address);
    int refused = 0;
    for (int i = 0; i < 3000; ++i) {
        endpoint to(address, 20000 + i);
        socket_fd s(to.family(), SOCK_DGRAM);
        REQUIRE(::connect(s.fd, to.get(), to.size) == 0);
        REQUIRE(::send(s.fd, "x", 1, 0) == 1);
        refused += s.wait(POLLIN, 1s) && s.error() == ECONNREFUSED;
        if (refused <= i) break;
    }
    CHECK(refused == 3000);
}

TEST_CASE("900 connections at once are all accepted", "[lab]") {
    std::vector<std::unique_ptr<socket_fd>> clients;
    for (int i = 0; i < 900; ++i) {
        auto address = (i % 2 ? "198.18.4." : "2001:db8:4::") + std::to_string(i % 250);
        endpoint to(address, 443);
        auto s = std::make_unique<socket_fd>(to.family(), SOCK_STREAM);
        int code = connect_to(*s, to);
        if (code == EMFILE || code != 0)
            FAIL("connection " << i << " to " << address << ": " << std::strerror(code));
        clients.push_back(std::move(s));
    }
    CHECK(clients.size() == 900);
}

TEST_CASE("20,000 connections that stay half open are all answered, once", "[lab]") {
    socket_fd out(AF_INET, SOCK_RAW, IPPROTO_RAW), in(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP));
    std::set<std::uint32_t> answered;
    for (std::uint32_t i = 0; i < 20000; ++i) {
        syn packet(0xc6120000 + i);  // 198.18.0.0 and on
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = packet.ip.daddr;
        auto const* target = reinterpret_cast<sockaddr const*>(&address);
        REQUIRE(::sendto(out.fd, &packet, sizeof packet, 0, target, sizeof address) == sizeof packet);
        if (i % 50 == 0) collect_syn_acks(in, answered);
    }
    while (answered.size() < 20000 && in.wait(POLLIN, 500ms)) collect_syn_acks(in, answered);
    CHECK(answered.size() == 20000);
    CHECK_FALSE(in.wait(POLLIN, 1300ms));  // TCP repeats a SYN/ACK after a second (RFC 6298 §2)
}
