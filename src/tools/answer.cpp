#include "answer.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>

namespace sonde::inline v0::tools {

answer_source source_of(packet const& received) {
    if (auto const* ip = received.find<IP>()) return {ip->src.value(), ip->ttl.value()};
    if (auto const* ip = received.find<IPv6>()) return {ip->src.value(), ip->hlim.value()};
    return {};
}

bool is_port_unreachable(probe_outcome const& o, bool v6) {
    return o.what == probe_outcome::kind::icmp_error && o.type == (v6 ? 1 : 3) && o.code == (v6 ? 4 : 3);
}

}  // namespace sonde::inline v0::tools
