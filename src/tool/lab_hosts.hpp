#pragma once

#include "tool/lab_netlink.hpp"

namespace sonde::inline v0::detail {

/// The two hosts of the lab: `probe`, where the user's command runs, and `target`, which answers for whole
/// networks. Between them lies one virtual cable and nothing else; neither has a way to any other network.
///
///   probe   eth1  198.51.100.1/24  2001:db8:ffff::1/64   default routes through the target
///   target  eth1  198.51.100.2/24  2001:db8:ffff::2/64   every address of 198.18.0.0/15 and 2001:db8::/32 is
///   its own
class lab_hosts {
public:
    /// Makes the target and enters it: sockets opened now are the target's for ever.
    lab_hosts();
    /// Makes the probe host, enters it, and joins it to the target.
    void enter_probe();

private:
    /// A network namespace, entered when made; its knobs (sysctl) are set then, since later it is not
    /// `current`.
    class host {
    public:
        host();
        void set(char const* knob, char const* value);
        lab_netlink net;
        unique_fd name_space;
    };

    host target_;
};

}  // namespace sonde::inline v0::detail
