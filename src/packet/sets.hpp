#pragma once

#include <sonde/packet/packet.hpp>

#include <cstdint>
#include <utility>

// Sets in the fields of a packet.
namespace sonde::inline v0::detail {

/// How many values a field of `width` bits takes in turn.
std::uint64_t count_of(field_content const& c, unsigned width);

/// So that a value of a long list of sets is found in the logarithm of its length.
void index_parts(field_content& c, unsigned width);

/// The first and the last of the values that these are taken out of; equal for those that were written.
std::pair<wire_value, wire_value> ends_of(field_content const& c, unsigned width);

/// The bit of layer_span::drawn that a value sets which was taken out of them.
std::uint32_t drawn_bit(wire_value first, wire_value last, field_description const& f, std::size_t field);

}  // namespace sonde::inline v0::detail
