#pragma once

#include <sonde/layers/igmp.hpp>

namespace sonde::inline v0::detail {

/// The layer of an IGMP message: version 3 has types of its own, and longer queries (RFC 3376 §7.1).
layer_description const* igmp_version(std::span<std::byte const> message);

}  // namespace sonde::inline v0::detail
