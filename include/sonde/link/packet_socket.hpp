#pragma once

#include <sonde/link/filter.hpp>
#include <sonde/link/link.hpp>
#include <sonde/link/receive_options.hpp>

#include <cstddef>
#include <memory>
#include <string>

SONDE_NAMESPACE_BEGIN

/// Frames of one interface, or of all, by an AF_PACKET socket (packet(7)): the endpoint for probes.
///
/// - The filter is attached before the socket is bound, so no frame that it rejects is ever queued; once
///   `open` has returned, whatever comes is captured.
/// - A VLAN tag, which the kernel takes out of the frame, is put back with its own TPID (802.1Q or 802.1ad).
/// - What this host sends is not received, unless asked for (`receive_options::see_outgoing`); what this very
///   socket sent never is. On the loopback interface each packet is received once, coming in.
/// - Times are the kernel's (SO_TIMESTAMPNS). It starts to stamp a moment after the first socket asks; frames
///   of that moment bear the time when they were read.
/// - Frames from a veth or the loopback interface may bear checksums that nobody has completed yet
///   (CHECKSUM_PARTIAL), and lengths above the MTU (GSO).
/// - Frames with a link header that we do not read are left out and counted (`link_counters::unreadable`); on
///   one interface that cannot happen, as it does not open.
///
/// While the interface is down, a pending `wait_readable` completes every 100 ms, to see whether it is gone:
/// the kernel tells of the going down, not of a removal after that.
///
/// Cost: 64 frames a system call; while more than about 50,000 frames a second come, none: they then come by
/// a ring that the kernel writes to, and may be told of a millisecond late (docs/design/receive.md). The
/// receive buffers are 64 x snapshot bytes of address space, of which only the pages that frames have touched
/// are resident. All descriptors are close-on-exec.
class packet_socket final : public link_device {
public:
    /// Opens the interface with this index; 0 takes the frames of all interfaces (then nothing can be
    /// sent). An interface that is down opens; the first `receive` then says interface_down.
    /// Errors: permission (needs CAP_NET_RAW in the network namespace's own user namespace);
    /// no_such_interface; unsupported_link_type; bad_filter when the program is longer than the kernel
    /// takes (4096 instructions); the system's. The first form throws `error`, or
    /// boost::system::system_error for the system's codes, whose text names the interface and the step that
    /// failed; the second returns null and puts that text into `why`.
    /// @{
    static std::unique_ptr<packet_socket> open(asio::any_io_executor executor, int interface,
                                               receive_options const& options = receive_options());
    static std::unique_ptr<packet_socket> open(asio::any_io_executor executor, int interface,
                                               receive_options const& options, error_code& ec,
                                               std::string* why = nullptr);
    /// @}

    /// The same for sending only, on one interface: bound with protocol 0, so that the kernel queues nothing
    /// on it. `receive` returns 0 and `wait_readable` ends by `cancel_readable` only.
    /// @{
    static std::unique_ptr<packet_socket> transmitter(asio::any_io_executor executor, int interface);
    static std::unique_ptr<packet_socket> transmitter(asio::any_io_executor executor, int interface,
                                                      error_code& ec, std::string* why = nullptr);
    /// @}

    /// The same on an AF_PACKET, SOCK_RAW socket that somebody privileged has opened, and that came by
    /// inheritance or SCM_RIGHTS (unix(7)); no privilege is needed. It takes the descriptor over, also when
    /// it fails. `interface` 0: the one to which it is bound, which must be the same otherwise; a socket not
    /// bound yet (protocol 0) is bound now, so that nothing is queued that the filter rejects. It must not be
    /// read elsewhere: each frame goes to one reader. Errors: ENOTSOCK, and EINVAL for another kind of socket
    /// or another interface.
    static std::unique_ptr<packet_socket> adopt(asio::any_io_executor executor, int descriptor, int interface,
                                                receive_options const& options, error_code& ec,
                                                std::string* why = nullptr);

    ~packet_socket() override;

    asio::any_io_executor get_executor() const override;
    link_info const& info() const noexcept override;
    std::size_t receive(std::size_t limit, frame_sink sink, error_code& ec) override;
    std::size_t transmit(std::span<std::span<std::byte const> const> frames, error_code& ec) override;
    void wait_readable(wait_handler handler) override;
    void wait_writable(wait_handler handler) override;
    void cancel_readable() override;
    void cancel_writable() override;
    link_counters counters() override;

    /// Replaces the filter, at once and without a moment in which there is none. Frames that the old one let
    /// through and that are still queued are handed over all the same: drain with `receive` first if they are
    /// not wanted, and look at the frame in any case. Errors: bad_filter and the system's, with a text in
    /// `why`; the old filter stays.
    void set_filter(capture_filter const& filter, error_code& ec, std::string* why = nullptr) override;

    /// What the kernel granted of `receive_options::buffer`, in its own accounting (twice what was asked,
    /// socket(7)).
    std::size_t granted_buffer() const;

private:
    struct SONDE_PRIVATE state;
    explicit packet_socket(std::unique_ptr<state> s);
    std::unique_ptr<state> state_;
};

SONDE_NAMESPACE_END
