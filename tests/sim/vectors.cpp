// What Scapy's engine does with retries, duplicates, late answers and paces, and our rule where it differs.
#include "support/simulated.hpp"

#include <sonde/sonde.hpp>

#include <map>
#include <set>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

/// The echo reply to a request.
packet echo_reply(packet const& asked, replies& out) {
    auto const& icmp = asked.get<ICMP>();
    return out.back() / ICMP{.type = 0, .id = icmp.id.value(), .seq = icmp.seq.value()};
}

}  // namespace

TEST_CASE("retry = 2 on a silent set of three sends nine packets") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        auto& there = sim.add("198.18.0.1", host::silent()).there;
        network net{co_await asio::this_coro::executor};
        auto scan = net.sr(IP{.dst = "198.18.0.1"} / TCP{.dport = {1, 2, 3}}, {.timeout = 1s, .retry = 2});
        auto got1 = co_await scan.next();
        CHECK(!got1);
        CHECK(there.counts().entered == 9);
        CHECK(scan.report().sent == 9);
        CHECK(scan.report().retries == 6);
        CHECK(scan.unanswered().size() == 3);
    });
}

TEST_CASE("retry = -2 with one answer in each round sends 8 + 7 + ... + 1 = 36 packets for 8 answers") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        auto next = sim.now();
        std::set<unsigned> answered;
        auto& there =
            sim.add("198.18.0.1", {.script =
                                       [&](packet const& p, replies& out) {
                                           auto port = p.get<TCP>().dport.value();
                                           if (sim.now() < next || !answered.insert(port).second) return true;
                                           next = sim.now() + 500ms;
                                           out.send(out.back() / TCP{.dport = p.get<TCP>().sport.value(),
                                                                     .sport = port,
                                                                     .flags = "SA",
                                                                     .ack = p.get<TCP>().seq.value() + 1});
                                           return true;
                                       }})
                .there;
        network net{co_await asio::this_coro::executor};
        auto scan = net.sr(IP{.dst = "198.18.0.1"} / TCP{.dport = range(1, 8)}, {.timeout = 1s, .retry = -2});
        std::size_t answers = 0;
        while (auto x = co_await scan.next()) ++answers;
        CHECK(answers == 8);
        CHECK(there.counts().entered == 36);
    });
}

TEST_CASE("Two answers to each of three probes: three without multi, six with it") {
    for (bool multi : {false, true})
        support::simulate([multi](simulation& sim) -> asio::awaitable<void> {
            sim.add("198.18.0.1", {.script = [](packet const& p, replies& out) {
                        out.send(echo_reply(p, out));
                        out.send(echo_reply(p, out), 10ms);
                        return true;
                    }});
            network net{co_await asio::this_coro::executor};
            auto scan =
                net.sr(IP{.dst = "198.18.0.1", .tos = {0, 4, 8}} / ICMP{}, {.timeout = 1s, .multi = multi});
            std::size_t answers = 0;
            auto began = sim.now();
            while (auto x = co_await scan.next()) ++answers;
            CHECK(answers == (multi ? 6 : 3));
            // Ours: without multi it ends with the last probe's first answer; with it, at the timeout.
            CHECK((sim.now() - began >= 1s) == multi);
        });
}

TEST_CASE("Answers come in the order of their arrival: 3, 2, 1") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/24", {.script = [](packet const& p, replies& out) {
                    auto n = p.get<IP>().dst.value().value & 0xff;
                    out.send(echo_reply(p, out), 40ms - n * 10ms);
                    return true;
                }});
        network net{co_await asio::this_coro::executor};
        auto [ans, unans] =
            co_await net.sr(IP{.dst = {"198.18.0.1", "198.18.0.2", "198.18.0.3"}} / ICMP{}).collect();
        REQUIRE(ans.size() == 3);
        CHECK(ans[0].received.get<IP>().src == "198.18.0.3");
        CHECK(ans[1].received.get<IP>().src == "198.18.0.2");
        CHECK(ans[2].received.get<IP>().src == "198.18.0.1");
        CHECK(ans[2].rtt() == 30ms + 200us);
    });
}

TEST_CASE("sr1 on a set returns with the first answer and sends nothing more") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        auto& there = sim.add("198.18.0.0/16", host::silent(), path::both({.delay = 5ms})).there;
        sim.add("198.18.0.9", {}, path::both({.delay = 5ms}));
        network net{co_await asio::this_coro::executor};
        auto began = sim.now();
        auto x = co_await net.sr1(IP{.dst = "198.18.0.0/16"} / ICMP{}, {.inter = 1ms});
        REQUIRE(x);
        CHECK(x->received.get<IP>().src == "198.18.0.9");
        CHECK(sim.now() - began == 9ms + 10ms);
        co_await sim.sleep(1s, asio::use_awaitable);
        CHECK(there.counts().entered == 18);  // 0 to 19, without the one that answered, nor any after it
        CHECK(net.in_flight() == 0);
    });
}

TEST_CASE(
    "An answer to the first attempt that comes during the second has the first one's RTT, 150 ms, not 45") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        int asked = 0;
        sim.add("198.18.0.1", {.script = [&](packet const& p, replies& out) {
                    if (++asked == 1) out.send(echo_reply(p, out), 150ms - 200us);
                    return true;
                }});
        network net{co_await asio::this_coro::executor};
        auto x = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 105ms, .retry = 1});
        REQUIRE(x);
        CHECK(x->rtt() == 150ms);
        CHECK(x->attempt == 1);
        CHECK(asked == 2);
    });
}

TEST_CASE("A timeout is each probe's own, from its own departure") {
    for (auto answers_after : {140ms, 160ms})
        support::simulate([=](simulation& sim) -> asio::awaitable<void> {
            sim.add("198.18.0.0/24", {.think = answers_after});
            network net{co_await asio::this_coro::executor};
            co_await net.sr1(IP{.dst = "198.18.0.9"} / ICMP{});  // asks for the router's address
            auto began = sim.now();
            auto scan = net.sr(IP{.dst = {"198.18.0.1", "198.18.0.2", "198.18.0.3"}} / ICMP{},
                               {.timeout = 150ms, .inter = 100ms});
            std::size_t answers = 0;
            while (auto x = co_await scan.next()) ++answers;
            bool in_time = answers_after < 150ms;
            CHECK(answers == (in_time ? 3 : 0));
            CHECK(sim.now() - began == 200ms + (in_time ? 140ms + 200us : 150ms));
            CHECK(scan.report().late == (in_time ? 0 : 2));  // the third's comes when all is over
        });
}

TEST_CASE("TCP acknowledgements, ports, DNS questions and resets are matched exactly") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        std::uint32_t off = 0;
        std::string flags = "SA";
        std::uint16_t from = 80;
        sim.add("198.18.0.1", {.udp = {{53,
                                        [](packet const& p) -> std::optional<packet> {
                                            return DNS{.id = p.get<DNS>().id.value(),
                                                       .qd = DNSQR{.qname = "other.example"},
                                                       .qr = 1};
                                        }}},
                               .script = [&](packet const& p, replies& out) {
                                   if (!p.has<TCP>()) return false;
                                   auto const& tcp = p.get<TCP>();
                                   out.send(out.back() / TCP{.dport = tcp.sport.value(),
                                                             .sport = from,
                                                             .flags = flags,
                                                             .ack = tcp.seq.value() + off});
                                   return true;
                               }});
        network net{co_await asio::this_coro::executor};
        auto syn = IP{.dst = "198.18.0.1"} / TCP{.dport = 80, .seq = 100};
        std::map<std::uint32_t, bool> accepted;
        for (std::uint32_t ack : {0u, 1u, 2u, 3u}) {
            off = ack;
            accepted[100 + ack] = (co_await net.sr1(syn, {.timeout = 100ms})).has_value();
        }
        CHECK(accepted ==
              std::map<std::uint32_t, bool>{{100, false}, {101, true}, {102, false}, {103, false}});
        off = 1, flags = "R";  // a reset of a SYN acknowledges it (RFC 9293 §3.10.7.3)
        auto got2 = co_await net.sr1(syn, {.timeout = 100ms});
        CHECK(!got2);
        flags = "RA";
        auto got3 = co_await net.sr1(syn, {.timeout = 100ms});
        CHECK(got3);
        from = 81;
        auto got4 = co_await net.sr1(syn, {.timeout = 100ms});
        CHECK(!got4);
        auto got5 = co_await net.sr1(
            IP{.dst = "198.18.0.1"} / UDP{.dport = 53} / DNS{.qd = DNSQR{.qname = "a.example"}},
            {.timeout = 100ms});
        CHECK(!got5);
    });
}

TEST_CASE(
    "A group's members answer from their own addresses: ff02::1, the subnet's and the limited broadcast") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        for (std::string n : {"11", "12", "13"}) {
            sim.add("198.51.100." + n);
            sim.add("2001:db8:ffff::" + n);
        }
        network net{co_await asio::this_coro::executor};
        for (std::string group : {"198.51.100.255", "255.255.255.255"}) {
            CAPTURE(group);
            auto all = net.sr(IP{.dst = group} / ICMP{}, {.timeout = 1s, .iface = "eth1", .multi = true});
            std::set<std::string> from;
            while (auto x = co_await all.next()) from.insert(x->received.get<IP>().src.value().to_string());
            CHECK(from ==
                  std::set<std::string>{"198.51.100.2", "198.51.100.11", "198.51.100.12", "198.51.100.13"});
        }
        auto six = net.sr(IPv6{.dst = "ff02::1"} / ICMPv6EchoRequest{}, {.timeout = 1s, .multi = true});
        std::size_t answers = 0;
        while (auto x = co_await six.next()) ++answers;
        CHECK(answers == 4);
    });
}

TEST_CASE("count = 2 of three sends six, count = 0 none, and a scan that is answered ends at once") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {.tcp = {80}});
        network net{co_await asio::this_coro::executor};
        auto three = IP{.dst = "198.18.0.1"} / TCP{.dport = {1, 2, 3}};
        auto got6 = co_await net.send(three, {.count = 2});
        CHECK(got6.sent == 6);
        auto got7 = co_await net.send(three, {.count = 0});
        CHECK(got7.sent == 0);
        auto began = sim.now();
        auto scan = net.sr(three, {.timeout = 10s, .retry = 5});
        while (co_await scan.next()) {
        }
        CHECK(sim.now() - began == 200us);
        CHECK(scan.report().sent == 3);
        auto none = net.srloop(three, {.count = 0});
        auto got8 = co_await none.next();
        CHECK(!got8);
        CHECK(fmt::format("{}", none.report()) == "Sent 0 packets, received 0 packets. 0.0% hits.");
    });
}

TEST_CASE("A pace is kept: gaps by inter, means by rate") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/15", host::silent());
        network net{co_await asio::this_coro::executor};
        co_await net.send(IP{.dst = "198.18.0.1"} / UDP{});
        sim.record();
        co_await net.send(IP{.dst = "198.18.0.1", .id = range(1, 100)} / UDP{}, {.inter = 7ms});
        auto const& trace = sim.trace();
        REQUIRE(trace.size() == 100);
        for (std::size_t i = 1; i < trace.size(); ++i) CHECK(trace[i].time - trace[i - 1].time == 7ms);
        auto r = co_await net.send(IP{.dst = "198.18.0.1", .id = range(1, 10000)} / UDP{}, {.rate = 12345});
        auto seconds = std::chrono::duration<double>(r.duration).count();
        CHECK(9999 / seconds > 12345 * 0.99);
        CHECK(9999 / seconds < 12345 * 1.01);
    });
}

TEST_CASE(
    "Eight octets of a SYN that an ICMP error quotes end its probe, if its sequence number is among them") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {.quote = 8}, {.routers = {ipv4("192.0.2.9")}});
        sim.add("198.18.0.2", {.script = [](packet const& p, replies& out) {
                    auto quoted = p.build();
                    quoted.resize(28);
                    quoted[27] ^= std::byte(1);  // of the sequence number
                    out.send(out.back() / ICMP{.type = 3, .code = 1} /
                             packet(std::span<std::byte const>(quoted)));
                    return true;
                }});
        network net{co_await asio::this_coro::executor};
        auto x = co_await net.sr1(IP{.dst = "198.18.0.1", .ttl = 1} / TCP{.dport = 80}, {.timeout = 1s});
        REQUIRE(x);
        CHECK(x->received.get<ICMP>().type == 11);
        CHECK(x->received.get<IP>().src == "192.0.2.9");
        CHECK(x->received.view().bytes.size() == 20 + 8 + 28);
        auto forged = co_await net.sr1(IP{.dst = "198.18.0.2"} / TCP{.dport = 80}, {.timeout = 1s});
        CHECK(!forged);
    });
}

TEST_CASE("A UDP answer from another port is none, but for those who ask for Scapy's rules") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {.script = [](packet const& p, replies& out) {
                    out.send(out.back() / UDP{.dport = p.get<UDP>().sport.value(), .sport = 1069} / "data");
                    return true;
                }});
        network net{co_await asio::this_coro::executor};
        auto probe = IP{.dst = "198.18.0.1"} / UDP{.dport = 69} / "get";
        auto exact = co_await net.sr1(probe, {.timeout = 1s});
        CHECK(!exact);
        auto relaxed = co_await net.sr1(probe, {.timeout = 1s, .relaxed = true});
        CHECK(relaxed);
    });
}

TEST_CASE("A DHCP offer that a server broadcasts answers the discover that was broadcast") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.51.100.9", {.script = [](packet const& p, replies& out) {
                    if (!p.has<BOOTP>()) return false;
                    out.send(IP{.dst = "255.255.255.255", .src = "198.51.100.9"} /
                             UDP{.dport = 68, .sport = 67} /
                             BOOTP{.xid = p.get<BOOTP>().xid.value(), .op = 2} /
                             DHCP{.options = "[('message-type','offer'),'end']"});
                    return true;
                }});
        network net{co_await asio::this_coro::executor};
        packet discover = Ether{.dst = "ff:ff:ff:ff:ff:ff"} / IP{.dst = "255.255.255.255", .src = "0.0.0.0"} /
                          UDP{.dport = 67, .sport = 68} / BOOTP{} /
                          DHCP{.options = "[('message-type','discover'),'end']"};
        auto x = co_await net.srp1(discover, {.timeout = 1s, .iface = "eth1"});
        REQUIRE(x);
        CHECK(x->received.get<IP>().src == "198.51.100.9");
        CHECK(x->received.get<BOOTP>().xid == x->sent.get<BOOTP>().xid.value());
    });
}

TEST_CASE("Each pass of a send draws its random fields anew; fragments leave with offsets 0, 185 and 370") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", host::silent());
        network net{co_await asio::this_coro::executor};
        co_await net.send(IP{.dst = "198.18.0.1"} / UDP{});
        sim.record();
        co_await net.send(IP{.dst = "198.18.0.1", .id = random_short()} / UDP{}, {.count = 3});
        std::set<unsigned> ids;
        for (auto const& f : sim.trace()) ids.insert(unsigned(f.bytes[18]) << 8 | unsigned(f.bytes[19]));
        CHECK(ids.size() == 3);
        packet big = IP{.dst = "198.18.0.1", .src = "198.51.100.1"} / ICMP{} / std::string(3000, 'X');
        co_await net.send(fragment(big));
        REQUIRE(sim.trace().size() == 6);
        std::vector<std::pair<unsigned, std::size_t>> places;
        for (std::size_t n = 3; n < 6; ++n) {
            auto const& f = sim.trace()[n].bytes;
            places.emplace_back((unsigned(f[20]) << 8 | unsigned(f[21])) & 0x1fff, f.size() - 14);
        }
        CHECK(places == std::vector<std::pair<unsigned, std::size_t>>{{0, 1500}, {185, 1500}, {370, 68}});
    });
}

TEST_CASE("Scapy's footers: srloop counts what it sent, not what came; hits are of all probes") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {.script = [n = 0](packet const& p, replies& out) mutable {
                    if (++n % 2) out.send(echo_reply(p, out)), out.send(echo_reply(p, out), 1ms);
                    return true;
                }});
        network net{co_await asio::this_coro::executor};
        auto loop = net.srloop(IP{.dst = "198.18.0.1"} / ICMP{}, {.count = 4, .inter = 100ms});
        std::string lines;
        while (auto x = co_await loop.next()) lines += fmt::format("{}\n", *x).substr(0, 7) + "|";
        CHECK(lines == "RECV 1:|fail 1:|RECV 1:|fail 1:|");
        CHECK(fmt::format("{}", loop.report()) == "Sent 4 packets, received 2 packets. 50.0% hits.");
    });
}
