#pragma once

#include <sonde/net/network.hpp>
#include <sonde/tools/traceroute.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

SONDE_NAMESPACE_BEGIN
namespace tools {

/// How `ping` asks.
struct ping_options {
    probe_protocol protocol = probe_protocol::icmp;               ///< echo requests; or UDP, or SYN of TCP
    std::uint16_t port = 0;                                       ///< 0: 80 of TCP, 7 (echo) of UDP
    std::uint64_t count = forever;                                ///< of each target
    std::chrono::nanoseconds interval = std::chrono::seconds(1);  ///< from one probe of a target to its next
    std::chrono::nanoseconds timeout = std::chrono::seconds(1);   ///< may be longer than the interval
    std::uint16_t size = 56;                                      ///< bytes of payload; not of TCP
    std::uint8_t ttl = 64;                                        ///< TTL or hop limit of the probes
    if_name iface{};                                              ///< empty: by the route
    /// What the targets were named by, if that matters. Borrowed until the end.
    target_list const* named_by = nullptr;
};

/// What one probe came to.
struct ping_reply {
    std::size_t target = 0;          ///< its number
    std::uint64_t sequence = 0;      ///< of its probes, from 1
    probe_outcome outcome{};         ///< what became of it
    error_code failure{};            ///< why it could not leave
    ip_address from{};               ///< who answered; unspecified when nobody did
    std::chrono::nanoseconds rtt{};  ///< zero when nobody did
    timestamp received{};            ///< the answer's stamp
    std::uint8_t ttl = 0;            ///< of the answer
    std::uint32_t bytes = 0;         ///< of the answer, behind its IP header

    /// The target's own answer: a closed port's reset, or its port unreachable, are one too.
    bool answered = false;
};

/// Loss and round-trip times of one target.
struct ping_target {
    ip_address address{};               ///< where its probes go
    std::uint64_t ended = 0;            ///< probes that came to something: an answer, an error, a timeout
    std::uint64_t answered = 0;         ///< of these
    std::uint64_t errors = 0;           ///< of these, those that met an ICMP error or could not leave
    std::chrono::nanoseconds latest{};  ///< round-trip time of the latest answer; zero before the first
    rtt_statistics rtt;                 ///< of the answers

    /// The share of ended probes that the target did not answer, 0 to 1.
    double loss() const noexcept {
        return ended == 0 ? 0 : 1 - static_cast<double>(answered) / static_cast<double>(ended);
    }
};

/// Pings targets side by side: each once an interval, spread evenly over it, all on one grid of time that no
/// answer and no timeout moves.
///
/// Lifetimes: the network must outlive it. Threads: the network's executor only. Cost: as `sr`; 100 bytes and
/// a histogram for each target.
class ping {
public:
    /// A target may come up more than once. Sends nothing before the first `next`.
    ping(network& net, std::vector<ip_address> targets, ping_options options = {});

    /// The next probe that came to something.
    /// Completes when: an answer came, or a timeout passed; nothing at the end. Result and errors: throws
    /// what ended it as a whole (permission, no_such_interface …). Cancellation: use `stop`. Lifetimes: this
    /// must outlive it. Threads: see above.
    boost::asio::awaitable<std::optional<ping_reply>> next();

    /// Sends nothing more; probes that are out are not waited for, and count as not sent.
    void stop();

    /// The targets so far, in the order in which they were given. Good as long as this.
    std::span<ping_target const> targets() const noexcept { return targets_; }
    /// Packets so far; as of `sr`.
    sonde::report report() const { return probes_.report(); }

private:
    std::vector<ping_target> targets_;
    exchange_stream probes_;
};

}  // namespace tools
SONDE_NAMESPACE_END
