#pragma once

#include <unistd.h>
#include <sonde/link/link.hpp>
#include <sonde/link/packet_socket.hpp>
#include <sonde/link/xdp_socket.hpp>

#include "support/catch.hpp"
#include "support/own_netns.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

// What the tests of the endpoints share: a wire in a private namespace, numbered frames, and waiting with a
// deadline.
namespace sonde::test {

using bytes = std::vector<std::byte>;

/// What the tests of packet sockets are run with: these, and, in a program of its own, AF_XDP sockets that
/// take everything.
#ifdef SONDE_TEST_XDP
constexpr bool by_xdp = true;
struct tested_socket {
    static std::unique_ptr<xdp_socket> open(asio::any_io_executor executor, int interface,
                                            receive_options const& options = receive_options()) {
        return xdp_socket::open(std::move(executor), interface, options, xdp_take::everything);
    }
};
#else
constexpr bool by_xdp = false;
using tested_socket = packet_socket;
#endif

constexpr std::uint16_t experimental =
    0x88b5;  // IEEE 802 local experimental EtherTypes: no stack listens to them
constexpr std::uint16_t experimental_too = 0x88b6;

/// Many systems keep TUN interfaces from ordinary users, in namespaces of their own too.
inline bool may_make_tun() {
    if (::access("/dev/net/tun", R_OK | W_OK) == 0) return true;
    WARN("skipped: /dev/net/tun cannot be opened");
    return false;
}

inline bytes from_hex(std::string const& hex) {
    bytes out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        out.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    return out;
}

inline void append_number(bytes& to, std::uint32_t number, int octets) {
    for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8)
        to.push_back(static_cast<std::byte>(number >> shift));
}

/// A broadcast frame; `tags` stand between the addresses and the type, in hex.
inline bytes numbered(std::uint32_t number, std::uint16_t type = experimental, std::string const& tags = "",
                      std::size_t size = 60) {
    auto f = from_hex("ffffffffffff020000000001" + tags);
    append_number(f, type, 2);
    append_number(f, number, 4);
    while (f.size() < size) f.push_back(static_cast<std::byte>(f.size()));
    return f;
}

/// The number of such a frame without tags.
inline std::uint32_t number_of(bytes const& f) {
    std::uint32_t number = 0;
    for (std::size_t i = 14; i < 18 && i < f.size(); ++i)
        number = number << 8 | std::to_integer<std::uint32_t>(f[i]);
    return number;
}

/// Sends all; fails the test unless each was accepted.
inline void send_all(link_device& to, std::vector<bytes> const& frames) {
    std::vector<std::span<std::byte const>> views(frames.begin(), frames.end());
    error_code ec;
    auto sent = to.transmit(views, ec);
    INFO("transmit: " << ec.message());
    REQUIRE(sent == frames.size());
    REQUIRE(!ec);
}

inline void send_one(link_device& to, bytes const& frame) {
    send_all(to, {frame});
}

/// Waits for readability until the deadline. False when that passed.
inline bool await_readable(asio::io_context& io, link_device& from,
                           std::chrono::steady_clock::time_point deadline) {
    bool ready = false;
    from.wait_readable([&](error_code ec) { ready = !ec; });
    io.restart();
    while (!ready && io.run_one_until(deadline) > 0) {
    }
    if (ready) return true;
    from.cancel_readable();
    io.restart();
    io.run();
    return false;
}

/// Receives until `wanted` frames are there, an error has come (put into `failed`), or the time is up.
inline std::vector<captured_frame> collect(asio::io_context& io, link_device& from, std::size_t wanted,
                                           error_code* failed = nullptr,
                                           std::chrono::milliseconds within = std::chrono::seconds(5)) {
    std::vector<captured_frame> got;
    auto deadline = std::chrono::steady_clock::now() + within;
    auto keep = [&](frame const& f) { got.emplace_back(f); };
    while (got.size() < wanted && std::chrono::steady_clock::now() <= deadline) {
        error_code ec;
        if (from.receive(wanted - got.size(), keep, ec) > 0) continue;
        if (failed) *failed = ec;
        if (ec || !await_readable(io, from, deadline)) break;
    }
    return got;
}

inline std::vector<captured_frame> collect_rest(link_device& from) {
    std::vector<captured_frame> got;
    auto keep = [&](frame const& f) { got.emplace_back(f); };
    error_code ec;
    while (from.receive(64, keep, ec) > 0) {
    }
    return got;
}

/// A namespace with a wire va - vb in it, and an event loop.
struct wired {
    wired() { net.add_veth("va", "vb"); }

    own_netns net;
    asio::io_context io{1};
    int va() const { return interface_index("va"); }
    int vb() const { return interface_index("vb"); }
    int lo() const { return interface_index("lo"); }
};

}  // namespace sonde::test
