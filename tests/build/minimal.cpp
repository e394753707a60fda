// The smallest program that a user writes. user_build_time.sh compiles it.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <fmt/core.h>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

asio::awaitable<void> ping() {
    network net{co_await asio::this_coro::executor};
    if (auto x = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s}))
        fmt::print("{}\n", x->received);
}

int main() {
    asio::io_context io;
    asio::co_spawn(io, ping(), asio::detached);
    io.run();
}
