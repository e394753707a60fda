#pragma once

#include "link/system.hpp"

#include <sonde/packet/address.hpp>

#include <string>

namespace sonde::inline v0::detail {

class netlink_request;

/// One end of a virtual cable.
struct lab_interface {
    std::string name;
    int index;
    mac address;
};

/// A route in the kernel's terms (rtnetlink(7)).
struct lab_route {
    ip_address destination;
    unsigned prefix;
    unsigned char type;   ///< RTN_UNICAST, RTN_LOCAL, RTN_BLACKHOLE
    unsigned char table;  ///< RT_TABLE_MAIN, RT_TABLE_LOCAL
    int interface;        ///< 0: none
    ip_address gateway;   ///< unspecified: none
};

/// Sets up the network namespace in which it was made, also after the process has entered another one.
/// Every call returns when the kernel has done it, and throws std::system_error that names what it tried.
class lab_netlink {
public:
    lab_netlink();

    /// A veth pair: `here` in this namespace, `there` in the one that `there_namespace` is open on.
    void add_cable(lab_interface const& here, lab_interface const& there, int there_namespace);
    void set_up(int interface);
    /// Until the kernel says that it works (RFC 2863's ifOperStatus), a moment after its cable has two ends
    /// that are up.
    void await_operation(int interface);
    /// Ready at once: no duplicate address detection (RFC 4862 §5.4).
    void add_address(int interface, ip_address const& address, unsigned prefix);
    void add_route(lab_route const& route);
    /// A neighbour that never needs to be asked for its address.
    void add_neighbour(int interface, ip_address const& address, mac const& hardware);
    /// Frames leave as they would on a wire: whole checksums, no segments joined.
    void no_offloads(std::string const& interface);

private:
    void execute(netlink_request& message, std::string const& what);

    unique_fd netlink_;
    unique_fd news_;  ///< what the kernel has told of interfaces
    unique_fd ioctl_;
};

}  // namespace sonde::inline v0::detail
