// Reads routes and policy rules.
#include "net/rtnetlink.hpp"
#include "net/rtnetlink_read.hpp"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>

namespace sonde::inline v0::detail {
namespace {

/// Turns the RTN_ type into a kind; what the kernel alone understands stays with the kernel.
void set_type(route_entry& e, std::uint8_t type) {
    switch (type) {
        case RTN_UNICAST: e.kind = route_kind::unicast; break;
        case RTN_LOCAL:
        case RTN_ANYCAST: e.kind = route_kind::local; break;
        case RTN_BROADCAST: e.kind = route_kind::broadcast; break;
        case RTN_MULTICAST: e.kind = route_kind::multicast; break;
        case RTN_BLACKHOLE: e.kind = route_kind::blackhole; break;
        case RTN_UNREACHABLE: e.kind = route_kind::unreachable; break;
        case RTN_PROHIBIT: e.kind = route_kind::prohibit; break;
        case RTN_THROW: e.throws = true; break;
        default: e.needs_kernel = true; break;
    }
}

/// RTA_VIA: a gateway of the other family (RFC 5549).
std::optional<ip_address> via_from(std::span<std::byte const> value) {
    auto family = read_as<std::uint16_t>(value);
    return family ? address_from(value.subspan(2), *family) : std::nullopt;
}

unsigned mtu_from(std::span<std::byte const> metrics) {
    attribute_cursor all(metrics);
    unsigned mtu = 0;
    while (auto a = all.next())
        if (a->type == RTAX_MTU) mtu = a->u32();
    return mtu;
}

/// IPv6 routes learnt from routers run out; the kernel tells the rest of their life in hundredths of a
/// second.
std::optional<std::uint32_t> seconds_left(std::span<std::byte const> cache_info) {
    auto info = read_as<rta_cacheinfo>(cache_info);
    if (!info || info->rta_expires == 0) return 0;
    if (info->rta_expires < 0) return {};
    return static_cast<std::uint32_t>(std::max(info->rta_expires / 100, 1));
}

/// False when an attribute shows that the entry is none to keep.
bool read_attribute(netlink_attribute const& a, int family, route_entry& e) {
    switch (a.type) {
        case RTA_DST:
            if (auto prefix = address_from(a.value, family)) e.prefix = *prefix;
            break;
        case RTA_TABLE: e.table = a.u32(e.table); break;
        case RTA_OIF: e.interface = static_cast<int>(a.u32() & 0x7fffffff); break;
        case RTA_GATEWAY: e.gateway = address_from(a.value, family); break;
        case RTA_VIA: e.gateway = via_from(a.value); break;
        case RTA_PREFSRC: e.source = address_from(a.value, family); break;
        case RTA_PRIORITY: e.metric = a.u32(); break;
        case RTA_METRICS: e.mtu = mtu_from(a.value); break;
        case RTA_MULTIPATH:
            e.needs_kernel = true;
            if (auto hop = read_as<rtnexthop>(a.value))
                e.interface = hop->rtnh_ifindex & 0x7fffffff;  // the first
            break;
        case RTA_ENCAP_TYPE: e.encapsulated = true; break;
        case RTA_CACHEINFO: {
            auto left = seconds_left(a.value);
            e.expires = left.value_or(0);
            return left.has_value();
        }
        default: break;
    }
    return true;
}

struct rule {
    std::uint32_t priority = 0, table = 0;
    bool plain = true;
    friend bool operator==(rule const&, rule const&) = default;
};

/// A rule is plain when it says nothing but "look the table up".
std::optional<rule> read_rule(netlink_message const& m, int family) {
    auto head = header_of<fib_rule_hdr>(m, RTM_NEWRULE);
    if (!head || head->family != family) return {};
    rule r;
    r.table = head->table;
    r.plain = head->action == FR_ACT_TO_TBL && head->src_len == 0 && head->dst_len == 0 && head->tos == 0 &&
              (head->flags & ~std::uint32_t{FIB_RULE_PERMANENT}) == 0;
    auto attributes = m.attributes(sizeof(fib_rule_hdr));
    while (auto a = attributes.next()) {
        switch (a->type) {
            case FRA_PRIORITY: r.priority = a->u32(); break;
            case FRA_TABLE: r.table = a->u32(r.table); break;
            case FRA_SUPPRESS_PREFIXLEN:
            case FRA_SUPPRESS_IFGROUP: r.plain = r.plain && a->u32() == ~std::uint32_t{}; break;
            case FRA_PROTOCOL:
            case FRA_PAD: break;
            default: r.plain = false; break;
        }
    }
    return r;
}

}  // namespace

std::optional<route_entry> read_route(netlink_message const& m) {
    auto head = header_of<rtmsg>(m, RTM_NEWROUTE);
    if (!head || (head->rtm_family != AF_INET && head->rtm_family != AF_INET6)) return {};
    bool v6 = head->rtm_family == AF_INET6;
    route_entry e;
    e.prefix = v6 ? ip_address(ipv6()) : ip_address(ipv4());
    e.prefix_length = prefix_length_from(head->rtm_dst_len, head->rtm_family);
    e.table = head->rtm_table;
    e.scope = address_scope{head->rtm_scope};
    e.from_source = head->rtm_src_len != 0;
    set_type(e, head->rtm_type);
    auto attributes = m.attributes(sizeof(rtmsg));
    while (auto a = attributes.next())
        if (!read_attribute(*a, head->rtm_family, e)) return {};
    if (e.interface == 0 && !e.refuses())
        e.needs_kernel = true;  // a nexthop group, or one told by number only
    bool null_entry = v6 && e.kind == route_kind::unreachable && e.metric == ~std::uint32_t{};
    if ((head->rtm_flags & RTNH_F_DEAD) || head->rtm_tos != 0 || null_entry) return {};
    return e;
}

bool are_standard_rules(std::span<std::byte const> dump, bool v6) {
    static constexpr std::array<rule, 3> standard{
        {{0, RT_TABLE_LOCAL, true}, {32766, RT_TABLE_MAIN, true}, {32767, RT_TABLE_DEFAULT, true}}};
    auto expected = std::span(standard).first(v6 ? 2 : 3);
    std::size_t count = 0;
    message_cursor messages(dump);
    while (auto m = messages.next()) {
        auto r = read_rule(*m, v6 ? AF_INET6 : AF_INET);
        if (!r) continue;
        if (count == expected.size() || *r != expected[count]) return false;
        ++count;
    }
    return count == expected.size() && !messages.damaged();
}

}  // namespace sonde::inline v0::detail
