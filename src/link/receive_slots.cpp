#include "link/receive_slots.hpp"

#include "link/interface_type.hpp"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace sonde::detail {
namespace {

constexpr std::size_t addresses = std::size_t(2) * ETH_ALEN;  // the tag stands behind them (IEEE 802.1Q 9.3)

// What the kernel says beside the bytes.
struct beside {
    tpacket_auxdata auxiliary{};
    timespec stamp{};
};

template <class T>
void copy_payload(cmsghdr const* from, T& to) noexcept {
    if (from->cmsg_len >= CMSG_LEN(sizeof(T))) std::memcpy(&to, CMSG_DATA(from), sizeof(T));
}

beside read_control(msghdr& message) noexcept {
    beside found;
    for (auto* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) copy_payload(c, found.auxiliary);
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) copy_payload(c, found.stamp);
    }
    return found;
}

timestamp to_timestamp(timespec t) noexcept {
    if (t.tv_sec == 0) ::clock_gettime(CLOCK_REALTIME, &t);
    return timestamp(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

// Moves the addresses forward and writes the tag where it was on the wire.
void put_tag_back(std::byte* frame, tpacket_auxdata const& auxiliary) noexcept {
    bool has_tpid = auxiliary.tp_status & TP_STATUS_VLAN_TPID_VALID;
    std::uint16_t const tag[2] = {htons(has_tpid ? auxiliary.tp_vlan_tpid : std::uint16_t{ETH_P_8021Q}),
                                  htons(auxiliary.tp_vlan_tci)};
    std::memmove(frame, frame + sizeof tag, addresses);
    std::memcpy(frame + addresses, tag, sizeof tag);
}

}  // namespace

receive_slots::receive_slots(unsigned snapshot)
    : snapshot_(snapshot),
      capacity_(std::max<std::size_t>(snapshot, ETH_HLEN)),
      // An odd number of cache lines, so that the heads of the slots do not all compete for the same few of
      // them.
      stride_(((tag + capacity_ + 63) / 64 | 1) * 64),
      bytes_(std::make_unique_for_overwrite<std::byte[]>(stride_ * count)) {
    for (unsigned i = 0; i < count; ++i) {
        vectors_[i] = {slot(i) + tag, capacity_};
        messages_[i].msg_hdr = {.msg_name = &sources_[i],
                                .msg_namelen = sizeof sources_[i],
                                .msg_iov = &vectors_[i],
                                .msg_iovlen = 1,
                                .msg_control = controls_[i].bytes,
                                .msg_controllen = control,
                                .msg_flags = 0};
    }
}

int receive_slots::fill(int fd, unsigned wanted) noexcept {
    wanted = std::min(wanted, count);
    for (unsigned i = 0; i < wanted; ++i) {
        messages_[i].msg_hdr.msg_namelen = sizeof sources_[i];
        messages_[i].msg_hdr.msg_controllen = control;
    }
    int got;
    do got = ::recvmmsg(fd, messages_.data(), wanted, MSG_DONTWAIT, nullptr);
    while (got < 0 && errno == EINTR);
    return got;
}

std::optional<received_frame> receive_slots::at(unsigned i) noexcept {
    auto const& from = sources_[i];
    auto type = link_type_of(from.sll_hatype);
    if (!type) return {};
    auto [auxiliary, stamp] = read_control(messages_[i].msg_hdr);
    std::size_t captured = messages_[i].msg_len;  // of what the filter's program, too, may have cut
    std::size_t length = std::max<std::size_t>(auxiliary.tp_len, captured);
    auto* start = slot(i) + tag;
    if (auxiliary.tp_status & TP_STATUS_VLAN_VALID && *type == link_type::ethernet && captured >= addresses) {
        start -= tag;
        put_tag_back(start, auxiliary);
        captured += tag;
        length += tag;
    }
    frame f{.bytes = {start, std::min<std::size_t>(captured, snapshot_)},
            .length = static_cast<std::uint32_t>(length),
            .time = to_timestamp(stamp),
            .type = *type,
            .interface = from.sll_ifindex,
            .outgoing = from.sll_pkttype == PACKET_OUTGOING};
    return received_frame(f, (auxiliary.tp_status & TP_STATUS_CSUMNOTREADY) != 0);
}

}  // namespace sonde::detail
