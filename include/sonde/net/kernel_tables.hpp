#pragma once

#include <sonde/error.hpp>
#include <sonde/net/interfaces.hpp>
#include <sonde/net/routes.hpp>
#include <sonde/packet/address.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

SONDE_NAMESPACE_BEGIN

/// What the kernel said has changed since the last time.
struct table_changes {
    bool links = false;       ///< an interface came, went, or changed (up, down, carrier, name, MTU)
    bool addresses = false;   ///< an interface's addresses changed
    bool routes = false;      ///< a route, policy rule or nexthop changed
    bool neighbours = false;  ///< an entry of the ARP or neighbour discovery cache changed
    bool overrun = false;     ///< notifications were lost: take everything as changed

    /// True when anything may have changed.
    bool any() const { return links || addresses || routes || neighbours || overrun; }
    /// True when routes, source addresses or interfaces may be others than before.
    bool any_route() const { return links || addresses || routes || overrun; }
    /// These changes, and `more`.
    table_changes& operator|=(table_changes const& more);
};

/// How `kernel_tables` keeps up with the kernel.
struct kernel_tables_options {
    /// Ask the kernel to be told of changes. Without it, or while that cannot be had (no descriptor left,
    /// sandboxes), what was read is thrown away after `max_age`.
    bool notifications = true;
    /// The oldest answer given from memory where no notification guards it.
    std::chrono::milliseconds max_age{1000};
    /// How long lookups go on before they look for notifications again: bounds how late a change is seen.
    std::chrono::microseconds poll_interval{1000};
    /// More bytes of routes than this (about 100 each) are not copied: the kernel is asked for each
    /// destination.
    std::size_t max_route_bytes = std::size_t{4} << 20;
    /// An open descriptor of the network namespace whose tables they are, which must stay open; -1: see
    /// below.
    int netns = -1;
};

/// Counts since the tables were made.
struct kernel_tables_counters {
    std::uint64_t lookups = 0;            ///< calls of route_to
    std::uint64_t asked = 0;              ///< routes for which the kernel was asked
    std::uint64_t remembered = 0;         ///< routes that it was asked for less than max_age ago
    std::uint64_t rereads = 0;            ///< times that the tables were copied
    std::uint64_t notifications = 0;      ///< times that something had changed
    std::uint64_t overruns = 0;           ///< times that notifications were lost
    std::uint64_t neighbour_lookups = 0;  ///< calls of neighbour
    std::uint64_t neighbours_asked = 0;   ///< those that went to the kernel
    std::uint64_t failures = 0;           ///< questions that the kernel could not be asked
};

/// The kernel's interfaces, routes, source addresses and neighbours (rtnetlink(7)): where a packet would go
/// if the kernel sent it, without sending it.
///
/// Exact: `route_to` gives what `ip route get` gives. The tables local, main and default are copied once and
/// searched here (RFC 1812 §5.2.4.3, longest prefix first; RFC 6724 for IPv6 sources); whatever that cannot
/// decide (policy rules, multipath, IPv6 routers that may be dead) is asked of the kernel, destination by
/// destination.
///
/// Fresh: the kernel's notifications are read before answers are given, at most `poll_interval` after the
/// last time, whether `start` was called or not; so a route that was replaced a millisecond ago is used.
///
/// Blocking: none of the calls waits for anything but the kernel's own lock, since rtnetlink answers while it
/// is asked. Nothing is opened before the first use.
///
/// Lifetimes: without `kernel_tables_options::netns` it belongs to the network namespace of the thread that
/// uses it first. Threads: none inside; calls are for one thread or strand at a time, the executor's if
/// `start` is used. Cost: route_to 0.1 to 0.3 us from the copy, about 5 us when the kernel is asked; no
/// allocation. A copy of a small host's tables takes about 0.2 ms. 40 KiB of buffers, and about 200 bytes a
/// route.
class kernel_tables {
public:
    /// Opens nothing yet. `executor` runs what `start` is given, and must outlive the tables.
    explicit kernel_tables(boost::asio::any_io_executor executor, kernel_tables_options options = {});
    ~kernel_tables();
    /// What was begun goes on with the new one; the one moved from can only be destroyed or assigned to.
    /// @{
    kernel_tables(kernel_tables&&) noexcept;
    kernel_tables& operator=(kernel_tables&&) noexcept;
    /// @}

    /// The way to `destination`, over any interface (0) or over `interface` alone.
    ///
    /// Destinations that the kernel refuses (blackhole, unreachable, prohibit) are a result whose `kind` says
    /// so. The unspecified address means this host, as it does for sockets. IPv6 link-local and multicast
    /// destinations take the only interface that has IPv6 when `interface` is 0; with several, or none, they
    /// have no route. An IPv4 destination without route is on link when `interface` is given: so the kernel
    /// has it. Errors: no_route; no_such_interface; interface_down (the `interface` given); the system's
    /// where the kernel could not be asked.
    /// `now` saves those who ask often the reading of the clock: a moment ago, for all of one turn.
    /// @{
    boost::system::result<route> route_to(ip_address const& destination, int interface = 0);
    boost::system::result<route> route_to(ip_address const& destination, int interface,
                                          std::chrono::steady_clock::time_point now);
    /// @}

    /// IPv4 addresses around `to`, first and last: what `route_to` has just given for `to` it gives for each
    /// of them, until `generation` changes. Just `to` where the route is no unicast one, or only the kernel
    /// knows.
    std::pair<ipv4, ipv4> alike(ipv4 to, int interface = 0) const noexcept;

    /// The hardware address of a neighbour on `interface`, if the kernel knows one that it would send to (any
    /// state but INCOMPLETE and FAILED). Nothing when it does not, also when it could not be asked: then ask
    /// the neighbour.
    std::optional<mac> neighbour(int interface, ip_address const& address);

    /// The interfaces and their addresses, as they are now. The reference is good until the next call.
    /// Errors: the system's, where the kernel could not be asked; then the table is the last one read.
    /// @{
    interface_table const& interfaces(error_code& ec);
    interface_table const& interfaces(error_code& ec, std::chrono::steady_clock::time_point now);
    /// @}
    /// The same; throws boost::system::system_error.
    interface_table const& interfaces();

    /// Scapy's conf.iface: the interface of the default route (IPv4 before IPv6, lowest metric), else the
    /// first that is up and no loopback, else lo. Errors: no_such_interface, the system's.
    boost::system::result<int> default_interface();

    /// A number that is another one whenever routes, source addresses or interfaces may have changed: answers
    /// kept beside it need not be asked for again. Looks for notifications, unless that was done in this
    /// poll_interval. `now` as for `route_to`.
    /// @{
    std::uint64_t generation();
    std::uint64_t generation(std::chrono::steady_clock::time_point now);
    /// @}

    /// Calls `changed` on the executor whenever something changed, until `stop`. A wait is pending meanwhile,
    /// which keeps an io_context's run() going. Calling it again replaces `changed`. `changed` may call
    /// anything here, and destroy the tables. Errors: the system's, when notifications cannot be had.
    error_code start(std::function<void(table_changes)> changed);
    /// Ends the wait: `changed` is not called again, and nothing is pending after one turn of the loop.
    void stop() noexcept;

    /// Counts so far. Good as long as the tables, and up to date at each look.
    kernel_tables_counters const& counters() const noexcept;

private:
    class SONDE_PRIVATE engine;
    std::unique_ptr<engine> engine_;
};

SONDE_NAMESPACE_END
