#include "replay_rewrite.hpp"

#include <sonde/layers/ether.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>

#include <concepts>

namespace sonde::inline v0::tools {
namespace {

/// True when the field was changed.
template <class Field>
bool map_end(Field& end, std::vector<std::pair<ip_address, ip_address>> const& addresses) {
    using address = typename Field::native;
    for (auto const& [from, to] : addresses) {
        if (from != ip_address(end.value()) || from.is_v4() != to.is_v4()) continue;
        if constexpr (std::same_as<address, ipv4>)
            end = to.v4();
        else
            end = to.v6();
        return true;
    }
    return false;
}

template <class L>
bool map_ends(L& header, std::vector<std::pair<ip_address, ip_address>> const& addresses) {
    bool source = map_end(header.src, addresses), destination = map_end(header.dst, addresses);
    return source || destination;
}

}  // namespace

void rewrite(packet& p, replay_rewrite const& how) {
    if (auto* ether = how.source || how.destination ? p.find<Ether>() : nullptr) {
        if (how.source) ether->src = *how.source;
        if (how.destination) ether->dst = *how.destination;
    }
    if (how.addresses.empty()) return;
    bool changed = false;
    if (auto* ip = p.find<IP>()) {
        changed = map_ends(*ip, how.addresses);
        if (changed) ip->chksum = automatic;
    }
    if (auto* ip = p.find<IPv6>()) changed |= map_ends(*ip, how.addresses);
    if (!changed) return;
    if (auto* tcp = p.find<TCP>()) tcp->chksum = automatic;
    if (auto* udp = p.find<UDP>(); udp && udp->chksum != 0) udp->chksum = automatic;
    if (auto* echo = p.find<ICMPv6EchoRequest>()) echo->cksum = automatic;
    if (auto* echo = p.find<ICMPv6EchoReply>()) echo->cksum = automatic;
}

}  // namespace sonde::inline v0::tools
