// docs/guide/kernel-rst.md, against a server of the lab's kernel.
#include "support/catch.hpp"
#include "support/run.hpp"

#include <sonde/sonde.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

/// What the server says to the end of a connection that we began by hand.
asio::awaitable<std::string> open_and_close(network& net) {
    auto server = IP{.dst = "198.18.0.1"};
    auto opened = co_await net.sr1(server / TCP{.dport = 80, .flags = "S"}, {.timeout = 5s});
    if (!opened) co_return "silence";
    auto const& syn = opened->sent.get<TCP>();
    auto const& syn_ack = opened->received.get<TCP>();
    TCP ours{.dport = 80, .sport = syn.sport, .flags = "A"};
    ours.seq = syn.seq.value() + 1;
    ours.ack = syn_ack.seq.value() + 1;
    co_await net.send(server / ours);
    ours.flags = "FA";
    auto closed = co_await net.sr1(server / ours, {.timeout = 5s});
    co_return closed ? fmt::format("{}", closed->received.get<TCP>().flags.value()) : "silence";
}

asio::awaitable<std::string> talk_on(network& net) {
    auto guard = net.guard_resets();  // from here on the kernel keeps quiet, until the guard's scope ends
    co_return co_await open_and_close(net);
}

}  // namespace

TEST_CASE("A connection that was opened by hand is reset by the kernel, but not while resets are held back") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto resets = net.sniff({.iface = "eth1", .filter = "tcp[tcpflags] & tcp-rst != 0", .timeout = 20s});
        {
            auto longer = net.guard_resets();  // the server may say its end after the other guard's
            auto end = co_await talk_on(net);
            CHECK((end == "A" || end == "FA"));  // the second, where the server closes no sooner than we do
            CHECK(!resets.try_next());
        }
        // The lab's listener keeps no state before the handshake is over, so it takes the ACK in spite of
        // that.
        co_await open_and_close(net);
        auto reset = co_await resets.next();
        REQUIRE(reset);
        CHECK(reset->get<TCP>().flags == "R");
        CHECK(reset->get<TCP>().dport == 80);
    });
}
