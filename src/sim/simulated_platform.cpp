#include "sim/simulated_platform.hpp"

#include <cstring>

namespace sonde::inline v0::detail {
namespace {

class virtual_timer final : public timer {
public:
    virtual_timer(virtual_clock& clock, asio::any_io_executor executor)
        : clock_(clock), executor_(std::move(executor)) {}
    ~virtual_timer() override { cancel(); }

    void start(steady_time when, unique_function<void()> due) override {
        cancel();
        event_ = clock_.at(when, [executor = executor_, due = std::move(due)]() mutable {
            asio::post(executor, std::move(due));
        });
    }
    void cancel() noexcept override { clock_.cancel(std::exchange(event_, {})); }

private:
    virtual_clock& clock_;
    asio::any_io_executor executor_;
    virtual_clock::event_id event_;
};

class simulated_platform final : public platform {
public:
    simulated_platform(world& w, asio::any_io_executor executor)
        : world_(w), executor_(std::move(executor)) {}

    steady_time now() const override { return world_.clock.now(); }
    timestamp wall_time() const override { return world_.clock.wall_time(); }
    std::unique_ptr<timer> make_timer() override {
        return std::make_unique<virtual_timer>(world_.clock, executor_);
    }
    void fill_random(std::span<std::byte> bytes) override {
        for (auto& b : bytes) b = std::byte(world_.random.next());
    }

    boost::system::result<route> route_to(ip_address const& destination, int interface,
                                          steady_time) override {
        if (auto way = world_.routes().lookup(destination, interface)) return *way;
        return make_error_code(errc::no_route);
    }
    std::pair<ipv4, ipv4> alike(ipv4 to, int) override {
        auto found = world_.routes().alike(to);
        return {ipv4(found.first), ipv4(found.last)};
    }
    std::uint64_t route_generation(steady_time) override { return world_.route_generation(); }
    std::optional<mac> neighbour(int, ip_address const&) override { return {}; }
    interface_table const& interfaces(error_code& ec, steady_time) override {
        ec = {};
        return world_.routes().interfaces();
    }
    boost::system::result<int> default_interface() override {
        auto const& routes = world_.routes();
        auto const* found = routes.interfaces().default_interface(routes.default_route_interface());
        if (!found) return make_error_code(errc::no_such_interface);
        return found->index;
    }

    link_info describe(int interface, error_code& ec) override {
        if (auto const* found = world_.links.find(interface)) return *found;
        ec = errc::no_such_interface;
        return {};
    }
    std::unique_ptr<link_device> open_device(int interface, bool routed, receive_options const& how,
                                             error_code& ec, std::string* about) override {
        return world_.links.open(executor_, interface, routed, how, ec, about);
    }

    std::unique_ptr<link_device> adopt_device(int, int, receive_options const&, error_code& ec,
                                              std::string*) override {
        ec = asio::error::operation_not_supported;  // a simulation has no descriptors
        return {};
    }

    void resolve(std::string const& name, bool v6,
                 std::function<void(error_code, ip_address)> handler) override {
        auto found = address_of(name, v6);
        asio::post(executor_, [handler = std::move(handler), found] {
            handler(found ? error_code() : asio::error::host_not_found, found.value_or(ip_address()));
        });
    }

    void stop() noexcept override {}

private:
    /// As any resolver, it gives an address for its text.
    std::optional<ip_address> address_of(std::string const& name, bool v6) const {
        if (auto a = ip_address::parse(name); a && a->is_v6() == v6) return a;
        auto found = world_.names.find((v6 ? "6" : "4") + name);
        return found == world_.names.end() ? std::nullopt : std::optional(found->second);
    }

    world& world_;
    asio::any_io_executor executor_;
};

}  // namespace

std::unique_ptr<platform> make_simulated_platform(world& w, asio::any_io_executor executor) {
    return std::make_unique<simulated_platform>(w, std::move(executor));
}

}  // namespace sonde::inline v0::detail
