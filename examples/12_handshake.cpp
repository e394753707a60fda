// A TCP handshake as a straight line. The kernel knows nothing of this connection and would reset it: the
// guard holds its resets back, for these ports and as long as it lives.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

asio::awaitable<int> connect(std::string host, std::uint16_t port) {
    network net{co_await asio::this_coro::executor};
    auto guard = net.guard_resets();
    auto server = IP{.dst = host};

    auto opened = co_await net.sr1(server / TCP{.dport = port, .flags = "S"}, {.timeout = 1s, .retry = 2});
    if (!opened || !opened->received.has<TCP>() || opened->received.get<TCP>().flags != "SA") {
        fmt::print("{} does not listen at {}\n", host, port);
        co_return 1;
    }
    TCP ours{.dport = port, .sport = opened->sent.get<TCP>().sport, .flags = "A"};
    ours.seq = opened->sent.get<TCP>().seq.value() + 1;
    ours.ack = opened->received.get<TCP>().seq.value() + 1;
    co_await net.send(server / ours);
    fmt::print("open: {}\n", opened->received);

    ours.flags = "FA";
    auto closed = co_await net.sr1(server / ours, {.timeout = 1s, .retry = 2});
    fmt::print("closed: {}\n", closed ? fmt::format("{}", closed->received) : "silence");
    co_return closed ? 0 : 1;
}

int main(int argc, char** argv) {
    asio::io_context loop;
    int status = 1;
    auto port = static_cast<std::uint16_t>(argc > 2 ? std::stoi(argv[2]) : 80);
    asio::co_spawn(loop, connect(argc > 1 ? argv[1] : "198.18.0.1", port), [&](std::exception_ptr e, int s) {
        if (e) std::rethrow_exception(e);
        status = s;
    });
    loop.run();
    return status;
}
