#pragma once

#include <sonde/packet/view.hpp>

#include <optional>

namespace sonde::detail {

/// The checksum over the pseudo header of the IP layer below (RFC 9293 §3.1, RFC 8200 §8.1), the header and
/// the payload, the checksum field counting as it stands. Nothing when no IP layer is below.
std::optional<std::uint16_t> transport_checksum(layer_view const& layer, std::uint8_t protocol);

}  // namespace sonde::detail
