#include "engine.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>

#include <algorithm>
#include <cstring>

// Packets going out: interfaces, routes, names, limits.
namespace sonde::inline v0::detail {

int engine::interface_index(if_name const& name, error_code& ec) {
    if (name.empty()) return 0;
    if (auto const* found = system_->interfaces(ec, now()).find(name.view())) return found->index;
    if (!ec) ec = fail(errc::no_such_interface, std::string(name.view()));
    return 0;
}

int engine::default_interface(error_code& ec) {
    auto index = system_->default_interface();
    if (index) return *index;
    ec = fail(index.error(), "default interface");
    return 0;
}

way_out engine::route(outgoing& packet, int interface, any_route& asked, error_code& ec) {
    way_out way;
    auto destination = packet.destination();
    if (!destination || packet.network_layer().index() != 0) {
        ec = fail(errc::no_such_layer, "layer 3 verbs need a packet that begins with IP or IPv6");
        return way;
    }
    auto const generation = system_->route_generation(recent());
    if (interface != 0 || !asked) asked = system_->route_to(*destination, interface, recent());
    auto const& found = *asked;
    if (!found || !found->usable()) {
        ec = fail(found ? make_error_code(errc::no_route) : found.error(), destination->to_string());
        return way;
    }
    bool chose_source = !packet.has_automatic_source();
    if (!chose_source) packet.set_source(found->source);
    way.out = port_on(packet, chose_source, found->interface, ec);
    if (ec) return way;
    way.to_many = found->kind == route_kind::broadcast || found->kind == route_kind::multicast;
    auto const& link = way.out->info();
    way.add_ethernet = !link.loopback && link.type == link_type::ethernet;
    if (!way.add_ethernet)
        way.next_hop_mac = mac();
    else if (found->kind == route_kind::broadcast)
        way.next_hop_mac = mac::broadcast();
    else if (destination->is_multicast())
        way.next_hop_mac = multicast_address(*destination);
    way.next_hop = found->gateway.value_or(*destination);
    if (destination->is_v4() && found->kind == route_kind::unicast && way.out == latest_) {
        auto [first, last] = system_->alike(destination->v4(), interface);
        latest_way_ = {.way = {},
                       .first = first,
                       .last = last,
                       .generation = generation,
                       .interface = interface,
                       .source = found->source,
                       .has_gateway = found->gateway.has_value()};
    }
    return way;
}

way_out engine::link(outgoing& frame, int interface, error_code& ec) {
    way_out way;
    way.out = open_port(interface, false, ec);
    if (ec) return way;
    auto const& own = way.out->info();
    frame.set_link_source(own.address);
    way.next_hop_mac = mac::broadcast();  // a frame that names no destination at all
    auto destination = frame.destination();
    if (!destination) return way;
    auto found = system_->route_to(*destination, interface, recent());
    bool known = found && found->usable();
    if (frame.has_automatic_source() && known) frame.set_source(found->source);
    if (!frame.wants_neighbour() || !(frame.network_layer().is<IP>() || frame.network_layer().is<IPv6>()))
        return way;
    if (destination->is_multicast()) {
        way.next_hop_mac = multicast_address(*destination);
    } else if (!known) {
        ec = fail(found ? make_error_code(errc::no_route) : found.error(), destination->to_string());
    } else if (found->kind != route_kind::broadcast) {
        way.next_hop_mac.reset();
        way.next_hop = found->gateway.value_or(*destination);
    }
    return way;
}

way_out const& engine::way_of(outgoing& packet, int interface, bool layer2, error_code& ec) {
    auto& latest = latest_way_;
    if (!layer2 && goes_latest_way(packet, interface)) {
        packet.set_source(latest.source);
        if (!latest.has_gateway) latest.way.next_hop = *packet.destination();
        return latest.way;
    }
    latest = {};
    any_route found;
    if (!(ec = refusal(packet, found)))
        latest.way = layer2 ? link(packet, interface, ec) : route(packet, interface, found, ec);
    return latest.way;
}

/// Nearly all of a scan's packets do: then neither route, nor port, nor what kind of target it is have to be
/// asked for.
bool engine::goes_latest_way(outgoing const& packet, int interface) {
    auto const& latest = latest_way_;
    auto const& to = packet.destination();
    if (!to || !to->is_v4() || to->v4() < latest.first || to->v4() > latest.last) return false;
    if (interface != latest.interface || latest.way.out != latest_ || targets_.has_lists()) return false;
    if (!packet.begins_with_network_layer()) return false;
    // What kind of target it is depends on the route by any interface, and on the address.
    if (packet.naming() != target_naming::written &&
        (interface != 0 || target_policy::kind_by_address(*to) != target_kind::host))
        return false;
    return latest.generation == system_->route_generation(recent());
}

/// Every verb's packets pass here, before a route, a neighbour or a socket is asked for them.
error_code engine::refusal(outgoing const& packet, any_route& found) {
    auto to = packet.destination();
    if (!to) return {};
    if (targets_.has_lists())
        if (auto ec = targets_.by_lists(*to)) return fail(ec, to->to_string());
    auto naming = packet.naming();
    if (naming == target_naming::written) return {};
    auto kind = kind_of_target(*to, found);
    auto ec = targets_.by_kind(kind, naming);
    return ec ? fail(ec, to->to_string() + " (" + std::string(name_of(kind)) + ")") : ec;
}

/// By the kernel's route, whichever interface the packet is to leave by: an own address is this host's on
/// any wire, and a broadcast address that of one of its networks.
target_kind engine::kind_of_target(ip_address const& to, any_route& found) {
    auto kind = target_policy::kind_by_address(to);
    if (kind != target_kind::host) return kind;
    found = system_->route_to(to, 0, recent());
    if (!*found) return kind;
    auto by_route = (*found)->kind;
    if (by_route == route_kind::local) return target_kind::own;
    return by_route == route_kind::broadcast ? target_kind::broadcast : kind;
}

namespace {

/// The kernel takes no frame without a whole Ethernet header; Scapy pads it to the least size on the wire.
void pad(std::vector<std::byte>& frame, link_type type) {
    constexpr std::size_t header = 14, least = 60;
    if (type == link_type::ethernet && frame.size() < header) frame.resize(least);
}

}  // namespace

void engine::transmit(way_out const& way, outgoing const& packet, mac const& next_hop,
                      std::shared_ptr<frame_owner> owner, std::uint64_t tag) {
    if (!way.out->is_open()) return owner->frame_failed(tag, way.out->end());
    auto bytes = way.out->buffer();
    auto const& body = packet.bytes();
    std::size_t const lower = way.add_ethernet ? 14 : 0;
    bytes.resize(lower + body.size());
    if (way.add_ethernet) {
        std::uint8_t const type[2][2] = {{0x08, 0x00}, {0x86, 0xdd}};
        std::memcpy(bytes.data(), next_hop.octets.data(), 6);
        std::memcpy(bytes.data() + 6, way.out->info().address.octets.data(), 6);
        std::memcpy(bytes.data() + 12, type[packet.is_ipv6()], 2);
    }
    std::ranges::copy(body, bytes.begin() + static_cast<std::ptrdiff_t>(lower));
    pad(bytes, way.out->info().type);
    schedule_turn();
    if (limiter_.active()) {
        auto layer = packet.network_layer();
        bool to_network = layer.is<IP>() || layer.is<IPv6>();
        auto held = limiter_.ask(to_network ? packet.destination() : std::nullopt, bytes.size() * 8,
                                 ++last_ticket_, recent());
        if (held != rate_limiter::hold::none) {
            bool by_all = held == rate_limiter::hold::network;
            ++owner->held;
            owner->held_by_all += by_all;
            held_.emplace(last_ticket_, held_frame{way.out, std::move(bytes), std::move(owner), tag, by_all});
            return;
        }
    }
    way.out->queue(std::move(bytes), std::move(owner), tag);
    ++backlog_;
}

error_code engine::transmit(int interface, std::span<std::byte const> frame,
                            std::shared_ptr<frame_owner> owner, std::uint64_t tag) {
    error_code ec;
    auto out = open_port(interface, false, ec);
    if (!ec && !out->is_open()) ec = out->end();
    if (ec) return ec;
    auto bytes = out->buffer();
    bytes.assign(frame.begin(), frame.end());
    pad(bytes, out->info().type);
    schedule_turn();
    out->queue(std::move(bytes), std::move(owner), tag);
    ++backlog_;
    return {};
}

void engine::release_held(steady_time now) {
    while (!is_backlogged()) {
        auto who = limiter_.release(now);
        if (!who) return;
        auto at = held_.find(*who);
        if (at == held_.end()) continue;  // there was no memory to hold it
        auto frame = std::move(at->second);
        held_.erase(at);
        --frame.owner->held;
        frame.owner->held_by_all -= frame.by_all;
        if (!frame.out->is_open()) {
            frame.owner->frame_failed(frame.tag, frame.out->end());
            continue;
        }
        frame.out->queue(std::move(frame.bytes), std::move(frame.owner), frame.tag);
        ++backlog_;
    }
}

void engine::drop_held() noexcept {
    auto gone = [](held_frame const& f) { return !f.owner->wants_to_send(); };
    limiter_.withdraw([&](rate_limiter::ticket t) {
        auto at = held_.find(t);
        return at == held_.end() || gone(at->second);
    });
    boost::unordered::erase_if(held_, [&](auto const& h) { return gone(h.second); });
}

void engine::resolve_name(std::string const& name, bool v6,
                          std::function<void(error_code, ip_address)> handler) {
    auto& waiting = asked_names_[(v6 ? "6" : "4") + name];
    waiting.push_back(std::move(handler));
    if (waiting.size() > 1) return;
    auto answered = [self = weak_from_this(), name, v6](error_code ec, ip_address address) {
        auto e = self.lock();
        if (!e) return;
        auto key = (v6 ? "6" : "4") + name;
        auto askers = std::exchange(e->asked_names_[key], {});
        e->asked_names_.erase(key);
        if (ec && ec != asio::error::operation_aborted) ec = e->fail(errc::host_not_found, name);
        for (auto& done : askers) done(ec, address);
    };
    try {
        system_->resolve(name, v6, std::move(answered));
    } catch (...) {  // nobody was asked: the next who wants to know asks anew
        asked_names_.erase((v6 ? "6" : "4") + name);
        throw;
    }
}

}  // namespace sonde::inline v0::detail
