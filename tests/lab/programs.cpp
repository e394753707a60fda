// The programs that users are shown, as they are written: they must compile, run and end, also under
// sanitizers.

#include "support/catch.hpp"
#include "support/own_path.hpp"
#include "support/run.hpp"

#include <sonde/sonde.hpp>

#include <filesystem>

struct Echo {  // 8-byte header carried by UDP port 4242
    sonde::field<std::uint16_t> token{}, kind = 1;
    sonde::field<std::uint32_t> cookie{};
};
SONDE_LAYER(Echo, token, kind, cookie)
SONDE_BIND(sonde::UDP, Echo, dport, 4242)
bool answers(Echo const& reply, Echo const& sent);
bool answers(Echo const& reply, Echo const& sent) {
    return reply.kind == 2 && reply.token == sent.token.value() && reply.cookie == sent.cookie.value();
}

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> examples(std::string session) {
    network net{co_await asio::this_coro::executor};
    std::size_t lines = 0;

    co_await net.send(IP{.dst = "198.18.0.1"} / TCP{.dport = 53, .flags = "S"});
    co_await net.send(IP{.dst = {"198.18.0.1", "198.18.0.2"}} / TCP{.dport = 53, .flags = "S"},
                      {.count = 10, .inter = 1ms});

    co_await net.sendp(Ether{} / IP{.dst = "198.18.0.1", .ttl = range(1, 4)}, {.iface = "eth1"});
    co_await net.sendp(Raw{"I'm travelling on Ethernet"}, {.count = 5, .inter = 2ms, .iface = "eth1"});
    send_report r = co_await net.sendp(read_pcap(session), {.iface = "eth1", .realtime = true});
    CHECK(r.sent == 1);

    if (auto x =
            co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{} / "XXXXXXXXXXX", {.timeout = 1s, .retry = 2}))
        lines += !fmt::format("{} in {}\n", x->received, x->rtt()).empty();

    auto scan = net.sr(IP{.dst = "198.18.0.0/24"} / TCP{.dport = {22, 80, 443}, .flags = "S"},
                       {.timeout = 1s, .retry = 2});
    std::size_t open = 0;
    while (auto x = co_await scan.next())
        if (x->received.get<TCP>().flags == "SA")
            open +=
                !fmt::format("{}:{} open\n", x->received.get<IP>().src, x->received.get<TCP>().sport).empty();
    CHECK(open == 768);
    CHECK(fmt::format("{}\n", scan.report()).find("got 768 answers, remaining 0 packets") !=
          std::string::npos);
    for (packet const& p : scan.unanswered()) FAIL(fmt::format("{}", p));

    auto [ans, unans] = co_await net.sr(IP{.dst = "198.18.0.1"} / TCP{.dport = {21, 22, 23}}).collect();
    CHECK(ans.size() == 3);

    auto loop = net.srloop(IP{.dst = "198.18.0.1"} / ICMP{}, {.count = 3, .inter = 10ms});
    while (auto x = co_await loop.next()) lines += fmt::format("{}", *x).starts_with("RECV ");
    CHECK(fmt::format("{}", loop.report()) == "Sent 3 packets, received 3 packets. 100.0% hits.");

    auto capture = net.sniff({.iface = "eth1", .filter = "tcp port 80", .count = 2});
    co_await net.sr1(IP{.dst = "198.18.0.1"} / TCP{.dport = 80});
    while (auto p = co_await capture.next())
        lines += fmt::format("{:show}\n", *p).find("###[ TCP ]###") != std::string::npos;
    CHECK(lines == 6);
}

}  // namespace

TEST_CASE("The programs of the guide compile, run and end") {
    auto path = support::own_path("session.pcap");
    write_pcap(path.string(),
               std::vector<packet>{Ether{.dst = "02:00:00:00:00:02"} / IP{.dst = "198.18.0.1"} / ICMP{}});
    support::run([&] { return examples(path.string()); });
    std::filesystem::remove(path);
}

TEST_CASE("A user's own layer builds, dissects, prints, expands and matches like a built-in one") {
    auto probe = IP{.dst = "192.0.2.2", .src = "192.0.2.1"} / UDP{.sport = 1000} /
                 Echo{.token = {7, 8}, .cookie = 0xfeed};
    CHECK(probe.size() == 2);
    auto sent = dissect(probe[1].build(), link_type::ipv4);
    REQUIRE(sent.has<Echo>());
    CHECK(sent.get<Echo>().token == 8);
    CHECK(sent.get<UDP>().dport == 4242);
    CHECK(fmt::format("{:command}", sent).find("Echo(token=8, kind=1, cookie=65261)") != std::string::npos);
    auto reply = dissect((IP{.dst = "192.0.2.1", .src = "192.0.2.2"} / UDP{.dport = 1000, .sport = 4242} /
                          Echo{.token = 8, .kind = 2, .cookie = 0xfeed})
                             .build(),
                         link_type::ipv4);
    REQUIRE(reply.has<Echo>());
    CHECK(match(reply.view(), sent.view()).value == match_verdict::yes);
    auto other = dissect((IP{.dst = "192.0.2.1", .src = "192.0.2.2"} / UDP{.dport = 1000, .sport = 4242} /
                          Echo{.token = 7, .kind = 2, .cookie = 0xfeed})
                             .build(),
                         link_type::ipv4);
    CHECK(match(other.view(), sent.view()).value == match_verdict::no);
}
