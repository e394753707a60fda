#pragma once

#include <sonde/capture/capture_writer.hpp>
#include <sonde/link/captured_frame.hpp>
#include <sonde/sim/host.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

SONDE_NAMESPACE_BEGIN

namespace detail {
class SONDE_PRIVATE world;
}

/// What is behind an address or a network of the simulation.
class site {
public:
    /// What `simulation::add` makes: a host, the way to it, and a seed for each direction.
    site(virtual_clock& clock, host h, path const& p, std::uint64_t seed_there, std::uint64_t seed_back)
        : behaviour(std::move(h)),
          routers(p.routers),
          there(clock, p.there, seed_there),
          back(clock, p.back, seed_back) {}

    host behaviour;                   ///< what answers; may change while the simulation runs
    std::vector<ip_address> routers;  ///< as in `path`
    /// The wires to it and from it; their conditions may change while the simulation runs.
    /// @{
    wire there, back;
    /// @}

    std::uint64_t received = 0;  ///< IP packets that reached it intact
    std::uint64_t damaged = 0;   ///< frames whose checksums told that they were not
};

/// What became of all frames of a simulation. The sums that `holds` checks let nothing vanish.
struct simulation_counts {
    std::uint64_t sent = 0;      ///< frames that the machine's devices sent
    std::uint64_t nowhere = 0;   ///< of these, to addresses at which there is nothing
    std::uint64_t copies = 0;    ///< further receivers of those to groups
    std::uint64_t looped = 0;    ///< of these, to the machine itself, over lo
    std::uint64_t injected = 0;  ///< frames that came in by `inject`
    /// Over all sites but the machine itself.
    /// @{
    wire_counts there, back;
    /// @}
    std::uint64_t unseen = 0;       ///< came in when nobody captured
    std::uint64_t captured = 0;     ///< queued on devices; a frame counts for each device that shows it
    std::uint64_t queue_drops = 0;  ///< found a device's queue full
    std::uint64_t filtered = 0;     ///< did not pass a device's filter

    /// Whether all frames sent are accounted for.
    bool holds() const {
        return sent + copies == nowhere + looped + there.entered && there.holds() && back.holds();
    }
};

/// A network in memory with a clock of its own: a machine with interfaces, and hosts that answer it. A
/// `network` that is made on its executor stands on it, with all verbs unchanged, no privileges, no waiting,
/// and the same outcome each time for the same seed:
///
///     simulation sim{seed};
///     sim.add("198.18.0.0/16", {.tcp = {22, 80}}, path::both({.delay = 5ms, .loss = 0.1}));
///     sim.run([&]() -> asio::awaitable<void> {
///         network net{co_await asio::this_coro::executor};
///         auto x = co_await net.sr1(IP{.dst = "198.18.0.1"} / TCP{.dport = 80}, {.retry = 3});
///         ...
///     });
///
/// The machine is the lab's: lo, and eth1 with 198.51.100.1/24 and 2001:db8:ffff::1/64; all other networks
/// lie behind the router 198.51.100.2, 2001:db8:ffff::2. Nothing but the router is there until it is added.
///
/// `run` lets everything that is ready happen, then moves the clock to the next event: a frame's arrival, a
/// deadline, a `sleep`. Asio's own timers and sockets go by real time, and are not waited for.
///
/// Threads: one. Lifetimes: it outlives its networks; coroutines and operations that are under way when it is
/// destroyed are destroyed with it, uncalled.
class simulation {
public:
    /// As Asio wants it.
    using executor_type = boost::asio::any_io_executor;

    /// Whatever is left to chance follows from `seed`, in its networks too.
    explicit simulation(std::uint64_t seed = 1);
    ~simulation();
    simulation(simulation const&) = delete;
    simulation& operator=(simulation const&) = delete;

    /// What it was made with.
    std::uint64_t seed() const noexcept { return seed_; }

    /// What networks and coroutines are made on; `run` drives it.
    boost::asio::any_io_executor get_executor();
    /// Stands where Asio takes an execution context: `network net{sim}`, `co_spawn(sim, …)`.
    operator boost::asio::execution_context&() { return *context_; }
    /// The same, by its type. Leave running it to the simulation: the clock would stand still.
    boost::asio::io_context& context() { return *context_; }

    // Time

    /// The clock by which all of it goes: for events of one's own, and steps of the wall clock.
    virtual_clock& clock() noexcept;
    /// The time by the steady one of its clocks.
    virtual_clock::time_point now() const noexcept;

    /// Until nothing is left to happen.
    void run();
    /// For so long; what is due at the end has happened.
    void run_for(std::chrono::nanoseconds duration);
    /// Until the coroutine has ended; what it throws is thrown here. Throws std::runtime_error, naming the
    /// seed, when nothing is left to happen and it still waits.
    void run(std::function<boost::asio::awaitable<void>()> body);
    /// Until `done` says so, as fast as real time goes; waits for real events (signals) too.
    void run_in_real_time(std::function<bool()> done);

    /// Completes after so long by the simulation's clock. `void(error_code)`; cancellation: all types.
    template <boost::asio::completion_token_for<void(error_code)> Token = boost::asio::deferred_t>
    auto sleep(std::chrono::nanoseconds duration, Token&& token = Token{});

    // The world

    /// A host: "198.18.0.1"; or a network of hosts alike: "2001:db8::/32". The longest prefix counts. The
    /// site is there for good. Throws bad_text.
    site& add(std::string_view address, host h = {}, path const& p = {});
    /// What host names resolve to.
    void add_name(std::string name, ip_address const& address);
    /// Adds what `sonde lab` has: every address of 198.18.0.0/15 and 2001:db8::/32 with TCP 22, 80, 443 open
    /// and echo on UDP 7, but for the silent 198.19.248.0/24 and 2001:db8:dead::/48.
    void add_lab();
    /// The machine itself, on lo and its own addresses.
    site& self();

    /// A frame comes in on `iface`, from nowhere. Throws no_such_interface.
    void inject(packet const& frame, std::chrono::nanoseconds after = {}, std::string_view iface = "eth1");
    /// Sets an interface up or down. Throws no_such_interface.
    void set_up(std::string_view iface, bool up);
    /// Takes an interface away. Throws no_such_interface.
    void remove_interface(std::string_view iface);
    /// Asked for each frame before it leaves: an error is what the kernel says (ENOBUFS, EPERM …).
    std::function<error_code(std::span<std::byte const> bytes)> refuse;

    // What happened

    /// Counts so far.
    simulation_counts counts() const;
    /// Keeps every frame that leaves or comes in, with its time, from now on; nothing is kept before.
    void record(bool on = true);
    /// The frames that `record` has kept, in their order. Grows as the simulation runs.
    std::vector<captured_frame> const& trace() const;
    /// The trace as a capture file; see capture_writer.
    void write_trace(std::string const& path) const;

private:
    using sleeper = detail::unique_function<void(error_code)>;
    std::uint64_t start_sleep(std::chrono::nanoseconds duration, sleeper wake);
    void end_sleep(std::uint64_t id, error_code ec);
    void run_while(std::function<bool()> const& go_on, virtual_clock::time_point limit);

    std::uint64_t seed_;
    std::unique_ptr<detail::world> world_;
    std::map<std::uint64_t, std::pair<virtual_clock::event_id, sleeper>> sleepers_;
    std::uint64_t sleeps_ = 0;
    std::unique_ptr<boost::asio::io_context> context_;
};

template <boost::asio::completion_token_for<void(error_code)> Token>
auto simulation::sleep(std::chrono::nanoseconds duration, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code)>(
        [](auto handler, simulation* self, std::chrono::nanoseconds length) {
            namespace asio = boost::asio;
            auto slot = asio::get_associated_cancellation_slot(handler);
            auto executor = asio::get_associated_executor(handler, self->get_executor());
            auto id =
                self->start_sleep(length, [handler = std::move(handler),
                                           work = asio::make_work_guard(executor)](error_code ec) mutable {
                    asio::dispatch(work.get_executor(), asio::append(std::move(handler), ec));
                });
            if (slot.is_connected())
                slot.assign([self, id](asio::cancellation_type) {
                    self->end_sleep(id, asio::error::operation_aborted);
                });
        },
        token, this, duration);
}

SONDE_NAMESPACE_END
