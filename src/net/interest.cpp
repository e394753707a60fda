#include "interest.hpp"

#include <sonde/layers/raw.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace sonde::inline v0::detail {
namespace {

bool has(port_range const& ports, std::uint16_t port) {
    return ports.first <= port && port <= ports.last;
}

}  // namespace

interest::interest(port_range own) : ports_{own}, latest_(own) {}

/// Whatever a packet carries, inside tunnels too, its answer comes to one of the ports that it names.
bool interest::add(packet_view const& probe) {
    bool grown = false;
    for (layer_view v(probe, 0); v && !all_; v = v.upper()) {
        if (v.is<TCP>()) {
            grown |= add(v.get<&TCP::sport>());
        } else if (v.is<UDP>()) {
            grown |= add(v.get<&UDP::sport>());
            // What runs above may answer to the port that was asked: tunnels, DHCP relays.
            if (auto above = v.upper(); above && !above.is<Raw>()) grown |= add(v.get<&UDP::dport>());
        }
    }
    return grown;
}

bool interest::add(std::uint16_t port) {
    if (has(latest_, port)) return false;
    auto next = std::ranges::lower_bound(ports_, port, {}, &port_range::last);
    if (next != ports_.end() && has(*next, port)) {
        latest_ = *next;
        return false;
    }
    bool joins_next = next != ports_.end() && next->first == port + 1;
    bool joins_before = next != ports_.begin() && std::prev(next)->last + 1 == port;
    if (joins_before && joins_next) {
        std::prev(next)->last = next->last;
        ports_.erase(next);
    } else if (joins_before) {
        std::prev(next)->last = port;
    } else if (joins_next) {
        next->first = port;
    } else if (ports_.size() == most_ranges) {
        all_ = true;
    } else {
        ports_.insert(next, {port, port});
    }
    return true;
}

std::optional<std::string> interest::filter() const {
    if (all_) return {};
    // In IPv6 a fragment says what it is a part of behind the header that libpcap looks at.
    std::string text = "not (tcp or udp) or ip[6:2] & 0x3fff != 0 or ip6[6] = 44";
    for (auto const& r : ports_)
        fmt::format_to(std::back_inserter(text), " or dst portrange {}-{}", r.first, r.last);
    return text;
}

}  // namespace sonde::inline v0::detail
