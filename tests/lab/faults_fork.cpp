// Processes that are copied, or replaced by another program, while probes are under way.
#include "faults_support.hpp"
#include "support/child.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <optional>

namespace asio = boost::asio;
using namespace sonde;
using namespace faults;
using namespace std::chrono_literals;

namespace {

struct scan_result {
    std::optional<outcome> all;
    int ended = 0;
};

void start_scan(asio::io_context& io, network& net, scan_result& to) {
    auto body = [&net, &to]() -> asio::awaitable<void> {
        auto scan = net.sr(pings(400), {.timeout = 1s, .rate = 2000});
        to.all = co_await finish(scan, 400);
    };
    asio::co_spawn(io, body, [&to](std::exception_ptr) { ++to.ended; });
}

int exit_status(pid_t child) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return status;
}

}  // namespace

TEST_CASE("a child that tells its context of the fork has no network left, and its parent loses no packet",
          "[lab][faults]") {
    two_hosts hosts;
    asio::io_context io(1);
    network net(io);
    scan_result result;
    start_scan(io, net, result);
    io.run_for(50ms);
    for (int i = 0; i < 1000 && net.in_flight() == 0; ++i) io.run_one_for(10ms);  // answers come soon
    REQUIRE(net.in_flight() > 0);
    io.notify_fork(asio::execution_context::fork_prepare);
    auto child = support::fork_to([&]() -> int {
        io.notify_fork(asio::execution_context::fork_child);
        io.restart();
        io.run_for(1s);  // ends soon: everything was aborted
        int wrong = 0;
        wrong |=
            1 * (result.ended != 1 || !result.all || result.all->error != asio::error::operation_aborted);
        wrong |= 2 * !io.stopped();
        bool answered = false;
        network own(io);
        own.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 1s},
                [&](error_code, std::optional<exchange> x) { answered = x.has_value(); });
        io.restart();
        io.run_for(2s);
        wrong |= 4 * !answered;
        return wrong;
    });
    io.notify_fork(asio::execution_context::fork_parent);
    io.restart();
    io.run_for(10s);
    CHECK(io.stopped());
    REQUIRE(result.all);
    CHECK(result.all->answers.size() == 400);
    CHECK(exit_status(child) == 0);
}

TEST_CASE("a child that leaves everything alone until it exits does its parent no harm", "[lab][faults]") {
    two_hosts hosts;
    asio::io_context io(1);
    network net(io);
    scan_result result;
    start_scan(io, net, result);
    io.run_for(50ms);
    for (int i = 0; i < 5; ++i) {
        pid_t child = ::fork();
        if (child == 0) ::_exit(0);
        CHECK(exit_status(child) == 0);
        io.run_for(10ms);
    }
    io.run_for(10s);
    CHECK(io.stopped());
    REQUIRE(result.all);
    CHECK(result.all->answers.size() == 400);
}

TEST_CASE("no descriptor of a network passes to a program that it starts", "[lab][faults]") {
    two_hosts hosts;
    auto listed = [] {
        auto* pipe = ::popen("ls /proc/self/fd | wc -l", "re");
        int count = 0;
        REQUIRE(std::fscanf(pipe, "%d", &count) == 1);
        ::pclose(pipe);
        return count;
    };
    auto before = listed();
    run([&]() -> asio::awaitable<void> {
        network net(co_await asio::this_coro::executor, {.netns = hosts.there.path()});
        network own(net.get_executor());
        net.open("far1");
        own.open("eth1");
        own.open("lo");
        auto capture = own.sniff();
        CHECK(open_descriptors() > static_cast<std::size_t>(before) + 8);
        CHECK(listed() == before);
    });
}
