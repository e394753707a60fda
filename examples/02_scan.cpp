// Scans a network: sr is a generator of answers, as they arrive; the set of packets is never in memory.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

asio::awaitable<void> scan(std::string target) {
    network net{co_await asio::this_coro::executor};
    auto answers = net.sr(IP{.dst = target} / TCP{.dport = {22, 80, 443, 8080}, .flags = "S"},
                          {.timeout = 500ms, .retry = 1, .rate = 5000});
    while (auto x = co_await answers.next())
        if (x->received.get<TCP>().flags == "SA")
            fmt::print("{}:{} open\n", x->received.get<IP>().src, x->received.get<TCP>().sport);
    fmt::print("{}\n", answers.report());
}

int main(int argc, char** argv) {
    asio::io_context loop;
    asio::co_spawn(loop, scan(argc > 1 ? argv[1] : "198.18.0.0/29"), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    });
    loop.run();
}
