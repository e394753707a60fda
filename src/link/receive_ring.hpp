#pragma once

#include "link/kernel_frame.hpp"
#include "link/system.hpp"

#include <cstddef>
#include <memory>
#include <optional>

namespace sonde::inline v0::detail {

/// Memory that the kernel writes frames to (TPACKET_V3, Documentation/networking/packet_mmap.rst), block by
/// block. A block can be read when it is full or a millisecond old: no system call for a frame, but up to
/// that millisecond of delay.
class receive_ring {
public:
    /// Gives the socket, which must not be bound yet, a ring of about so many bytes. Null when the kernel
    /// refuses.
    static std::unique_ptr<receive_ring> make(int fd, std::size_t bytes) noexcept;
    ~receive_ring();
    receive_ring(receive_ring const&) = delete;
    receive_ring& operator=(receive_ring const&) = delete;

    /// The next frame; it lasts until the next call. Nothing when no block is ready.
    std::optional<kernel_frame> next() noexcept;

private:
    receive_ring(void* memory, unsigned blocks) noexcept;
    bool enter_block() noexcept;

    std::byte* memory_;
    unsigned blocks_;
    unsigned block_ = 0;         // the one that is read, or will be
    unsigned left_ = 0;          // frames in it
    std::byte* next_ = nullptr;  // of these the first
    bool entered_ = false;
};

}  // namespace sonde::inline v0::detail
