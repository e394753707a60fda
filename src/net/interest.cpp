#include "interest.hpp"

#include <sonde/layers/raw.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>

#include <fmt/format.h>

namespace sonde::inline v0::detail {

interest::interest(port_range own) {
    for (auto b = own.first / block; b <= own.last / block; ++b) blocks_.set(b);
}

/// Whatever a packet carries, inside tunnels too, its answer comes to one of the ports that it names.
bool interest::add(packet_view const& probe) {
    bool grown = false;
    for (layer_view v(probe, 0); v; v = v.upper()) {
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
    if (blocks_.test(port / block)) return false;
    blocks_.set(port / block);
    return true;
}

std::optional<std::string> interest::filter() const {
    // In IPv6 a fragment says what it is a part of behind the header that libpcap looks at.
    std::string text = "not (tcp or udp) or ip[6:2] & 0x3fff != 0 or ip6[6] = 44";
    std::size_t ranges = 0;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
        if (!blocks_.test(b)) continue;
        auto const first = b;
        while (b + 1 < blocks_.size() && blocks_.test(b + 1)) ++b;
        if (++ranges > most_ranges) return {};
        fmt::format_to(std::back_inserter(text), " or dst portrange {}-{}", first * block,
                       b * block + block - 1);
    }
    return text;
}

}  // namespace sonde::inline v0::detail
