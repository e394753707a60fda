#include "transport.hpp"

#include <sonde/layers/dhcp.hpp>
#include <sonde/layers/dns.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/checksum.hpp>
#include <sonde/packet/match.hpp>

#include "../packet/answer_key.hpp"
#include "ipv6_chain.hpp"

#include <algorithm>
#include <initializer_list>

namespace sonde::inline v0::detail {

ipv4 last_stop_of_options(layer_view const& ip, stops which) {
    constexpr unsigned loose = 3, strict = 9;
    auto header = ip.header();
    auto destination = ip.get<&IP::dst>();
    std::size_t routes = 0, length = 1;
    for (std::size_t at = 20; at < header.size(); at += length) {
        auto kind = std::to_integer<unsigned>(header[at]) & 31;
        length = kind <= 1 ? 1 : at + 1 < header.size() ? std::to_integer<std::size_t>(header[at + 1]) : 0;
        if (length == 0 || at + length > header.size()) break;
        if ((kind != loose && kind != strict) || length < 7 || length % 4 != 3) continue;
        if (++routes > 1) return ip.get<&IP::dst>();
        bool been_there = std::to_integer<std::size_t>(header[at + 2]) > length;
        if (been_there && which == stops::ahead) continue;
        destination = value_traits<ipv4>::from_wire(
            read_bits(header, {static_cast<std::uint32_t>(8 * (at + length - 4)), 32}));
    }
    return destination;
}

namespace {

/// The message that UDP carries at one of these ports, in either direction; nothing otherwise.
layer_view message_at(layer_view const& network, std::initializer_list<unsigned> ports) {
    auto udp = above_extensions(network.upper());
    if (!udp.is<UDP>()) return {};
    bool at = std::ranges::any_of(ports, [&](unsigned port) {
        return udp.get<&UDP::sport>() == port || udp.get<&UDP::dport>() == port;
    });
    return at ? udp.upper() : layer_view();
}

}  // namespace

bool is_answered_by_many(layer_view const& sent, bool group) {
    return sent.packet().to_many || (group && sent.index() == network_layer_of(sent.packet()).index());
}

bool carries_dhcp(layer_view const& network) {
    return message_at(network, {67, 68}).is<BOOTP>();
}
bool carries_multicast_dns(layer_view const& network) {
    return message_at(network, {5353}).is<DNS>();
}

bool sums_plain_addresses(layer_view const& lower) {
    constexpr std::size_t without_options = 20;
    bool plain = lower.is<IP>() && lower.header().size() == without_options &&
                 (lower.span().automatic >> field_index<&IP::len> & 1) != 0;
    return plain || lower.is<IPv6>();
}

std::optional<std::uint16_t> transport_checksum(layer_view const& layer, std::uint8_t protocol, stops which) {
    auto segment =
        layer.packet().bytes.subspan(layer.span().begin, layer.span().size() + layer.payload().size());
    auto length = static_cast<std::uint32_t>(segment.size());
    internet_checksum sum;
    auto const lower = below_extensions(layer.lower());
    if (lower.is<IP>()) {
        // As Scapy: a total length that the user set counts here too, however wrong.
        if (!(lower.span().automatic >> field_index<&IP::len> & 1)) {
            bool computed = lower.span().automatic >> field_index<&IP::ihl> & 1;
            auto header = computed ? lower.header().size() : std::size_t(4) * lower.get<&IP::ihl>();
            auto total = lower.get<&IP::len>();
            length = total > header ? static_cast<std::uint32_t>(total - header) : 0;
        }
        sum.add32(lower.get<&IP::src>().value);
        sum.add32(final_stop(lower, which).value);
    } else if (lower.is<IPv6>()) {
        for (auto const& end : {original_source(lower), final_destination(lower)}) {
            auto bits = value_traits<ipv6>::to_wire(end);
            for (auto part : {bits.high >> 32, bits.high, bits.low >> 32, bits.low})
                sum.add32(static_cast<std::uint32_t>(part));
        }
    } else {
        return {};
    }
    sum.add32(length);
    sum.add16(protocol);
    sum.add(segment);
    return sum.finish();
}

}  // namespace sonde::inline v0::detail
