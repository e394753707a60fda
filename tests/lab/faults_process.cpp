// What the process may not do or has not got: privileges, descriptors, its life.
#include "faults_calls.hpp"
#include "faults_support.hpp"
#include "support/child.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <thread>

namespace asio = boost::asio;
using namespace sonde;
using namespace faults;
using namespace std::chrono_literals;

namespace {

/// Runs `body` in a forked child; returns how much was wrong there.
int in_child(std::function<int()> const& body) {
    pid_t child = ::fork();
    if (child == 0) {
        int wrong = 100;
        try {
            wrong = body();
        } catch (...) {
            wrong = 101;
        }
        ::_exit(wrong);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/// The process gets so many more descriptors. UBSan needs some itself: there only sockets run out.
class no_descriptors_but {
public:
#if defined(__SANITIZE_ADDRESS__)
    explicit no_descriptors_but(unsigned free)
        : sockets_(call::socket, [free](unsigned n) { return fate{.error = n > free ? EMFILE : 0}; }) {}

private:
    injection sockets_;
#else
    explicit no_descriptors_but(unsigned free) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        int lowest = ::dup(0);
        ::close(lowest);
        rlimit few{static_cast<rlim_t>(lowest) + free, before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &few);
    }
    ~no_descriptors_but() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
#endif
};

/// The error of a call in a loop of its own, and what the network says about it.
struct failure {
    error_code ec;
    std::string why;
    bool ended = false;
};
failure try_sr1(network& net, asio::io_context& io, std::string const& to) {
    failure f;
    net.sr1(IP{.dst = to} / ICMP{}, {.timeout = 300ms}, [&](error_code ec, std::optional<exchange>) {
        f.ec = ec;
        f.ended = true;
    });
    io.restart();
    io.run_for(5s);
    f.why = net.why();
    return f;
}

}  // namespace

TEST_CASE("without CAP_NET_RAW each verb says so, and what to do, and leaves no descriptor open",
          "[lab][faults]") {
    two_hosts hosts;
    auto wrong = in_child([] {
        if (!drop_capabilities()) return 90;
        int bad = 0;
        asio::io_context io(1);
        network(io).in_flight();  // Asio opens its own descriptors with the first use
        auto before = open_descriptors();
        {
            network net(io);
            for (auto to : {"198.18.0.1", "127.0.0.1"}) {
                auto f = try_sr1(net, io, to);
                bad |= 1 * (!f.ended || f.ec != errc::permission);
                bad |= 2 * (f.ec.message().find("CAP_NET_RAW") == std::string::npos);
                bad |= 4 * (f.why.find("packet socket on ") == std::string::npos);
            }
            error_code told;
            auto capture = net.sniff({.iface = "eth1"});
            capture.next([&](error_code ec, std::optional<packet>) { told = ec; });
            io.restart();
            io.run_for(5s);
            bad |= 8 * (told != errc::permission);
        }
        io.restart();
        io.poll();
        bad |= 16 * (open_descriptors() != before);
        return bad;
    });
    CHECK(wrong == 0);
}

TEST_CASE("without a free descriptor a probe fails with EMFILE, and the next one with some goes on",
          "[lab][faults]") {
    two_hosts hosts;
    auto wrong = in_child([] {
        int bad = 0;
        asio::io_context io(1);
        for (unsigned free = 0; free < 4; ++free) {
            network net(io);
            std::optional<no_descriptors_but> few(free);
            auto f = try_sr1(net, io, "198.18.0.1");
            bad += !f.ended || (f.ec && f.ec != error_code(EMFILE, boost::system::system_category()));
            bad += free == 0 && !f.ec;
            few.reset();
            auto again = try_sr1(net, io, "198.18.0.1");
            bad += !again.ended || again.ec;
        }
        return bad;
    });
    CHECK(wrong == 0);
}

TEST_CASE("a capture file whose writer is killed holds all records up to its last flush", "[lab][faults]") {
    auto path = std::filesystem::temp_directory_path() / ("sonde_killed." + std::to_string(::getpid()));
    for (auto format : {capture_format::pcap, capture_format::pcapng}) {
        int told[2];
        REQUIRE(::pipe2(told, O_CLOEXEC) == 0);
        auto child = support::fork_to([&]() -> int {
            capture_writer writer(path, {.format = format});
            for (std::uint32_t n = 0; n < 10'000'000; ++n) {
                writer.append(IP{.dst = ipv4(n)} / ICMP{} / std::string(n % 600, 'x'));
                if (n == 3000) {
                    writer.flush();
                    if (::write(told[1], "!", 1) != 1) break;
                }
            }
            return 0;
        });
        ::close(told[1]);  // a child that has failed is seen
        char flushed = 0;
        REQUIRE(::read(told[0], &flushed, 1) == 1);
        std::this_thread::sleep_for(3ms);
        ::kill(child, SIGKILL);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status));
        ::close(told[0]);

        capture_reader reader(path);
        error_code ec;
        std::uint32_t n = 0;
        while (auto p = reader.next(ec)) CHECK(dissect(p->bytes, p->type).get<IP>().dst == ipv4(n++));
        CHECK((!ec || ec == errc::truncated_file));  // of a write that was killed the kernel took a part
        CHECK(n > 3000);
        std::filesystem::remove(path);
    }
}

TEST_CASE("a pipe whose reader is gone is an error of the write, and no signal ends the process",
          "[lab][faults]") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    auto before = ::signal(SIGPIPE, SIG_IGN);
    ::close(ends[0]);
    auto* stream = ::fdopen(ends[1], "wb");
    capture_writer writer(stream, "pipe");
    writer.append(IP{.dst = "198.18.0.1"} / ICMP{});
    try {
        writer.flush();
        FAIL("no error");
    } catch (boost::system::system_error const& e) {
        CHECK(e.code() == error_code(EPIPE, boost::system::system_category()));
        CHECK(std::string(e.what()).find("pipe: write") != std::string::npos);
    }
    CHECK_THROWS_AS(writer.close(), boost::system::system_error);
    std::fclose(stream);
    ::signal(SIGPIPE, before);
}
