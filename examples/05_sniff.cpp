// Captures with a deadline: sniff is a generator that ends by itself, and a program of many operations has
// one loop.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

asio::awaitable<void> capture(network& net, std::string filter) {
    auto packets = net.sniff({.filter = filter, .count = 3, .timeout = 2s});
    while (auto p = co_await packets.next()) fmt::print("{}\n", *p);
    fmt::print("{}\n", packets.report());
}

/// Something to be seen.
asio::awaitable<void> chatter(network& net) {
    auto pings = net.srloop(IP{.dst = "198.18.0.1"} / ICMP{}, {.count = 5, .inter = 50ms});
    while (co_await pings.next()) continue;
}

asio::awaitable<void> both(std::string filter) {
    using namespace asio::experimental::awaitable_operators;
    network net{co_await asio::this_coro::executor};
    co_await (capture(net, filter) && chatter(net));
}

int main(int argc, char** argv) {
    asio::io_context loop;
    asio::co_spawn(loop, both(argc > 1 ? argv[1] : "icmp"), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    });
    loop.run();
}
