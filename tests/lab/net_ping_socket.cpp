// Echo requests without any privilege, through the kernel's ping socket.
#include "faults_support.hpp"
#include "support/child.hpp"
#include "support/command.hpp"

#include <sonde/tools/ping.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/this_coro.hpp>

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <map>

namespace asio = boost::asio;
using namespace sonde;
using namespace faults;
using namespace std::chrono_literals;

namespace {

/// Two hosts who speak IPv6 too; the far one forwards to some networks, and forbids others.
struct two_hosts_and_a_way : two_hosts {
    two_hosts_and_a_way() {
        here.run("echo 0 >/proc/sys/net/ipv6/conf/eth1/disable_ipv6");
        there.run(
            "echo 0 >/proc/sys/net/ipv6/conf/far1/disable_ipv6; echo 0 >/proc/sys/net/ipv6/icmp/ratelimit;"
            "echo 0 >/proc/sys/net/ipv4/icmp_ratelimit;"
            "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding;"
            "ip address add 2001:db8::1/64 dev far1 nodad; ip -6 route add local 2001:db8:1::/64 dev lo;"
            "ip route add prohibit 198.51.100.0/24; ip -6 route add prohibit 2001:db8:2::/64;"
            "ip route add 198.51.101.0/24 via 198.18.255.2; ip -6 route add 2001:db8:3::/64 via 2001:db8::2");
        here.run(
            "ip address add 2001:db8::2/64 dev eth1 nodad;"
            "ip -6 route add 2001:db8:1::/48 via 2001:db8::1; ip -6 route add 2001:db8:2::/48 via "
            "2001:db8::1;"
            "ip -6 route add 2001:db8:3::/48 via 2001:db8::1; ip route add 198.51.100.0/23 via 198.18.0.1");
    }
    void allow_ping_sockets() const { here.run("echo 0 0 >/proc/sys/net/ipv4/ping_group_range"); }
};

/// Loses the capabilities for good, also over exec, where root has them again otherwise.
bool become_powerless() {
    constexpr unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED;
    return ::prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) == 0 && drop_capabilities();
}

/// What is expected, in a child without capabilities: what did not hold is printed.
class checks {
public:
    void operator()(bool held, char const* what) {
        if (!held) std::fprintf(stderr, "without privilege: %s\n", what), ++failed_;
    }
    int failed() const { return failed_; }

private:
    int failed_ = 0;
};
#define EXPECT_HERE(check, ...) check((__VA_ARGS__), #__VA_ARGS__)

using body = std::function<asio::awaitable<void>(checks&)>;

/// Runs it in a child that has lost its capabilities, unless `first` still needs them.
int failed_without_privilege(body const& what) {
    auto child = support::fork_to([&] {
        checks check;
        run([&]() -> asio::awaitable<void> { co_await what(check); });
        return check.failed();
    });
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

auto const quick = sr_options{.timeout = 1s, .retry = 1};

asio::awaitable<std::pair<error_code, std::optional<exchange>>> sr1(network& net, packet p) {
    auto op = net.sr1(std::move(p), quick, asio::as_tuple(asio::deferred));
    auto [ec, x] = co_await std::move(op);
    co_return std::pair(ec, std::move(x));
}

asio::awaitable<probe_outcome> outcome_of(network& net, packet p) {
    auto options = quick;
    options.unanswered = true;
    auto run = net.sr(std::move(p), options);
    auto x = co_await run.next();
    co_return x ? x->outcome() : probe_outcome{};
}

/// RFC 2113.
constexpr std::array router_alert{std::byte(0x94), std::byte(4), std::byte(0), std::byte(0)};

/// The text of the refusal, or none.
asio::awaitable<std::string> refusal(network& net, packet p) {
    auto [ec, x] = co_await sr1(net, std::move(p));
    co_return ec == errc::permission ? net.why() : "";
}

bool names(std::string const& text, std::string_view part) {
    return text.find(part) != text.npos;
}

support::command_result powerless(std::vector<std::string> words, std::function<void()> const& more = [] {}) {
    words.insert(words.begin(), support::sonde_command());
    return support::run(words, "", [&] {
        more();
        if (!become_powerless()) ::_exit(126);
    });
}

}  // namespace

TEST_CASE("what a child throws is its end, and not the beginning of another run of these tests",
          "[lab][net]") {
    auto throws = [](checks&) -> asio::awaitable<void> {
        throw std::runtime_error("as expected");
        co_return;
    };
    CHECK(failed_without_privilege(throws) == support::child_threw);
}

TEST_CASE(
    "sr1 of an echo request works without any privilege where ping sockets are allowed, by IPv4 and IPv6",
    "[lab][net]") {
    two_hosts_and_a_way hosts;
    hosts.allow_ping_sockets();
    CHECK(failed_without_privilege([](checks& check) -> asio::awaitable<void> {
              EXPECT_HERE(check, become_powerless());
              network net{co_await asio::this_coro::executor};
              auto [ec, x] = co_await sr1(net, IP{.dst = "198.19.0.1"} / ICMP{} / "sixteen bytes ..");
              EXPECT_HERE(check, !ec && x);
              if (!x) co_return;
              auto const& sent = x->sent.get<ICMP>();
              auto const& back = x->received.get<ICMP>();
              EXPECT_HERE(check, back.type == 0 && back.id.value() == sent.id.value());
              EXPECT_HERE(check, back.seq.value() == sent.seq.value());
              EXPECT_HERE(check, x->received.get<IP>().src == ipv4("198.19.0.1"));
              EXPECT_HERE(check, x->received.get<IP>().dst == ipv4("198.18.255.2"));
              EXPECT_HERE(check, x->received.get<IP>().ttl == 64);
              EXPECT_HERE(check, x->received.view().bytes.size() == 20 + 8 + 16);
              EXPECT_HERE(check, x->rtt() > 0ns && x->rtt() < 1s);
              auto [ec6, y] =
                  co_await sr1(net, IPv6{.dst = "2001:db8:1::7"} / ICMPv6EchoRequest{.data = "abc"});
              EXPECT_HERE(check, !ec6 && y && y->received.get<IPv6>().src == ipv6("2001:db8:1::7"));
              EXPECT_HERE(check, y && y->received.get<ICMPv6EchoReply>().data == "abc");
              auto [chosen, u] = co_await sr1(net, IP{.dst = "198.19.0.1"} / ICMP{.id = 4711, .seq = 9});
              EXPECT_HERE(check, !chosen && u && u->received.get<ICMP>().id == 4711);
              EXPECT_HERE(check, u && u->received.get<ICMP>().seq == 9);
              auto [own, z] = co_await sr1(net, IP{.dst = "127.0.0.1"} / ICMP{});
              EXPECT_HERE(check, !own && z && z->answered());
              auto [mine, w] = co_await sr1(net, IP{.dst = "198.18.255.2"} / ICMP{});
              EXPECT_HERE(check, !mine && w && w->answered());
          }) == 0);
}

TEST_CASE("without privilege each of many echo requests has its own answer", "[lab][net]") {
    two_hosts_and_a_way hosts;
    hosts.allow_ping_sockets();
    CHECK(failed_without_privilege([](checks& check) -> asio::awaitable<void> {
              EXPECT_HERE(check, become_powerless());
              network net{co_await asio::this_coro::executor};
              std::map<std::string, int> answers;
              auto run = net.sr(IP{.dst = "198.19.0.0/22"} / ICMP{}, {.timeout = 2s, .retry = 2});
              std::size_t wrong = 0;
              while (auto x = co_await run.next()) {
                  ++answers[x->received.get<IP>().src.value().to_string()];
                  wrong += x->received.get<IP>().src.value() != x->sent.get<IP>().dst.value() ||
                           x->received.get<ICMP>().seq.value() != x->sent.get<ICMP>().seq.value();
              }
              EXPECT_HERE(check, answers.size() == 1024);
              EXPECT_HERE(check, wrong == 0);
              EXPECT_HERE(check, run.report().answered == 1024 && run.report().unrelated == 0);
              // The same target, at once: told apart by the sequence number alone.
              auto same = net.sr(IP{.dst = "198.19.0.1"} / ICMP{} / Raw{.load = "x"}, {.timeout = 1s});
              auto other = net.sr(IP{.dst = "198.19.0.1"} / ICMP{} / Raw{.load = "y"}, {.timeout = 1s});
              auto a = co_await same.next();
              auto b = co_await other.next();
              EXPECT_HERE(check, a && a->received.get<Raw>().load == "x");
              EXPECT_HERE(check, b && b->received.get<Raw>().load == "y");
          }) == 0);
}

TEST_CASE("what leaves a ping socket is what was asked for, but for the IP id", "[lab][net]") {
    two_hosts_and_a_way hosts;
    hosts.allow_ping_sockets();
    hosts.here.run("ip address add 198.18.255.3/16 dev eth1");
    CHECK(failed_without_privilege([&hosts](checks& check) -> asio::awaitable<void> {
              auto executor = co_await asio::this_coro::executor;
              network far(executor, {.netns = hosts.there.fd()});
              auto tap = far.sniff(
                  {.iface = "far1", .filter = "icmp[0] == 8 or (ip6 and ip6[40] == 128)", .timeout = 5s});
              EXPECT_HERE(check, become_powerless());
              network net(executor);
              auto asked =
                  IP{.dst = "198.19.0.9", .src = "198.18.255.3", .ttl = 7, .tos = 0x29, .flags = "DF"} /
                  ICMP{.seq = 77} / "payload";
              auto [ec, x] = co_await sr1(net, asked);
              auto wire = co_await tap.next();
              EXPECT_HERE(check, !ec && x && wire);
              if (!x || !wire) co_return;
              auto a = x->sent.build();
              auto b = wire->build();
              b.erase(b.begin(), b.begin() + 14);
              for (auto i : {4u, 5u, 10u, 11u}) a[i] = b[i] = std::byte(0);  // the id, and its checksum
              EXPECT_HERE(check, a == b);
              auto [ec6, y] = co_await sr1(
                  net, IPv6{.dst = "2001:db8:1::9", .hlim = 9, .tc = 0x2a} / ICMPv6EchoRequest{.data = "d"});
              auto wire6 = co_await tap.next();
              EXPECT_HERE(check, !ec6 && y && wire6);
              if (!y || !wire6) co_return;
              auto c = y->sent.build();
              auto d = wire6->build();
              d.erase(d.begin(), d.begin() + 14);
              EXPECT_HERE(check, c == d);
          }) == 0);
}

TEST_CASE("without privilege ICMP errors end the probes that they quote, and say who sent them",
          "[lab][net]") {
    two_hosts_and_a_way hosts;
    hosts.allow_ping_sockets();
    CHECK(failed_without_privilege([](checks& check) -> asio::awaitable<void> {
              EXPECT_HERE(check, become_powerless());
              network net{co_await asio::this_coro::executor};
              auto forbidden = co_await outcome_of(net, IP{.dst = "198.51.100.7"} / ICMP{});
              EXPECT_HERE(check, forbidden.what == probe_outcome::kind::icmp_error && forbidden.type == 3 &&
                                     forbidden.code == 13);
              auto short_lived = co_await outcome_of(net, IP{.dst = "198.51.101.7", .ttl = 1} / ICMP{});
              EXPECT_HERE(check,
                          short_lived.what == probe_outcome::kind::icmp_error && short_lived.type == 11);
              auto [ec, x] = co_await sr1(net, IP{.dst = "198.51.101.7", .ttl = 1} / ICMP{});
              EXPECT_HERE(check, x && x->received.get<IP>().src == ipv4("198.18.0.1") &&
                                     x->received.has<ICMPerror>());
              auto hop6 =
                  co_await outcome_of(net, IPv6{.dst = "2001:db8:3::7", .hlim = 1} / ICMPv6EchoRequest{});
              EXPECT_HERE(check, hop6.what == probe_outcome::kind::icmp_error && hop6.type == 3);
              auto forbidden6 = co_await outcome_of(net, IPv6{.dst = "2001:db8:2::7"} / ICMPv6EchoRequest{});
              EXPECT_HERE(check, forbidden6.what == probe_outcome::kind::icmp_error && forbidden6.type == 1);
              // The error that the socket itself reports by its next call is not the next probe's.
              auto [fine, y] = co_await sr1(net, IP{.dst = "198.19.0.1"} / ICMP{});
              EXPECT_HERE(check, !fine && y && y->answered() && y->received.get<ICMP>().type == 0);
              auto big = co_await outcome_of(net, IP{.dst = "198.19.0.1"} / ICMP{} / std::string(2000, 'x'));
              EXPECT_HERE(check, big.what == probe_outcome::kind::send_failed);
          }) == 0);
}

TEST_CASE("what a ping socket cannot send as it is is refused, with the field's name", "[lab][net]") {
    two_hosts_and_a_way hosts;
    hosts.allow_ping_sockets();
    CHECK(failed_without_privilege([](checks& check) -> asio::awaitable<void> {
              EXPECT_HERE(check, become_powerless());
              network net{co_await asio::this_coro::executor};
              auto const* to = "198.19.0.1";
              auto refused = [&](packet p) { return refusal(net, std::move(p)); };
              auto why = co_await refused(IP{.dst = to} / ICMP{.id = 0});
              EXPECT_HERE(check, names(why, "not with an ICMP id of 0"));
              EXPECT_HERE(check, names(why, "does not have CAP_NET_RAW"));
              why = co_await refused(IP{.dst = to, .id = 7} / ICMP{});
              EXPECT_HERE(check, names(why, "not with IP.id"));
              why = co_await refused(IP{.dst = to, .src = "198.18.0.99"} / ICMP{});
              EXPECT_HERE(check, names(why, "not with IP.src"));
              why = co_await refused(IP{.dst = to, .options = std::span<std::byte const>(router_alert)} /
                                     ICMP{});
              EXPECT_HERE(check, names(why, "not with IP.options"));
              why = co_await refused(IP{.dst = to, .frag = 3} / ICMP{});
              EXPECT_HERE(check, names(why, "not with IP.frag"));
              why = co_await refused(IP{.dst = to} / ICMP{.chksum = 1});
              EXPECT_HERE(check, names(why, "not with ICMP.chksum"));
              why = co_await refused(IPv6{.dst = "2001:db8:1::1", .fl = 5} / ICMPv6EchoRequest{});
              EXPECT_HERE(check, names(why, "not with IPv6.fl"));
              why = co_await refused(IP{.dst = to} / TCP{.flags = "S"});
              EXPECT_HERE(check, names(why, "does not have CAP_NET_RAW") && !names(why, "ping socket"));
              why = co_await refused(IP{.dst = to} / ICMP{.type = 13});
              EXPECT_HERE(check, names(why, "CAP_NET_RAW") && !names(why, "ping socket"));
              auto send = net.send(IP{.dst = to} / ICMP{}, {}, asio::as_tuple(asio::deferred));
              auto [ec, report] = co_await std::move(send);
              EXPECT_HERE(check, ec == errc::permission && names(net.why(), "keeps IP.id as it is"));
          }) == 0);
}

TEST_CASE(
    "sonde ping and traceroute work without privilege; where neither socket is allowed both are named, with "
    "the cure",
    "[lab][net]") {
    two_hosts_and_a_way hosts;
    // A new namespace allows nobody: "1 0", groups that this user namespace may not have names for.
    auto refused = powerless({"ping", "198.19.0.1", "-c", "1"});
    INFO(refused.out << refused.err);
    CHECK(refused.status == 3);
    CHECK(names(refused.err,
                "packet socket on eth1: socket (this process is root, but does not have CAP_NET_RAW)"));
    CHECK(names(refused.err, "; ping socket on eth1: socket (net.ipv4.ping_group_range is \""));
    CHECK(names(refused.err, "sudo setcap cap_net_raw+ep "));
    CHECK(names(refused.err, "sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\""));
    auto bounded =
        powerless({"ping", "198.19.0.1", "-c", "1"}, [] { ::prctl(PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0); });
    CHECK(names(bounded.err, "its container or service is without"));
    CHECK(names(bounded.err, "--cap-add NET_RAW"));
    auto no_capture = powerless({"sniff", "-i", "eth1", "-c", "1", "-t", "1"});
    CHECK(no_capture.status == 3);
    CHECK(names(no_capture.err, "does not have CAP_NET_RAW"));

    hosts.allow_ping_sockets();
    auto ping =
        powerless({"ping", "198.19.0.1", "198.19.0.2", "2001:db8:1::1", "-c", "3", "--interval", "20ms"});
    INFO(ping.out << ping.err);
    CHECK(ping.status == 0);
    CHECK(names(ping.out, "64 bytes from 198.19.0.1: seq=3 ttl=64"));
    CHECK(names(ping.out, "64 bytes from 2001:db8:1::1: seq=3 ttl=64"));
    auto way = powerless({"traceroute", "--icmp", "198.51.100.7", "-t", "500ms"});
    INFO(way.out << way.err);
    CHECK(names(way.out, "198.18.0.1"));
    auto scan = powerless({"scan", "198.19.0.1", "-p", "80"});
    CHECK(scan.status == 3);
    CHECK(names(scan.err, "does not have CAP_NET_RAW"));
}
