#pragma once

#include <sonde/link/link.hpp>
#include <sonde/link/receive_options.hpp>

#include <memory>
#include <string>
#include <string_view>

SONDE_NAMESPACE_BEGIN

/// Frames of one interface, or of "any", by libpcap: for what only libpcap does. For probes, take
/// `packet_socket`: it needs no memory-mapped ring of whole-frame slots, tells errors by their codes and
/// sends in batches.
///
/// - Opened in immediate mode (each frame is there as soon as it has come) and with nanosecond times where
///   libpcap has them. The ring has room for about buffer / snapshot frames, however short they are: with a
///   small snapshot, or on an interface without GRO, for many more.
/// - The filter is compiled by libpcap for this very device, so `vlan` in it works in the kernel. A host name
///   in it is looked up at once, as `capture_filter::compile` does.
/// - On "any", frames begin with a Linux cooked header (link_type::linux_sll) and nothing can be sent.
/// - `frame::outgoing` is not known and false.
/// - An interface that is down does not open. When it goes down later, `receive` says interface_down once,
///   and a pending wait completes every 10 ms: libpcap wants to be called to find out whether it is gone.
///
/// Descriptors: all of ours, and libpcap's socket, are close-on-exec. libpcap's wake-up eventfd is not, and
/// cannot be reached; a child that inherits it learns nothing and can do nothing with it.
class pcap_device final : public link_device {
public:
    /// Opens the interface of this name, or "any". Other things that libpcap can capture (USB, D-Bus, ...)
    /// are not links and do not open.
    /// Errors: no_such_interface, permission, interface_down, bad_filter, unsupported_link_type; EIO for
    /// whatever else libpcap reports in words alone. The text that is thrown, or put into `why`, holds the
    /// interface and libpcap's own message.
    /// @{
    static std::unique_ptr<pcap_device> open(asio::any_io_executor executor, std::string_view interface,
                                             receive_options const& options = receive_options());
    static std::unique_ptr<pcap_device> open(asio::any_io_executor executor, std::string_view interface,
                                             receive_options const& options, error_code& ec,
                                             std::string* why = nullptr);
    /// @}

    ~pcap_device() override;

    asio::any_io_executor get_executor() const override;
    link_info const& info() const noexcept override;
    /// Each frame counts towards the limit once it has passed libpcap's own checks. A frame that makes `sink`
    /// throw is the last one handed over; none is lost.
    std::size_t receive(std::size_t limit, frame_sink sink, error_code& ec) override;
    /// One system call a frame (pcap_inject).
    std::size_t transmit(std::span<std::span<std::byte const> const> frames, error_code& ec) override;
    void wait_readable(wait_handler handler) override;
    void wait_writable(wait_handler handler) override;
    void cancel_readable() override;
    void cancel_writable() override;
    link_counters counters() override;

    /// Compiles and sets a new filter; libpcap applies it to what is in the ring, too. Errors: bad_filter.
    void set_filter(capture_filter const& filter, error_code& ec, std::string* why = nullptr) override;

private:
    struct SONDE_PRIVATE state;
    explicit pcap_device(std::unique_ptr<state> s);
    std::unique_ptr<state> state_;
};

SONDE_NAMESPACE_END
