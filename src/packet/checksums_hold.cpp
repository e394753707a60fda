#include <sonde/layers/icmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/ipv6_ext.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/checksum.hpp>
#include <sonde/packet/match.hpp>

#include "layers/ipv6_chain.hpp"
#include "layers/transport.hpp"

namespace sonde::inline v0 {
namespace {

constexpr std::uint8_t icmpv6 = 58, tcp = 6, udp = 17;

/// Zero where the bytes carry their right checksum.
std::uint16_t sum_of(std::span<std::byte const> bytes) {
    internet_checksum sum;
    sum.add(bytes);
    return sum.finish();
}

bool transport_holds(layer_view const& v, std::uint8_t protocol) {
    return detail::transport_checksum(v, protocol, detail::stops::ahead).value_or(0) == 0;
}

bool is_icmpv6(layer_view const& v) {
    auto lower = v.lower();
    return (lower.is<IPv6>() || detail::is_extension(lower)) && v.description().name.starts_with("ICMPv6");
}

bool is_fragment(layer_view const& v) {
    constexpr bit_range flags_and_offset{48, 16};
    constexpr std::uint64_t more_or_not_first = 0x3fff;
    if (v.is<IPv6ExtHdrFragment>()) return true;
    return v.is<IP>() && (read_bits(v.header(), flags_and_offset).low & more_or_not_first) != 0;
}

bool holds(layer_view const& v) {
    if (v.is<IP>()) return sum_of(v.header()) == 0;
    if (v.is<IPv6>())
        return v.get<&IPv6::version>() == 6 && v.get<&IPv6::plen>() <= v.packet().bytes.size() - v.span().end;
    if (v.is<TCP>()) return transport_holds(v, tcp);
    if (v.is<UDP>())  // over IPv4 zero says that there is none
        return (v.lower().is<IP>() && v.get<&UDP::chksum>() == 0) || transport_holds(v, udp);
    if (v.is<ICMP>())
        return sum_of(v.packet().bytes.subspan(v.span().begin, v.span().size() + v.payload().size())) == 0;
    return !is_icmpv6(v) || transport_holds(v, icmpv6);
}

}  // namespace

bool checksums_hold(packet_view const& received) {
    for (layer_view v(received, 0); v; v.ascend()) {
        if (is_link_layer(v)) continue;
        if (v.span().quoted) return true;
        if (!holds(v)) return false;
        if (is_fragment(v)) return true;
    }
    return true;
}

}  // namespace sonde::inline v0
