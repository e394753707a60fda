#include <sonde/link/packet_socket.hpp>
#include <sonde/link/pcap_device.hpp>
#include <sonde/link/raw_socket.hpp>

#include "lab/link_support.hpp"
#include "support/child.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

using namespace sonde;
using namespace sonde::test;
using namespace std::chrono_literals;

namespace {

std::set<int> open_descriptors() {
    std::set<int> found;
    for (auto const& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        found.insert(std::stoi(entry.path().filename()));
    return found;
}

std::string target_of(int fd) {
    std::error_code ignored;
    return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), ignored);
}

// A TUN interface in our hands: what we write comes in on it.
struct tun {
    explicit tun(char const* name) : fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC)) {
        ifreq about{};
        std::strncpy(about.ifr_name, name, sizeof about.ifr_name - 1);
        about.ifr_flags = IFF_TUN | IFF_NO_PI;
        REQUIRE(::ioctl(fd, TUNSETIFF, &about) == 0);
    }
    ~tun() { ::close(fd); }
    int fd;
};

bytes const ping4 = from_hex(
    "4500001c000100004001e8ba"
    "c6120001"
    "c6120002"
    "0800f7fe00000001");

// Counts how often a device's reader is woken within `time`, and collects what it is told.
struct reader {
    reader(wired& wire, link_device& from) : w(wire), device(from) { wait(); }

    void wait() {
        device.wait_readable([this](error_code ec) {
            ++wakes;
            if (ec) return aborts.push_back(ec);
            error_code failed;
            device.receive(64, [this](frame const&) { ++frames; }, failed);
            if (failed) failures.push_back(failed);
            if (failed != errc::no_such_interface) wait();
        });
    }
    void run_for(std::chrono::milliseconds time) {
        w.io.restart();
        w.io.run_for(time);
    }
    // Runs until something failed anew.
    bool next_failure() {
        auto before = failures.size();
        w.io.restart();
        auto deadline = std::chrono::steady_clock::now() + 5s;
        while (failures.size() == before && w.io.run_one_until(deadline) > 0) {
        }
        return failures.size() == before + 1;
    }

    wired& w;
    link_device& device;
    int wakes = 0;
    int frames = 0;
    std::vector<error_code> failures, aborts;
};

using opener = std::function<std::unique_ptr<link_device>(wired&)>;

opener const openers[] = {
    [](wired& w) { return packet_socket::open(w.io.get_executor(), w.va()); },
    [](wired& w) { return raw_socket::open(w.io.get_executor(), w.va()); },
    [](wired& w) { return pcap_device::open(w.io.get_executor(), "va"); },
#ifdef SONDE_TEST_XDP
    [](wired& w) { return tested_socket::open(w.io.get_executor(), w.va()); },
#endif
};

}  // namespace

TEST_CASE("no descriptor of a device passes to a program that is executed", "[link][lab]") {
    wired w;
    auto before = open_descriptors();
    auto a = packet_socket::open(w.io.get_executor(), w.va());
    auto b = packet_socket::transmitter(w.io.get_executor(), w.va());
    auto c = raw_socket::open(w.io.get_executor(), w.lo());
    auto d = pcap_device::open(w.io.get_executor(), "va");
    auto e = tested_socket::open(w.io.get_executor(), w.va());
    interface_info(w.va());
    int ours = 0;
    for (int fd : open_descriptors()) {
        if (before.count(fd) || ::fcntl(fd, F_GETFD) == -1) continue;
        if (target_of(fd) == "anon_inode:[eventfd]") continue;  // libpcap's wake-up, out of reach
        ++ours;
        CAPTURE(fd, target_of(fd));
        CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    }
    CHECK(ours >=
          7);  // two packet sockets, two raw sockets and their packet socket, libpcap's and its duplicate
}

TEST_CASE("a device leaves no descriptor behind, whether it opened or not", "[link][lab]") {
    wired w;
    for (auto const& open : openers) open(w);
    error_code ec;
    auto bad = capture_filter::compile("vlan", link_type::ethernet);
    auto before = open_descriptors();
    for (auto const& open : openers) open(w);
    packet_socket::open(w.io.get_executor(), 12345, {}, ec);
    raw_socket::open(w.io.get_executor(), 12345, {}, ec);
    pcap_device::open(w.io.get_executor(), "nowhere", {}, ec);
    CHECK(open_descriptors() == before);
}

TEST_CASE("an interface that is not there is named in the error", "[link][lab]") {
    wired w;
    error_code ec;
    std::string why;
    CHECK_FALSE(packet_socket::open(w.io.get_executor(), 12345, {}, ec, &why));
    CHECK(ec == errc::no_such_interface);
    CHECK(why == "packet socket on interface 12345");
    CHECK_FALSE(pcap_device::open(w.io.get_executor(), "nowhere", {}, ec, &why));
    CHECK(ec == errc::no_such_interface);
    CHECK(why == "pcap device \"nowhere\"");
    CHECK(interface_index("nowhere", ec) == 0);
    CHECK(ec == errc::no_such_interface);
    CHECK(interface_index("a name of more than fifteen bytes", ec) == 0);
    CHECK(interface_index("va", ec) == w.va());
    CHECK(!ec);
    try {
        interface_index("nowhere");
        FAIL("no error");
    } catch (sonde::error const& e) {
        CHECK(std::string(e.what()).find("\"nowhere\"") != std::string::npos);
    }
    CHECK_THROWS_AS(packet_socket::open(w.io.get_executor(), 12345), sonde::error);
}

TEST_CASE("only network interfaces are opened by name, whatever else libpcap knows", "[link][lab]") {
    wired w;
    for (auto name : {"usbmon0", "nflog", "nfqueue", "dbus-system", "bluetooth-monitor", ""}) {
        error_code ec;
        CHECK_FALSE(pcap_device::open(w.io.get_executor(), name, {}, ec));
        CHECK(ec == errc::no_such_interface);
    }
}

TEST_CASE("without CAP_NET_RAW opening fails with permission and says what to do", "[link][lab]") {
    wired w;
    int va = w.va();
    auto child = support::fork_to([&]() -> int {
        // In a user namespace of its own the child has every capability, but none over this network
        // namespace.
        if (::unshare(CLONE_NEWUSER) != 0) return 100;
        asio::io_context io(1);
        error_code ec;
        std::string why;
        int wrong = 0;
        wrong += packet_socket::open(io.get_executor(), va, {}, ec, &why) || ec != errc::permission;
        wrong += why != "packet socket on va: socket";
        wrong += ec.message().find("setcap") == std::string::npos;
        wrong += raw_socket::open(io.get_executor(), va, {}, ec) || ec != errc::permission;
        wrong += pcap_device::open(io.get_executor(), "va", {}, ec) || ec != errc::permission;
        return wrong;
    });
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("frames of a TUN interface begin with the IP header, both ways", "[link][lab]") {
    if (!may_make_tun()) return;
    wired w;
    tun t("t0");
    w.net.run("ip link set t0 up");
    auto a = packet_socket::open(w.io.get_executor(), interface_index("t0"));
    CHECK(a->info().type == link_type::raw);
    REQUIRE(::write(t.fd, ping4.data(), ping4.size()) == static_cast<ssize_t>(ping4.size()));
    auto got = collect(w.io, *a, 1);
    REQUIRE(got.size() == 1);
    CHECK(got[0].bytes == ping4);
    CHECK(got[0].type == link_type::raw);
    send_one(*a, ping4);
    bytes back(100);
    auto n = ::read(t.fd, back.data(), back.size());  // the kernel's own IPv6 chatter may come first
    while (n > 0 && back[0] != ping4[0]) n = ::read(t.fd, back.data(), back.size());
    REQUIRE(n == static_cast<ssize_t>(ping4.size()));
    back.resize(ping4.size());
    CHECK(back == ping4);
}

TEST_CASE("an interface whose frames sonde does not read does not open, and among all is left out",
          "[link][lab]") {
    if (!may_make_tun()) return;
    wired w;
    tun t("t0");
    REQUIRE(::ioctl(t.fd, TUNSETLINK, ARPHRD_IEEE80211) == 0);
    w.net.run("ip link set t0 up");
    error_code ec;
    std::string why;
    CHECK_FALSE(packet_socket::open(w.io.get_executor(), interface_index("t0"), {}, ec, &why));
    CHECK(ec == errc::unsupported_link_type);
    CHECK(why == "packet socket on t0");
    auto all = packet_socket::open(w.io.get_executor(), 0);
    REQUIRE(::write(t.fd, ping4.data(), ping4.size()) > 0);
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    send_one(*b, numbered(1));
    auto got = collect(w.io, *all, 1);
    REQUIRE(got.size() == 1);
    CHECK(number_of(got[0].bytes) == 1);
    CHECK(all->counters().unreadable >= 1);
}

TEST_CASE("a frame longer than the MTU fails alone, and those behind it can be sent", "[link][lab]") {
    wired w;
    auto const& open = GENERATE(from_range(std::begin(openers), std::end(openers)));
    auto a = open(w);
    if (a->info().type == link_type::raw) return;  // the raw socket's own test has it
    auto peer = packet_socket::open(w.io.get_executor(), w.vb());
    std::vector<bytes> frames{numbered(1), numbered(2, experimental, "", 1600), numbered(3)};
    std::vector<std::span<std::byte const>> views(frames.begin(), frames.end());
    error_code ec;
    CHECK(a->transmit(views, ec) == 1);
    CHECK(ec == errc::message_too_long);
    CHECK(a->transmit(std::span(views).subspan(2), ec) == 1);
    CHECK(!ec);
    auto got = collect(w.io, *peer, 2);
    REQUIRE(got.size() == 2);
    CHECK(number_of(got[1].bytes) == 3);
}

TEST_CASE("more frames than one batch holds are sent in order by one call", "[link][lab]") {
    wired w;
    auto a = packet_socket::transmitter(w.io.get_executor(), w.va());
    auto peer = packet_socket::open(w.io.get_executor(), w.vb());
    std::vector<bytes> frames;
    for (std::uint32_t i = 0; i < 150; ++i)
        frames.push_back(numbered(i, experimental, "", i == 100 ? 1600 : 60));
    std::vector<std::span<std::byte const>> views(frames.begin(), frames.end());
    error_code ec;
    CHECK(a->transmit(views, ec) == 100);
    CHECK(ec == errc::message_too_long);
    CHECK(a->transmit(std::span(views).subspan(101), ec) == 49);
    auto got = collect(w.io, *peer, 149);
    REQUIRE(got.size() == 149);
    for (std::uint32_t i = 0; i < 149; ++i) CHECK(number_of(got[i].bytes) == i + (i >= 100));
}

TEST_CASE("a full send buffer says would_block, and writable when it has drained", "[link][lab]") {
    wired w;
    w.net.run("tc qdisc add dev va root tbf rate 1mbit burst 2000 limit 10000000");
    auto a = packet_socket::transmitter(w.io.get_executor(), w.va());
    std::vector<bytes> frames(2000, numbered(1));
    std::vector<std::span<std::byte const>> views(frames.begin(), frames.end());
    error_code ec;
    auto sent = a->transmit(views, ec);
    CHECK(ec == asio::error::would_block);
    CHECK(sent > 10);
    CHECK(sent < views.size());
    int writable = 0;
    a->wait_writable([&](error_code e) {
        CHECK(!e);
        ++writable;
    });
    w.io.poll();
    CHECK(writable == 0);
    w.io.restart();
    w.io.run_for(10s);
    CHECK(writable == 1);
    CHECK(a->transmit(std::span(views).first(1), ec) == 1);
}

TEST_CASE("a full interface queue says ENOBUFS", "[link][lab]") {
    wired w;
    w.net.run("tc qdisc add dev va root tbf rate 8kbit burst 100 limit 200");
    auto a = packet_socket::transmitter(w.io.get_executor(), w.va());
    std::vector<bytes> frames(20, numbered(1));
    std::vector<std::span<std::byte const>> views(frames.begin(), frames.end());
    error_code ec;
    auto sent = a->transmit(views, ec);
    CHECK(ec == asio::error::no_buffer_space);
    CHECK(sent < views.size());
}

TEST_CASE("an interface that goes down is told once, and its frames come again when it is up",
          "[link][lab]") {
    wired w;
    auto const& open = GENERATE(from_range(std::begin(openers), std::end(openers)));
    auto a = open(w);
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    reader r(w, *a);
    send_one(*b, numbered(1));
    w.net.run("ip link set va down");
    CHECK(r.next_failure());
    CHECK(r.failures == std::vector{make_error_code(errc::interface_down)});
    CHECK(r.frames == 1);  // what was queued before is not lost
    auto before = r.wakes;
    r.run_for(500ms);
    CHECK(r.wakes - before <= 60);  // it looks around, it does not spin
    CHECK(r.failures.size() == 1);
    w.net.run("ip link set va up");
    w.net.await_carrier("va");
    w.net.await_carrier("vb");
    send_one(*b, numbered(2));
    r.run_for(300ms);
    CHECK(r.frames == 2);
    CHECK(r.failures.size() == 1);
    before = r.wakes;
    r.run_for(300ms);
    CHECK(r.wakes == before);  // up and idle, it rests
}

TEST_CASE("an interface that is removed ends the reading once and for good, without a spin", "[link][lab]") {
    wired w;
    auto const& open = GENERATE(from_range(std::begin(openers), std::end(openers)));
    bool down_first = GENERATE(false, true);
    auto a = open(w);
    reader r(w, *a);
    if (down_first) {
        w.net.run("ip link set va down");
        CHECK(r.next_failure());
    }
    w.net.run("ip link del va");
    auto start = std::clock();
    r.run_for(1000ms);
    CHECK(std::clock() - start < CLOCKS_PER_SEC / 5);
    CHECK(w.io.stopped());  // the reader was told and waits no more
    REQUIRE(!r.failures.empty());
    CHECK(r.failures.back() == errc::no_such_interface);
    CHECK(std::count(r.failures.begin(), r.failures.end(), make_error_code(errc::no_such_interface)) == 1);
    CHECK(std::count(r.failures.begin(), r.failures.end(), make_error_code(errc::interface_down)) <= 1);
    CHECK(r.wakes <= 30);
    error_code ec;
    for (int again = 0; again < 3; ++again) {
        CHECK(a->receive(1, [](frame const&) {}, ec) == 0);
        CHECK(ec == errc::no_such_interface);
    }
}

TEST_CASE("sending on an interface that is down or gone says so", "[link][lab]") {
    wired w;
    auto a = packet_socket::transmitter(w.io.get_executor(), w.va());
    auto f = numbered(1);
    std::span<std::byte const> view = f;
    error_code ec;
    w.net.run("ip link set va down");
    CHECK(a->transmit({&view, 1}, ec) == 0);
    CHECK(ec == errc::interface_down);
    w.net.run("ip link del va");
    CHECK(a->transmit({&view, 1}, ec) == 0);
    CHECK(ec == errc::no_such_interface);
}

TEST_CASE("an interface that is down opens, says so, and is captured when it comes up", "[link][lab]") {
    wired w;
    w.net.run("ip link set va down");
    auto a = packet_socket::open(w.io.get_executor(), w.va());
    error_code ec;
    CHECK(collect(w.io, *a, 1, &ec).empty());
    CHECK(ec == errc::interface_down);
    w.net.run("ip link set va up");
    w.net.await_carrier("va");
    w.net.await_carrier("vb");
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    send_one(*b, numbered(9));
    CHECK(collect(w.io, *a, 1).size() == 1);
    w.net.run("ip link set va down");
    CHECK_FALSE(pcap_device::open(w.io.get_executor(), "va", {}, ec));
    CHECK(ec == errc::interface_down);
}

TEST_CASE("a renamed interface stays the same device", "[link][lab]") {
    wired w;
    auto a = packet_socket::open(w.io.get_executor(), w.va());
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    w.net.run("ip link set va down && ip link set va name renamed && ip link set renamed up");
    w.net.await_carrier("renamed");
    w.net.await_carrier("vb");
    error_code ec;
    collect(w.io, *a, 1, &ec, 200ms);
    CHECK(ec == errc::interface_down);
    send_one(*b, numbered(4));
    auto got = collect(w.io, *a, 1);
    REQUIRE(got.size() == 1);
    CHECK(got[0].interface == interface_index("renamed"));
}

TEST_CASE("cancel and destruction complete both waits of a device once", "[link][lab]") {
    wired w;
    w.net.run("tc qdisc add dev va root tbf rate 8kbit burst 2000 limit 10000000");
    auto const& open = GENERATE(from_range(std::begin(openers), std::end(openers)));
    bool destroy = GENERATE(false, true);
    auto a = open(w);
    std::vector<bytes> frames(2000, a->info().type == link_type::raw ? ping4 : numbered(1));
    if (a->info().type == link_type::raw)
        w.net.run(
            "ip addr add 198.18.0.1/24 dev va; ip neigh add 198.18.0.2 lladdr 02:00:00:00:00:02 dev va");
    std::vector<std::span<std::byte const>> views(frames.begin(), frames.end());
    error_code full;
    a->transmit(views, full);
    if (!full) return;  // an AF_XDP socket leaves past the queue
    REQUIRE(full == asio::error::would_block);
    std::vector<error_code> results;
    a->wait_readable([&](error_code ec) { results.push_back(ec); });
    a->wait_writable([&](error_code ec) { results.push_back(ec); });
    w.io.poll();
    REQUIRE(results.empty());
    if (destroy)
        a.reset();
    else
        a->cancel();
    CHECK(results.empty());
    w.io.restart();
    w.io.run_for(5s);
    CHECK(results == std::vector<error_code>(2, asio::error::operation_aborted));
    CHECK(w.io.stopped());
}
