#pragma once

#include <sonde/detail/function.hpp>
#include <sonde/link/frame.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

SONDE_NAMESPACE_BEGIN

/// Time that moves when it is told to: a queue of events, and two clocks that show the time of the latest.
/// The wall clock, which stamps frames, may be stepped without the steady one.
///
/// Events of one time run in the order in which they were made.
/// Threads: one at a time. Cost: O(log events) each, O(1) where events are made in the order of their times.
class virtual_clock {
public:
    using time_point = std::chrono::steady_clock::time_point;  ///< of the steady clock
    using event = detail::unique_function<void()>;             ///< what is to happen
    /// Names an event; the default one names none.
    struct event_id {
        time_point when{};         ///< when it runs
        std::uint64_t serial = 0;  ///< events are numbered from 1, in the order in which they were made
        /// In the order in which they run.
        friend auto operator<=>(event_id const&, event_id const&) = default;
    };

    virtual_clock() = default;
    virtual_clock(virtual_clock const&) = delete;
    virtual_clock& operator=(virtual_clock const&) = delete;

    /// The steady clock, which begins at one hour (of uptime).
    time_point now() const noexcept { return now_; }
    /// The wall clock, which begins at 2026-01-01 00:00:00 UTC.
    timestamp wall_time() const noexcept { return timestamp(now_.time_since_epoch()) + wall_offset_; }
    /// What an administrator or NTP does: the wall clock jumps, the steady one does not.
    void step_wall_time(std::chrono::nanoseconds by) noexcept { wall_offset_ += by; }

    /// `what` runs at `when`; at the present time if that has passed.
    event_id at(time_point when, event what);
    /// False when it has run, or was cancelled.
    bool cancel(event_id const& id);

    /// When the next event is due; nothing when there is none.
    std::optional<time_point> next() const;
    /// Moves on to the next event's time and runs what is due then. False when there is none.
    bool step();
    /// Moves on without an event, to no later than the next one.
    void wait_until(time_point when) noexcept;

    /// Events that have yet to run.
    std::size_t pending() const noexcept { return events_.size(); }
    /// Forgets all events, unrun.
    void clear();

private:
    std::map<event_id, event> events_;
    std::uint64_t serial_ = 0;
    time_point now_{std::chrono::hours(1)};  // of uptime
    // 2026-01-01 00:00:00 UTC at the start.
    std::chrono::nanoseconds wall_offset_ = std::chrono::seconds(1767225600) - std::chrono::hours(1);
};

SONDE_NAMESPACE_END
