#pragma once

#include <sonde/link/link.hpp>

#include <linux/if_packet.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>

namespace sonde::inline v0::detail {

/// Bytes of a VLAN tag, which are free in front of each frame.
inline constexpr std::size_t vlan_tag = 4;

/// A frame as a packet socket tells of it, by either of its interfaces.
struct kernel_frame {
    std::byte* start;
    std::size_t captured;  // bytes
    std::size_t length;    // on the wire
    std::uint32_t status;  // TP_STATUS_*
    std::uint16_t vlan_tci, vlan_tpid;
    timespec stamp;
    sockaddr_ll const* from;

    /// The frame with its VLAN tag put back, cut after `snapshot` bytes; nothing when its link type is not
    /// one that sonde reads.
    std::optional<received_frame> read(unsigned snapshot) const noexcept;
};

}  // namespace sonde::inline v0::detail
