#include "replay_sides.hpp"

#include <sonde/layers/arp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>

namespace sonde::tools {
namespace {

constexpr unsigned arp = 0x806, tcp = 6, udp = 17;

void mix(std::size_t& h, std::size_t value) {
    h ^= value + 0x9e3779b97f4a7c15 + (h << 6) + (h >> 2);
}

}  // namespace

std::size_t side_finder::hash::operator()(conversation const& c) const noexcept {
    std::size_t h = c.protocol;
    for (auto const* e : {&c.low, &c.high}) {
        auto const& address = e->address.v6();  // of IPv4 the low half
        auto bytes = e->address.is_v6() ? address : ipv6::from_halves(0, e->address.v4().value);
        mix(h, bytes.high()), mix(h, bytes.low()), mix(h, e->port);
    }
    return h;
}

std::optional<side_finder::flow> side_finder::flow_of(packet const& p) {
    flow f;
    if (auto const* ip = p.find<IP>())
        f = {.from = {ip->src.value()}, .to = {ip->dst.value()}, .protocol = 1};
    else if (auto const* v6 = p.find<IPv6>())
        f = {.from = {v6->src.value()}, .to = {v6->dst.value()}, .protocol = 1};
    else if (auto const* question = p.find<ARP>())
        return flow{.from = {question->psrc.value()}, .to = {question->pdst.value()}, .protocol = arp};
    else
        return {};
    if (auto const* t = p.find<TCP>()) {
        f.from.port = t->sport.value(), f.to.port = t->dport.value(), f.protocol = tcp;
        auto flags = t->flags.value();
        if (flags.has("S")) f.told = flags.has("A") ? replay_side::server : replay_side::client;
    } else if (auto const* u = p.find<UDP>()) {
        f.from.port = u->sport.value(), f.to.port = u->dport.value(), f.protocol = udp;
    }
    return f;
}

replay_side side_finder::of(packet const& p) {
    auto f = flow_of(p);
    if (!f) return replay_side::client;
    if (!servers_.empty())
        return servers_.contains(f->from.address) ? replay_side::server : replay_side::client;
    bool from_low = f->from <= f->to;
    conversation which{from_low ? f->from : f->to, from_low ? f->to : f->from, f->protocol};
    auto [known, is_new] = low_is_client_.try_emplace(which, from_low);
    if (f->told) known->second = from_low == (*f->told == replay_side::client);
    return known->second == from_low ? replay_side::client : replay_side::server;
}

}  // namespace sonde::tools
