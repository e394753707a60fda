#pragma once

#include "link/kernel_frame.hpp"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <memory>

namespace sonde::inline v0::detail {

/// The buffers of one packet socket: a recvmmsg fills up to 64 of them, each a frame.
class receive_slots {
public:
    static constexpr unsigned count = 64;

    /// Frames are cut after `snapshot` bytes.
    explicit receive_slots(unsigned snapshot);

    /// Reads up to `wanted` frames without blocking. Returns how many, or -1 with errno set.
    int fill(int fd, unsigned wanted) noexcept;

    /// Frame `i` of the last fill.
    kernel_frame at(unsigned i) noexcept;

private:
    static constexpr std::size_t control = 128;  // room for the auxiliary data and the time stamp

    std::byte* slot(unsigned i) const noexcept { return bytes_.get() + i * stride_; }

    std::size_t capacity_;
    std::size_t stride_;
    std::unique_ptr<std::byte[]> bytes_;
    std::array<mmsghdr, count> messages_{};
    std::array<iovec, count> vectors_{};
    std::array<sockaddr_ll, count> sources_{};
    struct alignas(cmsghdr) control_block {
        std::byte bytes[control];
    };
    std::array<control_block, count> controls_;
};

}  // namespace sonde::inline v0::detail
