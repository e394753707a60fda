#pragma once

#include <sonde/packet/link_type.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

SONDE_NAMESPACE_BEGIN

/// Nanoseconds since 1970 (CLOCK_REALTIME): what the kernel stamps frames with.
using timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

/// A frame as it came off a link. The bytes are borrowed: they are the link's until the next receive.
struct frame {
    std::span<std::byte const> bytes;  ///< what was captured, from the link header on, VLAN tag put back
    std::uint32_t length = 0;  ///< what was on the wire; more than bytes.size() when the snapshot cut it
    timestamp time{};          ///< the kernel's stamp, or the time of reading where there is none
    link_type type = link_type::ethernet;  ///< what `bytes` begins with
    int interface = 0;                     ///< kernel index of the interface, 0 when unknown
    bool outgoing = false;                 ///< sent by this host (a capture may ask for these)
};

SONDE_NAMESPACE_END
