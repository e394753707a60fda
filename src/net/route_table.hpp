#pragma once

#include "net/prefix_table.hpp"
#include "net/source_address.hpp"

#include <sonde/net/interfaces.hpp>
#include <sonde/net/routes.hpp>

#include <boost/system/result.hpp>

#include <array>
#include <optional>
#include <vector>

namespace sonde::inline v0::detail {

/// What the tables of the kernel hold, in which the kernel's own search is repeated.
struct table_contents {
    std::vector<kernel_interface> interfaces;
    std::vector<route_entry>
        routes;  ///< of both families and any table; others than local, main, default are ignored
    std::vector<address_label> labels;
    bool standard_rules_v4 = true;  ///< the policy rules are the ones that every host starts with
    bool standard_rules_v6 = true;
};

/// Routes, interfaces and source addresses at one moment: finds the way to a destination as the kernel does,
/// or says that only the kernel can tell. Pure and immutable; lookups do not allocate.
///
/// Followed: net/ipv4/fib_trie.c and route.c, net/ipv6/ip6_fib.c, route.c and addrconf.c, for packets without
/// TOS, mark, flow label or VRF.
class route_table {
public:
    using answer = std::optional<boost::system::result<route>>;

    route_table() = default;
    explicit route_table(table_contents contents);

    /// The way to `to`, over any interface (0) or over `interface` only. Nothing when only the kernel can
    /// tell: policy rules, multipath, IPv6 routers that may be unreachable, ties. Errors: no_route;
    /// no_such_interface; interface_down.
    answer lookup(ip_address const& to, int interface) const;

    struct address_range {
        std::uint32_t first = 1, last = 0;
        bool contains(ipv4 a) const { return first <= a.value && a.value <= last; }
    };
    /// Addresses around `to`, itself included, that lie in the same prefixes of all tables: if `lookup` gives
    /// a unicast route for one of them, it gives the same for each. Just `to` where there are many routes.
    address_range alike(ipv4 to) const;

    /// The part of `lookup` that no route has a say in: an interface that is missing or down, the unspecified
    /// address (this host), and IPv6 link-local and multicast destinations without an interface. These take
    /// the only IPv6 link, put into `interface`, or are no_route when there are several. Nothing: look for a
    /// route.
    answer settle(ip_address const& to, int& interface) const;

    /// The interface of the cheapest default route, IPv4 before IPv6; 0 when there is none.
    int default_route_interface() const;
    /// The bytes of IP packet that fit `interface`; 0 when it is unknown.
    unsigned mtu_of(int interface, bool v6) const;

    interface_table const& interfaces() const { return interfaces_; }

private:
    enum table_name : std::size_t { local, main, fallback, table_count };
    using family_tables = std::array<prefix_table, table_count>;

    struct match {
        route_entry const* entry = nullptr;
        unsigned length = 0;    // of the prefix
        bool doubtful = false;  // only the kernel knows which of several entries it takes
    };

    static match find_v4(prefix_table const& table, ip_address const& to, int interface);
    static match find_v6(prefix_table const& table, ip_address const& to, int interface);
    match choose_v4(ip_address const& to, int interface) const;
    match choose_v6(ip_address const& to, int interface) const;
    answer lookup_v4(ipv4 to, int interface) const;
    answer lookup_v6(ipv6 const& to, int interface) const;
    answer this_host(ip_address const& to, int interface) const;
    route on_link(ipv4 to, int interface) const;
    route along(route_entry const& e, ip_address const& to) const;
    void choose_sources(std::vector<route_entry>& entries) const;
    void find_edges();

    interface_table interfaces_;
    source_selector sources_;
    family_tables v4_, v6_;
    std::vector<std::uint32_t> edges_;  // IPv4 addresses at which a prefix begins, or has just ended; sorted
    bool standard_rules_v4_ = true, standard_rules_v6_ = true;
    int loopback_ = 0;
};

}  // namespace sonde::inline v0::detail
