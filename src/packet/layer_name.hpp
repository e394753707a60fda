#pragma once

#include <sonde/packet/view.hpp>

#include <string_view>

namespace sonde::inline v0::detail {

/// The name of a layer where it lies: as Scapy, what an ICMP error quotes is named so only as long as each
/// layer of it stands on one that is.
std::string_view name_in_packet(layer_view const& layer);

/// True for the layers that have a name of their own inside of a quote.
bool is_named_as_quoted(layer_view const& layer);

}  // namespace sonde::inline v0::detail
