#include "tool/interruption.hpp"

#include "tool/verbs.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/system/system_error.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>

namespace sonde::inline v0::tool {
namespace {

// timeout(1) signals a process and then its group, and means one wish.
constexpr std::int64_t one_wish = 200'000'000;  // ns

constexpr int signals[] = {SIGINT, SIGTERM};
std::atomic<int> tell = -1;
std::atomic<std::int64_t> first = 0;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);

extern "C" void wished(int) {
    int const before = errno;
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    auto const now = std::int64_t(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
    std::int64_t none = 0;
    if (first.compare_exchange_strong(none, now)) {
        [[maybe_unused]] auto n = ::write(tell.load(), "", 1);
    } else if (now - none > one_wish) {
        ::_exit(interrupted);
    }
    errno = before;
}

void handle(void (*how)(int)) {
    struct sigaction action{};
    action.sa_handler = how;
    action.sa_flags = SA_RESTART;
    for (int s : signals) ::sigaction(s, &action, nullptr);
}

}  // namespace

interruption::interruption(boost::asio::io_context& loop, std::function<void()> wish) : told_(loop) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        throw boost::system::system_error(errno, boost::system::system_category(), "pipe");
    told_.assign(ends[0]);
    tell = ends[1];
    first = 0;
    told_.async_read_some(boost::asio::buffer(byte_), [w = std::move(wish)](auto ec, std::size_t) {
        if (!ec) w();
    });
    handle(wished);
}

interruption::~interruption() {
    handle(SIG_DFL);
    ::close(tell.exchange(-1));
}

void interruption::forget() {
    told_.cancel();
}

}  // namespace sonde::inline v0::tool
