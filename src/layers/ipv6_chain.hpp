#pragma once

#include <sonde/layers/ipv6.hpp>
#include <sonde/packet/layer.hpp>

namespace sonde::inline v0::detail {

/// True for IPv6 extension headers.
bool is_extension(layer_view const& layer);
/// The layer itself, or the first above it that is no extension header.
layer_view above_extensions(layer_view layer);
/// The layer itself, or the first below it that is no extension header.
layer_view below_extensions(layer_view layer);
/// `above_extensions` in its place.
void skip_extensions(layer_view& layer);
/// What an IPv6 packet carries behind its extension headers.
std::uint8_t upper_protocol(layer_view const& ip);
/// True for MLD messages. Reports go to groups, not to who asked (RFC 2710 §4, RFC 3810 §5.2.14).
bool is_listener_discovery(layer_view const& ip);
/// Where an IPv6 packet goes in the end: the last stop of its routing header (RFC 8200 §8.1, RFC 8754 §2).
ipv6 final_destination(layer_view const& ip);

/// Where it came from at first: the home address, if a destination option holds one (RFC 6275 §6.3).
ipv6 original_source(layer_view const& ip);
/// Tells apart what the next header's number and the first octet do not: routing headers by their type, MLD
/// queries by their length (RFC 3810 §8.1).
void refine_next_header(dissect_step& step);

}  // namespace sonde::inline v0::detail
