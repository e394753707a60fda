#include "tool/lab_netlink.hpp"

#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <system_error>
#include <utility>

namespace sonde::detail {

unique_fd& unique_fd::operator=(unique_fd other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

unique_fd::~unique_fd() {
    if (fd_ >= 0) ::close(fd_);
}

int unique_fd::release() noexcept {
    return std::exchange(fd_, -1);
}

namespace {

unique_fd open_socket(int family, int type, char const* what) {
    unique_fd fd(::socket(family, type | SOCK_CLOEXEC, 0));
    if (fd.get() < 0) throw std::system_error(errno, std::generic_category(), what);
    return fd;
}

/// An address in the order of the wire, in a buffer that fits either family.
struct wire_address {
    explicit wire_address(ip_address const& a)
        : family(a.is_v4() ? AF_INET : AF_INET6), size(a.is_v4() ? 4 : 16) {
        octets = a.is_v4() ? std::array<std::uint8_t, 16>{} : a.v6().octets;
        if (a.is_v4())
            for (std::size_t i = 0; i < 4; ++i)
                octets[i] = static_cast<std::uint8_t>(a.v4().value >> (24 - 8 * i));
    }
    std::span<std::uint8_t const> bytes() const { return {octets.data(), size}; }

    unsigned char family;
    std::size_t size;
    std::array<std::uint8_t, 16> octets{};
};

}  // namespace

/// A netlink message under construction (netlink(7)): header, a family's own header, attributes.
class lab_netlink::request {
public:
    template <class Body>
    request(std::uint16_t type, unsigned flags, Body const& body) {
        header().nlmsg_type = type;
        header().nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
        header().nlmsg_len = NLMSG_HDRLEN;
        append(&body, sizeof body);
    }

    void put(unsigned type, void const* data, std::size_t size) {
        auto attribute = open(type);
        append(data, size);
        close(attribute);
    }
    void put(unsigned type, int value) { put(type, &value, sizeof value); }
    void put(unsigned type, std::string const& text) { put(type, text.c_str(), text.size() + 1); }
    void put(unsigned type, ip_address const& address) {
        wire_address wire(address);
        put(type, wire.bytes().data(), wire.size);
    }
    void put(unsigned type, mac const& address) { put(type, address.octets.data(), address.octets.size()); }

    /// Everything added before `close(open(type))` is inside the attribute.
    std::size_t open(unsigned type) {
        std::size_t at = header().nlmsg_len;
        rtattr attribute{};
        attribute.rta_type = static_cast<unsigned short>(type);
        append(&attribute, sizeof attribute);
        return at;
    }
    void close(std::size_t at) {
        rtattr attribute{};
        std::memcpy(&attribute, &buffer_[at], sizeof attribute);
        attribute.rta_len = static_cast<unsigned short>(header().nlmsg_len - at);
        std::memcpy(&buffer_[at], &attribute, sizeof attribute);
        header().nlmsg_len = NLMSG_ALIGN(header().nlmsg_len);
    }
    void append(void const* data, std::size_t size) {
        if (header().nlmsg_len + size > buffer_.size()) throw std::length_error("netlink message too long");
        std::memcpy(&buffer_[header().nlmsg_len], data, size);
        header().nlmsg_len = static_cast<std::uint32_t>(header().nlmsg_len + size);
    }

    nlmsghdr& header() { return *reinterpret_cast<nlmsghdr*>(buffer_.data()); }

private:
    alignas(nlmsghdr) std::array<std::byte, 512> buffer_{};
};

lab_netlink::lab_netlink()
    : netlink_(open_socket(AF_NETLINK, SOCK_RAW, "open a netlink socket")),
      ioctl_(open_socket(AF_INET, SOCK_DGRAM, "open a socket for interface settings")) {}

void lab_netlink::execute(request& message, std::string const& what) {
    auto fail = [&what](int code) { throw std::system_error(code, std::generic_category(), what); };
    auto const& header = message.header();
    if (::send(netlink_.get(), &header, header.nlmsg_len, 0) < 0) fail(errno);
    alignas(nlmsghdr) std::array<std::byte, 1024> reply{};
    auto size = ::recv(netlink_.get(), reply.data(), reply.size(), 0);
    if (size < 0) fail(errno);
    auto const& answer = *reinterpret_cast<nlmsghdr const*>(reply.data());
    if (answer.nlmsg_type != NLMSG_ERROR || std::cmp_less(size, NLMSG_LENGTH(sizeof(nlmsgerr)))) fail(EPROTO);
    if (int code = static_cast<nlmsgerr const*>(NLMSG_DATA(&answer))->error) fail(-code);
}

void lab_netlink::add_cable(lab_interface const& here, lab_interface const& there, int there_namespace) {
    ifinfomsg link{};
    link.ifi_index = here.index;
    request message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link);
    message.put(IFLA_IFNAME, here.name);
    message.put(IFLA_ADDRESS, here.address);
    auto info = message.open(IFLA_LINKINFO);
    message.put(IFLA_INFO_KIND, std::string("veth"));
    auto data = message.open(IFLA_INFO_DATA);
    auto peer = message.open(VETH_INFO_PEER);
    link.ifi_index = there.index;
    message.append(&link, sizeof link);
    message.put(IFLA_IFNAME, there.name);
    message.put(IFLA_ADDRESS, there.address);
    message.put(IFLA_NET_NS_FD, there_namespace);
    message.close(peer);
    message.close(data);
    message.close(info);
    execute(message, "make the interface " + there.name + " (veth)");
}

void lab_netlink::set_up(int interface) {
    ifinfomsg link{};
    link.ifi_index = interface;
    link.ifi_flags = link.ifi_change = IFF_UP;
    request message(RTM_NEWLINK, 0, link);
    execute(message, "set interface " + std::to_string(interface) + " up");
}

void lab_netlink::add_address(int interface, ip_address const& address, unsigned prefix) {
    ifaddrmsg body{};
    body.ifa_family = wire_address(address).family;
    body.ifa_prefixlen = static_cast<unsigned char>(prefix);
    body.ifa_index = static_cast<unsigned>(interface);
    if (address.is_v6()) body.ifa_flags = IFA_F_NODAD;
    request message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, body);
    message.put(IFA_LOCAL, address);
    message.put(IFA_ADDRESS, address);
    execute(message, "add the address " + address.to_string());
}

void lab_netlink::add_route(lab_route const& route) {
    rtmsg body{};
    body.rtm_family = wire_address(route.destination).family;
    body.rtm_dst_len = static_cast<unsigned char>(route.prefix);
    body.rtm_table = route.table;
    body.rtm_protocol = RTPROT_STATIC;
    body.rtm_scope = route.type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
    body.rtm_type = route.type;
    request message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, body);
    message.put(RTA_DST, route.destination);
    if (!route.gateway.is_unspecified()) message.put(RTA_GATEWAY, route.gateway);
    if (route.interface) message.put(RTA_OIF, route.interface);
    execute(message, "add a route to " + route.destination.to_string() + "/" + std::to_string(route.prefix));
}

void lab_netlink::add_neighbour(int interface, ip_address const& address, mac const& hardware) {
    ndmsg body{};
    body.ndm_family = wire_address(address).family;
    body.ndm_ifindex = interface;
    body.ndm_state = NUD_PERMANENT;
    request message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, body);
    message.put(NDA_DST, address);
    message.put(NDA_LLADDR, hardware);
    execute(message, "add the neighbour " + address.to_string());
}

void lab_netlink::no_offloads(std::string const& interface) {
    for (auto feature : {ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO}) {
        ethtool_value value{static_cast<std::uint32_t>(feature), 0};
        ifreq order{};
        interface.copy(order.ifr_name, IFNAMSIZ - 1);
        order.ifr_data = reinterpret_cast<char*>(&value);
        if (::ioctl(ioctl_.get(), SIOCETHTOOL, &order) < 0)
            throw std::system_error(errno, std::generic_category(), "turn offloads of " + interface + " off");
    }
}

}  // namespace sonde::detail
