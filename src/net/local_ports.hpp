#pragma once

#include <sonde/probe/identity.hpp>

#include <string_view>

namespace sonde::inline v0::detail {

/// The longest run of ports from 1024 on that the kernel never gives to a socket by itself: outside of
/// `automatic` (ip_local_port_range), or in `reserved` (ip_local_reserved_ports). identity_source's default
/// where it is shorter than 4096 or the texts cannot be read. The lowest, of runs as long as another.
port_range ports_left_free(std::string_view automatic, std::string_view reserved);

/// The same of this network namespace, now.
port_range free_ports();

}  // namespace sonde::inline v0::detail
