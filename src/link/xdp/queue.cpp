#include "link/xdp/queue.hpp"

#include <sonde/link/link.hpp>

#include <sys/socket.h>

#include <algorithm>

#ifndef SOL_XDP
#define SOL_XDP 283
#endif

#ifndef XDP_MAX_TX_SKB_BUDGET  // Linux 6.18
#define XDP_MAX_TX_SKB_BUDGET 9
#endif

namespace sonde::inline v0::detail {
namespace {

failure xdp_failure(std::string const& place, char const* step) {
    int const error = errno;
    failure f{link_error(error), place + ": " + step};
    if (error == EAFNOSUPPORT || error == EOPNOTSUPP || error == EPROTONOSUPPORT)
        f = {asio::error::operation_not_supported, f.why + " (the kernel or this interface has no AF_XDP)"};
    if (error == EBUSY) f.why += " (another AF_XDP socket has the queue)";
    if (error == ENOBUFS) f.why += " (the memory to be locked is above RLIMIT_MEMLOCK)";
    return f;
}

template <class T>
bool set(int fd, int name, T const& value) noexcept {
    return ::setsockopt(fd, SOL_XDP, name, &value, sizeof value) == 0;
}

template <class T>
bool get(int fd, int name, T& value) noexcept {
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_XDP, name, &value, &size) == 0;
}

/// A socket that was closed has its queue for some milliseconds more, until the kernel has cleaned up.
bool bind_to(int fd, sockaddr_xdp const& address) noexcept {
    constexpr int most_milliseconds = 200;
    for (int waited = 0;; ++waited) {
        if (::bind(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0) return true;
        if (errno != EBUSY || waited == most_milliseconds) return false;
        ::usleep(1000);
    }
}

}  // namespace

xdp_memory::~xdp_memory() {
    if (start_) ::munmap(start_, size_);
}

bool xdp_memory::allocate(unsigned chunk_size, std::size_t chunks) noexcept {
    auto size = chunk_size * chunks;
    void* got =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (got == MAP_FAILED) return false;
    start_ = static_cast<std::byte*>(got);
    size_ = size;
    chunk_size_ = chunk_size;
    return true;
}

std::optional<failure> xdp_queue::open(xdp_memory const& memory, xdp_queue_plan const& plan,
                                       std::string const& place) {
    fd_ = unique_fd(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
    number_ = fd_.get();
    if (!fd_) return xdp_failure(place, "socket");
    if (auto f = make_rings(memory, plan, place)) return f;
    for (std::uint32_t i = 0; i < plan.receive_chunks; ++i)
        free_.put(plan.first_chunk + std::uint64_t(i) * memory.chunk_size());
    free_.publish();
    bool shares = plan.shared_with >= 0;
    sockaddr_xdp to{};
    to.sxdp_family = AF_XDP;
    // Zero copy where the driver has it: the kernel chooses. A socket that shares follows the first.
    to.sxdp_flags = shares ? XDP_SHARED_UMEM : XDP_USE_NEED_WAKEUP;
    to.sxdp_ifindex = static_cast<std::uint32_t>(plan.interface);
    to.sxdp_queue_id = plan.queue;
    if (shares) to.sxdp_shared_umem_fd = static_cast<std::uint32_t>(plan.shared_with);
    if (!bind_to(number_, to)) return xdp_failure(place, "bind");
    return {};
}

std::optional<failure> xdp_queue::make_rings(xdp_memory const& memory, xdp_queue_plan const& plan,
                                             std::string const& place) {
    // A ring for what was sent is asked for by the kernel in any case.
    auto completions = std::max(plan.transmit_chunks, 64u);
    if (plan.shared_with < 0) {
        xdp_umem_reg all{};
        all.addr = reinterpret_cast<std::uintptr_t>(memory.at(0));
        all.len = memory.size();
        all.chunk_size = memory.chunk_size();
        if (!set(number_, XDP_UMEM_REG, all)) return xdp_failure(place, "XDP_UMEM_REG");
    }
    bool sized = set(number_, XDP_UMEM_FILL_RING, plan.receive_chunks) &&
                 set(number_, XDP_UMEM_COMPLETION_RING, completions) &&
                 set(number_, XDP_RX_RING, plan.receive_chunks);
    if (sized && plan.transmit_chunks) sized = set(number_, XDP_TX_RING, plan.transmit_chunks / 2);
    // The whole ring by one system call, where the kernel can: else 32 frames.
    set(number_, XDP_MAX_TX_SKB_BUDGET, plan.transmit_chunks / 2);
    xdp_mmap_offsets at{};
    if (!sized || !get(number_, XDP_MMAP_OFFSETS, at)) return xdp_failure(place, "rings");
    bool mapped = free_.map(number_, XDP_UMEM_PGOFF_FILL_RING, at.fr, plan.receive_chunks) &&
                  completed_.map(number_, XDP_UMEM_PGOFF_COMPLETION_RING, at.cr, completions) &&
                  received_.map(number_, XDP_PGOFF_RX_RING, at.rx, plan.receive_chunks);
    if (mapped && plan.transmit_chunks)
        mapped = sent_.map(number_, XDP_PGOFF_TX_RING, at.tx, plan.transmit_chunks / 2);
    if (!mapped) return xdp_failure(place, "mmap");
    return {};
}

bool xdp_queue::is_zero_copy() const {
    xdp_options chosen{};
    return get(number_, XDP_OPTIONS, chosen) && chosen.flags & XDP_OPTIONS_ZEROCOPY;
}

void xdp_queue::refill() noexcept {
    free_.publish();
    if (free_.needs_wakeup()) ::recvfrom(number_, nullptr, 0, MSG_DONTWAIT, nullptr, nullptr);
}

std::uint64_t xdp_queue::dropped() const noexcept {
    xdp_statistics so_far{};
    return get(number_, XDP_STATISTICS, so_far) ? so_far.rx_dropped + so_far.rx_ring_full : 0;
}

}  // namespace sonde::inline v0::detail
