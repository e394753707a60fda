#pragma once

#include <sonde/detail/function.hpp>
#include <sonde/link/link.hpp>
#include <sonde/link/receive_options.hpp>
#include <sonde/net/interfaces.hpp>
#include <sonde/net/options.hpp>
#include <sonde/net/reset_guard.hpp>
#include <sonde/net/routes.hpp>
#include <sonde/probe/identity.hpp>
#include <sonde/probe/time.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sonde::inline v0::detail {

/// Calls somebody at a time; one at a time.
class timer {
public:
    virtual ~timer() = default;
    /// `due` is called on the executor, not before `when` and not from inside this call. It replaces what was
    /// waited for before.
    virtual void start(steady_time when, unique_function<void()> due) = 0;
    virtual void cancel() noexcept = 0;
};

/// What a network stands on: time, chance, interfaces, routes, devices and names. The kernel's, or a
/// simulation's. Errors are those of kernel_tables and packet_socket.
class platform {
public:
    virtual ~platform() = default;

    virtual steady_time now() const = 0;
    /// The clock that stamps frames.
    virtual timestamp wall_time() const = 0;
    virtual std::unique_ptr<timer> make_timer() = 0;
    virtual void fill_random(std::span<std::byte> bytes) = 0;

    /// `now` is a moment ago: asked for each packet, the clock would cost as much as its route.
    virtual boost::system::result<route> route_to(ip_address const& destination, int interface,
                                                  steady_time now) = 0;
    /// IPv4 addresses, first and last, that have the unicast route which `route_to` has just given for `to`,
    /// until the generation changes: so the way of nearly all packets of a scan is asked for once.
    /// @{
    virtual std::pair<ipv4, ipv4> alike(ipv4 to, int interface) = 0;
    virtual std::uint64_t route_generation(steady_time now) = 0;
    /// @}
    virtual std::optional<mac> neighbour(int interface, ip_address const& address) = 0;
    virtual interface_table const& interfaces(error_code& ec, steady_time now) = 0;
    virtual boost::system::result<int> default_interface() = 0;

    virtual link_info describe(int interface, error_code& ec) = 0;
    /// `routed`: frames leave as IP packets, by this host's own routing.
    virtual std::unique_ptr<link_device> open_device(int interface, bool routed, receive_options const& how,
                                                     error_code& ec, std::string* about) = 0;

    /// The same by AF_XDP, frames of one interface; see xdp_socket. Where there is no kernel, as ever.
    virtual std::unique_ptr<link_device> open_xdp(int interface, receive_options const& how, error_code& ec,
                                                  std::string* about) {
        return open_device(interface, false, how, ec, about);
    }

    /// A device for echo requests alone, which takes no privilege; see echo_socket. `chosen`: which of `ids`
    /// it has.
    virtual std::unique_ptr<link_device> open_echo(int interface, bool v6, std::span<std::uint16_t const> ids,
                                                   receive_options const& how, std::uint16_t& chosen,
                                                   error_code& ec, std::string* about);

    /// A device on a packet socket that was opened elsewhere; see packet_socket::adopt.
    virtual std::unique_ptr<link_device> adopt_device(int descriptor, int interface,
                                                      receive_options const& how, error_code& ec,
                                                      std::string* about) = 0;

    /// Looks a host name up; the handler is called later, unless the platform goes before.
    virtual void resolve(std::string const& name, bool v6,
                         std::function<void(error_code, ip_address)> handler) = 0;

    /// Source ports that are given to nobody else.
    virtual port_range free_ports() { return {}; }
    /// Until the result goes, what speaks for this host does not reset what acknowledges probes from these
    /// ports. Nothing where it does not do so anyway.
    virtual std::unique_ptr<held_resets> hold_resets(port_range, error_code&, std::string&) { return {}; }

    /// Ends what is under way.
    virtual void stop() noexcept = 0;

    template <class T>
    T random() {
        T value{};
        fill_random(std::as_writable_bytes(std::span(&value, 1)));
        return value;
    }
};

/// What ends with its execution context.
class context_user {
public:
    virtual ~context_user() = default;
    virtual void shut_down() noexcept = 0;
};

/// What an execution context knows of its networks.
class platform_service final : public boost::asio::execution_context::service {
public:
    using maker = std::function<std::unique_ptr<platform>(boost::asio::any_io_executor)>;
    static boost::asio::execution_context::id id;

    explicit platform_service(boost::asio::execution_context& context) : service(context) {}

    /// Set by a simulation: what networks on this context stand on.
    maker make;

    /// A network may live in a coroutine that waits for it: each keeps the other, until the context ends it.
    void add(std::weak_ptr<context_user> user);

    /// Ends all networks: with the context, and in the child of a fork.
    void shut_down_users();

private:
    void shutdown() override;

    std::mutex mutex_;
    std::vector<std::weak_ptr<context_user>> users_;
};

/// Ends the networks in the child of a fork, when it calls notify_fork(fork_child): the descriptors are the
/// parent's too, and each packet goes to one reader. A service of its own, made after Asio's reactor: the
/// child has its own reactor before the descriptors are taken out of it, else they would be taken out of the
/// parent's.
class fork_service final : public boost::asio::execution_context::service {
public:
    static boost::asio::execution_context::id id;
    explicit fork_service(boost::asio::execution_context& context) : service(context) {}

private:
    void shutdown() override {}
    void notify_fork(boost::asio::execution_context::fork_event event) override;
};

platform_service& service_of(boost::asio::any_io_executor const& executor);

/// The platform of networks on this executor: the kernel, unless its context says otherwise. A simulation has
/// no namespaces.
std::unique_ptr<platform> platform_of(boost::asio::any_io_executor const& executor,
                                      netns_option const& netns);

std::unique_ptr<platform> make_kernel_platform(boost::asio::any_io_executor executor,
                                               netns_option const& netns = {});

}  // namespace sonde::inline v0::detail
