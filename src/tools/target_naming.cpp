#include "target_naming.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>

#include <algorithm>

namespace sonde::inline v0::tools {
namespace {

void add_sorted(std::vector<ip_address>& all, std::vector<ip_address> const& more) {
    all.insert(all.end(), more.begin(), more.end());
    std::ranges::sort(all);
    auto again = std::ranges::unique(all);
    all.erase(again.begin(), again.end());
}

/// Where the first layer has its destination.
std::size_t destination_field(packet const& probe) {
    return probe.layers()[0].layer == &describe<IPv6>() ? field_index<&IPv6::dst> : field_index<&IP::dst>;
}

packet marked_drawn(packet probe, bool drawn) {
    auto const bit = std::uint32_t(1) << destination_field(probe);
    if (((probe.layers()[0].drawn & bit) != 0) == drawn) return probe;
    auto parts = std::move(probe).release_parts();
    parts->layers[0].drawn ^= bit;
    return packet::from_parts(std::move(parts));
}

/// Headed to a host name, which is the address's text: any resolver gives that address for it.
packet marked_looked_up(packet probe, ip_address const& to) {
    detail::varying_field name;
    name.field = static_cast<std::uint32_t>(destination_field(probe));
    name.content.state = field_state::name;
    name.name = to.to_string();
    auto parts = std::move(probe).release_parts();
    parts->sets.push_back(std::move(name));
    return packet::from_parts(std::move(parts));
}

}  // namespace

void target_naming::add_written(std::vector<ip_address> const& addresses) {
    add_sorted(written_, addresses);
}

void target_naming::add_looked_up(std::vector<ip_address> const& addresses) {
    add_sorted(looked_up_, addresses);
}

void target_naming::add_drawn(ip_address const& first, ip_address const& last) {
    // As where packets take their values out of sets: who writes 239.0.0.0/8 means groups.
    bool as_one = address_class_of(first) == address_class_of(last);
    if (as_one && address_class_of(first) != address_class::unicast) return;
    // Those that overlap it become one with it.
    auto from = std::ranges::lower_bound(drawn_, first, {}, &interval::second);
    auto to = std::ranges::upper_bound(drawn_, last, {}, &interval::first);
    interval whole{first, last};
    if (from < to) {
        whole = {std::min(first, from->first), std::max(last, std::prev(to)->second)};
        from = drawn_.erase(from, to);
    }
    drawn_.insert(from, whole);
}

bool target_naming::is_drawn(ip_address const& a) const {
    auto found = std::ranges::lower_bound(drawn_, a, {}, &interval::second);
    return found != drawn_.end() && found->first <= a;
}

packet target_naming::named(packet probe) const {
    layer_view const head(probe.view(), 0);
    auto const to = head.is<IPv6>() ? ip_address(head.get<&IPv6::dst>()) : ip_address(head.get<&IP::dst>());
    // A plan has it in the network that it lies in.
    if (std::ranges::binary_search(written_, to)) return marked_drawn(std::move(probe), false);
    if (is_drawn(to)) return marked_drawn(std::move(probe), true);
    if (std::ranges::binary_search(looked_up_, to)) return marked_looked_up(std::move(probe), to);
    return probe;
}

}  // namespace sonde::inline v0::tools
