#include "replay_sides.hpp"

#include <sonde/layers/arp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>

#include <boost/container_hash/hash.hpp>

#include <utility>

namespace sonde::inline v0::tools {
namespace {

constexpr unsigned arp = 0x806, tcp = 6, udp = 17;

}  // namespace

std::size_t side_finder::hash::operator()(conversation const& c) const noexcept {
    std::size_t h = c.protocol;
    for (auto const* e : {&c.low, &c.high}) {
        auto const& address = e->address.v6();  // of IPv4 the low half
        auto bytes = e->address.is_v6() ? address : ipv6::from_halves(0, e->address.v4().value);
        boost::hash_combine(h, bytes.high());
        boost::hash_combine(h, bytes.low());
        boost::hash_combine(h, e->port);
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
    auto& low_is_client = remembered(which, from_low);
    if (f->told) low_is_client = from_low == (*f->told == replay_side::client);
    return low_is_client == from_low ? replay_side::client : replay_side::server;
}

bool& side_finder::remembered(conversation const& c, bool when_new) {
    if (auto found = recent_.find(c); found != recent_.end()) return found->second;
    if (recent_.size() >= most_) {
        forgotten_ += before_.size();
        before_ = std::exchange(recent_, {});
    }
    if (auto found = before_.find(c); found != before_.end()) {
        when_new = found->second;
        before_.erase(found);
    }
    return recent_.try_emplace(c, when_new).first->second;
}

}  // namespace sonde::inline v0::tools
