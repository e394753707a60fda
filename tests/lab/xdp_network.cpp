// The network's verbs through AF_XDP sockets, and the host that goes on working beside them.
#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/own_netns.hpp"
#include "support/run.hpp"

#include <sonde/link/xdp_socket.hpp>
#include <sonde/sonde.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;
using sonde::test::own_netns;

namespace {

constexpr std::uint16_t echo_port = 7;

sockaddr_in address(char const* host, std::uint16_t port) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    ::inet_pton(AF_INET, host, &a.sin_addr);
    return a;
}

int bound(int type) {
    int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    auto at = address("0.0.0.0", echo_port);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) throw std::runtime_error("bind");
    return fd;
}

/// Echoes datagrams, from the address that they went to.
void echo_datagrams() {
    int fd = bound(SOCK_DGRAM), on = 1;
    ::setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    char some[2048];
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in_pktinfo))];
    for (;;) {
        sockaddr_in from{};
        iovec payload{some, sizeof some};
        msghdr message{};
        message.msg_name = &from, message.msg_namelen = sizeof from;
        message.msg_iov = &payload, message.msg_iovlen = 1;
        message.msg_control = control, message.msg_controllen = sizeof control;
        auto n = ::recvmsg(fd, &message, 0);
        auto* where = CMSG_FIRSTHDR(&message);
        if (n < 0 || !where) continue;
        auto* info = reinterpret_cast<in_pktinfo*>(CMSG_DATA(where));
        info->ipi_spec_dst = info->ipi_addr, info->ipi_ifindex = 0;
        payload.iov_len = static_cast<std::size_t>(n);
        ::sendmsg(fd, &message, 0);
    }
}

/// Echoes for ever.
void serve_echo() {
    std::thread(echo_datagrams).detach();
    int listener = bound(SOCK_STREAM);
    ::listen(listener, 4096);
    for (;;) {
        int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        std::thread([fd] {
            char some[4096];
            for (ssize_t n; (n = ::read(fd, some, sizeof some)) > 0;)
                if (::write(fd, some, static_cast<std::size_t>(n)) != n) break;
            ::close(fd);
        }).detach();
    }
}

/// A host of the kernel's own at the far end of a wire: it answers for 198.18.0.0/20 and 2001:db8:1::/48, by
/// RST but for port 7, where it echoes. The near end, `near`, has one interface, and knows no neighbour.
class two_hosts {
public:
    two_hosts() {
        int ready[2], go[2];
        REQUIRE(::pipe(ready) == 0);
        REQUIRE(::pipe(go) == 0);
        child_ = support::fork_to([&] {
            own_netns other;
            char x = 'x';
            if (::write(ready[1], &x, 1) != 1 || ::read(go[0], &x, 1) != 1) return 1;
            own_netns::run("ip addr add 198.51.100.2/24 dev far && ip link set far up");
            own_netns::run("ip -6 addr add 2001:db8::2/64 dev far nodad");
            own_netns::run("ip route add local 198.18.0.0/20 dev lo");
            own_netns::run("ip -6 route add local 2001:db8:1::/48 dev lo");
            own_netns::run("sysctl -q -w net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=1000000");
            if (::write(ready[1], &x, 1) != 1) return 1;
            serve_echo();
            return 0;
        });
        char x = 'x';
        REQUIRE(::read(ready[0], &x, 1) == 1);
        own_netns::run("ip link add near type veth peer name far netns " + std::to_string(child_));
        own_netns::run("ip addr add 198.51.100.1/24 dev near && ip link set near up");
        own_netns::run("ip -6 addr add 2001:db8::1/64 dev near nodad");
        REQUIRE(::write(go[1], &x, 1) == 1);
        REQUIRE(::read(ready[0], &x, 1) == 1);
        own_netns::await_carrier("near");
        own_netns::run("ip route add default via 198.51.100.2 && ip -6 route add default via 2001:db8::2");
        for (int fd : {ready[0], ready[1], go[0], go[1]}) ::close(fd);
    }
    ~two_hosts() {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
    }

private:
    own_netns net_;
    pid_t child_;
};

/// Of this namespace's own TCP.
long resets_sent() {
    std::ifstream table("/proc/self/net/snmp");
    std::string names, values;
    while (std::getline(table, names) && std::getline(table, values)) {
        if (!names.starts_with("Tcp:")) continue;
        std::istringstream n(names), v(values);
        for (std::string name, value; n >> name && v >> value;)
            if (name == "OutRsts") return std::stol(value);
    }
    return -1;
}

/// A connection of the host's own: what it sends comes back, at least once and until it is told to end.
bool echo_by_kernel(std::atomic<bool> const& end, std::atomic<std::size_t>& rounds) {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    timeval patience{5, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    auto to = address("198.18.1.1", echo_port);
    bool right = ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    std::string sent(1000, 'x'), got(1000, ' ');
    for (std::size_t n = 0; right; rounds = ++n) {
        sent[n % sent.size()] = static_cast<char>('a' + n % 26);
        right = ::send(fd, sent.data(), sent.size(), MSG_NOSIGNAL) == 1000 &&
                ::recv(fd, got.data(), got.size(), MSG_WAITALL) == 1000 && got == sent;
        if (end) break;
    }
    ::close(fd);
    return right;
}

/// Such a connection, as long as this lives.
class host_connection {
public:
    host_connection() : thread_([this] { right_ = echo_by_kernel(end_, rounds_); }) {}
    ~host_connection() { is_right(); }
    std::size_t rounds() const { return rounds_; }
    /// Ends it.
    bool is_right() {
        end_ = true;
        if (thread_.joinable()) thread_.join();
        return right_;
    }

private:
    std::atomic<bool> end_ = false;
    std::atomic<std::size_t> rounds_ = 0;
    bool right_ = false;
    std::thread thread_;
};

asio::awaitable<std::size_t> answered(network& net, packet_set probes) {
    std::size_t n = 0;
    auto answers = net.sr(probes, {.timeout = 2s, .retry = 1});
    while (co_await answers.next()) ++n;
    co_return n;
}

}  // namespace

TEST_CASE("by AF_XDP a scan finds everything, and the host's own connections go on", "[xdp][lab][net]") {
    two_hosts hosts;
    host_connection other;
    support::run([&]() -> asio::awaitable<void> {
        network net(co_await asio::this_coro::executor, {.xdp = true});
        net.open("near");
        auto before = resets_sent();
        auto rounds = other.rounds();
        CHECK(co_await answered(net, IP{.dst = "198.18.0.0/20"} / TCP{.dport = echo_port}) == 4096);
        CHECK(resets_sent() == before);  // the kernel has not seen their SYN/ACKs
        CHECK(co_await answered(net, IP{.dst = "198.18.0.0/20"} / TCP{.dport = 81}) == 4096);
        CHECK(co_await answered(net, IPv6{.dst = "2001:db8:1::/118"} / TCP{.dport = 81}) == 1024);
        CHECK(co_await answered(net, IP{.dst = "198.18.2.0/24"} / UDP{.dport = echo_port} / Raw{"hello"}) ==
              256);
        CHECK(co_await answered(net, IP{.dst = "198.18.3.0/24"} / ICMP{}) == 256);
        // An ICMP error, which the program lets pass.
        auto refused = co_await net.sr1(IP{.dst = "198.18.4.1"} / UDP{.dport = 9}, {.timeout = 2s});
        REQUIRE(refused);
        CHECK(refused->received.has<ICMP>());
        CHECK(other.rounds() > rounds + 10);  // while it was open
    });
    CHECK(other.is_right());
}

TEST_CASE("by AF_XDP neighbours are found, by probes and by the kernel", "[xdp][lab][net]") {
    two_hosts hosts;
    support::run([]() -> asio::awaitable<void> {
        network net(co_await asio::this_coro::executor, {.xdp = true});
        net.open("near");
        own_netns::run("ip neigh flush dev near");
        CHECK(co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 2s}));
        CHECK(co_await net.sr1(IPv6{.dst = "2001:db8:1::1"} / ICMPv6EchoRequest{}, {.timeout = 2s}));
        CHECK(co_await net.srp1(Ether{.dst = "ff:ff:ff:ff:ff:ff"} / ARP{.pdst = "198.51.100.2"},
                                {.timeout = 2s}));
        own_netns::run("ip neigh flush dev near");
        std::atomic<std::size_t> rounds = 0;
        CHECK(echo_by_kernel(true, rounds));
        own_netns::run("ping -c1 -W2 2001:db8:1::1 > /dev/null");
    });
}

TEST_CASE("without an AF_XDP socket a network that asks for it says why, and uses nothing else",
          "[xdp][lab][net]") {
    two_hosts hosts;
    support::run([]() -> asio::awaitable<void> {
        auto executor = co_await asio::this_coro::executor;
        network first(executor, {.xdp = true}), second(executor, {.xdp = true}), usual(executor);
        first.open("near");
        error_code ec;
        co_await second.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s},
                            asio::redirect_error(asio::use_awaitable, ec));
        CHECK(ec == boost::system::errc::device_or_resource_busy);
        CHECK(second.why().find("another XDP program") != std::string::npos);
        CHECK(co_await usual.sr1(IP{.dst = "198.18.0.1"} / TCP{.dport = 81}, {.timeout = 1s}));
        CHECK(co_await second.sr1(IP{.dst = "127.0.0.1"} / ICMP{}, {.timeout = 1s}));  // as ever
    });
}
