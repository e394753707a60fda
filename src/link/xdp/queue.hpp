#pragma once

#include "link/system.hpp"

#include <linux/if_xdp.h>
#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace sonde::inline v0::detail {

/// Memory for frames that the kernel reads from and writes to (UMEM), in chunks of one size.
class xdp_memory {
public:
    xdp_memory() = default;
    ~xdp_memory();
    xdp_memory(xdp_memory const&) = delete;
    xdp_memory& operator=(xdp_memory const&) = delete;

    bool allocate(unsigned chunk_size, std::size_t chunks) noexcept;
    unsigned chunk_size() const { return chunk_size_; }
    std::size_t size() const { return size_; }
    std::byte* at(std::uint64_t address) const { return start_ + address; }
    std::uint64_t chunk_of(std::uint64_t address) const { return address & ~std::uint64_t(chunk_size_ - 1); }

private:
    std::byte* start_ = nullptr;
    std::size_t size_ = 0;
    unsigned chunk_size_ = 0;
};

/// One of the rings that a socket has in common with the kernel: one side puts entries in, the other takes
/// them out. Its size is a power of two.
template <class Entry>
class xdp_ring {
public:
    xdp_ring() = default;
    ~xdp_ring() {
        if (memory_) ::munmap(memory_, mapped_);
    }
    xdp_ring(xdp_ring const&) = delete;
    xdp_ring& operator=(xdp_ring const&) = delete;

    bool map(int fd, std::uint64_t page, xdp_ring_offset const& at, std::uint32_t size) noexcept {
        mapped_ = at.desc + size * sizeof(Entry);
        void* got = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                           static_cast<off_t>(page));
        if (got == MAP_FAILED) return false;
        memory_ = static_cast<std::byte*>(got);
        producer_ = reinterpret_cast<std::uint32_t*>(memory_ + at.producer);
        consumer_ = reinterpret_cast<std::uint32_t*>(memory_ + at.consumer);
        flags_ = reinterpret_cast<std::uint32_t*>(memory_ + at.flags);
        entries_ = reinterpret_cast<Entry*>(memory_ + at.desc);
        size_ = size;
        return true;
    }

    std::uint32_t size() const { return size_; }
    /// Entries that were put in and not taken out.
    std::uint32_t used() const noexcept { return load(producer_) - load(consumer_); }
    bool needs_wakeup() const noexcept { return load(flags_) & XDP_RING_NEED_WAKEUP; }

    /// Of those who put in: entries are seen when they are published.
    /// @{
    std::uint32_t room() const noexcept { return size_ - (next_ - load(consumer_)); }
    void put(Entry const& e) noexcept { entries_[next_++ & (size_ - 1)] = e; }
    Entry take_back() noexcept { return entries_[--next_ & (size_ - 1)]; }
    void publish() noexcept { std::atomic_ref(*producer_).store(next_, std::memory_order_release); }
    /// @}

    /// Of those who take out: their places are free when they are released.
    /// @{
    std::uint32_t ready() const noexcept { return load(producer_) - next_; }
    Entry take() noexcept { return entries_[next_++ & (size_ - 1)]; }
    void release() noexcept { std::atomic_ref(*consumer_).store(next_, std::memory_order_release); }
    /// @}

private:
    static std::uint32_t load(std::uint32_t* p) noexcept {
        return std::atomic_ref(*p).load(std::memory_order_acquire);
    }

    std::byte* memory_ = nullptr;
    std::size_t mapped_ = 0;
    std::uint32_t *producer_ = nullptr, *consumer_ = nullptr, *flags_ = nullptr;
    Entry* entries_ = nullptr;
    std::uint32_t size_ = 0, next_ = 0;
};

/// How a socket on one receive queue is made.
struct xdp_queue_plan {
    int interface = 0;
    unsigned queue = 0;
    std::uint32_t receive_chunks = 0;   // in the ring to be filled; a power of two
    std::uint64_t first_chunk = 0;      // of these, its address
    std::uint32_t transmit_chunks = 0;  // 0: it does not send; a power of two
    int shared_with = -1;               // the first socket, whose memory it shares
};

/// An AF_XDP socket, on one receive queue of an interface.
class xdp_queue {
public:
    std::optional<failure> open(xdp_memory const& memory, xdp_queue_plan const& plan,
                                std::string const& place);
    /// The socket: it may be given away by `release`, and is then still used here.
    int fd() const { return number_; }
    unique_fd release() { return std::move(fd_); }
    bool is_zero_copy() const;

    xdp_ring<xdp_desc>& received() { return received_; }
    xdp_ring<xdp_desc>& sent() { return sent_; }
    xdp_ring<std::uint64_t>& completed() { return completed_; }
    /// Gives a frame's memory back; the kernel has it with the next `refill`.
    void recycle(xdp_memory const& memory, xdp_desc const& frame) noexcept {
        free_.put(memory.chunk_of(frame.addr));
    }
    void refill() noexcept;

    /// Frames that the kernel had for it: those that found no room.
    std::uint64_t dropped() const noexcept;

private:
    std::optional<failure> make_rings(xdp_memory const& memory, xdp_queue_plan const& plan,
                                      std::string const& place);

    unique_fd fd_;
    int number_ = -1;
    xdp_ring<xdp_desc> received_, sent_;
    xdp_ring<std::uint64_t> free_, completed_;
};

}  // namespace sonde::inline v0::detail
