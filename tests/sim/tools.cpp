// Ping and traceroute on the simulated network.
#include "support/simulated.hpp"
#include "tools/replay_sides.hpp"

#include <sonde/sonde.hpp>
#include <sonde/tools/ping.hpp>
#include <sonde/tools/traceroute.hpp>

#include <map>
#include <set>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;
using tools::probe_protocol;

namespace {

ip_address const router_a = ipv4("203.0.113.1"), router_b = ipv4("203.0.113.2");
ip_address const target = ipv4("198.18.0.1"), other = ipv4("198.18.0.2");

/// Two routers and a silent third before the target.
void add_way(simulation& sim, std::string_view to, host h = {}) {
    path way = path::both({.delay = 5ms});
    way.routers = {router_a, router_b, ip_address()};
    sim.add(to, std::move(h), way);
}

std::string addresses(tools::trace const& t) {
    std::string text;
    for (auto const& hop : t.hops)
        text += (hop.replies.empty() || !hop.replies[0].came() ? "*" : hop.replies[0].from.to_string()) + " ";
    return text;
}

}  // namespace

TEST_CASE("Traceroute finds every router of the way by ICMP, UDP and TCP, and ends at the target") {
    for (auto how : {probe_protocol::icmp, probe_protocol::udp, probe_protocol::tcp})
        support::simulate([how](simulation& sim) -> asio::awaitable<void> {
            add_way(sim, "198.18.0.1", {.tcp = {80}});
            network net{co_await asio::this_coro::executor};
            tools::traceroute run(net, {target}, {.protocol = how});
            auto t = co_await run.next();
            REQUIRE(t);
            CHECK(t->reached);
            CHECK(addresses(*t) == "203.0.113.1 203.0.113.2 * 198.18.0.1 ");
            for (auto const& hop : t->hops) CHECK(hop.replies.size() == 3);
            CHECK(t->hops[0].replies[0].rtt < 11ms);
            auto end = co_await run.next();
            CHECK(!end);
            CHECK(net.in_flight() == 0);
        });
}

TEST_CASE("All probes of a traceroute to a target are one flow: ports, or echo id and checksum, stay") {
    for (auto how : {probe_protocol::icmp, probe_protocol::udp, probe_protocol::tcp})
        support::simulate([how](simulation& sim) -> asio::awaitable<void> {
            add_way(sim, "198.18.0.1");
            sim.record();
            network net{co_await asio::this_coro::executor};
            tools::traceroute run(net, {target}, {.protocol = how});
            co_await run.next();
            std::set<std::uint32_t> flows;
            std::size_t probes = 0;
            for (auto const& f : sim.trace()) {
                auto p = dissect(f.bytes, f.type);
                if (!p.has<IP>() || p.get<IP>().dst != "198.18.0.1") continue;
                auto header = p.build();
                auto at = p.has<ICMP>() ? 36u : 34u;  // ICMP's checksum is in its first four bytes; ports too
                std::uint32_t word = 0;
                for (unsigned i = 0; i < 4; ++i)
                    word =
                        word << 8 | std::to_integer<std::uint32_t>(header.at((p.has<ICMP>() ? 34 : at) + i));
                flows.insert(word);
                ++probes;
            }
            CHECK(probes >= 12);
            CHECK(flows.size() == 1);
        });
}

TEST_CASE("A UDP traceroute over IPv6 is one flow too, and each hop has its own answers, by 8 quoted bytes") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        ip_address const to = ipv6("2001:db8::1"), first = ipv6("2001:db8:ff::1"),
                         second = ipv6("2001:db8:ff::2");
        path way = path::both({.delay = 5ms});
        way.routers = {first, second, ip_address()};
        host far;
        far.quote = 8;
        sim.add("2001:db8::1", far, way);
        sim.record();
        network net{co_await asio::this_coro::executor};
        tools::traceroute run(net, {to}, {.max_hops = 12});
        auto t = co_await run.next();
        REQUIRE(t);
        CHECK(t->reached);
        CHECK(addresses(*t) == "2001:db8:ff::1 2001:db8:ff::2 * 2001:db8::1 ");
        for (auto const& hop : t->hops) CHECK(hop.replies.size() == 3);
        for (auto const& r : t->hops[3].replies) CHECK(r.from == to);
        CHECK(run.report().duplicates == 0);
        std::set<std::string> flows;
        std::set<unsigned> sizes;
        for (auto const& f : sim.trace()) {
            auto p = dissect(f.bytes, f.type);
            if (!p.has<UDP>() || p.get<IPv6>().dst != "2001:db8::1") continue;
            flows.insert(fmt::format("{} {} {} {}", p.get<IPv6>().src.value(), p.get<UDP>().sport.value(),
                                     p.get<UDP>().dport.value(), unsigned(p.get<IPv6>().fl.value())));
            CHECK(sizes.insert(p.get<UDP>().len.value()).second);
        }
        CHECK(sizes.size() >= 12);
        CHECK(flows.size() == 1);
    });
}

TEST_CASE("A traceroute asks all hops at once, of several targets, and waits one timeout for silent ones") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        add_way(sim, "198.18.0.1");
        add_way(sim, "198.18.0.2", host::silent());
        network net{co_await asio::this_coro::executor};
        auto began = sim.now();
        tools::traceroute run(net, {target, other}, {.protocol = probe_protocol::icmp});
        auto first = co_await run.next(), second = co_await run.next(), end = co_await run.next();
        REQUIRE((first && second));
        CHECK(!end);
        CHECK(first->target == target);
        CHECK(first->hops.size() == 4);
        CHECK(!second->reached);
        CHECK(second->hops.size() == 30);
        CHECK(sim.now() - began < 1300ms);
        CHECK(run.report().sent <= 3 * 60);
    });
}

TEST_CASE("Traceroute reads the MPLS labels that a router quotes") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        host labelled;
        labelled.script = [](packet const& received, replies& out) {
            auto quote = packet(received.view().bytes.subspan(received.layers()[0].begin, 28));
            out.send(out.back() / ICMP{.type = 11} / quote / ICMPExtensionHeader{} /
                     ICMPExtensionMPLS{
                         .stack = {MPLS{.label = 16000, .ttl = 1, .s = 0}, MPLS{.label = 3, .ttl = 2}}});
            return true;
        };
        sim.add("198.18.0.1", labelled);
        network net{co_await asio::this_coro::executor};
        tools::traceroute run(net, {target}, {.max_hops = 1, .queries = 1});
        auto t = co_await run.next();
        REQUIRE((t && t->hops.size() == 1 && t->hops[0].replies.size() == 1));
        auto const& labels = t->hops[0].replies[0].labels;
        REQUIRE(labels.size() == 2);
        CHECK(labels[0].label == 16000);
        CHECK(labels[0].ttl == 1);
        CHECK(labels[1].label == 3);
    });
}

TEST_CASE("A traceroute that is stopped tells what it knows so far") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        add_way(sim, "198.18.0.1");
        network net{co_await asio::this_coro::executor};
        tools::traceroute run(net, {target}, {.timeout = 10s});
        auto began = sim.now();
        sim.sleep(2s, [&](error_code) { run.stop(); });
        auto t = co_await run.next();
        REQUIRE(t);
        CHECK(sim.now() - began < 3s);
        CHECK(addresses(*t) == "203.0.113.1 203.0.113.2 * 198.18.0.1 ");
        CHECK(t->hops[2].replies[0].outcome.what == probe_outcome::kind::cancelled);
    });
}

TEST_CASE("The path MTU is what routers tell, or what gets through where they tell nothing") {
    for (bool told : {true, false})
        support::simulate([told](simulation& sim) -> asio::awaitable<void> {
            host narrow;
            narrow.script = [told](packet const& received, replies& out) {
                if (received.view().bytes.size() <= 1400) return false;
                auto quote = packet(received.view().bytes.subspan(0, 28));
                if (told) out.send(out.back() / ICMP{.type = 3, .code = 4, .nexthopmtu = 1400} / quote);
                return true;
            };
            sim.add("198.18.0.1", narrow);
            network net{co_await asio::this_coro::executor};
            auto size = co_await tools::path_mtu(net, target, 1500, 100ms);
            CHECK(size == 1400);
            auto none = co_await tools::path_mtu(net, ipv4("198.18.0.9"), 1500, 100ms);
            CHECK(none == 0);
        });
}

TEST_CASE("Ping spreads its targets over the interval, and no silence moves the grid") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/24", {}, path::both({.delay = 5ms}));
        sim.add("198.18.0.2", host::silent());
        sim.record();
        network net{co_await asio::this_coro::executor};
        std::vector<ip_address> four;
        for (std::uint32_t i = 1; i <= 4; ++i) four.emplace_back(ipv4(0xc6120000 + i));
        tools::ping run(net, four, {.count = 50, .interval = 100ms, .timeout = 1s});
        std::map<std::size_t, std::uint64_t> last;
        while (auto r = co_await run.next()) last[r->target] = std::max(last[r->target], r->sequence);
        CHECK(last == std::map<std::size_t, std::uint64_t>{{0, 50}, {1, 50}, {2, 50}, {3, 50}});
        CHECK(run.targets()[0].rtt.mean() == 10ms);
        CHECK(run.targets()[0].loss() == 0);
        CHECK(run.targets()[1].loss() == 1);
        CHECK(run.targets()[1].ended == 50);
        std::vector<timestamp> left;
        for (auto const& f : sim.trace())
            if (auto p = dissect(f.bytes, f.type); p.has<ICMP>() && p.get<ICMP>().type == 8)
                left.push_back(f.time);
        REQUIRE(left.size() == 200);
        for (std::size_t i = 2; i < left.size(); ++i) CHECK(left[i] - left[1] == 25ms * (i - 1));
    });
}

TEST_CASE("Ping asks by TCP and UDP, over both families, and takes a closed port for a live host") {
    for (auto how : {probe_protocol::icmp, probe_protocol::tcp, probe_protocol::udp})
        support::simulate([how](simulation& sim) -> asio::awaitable<void> {
            sim.add("198.18.0.1", {.tcp = {80}});
            sim.add("2001:db8::/32");
            network net{co_await asio::this_coro::executor};
            tools::ping run(net, {target, ipv6("2001:db8::1")},
                            {.protocol = how, .count = 3, .interval = 10ms});
            while (auto r = co_await run.next()) {
                CHECK(r->answered);
                CHECK(r->ttl == 64);
                if (how == probe_protocol::icmp) CHECK(r->bytes == 64);
            }
            for (auto const& t : run.targets()) CHECK(t.answered == 3);
        });
}

TEST_CASE("A ping that is stopped does not count what is still on the way as lost") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {}, path::both({.delay = 300ms}));
        network net{co_await asio::this_coro::executor};
        tools::ping run(net, {target}, {.interval = 100ms, .timeout = 5s});
        std::size_t replies = 0;
        while (auto r = co_await run.next())
            if (++replies == 7) run.stop();
        CHECK(run.targets()[0].ended == 7);
        CHECK(run.targets()[0].loss() == 0);
    });
}

TEST_CASE("Sides of a replay: the SYN tells the client, the SYN/ACK the server, else who sends first") {
    using tools::replay_side;
    auto tcp = [](char const* from, char const* to, unsigned sport, unsigned dport, char const* flags) {
        return packet(Ether{} / IP{.dst = to, .src = from} /
                      TCP{.dport = static_cast<std::uint16_t>(dport),
                          .sport = static_cast<std::uint16_t>(sport),
                          .flags = flags});
    };
    auto const *a = "10.0.0.1", *b = "10.0.0.2";
    tools::side_finder sides;
    CHECK(sides.of(tcp(a, b, 4000, 80, "S")) == replay_side::client);
    CHECK(sides.of(tcp(b, a, 80, 4000, "SA")) == replay_side::server);
    CHECK(sides.of(tcp(a, b, 4000, 80, "A")) == replay_side::client);
    // The other way round between the same hosts, on other ports; begun by what the server says.
    CHECK(sides.of(tcp(a, b, 80, 5000, "SA")) == replay_side::server);
    CHECK(sides.of(tcp(b, a, 5000, 80, "A")) == replay_side::client);
    CHECK(sides.of(tcp(b, a, 80, 4000, "PA")) == replay_side::server);
    // Without a handshake who sends first; a SYN that comes later knows better.
    CHECK(sides.of(tcp(b, a, 80, 6000, "A")) == replay_side::client);
    CHECK(sides.of(tcp(a, b, 6000, 80, "A")) == replay_side::server);
    CHECK(sides.of(tcp(a, b, 6000, 80, "S")) == replay_side::client);
    CHECK(sides.of(tcp(b, a, 80, 6000, "SA")) == replay_side::server);
    CHECK(sides.of(Ether{} / ARP{.pdst = b, .psrc = a}) == replay_side::client);
    CHECK(sides.of(Ether{} / ARP{.pdst = a, .op = 2, .psrc = b}) == replay_side::server);
    CHECK(sides.of(Ether{} / IPv6{.dst = "2001:db8::2", .src = "2001:db8::1"} / ICMPv6EchoRequest{}) ==
          replay_side::client);
    CHECK(sides.of(Ether{} / IPv6{.dst = "2001:db8::1", .src = "2001:db8::2"} / ICMPv6EchoReply{}) ==
          replay_side::server);
    CHECK(sides.of(Ether{} / Raw{"no addresses"}) == replay_side::client);
    tools::side_finder known(address_set("10.0.0.0/31", "2001:db8::/64"));
    CHECK(known.of(tcp(a, b, 4000, 80, "S")) == replay_side::server);
    CHECK(known.of(tcp(b, a, 80, 4000, "SA")) == replay_side::client);
    CHECK(known.of(Ether{} / IPv6{.dst = "2001:db8::1", .src = "2001:db8::2"} / UDP{}) ==
          replay_side::server);
}

TEST_CASE(
    "Sides of a replay: of more conversations than there is room for, those heard of lately are known") {
    using tools::replay_side;
    auto data = [](bool from_client, unsigned port) {
        auto from = from_client ? "10.0.0.1" : "10.0.0.2", to = from_client ? "10.0.0.2" : "10.0.0.1";
        auto here = static_cast<std::uint16_t>(port);
        return packet(IP{.dst = to, .src = from} /
                      (from_client ? UDP{.dport = 80, .sport = here} : UDP{.dport = here, .sport = 80}));
    };
    tools::side_finder sides({}, 100);
    for (unsigned port = 1000; port < 2000; ++port) {
        CHECK(sides.of(data(true, port)) == replay_side::client);
        CHECK(sides.of(data(false, 1000)) == replay_side::server);  // never long unheard
    }
    CHECK(sides.of(data(false, 1950)) == replay_side::server);
    CHECK(sides.of(data(false, 1001)) == replay_side::client);  // forgotten: who is heard first
    CHECK(sides.forgotten() >= 700);
    CHECK(sides.forgotten() <= 900);
}
