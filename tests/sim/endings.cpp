// Ends that come from inside: handlers, sources, hosts and destructors that stop or destroy what calls them.
#include "sim/operations.hpp"

#include "net/platform.hpp"

#include <sonde/tools/traceroute.hpp>

#include <algorithm>
#include <array>
#include <functional>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;
using operations::bed;
using operations::into;
using operations::outcome;

TEST_CASE("What a traceroute hears of a target after it has told of it changes nothing") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        path way = path::both({.delay = 50ms});
        way.routers = {ipv4("203.0.113.1")};
        host seldom;  // tells of the first probe that reaches it; the probes behind that one wait in vain
        seldom.icmp_rate = 0.001, seldom.icmp_burst = 2;
        sim.add("198.18.0.1", seldom, way);
        sim.add("198.18.0.2", host::silent(), way);
        network net{co_await asio::this_coro::executor};
        tools::traceroute run(net, {ipv4("198.18.0.1"), ipv4("198.18.0.2")}, {.queries = 1});
        auto first = co_await run.next();
        REQUIRE(first);
        CHECK(first->reached);
        CHECK(first->hops.size() == 2);
        auto second = co_await run.next();
        REQUIRE(second);
        CHECK(!second->reached);
        CHECK(second->hops.size() == 30);
        auto end = co_await run.next();
        CHECK(!end);
    });
}
