// A thousand coroutines, each awaiting its own probe: they share one socket, one table and one timer.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

int main() {
    asio::io_context loop;
    network net{loop};
    int answered = 0;
    auto probe = [&](ipv4 host) -> asio::awaitable<void> {
        // Made here, since layers inside the awaited expression stay in the coroutine's frame while it waits.
        packet echo = IP{.dst = host} / ICMP{};
        auto x = co_await net.sr1(std::move(echo), {.timeout = 5s, .retry = 1});
        answered += x.has_value();
    };
    for (std::uint32_t n = 0; n < 1000; ++n)
        asio::co_spawn(loop, probe(ipv4(ipv4("198.18.8.0").value + n)), asio::detached);
    loop.run();
    fmt::print("{} of 1000 hosts answered\n", answered);
    return answered == 1000 ? 0 : 1;
}
