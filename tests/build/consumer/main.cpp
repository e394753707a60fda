// Uses every room once: what is missing from the package does not link.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <fmt/core.h>

namespace asio = boost::asio;
using namespace sonde;

namespace {

/// No socket is opened: a generator sends nothing before its first `next`.
asio::awaitable<std::size_t> count_probes() {
    network net{co_await asio::this_coro::executor};
    auto scan = net.sr(IP{.dst = "198.18.0.0/24"} / TCP{.dport = {22, 80, 443}, .flags = "S"});
    co_return scan.report().sent;
}

}  // namespace

int main() {
    asio::io_context io;
    auto sent = asio::co_spawn(io, count_probes(), asio::use_future);
    io.run();

    packet p = IP{.dst = "198.18.0.1"} / UDP{.dport = 53} / "hello";
    auto bytes = p.build();
    bool same = dissect(bytes, link_type::ipv4).get<UDP>().dport == 53;
    fmt::print("{}: {} bytes\n", p, bytes.size());
    return bytes.size() == 33 && same && sent.get() == 0 ? 0 : 1;
}
