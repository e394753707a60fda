#pragma once

#include <sonde/link/frame.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// A frame that owns its bytes: what outlives the `receive` that it came from. It has constructors, so that
/// it may cross a `co_await` (g++ 12 destroys aggregate temporaries twice there).
class captured_frame {
public:
    captured_frame() noexcept {}
    /// Copies the bytes.
    explicit captured_frame(frame const& f)
        : bytes(f.bytes.begin(), f.bytes.end()),
          length(f.length),
          time(f.time),
          type(f.type),
          interface(f.interface),
          outgoing(f.outgoing) {}

    /// The same frame, borrowing this one's bytes.
    frame view() const noexcept {
        return {.bytes = bytes,
                .length = length,
                .time = time,
                .type = type,
                .interface = interface,
                .outgoing = outgoing};
    }

    /// As in `frame`.
    /// @{
    std::vector<std::byte> bytes;
    std::uint32_t length = 0;
    timestamp time{};
    link_type type = link_type::ethernet;
    int interface = 0;
    bool outgoing = false;
    /// @}
};

SONDE_NAMESPACE_END
