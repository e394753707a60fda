#include "local_ports.hpp"
#include "nft_guard.hpp"
#include "platform.hpp"
#include "privilege.hpp"

#include "link/echo_socket.hpp"
#include "netns.hpp"

#include <sonde/link/packet_socket.hpp>
#include <sonde/link/raw_socket.hpp>
#include <sonde/link/xdp_socket.hpp>
#include <sonde/net/kernel_tables.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fmt/format.h>

#include <sys/random.h>

#include <cerrno>

namespace sonde::inline v0::detail {
namespace {

class kernel_timer final : public timer {
public:
    explicit kernel_timer(asio::any_io_executor const& executor) : timer_(executor) {}

    void start(steady_time when, unique_function<void()> due) override {
        timer_.expires_at(when);
        timer_.async_wait([due = std::move(due), latest = latest_, mine = ++*latest_](error_code ec) mutable {
            // A wait that was over before it was replaced or cancelled hears nothing of it.
            if (!ec && mine == *latest) due();
        });
    }
    void cancel() noexcept override {
        ++*latest_;
        timer_.cancel();
    }

private:
    asio::steady_timer timer_;
    std::shared_ptr<std::uint64_t> latest_ = std::make_shared<std::uint64_t>(0);
};

class kernel_platform final : public platform {
public:
    kernel_platform(asio::any_io_executor executor, netns_option const& netns)
        : executor_(std::move(executor)),
          netns_(open_netns(netns)),
          tables_(executor_, {.netns = netns_.get()}),
          resolver_(executor_) {}

    steady_time now() const override { return std::chrono::steady_clock::now(); }
    timestamp wall_time() const override {
        return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
    }
    std::unique_ptr<timer> make_timer() override { return std::make_unique<kernel_timer>(executor_); }

    void fill_random(std::span<std::byte> bytes) override {
        while (!bytes.empty()) {
            auto n = ::getrandom(bytes.data(), bytes.size(), 0);
            if (n > 0) bytes = bytes.subspan(static_cast<std::size_t>(n));
            if (n < 0 && errno != EINTR)
                throw boost::system::system_error(error_code(errno, boost::system::system_category()),
                                                  "getrandom");
        }
    }

    boost::system::result<route> route_to(ip_address const& destination, int interface,
                                          steady_time now) override {
        return tables_.route_to(destination, interface, now);
    }
    std::pair<ipv4, ipv4> alike(ipv4 to, int interface) override { return tables_.alike(to, interface); }
    std::uint64_t route_generation(steady_time now) override { return tables_.generation(now); }
    std::optional<mac> neighbour(int interface, ip_address const& address) override {
        return tables_.neighbour(interface, address);
    }
    interface_table const& interfaces(error_code& ec, steady_time now) override {
        return tables_.interfaces(ec, now);
    }
    boost::system::result<int> default_interface() override { return tables_.default_interface(); }

    link_info describe(int interface, error_code& ec) override {
        link_info found;
        if (auto failed = in_netns(netns_.get(), [&] { found = interface_info(interface, ec); })) ec = failed;
        return found;
    }
    std::unique_ptr<link_device> open_device(int interface, bool routed, receive_options const& how,
                                             error_code& ec, std::string* about) override {
        std::unique_ptr<link_device> device;
        auto open = [&] {
            if (routed)
                device = raw_socket::open(executor_, interface, how, ec, about);
            else
                device = packet_socket::open(executor_, interface, how, ec, about);
        };
        if (auto failed = in_netns(netns_.get(), open)) ec = failed;
        if (ec == errc::permission && about) *about += " (" + why_refused(facts_of_this_process()) + ")";
        return device;
    }

    std::unique_ptr<link_device> open_xdp(int interface, receive_options const& how, error_code& ec,
                                          std::string* about) override {
        std::unique_ptr<link_device> device;
        auto open = [&] {
            if (interface_info(interface, ec).loopback)
                device = packet_socket::open(executor_, interface, how, ec, about);
            else
                device = xdp_socket::open(executor_, interface, how, xdp_take::answers, ec, about);
        };
        if (auto failed = in_netns(netns_.get(), open)) ec = failed;
        return device;
    }

    std::unique_ptr<link_device> open_echo(int interface, bool v6, std::span<std::uint16_t const> ids,
                                           receive_options const& how, std::uint16_t& chosen, error_code& ec,
                                           std::string* about) override {
        std::unique_ptr<echo_socket> device;
        auto open = [&] { device = echo_socket::open(executor_, interface, v6, ids, how.buffer, ec, about); };
        if (auto failed = in_netns(netns_.get(), open)) ec = failed;
        if (ec == errc::permission && about) {
            auto facts = facts_of_this_process();
            *about += fmt::format(" (net.ipv4.ping_group_range is \"{} {}\", the group {})",
                                  facts.ping_groups.first, facts.ping_groups.second, facts.group);
        }
        if (device) chosen = device->id();
        return device;
    }

    std::unique_ptr<link_device> adopt_device(int descriptor, int interface, receive_options const& how,
                                              error_code& ec, std::string* about) override {
        return packet_socket::adopt(executor_, descriptor, interface, how, ec, about);
    }

    void resolve(std::string const& name, bool v6,
                 std::function<void(error_code, ip_address)> handler) override {
        using asio::ip::tcp;
        resolver_.async_resolve(
            v6 ? tcp::v6() : tcp::v4(), name, "",
            [handler = std::move(handler)](error_code ec, tcp::resolver::results_type results) {
                if (ec || results.empty()) return handler(ec ? ec : asio::error::host_not_found, {});
                auto found = results.begin()->endpoint().address();
                if (found.is_v4())
                    handler({}, ipv4(found.to_v4().to_uint()));
                else
                    handler({}, ipv6(found.to_v6().to_bytes()));
            });
    }

    port_range free_ports() override { return detail::free_ports(); }
    std::unique_ptr<held_resets> hold_resets(port_range ports, error_code& ec, std::string& about) override {
        return detail::hold_resets(ports, ec, about);
    }

    void stop() noexcept override {
        resolver_.cancel();
        tables_.stop();
    }

private:
    asio::any_io_executor executor_;
    owned_fd netns_;  // none: the thread's
    kernel_tables tables_;
    asio::ip::tcp::resolver resolver_;
};

}  // namespace

std::unique_ptr<link_device> platform::open_echo(int, bool, std::span<std::uint16_t const>,
                                                 receive_options const&, std::uint16_t&, error_code& ec,
                                                 std::string*) {
    ec = errc::permission;
    return {};
}

boost::asio::execution_context::id platform_service::id;

void platform_service::add(std::weak_ptr<context_user> user) {
    std::lock_guard lock(mutex_);
    std::erase_if(users_, [](auto const& u) { return u.expired(); });
    users_.push_back(std::move(user));
    // Whoever is added has a timer already, so the reactor is there.
    asio::use_service<fork_service>(context());
}

void platform_service::shutdown() {
    shut_down_users();
}

boost::asio::execution_context::id fork_service::id;

void fork_service::notify_fork(asio::execution_context::fork_event event) {
    if (event == asio::execution_context::fork_child)
        asio::use_service<platform_service>(context()).shut_down_users();
}

void platform_service::shut_down_users() {
    for (auto const& u : std::exchange(users_, {}))
        if (auto user = u.lock()) user->shut_down();
}

platform_service& service_of(asio::any_io_executor const& executor) {
    return asio::use_service<platform_service>(asio::query(executor, asio::execution::context));
}

std::unique_ptr<platform> make_kernel_platform(asio::any_io_executor executor, netns_option const& netns) {
    return std::make_unique<kernel_platform>(std::move(executor), netns);
}

std::unique_ptr<platform> platform_of(asio::any_io_executor const& executor, netns_option const& netns) {
    auto const& make = service_of(executor).make;
    return make ? make(executor) : make_kernel_platform(executor, netns);
}

}  // namespace sonde::inline v0::detail
