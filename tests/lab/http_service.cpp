// examples/09_http_service.cpp under load: hundreds of requests at once over loopback, each with a probe of
// its own.
#include "support/catch.hpp"
#include "support/command.hpp"
#include "support/run.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <csignal>
#include <map>

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t port = 8642;
constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

/// The service, as long as this lives. How it ended is what `stop` gives.
class service {
public:
    explicit service(std::string const& path) : pid_(::fork()) {
        if (pid_ == 0) support::detail::execute({path, std::to_string(port)});
    }
    ~service() {
        if (pid_ > 0) stop(SIGKILL);
    }
    int stop(int signal) {
        ::kill(pid_, signal);
        int status = 0;
        ::waitpid(std::exchange(pid_, 0), &status, 0);
        return status;
    }

private:
    pid_t pid_;
};

/// A connection, as soon as somebody listens; for ten seconds.
asio::awaitable<tcp::socket> connect() {
    auto executor = co_await asio::this_coro::executor;
    for (auto end = std::chrono::steady_clock::now() + 10s;;) {
        tcp::socket socket(executor);
        tcp::endpoint there(asio::ip::address_v4::loopback(), port);
        auto [ec] = co_await socket.async_connect(there, as_tuple);
        if (!ec || std::chrono::steady_clock::now() > end) co_return socket;
        asio::steady_timer pause(executor, 20ms);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<http::response<http::string_body>> get(std::string path) {
    http::response<http::string_body> reply;
    boost::beast::tcp_stream stream(co_await connect());
    boost::beast::flat_buffer buffer;
    http::request<http::empty_body> asked{http::verb::get, path, 11};
    asked.keep_alive(false);
    co_await http::async_write(stream, asked, asio::use_awaitable);
    co_await http::async_read(stream, buffer, reply, asio::use_awaitable);
    co_return reply;
}

}  // namespace

TEST_CASE("An HTTP service answers three hundred requests at once, a probe each, from one network") {
    char const* path = std::getenv("SONDE_HTTP_SERVICE");
    if (!path) {
        WARN("skipped: SONDE_HTTP_SERVICE does not name the example");
        return;
    }
    service under_test(path);
    std::map<std::string, std::string> answers;  // by target
    auto target = [](int n) {
        return (n % 3 ? "198.18." : "198.19.") + std::to_string(n % 3 ? 2 + n / 250 : 248) + "." +
               std::to_string(n % 3 ? n % 250 : n / 3 + 1);
    };
    auto ask = [&](std::string to) -> asio::awaitable<void> {
        auto reply = co_await get("/probe?target=" + to);
        CHECK(reply.result() == http::status::ok);
        answers[to] = reply.body();
    };
    std::chrono::steady_clock::duration took{};
    support::run([&]() -> asio::awaitable<void> {
        auto other = co_await get("/elsewhere");  // and the service is up
        CHECK(other.result() == http::status::not_found);
        auto executor = co_await asio::this_coro::executor;
        auto began = std::chrono::steady_clock::now();
        for (int n = 0; n < 300; ++n)  // every third to an address that says nothing for two seconds
            asio::co_spawn(executor, ask(target(n)), asio::detached);
        for (auto end = began + 30s; answers.size() < 300 && std::chrono::steady_clock::now() < end;) {
            asio::steady_timer pause(executor, 10ms);
            co_await pause.async_wait(asio::use_awaitable);
        }
        took = std::chrono::steady_clock::now() - began;
    });
    REQUIRE(answers.size() == 300);
    for (auto const& [to, answer] : answers) {
        bool silent = to.starts_with("198.19.");
        CHECK(answer.starts_with(silent ? R"({"answered":false})"
                                        : R"({"answered":true,"from":")" + to + "\",\"rtt_us\":"));
    }
    CHECK(took >= 2s);  // the silent ones, once more after a second
    CHECK(took < 20s);  // one after another they would take 200
    CHECK(under_test.stop(SIGTERM) == 0);
}
