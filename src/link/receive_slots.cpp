#include "link/receive_slots.hpp"

#include <linux/if_ether.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace sonde::inline v0::detail {
namespace {

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

}  // namespace

receive_slots::receive_slots(unsigned snapshot)
    : capacity_(std::max<std::size_t>(snapshot, ETH_HLEN)),
      // An odd number of cache lines, so that the heads of the slots do not all compete for the same few of
      // them.
      stride_(((vlan_tag + capacity_ + 63) / 64 | 1) * 64),
      bytes_(std::make_unique_for_overwrite<std::byte[]>(stride_ * count)) {
    for (unsigned i = 0; i < count; ++i) {
        vectors_[i] = {slot(i) + vlan_tag, capacity_};
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

kernel_frame receive_slots::at(unsigned i) noexcept {
    auto [auxiliary, stamp] = read_control(messages_[i].msg_hdr);
    return {.start = slot(i) + vlan_tag,
            .captured = messages_[i].msg_len,  // of what the filter's program, too, may have cut
            .length = auxiliary.tp_len,
            .status = auxiliary.tp_status,
            .vlan_tci = auxiliary.tp_vlan_tci,
            .vlan_tpid = auxiliary.tp_vlan_tpid,
            .stamp = stamp,
            .from = &sources_[i]};
}

}  // namespace sonde::inline v0::detail
