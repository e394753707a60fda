#include "outgoing.hpp"

#include "layers/group_address.hpp"
#include "packet/answer_key.hpp"

#include <sonde/layers/arp.hpp>
#include <sonde/layers/ether.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/packet/match.hpp>

#include <bit>

namespace sonde::inline v0::detail {
namespace {

network_kind kind_of(layer_view const& network) {
    if (!network) return network_kind::none;
    if (network.is<IP>()) return network_kind::ip;
    if (network.is<IPv6>()) return network_kind::ipv6;
    return network.is<ARP>() ? network_kind::arp : network_kind::other;
}

/// One of its ends: the field that has it in IP, IPv6, ARP.
template <auto InIp, auto InIpv6, auto InArp>
std::optional<ip_address> address_of(layer_view const& network, network_kind kind) {
    switch (kind) {
        case network_kind::ip: return network.get<InIp>();
        case network_kind::ipv6: return network.get<InIpv6>();
        case network_kind::arp: return network.get<InArp>();
        default: return {};
    }
}

std::optional<ip_address> destination_in(layer_view const& network, network_kind kind) {
    return address_of<&IP::dst, &IPv6::dst, &ARP::pdst>(network, kind);
}

}  // namespace

outgoing::outgoing(packet const& p) {
    parts_.assign(p.view().bytes, p.layers());
    find_network_layer();
    read_destination();
}

outgoing::outgoing(packet&& p) : parts_(std::move(p).release_parts()) {
    find_network_layer();
    read_destination();
}

std::optional<outgoing> outgoing::of(packet&& p, host_names const& known) {
    if (!p.is_template()) return outgoing(std::move(p));
    outgoing o(p);
    if (!o.resolve(p, known)) return {};
    return o;
}

void outgoing::take(packet_template const& from, std::uint64_t index, random_source& random) {
    sums_ = from.begin(index, random, parts_->bytes);
    parts_->layers.assign(from.layers().begin(), from.layers().end());
    destination_looked_up_ = false;
    template_ = &from;
    if (std::exchange(latest_, &from) != &from) find_network_layer();
    read_destination();
}

outgoing outgoing::with_bytes(std::span<std::byte const> finished) const {
    outgoing o;
    o.parts_.assign(finished, parts_->layers);
    o.network_ = network_;
    o.kind_ = kind_;
    o.latest_ = latest_;
    o.read_destination();
    return o;
}

namespace {

/// Fields that the way of a packet tells, where they are automatic.
bool is_filled_by_way(layer_view const& v, std::size_t field, std::size_t network) {
    if (v.index() == network)
        return (v.is<IP>() && field == field_index<&IP::src>) ||
               (v.is<IPv6>() && field == field_index<&IPv6::src>) ||
               (v.is<ARP>() && (field == field_index<&ARP::psrc> || field == field_index<&ARP::hwsrc>));
    if (v.index() == 0)
        return v.is<Ether>() && (field == field_index<&Ether::src> || field == field_index<&Ether::dst>);
    return v.is<ICMPv6NDOptSrcLLAddr>() && field == field_index<&ICMPv6NDOptSrcLLAddr::lladdr>;
}

}  // namespace

std::optional<packet_template> outgoing::compile(source_base const& source, bool identified) {
    constexpr std::uint64_t worth_it = 16;
    auto const* set = source.set();
    if (!set || set->size() < worth_it) return {};
    std::vector<packet_template::slot> slots;
    packet const base(set->base());  // a copy has what was changed in its layers
    auto const network = network_layer_of(base.view()).index();
    for (layer_view v(base.view(), 0); v; v = v.upper())
        for (std::size_t field = 0; field < v.description().fields.size(); ++field) {
            bool is_open = (v.span().automatic >> field & 1) != 0;
            bool is_identity = identified && (v.description().identities >> field & 1) != 0;
            if (is_open && (is_identity || is_filled_by_way(v, field, network)))
                slots.push_back({static_cast<std::uint32_t>(v.index()), static_cast<std::uint32_t>(field)});
        }
    return packet_template::of(*set, slots);
}

void outgoing::put(std::size_t layer, std::size_t field, wire_value value) {
    if (template_)
        if (auto slot = template_->find_slot(layer, field))
            return template_->set_slot(*slot, value, parts_->bytes, sums_);
    auto const& span = parts_->layers[layer];
    auto header = std::span(parts_->bytes).subspan(span.begin, span.size());
    write_bits(header, locate(*span.layer, field, header), value);
}

template <auto Member>
bool outgoing::is_automatic(std::size_t layer) const {
    return (parts_->layers[layer].automatic >> field_index<Member> & 1) != 0;
}

void outgoing::find_network_layer() {
    auto v = network_layer_of(view());
    kind_ = kind_of(v);
    if (kind_ != network_kind::none) network_ = static_cast<std::uint32_t>(v.index());
    // What it carries may tell where it goes (a group), which its way depends on. A template has that
    // already.
    bool open = (kind_ == network_kind::ip && is_automatic<&IP::dst>(network_)) ||
                (kind_ == network_kind::ipv6 && is_automatic<&IPv6::dst>(network_));
    if (open && !template_) set_by_content(parts_->bytes, parts_->layers, network_);
}

bool outgoing::resolve(packet const& p, host_names const& known) {
    for (auto const& v : p.sets()) {
        if (v.content.state != field_state::name) continue;
        auto found = known.find(v.name);
        auto const& span = parts_->layers[v.layer];
        bool v6 = span.layer->fields[v.field].kind == value_kind::ipv6;
        if (found == known.end() || found->second.is_v6() != v6) return false;
        auto value = v6 ? value_traits<ipv6>::to_wire(found->second.v6())
                        : value_traits<ipv4>::to_wire(found->second.v4());
        auto header = std::span(parts_->bytes).subspan(span.begin, span.size());
        write_bits(header, locate(*span.layer, v.field, header), value);
        destination_looked_up_ |=
            v.layer == network_layer().index() && span.layer->fields[v.field].name == "dst";
    }
    read_destination();
    return true;
}

layer_view outgoing::network_layer() const {
    return kind_ == network_kind::none ? layer_view() : layer_view(view(), network_);
}

/// It is not changed any more: what its way and its identity fill in are other fields.
void outgoing::read_destination() {
    destination_ = destination_in({view(), network_}, kind_);
}

std::optional<ip_address> destination_of(packet_view const& p) {
    auto v = network_layer_of(p);
    return destination_in(v, kind_of(v));
}

target_naming outgoing::naming() const {
    if (kind_ != network_kind::ip && kind_ != network_kind::ipv6) return target_naming::written;
    auto field = kind_ == network_kind::ip ? field_index<&IP::dst> : field_index<&IPv6::dst>;
    if (parts_->layers[network_].drawn >> field & 1) return target_naming::drawn;
    return destination_looked_up_ ? target_naming::looked_up : target_naming::written;
}

std::optional<ip_address> outgoing::source() const {
    return address_of<&IP::src, &IPv6::src, &ARP::psrc>({view(), network_}, kind_);
}

bool outgoing::has_automatic_source() const {
    switch (kind_) {
        case network_kind::ip: return is_automatic<&IP::src>(network_);
        case network_kind::ipv6: return is_automatic<&IPv6::src>(network_);
        case network_kind::arp: return is_automatic<&ARP::psrc>(network_);
        default: return false;
    }
}

bool outgoing::wants_neighbour() const {
    return layer_view(view(), 0).is<Ether>() && is_automatic<&Ether::dst>(0);
}

template <auto Member>
void outgoing::fill(std::size_t layer, wire_value value) {
    if (!is_automatic<Member>(layer)) return;
    put(layer, field_index<Member>, value);
    parts_->layers[layer].automatic &= ~(std::uint64_t(1) << field_index<Member>);
}

void outgoing::set_source(ip_address const& source) {
    if (!has_automatic_source() || source.is_v6() != (kind_ == network_kind::ipv6)) return;
    if (kind_ == network_kind::ip) fill<&IP::src>(network_, value_traits<ipv4>::to_wire(source.v4()));
    if (kind_ == network_kind::arp) fill<&ARP::psrc>(network_, value_traits<ipv4>::to_wire(source.v4()));
    if (kind_ == network_kind::ipv6) fill<&IPv6::src>(network_, value_traits<ipv6>::to_wire(source.v6()));
}

void outgoing::set_link_source(mac const& address) {
    auto value = value_traits<mac>::to_wire(address);
    if (layer_view(view(), 0).is<Ether>()) fill<&Ether::src>(0, value);
    if (kind_ == network_kind::arp) fill<&ARP::hwsrc>(network_, value);
    // IPv6 alone carries neighbour discovery, whose options name the link's address.
    if (kind_ != network_kind::ipv6) return;
    for (auto v = network_layer(); v; v = v.upper())
        if (v.is<ICMPv6NDOptSrcLLAddr>()) fill<&ICMPv6NDOptSrcLLAddr::lladdr>(v.index(), value);
}

void outgoing::set_link_destination(mac const& address) {
    if (wants_neighbour()) fill<&Ether::dst>(0, value_traits<mac>::to_wire(address));
}

namespace {

std::uint64_t value_of(identity_part part, identity_source const& all, std::uint32_t draw) {
    switch (part) {
        case identity_part::port: return all.port(draw);
        case identity_part::id: return all.id(draw);
        case identity_part::sequence: return all.sequence(draw);
        case identity_part::number: return all.number(draw);
        case identity_part::none: break;
    }
    return 0;
}

}  // namespace

std::vector<outgoing::identity_slot> outgoing::identities_of(packet_template const& packets) {
    std::vector<identity_slot> found;
    for (std::size_t layer = 0; layer < packets.layers().size(); ++layer) {
        auto const& span = packets.layers()[layer];
        for (std::size_t field = 0; field < span.layer->fields.size(); ++field)
            if ((span.automatic & span.layer->identities) >> field & 1)
                if (auto slot = packets.find_slot(layer, field))
                    found.push_back({*slot, span.layer->fields[field].rule.identity});
    }
    return found;
}

bool outgoing::identify(identity_source const& all, std::uint32_t draw,
                        std::span<identity_slot const> which) {
    for (auto const& [slot, part] : which)
        template_->set_slot(slot, {0, value_of(part, all, draw)}, parts_->bytes, sums_);
    return !which.empty();
}

bool outgoing::identify(identity_source const& all, std::uint32_t draw) {
    bool any = false;
    for (std::size_t layer = 0; layer < parts_->layers.size(); ++layer) {
        auto& span = parts_->layers[layer];
        auto open = span.automatic & span.layer->identities;
        span.automatic &= ~open;
        any |= open != 0;
        for (; open != 0; open &= open - 1) {
            auto field = static_cast<std::size_t>(std::countr_zero(open));
            put(layer, field, {0, value_of(span.layer->fields[field].rule.identity, all, draw)});
        }
    }
    return any;
}

/// A source that nobody told, as building has it.
void outgoing::set_loopback_source() {
    if (!has_automatic_source()) return;
    auto to = destination();
    if (to && to->is_v4() && to->v4().is_loopback()) set_source(ipv4(0x7f000001));
    if (to && to->is_v6() && to->v6().is_loopback()) set_source(ipv6::from_halves(0, 1));
}

void outgoing::finish(finisher& how) {
    if (template_) {
        set_loopback_source();
        template_->end(parts_->bytes, sums_);
        template_ = nullptr;
    } else {
        how.finish(parts_->bytes, parts_->layers);
    }
    for (auto& span : parts_->layers) span.automatic = 0;
}

mac multicast_address(ip_address const& group) {
    return group.is_v6() ? group_address(group.v6()) : group_address(group.v4());
}

}  // namespace sonde::inline v0::detail
