// A scan that is taken up again where it stopped: its cursor is all that has to be kept.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <set>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

/// Scans from `cursor` on and stops after so many results; gives where to go on.
asio::awaitable<std::uint64_t> scan_some(packet_set targets, std::uint64_t cursor, std::size_t results,
                                         std::set<std::string>& told) {
    network net{co_await asio::this_coro::executor};
    auto scan = net.sr(targets | drop(cursor), {.timeout = 200ms, .rate = 2000, .unanswered = true});
    while (results-- > 0) {
        auto x = co_await scan.next();
        if (!x) break;
        told.insert(fmt::format("{}", x->sent.get<IP>().dst));
    }
    co_return cursor + scan.cursor();
}

asio::awaitable<void> scan_in_parts() {
    packet_set targets = IP{.dst = "198.18.0.0/24"} / TCP{.dport = 80} | shuffled(42);
    std::set<std::string> told;
    std::uint64_t cursor = 0;
    for (int part = 1; cursor < targets.size(); ++part) {
        cursor = co_await scan_some(targets, cursor, 100, told);
        fmt::print("part {} ends at {} of {}, {} hosts told\n", part, cursor, targets.size(), told.size());
    }
}

int main() {
    asio::io_context loop;
    asio::co_spawn(loop, scan_in_parts(), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    });
    loop.run();
}
