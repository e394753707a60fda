#include "net/source_address.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace sonde::inline v0::detail {
namespace {

bool matches(ipv4 address, interface_address const& own) {
    auto bits = own.prefix_length;
    return bits == 0 || (address.value ^ own.network.v4().value) >> (32 - bits) == 0;
}

/// The first address of `i` that packets of scope `limit` may carry, one on the subnet of `towards`
/// preferred.
ipv4 from_interface(kernel_interface const& i, ipv4 towards, address_scope limit) {
    ipv4 found;
    for (auto const& a : i.addresses) {
        if (!a.address.is_v4() || a.secondary || a.scope > limit) continue;
        if (towards.is_unspecified() || matches(towards, a)) return a.address.v4();
        if (found.is_unspecified()) found = a.address.v4();
    }
    return found;
}

/// What an interface lends to others that have no address of their own.
ipv4 lent_by(kernel_interface const& i, address_scope limit) {
    for (auto const& a : i.addresses)
        if (a.address.is_v4() && !a.secondary && a.scope != address_scope::link && a.scope <= limit)
            return a.address.v4();
    return {};
}

enum : int { link_local_scope = 2, site_local_scope = 5, global_scope = 14 };

/// RFC 6724 §3.1 and §3.2: multicast addresses say their scope; ::1 counts as link-local.
int scope_of(ipv6 const& a) {
    if (a.is_multicast()) return a.octets[1] & 15;
    if (a.is_link_local() || a.is_loopback()) return link_local_scope;
    if (a.octets[0] == 0xfe && (a.octets[1] & 0xc0) == 0xc0) return site_local_scope;
    return global_scope;
}

bool is_orchid(address_bits const& a) {
    return a.high >> 36 == 0x2001001;
}  // 2001:10::/28 (RFC 4843)

/// ::1, IPv4-mapped and IPv4-compatible addresses: never avoided, whatever their flags say.
bool always_preferred(address_bits const& a) {
    return a.high == 0 && (a.low >> 32 == 0xffff || a.low >> 32 == 0);
}

}  // namespace

unsigned common_prefix(address_bits const& a, address_bits const& b) {
    if (auto differ = a.high ^ b.high) return static_cast<unsigned>(std::countl_zero(differ));
    return 64 + static_cast<unsigned>(std::countl_zero(a.low ^ b.low));
}

ipv4 select_source(interface_table const& interfaces, int interface, ipv4 towards, address_scope limit) {
    if (auto* own = interfaces.find(interface))
        if (auto a = from_interface(*own, towards, limit); !a.is_unspecified()) return a;
    for (auto const& other : interfaces)
        if (auto a = lent_by(other, limit); !a.is_unspecified()) return a;
    return {};
}

source_selector::source_selector(interface_table const& interfaces,
                                 std::vector<address_label> const& labels) {
    for (auto const& row : labels)
        labels_.push_back({address_bits(row.prefix), row.prefix_length, row.interface, row.label});
    std::sort(labels_.begin(), labels_.end(), [](auto const& a, auto const& b) {
        return std::make_pair(a.prefix_length, a.interface) > std::make_pair(b.prefix_length, b.interface);
    });
    for (auto const& i : interfaces) {
        if (i.own_addresses_only) own_addresses_only_.push_back(i.index);
        for (auto const& a : i.addresses) add(i, a);
    }
}

void source_selector::add(kernel_interface const& i, interface_address const& a) {
    if (!a.address.is_v6() || (a.tentative && !a.optimistic)) return;
    auto const& ip = a.address.v6();
    if (ip.is_unspecified() || ip.is_multicast()) return;
    address_bits bits(ip);
    bool avoided = a.deprecated || (a.optimistic && !i.use_optimistic);
    candidates_.push_back({.address = ip,
                           .bits = bits,
                           .interface = i.index,
                           .scope = scope_of(ip),
                           .label = label_of(bits, i.index),
                           .prefix_length = a.prefix_length,
                           .preferred = always_preferred(bits) || !avoided,
                           .home = a.home,
                           .wanted_privacy = a.temporary == i.prefer_temporary,
                           .not_optimistic = !a.optimistic,
                           .orchid = is_orchid(bits)});
}

ipv6 source_selector::select(int interface, ipv6 const& destination) const {
    address_bits bits(destination);
    target to{bits, interface, scope_of(destination), label_of(bits, interface), is_orchid(bits)};
    bool own_only = destination.is_multicast() || to.scope <= link_local_scope ||
                    std::find(own_addresses_only_.begin(), own_addresses_only_.end(), interface) !=
                        own_addresses_only_.end();
    candidate const* best = nullptr;
    std::uint64_t best_score = 0;
    for (auto const& c : candidates_) {
        if (own_only && c.interface != interface) continue;
        auto score = rate(c, to);
        if (best && score <= best_score) continue;
        best = &c;
        best_score = score;
    }
    return best ? best->address : ipv6();
}

/// RFC 6724 §5 as one number: the rules from the highest bits down, so that the first that differs decides.
std::uint64_t source_selector::rate(candidate const& c, target const& to) {
    std::uint64_t score = 0;
    auto rule = [&](int bits, auto value) { score = score << bits | static_cast<std::uint64_t>(value); };
    rule(1, c.bits == to.bits);                              // 1: the destination itself
    rule(8, c.scope >= to.scope ? 255 - c.scope : c.scope);  // 2: the smallest that reaches, or the widest
    rule(1, c.preferred);                                    // 3: not deprecated
    rule(1, c.home);                                         // 4: mobile IPv6 home addresses
    rule(1, c.interface == to.interface);                    // 5: of the outgoing interface
    rule(1, c.label == to.label);                            // 6: of the same label
    rule(1, c.wanted_privacy);                               // 7: temporary or public, as the interface says
    rule(1, c.orchid == to.orchid);                          // Linux: ORCHIDs speak with ORCHIDs
    rule(8, std::min<unsigned>(common_prefix(c.bits, to.bits), c.prefix_length));  // 8: the longest prefix
    rule(1, c.not_optimistic);                                                     // Linux
    return score;
}

std::uint32_t source_selector::label_of(address_bits const& address, int interface) const {
    for (auto const& row : labels_)
        if ((row.interface == 0 || row.interface == interface) &&
            common_prefix(row.prefix, address) >= row.prefix_length)
            return row.label;
    return ~std::uint32_t{};
}

}  // namespace sonde::inline v0::detail
