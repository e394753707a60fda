// Watches hosts: srloop yields every probe of every round; Ctrl-C ends it in order, with what it has learnt.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

asio::awaitable<void> watch(std::string targets, std::uint64_t rounds) {
    auto executor = co_await asio::this_coro::executor;
    network net{executor};
    auto loop = net.srloop(IP{.dst = targets} / ICMP{}, {.count = rounds, .inter = 200ms, .timeout = 150ms});
    asio::signal_set interrupt(executor, SIGINT);
    interrupt.async_wait([&](error_code ec, int) {
        if (!ec) loop.stop();
    });

    while (auto x = co_await loop.next())
        if (x->outcome().what != probe_outcome::kind::answered)
            fmt::print("round {}: {} {}\n", x->round, x->sent.get<IP>().dst, x->outcome());

    std::size_t number = 0;
    for (auto const& target : loop.statistics())
        fmt::print("target {}: {:.1f} % lost, p50 {}, p95 {}\n", number++, 100 * target.loss(),
                   target.rtt.quantile(0.5), target.rtt.quantile(0.95));
    interrupt.cancel();
}

int main(int argc, char** argv) {
    asio::io_context loop;
    asio::co_spawn(loop, watch(argc > 1 ? argv[1] : "198.18.0.0/30", argc > 2 ? std::stoull(argv[2]) : 3),
                   [](std::exception_ptr e) {
                       if (e) std::rethrow_exception(e);
                   });
    loop.run();
}
