#include "net/route_table.hpp"

#include <linux/rtnetlink.h>

#include <utility>

namespace sonde::inline v0::detail {

route_table::route_table(table_contents contents)
    : interfaces_(std::move(contents.interfaces)),
      sources_(interfaces_, contents.labels),
      standard_rules_v4_(contents.standard_rules_v4),
      standard_rules_v6_(contents.standard_rules_v6) {
    if (auto* lo = interfaces_.loopback()) loopback_ = lo->index;
    choose_sources(contents.routes);
    std::array<std::vector<route_entry>, table_count> v4, v6;
    for (auto const& e : contents.routes) {
        bool is_v6 = e.prefix.is_v6();
        if (e.from_source) (is_v6 ? standard_rules_v6_ : standard_rules_v4_) = false;
        auto& family = is_v6 ? v6 : v4;
        if (e.table == RT_TABLE_LOCAL) family[local].push_back(e);
        if (e.table == RT_TABLE_MAIN) family[main].push_back(e);
        if (e.table == RT_TABLE_DEFAULT) family[fallback].push_back(e);
    }
    for (std::size_t t = 0; t < table_count; ++t) {
        v4_[t] = prefix_table(std::move(v4[t]));
        v6_[t] = prefix_table(std::move(v6[t]));
    }
    find_edges();
}

/// IPv4 sources do not depend on the destination: they are chosen once. IPv6 ones do.
void route_table::choose_sources(std::vector<route_entry>& entries) const {
    for (auto& e : entries) {
        if (e.prefix.is_v6() || e.source || e.kind == route_kind::local || e.refuses()) continue;
        auto towards = e.gateway && e.gateway->is_v4() ? e.gateway->v4() : ipv4();
        e.source = select_source(interfaces_, e.interface, towards, e.scope);
    }
}

route_table::answer route_table::lookup(ip_address const& to, int interface) const {
    if (auto settled = settle(to, interface)) return settled;
    if (!(to.is_v6() ? standard_rules_v6_ : standard_rules_v4_)) return {};
    return to.is_v6() ? lookup_v6(to.v6(), interface) : lookup_v4(to.v4(), interface);
}

route_table::answer route_table::settle(ip_address const& to, int& interface) const {
    if (interface != 0) {
        auto* i = interfaces_.find(interface);
        if (!i) return make_error_code(errc::no_such_interface);
        if (!i->up) return make_error_code(errc::interface_down);
    }
    if (to.is_unspecified()) return this_host(to, interface);
    bool scoped = to.is_v6() && (to.v6().is_link_local() || to.v6().is_multicast());
    if (!scoped || interface != 0) return {};
    if (interfaces_.find(to)) return this_host(to, 0);
    auto* link = interfaces_.only_ipv6_link();
    if (!link) return make_error_code(errc::no_route);
    interface = link->index;
    return {};
}

/// Delivered here. The unspecified address means "this host" to every Linux socket, ::1 in IPv6.
route_table::answer route_table::this_host(ip_address const& to, int interface) const {
    route r{.interface = loopback_,
            .source = to,
            .kind = route_kind::local,
            .mtu = mtu_of(loopback_, to.is_v6())};
    if (!to.is_unspecified()) return r;
    if (to.is_v6()) {
        r.source = ipv6("::1");
    } else {
        auto own = interface ? select_source(interfaces_, interface, {}, address_scope::host) : ipv4();
        r.source = own.is_unspecified() ? ipv4("127.0.0.1") : own;
    }
    return r;
}

int route_table::default_route_interface() const {
    for (auto* family : {&v4_, &v6_})
        for (auto const& e : (*family)[main].entries())
            if (e.prefix_length == 0 && e.interface != 0 && !e.refuses()) return e.interface;
    return 0;
}

unsigned route_table::mtu_of(int interface, bool v6) const {
    auto* i = interfaces_.find(interface);
    if (!i) return 0;
    return v6 && i->mtu_v6 != 0 ? i->mtu_v6 : i->mtu;
}

route route_table::along(route_entry const& e, ip_address const& to) const {
    return {.interface = e.interface,
            .source = e.source.value_or(to.is_v6() ? ip_address(ipv6()) : ip_address(ipv4())),
            .gateway = e.gateway,
            .kind = e.kind,
            .mtu = e.mtu != 0 ? e.mtu : mtu_of(e.interface, to.is_v6()),
            .encapsulated = e.encapsulated};
}

}  // namespace sonde::inline v0::detail
