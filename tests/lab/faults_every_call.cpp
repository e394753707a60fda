// Each system call that the library makes fails in each way, at its first time, its second, and so on:
// whatever was under way ends once, nothing leaks, and the network works afterwards.
#include "faults_calls.hpp"
#include "faults_support.hpp"

#include <boost/asio/co_spawn.hpp>

#include <cstdlib>
#include <cstring>
#include <iterator>
#include <optional>

namespace asio = boost::asio;
using namespace sonde;
using namespace faults;
using namespace std::chrono_literals;

namespace {

struct subject {
    char const* name;
    call which;
    std::vector<int> errors;
};

subject const subjects[] = {
    {"socket", call::socket, {EPERM, EMFILE, ENFILE, ENOMEM, ENOBUFS, EAFNOSUPPORT, EACCES, EINVAL}},
    {"bind", call::bind, {EPERM, ENOMEM, ENODEV, ENETDOWN, EINVAL, ENOBUFS, EADDRINUSE, EACCES}},
    {"setsockopt",
     call::setsockopt,
     {EPERM, ENOMEM, ENOPROTOOPT, EINVAL, ENOBUFS, ENODEV, EADDRNOTAVAIL, EBUSY}},
    {"getsockname", call::getsockname, {ENOBUFS, ENOMEM, EINVAL, EBADF}},
    {"ioctl", call::ioctl, {EPERM, ENODEV, ENOMEM, EINVAL, ENXIO, ENOTTY, EINTR, EIO}},
    {"send", call::send, {EINTR, EAGAIN, ENOBUFS, ENOMEM, EPERM, EINVAL, ECONNREFUSED, EMSGSIZE}},
    {"sendmmsg", call::sendmmsg, {EINTR, EAGAIN, ENOBUFS, ENOMEM, EPERM, ENETDOWN, EMSGSIZE, ENETUNREACH}},
    {"recvmsg", call::recvmsg, {EINTR, EAGAIN, ENOBUFS, ENOMEM, EPERM, EINVAL, EIO, EMSGSIZE}},
    {"recvmmsg", call::recvmmsg, {EINTR, EAGAIN, ENOBUFS, ENOMEM, EIO, EINVAL, ENETDOWN, EFAULT}},
    {"epoll_ctl", call::epoll_ctl, {ENOMEM, ENOSPC, EPERM, EINVAL, EBADF, EINTR, EEXIST, EIO}},
    {"getrandom", call::getrandom, {EINTR, ENOSYS, EFAULT, EAGAIN}},
};

/// What is under way when the call fails. Returns whether it brought what it should.
using activity = asio::awaitable<bool> (*)(network&);

asio::awaitable<bool> ping(network& net, std::string_view to) {
    auto x = co_await net.sr1(IP{.dst = std::string(to)} / ICMP{}, {.timeout = 30ms});
    co_return x.has_value();
}

asio::awaitable<bool> ping_over_ethernet(network& net) {
    return ping(net, "198.19.0.1");
}
asio::awaitable<bool> ping_over_loopback(network& net) {
    return ping(net, "127.0.0.1");
}
asio::awaitable<bool> send_some(network& net) {
    std::vector<packet> some = pings(3);
    auto r = co_await net.send(std::move(some));
    CHECK(r.sent + r.send_errors == 3);
    co_return r.sent == 3;
}
asio::awaitable<bool> sniff_one(network& net) {
    auto capture = net.sniff({.filter = "icmp", .timeout = 50ms});
    co_await net.send(IP{.dst = "127.0.0.1"} / ICMP{});
    auto p = co_await capture.next();
    co_return p.has_value();
}

struct result {
    int completions = 0;
    bool worked = false;
    std::string error;
};

/// Runs it to its end. Five seconds are many times what it may take.
result run_to_end(asio::io_context& io, network& net, activity what) {
    result r;
    asio::co_spawn(io, what(net), [&](std::exception_ptr e, bool worked) {
        ++r.completions;
        r.worked = worked;
        try {
            if (e) std::rethrow_exception(e);
        } catch (boost::system::system_error const& error) {
            r.error = error.what();
        }
    });
    io.restart();
    io.run_for(5s);
    CHECK(io.stopped());  // nothing is left pending
    return r;
}

/// False when the call was made fewer than `nth` times.
bool fail_nth(subject const& s, int error, unsigned nth, activity what) {
    asio::io_context io(1);
    unsigned calls = 0;
    std::optional<network> net;
    {
        injection one(s.which, [&](unsigned n) { return fate{.error = n == nth ? error : 0}; });
        try {
            net.emplace(io);
            auto r = run_to_end(io, *net, what);
            CHECK(r.completions == 1);
            CHECK((r.worked || r.error != "" || one.calls() >= nth));
        } catch (boost::system::system_error const& e) {
            CHECK(e.code().value() == error);
        }
        calls = one.calls();
    }
    if (!net) net.emplace(io);
    auto again = run_to_end(io, *net, what);
    INFO("afterwards: " << again.error);
    CHECK(again.completions == 1);
    CHECK(again.worked);
    return calls >= nth;
}

}  // namespace

TEST_CASE("whichever system call fails, an operation ends once, nothing leaks, and the network works on",
          "[lab][faults]") {
    two_hosts hosts;
    struct {
        char const* name;
        activity what;
    } const activities[] = {{"sr1 over Ethernet", &ping_over_ethernet},
                            {"sr1 over loopback", &ping_over_loopback},
                            {"send", &send_some},
                            {"sniff", &sniff_one}};
    // One case of sixty-one: all of them take a minute. That divides none of the loops' lengths, so each
    // call, each error and each activity has its turn.
    bool const every_one = std::getenv("SONDE_EVERY_FAULT") != nullptr;
    std::size_t injected = 0, turn = 0;
    for (auto const& a : activities) {
        fail_nth({"none", call::count, {}}, 0, 0, a.what);
        auto before = open_descriptors();
        for (auto const& s : subjects)
            for (int error : s.errors)
                for (unsigned nth = 1; nth <= 20; ++nth) {
                    if (++turn % 61 != 0 && !every_one) continue;
                    INFO(a.name << ": " << s.name << " number " << nth << ": " << std::strerror(error));
                    bool reached = fail_nth(s, error, nth, a.what);
                    injected += reached;
                    CHECK(open_descriptors() == before);
                    if (!reached) break;
                }
    }
    CHECK(injected > (every_one ? 1000 : 8));
}
