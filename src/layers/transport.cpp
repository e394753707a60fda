#include "transport.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/packet/checksum.hpp>

namespace sonde::detail {

std::optional<std::uint16_t> transport_checksum(layer_view const& layer, std::uint8_t protocol) {
    auto segment =
        layer.packet().bytes.subspan(layer.span().begin, layer.span().size() + layer.payload().size());
    auto length = static_cast<std::uint32_t>(segment.size());
    internet_checksum sum;
    auto lower = layer.lower();
    if (lower.is<IP>()) {
        // As Scapy: a total length that the user set counts here too, however wrong.
        if (!(lower.span().automatic >> field_index<&IP::len> & 1)) {
            bool computed = lower.span().automatic >> field_index<&IP::ihl> & 1;
            auto header = computed ? lower.header().size() : std::size_t(4) * lower.get<&IP::ihl>();
            auto total = lower.get<&IP::len>();
            length = total > header ? static_cast<std::uint32_t>(total - header) : 0;
        }
        sum.add32(lower.get<&IP::src>().value);
        sum.add32(lower.get<&IP::dst>().value);
    } else if (lower.is<IPv6>()) {
        sum.add(lower.header().subspan(8, 32));
    } else {
        return {};
    }
    sum.add32(length);
    sum.add16(protocol);
    sum.add(segment);
    return sum.finish();
}

}  // namespace sonde::detail
