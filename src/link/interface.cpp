#include <sonde/link/interface.hpp>

#include "link/interface_type.hpp"
#include "link/system.hpp"

#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace sonde::inline v0 {
namespace {

// Any socket can ask about interfaces; it need not be able to carry anything.
detail::unique_fd asking_socket() {
    return detail::unique_fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

bool ask(int fd, unsigned long request, ifreq& about, error_code& ec) {
    if (::ioctl(fd, request, &about) == 0) return true;
    ec = detail::link_error(errno);
    return false;
}

std::string named(std::string_view name) {
    return "interface \"" + std::string(name) + "\"";
}

}  // namespace

namespace detail {

std::optional<link_type> link_type_of(unsigned hardware) noexcept {
    switch (hardware) {
        case ARPHRD_ETHER:
        case ARPHRD_LOOPBACK: return link_type::ethernet;  // frames on lo bear an Ethernet header of zeros
        case ARPHRD_NONE:
        case ARPHRD_RAWIP:
        case ARPHRD_TUNNEL:
        case ARPHRD_TUNNEL6:
        case ARPHRD_SIT: return link_type::raw;
        default: return {};
    }
}

link_info interface_info_by(int socket, int index, error_code& ec) {
    ec = {};
    link_info info;
    info.index = index;
    if (index == 0) return info;
    ifreq about{};
    about.ifr_ifindex = index;
    if (!ask(socket, SIOCGIFNAME, about, ec)) return info;
    info.name.assign(about.ifr_name, ::strnlen(about.ifr_name, sizeof about.ifr_name));
    if (!ask(socket, SIOCGIFMTU, about, ec)) return info;
    info.mtu = static_cast<unsigned>(about.ifr_mtu);
    if (!ask(socket, SIOCGIFFLAGS, about, ec)) return info;
    info.loopback = about.ifr_flags & IFF_LOOPBACK;
    info.up = about.ifr_flags & IFF_UP;
    if (!ask(socket, SIOCGIFHWADDR, about, ec)) return info;
    auto type = link_type_of(about.ifr_hwaddr.sa_family);
    if (!type) return ec = errc::unsupported_link_type, info;
    info.type = *type;
    if (*type == link_type::ethernet) std::memcpy(info.address.octets.data(), about.ifr_hwaddr.sa_data, 6);
    return info;
}

}  // namespace detail

int interface_index(std::string_view name, error_code& ec) noexcept {
    ifreq about{};
    ec = errc::no_such_interface;
    if (name.empty() || name.size() >= sizeof about.ifr_name || name.find('\0') != name.npos) return 0;
    std::copy(name.begin(), name.end(), about.ifr_name);
    auto fd = asking_socket();
    if (!fd) return ec = detail::link_error(errno), 0;
    if (!ask(fd.get(), SIOCGIFINDEX, about, ec)) return 0;
    ec = {};
    return about.ifr_ifindex;
}

int interface_index(std::string_view name) {
    error_code ec;
    int index = interface_index(name, ec);
    if (ec) detail::throw_failure({ec, named(name)});
    return index;
}

link_info interface_info(int index, error_code& ec) {
    ec = {};
    if (index == 0) return {};
    if (auto fd = asking_socket()) return detail::interface_info_by(fd.get(), index, ec);
    ec = detail::link_error(errno);
    link_info unknown;
    unknown.index = index;
    return unknown;
}

link_info interface_info(int index) {
    error_code ec;
    auto info = interface_info(index, ec);
    if (ec)
        detail::throw_failure(
            {ec, info.name.empty() ? "interface " + std::to_string(index) : named(info.name)});
    return info;
}

}  // namespace sonde::inline v0
