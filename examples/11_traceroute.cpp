// Traceroute by hand: a set of TTLs, sent at once, whose answers tell of the routers on the way.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <map>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

asio::awaitable<void> trace(std::string target) {
    constexpr std::uint8_t most = 8;
    network net{co_await asio::this_coro::executor};
    std::map<unsigned, std::string> hops;
    unsigned last = most;
    auto answers =
        net.sr(IP{.dst = target, .ttl = range(std::uint8_t(1), most)} / ICMP{}, {.timeout = 500ms});
    while (auto x = co_await answers.next()) {
        unsigned ttl = x->sent.get<IP>().ttl;
        auto rtt = std::chrono::duration<double, std::milli>(x->rtt()).count();
        hops[ttl] = fmt::format("{} {:.3f} ms", x->received.get<IP>().src, rtt);
        if (x->received.get<ICMP>().type == 0) last = std::min(last, ttl);  // the target itself
    }
    for (unsigned ttl = 1; ttl <= last; ++ttl)
        fmt::print("{} {}\n", ttl, hops.contains(ttl) ? hops[ttl] : "*");
}

int main(int argc, char** argv) {
    asio::io_context loop;
    asio::co_spawn(loop, trace(argc > 1 ? argv[1] : "198.18.0.1"), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    });
    loop.run();
}
