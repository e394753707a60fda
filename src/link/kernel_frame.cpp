#include "link/kernel_frame.hpp"

#include "link/interface_type.hpp"

#include <arpa/inet.h>
#include <linux/if_ether.h>

#include <algorithm>
#include <cstring>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t addresses = std::size_t(2) * ETH_ALEN;  // the tag stands behind them (IEEE 802.1Q 9.3)

timestamp to_timestamp(timespec t) noexcept {
    if (t.tv_sec == 0) ::clock_gettime(CLOCK_REALTIME, &t);
    return timestamp(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

// Moves the addresses forward and writes the tag where it was on the wire.
void put_tag_back(std::byte* to, kernel_frame const& f) noexcept {
    bool has_tpid = f.status & TP_STATUS_VLAN_TPID_VALID;
    std::uint16_t const tag[2] = {htons(has_tpid ? f.vlan_tpid : std::uint16_t{ETH_P_8021Q}),
                                  htons(f.vlan_tci)};
    static_assert(sizeof tag == vlan_tag);
    std::memmove(to, f.start, addresses);
    std::memcpy(to + addresses, tag, sizeof tag);
}

}  // namespace

std::optional<received_frame> kernel_frame::read(unsigned snapshot) const noexcept {
    auto type = link_type_of(from->sll_hatype);
    if (!type) return {};
    auto* first = start;
    auto octets = captured;
    auto whole = std::max(length, captured);
    if (status & TP_STATUS_VLAN_VALID && *type == link_type::ethernet && captured >= addresses) {
        first -= vlan_tag;
        put_tag_back(first, *this);
        octets += vlan_tag, whole += vlan_tag;
    }
    frame f{.bytes = {first, std::min<std::size_t>(octets, snapshot)},
            .length = static_cast<std::uint32_t>(whole),
            .time = to_timestamp(stamp),
            .type = *type,
            .interface = from->sll_ifindex,
            .outgoing = from->sll_pkttype == PACKET_OUTGOING};
    return received_frame(f, (status & TP_STATUS_CSUMNOTREADY) != 0);
}

}  // namespace sonde::inline v0::detail
