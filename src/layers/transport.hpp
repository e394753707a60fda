#pragma once

#include <sonde/layers/ip.hpp>
#include <sonde/packet/layer.hpp>
#include <sonde/packet/view.hpp>

#include <optional>

namespace sonde::inline v0::detail {

/// Which stops of a source route count: those that are ahead, or, as Scapy builds checksums, where it has
/// been too.
enum class stops : bool { ahead, all };

/// Where an IP packet goes in the end: the last stop of its source route, of which there may be one (RFC 791
/// §3.1).
ipv4 last_stop_of_options(layer_view const& ip, stops which);
inline ipv4 final_stop(layer_view const& ip, stops which = stops::ahead) {
    constexpr std::size_t without_options = 20;
    return ip.span().size() <= without_options ? ip.get<&IP::dst>() : last_stop_of_options(ip, which);
}

/// What makes any host discard a packet for its IP or IPv6 header alone (RFC 791 §3.1, RFC 1122 §3.2.1.1 and
/// §3.2.1.3, RFC 8200 §3): no answer then, nor an error.
/// @{
match_verdict ip_validity(layer_view const& ip);
match_verdict ipv6_validity(layer_view const& ip);
/// @}

/// The checksum over the pseudo header of the IP layer below (RFC 9293 §3.1, RFC 8200 §8.1), the header and
/// the payload, the checksum field counting as it stands. Nothing when no IP layer is below.
std::optional<std::uint16_t> transport_checksum(layer_view const& layer, std::uint8_t protocol,
                                                stops which = stops::all);

/// The rule of a field that holds it: over an IP layer without options that tells its length itself, or over
/// IPv6 without extension headers.
bool sums_plain_addresses(layer_view const& lower);
template <auto Field, bool NeverZero = false>
checksum_rule transport_checksum_rule(layer_view const& v) {
    if (!(v.span().automatic >> field_index<Field> & 1)) return {.sums = checksum_rule::over::nothing};
    if (!sums_plain_addresses(v.lower())) return {};
    return {.sums = checksum_rule::over::message_and_addresses,
            .field = field_index<Field>,
            .never_zero = NeverZero};
}

/// True when answers come from addresses that the probe does not name: it goes to many, or its own
/// destination is a `group`. Inside a tunnel a group changes nothing, as keys ask the outermost address only.
bool is_answered_by_many(layer_view const& sent, bool group);
constexpr unsigned router_solicitation = 10;  // the ICMP type (RFC 1256), which has no id

/// Whether a network layer carries a message of these, which tell a question from an answer: an answer may go
/// to others than who asked.
bool carries_dhcp(layer_view const& network);
bool carries_multicast_dns(layer_view const& network);

}  // namespace sonde::inline v0::detail
