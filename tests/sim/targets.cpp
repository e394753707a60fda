// Where packets may go: special addresses must be named, and the lists hold for every verb. Judged by what
// the wire has seen.
#include "support/simulated.hpp"

#include <sonde/sonde.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

constexpr std::array<std::string_view, 8> verbs = {"send", "sendp", "sr",     "srp",
                                                   "sr1",  "srp1",  "srloop", "srploop"};
constexpr auto token = asio::as_tuple(asio::use_awaitable);

struct outcome {
    std::uint64_t errors = 0;  ///< where the verb counts them
    error_code first_error;    ///< of the report, or the verb's own
};

/// Each verb once, by its own way of waiting.
asio::awaitable<outcome> use(network& net, std::string_view verb, packet what) {
    bool layer2 = verb.find('p') != verb.npos && verb != "srloop";
    if (layer2) what = Ether{.dst = "02:00:00:00:00:01"} / what;
    // One co_await in each statement: g++ 12 destroys what a conditional one gives twice.
    if (verb == "send") {
        auto [ec, r] = co_await net.send(what, {}, token);
        co_return outcome{r.send_errors, r.first_error};
    }
    if (verb == "sendp") {
        auto [ec, r] = co_await net.sendp(what, {.iface = "eth1"}, token);
        co_return outcome{r.send_errors, r.first_error};
    }
    if (verb == "sr1") {
        auto [ec, x] = co_await net.sr1(what, {.timeout = 100ms}, token);
        co_return outcome{0, ec};
    }
    if (verb == "srp1") {
        auto [ec, x] = co_await net.srp1(what, {.timeout = 100ms, .iface = "eth1"}, token);
        co_return outcome{0, ec};
    }
    if (verb.ends_with("loop")) {
        loop_options const once{.count = 1, .timeout = 100ms, .iface = layer2 ? "eth1" : ""};
        auto loop = layer2 ? net.srploop(what, once) : net.srloop(what, once);
        while (auto x = co_await loop.next()) continue;
        co_return outcome{loop.report().send_errors, loop.report().first_error};
    }
    sr_options const quick{.timeout = 100ms, .iface = layer2 ? "eth1" : ""};
    auto stream = layer2 ? net.srp(what, quick) : net.sr(what, quick);
    while (auto x = co_await stream.next()) continue;
    support::accounting(stream.report(), what.size());
    co_return outcome{stream.report().send_errors, stream.report().first_error};
}

std::size_t frames_to(simulation const& sim, ip_address const& to) {
    return static_cast<std::size_t>(std::ranges::count_if(sim.trace(), [&](captured_frame const& f) {
        auto p = dissect(f.bytes, f.type);
        bool leaves = f.outgoing || f.interface == 1;  // on lo what leaves is seen as it comes in
        if (!leaves || !p.has<UDP>()) return false;
        if (auto const* ip = p.find<IP>()) return ip_address(ip->dst.value()) == to;
        auto const* ip6 = p.find<IPv6>();
        return ip6 && ip_address(ip6->dst.value()) == to;
    }));
}

/// What the wire has seen of a packet to each address when `what` went out by a verb.
std::vector<std::size_t> seen(std::string_view verb, packet const& what, std::vector<ip_address> const& to,
                              network_options options = {}, outcome* result = nullptr,
                              std::string_view blocked = {}, std::string_view allowed = {}) {
    simulation sim(support::seed());
    sim.record();
    sim.run([&]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor, options};
        if (!blocked.empty()) net.block(blocked);
        if (!allowed.empty()) net.allow(allowed);
        auto came = co_await use(net, verb, what);
        if (result) *result = came;
    });
    sim.run();
    support::accounting(sim);
    std::vector<std::size_t> counts;
    for (auto const& a : to) counts.push_back(frames_to(sim, a));
    return counts;
}

constexpr ipv4 plain = "198.18.0.1";

/// Both addresses and no other, out of a range. No layer above: none that answers matters here.
packet between(ipv4 a, ipv4 b) {
    return IP{.dst = range(std::min(a, b), std::max(a, b), std::max(a, b).value - std::min(a, b).value)} /
           UDP{.dport = 9};
}

struct special {
    char const* text;
    target_options allow;
};
constexpr target_options broadcasts{.broadcast = true}, groups{.multicast = true},
    nobody{.unspecified = true}, ours{.own = true};

/// IANA's special-purpose blocks that are nobody else's, and what this machine's routes say.
constexpr special specials[] = {
    {"0.0.0.0", nobody},
    {"0.0.0.1", nobody},
    {"0.255.255.255", nobody},
    {"127.0.0.1", ours},
    {"127.255.255.254", ours},
    {"198.51.100.1", ours},
    {"198.51.100.255", broadcasts},
    {"255.255.255.255", broadcasts},
    {"224.0.0.1", groups},
    {"224.0.0.251", groups},
    {"239.255.255.255", groups},
};

using counts = std::vector<std::size_t>;

}  // namespace

TEST_CASE("A special address out of a range never leaves, by any verb; its neighbours in the set do") {
    for (auto const& [text, allow] : specials)
        for (auto verb : verbs) {
            INFO(text << " by " << verb);
            ipv4 const there{std::string_view(text)};
            outcome result;
            CHECK(seen(verb, between(there, plain), {there, plain}, {}, &result) == counts{0, 1});
            if (!verb.ends_with("1")) {
                CHECK(result.errors == 1);
                CHECK(result.first_error == errc::target_refused);
            }
        }
}

TEST_CASE("A special address that is written leaves once, by any verb; so does one whose kind is allowed") {
    for (auto const& [text, allow] : specials)
        for (auto verb : verbs) {
            INFO(text << " by " << verb);
            ipv4 const there{std::string_view(text)};
            CHECK(seen(verb, IP{.dst = there} / UDP{.dport = 9}, {there}) == counts{1});
            packet const listed = IP{.dst = {there, there}} / UDP{.dport = 9};
            CHECK(seen(verb, listed, {there})[0] >= 1);
            auto of_set = seen(verb, between(there, plain), {there, plain}, {.targets = allow});
            CHECK(of_set[0] == 1);
            if (!verb.ends_with("1"))
                CHECK(of_set[1] == 1);  // those end with the first answer, from lo perhaps
        }
}

TEST_CASE("Blocks that are special but may be somebody's are scanned as any other") {
    // Private, shared, link-local, protocol assignments, documentation, 6to4 relays, benchmarks, reserved; a
    // network's first and last address, where no route says that they are broadcast.
    for (auto text :
         {"10.0.0.1", "100.64.0.1", "172.16.0.1", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.255.255",
          "198.18.0.0", "198.18.0.255", "198.51.100.0", "203.0.113.1", "240.0.0.1", "255.255.255.254"}) {
        INFO(text);
        ipv4 const there{std::string_view(text)};
        outcome result;
        // Nobody is at 198.51.100.0, which would be asked for on the link.
        bool on_link = std::string_view(text) == "198.51.100.0";
        CHECK(seen("sr", between(there, plain), {there, plain}, {}, &result) == counts{!on_link, 1});
        CHECK(result.first_error == (on_link ? make_error_code(errc::no_neighbour) : error_code()));
    }
}

TEST_CASE("IPv6: groups, :: and own addresses need to be named; solicited nodes and global unicast go") {
    auto to = [](std::string_view text) { return *ip_address::parse(text); };
    for (auto verb : {"sendp", "srp"}) {
        INFO(verb);
        auto low = seen(verb, IPv6{.dst = range("::", "::3")} / UDP{.dport = 9},
                        {to("::"), to("::1"), to("::2"), to("::3")});
        CHECK(low == counts{0, 0, 1, 1});
        auto high = seen(
            verb, IPv6{.dst = range("feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ff00::1")} / UDP{.dport = 9},
            {to("feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), to("ff00::"), to("ff00::1")});
        CHECK(high == counts{1, 0, 0});
        auto own = seen(verb, IPv6{.dst = "2001:db8:ffff::/126"} / UDP{.dport = 9},
                        {to("2001:db8:ffff::1"), to("2001:db8:ffff::2")});
        CHECK(own == counts{0, 1});
        for (auto text : {"::", "::1", "ff02::1", "ff02::1:ff00:2", "ff05::2", "2001:db8:ffff::1"}) {
            INFO(text);
            CHECK(seen(verb, IPv6{.dst = std::string_view(text)} / UDP{.dport = 9}, {to(text)}) == counts{1});
        }
    }
    CHECK(seen("send", IPv6{.dst = "ff02::1"} / UDP{.dport = 9}, {to("ff02::1")}) == counts{1});
    CHECK(seen("send", IPv6{.dst = "::1"} / UDP{.dport = 9}, {to("::1")}) == counts{1});
}

TEST_CASE("Chance never picks a special address: random IPv4 and IPv6 targets, thousands of them") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.record();
        network net{co_await asio::this_coro::executor};
        auto r = co_await net.send(IP{.dst = random_ip("192.0.0.0/2")} / UDP{}, {.count = 2000});
        auto r6 = co_await net.sendp(Ether{.dst = "02:00:00:00:00:01"} / IPv6{.dst = random_ip6("fe00::/7")},
                                     {.count = 2000, .iface = "eth1"});
        CHECK(r.send_errors > 300);  // a quarter of 192.0.0.0/2 are groups
        CHECK(r6.send_errors > 800);
        CHECK(r.first_error == errc::target_refused);
        CHECK(r.sent + r.send_errors == 2000);
        CHECK(r6.sent + r6.send_errors == 2000);
        for (auto const& f : sim.trace()) {
            auto p = dissect(f.bytes, f.type);
            if (auto const* ip = p.find<IP>()) CHECK(!ip->dst.value().is_multicast());
            if (auto const* ip6 = p.find<IPv6>())
                CHECK((ip6->nh == 58 || !ip6->dst.value().is_multicast()));  // not but by ND itself
        }
    });
}

TEST_CASE("What is blocked never leaves, written or drawn, by any verb; nor what is not on the allow list") {
    ipv4 const bad = "198.18.0.2";
    for (auto verb : verbs) {
        INFO(verb);
        outcome result;
        packet const listed = IP{.dst = {bad, plain}} / UDP{.dport = 9};
        CHECK(seen(verb, listed, {bad, plain}, {}, &result, "198.18.0.2") == counts{0, 1});
        if (!verb.ends_with("1")) CHECK(result.first_error == errc::target_blocked);
        CHECK(seen(verb, listed, {bad, plain}, {}, &result, {}, "198.18.0.0/31") == counts{0, 1});
        if (!verb.ends_with("1")) CHECK(result.first_error == errc::target_blocked);
        CHECK(seen(verb, IP{.dst = bad} / UDP{}, {bad}, {}, &result, "198.18.0.0/15") == counts{0});
        CHECK(result.first_error == errc::target_blocked);
    }
}

TEST_CASE("A refusal says what it is about, and how to allow it") {
    support::simulate([](simulation&) -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto [ec, r] = co_await net.send(
            IP{.dst = range("198.51.100.255", "198.51.100.255")} | exclude("10.0.0.0/8"), {}, token);
        CHECK(!ec);  // a range of one is that one
        auto [refused, none] =
            co_await net.sr1(IP{.dst = random_ip("192.0.0.0/2")} / ICMP{} | take(0), {}, token);
        CHECK(!refused);
        auto scan = net.sr(between("198.51.100.255", "198.18.0.1"), {.timeout = 10ms});
        while (auto x = co_await scan.next()) continue;
        CHECK(net.why() == "198.51.100.255 (broadcast)");
        CHECK(scan.report().first_error.message().find("--allow-target") != std::string::npos);
        CHECK_THROWS_WITH(net.block("10.0.0.0/33"), Catch::Contains("10.0.0.0/33"));
    });
}

TEST_CASE("sonde's own questions go to any next hop; a user's ARP goes where the lists let it") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add("198.18.0.0/24");
        network net{co_await asio::this_coro::executor};
        net.block("198.51.100.0/24");  // the router's network
        CHECK(co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s}));
        auto asks = Ether{.dst = "ff:ff:ff:ff:ff:ff"} / ARP{.pdst = "198.51.100.2"};
        auto [ec, x] = co_await net.srp1(asks, {.timeout = 1s}, token);
        CHECK(ec == errc::target_blocked);
    });
    support::simulate([](simulation&) -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        // ARP asks all whatever it asks for: own and broadcast addresses are no targets there.
        auto scan =
            net.srp(Ether{.dst = "ff:ff:ff:ff:ff:ff"} / ARP{.pdst = "198.51.100.0/24"}, {.timeout = 100ms});
        while (auto y = co_await scan.next()) continue;
        CHECK(scan.report().sent == 256);
        CHECK(scan.report().send_errors == 0);
    });
}

TEST_CASE("A host name names an own address; what a resolver says of groups and of nobody is refused") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add_name("localhost", ipv4("127.0.0.1"));
        sim.add_name("sinkhole.example", ipv4("0.0.0.0"));
        sim.add_name("trap.example", ipv4("198.51.100.255"));
        network net{co_await asio::this_coro::executor};
        CHECK(co_await net.sr1(IP{.dst = "localhost"} / ICMP{}, {.timeout = 1s}));
        for (std::string name : {"sinkhole.example", "trap.example"}) {
            INFO(name);
            auto [ec, x] = co_await net.sr1(IP{.dst = name} / ICMP{}, {.timeout = 1s}, token);
            CHECK(ec == errc::target_refused);
            // The name of a source says nothing about the destination.
            auto [fine, r] = co_await net.send(IP{.dst = "255.255.255.255", .src = name} / UDP{}, {}, token);
            CHECK(!fine);
        }
        CHECK(sim.counts().holds());
    });
}

TEST_CASE("The programs of the guides go on: DHCP, mDNS, neighbour discovery, loopback networks, replays") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto sent = [&](packet_source what) -> asio::awaitable<std::uint64_t> {
            auto [ec, r] = co_await net.sendp(std::move(what), {.iface = "eth1"}, token);
            CHECK(!ec);
            CHECK(r.send_errors == 0);
            co_return r.sent;
        };
        auto discover = Ether{.dst = "ff:ff:ff:ff:ff:ff"} / IP{.dst = "255.255.255.255", .src = "0.0.0.0"} /
                        UDP{.dport = 67, .sport = 68} / BOOTP{};
        CHECK(co_await sent(discover) == 1);
        CHECK(co_await sent(Ether{} / IP{.dst = "224.0.0.251"} / UDP{.dport = 5353} / DNS{}) == 1);
        CHECK(co_await sent(Ether{} / IPv6{.dst = "ff02::1:ff00:2"} /
                            ICMPv6ND_NS{.tgt = "2001:db8:ffff::2"}) == 1);
        std::vector<packet> const session(2, discover);
        CHECK(co_await sent(session) == 2);
        CHECK(co_await sent("I'm travelling on Ethernet") == 1);
        auto loopback = net.sr(IP{.dst = "127.0.0.0/29"} / ICMP{}, {.timeout = 100ms});
        while (auto x = co_await loopback.next()) continue;
        CHECK(loopback.report().answered == 8);
        CHECK(co_await net.sr1(IP{} / ICMP{}, {.timeout = 100ms}));  // Scapy's default, 127.0.0.1
        CHECK(sim.counts().holds());
    });
}
