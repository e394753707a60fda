#pragma once

#include <sonde/packet/address.hpp>

#include <cstdint>
#include <optional>

SONDE_NAMESPACE_BEGIN

/// What the kernel does with packets to a destination: the RTN_ types of rtnetlink(7) that can come out.
enum class route_kind : std::uint8_t {
    unicast,      ///< sent, to the gateway or on link
    local,        ///< an address of this host (IPv6 anycast included): delivered over lo
    broadcast,    ///< IPv4: limited (255.255.255.255) or directed broadcast
    multicast,    ///< sent once, to the group's link-layer address
    blackhole,    ///< dropped without a word: nothing can be sent
    unreachable,  ///< refused with "host unreachable": nothing can be sent
    prohibit,     ///< refused with "administratively prohibited": nothing can be sent
};

/// The way to a destination, as `ip route get` tells it. Trivially destructible: safe inside `co_await`
/// expressions.
struct route {
    int interface = 0;  ///< kernel index of the outgoing interface; 0 when nothing can be sent
    ip_address source;  ///< what the kernel would send from; unspecified when the host has none
    std::optional<ip_address> gateway{};  ///< the next hop; nothing when the destination is on link. An IPv4
                                          ///< route may have an IPv6 gateway (RFC 5549)
    route_kind kind = route_kind::unicast;  ///< what becomes of packets: see `usable`
    unsigned mtu =
        0;  ///< bytes of IP packet: the route's, else the interface's. Learnt path MTUs are not in it
    /// The route wraps packets (MPLS, SRv6, IP tunnel "encap"): only the kernel's own output does that, so
    /// frames that are written to the interface directly would go out bare.
    bool encapsulated = false;

    /// True when there is somewhere to send to.
    bool usable() const { return kind < route_kind::blackhole; }
    /// Member by member.
    friend bool operator==(route const&, route const&) = default;
};

SONDE_NAMESPACE_END
