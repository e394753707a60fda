#include <sonde/sim/simulation.hpp>

#include "sim/simulated_platform.hpp"
#include "sim/world.hpp"

#include <sonde/packet/escape.hpp>
#include <sonde/probe/time.hpp>

#include <boost/asio/co_spawn.hpp>

#include <charconv>
#include <stdexcept>
#include <utility>

namespace sonde::inline v0 {

namespace {

struct network_text {
    ip_address address;
    unsigned length;
};

network_text read_network(std::string_view text) {
    auto slash = text.find('/');
    auto address = ip_address::parse(text.substr(0, slash));
    if (!address) throw_error(errc::bad_text, "address \"" + std::string(text) + "\"");
    unsigned whole = address->is_v6() ? 128 : 32, length = whole;
    if (slash != text.npos) {
        auto digits = text.substr(slash + 1);
        auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
        if (failure != std::errc() || end != digits.data() + digits.size() || length > whole)
            throw_error(errc::bad_text, "network \"" + std::string(text) + "\"");
    }
    return {*address, length};
}

}  // namespace

host host::silent() {
    host h;
    h.echo = h.resets = h.unreachables = false;
    return h;
}

simulation::simulation(std::uint64_t seed)
    : seed_(seed),
      world_(std::make_unique<detail::world>(seed)),
      context_(std::make_unique<boost::asio::io_context>(1)) {
    world_->refuse = &refuse;
    boost::asio::use_service<detail::platform_service>(*context_).make =
        [w = world_.get()](boost::asio::any_io_executor executor) {
            return detail::make_simulated_platform(*w, std::move(executor));
        };
}

/// What waits for the clock may own coroutines, and these networks: they go while there is a context.
simulation::~simulation() {
    while (!sleepers_.empty()) std::exchange(sleepers_, {}).clear();  // what one owned may cancel another
    world_->clock.clear();
    context_.reset();
    world_->clock.clear();
}

boost::asio::any_io_executor simulation::get_executor() {
    return context_->get_executor();
}
virtual_clock& simulation::clock() noexcept {
    return world_->clock;
}
virtual_clock::time_point simulation::now() const noexcept {
    return world_->clock.now();
}

// --- time

void simulation::run_while(std::function<bool()> const& go_on, virtual_clock::time_point limit) {
    for (;;) {
        context_->restart();
        context_->poll();
        if (!go_on()) return;
        auto next = world_->clock.next();
        if (!next || *next > limit) {
            if (limit != virtual_clock::time_point::max()) world_->clock.wait_until(limit);
            return;
        }
        world_->clock.step();
    }
}

void simulation::run() {
    run_while([] { return true; }, virtual_clock::time_point::max());
}

void simulation::run_for(std::chrono::nanoseconds duration) {
    run_while([] { return true; }, later(now(), duration));
}

void simulation::run(std::function<boost::asio::awaitable<void>()> body) {
    struct ending {
        bool came = false;
        std::exception_ptr failure;
    };
    auto end = std::make_shared<ending>();  // which may come when this call has been left by an exception
    boost::asio::co_spawn(*context_, std::move(body),
                          [end](std::exception_ptr e) { *end = {true, std::move(e)}; });
    run_while([&] { return !end->came; }, virtual_clock::time_point::max());
    if (end->failure) std::rethrow_exception(end->failure);
    if (!end->came)
        throw std::runtime_error("simulation with seed " + std::to_string(seed_) +
                                 ": the coroutine waits for what never happens");
}

void simulation::run_in_real_time(std::function<bool()> done) {
    using clock = std::chrono::steady_clock;
    auto const apart = clock::now() - now();
    while (!done()) {
        world_->clock.wait_until(clock::now() - apart);
        context_->restart();
        context_->poll();
        auto next = world_->clock.next();
        if (done() || (!next && context_->stopped())) return;
        auto wait = next ? *next + apart : clock::now() + std::chrono::seconds(1);
        context_->restart();
        if (context_->run_one_until(wait) == 0 && next) {
            world_->clock.wait_until(clock::now() - apart);
            world_->clock.step();
        }
    }
}

std::uint64_t simulation::start_sleep(std::chrono::nanoseconds duration, sleeper wake) {
    auto id = ++sleeps_;
    auto event = world_->clock.at(later(now(), duration), [this, id] { end_sleep(id, {}); });
    sleepers_.emplace(id, std::pair(event, std::move(wake)));
    return id;
}

void simulation::end_sleep(std::uint64_t id, error_code ec) {
    auto found = sleepers_.extract(id);
    if (!found) return;
    world_->clock.cancel(found.mapped().first);
    boost::asio::post(*context_, [wake = std::move(found.mapped().second), ec]() mutable { wake(ec); });
}

// --- the world

site& simulation::add(std::string_view address, host h, path const& p) {
    auto network = read_network(address);
    return world_->add(network.address, network.length, std::move(h), p);
}

void simulation::add_name(std::string name, ip_address const& address) {
    world_->names.insert_or_assign((address.is_v6() ? "6" : "4") + std::move(name), address);
}

site& simulation::self() {
    return world_->self();
}

void simulation::add_lab() {
    host answers;
    answers.tcp = {22, 80, 443};
    answers.udp[7] = [](packet const& received) -> std::optional<packet> {
        auto view = received.view();
        for (std::size_t i = 0; i < view.layers.size(); ++i)
            if (layer_view v(view, i); v.description().name == "UDP") return packet(v.payload());
        return {};
    };
    add("198.18.0.0/15", answers);
    add("2001:db8::/32", answers);
    add("198.19.248.0/24", host::silent());
    add("2001:db8:dead::/48", host::silent());
}

namespace {

int index_of(detail::world const& w, std::string_view iface) {
    if (auto const* found = w.routes().interfaces().find(iface)) return found->index;
    throw_error(errc::no_such_interface, iface);
}

}  // namespace

void simulation::inject(packet const& frame, std::chrono::nanoseconds after, std::string_view iface) {
    world_->clock.at(now() + after, [w = world_.get(), to = index_of(*world_, iface), bytes = frame.build()] {
        w->inject(to, bytes);
    });
}

void simulation::set_up(std::string_view iface, bool up) {
    world_->links.set_up(index_of(*world_, iface), up);
    world_->renew_routes();
}

void simulation::remove_interface(std::string_view iface) {
    auto index = index_of(*world_, iface);
    world_->links.remove(index);
    world_->forget_interface(index);
}

// --- what happened

simulation_counts simulation::counts() const {
    return world_->counts();
}
void simulation::record(bool on) {
    world_->recording = on;
}
std::vector<captured_frame> const& simulation::trace() const {
    return world_->trace;
}
void simulation::write_trace(std::string const& path) const {
    capture_writer file(path);
    for (auto const& f : world_->trace) file.append(f.view());
    file.close();
}

}  // namespace sonde::inline v0
