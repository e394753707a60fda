#pragma once

#include <sonde/error.hpp>
#include <sonde/net/reset_guard.hpp>
#include <sonde/probe/identity.hpp>

#include <memory>
#include <string>

namespace sonde::inline v0::detail {

/// Lets nf_tables drop the resets that the kernel itself sends from these ports to what acknowledges
/// something that no socket sent. The rule lives in a table of this process's own, which the kernel takes
/// away with its owner. Errors: the system's (EPERM, EOPNOTSUPP …); `about` says what was needed.
std::unique_ptr<held_resets> hold_resets(port_range ports, error_code& ec, std::string& about);

}  // namespace sonde::inline v0::detail
