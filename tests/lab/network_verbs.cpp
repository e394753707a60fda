// The network's verbs against the lab's kernel: what they answer, how they end, what they leave behind.
// ctest runs this inside the lab.

#include "support/catch.hpp"
#include "support/own_path.hpp"
#include "support/run.hpp"

#include <sonde/sonde.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <filesystem>
#include <future>
#include <set>
#include <string>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

constexpr char const* silent_address = "198.19.248.7";  // `sonde lab --help`: drops everything

std::size_t entries(char const* directory, std::string const& containing = {}) {
    std::size_t n = 0;
    for (auto const& e : std::filesystem::directory_iterator(directory)) {
        std::error_code ec;
        auto target = std::filesystem::read_symlink(e.path(), ec).string();
        if (containing.empty() || target.find(containing) != target.npos) ++n;
    }
    return n;
}

asio::awaitable<void> pause(std::chrono::nanoseconds how_long) {
    asio::steady_timer timer(co_await asio::this_coro::executor, how_long);
    co_await timer.async_wait(asio::use_awaitable);
}

/// Packets that a sniffer has seen so far and that hold layer L.
template <class L>
std::size_t count(packet_stream& capture) {
    std::size_t n = 0;
    while (auto p = capture.try_next()) n += p->template has<L>();
    return n;
}

}  // namespace

TEST_CASE("sr1 yields the echo reply with its round-trip time, and an idle network keeps no loop alive") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto x =
            co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{} / "XXXXXXXXXXX", {.timeout = 1s, .retry = 2});
        REQUIRE(x);
        CHECK(x->received.get<ICMP>().type == "echo-reply");
        CHECK(x->received.get<IP>().src == "198.18.0.1");
        CHECK(x->received.get<Raw>().load == "XXXXXXXXXXX");
        CHECK(x->attempt == 1);
        CHECK(x->rtt() > 0ns);
        CHECK(x->rtt() < 1s);
        CHECK(net.in_flight() == 0);
    });
}

TEST_CASE(
    "A thousand coroutines await sr1 to different addresses over the sockets of one interface and no "
    "thread") {
    support::run([]() -> asio::awaitable<void> {
        auto executor = co_await asio::this_coro::executor;
        network net{executor};
        std::set<std::uint32_t> answered;
        int done = 0;
        auto sockets = entries("/proc/self/fd", "socket:");
        auto probe = [&](std::uint32_t n) -> asio::awaitable<void> {
            ipv4 target(ipv4("198.18.4.0").value + n);
            auto x = co_await net.sr1(IP{.dst = target} / ICMP{}, {.timeout = 5s, .retry = 1});
            ++done;
            if (x && x->received.get<IP>().src == target) answered.insert(n);
        };
        for (std::uint32_t n = 0; n < 1000; ++n) asio::co_spawn(executor, probe(n), asio::detached);
        while (done < 1000) {
            co_await pause(10ms);
            CHECK(entries("/proc/self/task") == 1);
        }
        CHECK(answered.size() == 1000);
        // The interface's queue, its ring when many answers come at once, and what tells routes and
        // interfaces: netlink's question and notification sockets.
        CHECK(entries("/proc/self/fd", "socket:") <= sockets + 4);
        CHECK(net.in_flight() == 0);
    });
}

TEST_CASE("A silent address gets exactly 1 + retry packets, and sr1 yields nothing after as many timeouts") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto witness = net.sniff({.iface = "eth1", .filter = "icmp and dst host 198.19.248.7"});
        auto began = std::chrono::steady_clock::now();
        auto x = co_await net.sr1(IP{.dst = silent_address} / ICMP{}, {.timeout = 200ms, .retry = 2});
        auto took = std::chrono::steady_clock::now() - began;
        CHECK(!x);
        CHECK(took >= 600ms);
        CHECK(took < 900ms);
        std::set<std::pair<unsigned, unsigned>> identities;
        std::size_t packets = 0;
        while (auto p = witness.try_next()) {
            ++packets;
            identities.emplace(p->get<ICMP>().id.value(), p->get<ICMP>().seq.value());
        }
        CHECK(packets == 3);
        CHECK(identities.size() == 3);  // each attempt is told from the others
        CHECK(net.in_flight() == 0);
    });
}

TEST_CASE("sr yields answers as they arrive and reports what remained") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto scan =
            net.sr(IP{.dst = {"198.18.0.1", silent_address}} / TCP{.dport = {22, 80, 81}, .flags = "S"},
                   {.timeout = 300ms});
        std::set<unsigned> open, closed;
        while (auto x = co_await scan.next()) {
            CHECK(x->received.get<IP>().src == "198.18.0.1");
            (x->received.get<TCP>().flags == "SA" ? open : closed)
                .insert(x->received.get<TCP>().sport.value());
        }
        CHECK(open == std::set<unsigned>{22, 80});
        CHECK(closed == std::set<unsigned>{81});
        CHECK(scan.report().sent == 6);
        CHECK(scan.report().answered == 3);
        auto silent = scan.unanswered();
        REQUIRE(silent.size() == 3);
        for (auto const& p : silent) CHECK(p.get<IP>().dst == silent_address);
        auto again = co_await scan.next();
        CHECK(!again);
    });
}

TEST_CASE("collect gives Scapy's two lists") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto [ans, unans] = co_await net.sr(IP{.dst = "198.18.0.1"} / TCP{.dport = {21, 22, 23}}).collect();
        CHECK(ans.size() == 3);
        CHECK(unans.empty());
        CHECK(ans.summary().find(" ==> IP / TCP 198.18.0.1:ssh > 198.51.100.1:") != std::string::npos);
    });
}

TEST_CASE("A generator dropped after its first answer sends nothing more, and others notice nothing") {
    support::run([]() -> asio::awaitable<void> {
        auto executor = co_await asio::this_coro::executor;
        network net{executor};
        auto witness =
            net.sniff({.iface = "eth1", .filter = "tcp[tcpflags] & tcp-syn != 0 and dst net 198.18.7.0/24"});
        bool other_answered = false;
        asio::co_spawn(
            executor,
            [&]() -> asio::awaitable<void> {
                auto x = co_await net.sr1(IP{.dst = "198.18.0.77"} / ICMP{}, {.timeout = 2s});
                other_answered = x.has_value();
            },
            asio::detached);
        {
            auto scan =
                net.sr(IP{.dst = "198.18.7.0/24"} / TCP{.dport = {22, 80, 443}, .flags = "S"}, {.rate = 500});
            auto x = co_await scan.next();
            CHECK(x);
        }
        co_await pause(20ms);
        auto left = count<TCP>(witness);
        CHECK(left > 0);
        CHECK(left < 768);
        co_await pause(300ms);
        CHECK(count<TCP>(witness) == 0);
        CHECK(net.in_flight() == 0);
        CHECK(other_answered);
    });
}

TEST_CASE("Any completion token gives the same answer: callback, future, as_tuple, ||") {
    using namespace asio::experimental::awaitable_operators;
    asio::io_context loop(1);
    network net{loop};
    auto future = net.sr1(IP{.dst = "198.18.0.2"} / ICMP{}, {.timeout = 1s}, asio::use_future);
    bool called = false;
    net.sr1(IP{.dst = "198.18.0.3"} / ICMP{}, {}, [&](error_code ec, std::optional<exchange> x) {
        CHECK(!ec);
        CHECK(x);
        called = true;
    });
    CHECK(!called);  // never from inside the initiating call
    asio::co_spawn(
        loop,
        [&]() -> asio::awaitable<void> {
            auto [ec, x] =
                co_await net.sr1(IP{.dst = "198.18.0.4"} / ICMP{}, {}, asio::as_tuple(asio::use_awaitable));
            CHECK(!ec);
            CHECK(x);
            auto fastest =
                co_await (net.sr1(IP{.dst = silent_address} / ICMP{}, {.timeout = 5s}, asio::use_awaitable) ||
                          net.sr1(IP{.dst = "198.18.0.5"} / ICMP{}, {}, asio::use_awaitable));
            CHECK(fastest.index() == 1);  // the loser is cancelled: the loop ends at once
            CHECK(net.in_flight() == 0);
        },
        [](std::exception_ptr e) {
            if (e) std::rethrow_exception(e);
        });
    auto began = std::chrono::steady_clock::now();
    loop.run_for(10s);
    CHECK(std::chrono::steady_clock::now() - began < 4s);
    CHECK(called);
    REQUIRE(future.wait_for(0s) == std::future_status::ready);
    CHECK(future.get());
}

TEST_CASE("A cancelled next loses no answer and the generator goes on") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto scan = net.sr(IP{.dst = {silent_address, "198.18.0.1"}} / ICMP{}, {.timeout = 500ms});
        auto first = co_await scan.next();
        CHECK(first);
        asio::cancellation_signal stop;
        asio::steady_timer timer(co_await asio::this_coro::executor, 50ms);
        timer.async_wait([&](error_code) { stop.emit(asio::cancellation_type::total); });
        auto [ec, none] = co_await scan.next(
            asio::bind_cancellation_slot(stop.slot(), asio::as_tuple(asio::use_awaitable)));
        CHECK(ec == asio::error::operation_aborted);
        CHECK(!none);
        auto end = co_await scan.next();  // the silent one times out, and that is the end
        CHECK(!end);
        CHECK(scan.report().remaining == 1);
    });
}

TEST_CASE("A second next on the same stream is refused") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto scan = net.sr(IP{.dst = silent_address} / ICMP{}, {.timeout = 200ms});
        bool ended = false;
        scan.next([&](error_code ec, std::optional<exchange> x) {
            CHECK(!ec);
            CHECK(!x);
            ended = true;
        });
        auto [ec, x] = co_await scan.next(asio::as_tuple(asio::use_awaitable));
        CHECK(ec == errc::already_running);
        co_await pause(400ms);
        CHECK(ended);
    });
}

TEST_CASE("srloop yields every round, answered or not") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto loop = net.srloop(IP{.dst = {"198.18.0.1", silent_address}} / ICMP{},
                               {.count = 3, .inter = 100ms, .timeout = 50ms});
        std::multiset<std::uint64_t> received, failed;
        while (auto x = co_await loop.next()) {
            (x->answered() ? received : failed).insert(x->round);
            CHECK(fmt::format("{}", *x).starts_with(x->answered() ? "RECV " : "fail "));
        }
        CHECK(received == std::multiset<std::uint64_t>{1, 2, 3});
        CHECK(failed == std::multiset<std::uint64_t>{1, 2, 3});
        CHECK(fmt::format("{}", loop.report()) == "Sent 6 packets, received 3 packets. 50.0% hits.");
    });
}

TEST_CASE("IPv6 probes are answered, after neighbour discovery of our own where need be") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto echo =
            co_await net.sr1(IPv6{.dst = "2001:db8::7"} / ICMPv6EchoRequest{.data = "abc"}, {.timeout = 2s});
        REQUIRE(echo);
        CHECK(echo->received.has<ICMPv6EchoReply>());
        auto open = co_await net.sr1(IPv6{.dst = "2001:db8::7"} / TCP{.dport = 80}, {.timeout = 2s});
        REQUIRE(open);
        CHECK(open->received.get<TCP>().flags == "SA");
        auto closed = co_await net.sr1(IPv6{.dst = "2001:db8::7"} / UDP{.dport = 9}, {.timeout = 2s});
        REQUIRE(closed);
        CHECK(closed->received.has<ICMPv6DestUnreach>());
    });
}

TEST_CASE("Answers on the loopback interface are seen once") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto all = net.sr(IP{.dst = "127.0.0.1"} / ICMP{}, {.timeout = 300ms, .multi = true});
        std::size_t answers = 0;
        while (auto x = co_await all.next()) ++answers;
        CHECK(answers == 1);
        CHECK(all.report().duplicates == 0);
    });
}

TEST_CASE("A next hop that does not answer ARP fails its probes; a thousand of them ask three times in all") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto witness = net.sniff({.iface = "eth1", .filter = "arp"});
        auto scan = net.sr(IP{.dst = "198.51.100.77"} / TCP{.dport = range(1, 1000)}, {.timeout = 200ms});
        while (auto x = co_await scan.next()) FAIL("nobody is there");
        CHECK(scan.report().send_errors == 1000);
        CHECK(scan.report().sent == 0);
        std::size_t questions = 0;
        while (auto p = witness.try_next())
            if (auto const* arp = p->find<ARP>(); arp && arp->op == 1 && arp->pdst == "198.51.100.77")
                ++questions;
        CHECK(questions == 3);
        auto [ec, x] =
            co_await net.sr1(IP{.dst = "198.51.100.77"} / ICMP{}, {}, asio::as_tuple(asio::use_awaitable));
        CHECK(ec == errc::no_neighbour);
        CHECK(net.why().find("198.51.100.77") != std::string::npos);
    });
}

TEST_CASE("What concerns all probes is the operation's error, and says what it is about") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto token = asio::as_tuple(asio::use_awaitable);
        auto [unknown, a] = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.iface = "nope0"}, token);
        CHECK(unknown == errc::no_such_interface);
        CHECK(net.why().find("nope0") != std::string::npos);
        auto broken = net.sr(IP{.dst = "198.18.0.1"} / ICMP{}, {.filter = "tcp prt 80"});
        auto [filter, b] = co_await broken.next(token);
        CHECK(filter == errc::bad_filter);
        auto capture = net.sniff({.iface = "nope1"});
        auto [gone, c] = co_await capture.next(token);
        CHECK(gone == errc::no_such_interface);
        auto [long_, d] =
            co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{} / std::string(3000, 'x'), {}, token);
        CHECK(long_ == errc::message_too_long);
    });
}

TEST_CASE("send counts what left; count repeats the set, count 0 sends nothing") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto witness = net.sniff({.iface = "eth1", .filter = "udp dst port 9"});
        auto set = IP{.dst = {"198.18.0.1", "198.18.0.2"}} / UDP{.dport = 9};
        auto r = co_await net.send(set, {.count = 10, .inter = 1ms});
        CHECK(r.sent == 20);
        CHECK(r.duration >= 18ms);  // from the first system call, a little after the first turn
        CHECK(count<UDP>(witness) == 20);
        auto none = co_await net.send(set, {.count = 0});
        CHECK(none.sent == 0);
        CHECK(count<UDP>(witness) == 0);
    });
}

TEST_CASE("What came while nobody listened costs no later probe its answer") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor, {.receive_buffer = 65536}};
        auto flood = co_await net.send(IP{.dst = "198.18.0.0/20"} / TCP{.dport = 80});
        CHECK(flood.sent == 4096);
        co_await pause(100ms);  // more answers than the socket has room for
        auto answers = net.sr(IP{.dst = "198.18.1.0/28"} / TCP{.dport = 80}, {.timeout = 1s});
        std::size_t count = 0;
        while (co_await answers.next()) ++count;
        CHECK(count == 16);
        CHECK(answers.report().kernel_drops == 0);
        CHECK(answers.report().unrelated == 0);  // and is none of its strangers
    });
}

TEST_CASE("sendp sends frames as they are, and replays a capture with its gaps") {
    auto path = support::own_path("replay.pcap");
    std::vector<packet> session;
    for (int i = 0; i < 3; ++i) {
        packet p = Ether{.dst = "02:00:00:00:00:02", .src = "02:00:00:00:00:01"} /
                   IP{.dst = "198.18.0.1", .id = i + 100} / UDP{.dport = 9};
        p.time = timestamp(1000s + i * 50ms);
        session.push_back(p);
    }
    write_pcap(path.string(), session);
    support::run([&]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto witness = net.sniff({.iface = "eth1", .filter = "ether dst 02:00:00:00:00:02"});
        auto r = co_await net.sendp(read_pcap(path.string()), {.iface = "eth1", .realtime = true});
        CHECK(r.sent == 3);
        CHECK(r.duration >= 95ms);
        CHECK(r.duration < 300ms);
        for (int i = 0; i < 3; ++i) {
            auto p = witness.try_next();
            REQUIRE(p);
            CHECK(p->get<IP>().id == i + 100);
        }
        auto text = co_await net.sendp(Raw{"I'm travelling on Ethernet"},
                                       {.count = 5, .inter = 2ms, .iface = "eth1"});
        CHECK(text.sent == 5);
    });
    std::filesystem::remove(path);
}

TEST_CASE("What is shorter than an Ethernet header leaves as a frame of 60 bytes, with zeros behind it") {
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto witness = net.sniff({.iface = "eth1", .filter = "ether[0:4] = 0x68656c6c"});
        auto r = co_await net.sendp(Raw{"hello"}, {.iface = "eth1"});
        CHECK(r.sent == 1);
        auto p = witness.try_next();
        REQUIRE(p);
        std::string const padded = "hello" + std::string(55, '\0');
        CHECK(std::ranges::equal(p->view().bytes, std::as_bytes(std::span(padded))));
    });
}

namespace {

/// Echo requests to hosts of the lab, in a file that is cut inside its last record.
class damaged_capture {
public:
    explicit damaged_capture(std::size_t whole) {
        std::vector<packet> session;
        for (std::size_t i = 0; i <= whole; ++i)
            session.push_back(Ether{.dst = "02:00:00:00:00:02", .src = "02:00:00:00:00:01"} /
                              IP{.dst = ipv4(0xc6120001u + static_cast<std::uint32_t>(i))} / ICMP{});
        write_pcap(path(), session);
        std::filesystem::resize_file(path(), std::filesystem::file_size(path()) - 3);
    }
    ~damaged_capture() { std::filesystem::remove(path()); }
    std::string path() const { return support::own_path("damaged.pcap"); }
};

}  // namespace

TEST_CASE("A damaged capture gives every whole record, then the error") {
    damaged_capture file(3);
    support::run([&]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto [ec, r] = co_await net.sendp(read_pcap(file.path()), {.iface = "eth1"},
                                          asio::as_tuple(asio::use_awaitable));
        CHECK(r.sent == 3);
        CHECK(ec == errc::truncated_file);
        CHECK(net.why().find(file.path()) != std::string::npos);

        auto scan = net.srp(read_pcap(file.path()), {.timeout = 100ms, .iface = "eth1"});
        for (;;) {
            auto [end, x] = co_await scan.next(asio::as_tuple(asio::use_awaitable));
            if (x) continue;
            CHECK(end == errc::truncated_file);
            break;
        }
        CHECK(scan.report().sent == 3);
    });
}

TEST_CASE("A capture file is replayed count times") {
    auto path = support::own_path("again.pcap");
    write_pcap(path.string(), std::vector<packet>{Ether{.dst = "02:00:00:00:00:02"} /
                                                  IP{.dst = "198.18.0.1"} / UDP{.dport = 9}});
    support::run([&]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto r = co_await net.sendp(read_pcap(path.string()), {.count = 3, .iface = "eth1"});
        CHECK(r.sent == 3);
        auto loop = net.srploop(read_pcap(path.string()),
                                {.count = 2, .inter = 1ms, .timeout = 50ms, .iface = "eth1"});
        while (co_await loop.next()) {
        }
        CHECK(loop.report().sent == 2);
    });
    std::filesystem::remove(path);
}

TEST_CASE("Destroying the network ends what waits on it") {
    support::run([]() -> asio::awaitable<void> {
        auto net = std::make_unique<network>(co_await asio::this_coro::executor);
        error_code sr1_ended, next_ended;
        auto scan = net->sr(IP{.dst = silent_address} / ICMP{}, {.timeout = 30s});
        scan.next([&](error_code ec, auto) { next_ended = ec; });
        net->sr1(IP{.dst = silent_address} / ICMP{}, {.timeout = 30s},
                 [&](error_code ec, auto) { sr1_ended = ec; });
        co_await pause(20ms);
        net.reset();
        co_await pause(1ms);
        CHECK(sr1_ended == asio::error::operation_aborted);
        CHECK(next_ended == asio::error::operation_aborted);
    });
}

TEST_CASE("A loop destroyed with operations pending frees them without calling them") {
    bool called = false;
    {
        asio::io_context loop(1);
        network net{loop};
        net.sr1(IP{.dst = silent_address} / ICMP{}, {}, [&](error_code, auto) { called = true; });
        loop.run_for(20ms);
        CHECK(net.in_flight() == 1);
    }
    CHECK(!called);
}
