#pragma once

#include <sonde/net/interfaces.hpp>
#include <sonde/net/routes.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sonde::inline v0::detail {

/// One route as the kernel dumps it. Multipath routes and nexthop groups are kept as "ask the kernel".
struct route_entry {
    ip_address prefix;
    std::uint8_t prefix_length = 0;  ///< bits
    std::uint32_t table = 0;         ///< RT_TABLE_
    route_kind kind = route_kind::unicast;
    address_scope scope = address_scope::universe;
    std::uint32_t metric = 0;
    int interface = 0;
    std::optional<ip_address> gateway;
    std::optional<ip_address> source;  ///< "src" of the route, when it has one
    unsigned mtu = 0;                  ///< 0: the interface's
    std::uint32_t expires = 0;         ///< seconds from now; 0: never
    bool throws = false;               ///< ends the search in this table only
    bool needs_kernel = false;  ///< only the kernel knows which next hop it takes, or what the type means
    bool from_source = false;   ///< holds for some source addresses only (IPv6 subtrees)
    bool encapsulated = false;

    bool refuses() const { return throws || kind >= route_kind::blackhole; }
};

/// The routes of one table, found by longest prefix: a hash lookup for each prefix length in use.
class prefix_table {
public:
    prefix_table() = default;
    /// Entries of one family. Those with the same prefix keep their order, but for the metric: the lowest
    /// first.
    explicit prefix_table(std::vector<route_entry> entries);

    /// Calls `visitor(entries of one prefix, its length)` for every prefix that `address` lies in, the
    /// longest first, until one returns true. No allocation.
    template <class Visitor>
    void visit(ip_address const& address, Visitor visitor) const {
        for (auto length : lengths_) {
            auto found = index_.find(key_of(address, length));
            if (found == index_.end()) continue;
            if (visitor(std::span(entries_).subspan(found->second.first, found->second.count), length))
                return;
        }
    }

    std::span<route_entry const> entries() const { return entries_; }
    bool empty() const { return entries_.empty(); }

private:
    struct key {
        std::uint64_t high, low;  // masked; an IPv4 address stands in the low 32 bits
        std::uint8_t length;
        friend bool operator==(key const&, key const&) = default;
    };
    struct key_hash {
        std::size_t operator()(key const& k) const noexcept;
    };
    struct range {
        std::uint32_t first, count;
    };

    static key key_of(ip_address const& address, unsigned length);

    std::vector<route_entry> entries_;
    std::vector<std::uint8_t> lengths_;  // those in use, falling
    boost::unordered_flat_map<key, range, key_hash> index_;
};

}  // namespace sonde::inline v0::detail
