#include "link/echo_socket.hpp"

#include "link/system.hpp"

#include <sonde/packet/checksum.hpp>

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <optional>

namespace sonde::inline v0::detail {
namespace {

using bytes = std::span<std::byte const>;

constexpr std::size_t icmp_header = 8;
constexpr std::size_t front_room = 40 + icmp_header + 40;  // before a quote: two IPv6 headers, an ICMPv6 one
constexpr std::size_t largest = 65536;
constexpr int pending_errors = 16;  // of ICMP, that a call may report in place of its own outcome, in a row

void put16(std::byte* at, std::size_t value) noexcept {
    at[0] = static_cast<std::byte>(value >> 8);
    at[1] = static_cast<std::byte>(value);
}
unsigned get16(bytes from, std::size_t at) noexcept {
    return std::to_integer<unsigned>(from[at]) << 8 | std::to_integer<unsigned>(from[at + 1]);
}
unsigned octet(bytes from, std::size_t at) noexcept {
    return std::to_integer<unsigned>(from[at]);
}

bool set_option(int fd, int level, int name, int value) noexcept {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/// That answers, and what becomes of requests, are told with their addresses, TTL, TOS and times.
bool ask_for_all(int fd, bool v6) noexcept {
    bool common =
        set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1) && set_option(fd, SOL_SOCKET, SO_BROADCAST, 1);
    if (!v6)
        return common && set_option(fd, IPPROTO_IP, IP_RECVERR, 1) &&
               set_option(fd, IPPROTO_IP, IP_PKTINFO, 1) && set_option(fd, IPPROTO_IP, IP_RECVTTL, 1) &&
               set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
    constexpr int ipv6_autoflowlabel = 70;  // linux/in6.h, which does not go with netinet/in.h
    return common && set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1) &&
           set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
           set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) &&
           set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1) &&
           set_option(fd, IPPROTO_IPV6, ipv6_autoflowlabel, 0);
}

int bind_to(int fd, bool v6, std::uint16_t id) noexcept {
    sockaddr_in6 any6{};
    any6.sin6_family = AF_INET6, any6.sin6_port = htons(id);
    sockaddr_in any{};
    any.sin_family = AF_INET, any.sin_port = htons(id);
    int failed = v6 ? ::bind(fd, reinterpret_cast<sockaddr*>(&any6), sizeof any6)
                    : ::bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any);
    return failed ? errno : 0;
}

/// The socket reports an ICMP error by the next call, whatever that is for; the error's queue has it in full.
bool is_told_by_icmp(int number) noexcept {
    switch (number) {
        case ECONNREFUSED:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EHOSTDOWN:
        case ENONET:
        case EOPNOTSUPP:
        case EREMOTEIO:
        case EPROTO:
        case ENOPROTOOPT:
        case EACCES:
        case EMSGSIZE: return true;
        default: return false;
    }
}

}  // namespace

/// What the kernel told with a message.
struct echo_socket::message {
    union {
        sockaddr_in v4;
        sockaddr_in6 v6;
    } name;                         // who answers; of an error, whom the request was for
    std::array<std::byte, 16> own;  // the address it came to
    std::array<std::byte, 16> offender;
    sock_extended_err problem;
    timespec stamp;
    std::size_t length;
    int ttl, tos, interface;
    bool is_error, has_own;

    bytes peer(bool is_v6) const {
        return is_v6 ? std::as_bytes(std::span(&name.v6.sin6_addr, 1))
                     : std::as_bytes(std::span(&name.v4.sin_addr, 1));
    }
    void read(msghdr& header, bool is_v6);
    template <class Address>
    void read_problem(cmsghdr const* c, std::size_t address_at);
};

namespace {

template <class T>
T content_of(cmsghdr const* c) noexcept {
    T value;
    std::memcpy(&value, CMSG_DATA(c), sizeof value);
    return value;
}

template <class T>
void copy_address(std::array<std::byte, 16>& to, T const& address) noexcept {
    std::memcpy(to.data(), &address, sizeof address);
}

bool is(cmsghdr const* c, int level, int type) noexcept {
    return c->cmsg_level == level && c->cmsg_type == type;
}

}  // namespace

template <class Address>
void echo_socket::message::read_problem(cmsghdr const* c, std::size_t address_at) {
    problem = content_of<sock_extended_err>(c);
    is_error = true;
    if (c->cmsg_len < CMSG_LEN(sizeof problem + address_at + sizeof(Address))) return;
    std::memcpy(offender.data(), CMSG_DATA(c) + sizeof problem + address_at, sizeof(Address));
}

void echo_socket::message::read(msghdr& header, bool is_v6) {
    for (auto* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
        if (is(c, SOL_SOCKET, SO_TIMESTAMPNS)) stamp = content_of<timespec>(c);
        if (!is_v6 && is(c, IPPROTO_IP, IP_TTL)) ttl = content_of<int>(c);
        if (!is_v6 && is(c, IPPROTO_IP, IP_TOS)) tos = content_of<unsigned char>(c);
        if (is_v6 && is(c, IPPROTO_IPV6, IPV6_HOPLIMIT)) ttl = content_of<int>(c);
        if (is_v6 && is(c, IPPROTO_IPV6, IPV6_TCLASS)) tos = content_of<int>(c);
        if (!is_v6 && is(c, IPPROTO_IP, IP_PKTINFO)) {
            auto about = content_of<in_pktinfo>(c);
            copy_address(own, about.ipi_addr);
            interface = about.ipi_ifindex, has_own = true;
        }
        if (is_v6 && is(c, IPPROTO_IPV6, IPV6_PKTINFO)) {
            auto about = content_of<in6_pktinfo>(c);
            copy_address(own, about.ipi6_addr);
            interface = static_cast<int>(about.ipi6_ifindex), has_own = true;
        }
        if (!is_v6 && is(c, IPPROTO_IP, IP_RECVERR))
            read_problem<in_addr>(c, offsetof(sockaddr_in, sin_addr));
        if (is_v6 && is(c, IPPROTO_IPV6, IPV6_RECVERR))
            read_problem<in6_addr>(c, offsetof(sockaddr_in6, sin6_addr));
    }
}

std::unique_ptr<echo_socket> echo_socket::open(asio::any_io_executor executor, int interface, bool v6,
                                               std::span<std::uint16_t const> ids, std::size_t buffer,
                                               error_code& ec, std::string* why) {
    auto info = interface_info(interface, ec);
    if (ec) return nullptr;
    auto place = "ping socket on " + info.name;
    auto fail = [&](char const* step) -> std::unique_ptr<echo_socket> {
        report_failure(system_failure(place, step), ec, why);
        return nullptr;
    };
    unique_fd fd(::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                          v6 ? static_cast<int>(IPPROTO_ICMPV6) : static_cast<int>(IPPROTO_ICMP)));
    if (!fd) return fail("socket");
    if (!ask_for_all(fd.get(), v6)) return fail("setsockopt");
    set_option(fd.get(), SOL_SOCKET, SO_RCVBUF,
               static_cast<int>(std::min<std::size_t>(buffer / 2, 1 << 30)));  // the kernel doubles it
    int refused = EADDRINUSE;
    auto bound = std::ranges::find_if(
        ids, [&](auto id) { return (refused = bind_to(fd.get(), v6, id)) != EADDRINUSE; });
    errno = refused;
    if (refused != 0) return fail("bind");
    std::unique_ptr<echo_socket> opened(new echo_socket(std::move(executor), std::move(info), v6));
    opened->id_ = *bound;
    if ((ec = opened->waits_.assign(std::move(fd)))) return nullptr;
    return opened;
}

echo_socket::echo_socket(asio::any_io_executor executor, link_info info, bool v6)
    : waits_(std::move(executor)), info_(std::move(info)), v6_(v6), room_(front_room + largest) {
    info_.type = link_type::raw;
}

std::size_t echo_socket::receive(std::size_t limit, frame_sink sink, error_code& ec) {
    ec = {};
    std::size_t taken = 0;
    while (taken < limit && (take_one(MSG_ERRQUEUE, sink) || take_one(0, sink))) ++taken;
    received_ += taken;
    return taken;
}

/// False when nothing is there.
bool echo_socket::take_one(int flags, frame_sink sink) {
    for (int told = 0; told < pending_errors;) {
        message m{};
        alignas(cmsghdr) std::array<std::byte, 512> control;
        iovec place{room_.data() + front_room, largest};
        msghdr header{.msg_name = &m.name,
                      .msg_namelen = sizeof m.name,
                      .msg_iov = &place,
                      .msg_iovlen = 1,
                      .msg_control = control.data(),
                      .msg_controllen = control.size(),
                      .msg_flags = 0};
        auto n = ::recvmsg(waits_.fd(), &header, flags | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && is_told_by_icmp(errno) && ++told) continue;
        if (n < 0) return false;
        m.length = static_cast<std::size_t>(n);
        m.read(header, v6_);
        // What this host itself refused is no message from anywhere: `transmit` has told of it.
        auto origin = v6_ ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP;
        if (m.length < icmp_header || !m.has_own || (m.is_error && m.problem.ee_origin != origin)) continue;
        sink(m.is_error ? error(m) : reply(m));
        return true;
    }
    return false;
}

/// The addresses and what came with them; RFC 791 §3.1, RFC 8200 §3.
void echo_socket::put_ip_header(std::size_t at, std::size_t end, bytes from, bytes to, int ttl, int tos) {
    auto* h = room_.data() + at;
    std::memset(h, 0, v6_ ? 40 : 20);
    if (v6_) {
        put16(h, 0x6000 | static_cast<unsigned>(tos) << 4);
        put16(h + 4, end - at - 40);
        h[6] = std::byte(IPPROTO_ICMPV6), h[7] = static_cast<std::byte>(ttl);
        std::ranges::copy(from.first(16), h + 8);
        std::ranges::copy(to.first(16), h + 24);
        return;
    }
    h[0] = std::byte(0x45), h[1] = static_cast<std::byte>(tos);
    put16(h + 2, end - at);
    h[8] = static_cast<std::byte>(ttl), h[9] = std::byte(IPPROTO_ICMP);
    std::ranges::copy(from.first(4), h + 12);
    std::ranges::copy(to.first(4), h + 16);
    internet_checksum sum;
    sum.add({h, 20});
    put16(h + 10, sum.finish());
}

received_frame echo_socket::framed(std::size_t begin, message const& m) {
    frame f;
    f.bytes = bytes(room_).subspan(begin, front_room + m.length - begin);
    f.length = static_cast<std::uint32_t>(f.bytes.size());
    auto stamp = m.stamp;
    if (stamp.tv_sec == 0) ::clock_gettime(CLOCK_REALTIME, &stamp);
    f.time = timestamp(std::chrono::seconds(stamp.tv_sec) + std::chrono::nanoseconds(stamp.tv_nsec));
    f.type = link_type::raw;
    f.interface = m.interface;
    return received_frame(f);
}

received_frame echo_socket::reply(message const& m) {
    auto begin = front_room - (v6_ ? 40 : 20);
    put_ip_header(begin, front_room + m.length, m.peer(v6_), m.own, m.ttl, m.tos);
    return framed(begin, m);
}

/// The message comes from the offender and quotes our request; RFC 792, RFC 4443 §3.
received_frame echo_socket::error(message const& m) {
    std::size_t ip = v6_ ? 40 : 20, end = front_room + m.length;
    auto quote = front_room - ip, begin = quote - icmp_header - ip;
    put_ip_header(quote, end, m.own, m.peer(v6_), 0, 0);
    if (!v6_) {  // as in the packet that `transmit` took
        put16(room_.data() + quote + 4, id_);
        put16(room_.data() + quote + 10, 0);
        internet_checksum sum;
        sum.add({room_.data() + quote, ip});
        put16(room_.data() + quote + 10, sum.finish());
    }
    put_ip_header(begin, end, m.offender, m.own, m.ttl, m.tos);
    auto* icmp = room_.data() + quote - icmp_header;
    std::memset(icmp, 0, icmp_header);
    icmp[0] = std::byte(m.problem.ee_type), icmp[1] = std::byte(m.problem.ee_code);
    if (v6_) {
        auto info = htonl(m.problem.ee_info);  // the MTU, or where the problem is
        std::memcpy(icmp + 4, &info, sizeof info);
    } else if (m.problem.ee_type == 3) {
        put16(icmp + 6, m.problem.ee_info);  // next-hop MTU, RFC 1191
    } else if (m.problem.ee_type == 12) {
        icmp[4] = static_cast<std::byte>(m.problem.ee_info);
    }
    internet_checksum sum;
    if (v6_) {  // pseudo-header, RFC 8200 §8.1
        sum.add({room_.data() + begin + 8, 32});
        sum.add32(static_cast<std::uint32_t>(end - begin - ip));
        sum.add32(IPPROTO_ICMPV6);
    }
    sum.add({icmp, room_.data() + end});
    put16(icmp + 2, sum.finish());
    return framed(begin, m);
}

/// Sets an option of the packets to come, unless it is so already.
bool echo_socket::set(int name, int& known, int value) noexcept {
    if (known == value) return true;
    if (!set_option(waits_.fd(), v6_ ? IPPROTO_IPV6 : IPPROTO_IP, name, value)) return false;
    known = value;
    return true;
}

error_code echo_socket::send(bytes p) {
    std::size_t const ip = v6_ ? 40 : 20;
    if (p.size() < ip + icmp_header) return asio::error::invalid_argument;
    bool plain = v6_ ? octet(p, 0) >> 4 == 6 && (get16(p, 0) & 0xf) == 0 && get16(p, 2) == 0 &&
                           octet(p, 6) == IPPROTO_ICMPV6 && octet(p, ip) == 128
                     : octet(p, 0) == 0x45 && (get16(p, 6) & ~0x4000u) == 0 && get16(p, 4) == id_ &&
                           octet(p, 9) == IPPROTO_ICMP && octet(p, ip) == 8;
    if (!plain || octet(p, ip + 1) != 0 || get16(p, ip + 4) != id_) return errc::permission;
    if (info_.mtu > 0 && p.size() > info_.mtu) return errc::message_too_long;

    int ttl = static_cast<int>(octet(p, v6_ ? 7 : 8));
    int tos = static_cast<int>(v6_ ? get16(p, 0) >> 4 & 0xff : octet(p, 1));
    bool ready =
        v6_ ? set(IPV6_UNICAST_HOPS, ttl_, ttl) && set(IPV6_MULTICAST_HOPS, multicast_ttl_, ttl) &&
                  set(IPV6_TCLASS, tos_, tos) && set(IPV6_MTU_DISCOVER, discovery_, IPV6_PMTUDISC_PROBE)
            : set(IP_TTL, ttl_, ttl) && set(IP_MULTICAST_TTL, multicast_ttl_, ttl) &&
                  set(IP_TOS, tos_, tos) &&
                  set(IP_MTU_DISCOVER, discovery_, octet(p, 6) & 0x40 ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
    if (!ready) return link_error(errno);

    // On the loopback interface the kernel finds its own way: local routes name the address's interface.
    auto by = info_.loopback ? 0 : info_.index;
    sockaddr_in to{};
    sockaddr_in6 to6{};
    in_pktinfo from{};
    in6_pktinfo from6{};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof from6)> control{};
    msghdr header{};
    header.msg_control = control.data();
    header.msg_controllen = v6_ ? CMSG_SPACE(sizeof from6) : CMSG_SPACE(sizeof from);
    auto* c = CMSG_FIRSTHDR(&header);
    if (v6_) {
        to6.sin6_family = AF_INET6, to6.sin6_scope_id = static_cast<std::uint32_t>(info_.index);
        std::memcpy(&to6.sin6_addr, p.data() + 24, 16);
        std::memcpy(&from6.ipi6_addr, p.data() + 8, 16);
        from6.ipi6_ifindex = static_cast<unsigned>(by);
        header.msg_name = &to6, header.msg_namelen = sizeof to6;
        c->cmsg_level = IPPROTO_IPV6, c->cmsg_type = IPV6_PKTINFO, c->cmsg_len = CMSG_LEN(sizeof from6);
        std::memcpy(CMSG_DATA(c), &from6, sizeof from6);
    } else {
        to.sin_family = AF_INET;
        std::memcpy(&to.sin_addr, p.data() + 16, 4);
        std::memcpy(&from.ipi_spec_dst, p.data() + 12, 4);
        from.ipi_ifindex = by;
        header.msg_name = &to, header.msg_namelen = sizeof to;
        c->cmsg_level = IPPROTO_IP, c->cmsg_type = IP_PKTINFO, c->cmsg_len = CMSG_LEN(sizeof from);
        std::memcpy(CMSG_DATA(c), &from, sizeof from);
    }
    iovec body{const_cast<std::byte*>(p.data() + ip), p.size() - ip};
    header.msg_iov = &body, header.msg_iovlen = 1;
    for (int told = 0;; ++told) {
        if (::sendmsg(waits_.fd(), &header, MSG_DONTWAIT) >= 0) return {};
        if (!is_told_by_icmp(errno) || told == pending_errors) return link_error(errno);
    }
}

std::size_t echo_socket::transmit(std::span<bytes const> frames, error_code& ec) {
    ec = {};
    std::size_t sent = 0;
    while (sent < frames.size() && !(ec = send(frames[sent]))) ++sent;
    return sent;
}

link_counters echo_socket::counters() {
    std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
    socklen_t size = sizeof memory;
    bool told = ::getsockopt(waits_.fd(), SOL_SOCKET, SO_MEMINFO, memory.data(), &size) == 0;
    return {.received = received_, .kernel_dropped = told ? memory[SK_MEMINFO_DROPS] : 0};
}

}  // namespace sonde::inline v0::detail
