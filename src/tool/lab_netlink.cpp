#include "tool/lab_netlink.hpp"

#include "net/netlink_message.hpp"

#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <span>
#include <system_error>

namespace sonde::inline v0::detail {

namespace {

unique_fd open_socket(int family, int type, char const* what) {
    unique_fd fd(::socket(family, type | SOCK_CLOEXEC, 0));
    if (fd.get() < 0) throw std::system_error(errno, std::generic_category(), what);
    return fd;
}

unique_fd open_news() {
    auto fd = open_socket(AF_NETLINK, SOCK_RAW, "open a netlink socket");
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_LINK;
    timeval const patience{.tv_sec = 10, .tv_usec = 0};
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
        ::bind(fd.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) < 0)
        throw std::system_error(errno, std::generic_category(), "hear of interfaces");
    return fd;
}

bool says_that_works(netlink_message const& news, int interface) {
    auto link = read_as<ifinfomsg>(news.body);
    if (news.type != RTM_NEWLINK || !link || link->ifi_index != interface) return false;
    auto attributes = news.attributes(sizeof(ifinfomsg));
    while (auto a = attributes.next())
        if (a->type == IFLA_OPERSTATE && read_as<unsigned char>(a->value) == IF_OPER_UP) return true;
    return false;
}

netlink_request command(std::uint16_t type, unsigned flags = 0) {
    return netlink_request(type, static_cast<std::uint16_t>(NLM_F_ACK | flags));
}

void put(netlink_request& request, std::uint16_t type, ip_address const& address) {
    if (address.is_v4())
        request.attribute(type, htonl(address.v4().value));
    else
        request.attribute(type, address.v6().octets);
}

/// Text as rtnetlink likes it, with the final zero.
void put(netlink_request& request, std::uint16_t type, std::string const& text) {
    request.attribute_bytes(type, std::as_bytes(std::span(text.c_str(), text.size() + 1)));
}

/// `inner` without its message header: what an attribute holds that is made of attributes.
void nest(netlink_request& outer, std::uint16_t type, netlink_request const& inner) {
    outer.attribute_bytes(type, inner.bytes().subspan(NLMSG_HDRLEN));
}

unsigned char family_of(ip_address const& address) {
    return address.is_v4() ? AF_INET : AF_INET6;
}

}  // namespace

lab_netlink::lab_netlink()
    : netlink_(open_socket(AF_NETLINK, SOCK_RAW, "open a netlink socket")),
      news_(open_news()),
      ioctl_(open_socket(AF_INET, SOCK_DGRAM, "open a socket for interface settings")) {}

void lab_netlink::execute(netlink_request& message, std::string const& what) {
    auto fail = [&what](int code) { throw std::system_error(code, std::generic_category(), what); };
    auto bytes = message.bytes();
    if (::send(netlink_.get(), bytes.data(), bytes.size(), 0) < 0) fail(errno);
    std::array<std::byte, 1024> buffer;
    auto size = ::recv(netlink_.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) fail(errno);
    auto reply = message_cursor(std::span(buffer).first(static_cast<std::size_t>(size))).next();
    if (!reply || reply->type != NLMSG_ERROR) fail(EPROTO);
    if (int code = reply->error()) fail(code);
}

void lab_netlink::add_cable(lab_interface const& here, lab_interface const& there, int there_namespace) {
    ifinfomsg link{};
    link.ifi_index = there.index;
    netlink_request peer(0), data(0), info(0);
    peer.header(link);
    put(peer, IFLA_IFNAME, there.name);
    peer.attribute(IFLA_ADDRESS, there.address.octets).attribute(IFLA_NET_NS_FD, there_namespace);
    nest(data, VETH_INFO_PEER, peer);
    put(info, IFLA_INFO_KIND, "veth");
    nest(info, IFLA_INFO_DATA, data);

    link.ifi_index = here.index;
    auto message = command(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    message.header(link);
    put(message, IFLA_IFNAME, here.name);
    message.attribute(IFLA_ADDRESS, here.address.octets);
    nest(message, IFLA_LINKINFO, info);
    execute(message, "make the interface " + there.name + " (veth)");
}

void lab_netlink::set_up(int interface) {
    ifinfomsg link{};
    link.ifi_index = interface;
    link.ifi_flags = link.ifi_change = IFF_UP;
    auto message = command(RTM_NEWLINK);
    message.header(link);
    execute(message, "set interface " + std::to_string(interface) + " up");
}

void lab_netlink::await_operation(int interface) {
    std::array<std::byte, 8192> buffer;
    for (;;) {
        auto size = ::recv(news_.get(), buffer.data(), buffer.size(), 0);
        if (size < 0)
            throw std::system_error(errno == EAGAIN ? ETIMEDOUT : errno, std::generic_category(),
                                    "wait until interface " + std::to_string(interface) + " works");
        message_cursor messages(std::span<std::byte const>(buffer).first(static_cast<std::size_t>(size)));
        while (auto m = messages.next())
            if (says_that_works(*m, interface)) return;
    }
}

void lab_netlink::add_address(int interface, ip_address const& address, unsigned prefix) {
    ifaddrmsg body{};
    body.ifa_family = family_of(address);
    body.ifa_prefixlen = static_cast<unsigned char>(prefix);
    body.ifa_index = static_cast<unsigned>(interface);
    if (address.is_v6()) body.ifa_flags = IFA_F_NODAD;
    auto message = command(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    message.header(body);
    put(message, IFA_LOCAL, address);
    put(message, IFA_ADDRESS, address);
    execute(message, "add the address " + address.to_string());
}

void lab_netlink::add_route(lab_route const& route) {
    rtmsg body{};
    body.rtm_family = family_of(route.destination);
    body.rtm_dst_len = static_cast<unsigned char>(route.prefix);
    body.rtm_table = route.table;
    body.rtm_protocol = RTPROT_STATIC;
    body.rtm_scope = route.type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
    body.rtm_type = route.type;
    auto message = command(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    message.header(body);
    put(message, RTA_DST, route.destination);
    if (!route.gateway.is_unspecified()) put(message, RTA_GATEWAY, route.gateway);
    if (route.interface) message.attribute(RTA_OIF, route.interface);
    execute(message, "add a route to " + route.destination.to_string() + "/" + std::to_string(route.prefix));
}

void lab_netlink::add_neighbour(int interface, ip_address const& address, mac const& hardware) {
    ndmsg body{};
    body.ndm_family = family_of(address);
    body.ndm_ifindex = interface;
    body.ndm_state = NUD_PERMANENT;
    auto message = command(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
    message.header(body);
    put(message, NDA_DST, address);
    message.attribute(NDA_LLADDR, hardware.octets);
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

}  // namespace sonde::inline v0::detail
