// The program of README.md.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

asio::awaitable<void> scan() {
    network net{co_await asio::this_coro::executor};

    if (auto x = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s, .retry = 2}))
        fmt::print("{} in {}\n", x->received, x->rtt());

    packet syns = IP{.dst = "198.18.0.0/24"} / TCP{.dport = {22, 80, 443}, .flags = "S"};
    auto answers = net.sr(syns, {.timeout = 1s});
    while (auto x = co_await answers.next())
        if (x->received.get<TCP>().flags == "SA")
            fmt::print("{}:{} open\n", x->received.get<IP>().src, x->received.get<TCP>().sport);
    fmt::print("{}\n", answers.report());
}

int main() {
    asio::io_context loop;
    asio::co_spawn(loop, scan(), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    });
    loop.run();
}
