// The seven steps of docs/tutorial.md, as they stand there, on the simulated lab.
#include "docs/support.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

struct Thermometer {  // 5 bytes, carried by UDP port 5555
    field<std::uint16_t> query{};
    field<std::uint8_t> kind = 1;  // 1 asks, 2 tells
    field<std::uint16_t> tenths{};
};
SONDE_LAYER(Thermometer, query, kind, tenths)
SONDE_BIND(UDP, Thermometer, dport, 5555)
bool answers(Thermometer const& reply, Thermometer const& sent) {
    return reply.kind == 2 && reply.query == sent.query;
}

/// A thermometer at 21.5 degrees.
std::optional<packet> measure(packet const& asked) {
    Thermometer told{.kind = 2, .tenths = 215};
    told.query = asked.get<Thermometer>().query.value();
    return packet(told);
}

}  // namespace

TEST_CASE("Tutorial, step 1: a packet is layers, and knows its bytes") {
    packet p = IP{.dst = "198.18.0.1", .src = "198.51.100.1"} / TCP{.dport = 80, .flags = "S"};
    fmt::print("{}\n", p);       // IP / TCP 198.51.100.1:ftp_data > 198.18.0.1:http S
    fmt::print("{:show}\n", p);  // every field of every layer
    fmt::print("{:hex}\n", p);   // the bytes, checksums and lengths filled in
    auto bytes = p.build();
    packet again = dissect(bytes, link_type::ipv4);

    CHECK(fmt::format("{}", p) == "IP / TCP 198.51.100.1:ftp_data > 198.18.0.1:http S");
    CHECK(bytes.size() == 40);
    CHECK(again.get<TCP>().dport == 80);
}

TEST_CASE("Tutorial, step 1: a packet may be a set of packets") {
    packet set = IP{.dst = "198.18.0.0/24"} / TCP{.dport = {22, 80, 443}, .flags = "S"};
    fmt::print("{} packets; the last: {}\n", set.size(), set[set.size() - 1]);
    CHECK(set.size() == 768);
}

TEST_CASE("Tutorial, step 2: send") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto report = co_await net.send(IP{.dst = "198.18.0.1"} / TCP{.dport = 53, .flags = "S"},
                                        {.count = 10, .inter = 10ms});
        fmt::print("{}\n", report);  // Sent 10 packets.
        CHECK(report.sent == 10);
    });
}

TEST_CASE("Tutorial, step 3: one answer, or silence") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        auto x = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{} / "hello", {.timeout = 1s, .retry = 2});
        if (x)
            fmt::print("{} after {}, attempt {}\n", x->received, x->rtt(), x->attempt);
        else
            fmt::print("silence\n");
        CHECK(x);

        auto nobody = co_await net.sr1(IP{.dst = "198.19.248.1"} / ICMP{}, {.timeout = 1s, .retry = 2});
        CHECK(!nobody);
    });
}

TEST_CASE("Tutorial, step 4: answers as they come") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        int open = 0;
        auto scan = net.sr(IP{.dst = "198.18.0.0/28"} / TCP{.dport = {22, 25, 80}, .flags = "S"},
                           {.timeout = 500ms, .retry = 1});
        while (auto x = co_await scan.next())
            if (x->received.get<TCP>().flags == "SA") ++open;
        fmt::print("{} open\n{}\n", open, scan.report());
        CHECK(open == 32);
        CHECK(scan.report().answered == 48);
    });
}

TEST_CASE("Tutorial, step 5: listen, while another coroutine asks") {
    docs::in_the_lab([](simulation&, network& net) -> asio::awaitable<void> {
        using namespace asio::experimental::awaitable_operators;
        int seen = 0;
        auto listen = [&]() -> asio::awaitable<void> {
            auto capture = net.sniff({.iface = "eth1", .filter = "icmp", .count = 4});
            while (auto p = co_await capture.next()) {
                fmt::print("{}\n", *p);
                ++seen;
            }
        };
        auto ask = [&]() -> asio::awaitable<void> {
            auto rounds = net.srloop(IP{.dst = "198.18.0.1"} / ICMP{}, {.count = 2, .inter = 100ms});
            while (co_await rounds.next()) continue;
        };
        co_await (listen() && ask());
        CHECK(seen == 4);
    });
}

TEST_CASE("Tutorial, step 6: a protocol of one's own") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        host thermometer;
        thermometer.udp[5555] = measure;
        sim.add("198.18.0.21", thermometer);
        network net{co_await asio::this_coro::executor};

        auto x = co_await net.sr1(IP{.dst = "198.18.0.21"} / UDP{} / Thermometer{.query = 7});
        REQUIRE(x);
        auto const& told = x->received.get<Thermometer>();
        fmt::print("{:.1f} degrees\n", told.tenths.value() / 10.0);
        CHECK(told.tenths == 215);
    });
}

TEST_CASE("Tutorial, step 7: what fails, and what is cancelled") {
    docs::in_the_lab([](simulation& sim, network& net) -> asio::awaitable<void> {
        try {
            co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.iface = "eth7"});
        } catch (boost::system::system_error const& e) {
            fmt::print("{}: {}\n", net.why(), e.code().message());
            CHECK(e.code() == errc::no_such_interface);
        }

        using namespace asio::experimental::awaitable_operators;
        packet silent = IP{.dst = "198.19.248.1"} / ICMP{};
        auto first = co_await (net.sr1(silent, {.timeout = 1h}, asio::use_awaitable) ||
                               sim.sleep(2s, asio::use_awaitable));
        CHECK(first.index() == 1);    // the two seconds ended first,
        CHECK(net.in_flight() == 0);  // and of the probe nothing is left
    });
}
