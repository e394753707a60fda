// The recipes of docs/cookbook.md, as they stand there, on the simulated lab.
#include "docs/support.hpp"

#include <sonde/packet/expression.hpp>
#include <sonde/tools/neighbours.hpp>
#include <sonde/tools/traceroute.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <cstdio>
#include <map>
#include <vector>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

/// An echo request and its answer, in a file.
asio::awaitable<std::string> a_capture(network& net) {
    auto path = docs::temporary("capture.pcap");
    auto heard = net.sniff({.iface = "eth1", .filter = "icmp", .count = 2});
    co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{} / "hello");
    capture_writer file(path);
    while (auto p = co_await heard.next()) file.append(*p);
    file.close();
    co_return path;
}

}  // namespace

TEST_CASE("Cookbook: is this host up?") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto x = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s, .retry = 2});
        bool up = x && x->outcome().what == probe_outcome::kind::answered;
        CHECK(up);
    });
}

TEST_CASE("Cookbook: is this port open, closed or filtered?") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto x = co_await net.sr1(IP{.dst = "198.18.0.1"} / TCP{.dport = 81, .flags = "S"},
                                  {.timeout = 1s, .retry = 2});
        std::string state = "filtered";  // silence, or an ICMP error
        if (x && x->received.has<TCP>()) state = x->received.get<TCP>().flags == "SA" ? "open" : "closed";
        CHECK(state == "closed");
    });
}

TEST_CASE("Cookbook: which of several answers first?") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto x = co_await net.sr1(IP{.dst = {"198.19.248.1", "198.18.0.2"}} / ICMP{}, {.timeout = 1s});
        REQUIRE(x);
        fmt::print("{} was first\n", x->received.get<IP>().src);
        CHECK(x->received.get<IP>().src == "198.18.0.2");
    });
}

TEST_CASE("Cookbook: whatever comes first ends the other") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        using namespace asio::experimental::awaitable_operators;
        packet ping = IP{.dst = "198.18.0.1"} / ICMP{};
        packet syn = IP{.dst = "198.18.0.1"} / TCP{.dport = 443, .flags = "S"};
        auto first =
            co_await (net.sr1(ping, {}, asio::use_awaitable) || net.sr1(syn, {}, asio::use_awaitable));
        fmt::print("{} answered first\n", first.index() == 0 ? "ICMP" : "TCP");
        CHECK(net.in_flight() == 0);
    });
}

TEST_CASE("Cookbook: ask a name server") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        host server;
        server.zone.emplace("www.example.", DNSRR{.rrname = "www.example.", .rdata = "192.0.2.1"});
        sim.add("198.18.0.53", server);
        network net{co_await asio::this_coro::executor};

        auto x = co_await net.sr1(
            IP{.dst = "198.18.0.53"} / UDP{.dport = 53} / DNS{.qd = DNSQR{.qname = "www.example"}},
            {.timeout = 1s, .retry = 2});
        REQUIRE(x);
        fmt::print("{}\n", x->received);
        CHECK(x->received.has<DNS>());
    });
}

TEST_CASE("Cookbook: who is on the link?") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        std::size_t found = 0;
        tools::neighbours link(net, "198.51.100.0/28", {.iface = "eth1"});
        while (auto n = co_await link.next()) {
            fmt::print("{} is at {}\n", n->address, n->hardware);
            ++found;
        }
        CHECK(found == 1);
    });
}

TEST_CASE("Cookbook: the way to a host") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {}, {.routers = {ipv4("203.0.113.1"), ipv4("203.0.113.2")}});
        network net{co_await asio::this_coro::executor};

        tools::traceroute way(net, {ipv4("198.18.0.1")});
        auto found = co_await way.next();
        REQUIRE(found);
        for (auto const& hop : found->hops) fmt::print("{} {}\n", hop.ttl, hop.replies.front().from);
        CHECK(found->reached);
    });
}

TEST_CASE("Cookbook: the same over IPv6") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto x = co_await net.sr1(IPv6{.dst = "2001:db8::1"} / ICMPv6EchoRequest{}, {.timeout = 1s});
        CHECK(x);
    });
}

TEST_CASE("Cookbook: stop after ten results") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        std::vector<std::string> open;
        {
            auto scan = net.sr(IP{.dst = "198.18.0.0/16"} / TCP{.dport = 443, .flags = "S"}, {.rate = 5000});
            while (auto x = co_await scan.next()) {
                open.push_back(fmt::format("{}", x->received.get<IP>().src));
                if (open.size() == 10) break;
            }
        }  // here the scan ends: what was not sent is never sent
        CHECK(open.size() == 10);
        CHECK(net.in_flight() == 0);
    });
}

TEST_CASE("Cookbook: another order, and a share of the work") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto scan = net.sr(IP{.dst = "198.18.0.0/24"} / TCP{.dport = {80, 443}, .flags = "S"} |
                               exclude("198.18.0.128/25") | shuffled(42) | shard(0, 4),
                           {.timeout = 1s});
        auto [ans, unans] = co_await scan.collect();
        CHECK(ans.size() == 64);
    });
}

TEST_CASE("Cookbook: every probe, answered or not") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        std::map<std::string, int> fates;
        auto scan = net.sr(IP{.dst = {"198.18.0.1", "198.19.248.1"}} / UDP{.dport = 9},
                           {.timeout = 500ms, .unanswered = true});
        while (auto x = co_await scan.next()) ++fates[fmt::format("{}", x->outcome())];
        for (auto const& [fate, times] : fates) fmt::print("{}: {}\n", fate, times);
        CHECK(fates.size() == 2);
    });
}

TEST_CASE("Cookbook: loss and round-trip times of several hosts") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto rounds = net.srloop(IP{.dst = "198.18.0.0/30"} / ICMP{}, {.count = 5, .inter = 200ms});
        while (co_await rounds.next()) continue;
        for (auto const& target : rounds.statistics())
            fmt::print("{:.0f} % lost, median {}\n", 100 * target.loss(), target.rtt.quantile(0.5));
        CHECK(rounds.statistics().size() == 4);
    });
}

TEST_CASE("Cookbook: why was that no answer?") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto why = net.explain();
        co_await net.sr1(IP{.dst = "198.18.0.1"} / TCP{.dport = 80, .flags = "S"}, {.timeout = 1s});
        int explained = 0;
        while (auto e = why.try_next()) {
            fmt::print("{}\n", *e);
            ++explained;
        }
        CHECK(explained > 0);
    });
}

TEST_CASE("Cookbook: write what comes to a file") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto path = docs::temporary("icmp.pcapng");
        auto capture = net.sniff({.iface = "eth1", .filter = "icmp", .count = 2});
        co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{});  // frames wait in the capture's ring

        capture_writer file(path);
        while (auto p = co_await capture.next()) file.append(*p);
        file.close();
        CHECK(file.frames() == 2);
        std::remove(path.c_str());
    });
}

TEST_CASE("Cookbook: read a file, change it, send it again") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto path = co_await a_capture(net);

        std::map<std::string, int> packets;
        for (packet const& p : read_pcap(path))
            if (auto const* ip = p.find<IP>()) ++packets[fmt::format("{}", ip->src)];
        CHECK(packets["198.18.0.1"] == 1);

        for (packet p : read_pcap(path)) {
            p.get<IP>().dst = "198.18.0.9";
            p.get<IP>().chksum =
                automatic;  // a value that was read stays, right or wrong, until it is let go
            co_await net.sendp(p, {.iface = "eth1"});
        }
        std::remove(path.c_str());
    });
}

TEST_CASE("Cookbook: frighten a service") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto report =
            co_await net.send(IP{.dst = "198.18.0.1"} / fuzz(UDP{.dport = 53} / DNS{}), {.count = 100});
        CHECK(report.sent == 100);
    });
}

TEST_CASE("Cookbook: fragments") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto pieces = fragment(IP{.dst = "198.18.0.1", .id = 7} / ICMP{} / std::string(3000, 'x'), 1480);
        auto report = co_await net.send(pieces);
        CHECK(report.sent == 3);
    });
}

TEST_CASE("Cookbook: very many packets, into memory of your own") {
    std::size_t written = 0;
    auto probes =
        packet_template::of(IP{.dst = "198.18.0.0/15", .src = "198.51.100.1"} / TCP{.dport = {80, 443}});
    random_source random(42);
    std::vector<std::byte> frame;
    for (std::uint64_t i = 0; i < probes->size(); ++i) {
        probes->build(i, random, frame);  // as many nanoseconds as copying and summing take
        written += frame.size();
    }
    CHECK(written == 40 * 2 * 131072);
}

TEST_CASE("Cookbook: a packet from text, and as text") {
    packet p = parse_packet(R"(IP(dst="198.18.0.1")/TCP(dport=[22, 80], flags="S"))");
    fmt::print("{:command}\n", p[1]);  // IP(dst='198.18.0.1')/TCP(dport=80)
    CHECK(p.size() == 2);
    CHECK(fmt::format("{:command}", p[1]) == "IP(dst='198.18.0.1')/TCP(dport=80)");
}
