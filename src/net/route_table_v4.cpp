// The kernel's IPv4 output route: ip_route_output_key_hash_rcu() and fib_table_lookup().
#include "net/route_table.hpp"

#include <algorithm>
#include <iterator>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t most_edges = 4096;  // a router's table is not worth the search

bool is_local_multicast(ipv4 a) {
    return a.value >> 8 == 0xe00000;
}  // 224.0.0.0/24 (RFC 5771 §4)

/// Among default routes of equal cost the kernel prefers those whose gateway answers ARP.
bool has_rival(std::span<route_entry const> same_prefix, route_entry const& e) {
    return std::count_if(same_prefix.begin(), same_prefix.end(),
                         [&](auto const& other) { return other.metric == e.metric; }) > 1;
}

}  // namespace

route_table::match route_table::find_v4(prefix_table const& table, ip_address const& to, int interface) {
    match found;
    table.visit(to, [&](std::span<route_entry const> same_prefix, unsigned length) {
        for (auto const& e : same_prefix) {
            bool fits = e.refuses() || e.needs_kernel || interface == 0 || e.interface == interface;
            if (!fits) continue;
            found = {&e, length, e.needs_kernel || (length == 0 && has_rival(same_prefix, e))};
            return true;
        }
        return false;
    });
    return found;
}

/// Table local, then main, then default, each by longest prefix.
///
/// The kernel searches local and main as one until the first policy rule was ever made, and one after the
/// other from then on; likewise only then does a refusal in main end the search. Nothing tells us which:
/// where it matters, ask.
route_table::match route_table::choose_v4(ip_address const& to, int interface) const {
    auto found = find_v4(v4_[local], to, interface);
    if (found.entry) {
        auto other = find_v4(v4_[main], to, interface);
        if (other.entry && other.length > found.length) found.doubtful = true;
        return found;
    }
    found = find_v4(v4_[main], to, interface);
    if ((found.entry && !found.entry->refuses()) || v4_[fallback].empty()) return found;
    bool refused = found.entry && !found.entry->throws;
    found = find_v4(v4_[fallback], to, interface);
    found.doubtful |= refused;
    return found;
}

void route_table::find_edges() {
    auto add = [&](ipv4 prefix, unsigned length) {
        auto rest = length == 0 ? ~std::uint32_t{} : (std::uint32_t{1} << (32 - length)) - 1;
        edges_.push_back(prefix.value & ~rest);
        if ((prefix.value | rest) != ~std::uint32_t{}) edges_.push_back((prefix.value | rest) + 1);
    };
    for (auto const& table : v4_) {
        if (edges_.size() + 2 * table.entries().size() > most_edges) return edges_.clear();
        for (auto const& e : table.entries()) add(e.prefix.v4(), e.prefix_length);
    }
    // What `lookup` and `settle` treat in their own ways.
    add(ipv4(), 0), add(ipv4(), 32), add(ipv4("224.0.0.0"), 4), add(ipv4("224.0.0.0"), 24);
    add(ipv4("255.255.255.255"), 32);
    std::ranges::sort(edges_);
    edges_.erase(std::ranges::unique(edges_).begin(), edges_.end());
}

route_table::address_range route_table::alike(ipv4 to) const {
    if (edges_.empty()) return {to.value, to.value};
    auto behind = std::ranges::upper_bound(edges_, to.value);  // never the first: that is 0
    return {*std::prev(behind), behind == edges_.end() ? ~std::uint32_t{} : *behind - 1};
}

route_table::answer route_table::lookup_v4(ipv4 to, int interface) const {
    if (interface != 0 && (is_local_multicast(to) || to.is_broadcast())) return on_link(to, interface);
    auto found = choose_v4(to, interface);
    if (found.doubtful) return {};
    if (!found.entry || found.entry->refuses()) {
        // With an interface named, the kernel takes everything to be on link rather than give up.
        if (interface != 0) return on_link(to, interface);
        if (!found.entry || found.entry->throws) return make_error_code(errc::no_route);
        return route{.source = ipv4(), .kind = found.entry->kind};
    }
    auto const& e = *found.entry;
    if (e.kind == route_kind::local)
        return route{.interface = loopback_,
                     .source = e.source.value_or(to),
                     .kind = e.kind,
                     .mtu = mtu_of(loopback_, false)};
    auto r = along(e, to);
    if (to.is_broadcast()) r.kind = route_kind::broadcast;
    if (to.is_multicast()) {
        r.kind = route_kind::multicast;
        if (interface != 0) r.source = select_source(interfaces_, interface, {}, address_scope::universe);
        if (found.length < 4) r.gateway.reset();  // the default route's gateway is no way to a group
    }
    if (r.kind == route_kind::broadcast) r.gateway.reset();
    // 127.0.0.0/8 leaves by lo alone, unless route_localnet is on: the kernel knows.
    if (r.source.is_loopback() && r.interface != loopback_) return {};
    return r;
}

route route_table::on_link(ipv4 to, int interface) const {
    ipv4 source;
    if (to.is_multicast() && !is_local_multicast(to))
        source = select_source(interfaces_, interface, {}, address_scope::universe);
    if (source.is_unspecified()) source = select_source(interfaces_, interface, {}, address_scope::link);
    return {.interface = interface,
            .source = source,
            .kind = to.is_broadcast()   ? route_kind::broadcast
                    : to.is_multicast() ? route_kind::multicast
                                        : route_kind::unicast,
            .mtu = mtu_of(interface, false)};
}

}  // namespace sonde::inline v0::detail
