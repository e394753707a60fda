#include "tool/lab_hosts.hpp"

#include <fmt/core.h>

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

namespace sonde::inline v0::detail {
namespace {

constexpr int loopback_index = 1;  // the kernel's, in every namespace
// Two numbers: the kernel tells of a new carrier at once, not within a second, where an interface's peer has
// another.
lab_interface const probe_end{"eth1", 2, "02:00:c6:33:64:01"};
lab_interface const target_end{"eth1", 3, "02:00:c6:33:64:02"};

constexpr ipv4 probe_v4 = "198.51.100.1", target_v4 = "198.51.100.2";
constexpr ipv6 probe_v6 = "2001:db8:ffff::1", target_v6 = "2001:db8:ffff::2";

void enter_new_network() {
    if (::unshare(CLONE_NEWNET) != 0)
        throw std::system_error(errno, std::generic_category(), "make a network namespace");
}

unique_fd open_current_network() {
    unique_fd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0)
        throw std::system_error(errno, std::generic_category(), "open /proc/thread-self/ns/net");
    return fd;
}

/// Writes a knob below /proc/sys/net; the errno of the attempt, or 0.
int write_knob(std::string const& knob, std::string_view value) {
    unique_fd fd(::open(("/proc/sys/net/" + knob).c_str(), O_WRONLY | O_CLOEXEC));
    if (fd.get() < 0) return errno;
    return ::write(fd.get(), value.data(), value.size()) < 0 ? errno : 0;
}

/// Not every kernel has every knob, and one that is not there has nothing to be switched off.
void set_knob(std::string const& knob, std::string_view value) {
    int code = write_knob(knob, value);
    if (code != 0 && code != ENOENT)
        throw std::system_error(code, std::generic_category(), "set /proc/sys/net/" + knob);
}

/// A new namespace may copy what this machine's administrator has set, so whatever matters is set here.
void set_common_knobs() {
    for (auto scope : {"all", "default", "lo"}) {
        for (auto knob : {"rp_filter", "forwarding", "arp_ignore", "arp_filter", "arp_announce",
                          "accept_redirects", "send_redirects", "log_martians"})
            set_knob(fmt::format("ipv4/conf/{}/{}", scope, knob), "0");
        for (auto knob : {"disable_ipv6", "forwarding", "accept_dad", "dad_transmits", "router_solicitations",
                          "accept_ra", "accept_redirects"})
            set_knob(fmt::format("ipv6/conf/{}/{}", scope, knob), "0");
    }
    // The masks say which ICMP messages are limited at all: none, not even by the machine-wide limit.
    set_knob("ipv4/icmp_ratemask", "0");
    set_knob("ipv4/icmp_ratelimit", "0");
    set_knob("ipv6/icmp/ratemask", "255");  // a reserved type: an empty list cannot be written
    set_knob("ipv6/icmp/ratelimit", "0");
    set_knob("ipv4/tcp_invalid_ratelimit", "0");
    set_knob("ipv4/tcp_challenge_ack_limit", "2147483647");
}

/// Cookies for every SYN: any number of half-open connections, and no SYN/ACK is ever repeated.
void set_target_knobs() {
    set_knob("ipv4/tcp_syncookies", "2");
    set_knob("core/somaxconn", "65535");
    set_knob("ipv4/tcp_max_syn_backlog", "65536");
    set_knob("ipv4/ip_nonlocal_bind", "1");  // answer from the address that was asked
    set_knob("ipv6/ip_nonlocal_bind", "1");
}

/// Ping sockets for everyone; a user namespace knows no group but its own.
void allow_ping_sockets() {
    if (write_knob("ipv4/ping_group_range", "0 2147483647") != 0) set_knob("ipv4/ping_group_range", "0 0");
}

lab_route default_route(int interface, ip_address const& gateway) {
    ip_address any = gateway.is_v4() ? ip_address(ipv4()) : ip_address(ipv6());
    return {any, 0, RTN_UNICAST, RT_TABLE_MAIN, interface, gateway};
}

/// Everything in the range is this host's own address (AnyIP), except for the ranges that swallow what they
/// get. IPv4 looks for its own addresses in the local table only. For IPv6 that table comes before all
/// others, and would hide the cable's network inside 2001:db8::/32; in the main table the longer prefix wins.
void add_answering_ranges(lab_netlink& target) {
    target.add_route({ipv4("198.18.0.0"), 15, RTN_LOCAL, RT_TABLE_LOCAL, loopback_index, {}});
    target.add_route({ipv4("198.19.248.0"), 24, RTN_BLACKHOLE, RT_TABLE_LOCAL, 0, {}});
    target.add_route({ipv6("2001:db8::"), 32, RTN_LOCAL, RT_TABLE_MAIN, loopback_index, {}});
    target.add_route({ipv6("2001:db8:dead::"), 48, RTN_BLACKHOLE, RT_TABLE_MAIN, 0, {}});
}

void set_up_end(lab_netlink& host, lab_interface const& end, ipv4 v4, ipv6 const& v6) {
    host.no_offloads(end.name);
    host.add_address(end.index, v4, 24);
    host.add_address(end.index, v6, 64);
    host.set_up(end.index);
}

}  // namespace

lab_hosts::host::host() : net((enter_new_network(), lab_netlink())), name_space(open_current_network()) {
    set_common_knobs();
    net.set_up(loopback_index);
}

lab_hosts::lab_hosts() {
    set_target_knobs();
}

void lab_hosts::enter_probe() {
    host probe;
    allow_ping_sockets();
    probe.net.add_cable(probe_end, target_end, target_.name_space.get());
    set_up_end(target_.net, target_end, target_v4, target_v6);
    set_up_end(probe.net, probe_end, probe_v4, probe_v6);
    probe.net.add_route(default_route(probe_end.index, target_v4));
    probe.net.add_route(default_route(probe_end.index, target_v6));

    // The way back for answers to addresses that the probe invents.
    target_.net.add_route(default_route(target_end.index, probe_v4));
    target_.net.add_route(default_route(target_end.index, probe_v6));
    // The target never asks for the probe's hardware address, so a capture shows the probe's own questions
    // only.
    target_.net.add_neighbour(target_end.index, probe_v4, probe_end.address);
    target_.net.add_neighbour(target_end.index, probe_v6, probe_end.address);
    add_answering_ranges(target_.net);
    target_.net.await_operation(target_end.index);
    probe.net.await_operation(probe_end.index);
}

}  // namespace sonde::inline v0::detail
