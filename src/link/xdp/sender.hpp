#pragma once

#include <sonde/link/link.hpp>

#include "link/xdp/program.hpp"
#include "link/xdp/queue.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace sonde::inline v0::detail {

/// What leaves through an AF_XDP socket. The ring of frames to be sent is the send buffer: frames that the
/// interface has no room for stay there, and are tried again, since no event tells of room.
class xdp_sender : public std::enable_shared_from_this<xdp_sender> {
public:
    /// All outlive it but for what its timer keeps, which is told by `stop`.
    xdp_sender(asio::any_io_executor const& executor, xdp_queue& queue, xdp_memory const& memory,
               xdp_program& program, unsigned mtu, bool zero_copy);

    /// Chunks from the first on are its own.
    void own(std::uint32_t chunks);
    std::size_t send(std::span<std::span<std::byte const> const> frames, error_code& ec);
    /// Nothing is tried again.
    void stop();

private:
    std::uint32_t send_some(std::span<std::span<std::byte const> const> frames, error_code& ec);
    error_code refusal(std::span<std::byte const> frame) const;
    void reclaim() noexcept;
    void put(std::span<std::byte const> frame) noexcept;
    void take_back(std::uint32_t frames) noexcept;
    int push() noexcept;
    void push_later();

    xdp_queue& queue_;
    xdp_memory const& memory_;
    xdp_program& program_;
    unsigned mtu_;
    bool zero_copy_, stopped_ = false, waiting_ = false;
    unsigned fruitless_ = 0;  // attempts, in a row
    std::vector<std::uint64_t> free_;
    asio::steady_timer timer_;
};

}  // namespace sonde::inline v0::detail
