#include "link/xdp/headers.hpp"

#include <sonde/packet/checksum.hpp>

#include <linux/if_ether.h>
#include <netinet/in.h>

#include <cstdint>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t ip = ETH_HLEN, shortest_ip4 = 20, ip6_header = 40;

unsigned u8_at(std::span<std::byte const> f, std::size_t i) noexcept {
    return std::to_integer<unsigned>(f[i]);
}
unsigned u16_at(std::span<std::byte const> f, std::size_t i) noexcept {
    return u8_at(f, i) << 8 | u8_at(f, i + 1);
}

}  // namespace

std::optional<transport_headers> transport_headers::of(std::span<std::byte const> f) noexcept {
    if (f.size() < ip + shortest_ip4) return {};
    auto type = u16_at(f, ip - 2);
    transport_headers h{};
    unsigned protocol = 0;
    if (type == ETH_P_IP) {
        std::size_t header = (u8_at(f, ip) & 0xf) * std::size_t(4), total = u16_at(f, ip + 2);
        if (u8_at(f, ip) >> 4 != 4 || header < shortest_ip4 || total < header) return {};
        if (u16_at(f, ip + 6) & 0x3fff) return {};  // a fragment
        protocol = u8_at(f, ip + 9);
        h.addresses = ip + 12;
        h.ports = ip + header;
        h.length = total - header;
    } else if (type == ETH_P_IPV6 && f.size() >= ip + ip6_header) {
        protocol = u8_at(f, ip + 6);
        h.v6 = true;
        h.addresses = ip + 8;
        h.ports = ip + ip6_header;
        h.length = u16_at(f, ip + 4);
    } else {
        return {};
    }
    if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) return {};
    h.is_tcp = protocol == IPPROTO_TCP;
    return h;
}

bool has_pending_checksum(std::span<std::byte const> f) noexcept {
    constexpr std::size_t in_tcp = 16, in_udp = 6;
    auto h = transport_headers::of(f);
    if (!h) return false;
    auto field = h->ports + (h->is_tcp ? in_tcp : in_udp);
    if (field + 2 > f.size()) return false;
    internet_checksum pseudo;
    pseudo.add(f.subspan(h->addresses, h->v6 ? 32 : 8));
    pseudo.add16(h->is_tcp ? IPPROTO_TCP : IPPROTO_UDP);
    pseudo.add32(static_cast<std::uint32_t>(h->length));
    return u16_at(f, field) == static_cast<std::uint16_t>(~pseudo.finish());
}

}  // namespace sonde::inline v0::detail
