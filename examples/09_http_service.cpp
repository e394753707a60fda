// An HTTP service that probes: GET /probe?target=198.18.0.1 gives
// {"answered":true,"from":"198.18.0.1","rtt_us":61}. Each connection is a coroutine, and all share one
// network: hundreds of requests are in flight on one thread.
#include <sonde/sonde.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <cstdlib>

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using namespace sonde;
using namespace std::chrono_literals;
constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

asio::awaitable<std::string> probe(network& net, std::string target) {
    auto [ec, x] = co_await net.sr1(IP{.dst = target} / ICMP{}, {.timeout = 1s, .retry = 1}, as_tuple);
    if (ec) co_return fmt::format(R"({{"answered":false,"error":"{}"}})", ec.message());
    if (!x) co_return R"({"answered":false})";
    co_return fmt::format(R"({{"answered":true,"from":"{}","rtt_us":{}}})", x->received.get<IP>().src,
                          std::chrono::duration_cast<std::chrono::microseconds>(x->rtt()).count());
}

asio::awaitable<http::response<http::string_body>> answer(network& net,
                                                          http::request<http::empty_body> asked) {
    http::response<http::string_body> reply{http::status::ok, asked.version()};
    std::string_view const path = "/probe?target=", url{asked.target().data(), asked.target().size()};
    try {
        if (url.starts_with(path))
            reply.body() = co_await probe(net, std::string(url.substr(path.size())));
        else
            reply.result(http::status::not_found);
    } catch (sonde::error const&) {  // text that is neither an address nor a name
        reply.result(http::status::bad_request);
    }
    reply.set(http::field::content_type, "application/json");
    reply.keep_alive(asked.keep_alive());
    reply.prepare_payload();
    co_return reply;
}

asio::awaitable<void> serve(tcp::socket socket, network& net) {
    boost::beast::tcp_stream client(std::move(socket));
    boost::beast::flat_buffer buffer;
    for (bool more = true; more;) {
        http::request<http::empty_body> asked;
        client.expires_after(30s);
        auto [ec, n] = co_await http::async_read(client, buffer, asked, as_tuple);
        if (ec) co_return;
        auto reply = co_await answer(net, std::move(asked));
        auto [failed, m] = co_await http::async_write(client, reply, as_tuple);
        more = !failed && reply.keep_alive();
    }
}

int main(int argc, char** argv) {
    auto const port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8080);
    asio::io_context loop;
    network net{loop};
    tcp::acceptor door(loop, {asio::ip::address_v4::loopback(), port});
    auto welcome = [&]() -> asio::awaitable<void> {
        for (;;) {
            auto socket = co_await door.async_accept(asio::use_awaitable);
            asio::co_spawn(loop, serve(std::move(socket), net), asio::detached);
        }
    };
    asio::co_spawn(loop, welcome(), asio::detached);
    asio::signal_set end(loop, SIGINT, SIGTERM);
    end.async_wait([&](auto, int) { loop.stop(); });
    loop.run();
}
