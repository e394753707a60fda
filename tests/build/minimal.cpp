// The smallest program that a user writes: what a coroutine needs comes with sonde.hpp. user_build_time.sh
// compiles it.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

asio::awaitable<void> ping() {
    network net{co_await asio::this_coro::executor};
    if (auto x = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s}))
        fmt::print("{} in {}\n", x->received, x->rtt());
}

int main() {
    asio::io_context io;
    asio::co_spawn(io, ping(), asio::detached);
    io.run();
}
