// What is an AF_XDP socket's own: which frames it takes from the host, and that it leaves nothing behind.
// What it has in common with packet sockets is tested by link_*.cpp, compiled for it.
#include <sonde/link/xdp_socket.hpp>

#include "lab/xdp_frames.hpp"
#include "support/child.hpp"
#include "support/one_processor.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>

using namespace sonde;
using namespace sonde::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t probe_port = 20000, other_port = 20001;

std::string output_of(std::string const& command) {
    std::string all;
    auto* from = ::popen(command.c_str(), "r");
    REQUIRE(from);
    std::array<char, 512> some;
    while (std::fgets(some.data(), some.size(), from)) all += some.data();
    ::pclose(from);
    return all;
}

bool has_program(std::string const& interface) {
    return output_of("ip link show " + interface).find("xdp") != std::string::npos;
}

/// A wire whose near end, va, is read by an AF_XDP socket and, as the host's stack would, by a packet socket
/// beside it; the far end is ours.
struct near_and_far : wired {
    explicit near_and_far(std::string const& mtu = "1500")
        : near_address(with_mtu(mtu).address),
          near(xdp_socket::open(io.get_executor(), va())),
          host(packet_socket::open(io.get_executor(), va())),
          far(packet_socket::open(io.get_executor(), vb())) {}

    link_info with_mtu(std::string const& mtu) const {
        for (std::string end : {"va", "vb"}) net.run("ip link set " + end + " mtu " + mtu);
        return interface_info(va());
    }

    /// Sends from a port, so that answers to it are expected.
    void probe_from(segment s) {
        std::swap(s.sport, s.dport), std::swap(s.from, s.to);
        s.source = near_address, s.destination = mac("02:00:00:00:00:02");
        s.flags = syn;
        send_one(*near, frame_of(s));
        REQUIRE(collect(io, *far, 1).size() == 1);
    }

    segment answer(segment s) const {
        if (s.destination == mac()) s.destination = near_address;
        s.source = mac("02:00:00:00:00:02");
        if (s.dport == 0) s.dport = probe_port;
        if (s.sport == 0) s.sport = 80;
        return s;
    }

    /// Whether the program took it: the host has not seen it then. It comes once in any case.
    bool takes(segment s) {
        auto f = frame_of(answer(s));
        send_one(*far, f);
        auto got = collect(io, *near, 1);
        REQUIRE(got.size() == 1);
        CHECK(got[0].bytes == f);
        CHECK(collect_rest(*near).empty());
        auto seen = collect(io, *host, 1, nullptr, 20ms);
        CHECK(collect_rest(*host).empty());
        return seen.empty();
    }

    mac near_address;
    std::unique_ptr<xdp_socket> near;
    std::unique_ptr<packet_socket> host, far;
};

struct realtime_on_one_processor {
    realtime_on_one_processor() {
        sched_param const most{.sched_priority = 50};
        REQUIRE(::sched_setscheduler(0, SCHED_FIFO, &most) == 0);
    }
    ~realtime_on_one_processor() {
        sched_param const usual{};
        ::sched_setscheduler(0, SCHED_OTHER, &usual);
    }
    sonde::test::one_processor here;
};

struct udp_socket {
    explicit udp_socket(std::uint16_t port) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    }
    ~udp_socket() { ::close(fd); }
    int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
};

}  // namespace

TEST_CASE("answers are taken, and all else goes to the host", "[xdp][lab]") {
    near_and_far w;
    bool v6 = GENERATE(false, true);
    CAPTURE(v6);
    segment const tcp{.v6 = v6, .flags = syn | ack}, udp{.v6 = v6, .udp = true};
    auto with = [](segment s, auto change) {
        change(s);
        return s;
    };
    CHECK_FALSE(w.takes(tcp));  // nothing was sent yet
    w.probe_from(w.answer(tcp));
    CHECK(w.takes(tcp));
    CHECK(w.takes(with(tcp, [](auto& s) { s.flags = rst; })));
    CHECK(w.takes(with(tcp, [](auto& s) { s.flags = rst | ack; })));
    CHECK(w.takes(with(tcp, [](auto& s) { s.sport = 4711; })));
    CHECK_FALSE(w.takes(udp));  // of another protocol
    w.probe_from(w.answer(udp));
    CHECK(w.takes(udp));
    CHECK(w.takes(tcp));

    CHECK_FALSE(w.takes(with(tcp, [](auto& s) { s.flags = syn; })));
    CHECK_FALSE(w.takes(with(tcp, [](auto& s) { s.flags = ack; })));
    CHECK_FALSE(w.takes(with(tcp, [](auto& s) { s.flags = psh | ack; })));
    for (auto kind : {tcp, udp}) {
        CAPTURE(kind.udp);
        CHECK_FALSE(w.takes(with(kind, [](auto& s) { s.dport = other_port; })));
        CHECK_FALSE(w.takes(with(kind, [](auto& s) { s.to = 9; })));
        for (std::size_t octet : {0u, 5u}) {
            auto other = w.near_address;
            other.octets[octet] ^= 4;
            CHECK_FALSE(w.takes(with(kind, [&](auto& s) { s.destination = other; })));
        }
        CHECK_FALSE(w.takes(with(kind, [](auto& s) { s.destination = mac("ff:ff:ff:ff:ff:ff"); })));
        CHECK_FALSE(w.takes(with(kind, [](auto& s) { s.tags = "81000005"; })));
        if (v6) {
            CHECK_FALSE(w.takes(with(kind, [](auto& s) { s.extension = "0000010400000000"; })));
            CHECK_FALSE(w.takes(
                with(kind, [](auto& s) { s.extension = "0000000100000007", s.extension_type = 44; })));
        } else {
            // Where the port would be without them: 20000.
            CHECK_FALSE(w.takes(with(kind, [](auto& s) { s.options = "01014e20"; })));
            CHECK_FALSE(w.takes(with(kind, [](auto& s) { s.fragment = 0x2000; })));
            CHECK_FALSE(w.takes(with(kind, [](auto& s) { s.fragment = 0x0001; })));
        }
    }
    CHECK(w.takes(tcp));
    auto counted = w.near->counters();
    CHECK(counted.received >= 25);
    CHECK(counted.kernel_dropped == 0);
}

TEST_CASE("where the driver has no XDP for such frames the stack runs the program, and takes the same",
          "[xdp][lab]") {
    near_and_far w("9000");  // a veth's limit is below one page
    CHECK(w.near->mode() == xdp_mode::generic);
    segment tcp{.flags = syn | ack}, udp{.udp = true};
    w.probe_from(w.answer(tcp));
    w.probe_from(w.answer(udp));
    CHECK(w.takes(tcp));
    CHECK(w.takes(udp));
    tcp.flags = ack;
    CHECK_FALSE(w.takes(tcp));
    udp.padding = 2000;
    CHECK(w.takes(udp));
    udp.padding = 5000;  // longer than a chunk
    CHECK_FALSE(w.takes(udp));
}

TEST_CASE("answers to eight addresses are taken, those to more come by the packet socket", "[xdp][lab]") {
    near_and_far w;
    for (std::uint8_t last = 1; last <= 10; ++last) {
        segment s{.flags = syn | ack, .to = last};
        w.probe_from(w.answer(s));
        CAPTURE(int(last));
        CHECK(w.takes(s) == (last <= 8));
    }
}

TEST_CASE("what a socket of the host waits for is the host's, whoever sent from its port", "[xdp][lab]") {
    near_and_far w;
    w.net.run("ip addr add 198.18.0.1/24 dev va");
    segment const udp{.udp = true}, reset{.flags = rst};
    w.probe_from(w.answer(udp));
    w.probe_from(w.answer(reset));
    CHECK(w.takes(udp));
    CHECK(w.takes(reset));
    {
        udp_socket own(probe_port);
        CHECK_FALSE(w.takes(udp));
        char datagram[100];
        CHECK(::recv(own.fd, datagram, sizeof datagram, 0) == 10);
        int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(probe_port);
        REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
        REQUIRE(::listen(listener, 1) == 0);
        CHECK_FALSE(w.takes(reset));
        ::close(listener);
    }
    CHECK(w.takes(udp));
    CHECK(w.takes(reset));
}

TEST_CASE("the program goes with the device, and with a process that is killed", "[xdp][lab]") {
    wired w;
    CHECK_FALSE(has_program("va"));
    auto a = xdp_socket::open(w.io.get_executor(), w.va());
    CHECK(has_program("va"));
    CHECK(a->mode() == xdp_mode::native);
    a.reset();
    CHECK_FALSE(has_program("va"));
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    auto child = support::fork_to([&] {
        asio::io_context io(1);
        auto device = xdp_socket::open(io.get_executor(), w.va());
        if (::write(ready[1], "x", 1) != 1) return 1;
        ::pause();
        return 0;
    });
    char x;
    REQUIRE(::read(ready[0], &x, 1) == 1);
    CHECK(has_program("va"));
    REQUIRE(::kill(child, SIGKILL) == 0);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    for (int i = 0; i < 100 && has_program("va"); ++i) ::usleep(10000);
    CHECK_FALSE(has_program("va"));
    CHECK(xdp_socket::open(w.io.get_executor(), w.va()));
    ::close(ready[0]), ::close(ready[1]);
}

TEST_CASE("another XDP program is left alone, and named in the error", "[xdp][lab]") {
    wired w;
    auto first = xdp_socket::open(w.io.get_executor(), w.va(), {}, xdp_take::everything);
    error_code ec;
    std::string why;
    CHECK_FALSE(xdp_socket::open(w.io.get_executor(), w.va(), {}, xdp_take::answers, ec, &why));
    CHECK(ec == boost::system::errc::device_or_resource_busy);
    CHECK(why.find("AF_XDP on va: ") == 0);
    CHECK(why.find("another XDP program is attached") != why.npos);
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    send_one(*b, numbered(1));
    CHECK(collect(w.io, *first, 1).size() == 1);
    CHECK(has_program("va"));
}

TEST_CASE("without privileges over BPF opening fails with permission, and says which", "[xdp][lab]") {
    wired w;
    int va = w.va();
    auto child = support::fork_to([&]() -> int {
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return 100;
        std::ofstream("/proc/self/setgroups") << "deny";
        std::ofstream("/proc/self/uid_map") << "0 0 1";
        std::ofstream("/proc/self/gid_map") << "0 0 1";
        own_netns::run("ip link add va type veth peer name vb && ip link set va up && ip link set vb up");
        asio::io_context io(1);
        error_code ec;
        std::string why;
        int wrong = 0;
        va = interface_index("va");
        wrong += xdp_socket::open(io.get_executor(), va, {}, xdp_take::answers, ec, &why) != nullptr;
        wrong += ec != errc::permission;
        wrong += why.find("CAP_BPF") == why.npos;
        if (wrong) std::fprintf(stderr, "%s: %s\n", ec.message().c_str(), why.c_str());
        return wrong;
    });
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("an interface without Ethernet, and none at all, are refused by name", "[xdp][lab]") {
    wired w;
    error_code ec;
    std::string why;
    CHECK_FALSE(xdp_socket::open(w.io.get_executor(), 0, {}, xdp_take::answers, ec, &why));
    CHECK(ec == errc::no_such_interface);
    CHECK_FALSE(xdp_socket::open(w.io.get_executor(), 12345, {}, xdp_take::answers, ec, &why));
    CHECK(ec == errc::no_such_interface);
    if (!may_make_tun()) return;
    w.net.run("ip tuntap add dev t0 mode tun && ip link set t0 up");
    CHECK_FALSE(
        xdp_socket::open(w.io.get_executor(), interface_index("t0"), {}, xdp_take::answers, ec, &why));
    CHECK(ec == errc::unsupported_link_type);
    CHECK(why == "AF_XDP on t0: it is no Ethernet");
}

TEST_CASE("frames of every receive queue come, and those of one flow in order", "[xdp][lab]") {
    own_netns net;
    net.run("ip link add va numrxqueues 4 numtxqueues 4 type veth peer name vb numrxqueues 4 numtxqueues 4");
    for (std::string end : {"va", "vb"}) {
        std::ofstream("/proc/sys/net/ipv6/conf/" + end + "/disable_ipv6") << 1;
        net.run("ip link set " + end + " up");
    }
    net.await_carrier("va"), net.await_carrier("vb");
    asio::io_context io(1);
    auto near = xdp_socket::open(io.get_executor(), interface_index("va"), {}, xdp_take::everything);
    auto host = packet_socket::open(io.get_executor(), interface_index("va"));
    auto far = packet_socket::transmitter(io.get_executor(), interface_index("vb"));
    constexpr std::size_t flows = 16, rounds = 50;
    std::array<std::vector<std::size_t>, flows> got;  // the sizes of each flow's frames
    for (std::size_t n = 0; n < rounds; ++n) {
        std::vector<bytes> frames;
        for (std::uint16_t flow = 0; flow < flows; ++flow) {
            segment s{.udp = true, .sport = flow, .dport = 80, .padding = 100 + n};
            s.destination = mac("02:00:00:00:00:01"), s.source = mac("02:00:00:00:00:02");
            frames.push_back(frame_of(s));
        }
        send_all(*far, frames);
    }
    for (auto const& f : collect(io, *near, flows * rounds))
        got[std::to_integer<std::size_t>(f.bytes[35])].push_back(f.bytes.size());
    for (auto const& flow : got) {
        CHECK(flow.size() == rounds);
        CHECK(std::ranges::is_sorted(flow));
    }
    CHECK(collect_rest(*near).empty());
    CHECK(collect_rest(*host).empty());  // no queue was left to it
}

TEST_CASE("a checksum that hardware was to complete counts as unfinished, a wrong one does not",
          "[xdp][lab]") {
    near_and_far w;
    segment const s{.v6 = GENERATE(false, true), .udp = GENERATE(false, true), .flags = syn | ack};
    CAPTURE(s.v6, s.udp);
    w.probe_from(w.answer(s));
    auto right = frame_of(w.answer(s));
    auto wrong = right, pending = right;
    auto const at = std::size_t(s.v6 ? 54 : 34), field = at + (s.udp ? 6 : 16);
    wrong[field] ^= std::byte{0x40};
    internet_checksum pseudo;
    pseudo.add(std::span(right).subspan(s.v6 ? 22 : 26, s.v6 ? 32 : 8));
    pseudo.add16(s.udp ? 17 : 6);
    pseudo.add16(static_cast<std::uint16_t>(right.size() - at));
    auto sum = static_cast<std::uint16_t>(~pseudo.finish());
    pending[field] = static_cast<std::byte>(sum >> 8), pending[field + 1] = static_cast<std::byte>(sum);
    std::vector<bool> unfinished;
    send_all(*w.far, {right, wrong, pending});
    auto deadline = std::chrono::steady_clock::now() + 5s;
    error_code ec;
    while (unfinished.size() < 3 && await_readable(w.io, *w.near, deadline))
        w.near->receive(64, [&](received_frame const& f) { unfinished.push_back(f.unfinished); }, ec);
    CHECK(unfinished == std::vector<bool>{false, false, true});
}

TEST_CASE("sending on an interface that is down or gone says so, and sends nothing later", "[xdp][lab]") {
    wired w;
    auto a = xdp_socket::open(w.io.get_executor(), w.va());
    auto peer = packet_socket::open(w.io.get_executor(), w.vb());
    auto f = numbered(1), g = numbered(2);
    std::span<std::byte const> views[] = {f, f, f};
    error_code ec;
    w.net.run("ip link set va down");
    CHECK(a->transmit(views, ec) == 0);
    CHECK(ec == errc::interface_down);
    w.net.run("ip link set va up");
    w.net.await_carrier("va");
    w.net.await_carrier("vb");
    collect_rest(*peer);
    error_code ignored;
    peer->receive(1, [](frame const&) {}, ignored);
    send_one(*a, g);
    auto got = collect(w.io, *peer, 1);
    REQUIRE(got.size() == 1);
    CHECK(number_of(got[0].bytes) == 2);
    CHECK(collect_rest(*peer).empty());
    w.net.run("ip link del va");
    CHECK(a->transmit(views, ec) == 0);
    CHECK(ec == errc::no_such_interface);
}

TEST_CASE("frames that the interface has no room for wait in the ring, and a full ring is told",
          "[xdp][lab]") {
    wired w;
    // The far end takes frames in a thread of the kernel's, which has no processor while we do not sleep; and
    // a queue makes the near end push back.
    w.net.run("tc qdisc add dev va root pfifo limit 1000");
    auto far = xdp_socket::open(w.io.get_executor(), w.vb(), {.buffer = 64 << 20}, xdp_take::everything);
    auto a = xdp_socket::open(w.io.get_executor(), w.va());
    w.net.run("unshare -m sh -c 'mount -t sysfs none /sys && echo 1 > /sys/class/net/vb/threaded'");
    realtime_on_one_processor alone;
    w.net.run("for pid in $(pgrep napi/vb-); do taskset -pc " + std::to_string(::sched_getcpu()) +
              " $pid > /dev/null; done");
    std::uint32_t const all = 8000;
    std::vector<bytes> frames;
    for (std::uint32_t i = 0; i < all; ++i) frames.push_back(numbered(i));
    std::vector<std::span<std::byte const>> views(frames.begin(), frames.end());
    error_code ec;
    auto sent = a->transmit(views, ec);
    CHECK(ec == asio::error::would_block);
    CHECK(sent >= 1024);
    CHECK(sent < 2500);
    std::size_t arrived = 0, in_order = 0;
    auto count = [&](frame const& f) {
        in_order += number_of({f.bytes.begin(), f.bytes.end()}) == arrived;
        ++arrived;
    };
    auto deadline = std::chrono::steady_clock::now() + 10s;
    int writable = 0;
    auto go_on = [&](error_code e) {
        if (e) return;
        ++writable;
        sent += a->transmit(std::span(views).subspan(sent), ec);
    };
    while (arrived < all && std::chrono::steady_clock::now() < deadline) {
        if (sent < all) a->wait_writable(go_on);
        w.io.restart();
        w.io.run_for(2ms);  // frames that were accepted leave by themselves
        a->cancel_writable();
        w.io.restart();
        w.io.poll();
        while (far->receive(64, count, ec) > 0) {
        }
    }
    CHECK(writable > 0);
    CHECK(arrived == all);
    CHECK(in_order == all);
}

TEST_CASE("both waits of an AF_XDP socket complete once, cancelled or destroyed", "[xdp][lab]") {
    wired w;
    bool destroy = GENERATE(false, true);
    auto a = xdp_socket::open(w.io.get_executor(), w.va());
    std::vector<error_code> results;
    auto keep = [&](error_code ec) { results.push_back(ec); };
    a->wait_readable(keep);
    a->wait_readable(keep);
    w.io.poll();
    CHECK(results == std::vector<error_code>{errc::already_running});
    if (destroy)
        a.reset();
    else
        a->cancel(), a->wait_readable(keep);  // at once, before the first has been told
    CHECK(results.size() == 1);
    w.io.restart();
    w.io.poll();
    CHECK(results.size() == 2);
    CHECK(results.back() == asio::error::operation_aborted);
    a.reset();
    w.io.restart();
    w.io.run_for(1s);
    CHECK(results.size() == (destroy ? 2u : 3u));
    CHECK(w.io.stopped());
}
