// The guard that keeps the kernel's TCP from resetting half-open probes, judged by what the peer sees. The
// peer is this test, at the far end of a wire.
#include "net/netlink_socket.hpp"
#include "net_namespace.hpp"
#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/run.hpp"

#include <sonde/sonde.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>

#include <linux/capability.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;
using net_lab::ip;

namespace {

constexpr mac near_mac = "02:00:00:00:00:01", peer_mac = "02:00:00:00:00:02";

void set_up() {
    net_lab::own_network network;
    network.pair("near", "far");
    ip("link set near address 02:00:00:00:00:01");
    ip("address add 198.18.0.1/24 dev near");
    ip("address add 2001:db8::1/64 dev near nodad");
    ip("neighbour add 198.18.0.2 lladdr 02:00:00:00:00:02 dev near");
    ip("neighbour add 2001:db8::2 lladdr 02:00:00:00:00:02 dev near");
}

packet from_peer(bool v6) {
    auto frame = Ether{.dst = near_mac, .src = peer_mac};
    return v6 ? frame / IPv6{.dst = "2001:db8::1", .src = "2001:db8::2"}
              : frame / IP{.dst = "198.18.0.1", .src = "198.18.0.2"};
}

packet to_peer(bool v6) {
    return v6 ? packet(IPv6{.dst = "2001:db8::2"}) : packet(IP{.dst = "198.18.0.2"});
}

bool is_from_near(packet const& p) {
    auto const* frame = p.find<Ether>();
    return frame && frame->dst.value() == peer_mac;
}

/// Sends `segment` to the kernel, and an echo request behind it: every reset that the segment brought has
/// come before the echo's answer.
asio::awaitable<int> resets_after(network& net, packet_stream& wire, bool v6, packet segment) {
    auto ping = v6 ? from_peer(v6) / ICMPv6EchoRequest{.id = 7} : from_peer(v6) / ICMP{.id = 7};
    std::vector<packet> both;
    both.push_back(std::move(segment));
    both.push_back(std::move(ping));
    co_await net.sendp(both, {.iface = "far"});
    int resets = 0;
    while (auto p = co_await wire.next()) {
        if (!is_from_near(*p)) continue;
        if (auto const* tcp = p->find<TCP>()) resets += (tcp->flags.value().value & 0x04) != 0;
        if (p->has<ICMPv6EchoReply>() || p->has<ICMP>()) co_return resets;
    }
    throw std::runtime_error("the wire fell silent");
}

/// Answers the first SYN that comes as a server does.
asio::awaitable<int> resets_after_syn_ack(network& net, packet_stream& wire, bool v6) {
    std::optional<packet> syn;
    while (!syn) {
        auto p = co_await wire.next();
        if (!p) throw std::runtime_error("no SYN came");
        if (is_from_near(*p) && p->has<TCP>()) syn = std::move(p);
    }
    auto const& tcp = syn->get<TCP>();
    auto syn_ack =
        from_peer(v6) /
        TCP{.dport = tcp.sport.value(), .sport = 80, .flags = "SA", .seq = 1000, .ack = tcp.seq.value() + 1u};
    co_return co_await resets_after(net, wire, v6, std::move(syn_ack));
}

/// A SYN of ours, answered: how often the kernel resets what it knows nothing of.
asio::awaitable<int> resets_of_a_probe(network& net, bool v6, std::optional<int> sport = {}) {
    using namespace asio::experimental::awaitable_operators;
    auto wire = net.sniff({.iface = "far", .timeout = 10s});
    auto probe = to_peer(v6) / (sport ? TCP{.dport = 80, .sport = *sport} : TCP{.dport = 80});
    auto [answer, resets] = co_await (net.sr1(probe, {.timeout = 5s}, asio::use_awaitable) &&
                                      resets_after_syn_ack(net, wire, v6));
    CHECK(answer.has_value());
    co_return resets;
}

/// Guard tables of this network namespace.
int tables() {
    detail::netlink_socket socket(
        detail::owned_fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER)));
    detail::netlink_request request(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, NLM_F_DUMP);
    request.header(nfgenmsg{AF_UNSPEC, NFNETLINK_V0, 0});
    std::vector<std::byte> all;
    REQUIRE(!socket.dump(request, all, 1 << 16));
    std::string const text(reinterpret_cast<char const*>(all.data()), all.size());
    int count = 0;
    for (auto at = text.find("sonde-guard-"); at != text.npos; at = text.find("sonde-guard-", at + 1))
        ++count;
    return count;
}

/// What `body` gives in a child process.
int in_child(int (*body)()) {
    auto child = support::fork_to(body);
    REQUIRE(child >= 0);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("The kernel resets half-open probes; not while they are guarded; and again from the release on",
          "[lab][net]") {
    set_up();
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        for (bool v6 : {false, true}) {
            INFO((v6 ? "IPv6" : "IPv4"));
            CHECK(co_await resets_of_a_probe(net, v6) == 1);
            auto guard = net.guard_resets();
            CHECK(guard.holds());
            CHECK(tables() == 1);
            CHECK(co_await resets_of_a_probe(net, v6) == 0);
            CHECK(co_await resets_of_a_probe(net, v6) == 0);
            guard.release();
            CHECK(tables() == 0);
            CHECK(co_await resets_of_a_probe(net, v6) == 1);
        }
    });
}

TEST_CASE("The guard holds back nothing else: refusals of closed ports, resets from other ports, and our own",
          "[lab][net]") {
    set_up();
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto guard = net.guard_resets();
        for (bool v6 : {false, true}) {
            INFO((v6 ? "IPv6" : "IPv4"));
            auto wire = net.sniff({.iface = "far", .timeout = 10s});
            auto knock = from_peer(v6) / TCP{.dport = 2000, .sport = 99, .flags = "S", .seq = 5};
            CHECK(co_await resets_after(net, wire, v6, knock) == 1);
            // A stray acknowledgement to a port of the kernel's own range.
            auto stray = from_peer(v6) / TCP{.dport = 40000, .sport = 99, .flags = "A", .ack = 7};
            CHECK(co_await resets_after(net, wire, v6, stray) == 1);
            CHECK(co_await resets_of_a_probe(net, v6, 40001) == 1);
        }
        // On lo a packet of ours takes the kernel's own way out: a reset of ours is not the kernel's.
        auto lo = net.sniff({.iface = "lo", .timeout = 10s});
        co_await net.send(IP{.dst = "127.0.0.1"} / TCP{.dport = 9, .sport = 2000, .flags = "R"});
        auto p = co_await lo.next();
        REQUIRE(p);
        CHECK(p->get<TCP>().flags == "R");
    });
}

TEST_CASE("A guard may be for ports that the user chose; two of them do not meet", "[lab][net]") {
    set_up();
    support::run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        auto chosen = net.guard_resets({.first = 40000, .last = 40001});
        auto usual = net.guard_resets();
        CHECK(tables() == 2);
        CHECK(co_await resets_of_a_probe(net, false, 40001) == 0);
        CHECK(co_await resets_of_a_probe(net, false, 40002) == 1);
        CHECK(co_await resets_of_a_probe(net, false) == 0);
        usual.release();
        CHECK(co_await resets_of_a_probe(net, false) == 1);
        CHECK(co_await resets_of_a_probe(net, false, 40000) == 0);
        chosen = {};
        CHECK(tables() == 0);
    });
}

TEST_CASE("A guard's rule goes with its process, however that ends, and a fork does not keep it",
          "[lab][net]") {
    set_up();
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    auto child = support::fork_to([&]() -> int {
        ::close(ready[0]);
        asio::io_context io;
        network net(io);
        auto guard = net.guard_resets();
        [[maybe_unused]] auto n = ::write(ready[1], "x", 1);
        for (;;) ::pause();
    });
    REQUIRE(child >= 0);
    ::close(ready[1]);  // a child that has failed is seen
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    CHECK(tables() == 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    CHECK(tables() == 0);
    ::close(ready[0]);

    asio::io_context io;
    network net(io);
    auto guard = net.guard_resets();
    auto heir = ::fork();
    if (heir == 0)
        for (;;) ::pause();
    guard.release();
    CHECK(tables() == 0);
    ::kill(heir, SIGKILL);
    ::waitpid(heir, nullptr, 0);
}

TEST_CASE("Without CAP_NET_ADMIN the guard says what it needs", "[lab][net]") {
    set_up();
    auto status = in_child([] {
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        __user_cap_data_struct data[2]{};
        if (::syscall(SYS_capget, &header, data) != 0) return 10;
        data[CAP_NET_ADMIN / 32].effective &= ~(1u << CAP_NET_ADMIN % 32);
        if (::syscall(SYS_capset, &header, data) != 0) return 11;
        asio::io_context io;
        network net(io);
        try {
            auto guard = net.guard_resets();
            return 12;
        } catch (boost::system::system_error const& e) {
            bool named = std::string(e.what()).find("CAP_NET_ADMIN") != std::string::npos;
            return e.code().value() == EPERM && named ? 0 : 13;
        }
    });
    CHECK(status == 0);
}
