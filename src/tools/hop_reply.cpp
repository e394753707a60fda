#include "hop_reply.hpp"

#include "answer.hpp"

#include <sonde/layers/icmp_extensions.hpp>

namespace sonde::inline v0::tools {
namespace {

std::vector<mpls_label> labels_of(packet const& received) {
    std::vector<mpls_label> labels;
    auto const* extension = received.find<ICMPExtensionMPLS>();
    if (!extension) return labels;
    auto bytes = extension->stack.bytes();
    auto octet = [&](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
    };
    for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
        auto word = octet(i) << 24 | octet(i + 1) << 16 | octet(i + 2) << 8 | octet(i + 3);
        labels.push_back(
            {word >> 12, static_cast<std::uint8_t>(word >> 9 & 7), static_cast<std::uint8_t>(word)});
    }
    return labels;
}

}  // namespace

hop_reply reply_of(exchange const& x) {
    hop_reply r{.outcome = x.outcome()};
    if (!x.answered()) return r;
    r.rtt = x.rtt();
    auto source = source_of(x.received);
    r.from = source.from, r.ttl = source.ttl;
    r.labels = labels_of(x.received);
    return r;
}

bool is_time_exceeded(hop_reply const& r, bool v6) {
    return r.outcome.what == probe_outcome::kind::icmp_error && r.outcome.type == (v6 ? 3 : 11);
}

}  // namespace sonde::inline v0::tools
