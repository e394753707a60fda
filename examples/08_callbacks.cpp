// Without coroutines: each operation takes any completion token, such as a callback or a future.
#include <sonde/sonde.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <thread>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

int main() {
    asio::io_context loop;
    network net{loop};

    // A callback: called once, on the loop.
    net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s}, [](error_code ec, std::optional<exchange> x) {
        if (ec)
            fmt::print("error: {}\n", ec.message());
        else
            fmt::print("callback: {}\n", x ? fmt::format("{}", x->received) : "silence");
    });
    // A future: for a thread that may block. Errors are exceptions of get().
    auto answer = net.sr1(IP{.dst = "198.18.0.2"} / TCP{.dport = 80}, {.timeout = 1s}, asio::use_future);

    std::thread runs([&] { loop.run(); });
    auto x = answer.get();
    fmt::print("future: {}\n", x ? fmt::format("{}", x->received) : "silence");
    runs.join();
}
