#pragma once

#include <sonde/packet/address.hpp>
#include <sonde/probe/detail/address_key.hpp>
#include <sonde/probe/detail/recent_table.hpp>
#include <sonde/probe/pacer.hpp>
#include <sonde/probe/time.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <utility>

SONDE_NAMESPACE_BEGIN

/// What may go to the addresses that share a prefix. 0: no limit. A trivially destructible aggregate.
struct prefix_rate {
    double rate = 0;              ///< packets per second
    double bit_rate = 0;          ///< bits per second, of the frames on the wire
    std::uint8_t v4_length = 24;  ///< bits of the prefix; 32: each host by itself
    std::uint8_t v6_length = 48;  ///< the same of IPv6; 128: each host by itself

    /// False when prefixes are not limited.
    constexpr bool is_limit() const { return rate > 0 || bit_rate > 0; }
};

/// What a network may send, all operations together. 0: no limit. A trivially destructible aggregate.
struct rate_limits {
    double rate = 0;           ///< packets per second
    double bit_rate = 0;       ///< bits per second, of the frames on the wire
    prefix_rate per_prefix{};  ///< what may go to each prefix
};

/// Decides, without I/O, which packet of a network leaves next: the network's limits and those of each
/// destination prefix hold at once. A packet asks when it is made and its size is known; if it may not leave
/// now it waits in line, and `release` gives its ticket when its time has come.
///
/// Lines are first come, first served: one for the network, one for each prefix that somebody waits for. A
/// packet leaves its prefix's line for the network's when the prefix is ready, one of each prefix at a time,
/// so prefixes take turns, and what one prefix holds back stands in nobody's way.
///
/// Prefixes are remembered for as long as their limit says something about the next packet, 65,536 of them;
/// those that find no place share one limit, which makes them slower, never faster.
/// Memory: 152 bytes a prefix, 48 a waiting packet; the caller bounds what waits.
/// Errors: std::bad_alloc. Threads: one at a time. Cost: O(1), O(log lines) where a prefix has a line.
class rate_limiter {
public:
    /// Names a waiting packet.
    using ticket = std::uint64_t;
    /// What `ask` says of a packet.
    enum class hold : std::uint8_t {
        none,     ///< it leaves now, and has been counted
        network,  ///< it waits for its turn among all
        prefix,   ///< it waits for its prefix
    };
    static constexpr std::size_t default_capacity = 65536;  ///< prefixes

    /// `capacity`: how many prefixes are remembered at most.
    explicit rate_limiter(rate_limits const& limits = {}, std::size_t capacity = default_capacity);

    /// Whether there is any limit, or anything that still waits for one.
    bool active() const noexcept { return limited_ || waiting_ > 0; }

    /// A packet of `bits` to `destination` (nothing: limits of prefixes are not for it) would leave now. The
    /// caller chooses the ticket; it is not 0 and none that waits.
    hold ask(std::optional<ip_address> const& destination, std::uint64_t bits, ticket who, steady_time now);
    /// The next one that may leave now, counted as left; nothing when none may.
    std::optional<ticket> release(steady_time now);
    /// When to ask `release` again; nothing when nobody waits.
    std::optional<steady_time> wake_at() const noexcept;
    /// Those for whom gone(ticket) holds do not wait any more. O(waiting).
    template <class Gone>
    void withdraw(Gone&& gone);

    /// New limits of the network as a whole; who waits keeps its place.
    /// @{
    void set_rate(double rate) noexcept;
    void set_bit_rate(double bit_rate) noexcept;
    /// @}
    /// Prefixes begin anew; who waited for one keeps its place among those of that prefix.
    void set_prefix_rate(prefix_rate const& limit);
    /// The limits in force.
    rate_limits const& limits() const noexcept { return limits_; }

    /// Packets that wait, for the network or a prefix.
    std::size_t waiting() const noexcept { return waiting_; }
    /// Prefixes that are remembered now.
    std::size_t prefixes() const noexcept { return prefixes_.size(); }
    /// What the memory of prefixes took in and gave up, since `set_prefix_rate`.
    detail::recent_counters const& counters() const noexcept { return prefixes_.counters(); }

private:
    struct entry {
        ticket who;
        std::uint64_t bits;
        std::optional<ip_address> destination;
    };
    struct line {
        std::deque<entry> waiting;
        bool in_turn = false;     // one of its packets is in the network's line
        steady_time due = never;  // its place in due_, if it is there
    };
    using lines_map = boost::unordered_flat_map<ip_address, line, detail::address_hash>;

    using prefix_table = detail::recent_table<ip_address, pacer, detail::address_hash>;

    pacer& prefix_pacer(ip_address const& prefix, steady_time now);
    steady_time prefix_ready_at(ip_address const& prefix) const;
    std::optional<ip_address> prefix_of(std::optional<ip_address> const& destination) const;
    void leave(entry const& packet, std::optional<ip_address> const& prefix, steady_time now);
    void bring_in(steady_time now);
    void schedule(lines_map::iterator at);
    void unschedule(lines_map::iterator at);
    void count_limits() noexcept;

    rate_limits limits_;
    bool limited_ = false;
    pacer network_;
    prefix_table prefixes_;
    pacer crowded_;  // shared by prefixes for which there is no room
    std::deque<entry> turns_;
    lines_map lines_;
    std::set<std::pair<steady_time, ip_address>> due_;  // lines whose front may be brought in at that time
    std::size_t waiting_ = 0;
};

template <class Gone>
void rate_limiter::withdraw(Gone&& gone) {
    auto is_gone = [&](entry const& e) { return gone(e.who); };
    auto in_turn_gone = [&](entry const& e) {
        if (!is_gone(e)) return false;
        if (auto prefix = prefix_of(e.destination)) lines_.find(*prefix)->second.in_turn = false;
        return true;
    };
    waiting_ -= std::erase_if(turns_, in_turn_gone);
    for (auto at = lines_.begin(); at != lines_.end();) {
        waiting_ -= std::erase_if(at->second.waiting, is_gone);
        unschedule(at);
        if (at->second.waiting.empty() && !at->second.in_turn) {
            lines_.erase(at++);
        } else {
            schedule(at++);
        }
    }
}

SONDE_NAMESPACE_END
