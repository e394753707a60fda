#include "neighbours.hpp"

#include "engine.hpp"
#include "prober.hpp"

#include <sonde/layers/arp.hpp>
#include <sonde/layers/ether.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ipv6.hpp>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t capacity = 4096;
constexpr auto keep = std::chrono::seconds(30);         // as Linux's base_reachable_time
constexpr auto keep_silence = std::chrono::seconds(1);  // as its retransmission timer
constexpr std::size_t waiters_each = 65536;

/// ff02::1:ffXX:XXXX of an address (RFC 4291 §2.7.1).
ipv6 solicited_node(ipv6 const& a) {
    return ipv6::from_halves(0xff02000000000000, 0x00000001ff000000 | (a.low() & 0xffffff));
}

packet question(ip_address const& target, ip_address const& source, mac const& own) {
    if (target.is_v4())
        return Ether{.dst = mac::broadcast(), .src = own} /
               ARP{.pdst = target.v4(), .psrc = source.v4(), .hwsrc = own};
    auto group = solicited_node(target.v6());
    return Ether{.dst = multicast_address(group), .src = own} /
           IPv6{.dst = group, .src = source.v6(), .hlim = 255} / ICMPv6ND_NS{.tgt = target.v6()} /
           ICMPv6NDOptSrcLLAddr{.lladdr = own};
}

std::optional<mac> address_in(packet const& answer) {
    if (auto const* arp = answer.find<ARP>()) return arp->hwsrc.value();
    if (auto const* option = answer.find<ICMPv6NDOptDstLLAddr>()) return option->lladdr.value();
    // A solicited answer may leave the option out (RFC 4861 §4.4); the frame then came from there.
    if (auto const* frame = answer.find<Ether>()) return frame->src.value();
    return {};
}

}  // namespace

std::optional<mac> neighbours::look_up(int interface, ip_address const& address, steady_time now,
                                       error_code& ec) {
    if (auto known = engine_.system().neighbour(interface, address)) {
        latest_ = {.of = {interface, address}, .asked = now, .known = *known};
        return known;
    }
    auto found = known_.find({interface, address});
    if (found == known_.end()) return {};
    if (found->second.until <= now) {
        known_.erase(found);
        return {};
    }
    if (found->second.silent) {
        ec = engine_.fail(errc::no_neighbour, address.to_string());
        return {};
    }
    return found->second.address;
}

bool neighbours::is_full(int interface, ip_address const& address) const {
    auto at = asked_.find({interface, address});
    return at != asked_.end() && at->second.waiting.size() >= waiters_each;
}

void neighbours::wait_for_turn(int interface, ip_address const& address, std::function<void()> turn) {
    asked_[{interface, address}].late.push_back(std::move(turn));
}

void neighbours::resolve(int interface, ip_address const& address, handler done) {
    key which{interface, address};
    auto [at, first] = asked_.try_emplace(which);
    try {
        at->second.waiting.push_back(std::move(done));
        if (first) ask_for(which);
    } catch (...) {  // nobody was asked: the next who wants to know asks anew
        if (first) asked_.erase(which);
        throw;
    }
}

void neighbours::ask_for(key const& which) {
    auto const& [interface, address] = which;
    ++questions_;
    error_code ec;
    auto route = engine_.system().route_to(address, interface, engine_.now());
    auto const* out =
        engine_.system().interfaces(ec, engine_.now()).find(interface);  // good until the next question
    if (!out || !route)
        return answered(which, out ? route.error() : make_error_code(errc::no_such_interface), {});
    run_options how{.timeout = patience, .retry = 2, .first = true};
    ask(engine_.shared_from_this(), question(address, route->source, out->address), interface, how,
        [weak = engine_.weak_from_this(), which](error_code failed, std::optional<exchange> x) {
            auto asking = weak.lock();
            if (!asking) return;  // the network went while its question was being given up
            std::optional<mac> found;
            try {
                if (x && x->answered()) found = address_in(x->received);
            } catch (std::bad_alloc const&) {
                failed = asio::error::no_memory;
            }
            asking->neighbour_cache().answered(which, failed, found);
        });
}

/// What there is no memory for is asked again.
void neighbours::remember(key const& which, std::optional<mac> address) try {
    if (known_.size() >= capacity) known_.clear();
    known_[which] = {address.value_or(mac()), !address,
                     engine_.now() + (address ? steady_duration(keep) : steady_duration(keep_silence))};
} catch (std::bad_alloc const&) {
    return;
}

void neighbours::answered(key const& which, error_code ec, std::optional<mac> address) {
    if (ec == asio::error::operation_aborted) return;  // given up: it may be asked again by now
    auto waiting = asked_.extract(which);
    // A question that could not leave says nothing about the neighbour.
    if (!ec) remember(which, address);
    if (!address && !ec) ec = engine_.fail(errc::no_neighbour, which.second.to_string());
    if (!waiting) return;
    for (auto& done : waiting.mapped().waiting) done(address ? error_code() : ec, address.value_or(mac()));
    for (auto& turn : waiting.mapped().late) turn();
}

}  // namespace sonde::inline v0::detail
