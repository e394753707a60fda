// The kernel's IPv6 output route: ip6_route_output_flags() and fib6_table_lookup().
#include "net/route_table.hpp"

namespace sonde::inline v0::detail {

/// The first entry of the longest prefix. The kernel passes over routers that do not answer neighbour
/// discovery, in favour of dearer and shorter routes: where there are such, only it can tell. Entries of one
/// prefix and metric take turns, so they are for the kernel too.
route_table::match route_table::find_v6(prefix_table const& table, ip_address const& to, int interface) {
    match found;
    table.visit(to, [&](std::span<route_entry const> same_prefix, unsigned length) {
        for (auto const& e : same_prefix) {
            if (interface != 0 && !e.needs_kernel && e.interface != interface) continue;
            if (!found.entry) {
                found = {&e, length, e.needs_kernel};
                continue;
            }
            bool takes_turns = length == found.length && e.metric == found.entry->metric;
            if (takes_turns || found.entry->gateway) found.doubtful = true;
        }
        return found.doubtful || (found.entry && !found.entry->gateway);
    });
    return found;
}

route_table::match route_table::choose_v6(ip_address const& to, int interface) const {
    auto found = find_v6(v6_[local], to, interface);
    bool ends = found.doubtful || (found.entry && !found.entry->throws);
    return ends ? found : find_v6(v6_[main], to, interface);
}

route_table::answer route_table::lookup_v6(ipv6 const& to, int interface) const {
    auto found = choose_v6(to, interface);
    if (found.doubtful) return {};
    if (!found.entry || found.entry->throws) return make_error_code(errc::no_route);
    auto const& e = *found.entry;
    if (e.refuses()) return route{.source = ipv6(), .kind = e.kind};
    auto r = along(e, to);
    if (!e.source) r.source = sources_.select(e.interface, to);
    if (to.is_multicast()) r.kind = route_kind::multicast;
    if (r.kind == route_kind::local) {
        r.interface = loopback_;
        r.mtu = mtu_of(loopback_, true);
    }
    return r;
}

}  // namespace sonde::inline v0::detail
