#pragma once

#include <sonde/link/link.hpp>
#include <sonde/link/receive_options.hpp>

#include <memory>
#include <string>

SONDE_NAMESPACE_BEGIN

/// IP packets out through the host's own routing (raw(7)), frames in from one interface: how to reach
/// addresses of this host, whose packets the kernel carries over the loopback interface. A frame sent on
/// `lo` by a packet socket would skip the routing that a local stack expects; a raw IP socket does what a
/// program's own socket does.
///
/// Out: IPv4 and IPv6 packets from the IP header on (`info().type` is `raw`), routed by their destination
/// address. The kernel sends them as they are, but for this:
/// - IPv4 (IP_HDRINCL, raw(7)): the total length and the header checksum are always written anew; the id if
///   it is zero; the source address if it is zero. Bytes behind what the total length said are sent all the
///   same.
/// - IPv6 (IPV6_HDRINCL): nothing.
///
/// Transport checksums are never touched. What firewall rules (netfilter) refuse fails with `permission`.
///
/// In: as `packet_socket` on that interface, so on `lo` each packet is seen once, coming in, with a zero
/// Ethernet header before it (`frame::type` is `ethernet`); our own requests are among them, as
/// everybody's.
///
/// Cost: sending takes about twice what a packet socket takes (routing and netfilter), in batches all the
/// same.
class raw_socket final : public link_device {
public:
    /// Errors: as `packet_socket::open`. A host without IPv6 opens; IPv6 packets then fail with the system's
    /// code.
    /// @{
    static std::unique_ptr<raw_socket> open(asio::any_io_executor executor, int interface,
                                            receive_options const& options = receive_options());
    static std::unique_ptr<raw_socket> open(asio::any_io_executor executor, int interface,
                                            receive_options const& options, error_code& ec,
                                            std::string* why = nullptr);
    /// @}

    ~raw_socket() override;

    asio::any_io_executor get_executor() const override;
    link_info const& info() const noexcept override;
    std::size_t receive(std::size_t limit, frame_sink sink, error_code& ec) override;
    /// Further errors, of frames[count]: EINVAL when it is shorter than its IP header or neither version 4
    /// nor 6, ENETUNREACH and the like when there is no route.
    std::size_t transmit(std::span<std::span<std::byte const> const> frames, error_code& ec) override;
    void wait_readable(wait_handler handler) override;
    void wait_writable(wait_handler handler) override;
    void cancel_readable() override;
    void cancel_writable() override;
    link_counters counters() override;

private:
    struct SONDE_PRIVATE state;
    explicit raw_socket(std::unique_ptr<state> s);
    std::unique_ptr<state> state_;
};

SONDE_NAMESPACE_END
