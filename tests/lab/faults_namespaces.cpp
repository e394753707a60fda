// Networks in other namespaces than the thread's, sockets from other processes, and processes that are
// copied.
#include "faults_support.hpp"
#include "support/child.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace asio = boost::asio;
using namespace sonde;
using namespace faults;
using namespace std::chrono_literals;

namespace {

ino_t thread_netns() {
    struct stat about{};
    REQUIRE(::stat("/proc/thread-self/ns/net", &about) == 0);
    return about.st_ino;
}

/// A namespace from which `peer` is reached, that answers there.
struct pair_elsewhere {
    explicit pair_elsewhere(std::string const& subnet) {
        near.run("ip link add eth1 type veth peer name far1 netns " + far.path());
        far.run("ip address add " + subnet + ".1/24 dev far1; ip link set far1 up");
        near.run("ip address add " + subnet + ".2/24 dev eth1; ip link set eth1 up");
        near.inside([] { sonde::test::own_netns::await_carrier("eth1"); });
    }
    other_netns near, far;
};

asio::awaitable<bool> answers(network& net, std::string_view to) {
    auto x = co_await net.sr1(IP{.dst = std::string(to)} / ICMP{}, {.timeout = 500ms, .retry = 1});
    co_return x && x->received.get<IP>().src == ipv4(std::string(to));
}

}  // namespace

TEST_CASE(
    "networks in two namespaces on one loop each reach their own peer, and the thread stays where it is",
    "[lab][faults]") {
    test::own_netns here;
    pair_elsewhere one("198.18.1"), two("198.18.2");
    auto home = thread_netns();
    run([&]() -> asio::awaitable<void> {
        auto executor = co_await asio::this_coro::executor;
        network first(executor, {.netns = one.near.path()});  // by a path
        network second(executor, {.netns = two.near.fd()});   // by a descriptor
        network own(executor);
        CHECK(co_await answers(first, "198.18.1.1"));
        CHECK(co_await answers(second, "198.18.2.1"));
        CHECK(co_await answers(first, "127.0.0.1"));
        CHECK(co_await answers(own, "127.0.0.1"));
        for (auto [net, to] :
             {std::pair(&first, "198.18.2.1"), {&second, "198.18.1.1"}, {&own, "198.18.1.1"}}) {
            auto probe = net->sr1(IP{.dst = to} / ICMP{}, {.timeout = 100ms}, asio::as_tuple(asio::deferred));
            auto [ec, x] = co_await std::move(probe);
            CHECK(ec == errc::no_route);
        }
        auto capture = second.sniff({.iface = "eth1", .filter = "icmp[0] == 0", .timeout = 2s});
        CHECK(co_await answers(second, "198.18.2.1"));
        CHECK(co_await capture.next());
        CHECK(thread_netns() == home);
    });
}

TEST_CASE("a namespace is found by the name that ip netns gave it", "[lab][faults]") {
    test::own_netns here;
    auto child = support::fork_to([&]() -> int {
        if (::unshare(CLONE_NEWNS) != 0) return 90;
        here.run("mount --make-rprivate / && mount -t tmpfs none /run");
        here.run(
            "ip netns add blue && ip -n blue address add 198.18.9.9/32 dev lo && ip -n blue link set lo up");
        int wrong = 0;
        run([&]() -> asio::awaitable<void> {
            network blue(co_await asio::this_coro::executor, {.netns = "blue"});
            wrong |= 1 * !co_await answers(blue, "198.18.9.9");
            here.run("ip netns delete blue");  // the network holds it
            blue.open("lo");
            wrong |= 2 * !co_await answers(blue, "198.18.9.9");
        });
        return wrong;
    });
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

TEST_CASE("an interface in another namespace that goes down and up is seen there, not in the thread's own",
          "[lab][faults]") {
    test::own_netns here;
    pair_elsewhere one("198.18.1");
    run([&]() -> asio::awaitable<void> {
        network net(co_await asio::this_coro::executor, {.netns = one.near.path()});
        CHECK(co_await answers(net, "198.18.1.1"));
        one.near.run("ip link set eth1 down");
        co_await pause(20ms);
        auto probe =
            net.sr1(IP{.dst = "198.18.1.1"} / ICMP{}, {.timeout = 100ms}, asio::as_tuple(asio::deferred));
        auto [ec, x] = co_await std::move(probe);
        CHECK(ec);
        one.near.run("ip link set eth1 up");
        one.near.inside([] { test::own_netns::await_carrier("eth1"); });
        CHECK(co_await answers(net, "198.18.1.1"));
    });
}

TEST_CASE("a namespace that is not there, or is none, or may not be entered, is named in the error",
          "[lab][faults]") {
    test::own_netns here;
    asio::io_context io(1);
    auto error_of = [&](netns_option which) {
        try {
            network net(io, {.netns = which});
            return std::string("none");
        } catch (boost::system::system_error const& e) {
            return std::string(e.what());
        }
    };
    CHECK_THAT(error_of("no-such"), Catch::Matchers::Contains("/run/netns/no-such: No such file"));
    CHECK_THAT(error_of("/dev/null"), Catch::Matchers::Contains("/dev/null: not a network namespace"));
    CHECK_THAT(error_of("/proc/self/ns/mnt"), Catch::Matchers::Contains("not a network namespace"));
    CHECK_THAT(error_of(987654), Catch::Matchers::Contains("network namespace 987654"));
    CHECK_THROWS_AS(netns_option(std::string(128, 'x')), sonde::error);
    CHECK(netns_option(std::string(127, 'x')).name().size() == 127);

    other_netns there;
    auto child = support::fork_to([&]() -> int {
        if (!drop_capabilities()) return 90;
        auto before = thread_netns();
        auto text = error_of(there.fd());
        return text.find("CAP_SYS_ADMIN") == std::string::npos || thread_netns() != before;
    });
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

TEST_CASE("what was opened before privileges are dropped works after, and what was not says permission",
          "[lab][faults]") {
    two_hosts hosts;
    auto child = support::fork_to([&]() -> int {
        int wrong = 0;
        run([&]() -> asio::awaitable<void> {
            network net{co_await asio::this_coro::executor};
            net.open("eth1");
            net.open("lo");
            auto capture = net.sniff({.iface = "eth1", .filter = "icmp[0] == 0", .timeout = 2s});
            wrong |= 1 * !drop_capabilities();
            wrong |= 2 * !co_await answers(net, "198.19.0.1");
            wrong |= 4 * !co_await answers(net, "127.0.0.1");
            wrong |= 8 * !co_await capture.next();
            network late{net.get_executor()};
            error_code ec;
            late.open("eth1", ec);
            wrong |=
                16 * (ec != errc::permission || !late.why().starts_with("packet socket on eth1: socket ("));
        });
        return wrong;
    });
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

namespace {

/// A descriptor over a Unix socket (unix(7)).
void pass(int over, int descriptor) {
    char byte = 0;
    iovec data{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &data, message.msg_iovlen = 1;
    message.msg_control = control, message.msg_controllen = sizeof control;
    auto* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(c), &descriptor, sizeof descriptor);
    REQUIRE(::sendmsg(over, &message, 0) == 1);
}

int passed(int over) {
    char byte = 0;
    iovec data{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &data, message.msg_iovlen = 1;
    message.msg_control = control, message.msg_controllen = sizeof control;
    int descriptor = -1;
    if (::recvmsg(over, &message, 0) == 1 && CMSG_FIRSTHDR(&message))
        std::memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof descriptor);
    return descriptor;
}

}  // namespace

TEST_CASE("a process without any capability probes over a socket that it was handed", "[lab][faults]") {
    two_hosts hosts;
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    auto child = support::fork_to([&]() -> int {
        int wrong = 0;
        wrong |= 1 * !drop_capabilities();
        run([&]() -> asio::awaitable<void> {
            network net{co_await asio::this_coro::executor};
            error_code ec;
            net.open("eth1", ec);
            wrong |= 2 * (ec != errc::permission);
            net.adopt(passed(ends[1]), "eth1");
            wrong |= 4 * !co_await answers(net, "198.18.0.1");
            auto scan = net.sr(pings(100), {.timeout = 1s});
            auto o = co_await finish(scan, 100);
            wrong |= 8 * (o.answers.size() != 100);
        });
        return wrong;
    });
    int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    pass(ends[0], fd);
    ::close(fd);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_CASE("what is no packet socket, or another interface's, is not adopted, and is closed",
          "[lab][faults]") {
    two_hosts hosts;
    asio::io_context io(1);
    network net(io);
    net.open("lo");
    auto before = open_descriptors();
    auto error_of = [&](int fd, if_name iface) {
        error_code ec;
        net.adopt(fd, iface, ec);
        return ec;
    };
    CHECK(error_of(::socket(AF_INET, SOCK_DGRAM, 0), "eth1") == asio::error::invalid_argument);
    CHECK(error_of(::socket(AF_PACKET, SOCK_DGRAM, 0), "eth1") == asio::error::invalid_argument);
    CHECK(error_of(::open("/dev/null", O_RDONLY), "eth1").value() == ENOTSOCK);
    CHECK(error_of(-1, "eth1").value() == EBADF);
    CHECK(error_of(::socket(AF_PACKET, SOCK_RAW, 0), "eth7") == errc::no_such_interface);
    CHECK(error_of(::socket(AF_PACKET, SOCK_RAW, 0), "") == errc::no_such_interface);
    auto bound = [] {
        int fd = ::socket(AF_PACKET, SOCK_RAW, 0);
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_ifindex = static_cast<int>(::if_nametoindex("eth1"));
        REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        return fd;
    };
    CHECK(error_of(bound(), "lo") == asio::error::invalid_argument);
    CHECK(open_descriptors() == before);
    CHECK(!error_of(bound(), ""));
    CHECK(open_descriptors() == before + 1);
    CHECK(error_of(bound(), "eth1") == asio::error::already_open);
    CHECK(open_descriptors() == before + 1);
}
