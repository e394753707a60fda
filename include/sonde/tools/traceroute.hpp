#pragma once

#include <sonde/net/network.hpp>
#include <sonde/packet/address.hpp>
#include <sonde/tools/targets.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

SONDE_NAMESPACE_BEGIN
namespace tools {

/// What a probe is made of: an echo request of ICMP or ICMPv6, a UDP datagram, or a TCP SYN.
enum class probe_protocol : std::uint8_t { icmp, udp, tcp };

/// How `traceroute` asks.
struct traceroute_options {
    probe_protocol protocol = probe_protocol::udp;  ///< of the probes
    std::uint16_t port = 0;                         ///< 0: 33434 of UDP, 80 of TCP
    /// The TTL or hop limit of the first probes, and of the last.
    /// @{
    std::uint8_t first_hop = 1, max_hops = 30;
    /// @}
    std::uint8_t queries = 3;                                       ///< probes of each hop
    std::chrono::nanoseconds timeout = std::chrono::seconds(1);     ///< of each probe, from when it left
    std::chrono::nanoseconds inter = std::chrono::milliseconds(1);  ///< from one probe to the next
    if_name iface{};                                                ///< empty: by the route
    /// What the targets were named by, if that matters. Borrowed until the end.
    target_list const* named_by = nullptr;
};

/// A label of the stack that a packet came to a router with (RFC 4950).
struct mpls_label {
    std::uint32_t label = 0;  ///< 20 bits
    /// 3 bits (RFC 5462), and the label's own TTL.
    /// @{
    std::uint8_t traffic_class = 0, ttl = 0;
    /// @}
};

/// What one probe of a hop came to.
struct hop_reply {
    probe_outcome outcome{};           ///< answered: by the target
    ip_address from{};                 ///< who answered; unspecified when nobody did
    std::chrono::nanoseconds rtt{};    ///< zero when nobody did
    std::uint8_t ttl = 0;              ///< of the answer: how far it still would have gone
    std::vector<mpls_label> labels{};  ///< outermost first; empty when the answer tells none

    /// True when somebody answered.
    bool came() const { return !from.is_unspecified(); }
};

/// What the probes of one hop came to.
struct trace_hop {
    unsigned ttl = 0;                ///< TTL or hop limit of its probes
    std::vector<hop_reply> replies;  ///< one for each probe that has ended, in that order
};

/// The way to a target.
struct trace {
    ip_address target{};          ///< as it was given
    std::vector<trace_hop> hops;  ///< up to the target, or to the last hop that was asked
    bool reached = false;         ///< the target itself answered
    error_code failure{};         ///< why the first probe that could not leave did not
};

/// Finds the routers on the way to several targets at once.
///
/// All probes to a target belong to one flow (Augustin et al., "Avoiding traceroute anomalies with Paris
/// traceroute", 2006): UDP and TCP keep both ports and differ by IP id and sequence number, UDP over IPv6 by
/// its length; ICMP keeps id and checksum; the IPv6 flow label is 0. So routers that share load by flow send
/// them all one way.
///
/// All hops are asked at once, in sweeps over them, one for each query; what lies behind a target is not
/// asked once that is known.
///
/// Lifetimes: the network must outlive it. Threads: the network's executor only. Cost: as `sr`.
class traceroute {
public:
    /// IPv4 and IPv6 as they come. Sends nothing before the first `next`.
    traceroute(network& net, std::vector<ip_address> targets, traceroute_options options = {});
    ~traceroute();

    /// The next target whose way is known.
    /// Completes when: every hop up to a target, or up to `max_hops`, has answered or timed out; nothing when
    /// all targets were given. Result and errors: throws what ended it as a whole (permission,
    /// no_such_interface …). Cancellation: use `stop`. Lifetimes: this must outlive it. Threads: see above.
    boost::asio::awaitable<std::optional<trace>> next();

    /// Sends nothing more; `next` gives what is known.
    void stop();
    /// Packets so far; as of `sr`.
    sonde::report report() const;

private:
    struct SONDE_PRIVATE state;
    std::shared_ptr<state> state_;
    exchange_stream probes_;
};

/// Looks for the largest packet that reaches a target whole: asks with echo requests that must not be
/// fragmented, goes by what routers say, and halves the distance where they say nothing.
/// Completes when: the size is known. Result and errors: 0 when the target answers none at all; throws what a
/// network as a whole fails with. Cancellation: terminal. Lifetimes: the network must outlive it. Threads:
/// the network's. Cost: an exchange for each step, at most 14 without hints.
boost::asio::awaitable<unsigned> path_mtu(network& net, ip_address target, unsigned at_most = 9000,
                                          std::chrono::nanoseconds timeout = std::chrono::seconds(1),
                                          if_name iface = {});

}  // namespace tools
SONDE_NAMESPACE_END
