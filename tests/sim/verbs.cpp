// Every verb on the simulated network: the programs are those of the real one.
#include "support/simulated.hpp"

#include <sonde/sonde.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <filesystem>
#include <future>
#include <map>
#include <set>

#include <unistd.h>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

template <class L>
std::size_t count(packet_stream& capture) {
    std::size_t n = 0;
    while (auto p = capture.try_next()) n += p->template has<L>();
    return n;
}

constexpr auto token = asio::as_tuple(asio::use_awaitable);

}  // namespace

TEST_CASE("sr1 yields the echo reply, and its round-trip time is the simulated link's to the nanosecond") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {.think = 3ms}, path::both({.delay = 5ms}));
        network net{co_await asio::this_coro::executor};
        auto x =
            co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{} / "XXXXXXXXXXX", {.timeout = 1s, .retry = 2});
        REQUIRE(x);
        CHECK(x->received.get<ICMP>().type == "echo-reply");
        CHECK(x->received.get<IP>().src == "198.18.0.1");
        CHECK(x->received.get<Raw>().load == "XXXXXXXXXXX");
        CHECK(x->attempt == 1);
        CHECK(x->rtt() == 13ms);
        CHECK(net.in_flight() == 0);
    });
}

TEST_CASE("A silent address gets 1 + retry packets, exactly a timeout apart") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        auto& there = sim.add("198.18.0.1", host::silent()).there;
        network net{co_await asio::this_coro::executor};
        auto witness = net.sniff({.iface = "eth1", .filter = "icmp"});
        auto began = sim.now();
        auto x = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 200ms, .retry = 2});
        CHECK(!x);
        CHECK(sim.now() - began == 600ms + 200us);  // after the router's ARP answer
        CHECK(there.counts().delivered == 3);
        std::set<std::pair<unsigned, unsigned>> identities;
        std::vector<timestamp> times;
        while (auto p = witness.try_next()) {
            identities.emplace(p->get<ICMP>().id.value(), p->get<ICMP>().seq.value());
            times.push_back(p->time);
        }
        CHECK(identities.size() == 3);
        REQUIRE(times.size() == 3);
        CHECK(times[1] - times[0] == 200ms);
        CHECK(times[2] - times[1] == 200ms);
    });
}

TEST_CASE("sr yields the open, the closed and the silent of a set, and reports as Scapy does") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/24", {.tcp = {22, 80}});
        sim.add("198.18.0.7", host::silent());
        network net{co_await asio::this_coro::executor};
        auto scan =
            net.sr(IP{.dst = "198.18.0.0/24"} / TCP{.dport = {22, 80, 443}}, {.timeout = 1s, .retry = 2});
        std::size_t open = 0, closed = 0;
        while (auto x = co_await scan.next()) ++(x->received.get<TCP>().flags == "SA" ? open : closed);
        CHECK(open == 255 * 2);
        CHECK(closed == 255);
        auto r = scan.report();
        CHECK(fmt::format("{}", r) == "Received 765 packets, got 765 answers, remaining 3 packets");
        CHECK(r.sent == 768 + 2 * 3);
        CHECK(scan.unanswered().size() == 3);
        support::accounting(r, 768);
        support::accounting_of_one_device(sim);
    });
}

TEST_CASE(
    "What sr says it sent are the bytes that left, whether the answer came soon or after thousands of "
    "others") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.record();
        sim.add("198.18.0.0/20", {}, path::both({.delay = 1ms, .jitter = 200ms, .loss = 0.2}));
        network net{co_await asio::this_coro::executor};
        auto scan =
            net.srp(Ether{} / IP{.dst = "198.18.0.0/20", .tos = random_byte()} / UDP{.dport = 9} / "probe",
                    {.timeout = 1s, .retry = 1, .rate = 20'000, .iface = "eth1"});
        auto octets = [](std::vector<std::byte> const& frame) {
            return std::string(reinterpret_cast<char const*>(frame.data()), frame.size());
        };
        std::vector<std::string> told;
        while (auto x = co_await scan.next()) told.push_back(octets(x->sent.build()));
        std::set<std::string> left;
        for (auto const& f : sim.trace())
            if (f.outgoing) left.insert(octets({f.bytes.begin(), f.bytes.end()}));
        CHECK(told.size() > 3000);
        CHECK(std::ranges::all_of(told, [&](auto const& frame) { return left.contains(frame); }));
        std::ranges::sort(told);
        CHECK(std::ranges::adjacent_find(told) == told.end());
    });
}

TEST_CASE("collect gives both lists; the answers keep their order of arrival") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1", {.tcp = {22}});
        network net{co_await asio::this_coro::executor};
        auto [ans, unans] = co_await net.sr(IP{.dst = "198.18.0.1"} / TCP{.dport = {21, 22, 23}}).collect();
        CHECK(unans.empty());
        REQUIRE(ans.size() == 3);
        CHECK(ans[0].received.get<TCP>().flags == "RA");
        CHECK(ans[1].received.get<TCP>().flags == "SA");
        CHECK(ans[1].received.get<TCP>().ack == ans[1].sent.get<TCP>().seq.value() + 1);
    });
}

TEST_CASE("IPv6 is answered after neighbour discovery, on the link and behind the router") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("2001:db8::/32", {.tcp = {80}});
        sim.add("2001:db8:ffff::77");
        network net{co_await asio::this_coro::executor};
        for (std::string to : {"2001:db8::7", "2001:db8:ffff::77"}) {
            auto x = co_await net.sr1(IPv6{.dst = to} / ICMPv6EchoRequest{.data = "abc"});
            REQUIRE(x);
            CHECK(x->received.get<ICMPv6EchoReply>().data == "abc");
        }
        auto open = co_await net.sr1(IPv6{.dst = "2001:db8::7"} / TCP{.dport = 80});
        REQUIRE(open);
        CHECK(open->received.get<TCP>().flags == "SA");
        auto closed = co_await net.sr1(IPv6{.dst = "2001:db8::7"} / UDP{.dport = 9});
        REQUIRE(closed);
        CHECK(closed->received.get<ICMPv6DestUnreach>().code == 4);
    });
}

TEST_CASE("srp asks by ARP; an address where nobody is stays silent") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.51.100.9");
        network net{co_await asio::this_coro::executor};
        auto [ans, unans] = co_await net
                                .srp(Ether{.dst = "ff:ff:ff:ff:ff:ff"} / ARP{.pdst = "198.51.100.8/30"},
                                     {.timeout = 1s, .iface = "eth1"})
                                .collect();
        REQUIRE(ans.size() == 1);
        CHECK(ans[0].received.get<ARP>().psrc == "198.51.100.9");
        CHECK(ans[0].received.get<ARP>().hwsrc == "02:00:c6:33:64:09");
        CHECK(unans.size() == 3);
    });
}

TEST_CASE("What srp sent is told with the neighbour that each frame went to, however many there were") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.51.100.8/30");
        sim.add("198.18.0.0/28");
        network net{co_await asio::this_coro::executor};
        std::vector<std::string> const hosts{"198.51.100.9", "198.51.100.10", "198.18.0.1", "198.18.0.2"};
        auto scan = net.srp(Ether{} / IP{.dst = values(hosts)} / ICMP{}, {.timeout = 1s, .iface = "eth1"});
        std::map<std::string, mac> went_to;
        while (auto x = co_await scan.next()) {
            CHECK(x->sent.get<Ether>().dst == x->received.get<Ether>().src.value());
            went_to[x->sent.get<IP>().dst.value().to_string()] = x->sent.get<Ether>().dst;
        }
        REQUIRE(went_to.size() == 4);
        CHECK(went_to["198.51.100.9"] == mac("02:00:c6:33:64:09"));
        CHECK(went_to["198.51.100.10"] == mac("02:00:c6:33:64:0a"));
        CHECK(went_to["198.18.0.1"] == went_to["198.18.0.2"]);
    });
}

TEST_CASE("A next hop that does not answer ARP fails its probes; a thousand of them ask three times in all") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto witness = net.sniff({.iface = "eth1", .filter = "arp"});
        auto scan = net.sr(IP{.dst = "198.51.100.77"} / TCP{.dport = range(1, 1000)}, {.timeout = 200ms});
        while (auto x = co_await scan.next()) FAIL("nobody is there");
        CHECK(scan.report().send_errors == 1000);
        CHECK(scan.report().sent == 0);
        CHECK(count<ARP>(witness) == 3);
        auto [ec, x] = co_await net.sr1(IP{.dst = "198.51.100.77"} / ICMP{}, {}, token);
        CHECK(ec == errc::no_neighbour);
        CHECK(sim.counts().nowhere == 3);
    });
}

TEST_CASE("A send of more packets than may wait for a next hop waits for it, and all of them leave") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        auto& taken = sim.add("198.18.0.0/15", host::silent()).there;
        network net{co_await asio::this_coro::executor};
        auto r = co_await net.send(IP{.dst = "198.18.0.0/15"} / UDP{.dport = 9});
        CHECK(r.sent == 131072);
        CHECK(r.send_errors == 0);
        CHECK(taken.counts().entered == 131072);
        auto nowhere = co_await net.send(IP{.dst = "198.51.100.77"} / UDP{.dport = range(1, 65535)},
                                         {.count = 2}, asio::as_tuple(asio::use_awaitable));
        CHECK(std::get<0>(nowhere) == errc::no_neighbour);
        CHECK(std::get<1>(nowhere).send_errors == 131070);
    });
}

TEST_CASE("send and sendp say what left, and when the last of it did") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        auto& taken = sim.add("198.18.0.0/15", host::silent()).there;
        network net{co_await asio::this_coro::executor};
        auto set = IP{.dst = {"198.18.0.1", "198.18.0.2"}} / UDP{.dport = 9};
        auto r = co_await net.send(set, {.count = 10, .inter = 10ms});
        CHECK(r.sent == 20);
        CHECK(r.duration == 190ms - 200us);  // all but the first, which waited for ARP
        CHECK(taken.counts().entered == 20);
        auto got1 = co_await net.send(set, {.count = 0});
        CHECK(got1.sent == 0);
        auto text = co_await net.sendp(Raw{"I'm travelling on Ethernet"},
                                       {.count = 5, .inter = 200ms, .iface = "eth1"});
        CHECK(text.sent == 5);
        CHECK(text.duration == 800ms);
        CHECK(sim.counts().nowhere == 5);
    });
}

TEST_CASE("A loop is collected as a scan is: the answered and the silent of all its rounds") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        sim.add("198.18.0.2", host::silent());
        network net{co_await asio::this_coro::executor};
        auto const probes = IP{.dst = {"198.18.0.1", "198.18.0.2"}} / ICMP{};
        auto [ans, unans] = co_await net.srloop(probes, {.count = 3, .inter = 1s}).collect();
        CHECK(ans.size() == 3);
        CHECK(unans.size() == 3);
        for (auto const& [sent, received] : ans) {
            CHECK(sent.get<IP>().dst == "198.18.0.1");
            CHECK(received.get<IP>().src == "198.18.0.1");
        }
        for (auto const& p : unans) CHECK(p.get<IP>().dst == "198.18.0.2");
        CHECK(fmt::format("{}", unans) == unans.summary());

        auto loop = net.srloop(probes, {.count = 2, .inter = 1s});
        auto const lists = co_await loop.collect();
        CHECK(lists.answered.size() == 2);
        CHECK(lists.unanswered.size() == 2);
        CHECK(loop.report().sent == 4);
        CHECK(loop.report().rounds == 4);
    });
}

TEST_CASE("An exchange prints both of its packets, in each style of packets") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        network net{co_await asio::this_coro::executor};
        auto x = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{});
        REQUIRE(x);
        CHECK(fmt::format("{}", *x) == fmt::format("{} ==> {}", x->sent, x->received));
        CHECK(fmt::format("{:command}", *x) == fmt::format("{:command}\n{:command}", x->sent, x->received));
        CHECK(fmt::format("{:show}", *x) == fmt::format("{:show}\n{:show}", x->sent, x->received));
    });
}

TEST_CASE("srloop yields three rounds a second apart, the silent ones too, and Scapy's footer") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        sim.add("198.18.0.2", host::silent());
        network net{co_await asio::this_coro::executor};
        auto began = sim.now();
        auto loop = net.srloop(IP{.dst = {"198.18.0.1", "198.18.0.2"}} / ICMP{}, {.count = 3, .inter = 1s});
        std::multiset<std::uint64_t> received, failed;
        while (auto x = co_await loop.next()) (x->answered() ? received : failed).insert(x->round);
        CHECK(received == std::multiset<std::uint64_t>{1, 2, 3});
        CHECK(failed == std::multiset<std::uint64_t>{1, 2, 3});
        CHECK(fmt::format("{}", loop.report()) == "Sent 6 packets, received 3 packets. 50.0% hits.");
        CHECK(sim.now() - began == 3 * 2s + 200us);  // a round lasts its timeout of 2 x inter
    });
}

TEST_CASE("sniff sees what comes and goes, by its filter, its count and its timeout") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.1");
        network net{co_await asio::this_coro::executor};
        auto both = net.sniff({.iface = "eth1", .filter = "icmp", .count = 2});
        auto brief = net.sniff({.iface = "eth1", .filter = "udp", .timeout = 3s});
        auto all = net.sniff({});
        co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{});
        auto request = co_await both.next(), reply = co_await both.next(), end = co_await both.next();
        REQUIRE((request && reply));
        CHECK(request->get<ICMP>().type == 8);
        CHECK(reply->get<ICMP>().type == 0);
        CHECK(!end);
        auto got2 = co_await brief.next();
        CHECK(!got2);
        CHECK(count<Ether>(all) == 4);  // two of ARP
    });
}

TEST_CASE("The machine answers itself on lo, and every packet there is seen once") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.self().behaviour.tcp = {8080};
        network net{co_await asio::this_coro::executor};
        for (std::string own : {"127.0.0.1", "198.51.100.1"}) {
            auto all = net.sr(IP{.dst = own} / TCP{.dport = {8080, 8081}}, {.timeout = 300ms, .multi = true});
            std::multiset<std::string> flags;
            while (auto x = co_await all.next())
                flags.insert(fmt::format("{}", x->received.get<TCP>().flags.value()));
            CHECK(flags.size() == 2);
            CHECK(all.report().duplicates == 0);
        }
        auto x = co_await net.sr1(IPv6{.dst = "::1"} / ICMPv6EchoRequest{});
        CHECK(x);
    });
}

TEST_CASE("Host names are the simulation's, and resolve when the packet is sent") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.53");
        sim.add_name("server.example", ipv4("198.18.0.53"));
        network net{co_await asio::this_coro::executor};
        auto x = co_await net.sr1(IP{.dst = "server.example"} / ICMP{});
        REQUIRE(x);
        CHECK(x->received.get<IP>().src == "198.18.0.53");
        auto [ec, none] = co_await net.sr1(IP{.dst = "nobody.example"} / ICMP{}, {}, token);
        CHECK(ec == errc::host_not_found);
    });
}

TEST_CASE("Callbacks, futures, strands and operators work on the simulation as they do on a loop") {
    simulation sim(support::seed());
    sim.add("198.18.0.1", {}, path::both({.delay = 10ms}));
    sim.add("198.18.0.2", {}, path::both({.delay = 20ms}));
    network net{sim};
    auto future = net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {}, asio::use_future);
    bool called = false;
    net.sr1(IP{.dst = "198.18.0.2"} / ICMP{}, {},
            [&](error_code ec, std::optional<exchange> x) { called = !ec && x; });
    CHECK(!called);
    sim.run();
    CHECK(called);
    CHECK(future.get());
    sim.run([&]() -> asio::awaitable<void> {
        using namespace asio::experimental::awaitable_operators;
        network on_strand{asio::any_io_executor(asio::make_strand(sim.context()))};
        auto first = co_await (on_strand.sr1(IP{.dst = "198.18.0.2"} / ICMP{}, {}, asio::use_awaitable) ||
                               on_strand.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {}, asio::use_awaitable));
        CHECK(first.index() == 1);
        CHECK(on_strand.in_flight() == 0);
        auto late = co_await (net.sr1(IP{.dst = "198.18.0.2"} / ICMP{}, {}, asio::use_awaitable) ||
                              sim.sleep(30ms, asio::use_awaitable));
        CHECK(late.index() == 1);
        CHECK(net.in_flight() == 0);
    });
    support::accounting(sim);
}

TEST_CASE("A capture is replayed with its gaps: 0, 0.2 and 0.3 seconds") {
    auto path =
        std::filesystem::temp_directory_path() / ("sonde-sim-" + std::to_string(::getpid()) + ".pcap");
    std::vector<packet> session;
    for (auto at : {0ms, 200ms, 300ms}) {
        packet p =
            Ether{.dst = "02:00:00:00:00:02", .src = "02:00:00:00:00:01"} / IP{.dst = "198.18.0.1"} / UDP{};
        p.time = timestamp(1000s + at);
        session.push_back(p);
    }
    write_pcap(path.string(), session);
    support::simulate([&](simulation& sim) -> asio::awaitable<void> {
        sim.record();
        network net{co_await asio::this_coro::executor};
        auto r =
            co_await net.sendp(read_pcap(path.string()), {.count = 2, .iface = "eth1", .realtime = true});
        CHECK(r.sent == 6);  // count = 2 of 3
        std::vector<std::chrono::nanoseconds> gaps;
        for (auto const& f : sim.trace()) gaps.push_back(f.time - sim.trace().front().time);
        CHECK(gaps == std::vector<std::chrono::nanoseconds>{0ms, 200ms, 300ms, 300ms, 500ms, 600ms});
        // What was traced is a capture file again.
        sim.write_trace(path.string());
        std::size_t n = 0;
        for (packet const& p : read_pcap(path.string())) n += p.has<UDP>();
        CHECK(n == 6);
    });
    std::filesystem::remove(path);
}

namespace {

/// Octets as frames of a file: a datagram whose sums are wrong, one with octets behind it, less than a
/// header, one for 198.18.0.7.
struct odd_capture {
    odd_capture() {
        packet both = Ether{.dst = "02:00:00:00:00:02", .src = "02:00:00:00:00:01"} /
                      IP{.dst = {"198.18.0.1", "198.18.0.7"}} / UDP{.chksum = 0xbad} / "odd";
        auto octets = both[0].build();
        frames.push_back(octets);
        octets.insert(octets.end(), 9, std::byte(0xee));
        frames.push_back(octets);
        frames.push_back(std::vector<std::byte>(5, std::byte(0x11)));
        frames.push_back(both[1].build());
        capture_writer file(path);
        for (auto const& f : frames) file.append(frame{.bytes = f});
    }
    ~odd_capture() { std::filesystem::remove(path); }

    std::string path =
        (std::filesystem::temp_directory_path() / ("sonde-odd-" + std::to_string(::getpid()) + ".pcap"))
            .string();
    std::vector<std::vector<std::byte>> frames;
};

/// Shorter than an Ethernet header nothing leaves.
std::vector<std::vector<std::byte>> padded(std::vector<std::vector<std::byte>> frames) {
    for (auto& f : frames)
        if (f.size() < 14) f.resize(60);
    return frames;
}

std::vector<std::vector<std::byte>> frames_of(simulation const& sim) {
    std::vector<std::vector<std::byte>> all;
    for (auto const& f : sim.trace()) all.emplace_back(f.bytes.begin(), f.bytes.end());
    return all;
}

}  // namespace

TEST_CASE("The frames of a file leave as they lie in it, whatever they hold, with a limit or without") {
    odd_capture file;
    for (double limit : {0.0, 1000.0})
        support::simulate([&](simulation& sim) -> asio::awaitable<void> {
            sim.record();
            network net{co_await asio::this_coro::executor};
            if (limit > 0) net.set_rate(limit);
            auto r = co_await net.sendp(read_pcap(file.path), {.count = 2, .iface = "eth1"});
            CHECK(r.sent == 8);
            CHECK(r.bytes == 2 * (45 + 54 + 5 + 45));
            auto expected = file.frames;
            expected.insert(expected.end(), file.frames.begin(), file.frames.end());
            CHECK(frames_of(sim) == padded(expected));
        });
}

TEST_CASE("A replay does not go where nothing may go, also when that is told while it runs") {
    odd_capture file;
    support::simulate([&](simulation& sim) -> asio::awaitable<void> {
        sim.record();
        network net{co_await asio::this_coro::executor};
        asio::co_spawn(
            co_await asio::this_coro::executor,
            [&]() -> asio::awaitable<void> {
                co_await sim.sleep(45ms, asio::use_awaitable);
                net.block("198.18.0.1");
            },
            asio::detached);
        auto r = co_await net.sendp(read_pcap(file.path), {.count = 2, .inter = 10ms, .iface = "eth1"});
        // The second pass begins at 40 ms: its first frame had left, its second had not.
        auto expected = file.frames;
        expected.insert(expected.end(), {file.frames[0], file.frames[2], file.frames[3]});
        CHECK(frames_of(sim) == padded(expected));
        CHECK(r.sent == 7);
        CHECK(r.send_errors == 1);
        CHECK(r.first_error == errc::target_blocked);
        CHECK(net.why() == "198.18.0.1");
    });
}

TEST_CASE("A simulated network has no AF_XDP, and takes no notice of who asks for it") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/24");
        network net{co_await asio::this_coro::executor, {.xdp = true}};
        CHECK(co_await net.sr1(IP{.dst = "198.18.0.1"} / TCP{.dport = 80}, {.timeout = 1s}));
    });
}
