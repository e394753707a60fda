#pragma once

#include "net/netlink_socket.hpp"

#include <sonde/net/options.hpp>

#include <functional>
#include <string>

namespace sonde::inline v0::detail {

/// Opens the network namespace that is meant; nothing for an empty one. The descriptor is a new one in any
/// case. Throws boost::system::system_error, which names the namespace: the system's codes, EINVAL for a file
/// that is no network namespace.
owned_fd open_netns(netns_option const& which);

/// Calls `what` with the calling thread in the namespace of that descriptor; -1: where the thread is. The
/// thread is back when this returns, however `what` ended. It is entered only if it can be left again (setns
/// needs CAP_SYS_ADMIN over both); should that fail all the same, the process is ended: a thread in the wrong
/// namespace would send to the wrong network.
error_code in_netns(int netns, std::function<void()> const& what);

}  // namespace sonde::inline v0::detail
