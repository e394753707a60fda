// Pings a host and prints the answer: sr1 completes with the first answer, or with nothing after its retries.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

asio::awaitable<int> ping(std::string host) {
    network net{co_await asio::this_coro::executor};
    auto x = co_await net.sr1(IP{.dst = host} / ICMP{} / "sonde", {.timeout = 1s, .retry = 2});
    if (!x) {
        fmt::print("{} is silent\n", host);
        co_return 1;
    }
    fmt::print("{} in {:.3f} ms\n", x->received, std::chrono::duration<double, std::milli>(x->rtt()).count());
    co_return 0;
}

int main(int argc, char** argv) {
    asio::io_context loop;
    int status = 1;
    asio::co_spawn(loop, ping(argc > 1 ? argv[1] : "198.18.0.1"), [&](std::exception_ptr e, int result) {
        if (e) std::rethrow_exception(e);
        status = result;
    });
    loop.run();
    return status;
}
