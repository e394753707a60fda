// Packets that are lost on the way: retries reach what the loss lets them reach, and make no storm.
#include "faults_support.hpp"

#include <boost/asio/this_coro.hpp>

#include <cmath>
#include <map>

namespace asio = boost::asio;
using namespace sonde;
using namespace faults;
using namespace std::chrono_literals;

namespace {

/// What comes to 198.19.0.0/16 over there goes through `rule`.
void filter(two_hosts const& hosts, std::string const& rule) {
    hosts.there.run(
        "nft 'flush ruleset; add table ip t; add chain ip t in { type filter hook prerouting priority -300; "
        "};"
        "add rule ip t in ip daddr 198.19.0.0/16 " +
        rule + "'");
}

}  // namespace

TEST_CASE("with retries as many probes are answered as the loss lets through, within three sigma",
          "[lab][faults]") {
    two_hosts hosts;
    struct {
        int loss, retry;
    } const cases[] = {{1, 0}, {10, 1}, {50, 2}};
    for (auto [loss, retry] : cases) {
        filter(hosts, "numgen random mod 100 < " + std::to_string(loss) + " drop");
        run([&, loss = loss, retry = retry]() -> asio::awaitable<void> {
            constexpr double probes = 1000;
            network net{co_await asio::this_coro::executor};
            CHECK(co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s}));
            double expected = 1 - std::pow(loss / 100.0, retry + 1);
            double sigma = std::sqrt(expected * (1 - expected) / probes);
            double off = 0;
            // One of 370 runs is further off by chance; two in a row are not.
            for (int again = 0; again < 2 && (again == 0 || off > 3 * sigma); ++again) {
                auto scan = net.sr(pings(1000), {.timeout = 200ms, .retry = retry, .rate = 10'000});
                auto o = co_await finish(scan, 1000);
                CHECK(o.report.send_errors == 0);
                CHECK(o.report.kernel_drops == 0);
                off = std::abs(static_cast<double>(o.answers.size()) / probes - expected);
                INFO("loss " << loss << " %, retry " << retry << ": " << o.answers.size()
                             << " answers, expected " << expected * probes << ", sigma " << sigma * probes);
                if (again == 1) CHECK(off <= 3 * sigma);
            }
        });
    }
}

TEST_CASE("a target that limits its rate sees no storm: each retry comes later than the one before",
          "[lab][faults]") {
    two_hosts hosts;
    filter(hosts, "limit rate over 200/second burst 20 packets drop");
    run([]() -> asio::awaitable<void> {
        network net{co_await asio::this_coro::executor};
        CHECK(co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s}));
        auto witness = net.sniff({.iface = "eth1", .filter = "icmp[0] == 8"});
        auto scan = net.sr(pings(200), {.timeout = adaptive, .retry = 2});
        auto o = co_await finish(scan, 200);
        CHECK(o.answers.size() >= 40);
        CHECK(o.report.retries <= 400);
        std::map<std::uint32_t, std::vector<timestamp>> times;
        std::size_t seen = 0;
        while (auto p = witness.try_next()) {
            times[p->get<IP>().dst.value().value].push_back(p->time);
            ++seen;
        }
        CHECK(seen == o.report.sent);
        // Adaptive is 100 ms at least, and twice as long with each retry.
        for (auto const& [address, at] : times)
            for (std::size_t i = 1; i < at.size(); ++i) CHECK(at[i] - at[i - 1] > 95ms * (1 << (i - 1)));
    });
}
