#pragma once

#include <sonde/packet/link_type.hpp>

#include <optional>

namespace sonde::detail {

/// What frames of an interface with this hardware type (ARPHRD_*, linux/if_arp.h) begin with on a SOCK_RAW
/// packet socket; nothing where sonde does not read it.
std::optional<link_type> link_type_of(unsigned hardware) noexcept;

}  // namespace sonde::detail
