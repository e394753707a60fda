#pragma once

#include <sonde/error.hpp>
#include <sonde/packet/match_key.hpp>
#include <sonde/probe/detail/attempt_slab.hpp>
#include <sonde/probe/detail/deadline_queues.hpp>
#include <sonde/probe/detail/key_index.hpp>
#include <sonde/probe/time.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// How much a table may hold.
struct table_limits {
    std::uint32_t probes = 1u << 20;  ///< attempts in flight, of all owners together; at most 3,000,000
    std::uint32_t rests = 1u << 17;  ///< keys at rest; at most 1,000,000; 0: each late answer is a stranger's
};

/// An attempt, as the table knows it: a copy, good for as long as you like, but for `slot`, which is good
/// until the table is next changed.
struct attempt_info {
    std::uintptr_t user = 0;    ///< what its owner gave to `open`; 0 once the owner has closed
    std::uint64_t index = 0;    ///< of the probe, in its set
    std::uint16_t attempt = 0;  ///< 1 for the first
    attempt_state state = attempt_state::none;  ///< how it stands for its owner
    std::uint32_t draw = 0;                     ///< of its identity; see `identity_source`
    timestamp sent{};                           ///< when it left
    std::uint32_t slot = detail::no_slot;       ///< where it is in the table; none once it has expired
};

/// Every attempt in flight on a network, by key and by deadline, shared by all operations.
///
/// An operation opens an owner; its attempts are inserted as they leave, found by the key of what comes in,
/// and given back by `expire` when their deadline passes. An attempt that is finished does not leave at once:
/// its key *rests* for a while, so that duplicates and late answers are told from strangers. Rests cost
/// memory only: they are not due, need no timer, and the one nearest its end makes room when there are too
/// many.
///
/// Equal keys are allowed (a user may fix every field of two probes): an answer finds the oldest in flight
/// first. At rest the newest of equal keys takes the place of the others.
///
/// Time and keys are arguments; `now` should not run backwards. Keys must come from `key_mixer`: the table
/// trusts them to be spread evenly, and keeps 96 of their 128 bits.
/// Memory: 56 bytes an attempt and 5.3 to 7.5 for its place in the index (so below 64), in flight or at rest;
/// what a peak took is given back when the table has emptied.
/// Errors: std::bad_alloc, then nothing has changed; std::length_error from keys that are anything but spread
/// evenly.
/// Threads: one at a time.
/// Lifetimes: owners must be closed or cancelled before the table goes.
/// Cost: O(1) for each attempt, O(log k) with k different timeouts in use. Growing stops it for 20 ns an
/// attempt; `reserve` does that beforehand.
class probe_table {
public:
    /// Names an owner, from `open` until `close` or `cancel`; then perhaps another one.
    enum class owner_id : std::uint32_t {};

    /// Limits above the greatest are cut to them. Memory is taken as attempts come.
    explicit probe_table(table_limits limits = {});
    probe_table(probe_table const&) = delete;
    probe_table& operator=(probe_table const&) = delete;

    // Owners

    /// A new owner, whose attempts time out after `timeout` (`no_timeout`: never) and then rest for `rest`.
    /// `user` is handed back with each of its attempts, and must not be 0.
    owner_id open(std::uintptr_t user, steady_duration timeout, steady_duration rest);

    /// Nothing of this owner is due any more. What it has in flight rests, as if it had timed out just now
    /// (or been answered, if it was). It is still found; the owner must still be closed.
    void abandon(owner_id owner) noexcept;
    /// The owner is gone: like `abandon`, and `user` is 0 for whatever rests.
    void close(owner_id owner) noexcept;
    /// The owner is gone, and every slot of it, in flight or at rest, cannot be found and counts no more.
    /// Cost: O(1), and now and then O(slots) in which at least half of the slots are freed.
    void cancel(owner_id owner) noexcept;

    // In flight

    /// Sets a place aside for an attempt that is about to leave; errc::table_full when none is left, then
    /// wait until one is settled, expired or withdrawn.
    error_code admit() noexcept;
    /// Whether `admit` would set a place aside.
    bool has_room() const noexcept { return in_flight_ + admitted_ < limits_.probes; }
    /// Gives `places` back that were set aside and not used.
    void withdraw(std::uint32_t places) noexcept { admitted_ -= places; }

    /// An attempt left at `now`; it takes a place that was set aside. `index` is below 2^48. Returns its
    /// slot. `timeout`: its own, instead of its owner's; it is rounded up (see `rounded_up`), so that
    /// deadlines stay in few queues.
    std::uint32_t insert(owner_id owner, match_key const& key, std::uint64_t index, std::uint16_t attempt,
                         std::uint32_t draw, steady_time now, timestamp sent,
                         std::optional<steady_duration> timeout = {});

    /// An attempt in flight has its first answer, and waits for more until its deadline.
    void collect(std::uint32_t slot) noexcept { slots_[slot].set_state(attempt_state::collecting); }
    /// An attempt in flight is finished, and its key rests; `outcome` is answered or timed_out.
    void settle(std::uint32_t slot, attempt_state outcome, steady_time now) noexcept;
    /// A late answer to an attempt at rest was taken: whatever else comes for it is a duplicate.
    void mark_answered(std::uint32_t slot) noexcept { slots_[slot].set_state(attempt_state::answered); }

    // Matching

    /// The attempt with this key that `accepts(attempt_info const&)`: those in flight are offered first, the
    /// oldest first, then those at rest. What is found stays as it is. After 64 refusals it gives up.
    template <class Accepts>
    std::optional<attempt_info> find(match_key const& key, Accepts&& accepts) const;
    /// The first of these, whatever it is.
    std::optional<attempt_info> find(match_key const& key) const {
        return find(key, [](attempt_info const&) { return true; });
    }
    /// A hint that this key will be inserted or looked up soon. Where packets leave or arrive in batches,
    /// making all their keys first and then going through them hides most of the cost of a large table.
    void prefetch(match_key const& key) const noexcept;
    /// The second step, when what `prefetch` asked for has come: where the attempt itself lies.
    void prefetch_found(match_key const& key) const noexcept;
    /// The attempt in a slot that is in use, as `insert` and `find` told it.
    attempt_info info(std::uint32_t slot) const;
    /// An attempt at rest without answer that has the key of this one and is of the same probe: where the
    /// user fixed every identity there may be one, and an answer does not tell which attempt it answers.
    std::optional<attempt_info> twin(std::uint32_t slot) const;

    // Time

    /// When the next attempt in flight times out; nothing when none will.
    std::optional<steady_time> next_deadline() noexcept;
    /// One attempt whose deadline has passed, the earliest first, or nothing when no more has. It rests from
    /// now on; `state` is timed_out, or answered if it was collecting; it has no `slot`. Read what has
    /// arrived before you expire: an answer that waits in a socket came in time. Hand it to its owner before
    /// the table is next changed.
    std::optional<attempt_info> expire(steady_time now) noexcept;
    /// Frees the rests that have ended by `now`, at most `limit` of them; inserting and expiring do so as
    /// they go.
    void forget(steady_time now, std::uint32_t limit = 0xffffffff) noexcept;
    /// Frees everything that is not in flight, ended or not, and its memory: for a network that falls idle,
    /// since rests have no timer of their own. O(slots).
    void forget_all() noexcept;

    // Numbers

    /// Attempts that wait for an answer or their deadline: of all owners, or of this one.
    /// @{
    std::uint32_t in_flight() const noexcept { return in_flight_; }
    std::uint32_t in_flight(owner_id owner) const noexcept { return of(owner).in_flight; }
    /// @}
    /// Attempts that are finished, and can still be found.
    std::uint32_t at_rest() const noexcept { return resting_; }
    /// Places set aside and not yet used.
    std::uint32_t admitted() const noexcept { return admitted_; }
    /// True when nothing is in flight or at rest.
    bool empty() const noexcept { return in_flight_ == 0 && resting_ == 0; }
    /// Memory that it has taken for attempts, their index, queues and owners.
    std::size_t bytes() const noexcept;
    /// Makes the index large enough for so many attempts, in flight and at rest.
    void reserve(std::uint32_t attempts);

private:
    enum class owner_state : std::uint8_t { free, open, abandoned, cancelled };

    struct owner_record {
        std::uintptr_t user = 0;
        std::uint32_t timeout_queue = 0, rest_queue = 0;
        std::uint32_t in_flight = 0;  // slots in timeout_queue
        std::uint32_t resting = 0;    // slots in rest_queue
        owner_state state = owner_state::free;
        bool closed = false;
    };

    owner_record& of(owner_id owner) noexcept { return owners_[static_cast<std::uint32_t>(owner)]; }
    owner_record const& of(owner_id owner) const noexcept {
        return owners_[static_cast<std::uint32_t>(owner)];
    }

    bool visible(detail::attempt_slot const& slot) const {
        return owners_[slot.owner].state != owner_state::cancelled;
    }
    bool due(detail::attempt_slot const& slot) const {
        return slot.due() && owners_[slot.owner].state == owner_state::open;
    }
    std::uint32_t ring_of(match_key const& key) const;
    std::uint32_t oldest_of(std::uint32_t slot) const;

    detail::deadline_queues::queue_id queue_for(steady_duration timeout);
    void link_key(std::uint32_t slot);
    void unlink_key(std::uint32_t slot) noexcept;
    void drop_older_rest(std::uint32_t slot) noexcept;
    void rebuild_index(std::size_t entries);

    std::uint32_t& total(detail::attempt_slot const& slot) noexcept;
    void rest(std::uint32_t slot, steady_time now) noexcept;
    void drop(std::uint32_t slot) noexcept;
    void retire(std::uint32_t owner) noexcept;
    std::uint32_t first_due() noexcept;
    void trim_rests() noexcept;
    template <class Which>
    void drop_each(Which which) noexcept;

    table_limits limits_;
    detail::attempt_slab slots_;
    detail::key_index index_;
    detail::deadline_queues timeouts_{slots_}, rests_{slots_};
    // Of timeouts that attempts chose themselves, a few hundred at most (of the rtt table): these queues
    // stay.
    boost::unordered_flat_map<std::int64_t, detail::deadline_queues::queue_id> own_timeouts_;
    std::vector<owner_record> owners_;
    std::vector<std::uint32_t> free_owners_;
    std::uint32_t admitted_ = 0;
    // Slots by how their owners see them: in_flight_ of open owners; resting_ also in flight of abandoned
    // ones; dead_ of cancelled ones, which are freed when their turn comes, or all at once when they are the
    // majority.
    std::uint32_t in_flight_ = 0, resting_ = 0, dead_ = 0;
    steady_time now_ = steady_time::min();
};

template <class Accepts>
std::optional<attempt_info> probe_table::find(match_key const& key, Accepts&& accepts) const {
    auto newest = ring_of(key);
    if (newest == detail::no_slot) return {};
    auto oldest = slots_[newest].same();
    int refusals = 0;
    for (bool wanted : {true, false}) {
        auto s = oldest;
        do {
            auto const& slot = slots_[s];
            if (due(slot) == wanted && visible(slot)) {
                if (auto candidate = info(s); accepts(std::as_const(candidate))) return candidate;
                if (++refusals == 64) return {};
            }
            s = slot.same();
        } while (s != oldest);
    }
    return {};
}

SONDE_NAMESPACE_END
