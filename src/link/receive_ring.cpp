#include "link/receive_ring.hpp"

#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>

namespace sonde::inline v0::detail {
namespace {

constexpr unsigned block_size = 1 << 18;
constexpr unsigned fewest = 16, most = 256;  // blocks
constexpr unsigned frame_size = 1 << 11;     // what the kernel checks blocks by; frames take what they need
constexpr unsigned block_milliseconds = 1;   // until one that is not full can be read

std::byte* payload_of(tpacket3_hdr* h) noexcept {
    return reinterpret_cast<std::byte*>(h) + h->tp_mac;
}

bool set(int fd, int name, auto const& value) noexcept {
    return ::setsockopt(fd, SOL_PACKET, name, &value, sizeof value) == 0;
}

}  // namespace

std::unique_ptr<receive_ring> receive_ring::make(int fd, std::size_t bytes) noexcept try {
    auto blocks = static_cast<unsigned>(std::clamp<std::size_t>(bytes / block_size, fewest, most));
    tpacket_req3 request{};
    request.tp_block_size = block_size;
    request.tp_block_nr = blocks;
    request.tp_frame_size = frame_size;
    request.tp_frame_nr = blocks * (block_size / frame_size);
    request.tp_retire_blk_tov = block_milliseconds;
    if (!set(fd, PACKET_VERSION, int(TPACKET_V3)) || !set(fd, PACKET_RESERVE, unsigned(vlan_tag)) ||
        !set(fd, PACKET_RX_RING, request))
        return nullptr;
    auto size = std::size_t(block_size) * blocks;
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return nullptr;
    return std::unique_ptr<receive_ring>(new receive_ring(memory, blocks));
} catch (...) {
    return nullptr;
}

receive_ring::receive_ring(void* memory, unsigned blocks) noexcept
    : memory_(static_cast<std::byte*>(memory)), blocks_(blocks) {}

receive_ring::~receive_ring() {
    ::munmap(memory_, std::size_t(block_size) * blocks_);
}

bool receive_ring::enter_block() noexcept {
    auto& block = *reinterpret_cast<tpacket_block_desc*>(memory_ + std::size_t(block_size) * block_);
    std::atomic_ref status(block.hdr.bh1.block_status);
    if (std::exchange(entered_, false)) {
        status.store(TP_STATUS_KERNEL, std::memory_order_release);
        block_ = (block_ + 1) % blocks_;
        return enter_block();
    }
    if (!(status.load(std::memory_order_acquire) & TP_STATUS_USER)) return false;
    entered_ = true;
    left_ = block.hdr.bh1.num_pkts;
    next_ = reinterpret_cast<std::byte*>(&block) + block.hdr.bh1.offset_to_first_pkt;
    return true;
}

std::optional<kernel_frame> receive_ring::next() noexcept {
    while (left_ == 0)
        if (!enter_block()) return {};
    auto* h = reinterpret_cast<tpacket3_hdr*>(next_);
    --left_;
    next_ += h->tp_next_offset;
    auto const* from = reinterpret_cast<sockaddr_ll const*>(reinterpret_cast<std::byte const*>(h) +
                                                            TPACKET_ALIGN(sizeof(tpacket3_hdr)));
    return kernel_frame{.start = payload_of(h),
                        .captured = h->tp_snaplen,
                        .length = h->tp_len,
                        .status = h->tp_status,
                        .vlan_tci = static_cast<std::uint16_t>(h->hv1.tp_vlan_tci),
                        .vlan_tpid = h->hv1.tp_vlan_tpid,
                        .stamp = {static_cast<time_t>(h->tp_sec), static_cast<long>(h->tp_nsec)},
                        .from = from};
}

}  // namespace sonde::inline v0::detail
