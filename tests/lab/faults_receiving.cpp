// Answers that come faster than they are read, or among a flood of strangers, or while the process stands
// still.
#include "faults_calls.hpp"
#include "faults_support.hpp"

#include <sonde/link/interface.hpp>
#include <sonde/link/packet_socket.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <array>
#include <memory>
#include <optional>
#include <thread>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace asio = boost::asio;
using namespace sonde;
using namespace faults;
using namespace std::chrono_literals;

namespace {

/// Echo replies that nobody asked for, or other packets, out of a packet socket over there. No stack has an
/// answer to them.
class flood {
public:
    flood(two_hosts const& hosts, asio::io_context& io,
          packet const& above = ICMP{.type = 0, .id = 7, .seq = 7} / "stranger") {
        hosts.there.inside(
            [&] { out_ = packet_socket::transmitter(io.get_executor(), interface_index("far1")); });
        auto far = out_->info().address;
        auto near = interface_info(interface_index("eth1")).address;
        auto stranger =
            Ether{.dst = near, .src = far} / IP{.dst = "198.18.255.2", .src = "198.19.0.7"} / above;
        frame_ = stranger.build();
    }

    /// Returns how many the kernel took.
    std::uint64_t send(std::uint64_t count) {
        std::array<std::span<std::byte const>, 64> batch;
        batch.fill(frame_);
        std::uint64_t sent = 0;
        while (sent < count) {
            error_code ec;
            sent += out_->transmit(std::span(batch).first(std::min<std::uint64_t>(64, count - sent)), ec);
            REQUIRE((!ec || ec == asio::error::would_block || ec == asio::error::no_buffer_space));
        }
        return sent;
    }

private:
    std::unique_ptr<packet_socket> out_;
    std::vector<std::byte> frame_;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t strangers = 100'000;  // a sanitizer's build takes 20 us for each
std::size_t memory_in_use() {
    return __sanitizer_get_current_allocated_bytes();  // what was freed stays resident for a while
}
#else
constexpr std::uint64_t strangers = 1'000'000;
std::size_t memory_in_use() {
    return resident();
}
#endif

/// What a host says to an echo request to 198.19.0.0/16.
std::optional<packet> reply_to(packet const& request) {
    if (!request.has<ICMP>()) return {};
    auto const& frame = request.get<Ether>();
    auto const& ip = request.get<IP>();
    auto const& echo = request.get<ICMP>();
    if (ip.dst.value().value < ipv4("198.19.0.0").value) return {};
    return Ether{.dst = frame.src.value(), .src = frame.dst.value()} /
           IP{.dst = ip.src.value(), .src = ip.dst.value()} /
           ICMP{.type = 0, .id = echo.id.value(), .seq = echo.seq.value()};
}

/// A probe that nobody answers, and of which nobody says so: its report goes on counting.
exchange_stream watch(two_hosts const& hosts, network& net) {
    hosts.here.run("ip route add 198.51.100.77 via 198.18.0.1");  // who forwards nothing
    auto all = net.sr(pings(1, "198.51.100.77"), {.timeout = 100s});
    all.next([](error_code, std::optional<exchange>) {});
    return all;
}

/// Runs `body` in a forked child with a loop of its own, and returns its exit status: how much was wrong.
int in_child(std::function<asio::awaitable<int>()> const& body, std::function<void(pid_t)> const& meanwhile) {
    pid_t child = ::fork();
    if (child == 0) {
        int wrong = 100;
        try {
            asio::io_context io(1);
            asio::co_spawn(io, body(), [&](std::exception_ptr e, int result) { wrong = e ? 101 : result; });
            io.run_for(20s);
        } catch (...) {
            wrong = 102;
        }
        ::_exit(wrong);
    }
    meanwhile(child);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("what a full receive buffer loses is counted, to the packet", "[lab][faults]") {
    two_hosts hosts;
    asio::io_context io(1);
    network net(io, {.receive_buffer = 64 << 10});
    flood strange(hosts, io);
    auto body = [&]() -> asio::awaitable<void> {
        CHECK(co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s}));
        // The wire is silent but for the flood: what leaves for 198.19.0.0/16 is not answered.
        hosts.there.run(
            "nft 'add table ip t; add chain ip t in { type filter hook prerouting priority -300; };"
            "add rule ip t in drop'");
        auto scan = net.sr(pings(1), {.timeout = 600ms});
        asio::co_spawn(
            io,
            [&]() -> asio::awaitable<void> {
                co_await pause(20ms);
                auto until = std::chrono::steady_clock::now() + 200ms;
                CHECK(strange.send(20'000) == 20'000);
                std::this_thread::sleep_until(until);  // the executor is blocked: that is the fault
            },
            asio::detached);
        auto o = co_await finish(scan, 1);
        CHECK(o.report.kernel_drops > 0);
        CHECK(o.report.unrelated + o.report.kernel_drops == 20'000);
        CHECK(o.answers.empty());
        // The count goes on from there when the socket that counted is gone.
        auto next = net.sr(pings(1), {.timeout = 100ms});
        next.next([](error_code, std::optional<exchange>) {});
        co_await pause(10ms);
        hosts.here.run("ip link del eth1");
        co_await pause(200ms);
        CHECK(next.report().kernel_drops == 0);
    };
    asio::co_spawn(io, body(), [](std::exception_ptr e) { CHECK_FALSE(e); });
    io.run_for(20s);
    CHECK(io.stopped());
}

TEST_CASE("among a flood of strangers every answer is found, none is false, each stranger is counted",
          "[lab][faults]") {
    two_hosts hosts;
    asio::io_context io(1);
    network net(io);
    flood strange(hosts, io);
    constexpr std::size_t probes = 500;
    auto body = [&]() -> asio::awaitable<void> {
        CHECK(co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s}));
        auto all = watch(hosts, net);
        auto scan = net.sr(pings(probes), {.timeout = 5s, .rate = 500});
        bool done = false;
        std::uint64_t sent = 0;
        std::size_t before = 0;
        asio::co_spawn(
            io,
            [&]() -> asio::awaitable<void> {
                while (sent < strangers) {
                    sent += strange.send(std::min<std::uint64_t>(512, strangers - sent));
                    if (sent > strangers / 10 && before == 0) before = memory_in_use();
                    co_await pause(0ns);
                }
                done = true;
            },
            asio::detached);
        auto began = std::chrono::steady_clock::now();
        auto o = co_await finish(scan, probes);
        while (!done) co_await pause(1ms);
        co_await pause(50ms);
        auto counted = all.report().unrelated + all.report().kernel_drops;
        auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        auto grown = static_cast<double>(memory_in_use()) - static_cast<double>(before);
        INFO(took << " s, " << static_cast<double>(sent) / took << " strangers/s, grown by " << grown
                  << " bytes, " << all.report().unrelated << " seen, " << all.report().kernel_drops
                  << " dropped");
        CHECK(o.answers.size() >= probes * 999 / 1000);
        for (auto const& x : o.answers) CHECK(x.received.get<IP>().src == x.sent.get<IP>().dst.value());
        CHECK(o.report.unrelated > strangers / 100);
        CHECK(counted >= strangers);
        CHECK(counted < strangers + 100);  // the hosts' own ARP and the like
        CHECK(o.report.malformed == 0);
        CHECK(grown < 16e6);
        CHECK(took < 60);
    };
    asio::co_spawn(io, body(), [](std::exception_ptr e) { CHECK_FALSE(e); });
    io.run_for(100s);
    CHECK(io.stopped());
}

TEST_CASE("a flood of other programs' traffic is left to the kernel, and no answer with it",
          "[lab][faults]") {
    two_hosts hosts;
    hosts.here.run(
        "nft 'add table ip t; add chain ip t in { type filter hook prerouting priority -300; };"
        "add rule ip t in tcp dport 443 drop; add chain ip t out { type filter hook output priority 0; };"
        "add rule ip t out tcp flags rst drop'");
    asio::io_context io(1);
    network net(io);
    flood strange(hosts, io, TCP{.dport = 443, .sport = 50000, .flags = "PA", .seq = 1} / "somebody's");
    packet const any = IP{.dst = "198.18.0.1"};
    auto body = [&]() -> asio::awaitable<void> {
        auto all = watch(hosts, net);
        std::uint64_t sent = 0;
        while (sent < 50'000) {
            sent += strange.send(512);
            co_await pause(0ns);
        }
        // Answers of every kind come in, also to ports that no probe had before.
        for (int i = 0; i < 3; ++i) {
            CHECK(co_await net.sr1(any / ICMP{}, {.timeout = 2s}));
            CHECK(co_await net.sr1(any / TCP{.dport = 9}, {.timeout = 2s}));
            sent += strange.send(512);
            auto chosen = static_cast<std::uint16_t>(44000 + i);
            CHECK(co_await net.sr1(any / TCP{.dport = 9, .sport = chosen}, {.timeout = 2s}));
            CHECK(co_await net.sr1(any / UDP{.dport = 9, .sport = chosen}, {.timeout = 2s}));
            sent += strange.send(512);
        }
        auto seen = [&] { return all.report().unrelated + all.report().kernel_drops; };
        auto left_out = sent - seen();
        INFO(sent << " sent, " << all.report().unrelated << " seen, " << all.report().kernel_drops
                  << " dropped");
        CHECK(left_out > sent / 2);
        // Who asks why sees strangers too.
        auto why = net.explain();
        auto before = seen();
        sent += strange.send(512);
        co_await pause(50ms);
        CHECK(seen() >= before + 512);
    };
    asio::co_spawn(io, body(), [&](std::exception_ptr e) {
        CHECK_FALSE(e);
        io.stop();
    });
    io.run_for(60s);
    CHECK(io.stopped());
}

TEST_CASE("a process that was stopped past its deadlines takes the answers that wait before it expires any",
          "[lab][faults]") {
    constexpr std::size_t probes = 800;  // more than are read in one turn of the loop
    two_hosts hosts;
    hosts.there.run(
        "nft 'add table ip t; add chain ip t in { type filter hook prerouting priority -300; };"
        "add rule ip t in ip daddr 198.19.0.0/16 drop'");
    asio::io_context io(1);
    std::unique_ptr<packet_socket> peer;
    hosts.there.inside([&] { peer = packet_socket::open(io.get_executor(), interface_index("far1")); });
    auto body = []() -> asio::awaitable<int> {
        network net{co_await asio::this_coro::executor};
        auto scan = net.sr(pings(probes), {.timeout = 1s});
        std::size_t answered = 0;
        while (auto x = co_await scan.next()) ++answered;
        auto r = scan.report();
        // An ordinary user's receive buffer does not hold them all.
        co_return (probes - answered > r.kernel_drops) + 2 * (r.late != 0);
    };
    // It is stopped when all have left; the answers come in time, but it goes on after its deadlines.
    auto answer_stopped = [&](pid_t child) {
        std::vector<std::vector<std::byte>> replies;
        auto until = std::chrono::steady_clock::now() + 900ms;
        auto answer = [&](frame const& f) {
            if (auto reply = reply_to(dissect(f.bytes, f.type))) replies.push_back(reply->build());
        };
        error_code ec;
        while (replies.size() < probes && std::chrono::steady_clock::now() < until)
            peer->receive(64, answer, ec);
        ::kill(child, SIGSTOP);
        CHECK(replies.size() == probes);
        for (auto const& r : replies) {
            std::span<std::byte const> bytes = r;
            CHECK(peer->transmit({&bytes, 1}, ec) == 1);
        }
        std::this_thread::sleep_for(1200ms);
        ::kill(child, SIGCONT);
    };
    CHECK(in_child(body, answer_stopped) == 0);
}

TEST_CASE("signals that interrupt the system calls of a run change nothing", "[lab][faults]") {
    two_hosts hosts;
    struct sigaction quiet{};
    quiet.sa_handler = [](int) {};  // without SA_RESTART: calls fail with EINTR
    struct sigaction before{};
    REQUIRE(::sigaction(SIGALRM, &quiet, &before) == 0);
    itimerval const often{{0, 500}, {0, 500}}, never{};
    REQUIRE(::setitimer(ITIMER_REAL, &often, nullptr) == 0);
    run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto scan = net.sr(pings(1000), {.timeout = 1s, .rate = 2000});
        auto o = co_await finish(scan, 1000);
        CHECK(o.answers.size() == 1000);
        CHECK(o.report.send_errors == 0);
    });
    ::setitimer(ITIMER_REAL, &never, nullptr);
    ::sigaction(SIGALRM, &before, nullptr);
}

TEST_CASE("a process that is stopped past its deadlines makes each attempt once, and gives up once",
          "[lab][faults]") {
    two_hosts hosts;
    hosts.there.run(
        "nft 'add table ip t; add chain ip t in { type filter hook prerouting priority -300; };"
        "add rule ip t in ip daddr 198.19.0.0/16 drop'");
    auto body = []() -> asio::awaitable<int> {
        network net{co_await asio::this_coro::executor};
        auto scan = net.sr(IP{.dst = "198.19.0.1"} / ICMP{}, {.timeout = 200ms, .retry = 1});
        auto o = co_await finish(scan, 1);
        co_return !o.answers.empty() || o.report.sent != 2 || net.in_flight() != 0;
    };
    auto stop = [](pid_t child) {
        std::this_thread::sleep_for(100ms);
        ::kill(child, SIGSTOP);
        std::this_thread::sleep_for(500ms);
        ::kill(child, SIGCONT);
    };
    CHECK(in_child(body, stop) == 0);
}
