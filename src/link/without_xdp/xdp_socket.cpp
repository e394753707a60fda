#include <sonde/link/xdp_socket.hpp>

#include "link/system.hpp"

// In builds without SONDE_XDP: the same names, which say so.
namespace sonde::inline v0 {

struct xdp_socket::state {};

std::unique_ptr<xdp_socket> xdp_socket::open(asio::any_io_executor, int, receive_options const&, xdp_take,
                                             error_code& ec, std::string* why) {
    detail::report_failure({asio::error::operation_not_supported,
                            "AF_XDP: this sonde was built without it (CMake option SONDE_XDP)"},
                           ec, why);
    return nullptr;
}

std::unique_ptr<xdp_socket> xdp_socket::open(asio::any_io_executor executor, int interface,
                                             receive_options const& options, xdp_take take) {
    return detail::or_throw([&](error_code& ec, std::string* why) {
        return open(std::move(executor), interface, options, take, ec, why);
    });
}

// There is no such object.
xdp_socket::xdp_socket(std::unique_ptr<state> s) : state_(std::move(s)) {}
xdp_socket::~xdp_socket() = default;
xdp_mode xdp_socket::mode() const noexcept {
    return {};
}
asio::any_io_executor xdp_socket::get_executor() const {
    return {};
}
link_info const& xdp_socket::info() const noexcept {
    static link_info const none;
    return none;
}
std::size_t xdp_socket::receive(std::size_t, frame_sink, error_code&) {
    return 0;
}
std::size_t xdp_socket::transmit(std::span<std::span<std::byte const> const>, error_code&) {
    return 0;
}
void xdp_socket::wait_readable(wait_handler) {}
void xdp_socket::wait_writable(wait_handler) {}
void xdp_socket::cancel_readable() {}
void xdp_socket::cancel_writable() {}
link_counters xdp_socket::counters() {
    return {};
}
void xdp_socket::set_filter(capture_filter const&, error_code&, std::string*) {}

}  // namespace sonde::inline v0
