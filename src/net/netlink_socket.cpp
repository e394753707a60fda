#include "net/netlink_socket.hpp"

#include "net/netns.hpp"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t buffer_size = 32768;

error_code system_error_code(int number) {
    return {number, boost::system::system_category()};
}

bool says(error_code const& ec, int number) {
    return ec == system_error_code(number);
}

/// The string attribute that a kernel with NETLINK_EXT_ACK puts behind an error.
std::string words_of(netlink_message const& m) {
    if (!(m.flags & NLM_F_ACK_TLVS)) return {};
    auto quoted = read_as<nlmsgerr>(m.body);
    if (!quoted) return {};
    std::size_t skip = sizeof(nlmsgerr);
    if (!(m.flags & NLM_F_CAPPED) && quoted->msg.nlmsg_len > sizeof(nlmsghdr))
        skip += quoted->msg.nlmsg_len - sizeof(nlmsghdr);
    auto attributes = m.attributes(skip);
    while (auto a = attributes.next())
        if (a->type == NLMSGERR_ATTR_MSG && !a->value.empty())
            return {reinterpret_cast<char const*>(a->value.data()), a->value.size() - 1};
    return {};
}

/// Puts a datagram behind others, aligned as messages are within one.
void append(std::vector<std::byte>& messages, std::span<std::byte const> part) {
    messages.insert(messages.end(), part.begin(), part.end());
    messages.resize((messages.size() + 3) & ~std::size_t{3});
}

}  // namespace

owned_fd::~owned_fd() {
    if (fd_ >= 0) ::close(fd_);
}

owned_fd open_netlink(error_code& ec, int netns) {
    owned_fd fd;
    auto open = [&] {
        fd = owned_fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
        ec = fd.valid() ? error_code() : system_error_code(errno);
    };
    if (auto failed = in_netns(netns, open)) ec = failed;
    if (ec) return {};
    sockaddr_nl self{};
    self.nl_family =
        AF_NETLINK;  // without a bind a socket shares port 0 with the kernel, and hears no notification
    bool done = ::bind(fd.get(), reinterpret_cast<sockaddr const*>(&self), sizeof(self)) == 0;
    ec = done ? error_code() : system_error_code(errno);
    if (!done) return {};
    int on = 1;  // older kernels lack these two, and are as useful
    ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
    ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
    return fd;
}

std::span<std::byte const> receive_from_kernel(int fd, std::span<std::byte> buffer, error_code& ec) {
    for (;;) {
        sockaddr_nl from{};
        iovec where{buffer.data(), buffer.size()};
        msghdr message{};
        message.msg_name = &from;
        message.msg_namelen = sizeof(from);
        message.msg_iov = &where;
        message.msg_iovlen = 1;
        auto size = ::recvmsg(fd, &message, MSG_DONTWAIT);
        if (size < 0 && errno == EINTR) continue;
        ec = size < 0 ? system_error_code(errno) : error_code();
        if (size == 0) ec = system_error_code(EAGAIN);  // the other end of a test's socket has gone
        if (ec) return {};
        if (message.msg_namelen == sizeof(from) && from.nl_pid != 0) continue;
        if (message.msg_flags & MSG_TRUNC) {
            ec = system_error_code(EMSGSIZE);
            return {};
        }
        return buffer.first(static_cast<std::size_t>(size));
    }
}

netlink_socket::netlink_socket(owned_fd fd) : fd_(std::move(fd)), buffer_(buffer_size) {}

error_code netlink_socket::open() {
    if (is_open()) return {};
    error_code ec;
    fd_ = open_netlink(ec, netns_);
    buffer_.resize(buffer_size);
    return ec;
}

void netlink_socket::close() {
    fd_ = owned_fd();
}

error_code netlink_socket::send(netlink_request& request) {
    request.sequence(++sequence_);
    auto bytes = request.bytes();
    while (::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        if (errno != EINTR) return system_error_code(errno);
    return {};
}

error_code netlink_socket::refusal(netlink_message const& m) {
    explanation_ = words_of(m);
    return system_error_code(m.error());
}

error_code netlink_socket::get(netlink_request request, netlink_message& reply) {
    error_code ec;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        if ((ec = open())) return ec;
        if ((ec = send(request))) return ec;
        if (await_reply(reply, ec)) return ec;
        close();  // the reply was lost: nothing that is still queued is of use
    }
    return ec;
}

/// False when the reply was lost; otherwise it is there, or `ec` says what the kernel has against it.
bool netlink_socket::await_reply(netlink_message& reply, error_code& ec) {
    for (;;) {
        message_cursor messages(receive_from_kernel(fd_.get(), buffer_, ec));
        if (ec) return !says(ec, EAGAIN) && !says(ec, ENOBUFS);
        while (auto m = messages.next()) {
            if (m->sequence != sequence_) continue;
            if (m->type == NLMSG_ERROR) ec = refusal(*m);
            reply = *m;
            return true;
        }
    }
}

error_code netlink_socket::dump(netlink_request const& request, std::vector<std::byte>& messages,
                                std::size_t limit) {
    auto copy = request;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        messages.clear();
        error_code ec = open();
        if (!ec) ec = send(copy);
        if (ec) return ec;
        switch (read_dump(messages, limit, ec)) {
            case state::complete: return {};
            case state::failed: return ec;
            default: break;
        }
    }
    messages.clear();
    return system_error_code(EINTR);
}

netlink_socket::state netlink_socket::read_dump(std::vector<std::byte>& messages, std::size_t limit,
                                                error_code& ec) {
    interrupted_ = false;
    for (;;) {
        auto part = receive_from_kernel(fd_.get(), buffer_, ec);
        if (ec) {  // the kernel may be in the middle of it: only a new socket has no past
            close();
            return says(ec, EAGAIN) || says(ec, ENOBUFS) ? state::interrupted : state::failed;
        }
        if (messages.size() + part.size() > limit) {
            close();
            ec = system_error_code(EOVERFLOW);
            return state::failed;
        }
        if (auto s = take_part(part, messages, ec); s != state::more) return s;
    }
}

netlink_socket::state netlink_socket::take_part(std::span<std::byte const> part,
                                                std::vector<std::byte>& messages, error_code& ec) {
    message_cursor cursor(part);
    while (auto m = cursor.next()) {
        if (m->sequence != sequence_) return state::more;  // a datagram belongs to one request
        if (m->flags & NLM_F_DUMP_INTR) interrupted_ = true;
        if (m->type != NLMSG_DONE && m->type != NLMSG_ERROR) continue;
        if (m->error() != 0) {
            ec = refusal(*m);
            return state::failed;
        }
        append(messages, part);
        return interrupted_ ? state::interrupted : state::complete;
    }
    append(messages, part);
    return state::more;
}

}  // namespace sonde::inline v0::detail
