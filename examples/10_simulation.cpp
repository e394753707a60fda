// Tests a service on a simulated network: no privileges, no waiting, the same outcome for the same seed. The
// service is written as for the real network, and does not know.
#include <sonde/sim/simulation.hpp>
#include <sonde/sonde.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

// The service: is the name server up, and how far away is it?
asio::awaitable<std::optional<std::chrono::nanoseconds>> name_server_health(std::string address) {
    network net{co_await asio::this_coro::executor};
    auto x =
        co_await net.sr1(IP{.dst = address} / UDP{.dport = 53} / DNS{.qd = DNSQR{.qname = "health.example"}},
                         {.timeout = 500ms, .retry = 3});
    if (!x || !x->received.has<DNS>()) co_return std::nullopt;
    co_return x->rtt();
}

int main() {
    int failures = 0;
    auto expect = [&](bool holds, char const* what) {
        fmt::print("{}: {}\n", holds ? "ok" : "FAILED", what);
        failures += !holds;
    };

    simulation sim(2026);  // the seed
    host server;
    server.zone.emplace("health.example.", DNSRR{.rrname = "health.example.", .rdata = "192.0.2.1"});
    auto& far = sim.add("198.18.0.53", server, path::both({.delay = 20ms, .loss = 0.2}));

    sim.run([&]() -> asio::awaitable<void> {
        auto rtt = co_await name_server_health("198.18.0.53");
        expect(rtt == 40ms, "a lossy link changes nothing but the number of attempts");
        far.behaviour.zone.clear();
        expect(!co_await name_server_health("198.18.0.53"), "a closed port is no name server");
        far.there.conditions.loss = 1;
        auto began = sim.now();
        expect(!co_await name_server_health("198.18.0.53"), "silence ends it");
        expect(sim.now() - began < 3s, "... within three seconds, which took none");
    });
    return failures;
}
