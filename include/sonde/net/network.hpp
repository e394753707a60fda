#pragma once

#include <sonde/net/options.hpp>
#include <sonde/net/reset_guard.hpp>
#include <sonde/net/source.hpp>
#include <sonde/net/stream.hpp>
#include <sonde/probe/identity.hpp>
#include <sonde/probe/rate_limiter.hpp>
#include <sonde/probe/target_policy.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

#include <memory>
#include <string>

SONDE_NAMESPACE_BEGIN

namespace detail {
class SONDE_PRIVATE engine;

/// Options whose text is owned: what a deferred operation may keep.
struct stored_sr_options {
    stored_sr_options(sr_options const& o) : options(o), filter(o.filter) { options.filter = {}; }
    sr_options get() const {
        auto o = options;
        o.filter = filter;
        return o;
    }
    sr_options options;
    std::string filter;
};

/// An operation of the network that can be told to end.
class cancellable {
public:
    virtual ~cancellable() = default;
    virtual void cancel() noexcept = 0;
};
}  // namespace detail

/// Which of `parts` networks this one is that share their interfaces, as `shard`: counted from 0.
struct interface_share {
    std::uint32_t part = 0;   ///< below `parts`
    std::uint32_t parts = 1;  ///< 64 at most
};

/// Limits of a network.
struct network_options {
    std::uint32_t probes = 1u << 20;        ///< in flight, of all operations together; more wait
    std::size_t receive_buffer = 16 << 20;  ///< bytes that the kernel may queue on each interface
    double rate = 0;      ///< packets per second at most, of all operations together; 0: no limit
    double bit_rate = 0;  ///< bits per second at most, of the frames from their link layer on; 0: no limit
    prefix_rate per_prefix{};  ///< what may go to each destination network
    /// Where its sockets live; see network.
    netns_option netns{};
    target_options targets{};  ///< kinds of special addresses that need not be named; see `target_policy`
    /// Probes go through AF_XDP sockets (see xdp_socket) instead of packet sockets. Where an interface has
    /// none, opening it fails, and `why()` says what is missing: nothing else is used instead. The loopback
    /// interface, `sniff`, adopted sockets and simulations are as ever.
    bool xdp = false;
    /// One of several networks, each on a thread or in a process of its own, that probe over the same
    /// interface: `{.part = 0, .parts = 2}` and `{.part = 1, .parts = 2}`. Each takes its automatic source
    /// ports from its own part of those that are free, and the kernel hands it no TCP or UDP for the others'
    /// (docs/guide/threads.md). Without, each network gets, reads and counts the answers of all.
    interface_share share{};
};
static_assert(std::is_trivially_destructible_v<network_options>);

/// Scapy's send and receive verbs as awaitable operations, on one event loop.
///
/// One network owns, for all of its operations: a socket on each interface that is used, one table of probes
/// in flight, one timer, routes and neighbours. There are no threads and no globals; nothing blocks. There is
/// no `run`: reading starts with the first operation and ends with the last, and an idle network keeps no
/// io_context alive.
///
/// Layer 3 verbs (`send sr sr1 srloop`) take packets that begin with IP or IPv6: route, source address and
/// the next hop's hardware address are looked up in the kernel, else asked for (once for all who wait; never
/// a broadcast instead). Layer 2 verbs (`sendp srp srp1 srploop`) take frames as they are; automatic
/// addresses of Ether and ARP are the interface's. A host name resolves when its packet is sent.
///
/// In `sr*` each attempt has its own identity (source port, ICMP id and sequence, TCP sequence number, IP id)
/// in the fields that the user left automatic, so concurrent probes and retries are told apart.
///
/// The kernel's own TCP does not know these probes: it answers a SYN/ACK by a RST. That does no harm to a
/// scan; to talk on, hold them back (`guard_resets`, docs/guide/kernel-rst.md).
///
/// Broadcast, multicast, unspecified and own addresses are sent to when they are written as they are; when
/// they fall out of a network, a range or a random field, the probe fails with target_refused unless the
/// network's options allow the kind. See `target_policy`, `allow` and `block`.
///
/// Errors of one probe (no_route, no_neighbour, message_too_long …) are that probe's outcome: it counts as
/// unanswered and in `send_errors`. `sr1`, `send` and streams fail as a whole for what concerns all
/// (permission, no_such_interface, bad_filter); `why()` tells the details.
///
/// Namespaces: with `network_options::netns` its interfaces, routes, neighbours and sockets are those of that
/// network namespace, so that one process, one io_context even, serves several. Each socket is opened with
/// the calling thread in the namespace for that moment, and belongs to it for good; the thread is back before
/// the call returns, and where it could not come back it does not go. That takes CAP_SYS_ADMIN over both
/// namespaces, at any time that a socket is opened. The constructor throws boost::system::system_error,
/// naming the namespace, when it cannot be entered. Host names are resolved in the process's own namespace,
/// by its resolv.conf: use addresses where that is another network. Without `netns` it is the namespace of
/// the thread that opens the first socket.
///
/// Fork: descriptors are close-on-exec, so fork and exec need no care. A child that goes on without exec
/// shares the parent's sockets and Asio's epoll set: it must either leave everything alone until it ends by
/// _exit, or call notify_fork(fork_child) of the context first (and the parent fork_prepare and fork_parent
/// around the fork, as Asio wants it). That closes every network of the context in the child: operations end
/// with operation_aborted, no packet is taken from the parent, and new networks can be made.
///
/// Threads: everything on the executor given, one thing at a time: a strand, or an io_context that one thread
/// runs. Lifetimes: its destructor cancels everything; streams may outlive it. The executor must outlive it.
class network {
public:
    /// As Asio wants it.
    using executor_type = boost::asio::any_io_executor;

    /// On an executor, or on that of an execution context (an io_context, a `simulation`). Opens no socket
    /// yet. Throws boost::system::system_error when the namespace asked for cannot be entered, and
    /// value_out_of_range for a share that is none.
    /// @{
    explicit network(boost::asio::any_io_executor executor, network_options options = {});
    template <class Context>
        requires std::is_convertible_v<Context&, boost::asio::execution_context&>
    explicit network(Context& context, network_options options = {})
        : network(boost::asio::any_io_executor(context.get_executor()), options) {}
    /// @}
    /// Operations and streams go on with the new one; the one moved from can only be destroyed or assigned
    /// to.
    network(network&&) noexcept;
    /// The same; what this one had under way is cancelled first, as by its destructor.
    network& operator=(network&&) noexcept;
    /// Cancels everything.
    ~network();

    /// The executor that it was made on.
    executor_type get_executor() const;

    /// Send packets at layer 3.
    /// Completes when: the kernel has taken, or refused, the last packet.
    /// Result and errors: `void(error_code, send_report)`. Packets that cannot leave are counted in
    /// `send_errors`; when not one could leave, the first's error is the operation's. Cancellation: terminal,
    /// partial and total: what has not left never will; the report says what has. Lifetimes: the packets and
    /// options are the operation's own. Threads: see network. Cost: a system call for 64 packets; a route
    /// lookup, 0.2 us, for each.
    template <
        boost::asio::completion_token_for<void(error_code, send_report)> Token = boost::asio::deferred_t>
    auto send(packet_source packets, send_options options = {}, Token&& token = Token{}) {
        return start_send(std::move(packets), options, false, std::forward<Token>(token));
    }

    /// Send frames at layer 2, as `send`. `iface` empty: the default interface (Scapy's conf.iface).
    template <
        boost::asio::completion_token_for<void(error_code, send_report)> Token = boost::asio::deferred_t>
    auto sendp(packet_source frames, send_options options = {}, Token&& token = Token{}) {
        return start_send(std::move(frames), options, true, std::forward<Token>(token));
    }

    /// Send a packet and wait for its first answer; of a set, the first answer to any of it, and no more is
    /// sent. Completes when: an answer came, or the last of 1 + retry waits of `timeout` ended. Result and
    /// errors: `void(error_code, std::optional<exchange>)`; silence is nothing, not an error. When not one
    /// packet could leave, the error is the first's: no_route, no_neighbour, permission, host_not_found …
    /// Cancellation: terminal, partial and total: a probe that has not left never will, the table forgets the
    /// others. Lifetimes: packet and options are the operation's own. Threads: see network. Cost: one entry
    /// in the table of probes, no timer, no socket.
    template <boost::asio::completion_token_for<void(error_code, std::optional<exchange>)> Token =
                  boost::asio::deferred_t>
    auto sr1(packet_source packets, sr_options options = {}, Token&& token = Token{}) {
        return start_sr1(std::move(packets), options, false, std::forward<Token>(token));
    }
    /// `sr1` at layer 2. `iface` empty: the default interface.
    template <boost::asio::completion_token_for<void(error_code, std::optional<exchange>)> Token =
                  boost::asio::deferred_t>
    auto srp1(packet_source frames, sr_options options = {}, Token&& token = Token{}) {
        return start_sr1(std::move(frames), options, true, std::forward<Token>(token));
    }

    /// Send packets and receive their answers, as a generator; see exchange_stream.
    exchange_stream sr(packet_source packets, sr_options options = {});
    /// `sr` at layer 2.
    exchange_stream srp(packet_source frames, sr_options options = {});

    /// Send the set in rounds, and receive; see loop_stream.
    loop_stream srloop(packet_source packets, loop_options options = {});
    /// `srloop` at layer 2.
    loop_stream srploop(packet_source frames, loop_options options = {});

    /// Capture packets, as a generator; see packet_stream. Listens from this call on; what failed in opening
    /// is told by the first `next`.
    packet_stream sniff(sniff_options options = {});

    /// Why: what the network makes of each packet that comes in while probes are out, from this call on, as a
    /// generator. `queue` explanations wait for a slow consumer; the newest are dropped and counted.
    /// Cost: a copy of each packet that comes in; nothing when no such stream is there.
    explanation_stream explain(std::size_t queue = 4096);

    /// Opens now what probes over `iface` go through (empty: the default interface), as the first of them
    /// would. Once it is open nothing takes a privilege: a program may open the interfaces that it needs and
    /// then drop CAP_NET_RAW. (`sniff` opens a socket of its own, at once.) An interface that is removed
    /// needs it again. Blocks no longer than the kernel takes. The first form throws
    /// boost::system::system_error. Errors: permission, no_such_interface, unsupported_link_type, the
    /// system's; `why()` tells the details.
    /// @{
    void open(if_name iface);
    void open(if_name iface, error_code& ec);
    /// @}

    /// The same on a socket that a privileged process has opened: socket(AF_PACKET, SOCK_RAW, 0), inherited
    /// or passed by SCM_RIGHTS. It takes the descriptor over, also when it fails. `iface` empty: that to
    /// which it is bound. Packets for this host itself, over lo, need raw sockets besides: see `open`.
    /// Errors: EINVAL for a descriptor that is something else or bound to another interface; already_open;
    /// ENOTSOCK; no_such_interface.
    /// @{
    void adopt(int descriptor, if_name iface = {});
    void adopt(int descriptor, if_name iface, error_code& ec);
    /// @}

    /// New limits, in place of those in network_options; they hold from the next packet on, and what waits
    /// for an old one is let go by the new.
    /// @{
    void set_rate(double packets_per_second);
    void set_bit_rate(double bits_per_second);
    void set_prefix_rate(prefix_rate limit);
    /// @}

    /// From now on packets go only to these networks and those allowed before: `net.allow("198.18.0.0/15")`;
    /// others fail with target_blocked. ARP's question for an address counts as a packet to it; sonde's own
    /// questions for next hops do not.
    void allow(address_set const& networks);
    /// From now on nothing goes to these networks, whatever else is allowed.
    void block(address_set const& networks);

    /// Keeps the host's own TCP from resetting half-open probes, for as long as the guard lives: the kernel
    /// knows nothing of them, and answers a SYN/ACK by RST. Holds back what the kernel itself sends from
    /// `ports`, the probes' own unless given, to segments that acknowledge something no socket sent; all
    /// other resets go. The kernel ends it with the guard or the process, however that ends. Not needed, and
    /// nothing, on a simulation. See docs/guide/kernel-rst.md.
    /// Throws boost::system::system_error: EPERM without CAP_NET_ADMIN, EOPNOTSUPP without nf_tables. Cost:
    /// some milliseconds, in a system call: begin with it.
    /// @{
    reset_guard guard_resets() const;
    reset_guard guard_resets(port_range ports) const;
    /// @}

    /// Probes in flight, of all operations.
    std::size_t in_flight() const;
    /// What the latest error was about: the interface, the filter's mistake, the address. Empty when there
    /// was none.
    std::string const& why() const;

private:
    template <class Token>
    auto start_send(packet_source packets, send_options const& options, bool layer2, Token&& token) {
        return boost::asio::async_initiate<Token, void(error_code, send_report)>(
            [](auto handler, std::shared_ptr<detail::engine> engine, packet_source what, send_options how,
               bool l2) {
                auto op = make_send(engine, std::move(what), how, l2);
                detail::initiate<send_report>(
                    std::move(handler), op, executor_of(*engine),
                    [](auto& o, auto w) { start(o, std::move(w)); },
                    [](detail::cancellable& o, void const*) { o.cancel(); });
            },
            token, engine_, std::move(packets), options, layer2);
    }
    template <class Token>
    auto start_sr1(packet_source packets, sr_options const& options, bool layer2, Token&& token) {
        return boost::asio::async_initiate<Token, void(error_code, std::optional<exchange>)>(
            [](auto handler, std::shared_ptr<detail::engine> engine, packet_source what,
               detail::stored_sr_options how, bool l2) {
                auto op = make_sr1(engine, std::move(what), how.get(), l2);
                detail::initiate<std::optional<exchange>>(
                    std::move(handler), op, executor_of(*engine),
                    [](auto& o, auto w) { start(o, std::move(w)); },
                    [](detail::cancellable& o, void const*) { o.cancel(); });
            },
            token, engine_, std::move(packets), detail::stored_sr_options(options), layer2);
    }

    static boost::asio::any_io_executor executor_of(detail::engine const&);
    static std::shared_ptr<detail::cancellable> make_send(std::shared_ptr<detail::engine> const&,
                                                          packet_source, send_options const&, bool layer2);
    static std::shared_ptr<detail::cancellable> make_sr1(std::shared_ptr<detail::engine> const&,
                                                         packet_source, sr_options const&, bool layer2);
    static void start(detail::cancellable&, detail::waiting_ptr<send_report>);
    static void start(detail::cancellable&, detail::waiting_ptr<std::optional<exchange>>);

    std::shared_ptr<detail::engine> engine_;
};

SONDE_NAMESPACE_END
