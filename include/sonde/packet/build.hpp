#pragma once

#include <sonde/packet/packet.hpp>

namespace sonde {

/// Fills in the automatic fields of a packet's bytes, in place: what bindings tell and addresses from the
/// outside in, then lengths and checksums from the inside out.
void finish(std::span<std::byte> bytes, std::span<layer_span const> layers);

}  // namespace sonde
