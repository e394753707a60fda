#pragma once

#include <sonde/link/link.hpp>
#include <sonde/link/receive_options.hpp>
#include <sonde/link/virtual_clock.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sonde::inline v0::detail {

class simulated_device;

/// The interfaces of a simulated machine, and the devices that are open on them. What devices send goes to
/// `send`; what `arrive` is given goes to the devices.
class simulated_links {
public:
    /// Takes a frame, or says why not; `routed`: an IP packet by the machine's own routing.
    using sender = std::function<error_code(int interface, bool routed, std::span<std::byte const> bytes)>;

    simulated_links(virtual_clock& clock, sender send) : clock_(clock), send_(std::move(send)) {}
    simulated_links(simulated_links const&) = delete;
    simulated_links& operator=(simulated_links const&) = delete;

    void add(link_info info);
    /// nullptr when there is none.
    link_info const* find(int interface) const;
    /// As when an administrator sets it up or down: devices tell interface_down once.
    void set_up(int interface, bool up);
    /// As when it is unplugged: devices tell no_such_interface, for good.
    void remove(int interface);

    /// As packet_socket::open, with `routed` as raw_socket::open. This object outlives the device.
    std::unique_ptr<link_device> open(asio::any_io_executor executor, int interface, bool routed,
                                      receive_options const& how, error_code& ec, std::string* why);

    /// A frame has come in (or, `f.outgoing`, was sent by `from`): to all devices that look at the interface.
    void arrive(frame const& f, simulated_device const* from = nullptr);

    /// True when a device shows what comes in there.
    bool is_watched(int interface) const;

    /// Over all devices, for the harness's sums.
    struct totals {
        std::uint64_t queued = 0, dropped = 0, filtered = 0;
    };
    totals const& received() const noexcept { return totals_; }

private:
    friend class simulated_device;

    virtual_clock& clock_;
    sender send_;
    std::map<int, link_info> interfaces_;
    std::vector<simulated_device*> devices_;
    totals totals_;
};

}  // namespace sonde::inline v0::detail
