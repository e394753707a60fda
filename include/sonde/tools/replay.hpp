#pragma once

#include <sonde/net/network.hpp>
#include <sonde/packet/address_set.hpp>
#include <sonde/probe/statistics.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

SONDE_NAMESPACE_BEGIN
namespace tools {

/// What replayed packets are changed to, checksums with it.
struct replay_rewrite {
    replay_rewrite() {}  // no aggregate: see docs/design/co-await-safe.md

    std::vector<std::pair<ip_address, ip_address>> addresses;  ///< old and new, of either end
    /// Of Ethernet; nothing: as they were captured.
    /// @{
    std::optional<mac> source, destination;
    /// @}
};

/// One of `rate`, `bit_rate` and `top` at most; with none the file's own times.
struct replay_options {
    double speed = 1;               ///< of the file's times: 2 is twice as fast
    double rate = 0;                ///< packets per second
    double bit_rate = 0;            ///< bits per second
    bool top = false;               ///< as fast as the kernel takes them
    std::uint64_t passes = 1;       ///< through the file
    std::uint64_t limit = forever;  ///< packets at most
    if_name iface{};                ///< empty: the default interface
    bool measure = true;            ///< watch the interface for when packets really left; not with `top`
    /// A second interface, by which what servers sent leaves; what clients sent leaves by `iface`. Empty: all
    /// by `iface`. See `replay`.
    if_name iface2{};
};

/// What `replay` did.
struct replay_report {
    send_report sent{};           ///< as of `sendp`, over both interfaces
    std::uint64_t by_second = 0;  ///< packets drawn for `iface2`
    std::uint64_t forgotten = 0;  ///< conversations given up for want of room; their sides are told anew
    std::uint64_t measured = 0;   ///< packets that were seen leaving
    error_code ended_by{};        ///< why it ended before the file did: what cannot be read of it, or sent
    rtt_statistics
        lateness;  ///< of these, by the kernel's stamps: how much later than due, from the first on
};

/// Sends the packets of a capture file, to its times or others.
///
/// When packets left is what the kernel stamps them with on their way out, so lateness is the wire's, not
/// this process's idea of it.
///
/// Over two interfaces, as through a firewall between them, packets keep their order and times. Which side a
/// packet is of is told by its source, if networks of servers are given; else by its conversation (protocol,
/// addresses, ports): the client sends the SYN, gets the SYN/ACK, or, where neither is seen, sends first.
/// Frames without addresses are of the client's side. Interfaces are those of the thread's network namespace.
///
/// Lifetimes: the network must outlive it. Threads: the network's executor only. Cost: as `sendp`; measuring
/// takes a copy of each packet. Memory does not grow with the file; with two interfaces the last 2^18
/// conversations are remembered, at least.
class replay {
public:
    /// `servers`: whose packets leave by the second interface. Throws as capture_reader does;
    /// no_such_interface, of two.
    replay(network& net, std::string path, replay_options options = {}, replay_rewrite rewrite = {},
           address_set servers = {});
    ~replay();

    /// Completes when: the last packet left. Result and errors: what ended it is told by the report; thrown
    /// when nothing had left, as by `sendp`. Cancellation: use `stop`. Lifetimes: this must outlive it.
    /// Threads: see above.
    boost::asio::awaitable<replay_report> run();

    /// Ends `run` early: its report says what left.
    void stop();
    /// Packets so far.
    std::uint64_t drawn() const noexcept;

private:
    struct SONDE_PRIVATE state;
    std::shared_ptr<state> state_;
};

}  // namespace tools
SONDE_NAMESPACE_END
