#pragma once

#include "net/netlink_socket.hpp"
#include "net/prefix_table.hpp"
#include "net/route_table.hpp"

#include <sonde/packet/address.hpp>

#include <optional>
#include <vector>

/// What is asked of the kernel, over one socket: the tables as a whole, and single routes and neighbours.
namespace sonde::inline v0::detail {

/// Copies interfaces, addresses, address labels, policy rules and routes. A family whose routes take more
/// than `max_route_bytes` is given without routes and without standard rules, so that each destination is
/// asked for.
error_code read_tables(netlink_socket& socket, std::size_t max_route_bytes, table_contents& found);

/// RTM_GETROUTE: the kernel's own decision. Errors: no_route, no_such_interface, the system's. A refusal is
/// an entry of that kind.
boost::system::result<route_entry> ask_route(netlink_socket& socket, ip_address const& to, int interface);

/// RTM_GETNEIGH, by a dump on kernels before 5.0, which do not know the single form; those set `dumps_only`.
/// An entry that is missing, or that the kernel would not send to, is nullopt without an error.
std::optional<mac> ask_neighbour(netlink_socket& socket, int interface, ip_address const& address,
                                 bool& dumps_only, error_code& ec);

}  // namespace sonde::inline v0::detail
