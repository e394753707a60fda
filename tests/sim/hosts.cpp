// What simulated hosts and routers say: by the RFCs, as real ones do.
#include "support/simulated.hpp"

#include <sonde/sonde.hpp>

#include <set>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

std::string flags_of(packet const& p) {
    return fmt::format("{}", p.get<TCP>().flags.value());
}

}  // namespace

TEST_CASE(
    "Ports are open or closed by RFC 9293: resets acknowledge what was sent, or take its acknowledgement") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {.tcp = {80}});
        network net{co_await asio::this_coro::executor};
        auto answer = [&](packet p) -> asio::awaitable<std::optional<packet>> {
            auto x = co_await net.sr1(std::move(p), {.timeout = 100ms});
            if (x) co_return x->received;
            co_return std::nullopt;
        };
        auto to = IP{.dst = "198.18.0.1"};
        auto open = co_await answer(to / TCP{.dport = 80, .seq = 1000});
        REQUIRE(open);
        CHECK(flags_of(*open) == "SA");
        CHECK(open->get<TCP>().ack == 1001);
        auto closed = co_await answer(to / TCP{.dport = 81, .seq = 1000} / "data");
        REQUIRE(closed);
        CHECK(flags_of(*closed) == "RA");
        CHECK(closed->get<TCP>().ack == 1005);
        CHECK(closed->get<TCP>().seq == 0);
        for (int port : {80, 81}) {
            auto stray = co_await answer(to / TCP{.dport = port, .flags = "A", .seq = 1, .ack = 77});
            REQUIRE(stray);
            CHECK(flags_of(*stray) == "R");
            CHECK(stray->get<TCP>().seq == 77);
        }
        auto got1 = co_await answer(to / TCP{.dport = 81, .flags = "R"});
        CHECK(!got1);
        auto got2 = co_await answer(to / TCP{.dport = 80, .flags = "F"});
        CHECK(!got2);
    });
}

TEST_CASE("ICMP errors quote as much as they are told to, and eight bytes are enough to find the probe") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        auto& host = sim.add("198.18.0.1").behaviour;
        network net{co_await asio::this_coro::executor};
        std::string const long_data(1000, 'x');
        for (std::size_t quote : {8, 100, 548}) {
            host.quote = quote;
            auto x = co_await net.sr1(IP{.dst = "198.18.0.1"} / UDP{.dport = 9} / long_data);
            REQUIRE(x);
            CHECK(x->received.view().bytes.size() == 20 + 8 + 20 + quote);
            CHECK(x->received.get<UDPerror>().dport == 9);
        }
    });
}

TEST_CASE(
    "Each router takes one from the TTL; the one that finds nothing left says so, unless it is silent") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        path far = path::both({.delay = 40ms});
        far.routers = {ipv4("192.0.2.1"), ipv4(), ipv4("192.0.2.3")};
        sim.add("198.18.0.1", {}, far);
        sim.add("2001:db8::1", {}, {.routers = {ipv6("2001:db8:1::1")}});
        network net{co_await asio::this_coro::executor};
        auto trace =
            net.sr(IP{.dst = "198.18.0.1", .ttl = range(1, 5)} / UDP{.dport = 33434}, {.timeout = 1s});
        std::map<unsigned, std::string> hops;
        while (auto x = co_await trace.next())
            hops[x->sent.get<IP>().ttl.value()] =
                fmt::format("{} {}", x->received.get<IP>().src.value().to_string(),
                            unsigned(x->received.get<ICMP>().type.value()));
        CHECK(hops ==
              std::map<unsigned, std::string>{
                  {1, "192.0.2.1 11"}, {3, "192.0.2.3 11"}, {4, "198.18.0.1 3"}, {5, "198.18.0.1 3"}});
        auto reply = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{});
        REQUIRE(reply);
        CHECK(reply->received.get<IP>().ttl == 61);
        auto near = co_await net.sr1(IPv6{.dst = "2001:db8::1", .hlim = 1} / ICMPv6EchoRequest{});
        REQUIRE(near);
        CHECK(near->received.has<ICMPv6TimeExceeded>());
        CHECK(near->received.get<IPv6>().src == "2001:db8:1::1");
    });
}

TEST_CASE("A zone answers what it holds, with authority, and says what does not exist") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        host server;
        server.zone.emplace("www.example.",
                            DNSRR{.rrname = "www.example.", .ttl = 60, .rdata = "192.0.2.80"});
        server.zone.emplace("www.example.",
                            DNSRR{.rrname = "www.example.", .type = "AAAA", .rdata = ipv6("2001:db8::80")});
        server.zone.emplace("example.",
                            DNSRRMX{.rrname = "example.", .preference = 10, .exchange = "mx.example."});
        sim.add("198.18.0.53", server);
        network net{co_await asio::this_coro::executor};
        auto to = IP{.dst = "198.18.0.53"} / UDP{.dport = 53};
        auto a = co_await net.sr1(to / DNS{.qd = DNSQR{.qname = "WWW.example"}});
        REQUIRE(a);
        CHECK(a->received.get<DNS>().aa == 1);
        CHECK(a->received.get<DNS>().ancount == 1);
        auto records = dns_records_of(a->received).an;
        REQUIRE(records.size() == 1);
        CHECK(fmt::format("{:command}", records[0]).find("192.0.2.80") != std::string::npos);
        auto mx = co_await net.sr1(to / DNS{.qd = DNSQR{.qname = "example", .qtype = "MX"}});
        REQUIRE(mx);
        CHECK(dns_records_of(mx->received).an.at(0).get<DNSRRMX>().preference == 10);
        auto none = co_await net.sr1(to / DNS{.qd = DNSQR{.qname = "nobody.example"}});
        REQUIRE(none);
        CHECK(none->received.get<DNS>().rcode == 3);
        auto empty = co_await net.sr1(to / DNS{.qd = DNSQR{.qname = "www.example", .qtype = "TXT"}});
        REQUIRE(empty);
        CHECK(empty->received.get<DNS>().rcode == 0);
        CHECK(empty->received.get<DNS>().ancount == 0);
    });
}

TEST_CASE("The longest prefix answers: a host within a network within the lab") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add_lab();
        sim.add("198.18.5.0/24", {.tcp = {8080}});
        sim.add("198.18.5.5", host::silent());
        network net{co_await asio::this_coro::executor};
        auto syn = [](char const* to, int port) { return IP{.dst = std::string(to)} / TCP{.dport = port}; };
        auto lab = co_await net.sr1(syn("198.18.0.1", 22));
        REQUIRE(lab);
        CHECK(flags_of(lab->received) == "SA");
        auto inner = co_await net.sr1(syn("198.18.5.1", 8080));
        REQUIRE(inner);
        CHECK(flags_of(inner->received) == "SA");
        auto got3 = co_await net.sr1(syn("198.18.5.5", 8080));
        CHECK(!got3);
        auto got4 = co_await net.sr1(syn("198.19.248.9", 22));
        CHECK(!got4);
        auto echo = co_await net.sr1(IP{.dst = "198.18.0.1"} / UDP{.dport = 7} / "hello");
        REQUIRE(echo);
        CHECK(echo->received.get<Raw>().load == "hello");
        auto got5 = co_await net.sr1(syn("203.0.113.1", 22));
        CHECK(!got5);  // nothing is there
        CHECK_THROWS_AS(sim.add("198.18.0.0/33"), error);
        CHECK_THROWS_AS(sim.add("nowhere"), error);
        CHECK_THROWS_AS(sim.set_up("eth7", true), error);
    });
}

TEST_CASE("Frames to another's hardware address reach nobody") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        network net{co_await asio::this_coro::executor};
        auto to = [](char const* hardware) {
            return Ether{.dst = std::string(hardware)} / IP{.dst = "198.18.0.1"} / ICMP{};
        };
        auto got6 = co_await net.srp1(to("02:00:c6:33:64:02"), {.timeout = 100ms, .iface = "eth1"});
        CHECK(got6);
        auto got7 = co_await net.srp1(to("02:00:c6:33:64:03"), {.timeout = 100ms, .iface = "eth1"});
        CHECK(!got7);
        CHECK(sim.counts().nowhere == 1);
    });
}
