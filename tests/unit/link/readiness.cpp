#include "link/readiness.hpp"

#include "support/catch.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <sys/socket.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace sonde;
using namespace std::chrono_literals;
using detail::readiness;

namespace {

// One end of a pair of sockets under test; the other end in the test's hands.
struct wire {
    wire() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
        ours = detail::unique_fd(ends[1]);
        waits.emplace(io.get_executor());
        REQUIRE(!waits->assign(detail::unique_fd(ends[0])));
    }

    void make_readable() { REQUIRE(::write(ours.get(), "x", 1) == 1); }
    void fill() {
        char block[4096] = {};
        while (::write(waits->fd(), block, sizeof block) > 0) {
        }
    }

    readiness::wait_handler record() {
        return [this](error_code ec) { results.push_back(ec); };
    }

    asio::io_context io{1};
    detail::unique_fd ours;
    std::optional<readiness> waits;
    std::vector<error_code> results;
};

// How many files the event loops of this process watch.
int watched_files() {
    int count = 0;
    for (auto const& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
        std::ifstream info(entry.path());
        for (std::string line; std::getline(info, line);) count += line.starts_with("tfd:");
    }
    return count;
}

using results = std::vector<error_code>;
error_code const aborted = asio::error::operation_aborted;
error_code const success;

}  // namespace

TEST_CASE("a wait completes from the loop, never from inside the call", "[link]") {
    wire w;
    w.make_readable();
    w.waits->wait(readiness::reading, w.record());
    CHECK(w.results.empty());
    w.io.run_for(1s);
    CHECK(w.results == results{success});
    CHECK(w.io.stopped());  // nothing keeps the loop alive
}

TEST_CASE("a pending wait keeps the loop alive until it is cancelled", "[link]") {
    wire w;
    w.waits->wait(readiness::reading, w.record());
    CHECK(w.io.run_for(5ms) == 0);
    CHECK_FALSE(w.io.stopped());
    w.waits->cancel(readiness::reading);
    CHECK(w.results.empty());
    w.io.run_for(1s);
    CHECK(w.results == results{aborted});
    CHECK(w.io.stopped());
}

TEST_CASE("destruction ends a pending wait once with operation_aborted", "[link]") {
    wire w;
    w.fill();
    w.waits->wait(readiness::reading, w.record());
    w.waits->wait(readiness::writing, w.record());
    w.waits.reset();
    CHECK(w.results.empty());
    w.io.run_for(1s);
    CHECK(w.results == results{aborted, aborted});
}

TEST_CASE("a wait whose event has come is still aborted if it is cancelled before its turn", "[link]") {
    wire w;
    // The first event's handler cancels the second, which the reactor has already completed.
    int others[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, others) == 0);
    readiness first(w.io.get_executor());
    REQUIRE(!first.assign(detail::unique_fd(others[0])));
    detail::unique_fd other(others[1]);
    bool destroy = GENERATE(false, true);
    auto end_other = [&](error_code) {
        if (destroy)
            w.waits.reset();
        else
            w.waits->cancel(readiness::reading);
    };
    first.wait(readiness::reading, end_other);
    w.waits->wait(readiness::reading, w.record());
    REQUIRE(::write(other.get(), "x", 1) == 1);
    w.make_readable();
    w.io.run_for(1s);
    CHECK(w.results == results{aborted});
}

TEST_CASE("cancelling one direction leaves the other waiting", "[link]") {
    wire w;
    w.fill();
    results writes;
    w.waits->wait(readiness::reading, w.record());
    w.waits->wait(readiness::writing, [&](error_code ec) { writes.push_back(ec); });
    w.waits->cancel(readiness::writing);
    w.io.run_for(10ms);
    CHECK(writes == results{aborted});
    CHECK(w.results.empty());
    w.make_readable();
    w.io.run_for(1s);
    CHECK(w.results == results{success});
}

TEST_CASE("a second wait for the same is refused, and the first goes on", "[link]") {
    wire w;
    results second;
    w.waits->wait(readiness::reading, w.record());
    w.waits->wait(readiness::reading, [&](error_code ec) { second.push_back(ec); });
    w.io.run_for(10ms);
    CHECK(second == results{make_error_code(errc::already_running)});
    CHECK(w.results.empty());
    w.make_readable();
    w.io.run_for(1s);
    CHECK(w.results == results{success});
}

TEST_CASE("a new wait may follow a cancelled one at once, and each gets its own result", "[link]") {
    wire w;
    results second;
    w.waits->wait(readiness::reading, w.record());
    w.waits->cancel(readiness::reading);
    w.waits->wait(readiness::reading, [&](error_code ec) { second.push_back(ec); });
    w.make_readable();
    w.io.run_for(1s);
    CHECK(w.results == results{aborted});
    CHECK(second == results{success});
}

TEST_CASE("a handler may wait again, cancel or destroy what it waited for", "[link]") {
    wire w;
    int turns = 0;
    w.make_readable();
    w.waits->wait(readiness::reading, [&](error_code) {
        ++turns;
        w.waits->wait(readiness::reading, [&](error_code ec) {  // nothing was read, so it completes again
            ++turns;
            CHECK(!ec);
            int fd = w.waits->fd();
            w.waits.reset();
            CHECK(::fcntl(fd, F_GETFD) == -1);  // closed at once, though its own handler still runs
        });
    });
    w.io.run_for(1s);
    CHECK(turns == 2);
}

TEST_CASE("a wait with a time completes without an event, once", "[link]") {
    wire w;
    w.waits->wait(readiness::reading, w.record(), 20ms);
    auto start = std::chrono::steady_clock::now();
    w.io.run_for(2s);
    auto took = std::chrono::steady_clock::now() - start;
    CHECK(w.results == results{success});
    CHECK(took >= 20ms);
    CHECK(took < 1s);
    CHECK(w.io.stopped());
}

TEST_CASE("an event before the time ends the timer with the wait", "[link]") {
    wire w;
    w.waits->wait(readiness::reading, w.record(), 60s);
    w.make_readable();
    w.io.run_for(2s);
    CHECK(w.results == results{success});
    CHECK(w.io.stopped());
    w.io.restart();
    w.waits->wait(readiness::reading, w.record(), 60s);
    w.waits->cancel(readiness::reading);
    w.io.run_for(2s);
    CHECK(w.results == results{success, aborted});
    CHECK(w.io.stopped());
}

TEST_CASE("a loop that dies with waits pending destroys their handlers uncalled", "[link]") {
    auto token = std::make_shared<int>();
    bool called = false;
    {
        wire w;
        w.waits->wait(readiness::reading, [token, &called](error_code) { called = true; });
        CHECK(token.use_count() == 2);
    }
    CHECK(token.use_count() == 1);
    CHECK_FALSE(called);
}

TEST_CASE("destruction takes the file out of the event loop, even if another descriptor keeps it open",
          "[link]") {
    wire w;
    auto kept = detail::unique_fd(::fcntl(w.waits->fd(), F_DUPFD_CLOEXEC, 0));
    auto before = watched_files();
    w.waits.reset();
    CHECK(watched_files() == before - 1);
}
