#pragma once

#include <sonde/link/link.hpp>
#include <sonde/link/receive_options.hpp>

#include <memory>
#include <string>

SONDE_NAMESPACE_BEGIN

/// Which frames an `xdp_socket` takes away from the host.
enum class xdp_take {
    answers,     ///< what answers frames that were sent through it, and no socket of the host waits for
    everything,  ///< all that come in: the host's own stack gets none of the interface any more
};

/// How an `xdp_socket` is served.
enum class xdp_mode {
    generic,    ///< by the network stack: the driver knows no XDP
    native,     ///< by the driver, which copies each frame
    zero_copy,  ///< by the driver, whose hardware reads and writes the socket's own memory
};

/// Frames of one Ethernet interface by AF_XDP (Documentation/networking/af_xdp.rst): those that come in
/// leave the driver for memory that is shared with this process, before the host's stack has seen them. In
/// builds with the CMake option SONDE_XDP; in others `open` fails with operation_not_supported.
///
/// A program on the interface (XDP) decides what is taken; the host gets everything else as ever, and
/// a packet socket that is a part of this device reads that too. So a frame comes once, by one way or the
/// other, but frames of different ways not in the order of their arrival. What `xdp_take::answers` takes,
/// where the frame goes to the interface's own hardware address, and no socket of the host (of any program)
/// wants it:
/// - TCP to a port and an address from which TCP was sent here, if it is a SYN/ACK or a RST;
/// - UDP to a port and an address from which UDP was sent here.
///
/// Not taken, so read by the packet socket: other segments, fragments, IPv4 with options, IPv6 with extension
/// headers, VLANs, answers to more than eight different addresses.
///
/// What differs from `packet_socket`:
/// - What is taken is seen by nobody else, not by tcpdump, nor by a firewall; the kernel answers no such
///   SYN/ACK by a RST. Neither is what is sent, which leaves past queueing disciplines and filters.
/// - Its time is that of reading. Its VLAN tag is where it was on the wire, if the driver leaves it there.
/// - `receive_options::filter`, for what is taken, runs here, and cuts no frame.
/// - A frame counts as `unfinished` when its checksum is that of its pseudo-header alone, since nobody tells.
/// - Frames that found the interface's queue full are kept, as far as there is room, and tried again every
///   100 microseconds.
///
/// Where NAT of this host gives ports from which probes are sent to others without a socket of its own
/// (NodePorts, DNAT), these miss UDP and RST that come to such a port: do not use it there.
///
/// The program goes with the device, and with the process, however that ends. It is not attached where
/// another is. Needs Linux 5.10, CAP_NET_RAW, and CAP_NET_ADMIN and CAP_BPF of the initial user namespace.
///
/// Cost: no system call for a frame that is taken, one for 32 that are sent. Memory, locked: about
/// `receive_options::buffer` and 4 MiB.
class xdp_socket final : public link_device {
public:
    /// Opens the interface with this index, and all of its receive queues.
    /// Errors: those of packet_socket::open; operation_not_supported, where the build, the kernel or the
    /// interface has no AF_XDP; EBUSY, where another XDP program is attached; the system's. The first form
    /// throws as packet_socket::open does; the second returns null and says in `why` what is missing.
    /// @{
    static std::unique_ptr<xdp_socket> open(asio::any_io_executor executor, int interface,
                                            receive_options const& options = receive_options(),
                                            xdp_take take = xdp_take::answers);
    static std::unique_ptr<xdp_socket> open(asio::any_io_executor executor, int interface,
                                            receive_options const& options, xdp_take take, error_code& ec,
                                            std::string* why = nullptr);
    /// @}

    ~xdp_socket() override;

    /// How the interface's driver serves it.
    xdp_mode mode() const noexcept;

    asio::any_io_executor get_executor() const override;
    link_info const& info() const noexcept override;
    std::size_t receive(std::size_t limit, frame_sink sink, error_code& ec) override;
    /// A frame is accepted when it is in the ring that the kernel reads from. Longer than the MTU allowed
    /// when the device was opened: message_too_long.
    std::size_t transmit(std::span<std::span<std::byte const> const> frames, error_code& ec) override;
    void wait_readable(wait_handler handler) override;
    void wait_writable(wait_handler handler) override;
    void cancel_readable() override;
    void cancel_writable() override;
    link_counters counters() override;
    /// As packet_socket's; what XDP takes is filtered in user space.
    void set_filter(capture_filter const& filter, error_code& ec, std::string* why = nullptr) override;

private:
    struct SONDE_PRIVATE state;
    explicit xdp_socket(std::unique_ptr<state> s);
    std::unique_ptr<state> state_;
};

SONDE_NAMESPACE_END
