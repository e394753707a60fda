#pragma once

#include <sonde/error.hpp>
#include <sonde/link/interface.hpp>
#include <sonde/packet/link_type.hpp>

#include <optional>

namespace sonde::inline v0::detail {

/// What frames of an interface with this hardware type (ARPHRD_*, linux/if_arp.h) begin with on a SOCK_RAW
/// packet socket; nothing where sonde does not read it.
std::optional<link_type> link_type_of(unsigned hardware) noexcept;

/// As sonde::interface_info, of the network namespace to which that socket belongs.
link_info interface_info_by(int socket, int index, error_code& ec);

}  // namespace sonde::inline v0::detail
