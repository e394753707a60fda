#pragma once

#include "support/kernel_stamps.hpp"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

namespace sonde::test {

/// A network namespace of this process's own, with nothing in it but `lo`, up. Whatever the test sends stays
/// inside.
///
/// No root needed, but for programs that test AF_XDP: the first one comes with a user namespace, in which the
/// test is root. That works in a process with one thread only, so make it before any thread; threads started
/// later are in it, too. Making another moves the process on to a fresh namespace; the old one goes when its
/// last socket is closed.
class own_netns {
public:
    own_netns() {
        static bool const in_user_namespace = enter_user_namespace();
        if (!in_user_namespace || entered_++ > 0) unshare_or_throw(CLONE_NEWNET);
        bring_up("lo");
        stamps_.emplace();
    }
    own_netns(own_netns const&) = delete;
    own_netns& operator=(own_netns const&) = delete;

    /// Runs a shell command in the namespace; throws when it fails.
    static void run(std::string const& command) {
        if (int status = std::system(command.c_str()); status != 0)
            throw std::runtime_error("\"" + command + "\" ended with status " + std::to_string(status));
    }

    /// Two ends of a wire, up, with no addresses, so that the kernel itself says nothing on it (no IPv6
    /// either).
    void add_veth(std::string const& one, std::string const& other) const {
        run("ip link add " + one + " type veth peer name " + other);
        for (auto const& end : {one, other}) {
            std::ofstream("/proc/sys/net/ipv6/conf/" + end + "/disable_ipv6") << 1;
            run("ip link set " + end + " up");
        }
        await_carrier(one);
        await_carrier(other);
    }

    /// Waits until an interface that was set up can carry frames. Before that the kernel takes them and drops
    /// them.
    static void await_carrier(std::string const& name) {
        auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (!(flags_of(name) & IFF_RUNNING)) {
            if (std::chrono::steady_clock::now() > deadline)
                throw std::runtime_error(name + " has no carrier");
            ask_for_link(name);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        run("ip link set " + name + " up");  // returns when the kernel's own work on the interface is done
    }

private:
    // False where the process has threads already (a sanitizer's own, perhaps); root does without.
    static bool enter_user_namespace() {
#ifdef SONDE_TEST_XDP  // BPF takes privileges of the machine's own user namespace
        return false;
#endif
        auto uid = ::getuid();
        auto gid = ::getgid();
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
        std::ofstream("/proc/self/setgroups") << "deny";
        std::ofstream("/proc/self/uid_map") << "0 " << uid << " 1";
        std::ofstream("/proc/self/gid_map") << "0 " << gid << " 1";
        return true;
    }

    static void unshare_or_throw(int what) {
        if (::unshare(what) != 0)
            throw std::system_error(errno, std::generic_category(), "unshare: these tests need namespaces");
    }

    static void bring_up(std::string const& name) { ask(SIOCSIFFLAGS, name, IFF_UP); }
    static int flags_of(std::string const& name) { return ask(SIOCGIFFLAGS, name, 0); }

    // The kernel notes carriers once a second; since Linux 6.8 it does so for whoever asks.
    static void ask_for_link(std::string const& name) {
        ethtool_value link{.cmd = ETHTOOL_GLINK, .data = 0};
        ifreq about{};
        name.copy(about.ifr_name, sizeof about.ifr_name - 1);
        about.ifr_data = reinterpret_cast<char*>(&link);
        int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ::ioctl(fd, SIOCETHTOOL, &about);
        ::close(fd);
    }

    static int ask(unsigned long request, std::string const& name, short flags) {
        ifreq about{};
        name.copy(about.ifr_name, sizeof about.ifr_name - 1);
        about.ifr_flags = flags;
        int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        int failed = ::ioctl(fd, request, &about);
        int error = errno;
        ::close(fd);
        if (failed) throw std::system_error(error, std::generic_category(), "flags of " + name);
        return about.ifr_flags;
    }

    inline static int entered_ = 0;
    std::optional<kernel_stamps> stamps_;
};

}  // namespace sonde::test
