#pragma once

#include <sonde/packet/match_key.hpp>
#include <sonde/probe/probe_run.hpp>
#include <sonde/probe/probe_table.hpp>

#include <functional>
#include <map>
#include <optional>
#include <vector>

/// A network in virtual time with one run on it: sends what the run gives, brings replies after their delay,
/// and moves the clock from event to event. Nothing here waits.
namespace virtual_net {

using namespace std::chrono_literals;
using sonde::steady_duration;
using sonde::steady_time;

inline constexpr sonde::secret_key secret{0x0706050403020100, 0x0f0e0d0c0b0a0908};

/// The wall clock runs beside the monotonic one, an arbitrary while ahead.
inline sonde::timestamp stamp(steady_time t) {
    return sonde::timestamp(
        std::chrono::nanoseconds(1'700'000'000'000'000'000 + t.time_since_epoch().count()));
}

inline sonde::match_key key_of(std::uint64_t run, std::uint64_t index, std::uint64_t attempt) {
    return sonde::key_mixer(secret).add(run).add(index).add(attempt).finish();
}

struct answer {
    sonde::verdict verdict;
    steady_time at;
    std::chrono::nanoseconds rtt() const { return stamp(at) - verdict.sent; }
};

class net {
public:
    /// The delays after which replies come to this departure; none: silence.
    using responder = std::function<std::vector<steady_duration>(sonde::departure const&)>;

    explicit net(responder r, bool fixed_identity = false) : respond_(std::move(r)), fixed_(fixed_identity) {}

    /// Drives the run until it is finished, or until nothing more would happen.
    void drive(sonde::probe_run& run) {
        while (!run.finished() && step(run)) {
        }
    }

    /// One turn: departures, then on to the next event. False when there is none.
    bool step(sonde::probe_run& run) {
        while (auto d = run.next(now)) send(run, *d);
        auto next = sonde::never;
        if (auto t = run.wake_at()) next = std::min(next, std::max(*t, now));
        if (auto t = table.next_deadline()) next = std::min(next, std::max(*t, now));
        if (!replies.empty()) next = std::min(next, replies.begin()->first);
        if (next == sonde::never) return false;
        now = next;
        deliver(run);
        while (auto attempt = table.expire(now)) run.expired(*attempt, now);
        return true;
    }

    void send(sonde::probe_run& run, sonde::departure const& d) {
        departures.push_back({d, now});
        auto key = key_of(1, d.index, fixed_ ? 0 : d.attempt);
        run.departed(d, key, now, stamp(now), static_cast<std::uint32_t>(departures.size()));
        for (auto delay : respond_(d)) replies.emplace(now + delay, key);
    }

    // Everything that has arrived is read before anything expires.
    void deliver(sonde::probe_run& run) {
        while (!replies.empty() && replies.begin()->first <= now) {
            auto key = replies.begin()->second;
            replies.erase(replies.begin());
            auto found = table.find(key);
            if (!found) {
                run.count_unrelated();
                continue;
            }
            auto verdict = run.replied(*found, now);
            if (verdict.what == sonde::verdict::kind::answered) answers.push_back({verdict, now});
        }
    }

    struct departed {
        sonde::departure what;
        steady_time at;
    };

    sonde::probe_table table;
    steady_time now{};
    std::multimap<steady_time, sonde::match_key> replies;
    std::vector<departed> departures;
    std::vector<answer> answers;

private:
    responder respond_;
    bool fixed_;
};

inline std::vector<steady_duration> silence(sonde::departure const&) {
    return {};
}

}  // namespace virtual_net
