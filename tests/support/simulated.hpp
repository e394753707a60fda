#pragma once

#include "support/catch.hpp"

#include <sonde/net/network.hpp>
#include <sonde/sim/simulation.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdlib>
#include <functional>
#include <string>

namespace support {

/// The seed of a test's simulation: SONDE_SEED, where that is set, to see a failure again.
inline std::uint64_t seed() {
    char const* text = std::getenv("SONDE_SEED");
    return text ? std::stoull(text) : 1;
}

/// The accounting law: whatever was sent, and whatever came, is in exactly one count.
inline void accounting(sonde::simulation const& sim) {
    auto c = sim.counts();
    CHECK(c.there.holds());
    CHECK(c.back.holds());
    CHECK(c.sent + c.copies == c.nowhere + c.looped + c.there.entered);
}

/// The same of one verb's report. `probes`: the size of the set; 0: unknown. `ended`: it was neither
/// cancelled nor ended by its first answer.
inline void accounting(sonde::report const& r, std::uint64_t probes = 0) {
    CHECK(r.received == r.answered + r.duplicates + r.late + r.unrelated + r.malformed);
    CHECK(r.retries <= r.sent);
    if (probes == 0) return;
    CHECK(r.answered + r.remaining == probes);
    CHECK(r.sent - r.retries + r.send_errors >= probes);
}

/// What one device that captured all saw: nothing came in, and nowhere.
inline void accounting_of_one_device(sonde::simulation const& sim) {
    auto c = sim.counts();
    CHECK(c.back.delivered + c.injected == c.unseen + c.captured + c.queue_drops + c.filtered);
}

/// Runs a coroutine on a simulation of its own, to the end of all that it began; then the accounting. A
/// failure names the seed.
inline void simulate(std::function<boost::asio::awaitable<void>(sonde::simulation&)> body,
                     std::uint64_t with = seed()) {
    INFO("simulation with seed " << with << "; SONDE_SEED=" << with << " repeats it");
    sonde::simulation sim(with);
    sim.run([&] { return body(sim); });
    sim.run();
    accounting(sim);
}

}  // namespace support
