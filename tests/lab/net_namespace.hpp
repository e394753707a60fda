#pragma once

#include "support/own_netns.hpp"

#include <optional>
#include <string>

/// Real routes, addresses and neighbours for tests, set with `ip` in a network namespace of the test's own.
namespace net_lab {

/// Moves the process into a new network namespace, with lo alone, where nobody looks for duplicates of IPv6
/// addresses. Those added with `nodad` are usable at once, others when the kernel's queue comes to them.
class own_network : public sonde::test::own_netns {
public:
    own_network();

    /// A pair of connected Ethernet interfaces, both up. IPv6 is off on `far`, so that `near` alone has an
    /// address. Returns when the kernel has come to rest: the carrier is told and the link-local address is
    /// there.
    void pair(std::string const& near, std::string const& far) const;
};

struct command_result {
    int status;
    std::string output;  // both streams
};
command_result run(std::string const& command);

/// `ip ARGUMENTS`; throws std::runtime_error with its output when it fails.
std::string ip(std::string const& arguments);
void sysctl(std::string const& name, std::string const& value);
int index_of(std::string const& interface);

/// What `ip route get` says.
struct kernel_answer {
    std::string error;  // its words, when it is refused
    std::string type = "unicast";
    std::string interface, source, gateway;
    std::optional<unsigned> mtu;
    std::string text;
};
kernel_answer route_get(std::string const& destination, std::string const& interface);

}  // namespace net_lab
