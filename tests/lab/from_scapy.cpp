// The sessions of docs/guide/from-scapy.md, as they stand there. ctest runs this inside the lab.

#include "support/catch.hpp"
#include "support/own_path.hpp"
#include "support/run.hpp"

#include <sonde/sonde.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>
#include <string>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

namespace {

asio::awaitable<void> pause(std::chrono::nanoseconds how_long) {
    asio::steady_timer timer(co_await asio::this_coro::executor, how_long);
    co_await timer.async_wait(asio::use_awaitable);
}

/// A file of two frames.
std::string a_capture() {
    auto path = support::own_path("from-scapy.pcap").string();
    packet_list frames;
    frames.push_back(Ether{} / IP{.dst = "198.18.0.1"} / UDP{.dport = 9});
    frames.push_back(Ether{} / IP{.dst = "198.18.0.2"} / UDP{.dport = 9});
    write_pcap(path, frames);
    return path;
}

}  // namespace

TEST_CASE("Sending as Scapy sends: lists, counts, loops, frames, bytes, captures") {
    auto path = a_capture();
    support::run([&]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};

        auto two =
            co_await net.send(IP{.dst = {"198.18.0.1", "198.18.0.2"}} / TCP{.dport = 53, .flags = "S"});
        CHECK(two.sent == 2);

        auto ten = co_await net.send(IP{.dst = "198.18.0.1"} / TCP{.dport = 53, .flags = "S"}, {.count = 10});
        CHECK(ten.sent == 10);

        // Scapy: loop=1, until Ctrl-C. Here whatever ends first ends the other.
        auto loop = co_await (net.send(IP{.dst = "198.18.0.1"} / UDP{.dport = 9},
                                       {.inter = 20ms, .loop = true}, asio::use_awaitable) ||
                              pause(150ms));
        CHECK(loop.index() == 1);

        auto frames =
            co_await net.sendp(Ether{} / IP{.dst = "198.18.0.1", .ttl = range(1, 4)}, {.iface = "eth1"});
        CHECK(frames.sent == 4);

        auto bytes = co_await net.sendp(packet("I'm travelling on Ethernet"), {.count = 2, .inter = 1ms});
        CHECK(bytes.sent == 2);

        auto replayed = co_await net.sendp(read_pcap(path));
        CHECK(replayed.sent == 2);
    });
    std::remove(path.c_str());
}

TEST_CASE("Asking as Scapy asks: sr and its two lists, sr1, srloop") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};

        auto [ans, unans] = co_await net.sr(IP{.dst = "198.18.0.1"} / TCP{.dport = {21, 22, 23}}).collect();
        fmt::print("{}\n", ans.summary());
        CHECK(ans.size() == 3);
        CHECK(unans.empty());

        auto p = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{} / "XXXXXXXXXXX");
        REQUIRE(p);
        CHECK(p->received.get<ICMP>().type == 0);

        auto loop = net.srloop(IP{.dst = "198.18.0.1"} / ICMP{}, {.count = 3, .inter = 10ms});
        int rounds = 0;
        while (auto x = co_await loop.next()) {
            fmt::print("RECV 1: {}\n", x->received);
            ++rounds;
        }
        CHECK(rounds == 3);
    });
}
