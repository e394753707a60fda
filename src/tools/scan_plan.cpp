#include <sonde/error.hpp>
#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/escape.hpp>
#include <sonde/packet/siphash.hpp>
#include <sonde/tools/scan_plan.hpp>
#include <sonde/tools/targets.hpp>

#include "udp_payloads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace sonde::inline v0::tools {
namespace {

/// A header whose `dst` takes every address of these intervals in turn.
packet heading_to(layer_description const& layer, std::span<address_set::interval const> intervals) {
    field_content to;
    to.state = field_state::list;
    for (auto const& i : intervals) {
        field_content part;
        part.state = field_state::range;
        part.first = i.first, part.last = i.last;
        to.parts.push_back(std::move(part));
    }
    auto contents = layer.defaults;
    contents[layer.find("dst")] = to.parts.size() == 1 ? to.parts.front() : std::move(to);
    return packet(layer, contents);
}

/// 0 to n-1 as the packets of a set, whose adaptors shuffle and share out.
packet_set numbers(std::uint64_t n) {
    if (n == 0) return packet_set(packet());
    return packet_set(packet(IPv6{.dst = range(ipv6(), ipv6::from_halves(0, n - 1))}));
}

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
    return detail::siphash_word(secret_key{a, 0x736f6e6465}, b);
}

std::uint64_t fingerprint_of(address_set const& targets, address_set const& excluded,
                             scan_ports const& ports) {
    std::uint64_t h = 1;
    for (auto const* set : {&targets, &excluded})
        for (auto list : {set->v4(), set->v6()}) {
            h = mixed(h, list.size());
            for (auto const& i : list)
                for (auto part : {i.first.high, i.first.low, i.last.high, i.last.low}) h = mixed(h, part);
        }
    for (auto const* list : {&ports.tcp, &ports.udp}) {
        h = mixed(h, list->size());
        for (auto p : *list) h = mixed(h, p);
    }
    return h;
}

}  // namespace

scan_plan::scan_plan(address_set const& targets, address_set const& excluded, scan_ports ports,
                     std::uint64_t seed, scan_shard const& shard)
    : fingerprint_(fingerprint_of(targets, excluded, ports)), order_(packet()) {
    std::map<std::string_view, std::vector<std::uint16_t>> udp;
    for (auto port : ports.udp) udp[udp_payload(port)].push_back(port);
    for (bool v6 : {false, true}) {
        auto intervals = v6 ? targets.v6() : targets.v4();
        if (intervals.empty()) continue;
        auto head = heading_to(v6 ? describe<IPv6>() : describe<IP>(), intervals) | exclude(excluded);
        if (ports.is_sweep()) add(head / (v6 ? packet(ICMPv6EchoRequest{}) : packet(ICMP{})));
        if (!ports.tcp.empty()) add(head / TCP{.dport = values(ports.tcp), .flags = "S"});
        for (auto const& [payload, list] : udp) {
            auto probes = head / UDP{.dport = values(list)};
            add(payload.empty() ? probes : probes / packet(payload));
        }
    }
    order_ = numbers(total_) | shuffled(seed) | sonde::shard(shard.index, shard.count);
}

void scan_plan::add(packet probes) {
    if (__builtin_add_overflow(total_, probes.size(), &total_))
        throw error(errc::set_too_large, "2^64 probes or more");
    groups_.push_back(std::move(probes));
    ends_.push_back(total_);
}

packet scan_plan::operator[](std::uint64_t position) const {
    auto at = number(position);
    auto group = static_cast<std::size_t>(std::ranges::upper_bound(ends_, at) - ends_.begin());
    return groups_[group][at - (group ? ends_[group - 1] : 0)];
}

void positions::insert(std::uint64_t position) {
    if (position + 1 == 0)
        throw error(errc::value_out_of_range,
                    fmt::format("position {}: a plan has fewer than 2^64, and they count from 0", position));
    auto after = pieces_.upper_bound(position);
    auto before = after == pieces_.begin() ? pieces_.end() : std::prev(after);
    if (before != pieces_.end() && position < before->second) return;
    ++size_;
    bool joins_before = before != pieces_.end() && before->second == position;
    bool joins_after = after != pieces_.end() && after->first == position + 1;
    auto end = joins_after ? after->second : position + 1;
    if (joins_after) pieces_.erase(after);
    if (joins_before)
        before->second = end;
    else
        pieces_.emplace(position, end);
}

bool positions::contains(std::uint64_t position) const {
    auto after = pieces_.upper_bound(position);
    return after != pieces_.begin() && position < std::prev(after)->second;
}

std::string positions::to_string() const {
    std::string text;
    for (auto const& [first, end] : pieces_)
        text += fmt::format("{}{}-{}", text.empty() ? "" : ",", first, end - 1);
    return text;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> positions::missing(std::uint64_t limit) const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps;
    std::uint64_t from = 0;
    for (auto const& [first, end] : pieces_) {
        if (first > from && from < limit) gaps.emplace_back(from, std::min(first, limit));
        from = end;
    }
    if (from < limit) gaps.emplace_back(from, limit);
    return gaps;
}

}  // namespace sonde::inline v0::tools
