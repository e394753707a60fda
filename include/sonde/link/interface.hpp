#pragma once

#include <sonde/error.hpp>
#include <sonde/packet/address.hpp>
#include <sonde/packet/link_type.hpp>

#include <string>
#include <string_view>

SONDE_NAMESPACE_BEGIN

/// What a network interface is, as the kernel told it when asked.
struct link_info {
    link_info() {}  // no aggregate, so that g++ 12 destroys it once in a co_await expression

    std::string name;                      ///< empty for "all interfaces"
    int index = 0;                         ///< the kernel's; 0 for "all interfaces"
    link_type type = link_type::ethernet;  ///< what frames begin with
    unsigned mtu = 0;                      ///< bytes after the link header; 0 for "all interfaces"
    mac address;                           ///< zero where the interface has none
    bool loopback = false;                 ///< whatever is sent on it comes back in
    bool up = false;                       ///< administratively up
};

/// The index of the interface called `name` (1 to 15 bytes, netdevice(7)) in this thread's network namespace.
/// An index outlives a renaming; a name does not.
/// Errors: no_such_interface, with the name in the text of what is thrown; 0 is returned with an error_code.
/// @{
int interface_index(std::string_view name);
int interface_index(std::string_view name, error_code& ec) noexcept;
/// @}

/// What the interface with this index is. Blocks for no I/O: three or four ioctls.
/// Errors: no_such_interface; unsupported_link_type when its frames begin with a header that sonde does not
/// read (radio, InfiniBand, ...).
/// @{
link_info interface_info(int index);
link_info interface_info(int index, error_code& ec);
/// @}

SONDE_NAMESPACE_END
