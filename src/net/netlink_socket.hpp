#pragma once

#include "net/netlink_message.hpp"

#include <sonde/error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sonde::inline v0::detail {

/// Owns a file descriptor.
class owned_fd {
public:
    owned_fd() = default;
    explicit owned_fd(int fd) : fd_(fd) {}
    owned_fd(owned_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    owned_fd& operator=(owned_fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~owned_fd();

    int get() const { return fd_; }
    bool valid() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }

private:
    int fd_ = -1;
};

/// A close-on-exec, non-blocking NETLINK_ROUTE socket, in the network namespace of that descriptor (-1: the
/// thread's). Sets `ec` and returns an invalid one on failure.
owned_fd open_netlink(error_code& ec, int netns = -1);

/// One datagram from the kernel into `buffer`, without waiting. Empty with `ec` set: EAGAIN when nothing is
/// there, ENOBUFS when the kernel dropped some, EMSGSIZE when the buffer was too small. Datagrams of other
/// processes are thrown away.
std::span<std::byte const> receive_from_kernel(int fd, std::span<std::byte> buffer, error_code& ec);

/// Questions to the kernel's routing tables, and their answers.
///
/// Nothing here waits for anything but the kernel's own lock: it answers a request while it is being sent,
/// and makes each further part of a dump while the one before is being read. So calls are synchronous, and
/// yet fit an event loop: one answer takes about 2 us, a dump some microseconds an entry.
///
/// Threads: none inside; one call at a time.
class netlink_socket {
public:
    /// `netns`: where it is opened, as for open_netlink.
    explicit netlink_socket(int netns = -1) : netns_(netns) {}
    /// Takes over an open netlink socket (or, in tests, a datagram socket that plays the kernel).
    explicit netlink_socket(owned_fd fd);

    /// Does nothing when open already. Errors: the system's (EMFILE, ENFILE, EAFNOSUPPORT, ENOMEM).
    error_code open();
    void close();
    bool is_open() const { return fd_.valid(); }

    /// Sends a request for one thing. `reply` borrows from this socket until its next call.
    /// Errors: what the kernel answers, as a system error; explanation() may hold its words.
    error_code get(netlink_request request, netlink_message& reply);

    /// Sends a dump request and puts all messages of the answer into `messages`, one behind the other. A dump
    /// during which the tables changed, or of which a part was lost, is begun anew, up to `attempts` times.
    /// Errors: as `get`; interrupted (EINTR) when no attempt was consistent; value_too_large (EOVERFLOW) when
    /// the answer is longer than `limit` bytes.
    error_code dump(netlink_request const& request, std::vector<std::byte>& messages, std::size_t limit);

    /// The kernel's text on the last request that it refused; often empty.
    std::string const& explanation() const { return explanation_; }

    static constexpr int attempts = 5;

private:
    enum class state { more, complete, interrupted, failed };

    error_code send(netlink_request& request);
    bool await_reply(netlink_message& reply, error_code& ec);
    state read_dump(std::vector<std::byte>& messages, std::size_t limit, error_code& ec);
    state take_part(std::span<std::byte const> part, std::vector<std::byte>& messages, error_code& ec);
    error_code refusal(netlink_message const& m);

    owned_fd fd_;
    int netns_ = -1;
    std::uint32_t sequence_ = 0;
    std::vector<std::byte> buffer_;  // the kernel fills up to 32 KiB at once
    std::string explanation_;
    bool interrupted_ = false;
};

}  // namespace sonde::inline v0::detail
