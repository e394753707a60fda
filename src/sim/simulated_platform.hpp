#pragma once

#include "net/platform.hpp"
#include "sim/world.hpp"

namespace sonde::inline v0::detail {

/// What networks in a simulation stand on. The world outlives it.
std::unique_ptr<platform> make_simulated_platform(world& w, asio::any_io_executor executor);

}  // namespace sonde::inline v0::detail
