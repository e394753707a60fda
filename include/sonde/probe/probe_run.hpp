#pragma once

#include <sonde/error.hpp>
#include <sonde/packet/address.hpp>
#include <sonde/packet/match_key.hpp>
#include <sonde/probe/adaptive.hpp>
#include <sonde/probe/detail/progress.hpp>
#include <sonde/probe/index_set.hpp>
#include <sonde/probe/pacer.hpp>
#include <sonde/probe/probe_table.hpp>
#include <sonde/probe/rate_control.hpp>
#include <sonde/probe/report.hpp>
#include <sonde/probe/rtt.hpp>
#include <sonde/probe/time.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// How a run sends and waits. A trivially destructible aggregate.
struct run_options {
    /// How long each attempt waits, from the moment that it left. Negative or `no_timeout`: for ever.
    /// `adaptive`: as the run's rtt_table says, rounded up by less than an eighth.
    timeout_option timeout = std::chrono::seconds(2);
    /// n >= 0: a probe unanswered at its deadline is sent again at once, up to n more times. n < 0, Scapy's
    /// policy: when every probe of a round is answered or timed out, all unanswered ones are sent again in a
    /// new round, until |n| such rounds in a row have brought no new answer.
    int retry = 0;
    steady_duration inter{};  ///< least gap between two packets; see `pacer`
    rate_option rate = 0;  ///< packets per second; 0: as fast as they are taken; `adaptive`: see rate_control
    bool multi = false;    ///< every answer until a probe's last deadline counts, and the run ends with these
    bool first = false;    ///< the run ends with its first answer
    /// Attempts in flight at most. At the window the next one waits for an answer or a deadline.
    std::uint32_t window = 65536;
    /// Whether `unanswered()` remembers which probes were not answered: one bit each, 18 MB at most.
    bool keep_unanswered = true;
    /// How long a finished attempt's key rests. Negative: as long as its timeout, but 2 s at least and 60 s
    /// at most; 10 s with an adaptive one.
    steady_duration rest = std::chrono::seconds(-1);
    double bit_rate = 0;     ///< bits per second of what `charge` is told; 0: no limit
    bool follow = false;     ///< whether `cursor` is known, at a bit for each open probe
    bool tell_ends = false;  ///< whether `take_ends` tells of probes that end without an answer
};

/// A packet that is to leave now: the number of its probe in the set, and which attempt at it this is (1: the
/// first).
struct departure {
    std::uint64_t index = 0;    ///< of the probe, from 0
    std::uint16_t attempt = 1;  ///< at it, from 1

    /// Member by member.
    friend constexpr bool operator==(departure const&, departure const&) = default;
};

/// A probe that ended without an answer.
struct probe_end {
    /// How it can have ended.
    enum class kind : std::uint8_t {
        timed_out,
        send_failed,  ///< it could not leave: see `error`
        cancelled,    ///< it was open when its run was stopped
    };
    kind what = kind::timed_out;  ///< how it ended
    std::uint16_t attempt = 0;    ///< the last that was made; 0: not known
    std::uint64_t index = 0;      ///< of the probe, in its set
    std::uint32_t draw = 0;       ///< of that attempt's identity
    timestamp sent{};             ///< when that attempt left; zero: it did not, or that is not known
    error_code error{};           ///< why it could not leave
};

/// What an answer means to its run.
struct verdict {
    /// What it can mean.
    enum class kind : std::uint8_t {
        answered,   ///< hand it to the user
        duplicate,  ///< its probe has had its answer
        late,       ///< its probe had timed out for good
    };
    kind what = kind::late;  ///< what it means
    /// More than one attempt at this probe went out with this key (the user had fixed its identity), so the
    /// answer may be to a later one than it says: `sent` is then the earliest possible, the round-trip time
    /// an upper bound.
    bool ambiguous = false;
    std::uint16_t attempt = 0;  ///< the attempt that was answered, which need not be the last that was sent
    std::uint64_t index = 0;    ///< of the probe, in its set
    std::uint32_t draw = 0;     ///< of that attempt's identity
    timestamp sent{};  ///< when that attempt left: the round-trip time is the answer's stamp less this
};

/// What a sample of the round-trip time is made of: when an answer came, by the clock that stamps packets,
/// and where its probe went.
struct arrival {
    timestamp at{};                           ///< the answer's stamp
    std::optional<ip_address> destination{};  ///< nothing: the sample is one of the network as a whole only
};

/// A probe that could not leave.
struct send_failure {
    departure probe;   ///< the attempt
    error_code error;  ///< why it could not
};

/// What an answer means whose owner has closed: a late one or a duplicate, for the network to count.
constexpr verdict::kind stray_kind(attempt_info const& found) noexcept {
    return found.state == attempt_state::answered ? verdict::kind::duplicate : verdict::kind::late;
}

/// Decides one `sr`, or one round of `srloop`: what leaves when, what an answer means, what is sent again,
/// when it is over. It does no I/O and reads no clock; whoever drives it
///   1. asks `next(now)` until it gives nothing, sends what it gives, and tells of each `departed` or
///      `send_failed`,
///   2. looks up what comes in (`probe_table::find`) and hands what is found to `replied`,
///   3. hands what `probe_table::expire` gives for this run to `expired`,
///   4. comes back to 1 after 2 and 3, after `resume`, and at `wake_at()`, until `finished()`.
///
/// Probes are numbers 0, 1, 2, ... of a set whose size may be unknown until `source_ended` (numbers stay
/// below 2^48). Retries leave before new probes: what is in flight is finished first, so a run needs memory
/// for its window, not for all that was ever silent. Each attempt is an attempt_slot in the table; a probe
/// that is being retried costs about 48 bytes more, for as long as it is open.
///
/// Memory: about 500 bytes, 180 more with limits, 180 with retries, and what `unanswered` and `failures` say.
/// Errors: none of its own; std::bad_alloc passes through and leaves a run that can be cancelled.
/// Threads: that of its table.
/// Lifetimes: its tables must outlive it.
/// Cost: O(1) for each call, but for the end of a round (retry < 0), which is O(unanswered).
class probe_run {
public:
    /// `user` is what the table hands back with this run's attempts; not 0. `count`: the size of the set, if
    /// known. `rtts`: what adaptive timeouts come from; without it they are the initial one, and back-off.
    probe_run(probe_table& table, std::uintptr_t user, run_options const& options,
              std::optional<std::uint64_t> count = {}, rtt_table* rtts = nullptr);
    /// Cancels a run that is not finished. A finished one leaves its keys at rest.
    ~probe_run();
    probe_run(probe_run const&) = delete;
    probe_run& operator=(probe_run const&) = delete;

    // Sending

    /// What may leave now, or nothing: see `held()`. Each departure must be followed by departed(),
    /// send_failed(), or source_ended() with a count that it is beyond; until then it takes a place in the
    /// window and in the table.
    std::optional<departure> next(steady_time now);
    /// It is so large: its bits count against the bit rate, from the next departure on.
    void charge(std::uint64_t bits) noexcept {
        if (pacing_) pacing_->pace.charge(bits);
    }
    /// It left at `now`, and at `sent` by the clock that stamps answers. `draw` is kept for the verdict;
    /// `destination` tells how long an adaptive timeout is.
    void departed(departure const& probe, match_key const& key, steady_time now, timestamp sent,
                  std::uint32_t draw = 0, std::optional<ip_address> const& destination = {});
    /// It could not leave. That ends this probe, not the run.
    void send_failed(departure const& probe, error_code error);
    /// The set turned out to have `count` probes; departures beyond are taken back.
    void source_ended(std::uint64_t count);

    /// Limits from the next departure on; as in run_options.
    /// @{
    void set_rate(rate_option rate);
    void set_bit_rate(double bit_rate) { limits().pace.set_bit_rate(bit_rate); }
    /// @}
    /// Packets per second that may leave now; 0: no limit.
    double rate() const noexcept {
        return pacing_ && pacing_->control ? pacing_->control->rate() : double{options_.rate};
    }
    /// The host sends or receives more than it can: an adaptive rate falls.
    void congested() noexcept;

    /// Back-pressure: while paused nothing leaves, retries neither; deadlines go on.
    void pause() noexcept { paused_ = true; }
    /// Ends the pause. Ask `next` again.
    void resume() noexcept { paused_ = false; }

    /// Why `next` gives nothing.
    enum class hold : std::uint8_t {
        none,     ///< it would, but for the pace: come back at wake_at()
        paused,   ///< until resume()
        window,   ///< until an answer or a deadline of this run
        table,    ///< until any attempt in the table ends: other runs hold it full
        answers,  ///< nothing to send until an answer, a deadline or source_ended()
        over,     ///< finished
    };
    /// What holds the next departure back, but for the pace: see `wake_at`.
    hold held() const noexcept;
    /// When to ask `next` again, in the past if at once; nothing when the time alone changes nothing.
    /// Deadlines are the table's: see probe_table::next_deadline.
    std::optional<steady_time> wake_at() const noexcept;

    // Receiving

    /// A packet came that answers this attempt (found by key, compared field by field). With `came` it is
    /// also a sample of the round-trip time, if it tells without doubt which attempt it answers (Karn).
    verdict replied(attempt_info const& found, steady_time now, std::optional<arrival> const& came = {});
    /// The table gave this attempt as expired.
    void expired(attempt_info const& attempt, steady_time now);

    // Ending

    /// True when every probe has ended, the first answer has come to a `first` run, or it was stopped or
    /// cancelled.
    bool finished() const noexcept { return finished_; }
    /// Ends the run: nothing leaves any more, and what is open ends as cancelled. Answers that come later are
    /// late or duplicates, as after any end. With `follow` those that were open are among the unanswered.
    void stop();
    /// Ends the run at once: nothing leaves and nothing is due any more, its slots are gone from the table,
    /// its keys do not rest. Departures that were handed out may still be told of; they count as sent, and
    /// wait for nothing.
    void cancel() noexcept;

    // Results

    /// All probes before this one have ended: answered, timed out, or unable to leave. A run of the same set
    /// that begins there misses none; it repeats those beyond that had ended. With `follow`.
    std::uint64_t cursor() const noexcept { return progress_ ? progress_->first_open() : 0; }
    /// The probes that ended without an answer since the last call, in that order. With `tell_ends`.
    std::vector<probe_end> take_ends() noexcept { return std::exchange(ends_, {}); }

    /// Probes that timed out or could not leave, in the order of their numbers; empty without
    /// `keep_unanswered`, and cut off where `index_set` is at its limit.
    index_set const& unanswered() const noexcept { return unanswered_; }
    /// The first 4096 probes that could not leave; `report().send_errors` counts all.
    std::vector<send_failure> const& failures() const noexcept { return failures_; }

    /// Packets so far: of what comes in only what it was told of, by `replied` and the calls below.
    sonde::report report() const noexcept;
    /// Probes so far; the accounting law always holds.
    accounting accounts() const noexcept;
    /// Counts what only the network can see, while this run is under way.
    /// @{
    void count_unrelated() noexcept { ++report_.received, ++report_.unrelated; }
    void count_malformed() noexcept { ++report_.received, ++report_.malformed; }
    void count_kernel_drops(std::uint64_t n) noexcept { report_.kernel_drops += n; }
    /// @}

private:
    /// A probe whose first attempt has timed out, until it is answered or given up.
    struct retried {
        enum class phase : std::uint8_t { waiting, leaving, in_flight };
        std::uint32_t slot;     // while in flight
        std::uint32_t draw;     // of the last attempt that timed out
        std::uint16_t attempt;  // the last that left
        phase now;
        bool answered;           // with multi, while its last attempt still waits for more
        timestamp silent_since;  // when the last attempt that timed out left
    };
    struct pacing {
        pacer pace;
        std::optional<rate_control> control{};  // of an adaptive rate
    };
    struct retrying {
        boost::unordered_flat_map<std::uint64_t, retried> probes{};
        std::vector<std::uint64_t> due{};  // probes to be sent again, from due_next on
        std::size_t due_next = 0;
        std::vector<std::uint64_t> next_round{};
        index_set
            settled{};  // retried probes that were answered: more for their other attempts is a duplicate
    };

    bool has_next() const noexcept;
    bool has_due() const noexcept { return retrying_ && retrying_->due_next < retrying_->due.size(); }
    retried* find_retried(std::uint64_t index) const noexcept;
    void forget_retried(std::uint64_t index) noexcept;
    bool waiting(std::uint64_t index) const;
    bool may_retry(std::uint16_t attempt) const noexcept;
    std::optional<steady_duration> timeout_of(std::uint16_t attempt,
                                              std::optional<ip_address> const& destination) const;
    void measure(attempt_info const& found, verdict const& result, arrival const& came, steady_time now);
    pacing& limits();
    steady_time pace() const noexcept { return pacing_ ? pacing_->pace.ready_at() : steady_time::min(); }
    rate_control* control() noexcept { return pacing_ && pacing_->control ? &*pacing_->control : nullptr; }
    void follow_control() noexcept { pacing_->pace.set_rate(rate()); }
    verdict answer(attempt_info found, steady_time now);
    verdict answer_at_rest(attempt_info const& found, steady_time now);
    void first_answer(std::uint64_t index);
    void ended(probe_end const& how);
    void finish_retried(std::uint64_t index, retried& probe, steady_time now);
    void wait_for_retry(attempt_info const& attempt);
    void give_up(probe_end const& how);
    void skip_answered() noexcept;
    void end_if_done();
    bool begin_round();
    void finish() noexcept;

    probe_table& table_;
    run_options options_;
    probe_table::owner_id owner_;
    std::unique_ptr<pacing> pacing_;  // of a run with limits
    rtt_table* rtts_;
    std::optional<std::uint64_t> count_;
    std::uint64_t next_index_ = 0;
    std::uint32_t leaving_ = 0;  // departures not yet told of

    std::unique_ptr<retrying> retrying_;  // of a run that has sent a probe again, or is to
    std::uint32_t idle_rounds_ = 0;
    bool first_round_ = true, round_answered_ = false;

    bool paused_ = false, finished_ = false, cancelled_ = false;
    accounting accounts_;
    sonde::report report_;
    std::optional<steady_time> began_;
    steady_time latest_ = steady_time::min();
    index_set unanswered_;
    std::vector<send_failure> failures_;
    std::unique_ptr<detail::progress> progress_;  // with `follow`
    std::vector<probe_end> ends_;                 // with `tell_ends`
};

SONDE_NAMESPACE_END
