// Several threads: each has a loop and a network of its own, and a shard of the targets. Networks have
// nothing in common, so there is nothing to lock; of the interface each takes its share, so that the kernel
// hands it the answers to its own probes and not those to all.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

asio::awaitable<void> scan(std::uint32_t part, std::uint32_t parts, std::atomic<int>& open) {
    network net{co_await asio::this_coro::executor, {.share = {part, parts}}};
    auto targets = IP{.dst = "198.18.0.0/24"} / TCP{.dport = {80, 443}} | shuffled(42) | shard(part, parts);
    auto answers = net.sr(targets, {.timeout = 1s, .retry = 2});
    while (auto x = co_await answers.next())
        if (x->received.has<TCP>() && x->received.get<TCP>().flags == "SA") ++open;
}

int main() {
    constexpr std::uint32_t parts = 2;
    std::atomic<int> open = 0;
    std::vector<std::jthread> threads;
    for (std::uint32_t part = 0; part < parts; ++part)
        threads.emplace_back([&open, part] {
            asio::io_context loop(1);
            asio::co_spawn(loop, scan(part, parts, open), [](std::exception_ptr e) {
                if (e) std::rethrow_exception(e);
            });
            loop.run();
        });
    threads.clear();  // joins them
    fmt::print("{} ports open\n", open.load());
    return open == 512 ? 0 : 1;
}
