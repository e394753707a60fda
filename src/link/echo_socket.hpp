#pragma once

#include <sonde/link/link.hpp>

#include "link/readiness.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sonde::inline v0::detail {

/// The kernel's ping socket (icmp(7)) as a link: echo requests out and their answers in, with no privilege
/// where net.ipv4.ping_group_range has the process's group. One socket, of one family and one ICMP id.
///
/// Out: IP packets from their header on, as they are but for
/// - the IPv4 id, which is the kernel's; a packet has to hold the ICMP id in its place,
/// - IPv6 source addresses before Linux 5.18, which are the kernel's.
/// What the socket cannot make (options, fragments, a flow label, other messages, another ICMP id) fails with
/// `permission`: it takes a raw socket.
///
/// In: echo replies to that id, and ICMP errors that quote it. The kernel tells of them without their IP
/// headers, which are made anew: addresses, TTL and TOS are those that came, all else of them is lost; of a
/// quoted header only the addresses are known, and of errors no extensions (RFC 4884).
class echo_socket final : public link_device {
public:
    /// Takes the first of `ids` that no other ping socket of the host has.
    /// Errors: permission; EADDRINUSE when all are taken; no_such_interface; the system's.
    static std::unique_ptr<echo_socket> open(asio::any_io_executor executor, int interface, bool v6,
                                             std::span<std::uint16_t const> ids, std::size_t buffer,
                                             error_code& ec, std::string* why);

    /// The ICMP id of all that goes out.
    std::uint16_t id() const noexcept { return id_; }

    asio::any_io_executor get_executor() const override { return waits_.get_executor(); }
    link_info const& info() const noexcept override { return info_; }
    std::size_t receive(std::size_t limit, frame_sink sink, error_code& ec) override;
    std::size_t transmit(std::span<std::span<std::byte const> const> frames, error_code& ec) override;
    void wait_readable(wait_handler handler) override { waits_.wait(readiness::reading, std::move(handler)); }
    void wait_writable(wait_handler handler) override { waits_.wait(readiness::writing, std::move(handler)); }
    void cancel_readable() override { waits_.cancel(readiness::reading); }
    void cancel_writable() override { waits_.cancel(readiness::writing); }
    link_counters counters() override;

private:
    using bytes = std::span<std::byte const>;
    struct message;

    echo_socket(asio::any_io_executor executor, link_info info, bool v6);
    bool take_one(int flags, frame_sink sink);
    received_frame reply(message const& m);
    received_frame error(message const& m);
    received_frame framed(std::size_t begin, message const& m);
    void put_ip_header(std::size_t at, std::size_t end, bytes from, bytes to, int ttl, int tos);
    error_code send(bytes packet);
    bool set(int name, int& known, int value) noexcept;

    readiness waits_;
    link_info info_;
    bool v6_;
    std::uint16_t id_ = 0;
    int ttl_ = -1, multicast_ttl_ = -1, tos_ = -1, discovery_ = -1;  // as they were set last
    std::vector<std::byte> room_;
    std::uint64_t received_ = 0;
};

}  // namespace sonde::inline v0::detail
