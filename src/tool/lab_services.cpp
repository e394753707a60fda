#include "tool/lab_services.hpp"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <system_error>

namespace sonde::inline v0::detail {
namespace {

constexpr std::array<std::uint16_t, 3> tcp_ports{22, 80, 443};
constexpr std::uint16_t echo_port = 7;
constexpr int echo_sockets = 8;  // each has a receive buffer of its own, and only root may make one larger
constexpr std::size_t max_connections = 8192;

[[noreturn]] void fail(char const* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void set_option(unique_fd const& fd, int level, int option) {
    int on = 1;
    if (::setsockopt(fd.get(), level, option, &on, sizeof on) < 0) fail("set an option of a lab service");
}

/// A socket on every address of one family; none where the kernel has no such family.
unique_fd open_service(int family, int type, std::uint16_t port) {
    unique_fd fd(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd.get() < 0) {
        if (errno == EAFNOSUPPORT) return fd;
        fail("open a socket of a lab service");
    }
    set_option(fd, SOL_SOCKET, type == SOCK_STREAM ? SO_REUSEADDR : SO_REUSEPORT);
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v6.sin6_family = AF_INET6;
    v4.sin_port = v6.sin6_port = htons(port);
    if (family == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    auto const* address =
        family == AF_INET ? reinterpret_cast<sockaddr const*>(&v4) : reinterpret_cast<sockaddr const*>(&v6);
    if (::bind(fd.get(), address, family == AF_INET ? sizeof v4 : sizeof v6) < 0)
        fail("bind a port of the lab");
    return fd;
}

/// Sends every waiting datagram back. The control message that came with it (IP_PKTINFO) says which address
/// was asked, and the same message makes it the source of the answer.
void echo(int fd) {
    alignas(cmsghdr) std::array<std::byte, 128> control;
    std::array<std::byte, 65536> data;
    sockaddr_storage peer{};
    while (true) {
        iovec piece{data.data(), data.size()};
        msghdr message{};
        message.msg_name = &peer;
        message.msg_namelen = sizeof peer;
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        auto size = ::recvmsg(fd, &message, 0);
        if (size < 0) return;
        piece.iov_len = static_cast<std::size_t>(size);
        message.msg_flags = 0;
        ::sendmsg(fd, &message, 0);  // what cannot be sent is lost, as a datagram may be
    }
}

/// What an epoll event is about: a kind, and an index into that kind's list.
enum class source : std::uint32_t { listener, echo, connection };

void watch(unique_fd const& poll, int fd, source kind, std::size_t index) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.u64 = std::uint64_t{static_cast<std::uint32_t>(kind)} << 32 | index;
    if (::epoll_ctl(poll.get(), EPOLL_CTL_ADD, fd, &event) < 0) fail("wait for clients of the lab");
}

/// Reads what the peer still sends; true once it has closed, too.
bool drained(int fd) {
    std::array<std::byte, 4096> data;
    while (true) {
        auto size = ::recv(fd, data.data(), data.size(), 0);
        if (size <= 0) return size == 0 || errno != EAGAIN;
    }
}

}  // namespace

lab_services::lab_services() {
    for (int family : {AF_INET, AF_INET6}) {
        for (auto port : tcp_ports) {
            auto fd = open_service(family, SOCK_STREAM, port);
            if (fd.get() < 0) break;
            if (::listen(fd.get(), 65535) < 0) fail("listen on a port of the lab");
            listeners_.push_back(std::move(fd));
        }
        for (int i = 0; i < echo_sockets; ++i) {
            auto fd = open_service(family, SOCK_DGRAM, echo_port);
            if (fd.get() < 0) break;
            family == AF_INET ? set_option(fd, IPPROTO_IP, IP_PKTINFO)
                              : set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
            echoes_.push_back(std::move(fd));
        }
    }
}

/// Our end closes at once, the peer's when it likes: neither side is reset.
void lab_services::accept_all(int listener) {
    while (true) {
        unique_fd connection(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (connection.get() < 0) return;
        ::shutdown(connection.get(), SHUT_WR);
        if (!drained(connection.get())) keep(std::move(connection));
    }
}

void lab_services::keep(unique_fd connection) {
    watch(poll_, connection.get(), source::connection, next_);
    connections_[next_] = std::move(connection);
    next_ = (next_ + 1) % connections_.size();
}

void lab_services::prepare() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) < 0) fail("read the limit of open files");
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);  // else fewer clients are kept waiting for their own close
    connections_ = std::vector<unique_fd>(std::min<std::size_t>(max_connections, files.rlim_cur / 2));

    poll_ = unique_fd(::epoll_create1(EPOLL_CLOEXEC));
    if (poll_.get() < 0) fail("wait for clients of the lab");
    for (std::size_t i = 0; i < listeners_.size(); ++i)
        watch(poll_, listeners_[i].get(), source::listener, i);
    for (std::size_t i = 0; i < echoes_.size(); ++i) watch(poll_, echoes_[i].get(), source::echo, i);
}

void lab_services::serve() {
    prepare();
    std::array<epoll_event, 64> events;
    while (true) {
        int ready = ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()), -1);
        if (ready < 0 && errno != EINTR) fail("wait for clients of the lab");
        for (auto const& event : std::span(events.data(), static_cast<std::size_t>(std::max(ready, 0)))) {
            auto index = static_cast<std::size_t>(event.data.u64 & 0xffffffff);
            switch (static_cast<source>(event.data.u64 >> 32)) {
                case source::listener: accept_all(listeners_[index].get()); break;
                case source::echo: echo(echoes_[index].get()); break;
                case source::connection:
                    if (drained(connections_[index].get())) connections_[index] = unique_fd();
                    break;
            }
        }
    }
}

}  // namespace sonde::inline v0::detail
