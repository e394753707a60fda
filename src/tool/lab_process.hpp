#pragma once

#include <signal.h>

#include <functional>
#include <string>
#include <system_error>
#include <vector>

namespace sonde::inline v0::detail {

/// Runs `inside` as the first process of a private process namespace and gives its result, 0 to 255. Who
/// lacks the capabilities that a lab needs becomes root of a private user namespace first. When `inside`
/// returns, or this process ends in whatever way, the kernel kills every process that is left in there.
/// Signals sent to this process are passed on to `inside`, which gets the signal mask that its commands
/// should have. What was refused, here or in `inside`, is told by `refused`, whose result then counts. This
/// process itself stays where it is.
int run_as_init(std::function<int(sigset_t const&)> const& inside,
                std::function<int(std::system_error const&)> const& refused);

/// For `inside`: runs `work`, which never returns, as a child without terminal; of our files it has only
/// stderr.
void start_helper(char const* name, std::function<void()> const& work);

/// For `inside`: runs a command that inherits everything, passes signals on to it, and gives its exit status
/// as a shell does: 128 + signal when it was killed, 127 when there is no such command, 126 when it cannot be
/// run.
int run_command(std::vector<std::string> const& argv, sigset_t const& mask);

/// For `inside`: makes /proc, or /sys, show the namespaces in which this process is now. Where a container
/// forbids that, the old one stays; nothing in the lab depends on it.
void mount_proc();
void mount_sys();
/// For `inside`: the resolver asks the lab, where nothing serves names, so that a lookup fails at once
/// instead of waiting for servers that cannot be reached. Where that is forbidden, lookups wait.
void mount_resolver();

}  // namespace sonde::inline v0::detail
