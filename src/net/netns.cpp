#include "net/netns.hpp"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace sonde::inline v0::detail {
namespace {

error_code last_error() {
    return {errno, boost::system::system_category()};
}

std::string path_of(netns_option const& which) {
    auto name = which.name();
    bool is_path = name.find('/') != name.npos;
    return (is_path ? "" : "/run/netns/") + std::string(name);
}

owned_fd open_descriptor(netns_option const& which) {
    if (which.descriptor() >= 0) return owned_fd(::fcntl(which.descriptor(), F_DUPFD_CLOEXEC, 0));
    return owned_fd(::open(path_of(which).c_str(), O_RDONLY | O_CLOEXEC));
}

/// Back home at the end of a scope.
struct way_back {
    explicit way_back(int fd) : home(fd) {}
    way_back(way_back const&) = delete;
    way_back& operator=(way_back const&) = delete;
    ~way_back() {
        if (::setns(home, CLONE_NEWNET) == 0) return;
        std::perror("sonde: a thread cannot return to its network namespace");
        std::abort();
    }
    int home;
};

}  // namespace

owned_fd open_netns(netns_option const& which) {
    if (which.empty()) return {};
    auto place = "network namespace " +
                 (which.descriptor() >= 0 ? std::to_string(which.descriptor()) : path_of(which));
    auto fd = open_descriptor(which);
    if (!fd.valid()) throw boost::system::system_error(last_error(), place);
    if (::ioctl(fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET)
        throw boost::system::system_error({EINVAL, boost::system::system_category()},
                                          place + ": not a network namespace");
    if (auto ec = in_netns(fd.get(), [] {}))
        throw boost::system::system_error(ec, place + ": to enter it and return takes CAP_SYS_ADMIN");
    return fd;
}

error_code in_netns(int netns, std::function<void()> const& what) {
    if (netns < 0) {
        what();
        return {};
    }
    owned_fd home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    // What the way back takes is tried before the way there.
    if (!home.valid() || ::setns(home.get(), CLONE_NEWNET) != 0) return last_error();
    if (::setns(netns, CLONE_NEWNET) != 0) return last_error();
    way_back at_exit(home.get());
    what();
    return {};
}

}  // namespace sonde::inline v0::detail
