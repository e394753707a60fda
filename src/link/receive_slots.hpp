#pragma once

#include <sonde/link/link.hpp>

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>

namespace sonde::detail {

/// The buffers of one packet socket: a recvmmsg fills up to 64 of them, and each reads as a frame.
class receive_slots {
public:
    static constexpr unsigned count = 64;

    /// Frames are cut after `snapshot` bytes.
    explicit receive_slots(unsigned snapshot);

    /// Reads up to `wanted` frames without blocking. Returns how many, or -1 with errno set.
    int fill(int fd, unsigned wanted) noexcept;

    /// Frame `i` of the last fill, its VLAN tag put back; nothing when its link type is not one that sonde
    /// reads.
    std::optional<received_frame> at(unsigned i) noexcept;

    /// Where it came from: interface, hardware type and direction.
    sockaddr_ll const& source(unsigned i) const noexcept { return sources_[i]; }

private:
    static constexpr std::size_t tag = 4;        // bytes of a VLAN tag, kept free in front of each frame
    static constexpr std::size_t control = 128;  // room for the auxiliary data and the time stamp

    std::byte* slot(unsigned i) const noexcept { return bytes_.get() + i * stride_; }

    unsigned snapshot_;
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

}  // namespace sonde::detail
