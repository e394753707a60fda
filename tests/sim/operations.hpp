#pragma once

#include "support/simulated.hpp"

#include <sonde/sonde.hpp>

#include <utility>

/// Every asynchronous operation of a network, for tests of what holds for all of them.
namespace operations {

using namespace sonde;
using namespace std::chrono_literals;

/// A network, and hosts of which one answers after 20 ms and one never.
struct bed {
    explicit bed(std::uint64_t seed = support::seed()) : sim(seed), net(sim) {
        sim.add("198.18.0.0/24", {.think = 20ms});
        sim.add("198.18.0.66", host::silent());
        scan.emplace(net.sr(answered(), {.timeout = 1s}));
        list.emplace(net.sr(answered(), {.timeout = 1s}));
        loop.emplace(net.srloop(answered(), {.count = 1, .inter = 1s}));
        capture.emplace(net.sniff({.iface = "eth1", .filter = "icmp"}));
        sim.inject(Ether{} / answered(), 30ms);
    }

    static packet answered() { return IP{.dst = "198.18.0.1"} / ICMP{}; }
    static packet frame() { return Ether{.dst = "02:00:c6:33:64:02"} / answered(); }

    simulation sim;
    network net;
    std::optional<exchange_stream> scan, list;
    std::optional<loop_stream> loop;
    std::optional<packet_stream> capture;
};

/// Calls `test(name, start)` for each operation; `start(bed, token)` begins it. Each of them takes some time.
template <class Test>
void for_each(Test test) {
    test("send", [](bed& b, auto&& token) {
        return b.net.send(bed::answered(), {.count = 3, .inter = 10ms}, std::forward<decltype(token)>(token));
    });
    test("sendp", [](bed& b, auto&& token) {
        return b.net.sendp(bed::frame(), {.count = 3, .inter = 10ms, .iface = "eth1"},
                           std::forward<decltype(token)>(token));
    });
    test("sr1", [](bed& b, auto&& token) {
        return b.net.sr1(bed::answered(), {.timeout = 1s}, std::forward<decltype(token)>(token));
    });
    test("srp1", [](bed& b, auto&& token) {
        return b.net.srp1(bed::frame(), {.timeout = 1s, .iface = "eth1"},
                          std::forward<decltype(token)>(token));
    });
    test("next of sr",
         [](bed& b, auto&& token) { return b.scan->next(std::forward<decltype(token)>(token)); });
    test("next of srloop",
         [](bed& b, auto&& token) { return b.loop->next(std::forward<decltype(token)>(token)); });
    test("next of sniff",
         [](bed& b, auto&& token) { return b.capture->next(std::forward<decltype(token)>(token)); });
    test("collect",
         [](bed& b, auto&& token) { return b.list->collect(std::forward<decltype(token)>(token)); });
}

/// Whether a result is what its operation gives when all goes well.
inline bool is_full(send_report const& r) {
    return r.sent == 3;
}
inline bool is_full(std::optional<exchange> const& x) {
    return x && x->answered();
}
inline bool is_full(std::optional<packet> const& p) {
    return p && p->has<ICMP>();
}
inline bool is_full(collected const& c) {
    return c.answered.size() == 1 && c.unanswered.empty();
}

/// How often a handler was called, and with what.
struct outcome {
    int calls = 0;
    error_code ec;
    bool full = false;
};

inline auto into(outcome& o) {
    return [&o](error_code ec, auto result) {
        ++o.calls;
        o.ec = ec;
        o.full = is_full(result);
    };
}

}  // namespace operations
