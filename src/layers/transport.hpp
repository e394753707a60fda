#pragma once

#include <sonde/packet/view.hpp>

#include <optional>

namespace sonde::detail {

/// The checksum over the pseudo header of the IP layer below (RFC 9293 §3.1, RFC 8200 §8.1), the header and
/// the payload, the checksum field counting as it stands. Nothing when no IP layer is below.
std::optional<std::uint16_t> transport_checksum(layer_view const& layer, std::uint8_t protocol);

/// True when answers come from addresses that the probe does not name: it goes to many, or its own
/// destination is a `group`. Inside a tunnel a group changes nothing, as keys ask the outermost address only.
bool is_answered_by_many(layer_view const& sent, bool group);
/// Whether a network layer carries a message of these, which tell a question from an answer: an answer may go
/// to others than who asked.
bool carries_dhcp(layer_view const& network);
bool carries_multicast_dns(layer_view const& network);

}  // namespace sonde::detail
