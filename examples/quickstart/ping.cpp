// docs/quickstart.md: a program of one's own, linked with an installed sonde.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

asio::awaitable<void> ping(std::string host) {
    network net{co_await asio::this_coro::executor};
    auto x = co_await net.sr1(IP{.dst = host} / ICMP{} / "hello", {.timeout = 1s, .retry = 2});
    if (x)
        fmt::print("{} after {}\n", x->received, x->rtt());
    else
        fmt::print("{} is silent\n", host);
}

int main(int argc, char** argv) {
    asio::io_context loop;
    asio::co_spawn(loop, ping(argc > 1 ? argv[1] : "198.18.0.1"), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    });
    loop.run();
}
