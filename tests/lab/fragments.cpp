// Fragments out and in, against the lab's kernel, which reassembles and fragments by itself.
// ctest runs this inside the lab.

#include "support/catch.hpp"
#include "support/run.hpp"

#include <sonde/packet/expression.hpp>
#include <sonde/sonde.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <string>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

/// An address whose packets the target sends to us, and which no other test uses.
constexpr ipv4 small_mtu_host = "203.0.113.9";

/// Makes the target believe that packets to that address fit 600 bytes (RFC 1191).
packet const fragmentation_needed = parse_packet(
    "IP(src='198.51.100.1', dst='198.18.0.1')/ICMP(type=3, code=4, nexthopmtu=600)"
    "/IPerror(src='198.18.0.1', dst='203.0.113.9', proto=1)/ICMPerror(type=0, id=1, seq=1)");

}  // namespace

TEST_CASE("An answer in fragments is an answer when it is to be reassembled, and as whole as it was sent") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        co_await net.send(fragmentation_needed);
        std::string const data(1200, 'x');
        auto const probe = IP{.dst = "198.18.0.1", .src = small_mtu_host} / ICMP{} / data;
        auto witness = net.sniff({.iface = "eth1", .filter = "icmp and dst host 203.0.113.9"});
        auto const by_fragment = co_await net.sr1(probe, {.timeout = 300ms});
        CHECK_FALSE(by_fragment);
        std::size_t fragments = 0;
        while (auto p = witness.try_next()) ++fragments;
        CHECK(fragments == 3);
        auto const x = co_await net.sr1(probe, {.timeout = 2s, .reassemble = true});
        REQUIRE(x);
        CHECK(x->received.get<ICMP>().type == "echo-reply");
        CHECK(x->received.get<Raw>().load == data);
        CHECK(x->received.get<IP>().len == 1228);
        CHECK(x->rtt() > 0ns);
        auto const after = co_await net.sr1(probe, {.timeout = 300ms});
        CHECK_FALSE(after);
    });
}

TEST_CASE("A request in fragments is answered in fragments, and sniff shows the answer whole") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        std::string const data(3000, 'y');
        auto whole = net.sniff({.iface = "eth1",
                                .filter = "src host 198.18.0.77 or src host 2001:db8::77",
                                .count = 2,
                                .timeout = 3s,
                                .reassemble = true});
        auto pieces = net.sniff(
            {.iface = "eth1", .filter = "src host 198.18.0.77 or src host 2001:db8::77", .timeout = 3s});
        co_await net.send(fragment(IP{.dst = "198.18.0.77"} / ICMP{.id = 5} / data));
        auto const v4 = co_await whole.next();
        REQUIRE(v4);
        CHECK(v4->get<IP>().len == 3028);
        CHECK(v4->get<ICMP>().id == 5);
        CHECK(v4->get<Raw>().load == data);
        auto const echo6 =
            IPv6{.dst = "2001:db8::77", .src = "2001:db8:ffff::1"} / ICMPv6EchoRequest{.data = data};
        co_await net.send(fragment6(echo6, 1280));
        auto const v6 = co_await whole.next();
        REQUIRE(v6);
        CHECK(v6->get<IPv6>().plen == 3008);
        CHECK(v6->get<ICMPv6EchoReply>().data == data);
        CHECK_FALSE(v6->has<IPv6ExtHdrFragment>());
        CHECK_FALSE(co_await whole.next());
        std::size_t seen = 0;
        while (auto p = pieces.try_next()) ++seen;
        CHECK(seen == 6);
    });
}
