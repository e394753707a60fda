#include <sonde/net/kernel_tables.hpp>

#include "net/kernel_questions.hpp"
#include "net/netlink_socket.hpp"
#include "net/recent_cache.hpp"
#include "net/route_table.hpp"
#include "net/table_monitor.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace sonde::inline v0 {

using detail::route_table;
using clock_type = std::chrono::steady_clock;
using time_point = clock_type::time_point;

class kernel_tables::engine {
public:
    engine(boost::asio::any_io_executor executor, kernel_tables_options options)
        : executor_(executor), options_(options), socket_(options.netns), monitor_(executor, options.netns) {}

    boost::system::result<route> route_to(ip_address const& to, int interface, time_point now);
    std::optional<mac> neighbour(int interface, ip_address const& address);
    interface_table const& interfaces(error_code& ec, time_point now);
    boost::system::result<int> default_interface();
    std::uint64_t generation(time_point now);
    std::pair<ipv4, ipv4> alike(ipv4 to, int interface) const noexcept;
    error_code start(std::function<void(table_changes)> changed);
    void stop() noexcept;

    kernel_tables_counters counters;

private:
    void look_for_changes(time_point now);
    void note(table_changes const& changes);
    void invalidate(table_changes const& changes);
    error_code open_monitor();
    error_code read_again();
    bool current(time_point now);
    boost::system::result<route> answer(ip_address const& to, int interface, time_point now);
    boost::system::result<route> answer_anew(ip_address const& to, int interface, time_point now);
    boost::system::result<route> ask(ip_address const& to, int interface, time_point now);
    route from_answer(detail::route_entry const& e, ip_address const& to);

    using answers = detail::recent_cache<detail::scoped_address, boost::system::result<route>,
                                         detail::scoped_address_hash>;
    using hardware =
        detail::recent_cache<detail::scoped_address, std::optional<mac>, detail::scoped_address_hash>;

    boost::asio::any_io_executor executor_;
    kernel_tables_options options_;
    detail::netlink_socket socket_;
    detail::table_monitor monitor_;
    route_table tables_;
    struct {
        route_table::address_range addresses;
        int interface = 0;
        route way;
    } last_;  // the route that was found last: neighbours in a scan have the same
    answers answers_{1024};
    hardware hardware_{1024};
    bool neighbour_dumps_only_ = false;

    bool stale_ = true;        // something in tables_ may be old
    bool links_stale_ = true;  // its interfaces, too
    std::uint64_t generation_ = 1;
    time_point polled_{}, read_{};            // the last time that each was done
    clock_type::duration read_cost_{};        // how long the last copying took
    time_point next_try_{};                   // to subscribe, after that has failed
    time_point expires_ = time_point::max();  // of the first route to run out

    std::shared_ptr<std::function<void(table_changes)>> changed_;  // empty unless started
};

/// Reads what the kernel has told, unless that was done a moment ago.
void kernel_tables::engine::look_for_changes(time_point now) {
    if (now - polled_ < options_.poll_interval) return;
    polled_ = now;
    if (now >= expires_) invalidate({.routes = true});
    if (options_.notifications && now >= next_try_ && open_monitor()) {
        next_try_ = now + options_.max_age;
        ++counters.failures;
    }
    if (!monitor_.is_open()) {
        if (now - read_ >= options_.max_age) invalidate({.overrun = true});
        return;
    }
    auto found = monitor_.poll();
    if (!found.any()) return;
    note(found);
    // The user's function is not called from inside a lookup.
    if (changed_)
        boost::asio::post(executor_, [weak = std::weak_ptr(changed_), found] {
            if (auto changed = weak.lock()) (*changed)(found);
        });
}

/// Subscribed before anything is read: what changes from here on is told, what was read before may be old.
error_code kernel_tables::engine::open_monitor() {
    if (monitor_.is_open()) return {};
    auto ec = monitor_.open();
    if (!ec) invalidate({.overrun = true});
    return ec;
}

void kernel_tables::engine::note(table_changes const& changes) {
    ++counters.notifications;
    counters.overruns += changes.overrun;
    invalidate(changes);
}

void kernel_tables::engine::invalidate(table_changes const& changes) {
    hardware_.forget();
    answers_.forget();  // IPv6 routers that stop answering are passed over
    if (!changes.any_route()) return;
    stale_ = true;
    links_stale_ |= changes.links || changes.addresses || changes.overrun;
    expires_ = time_point::max();
    ++generation_;
}

error_code kernel_tables::engine::read_again() {
    auto begin = clock_type::now();
    detail::table_contents found;
    auto ec = detail::read_tables(socket_, options_.max_route_bytes, found);
    read_ = clock_type::now();
    read_cost_ = read_ - begin;
    if (ec) {
        ++counters.failures;
        return ec;
    }
    for (auto const& e : found.routes)
        if (e.expires != 0) expires_ = std::min(expires_, read_ + std::chrono::seconds(e.expires));
    tables_ = route_table(std::move(found));
    last_ = {};
    stale_ = links_stale_ = false;
    ++counters.rereads;
    return {};
}

/// True when the copy is the kernel's state. Copying takes at most a tenth of the time, however often tables
/// change.
bool kernel_tables::engine::current(time_point now) {
    if (!stale_) return true;
    if (now - read_ < 10 * read_cost_) return false;
    return !read_again();
}

boost::system::result<route> kernel_tables::engine::route_to(ip_address const& to, int interface,
                                                             time_point now) {
    ++counters.lookups;
    look_for_changes(now);
    return answer(to, interface, now);
}

boost::system::result<route> kernel_tables::engine::answer(ip_address const& to, int interface,
                                                           time_point now) {
    if (!current(now)) return ask(to, interface, now);
    if (to.is_v4() && interface == last_.interface && last_.addresses.contains(to.v4())) return last_.way;
    auto found = tables_.lookup(to, interface);
    if (!found) return ask(to, interface, now);
    if (to.is_v4() && *found && (*found)->kind == route_kind::unicast)
        last_ = {tables_.alike(to.v4()), interface, **found};
    return *found;
}

boost::system::result<route> kernel_tables::engine::ask(ip_address const& to, int interface, time_point now) {
    auto over = interface;
    if (auto settled = tables_.settle(to, over))
        return links_stale_ ? answer_anew(to, interface, now) : *settled;
    detail::scoped_address key{to, over};
    if (auto* known = answers_.find(key, now - options_.max_age)) {
        ++counters.remembered;
        return *known;
    }
    ++counters.asked;
    auto e = detail::ask_route(socket_, to, over);
    // It may be an interface that has just gone down: the kernel does not tell that from a missing route.
    if (!e && links_stale_ && over != 0 && e.error() == errc::no_route)
        return answer_anew(to, interface, now);
    if (!e && e.error().category() != sonde_category()) {
        ++counters.failures;
        return e.error();
    }
    auto answer = e ? boost::system::result<route>(from_answer(*e, to)) : e.error();
    answers_.store(key, answer, now);
    return answer;
}

/// Where an old copy does not do, it is renewed, whatever that costs.
boost::system::result<route> kernel_tables::engine::answer_anew(ip_address const& to, int interface,
                                                                time_point now) {
    if (auto ec = read_again()) return ec;
    return answer(to, interface, now);
}

route kernel_tables::engine::from_answer(detail::route_entry const& e, ip_address const& to) {
    route r{.interface = e.refuses() ? 0 : e.interface,
            .source = e.source.value_or(to.is_v6() ? ip_address(ipv6()) : ip_address(ipv4())),
            .gateway = e.gateway,
            .kind = to.is_multicast() && e.kind == route_kind::unicast ? route_kind::multicast : e.kind,
            .encapsulated = e.encapsulated};
    if (r.interface != 0 && (links_stale_ || !tables_.interfaces().find(r.interface))) read_again();
    r.mtu = e.mtu != 0 ? e.mtu : tables_.mtu_of(r.interface, to.is_v6());
    return r;
}

std::optional<mac> kernel_tables::engine::neighbour(int interface, ip_address const& address) {
    ++counters.neighbour_lookups;
    auto now = clock_type::now();
    look_for_changes(now);
    detail::scoped_address key{address, interface};
    if (auto* known = hardware_.find(key, now - options_.max_age)) return *known;
    ++counters.neighbours_asked;
    error_code ec;
    auto found = detail::ask_neighbour(socket_, interface, address, neighbour_dumps_only_, ec);
    if (ec)
        ++counters.failures;
    else
        hardware_.store(key, found, now);
    return found;
}

interface_table const& kernel_tables::engine::interfaces(error_code& ec, time_point now) {
    look_for_changes(now);
    ec = links_stale_ ? read_again() : error_code();
    return tables_.interfaces();
}

boost::system::result<int> kernel_tables::engine::default_interface() {
    look_for_changes(clock_type::now());
    if (stale_)
        if (auto ec = read_again()) return ec;
    auto* found = tables_.interfaces().default_interface(tables_.default_route_interface());
    if (!found) return make_error_code(errc::no_such_interface);
    return found->index;
}

std::uint64_t kernel_tables::engine::generation(time_point now) {
    look_for_changes(now);
    return generation_;
}

std::pair<ipv4, ipv4> kernel_tables::engine::alike(ipv4 to, int interface) const noexcept {
    if (stale_ || interface != last_.interface || !last_.addresses.contains(to)) return {to, to};
    return {ipv4(last_.addresses.first), ipv4(last_.addresses.last)};
}

error_code kernel_tables::engine::start(std::function<void(table_changes)> changed) {
    if (auto ec = open_monitor()) return ec;
    changed_ = std::make_shared<std::function<void(table_changes)>>(std::move(changed));
    monitor_.start([this](table_changes found) {
        note(found);
        if (auto call = changed_) (*call)(found);
    });
    return {};
}

void kernel_tables::engine::stop() noexcept {
    changed_.reset();
    monitor_.stop();
}

kernel_tables::kernel_tables(boost::asio::any_io_executor executor, kernel_tables_options options)
    : engine_(std::make_unique<engine>(std::move(executor), options)) {}
kernel_tables::~kernel_tables() = default;
kernel_tables::kernel_tables(kernel_tables&&) noexcept = default;
kernel_tables& kernel_tables::operator=(kernel_tables&&) noexcept = default;

boost::system::result<route> kernel_tables::route_to(ip_address const& destination, int interface) {
    return route_to(destination, interface, clock_type::now());
}
boost::system::result<route> kernel_tables::route_to(ip_address const& destination, int interface,
                                                     time_point now) {
    return engine_->route_to(destination, interface, now);
}
std::optional<mac> kernel_tables::neighbour(int interface, ip_address const& address) {
    return engine_->neighbour(interface, address);
}
interface_table const& kernel_tables::interfaces(error_code& ec) {
    return interfaces(ec, clock_type::now());
}
interface_table const& kernel_tables::interfaces(error_code& ec, time_point now) {
    return engine_->interfaces(ec, now);
}
interface_table const& kernel_tables::interfaces() {
    error_code ec;
    auto const& all = interfaces(ec);
    if (ec) throw boost::system::system_error(ec, "reading the network interfaces");
    return all;
}
boost::system::result<int> kernel_tables::default_interface() {
    return engine_->default_interface();
}
std::uint64_t kernel_tables::generation() {
    return generation(clock_type::now());
}
std::uint64_t kernel_tables::generation(time_point now) {
    return engine_->generation(now);
}
std::pair<ipv4, ipv4> kernel_tables::alike(ipv4 to, int interface) const noexcept {
    return engine_->alike(to, interface);
}
error_code kernel_tables::start(std::function<void(table_changes)> changed) {
    return engine_->start(std::move(changed));
}
void kernel_tables::stop() noexcept {
    engine_->stop();
}
kernel_tables_counters const& kernel_tables::counters() const noexcept {
    return engine_->counters;
}

}  // namespace sonde::inline v0
