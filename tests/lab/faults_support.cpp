#include "faults_support.hpp"

#include "support/run.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>

namespace faults {
namespace {

int own_namespace() {
    int fd = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw std::runtime_error("cannot open the own network namespace");
    return fd;
}

void enter(int fd) {
    if (::setns(fd, CLONE_NEWNET) != 0) throw std::runtime_error("cannot enter a network namespace");
}

void run_shell(std::string const& command) {
    if (int status = std::system(command.c_str()); status != 0)
        throw std::runtime_error("\"" + command + "\" ended with status " + std::to_string(status));
}

}  // namespace

other_netns::other_netns() : fd_(-1), home_(own_namespace()) {
    if (::unshare(CLONE_NEWNET) != 0) throw std::runtime_error("these tests need namespaces");
    fd_ = own_namespace();
    run_shell("ip link set lo up");
    enter(home_);
}

other_netns::~other_netns() {
    ::close(fd_);
    ::close(home_);
}

std::string other_netns::path() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_);
}

void other_netns::inside(std::function<void()> const& what) const {
    struct way_back {
        int home;
        ~way_back() { enter(home); }
    } on_exit{home_};
    enter(fd_);
    what();
}

void other_netns::run(std::string const& command) const {
    inside([&] { run_shell(command); });
}

two_hosts::two_hosts() {
    here.run("ip link add eth1 type veth peer name far1 netns " + there.path());
    // IPv6 would say something of its own accord.
    here.run("echo 1 >/proc/sys/net/ipv6/conf/eth1/disable_ipv6");
    there.run("echo 1 >/proc/sys/net/ipv6/conf/far1/disable_ipv6");
    there.run(
        "ip address add 198.18.0.1/16 dev far1; ip link set far1 up;"
        "ip route add local 198.19.0.0/16 dev lo");
    here.run(
        "ip address add 198.18.255.2/16 dev eth1; ip link set eth1 up;"
        "ip route add 198.19.0.0/16 via 198.18.0.1");
    here.await_carrier("eth1");
}

bool drop_capabilities() {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct none[2]{};
    return ::syscall(SYS_capset, &header, none) == 0;
}

std::size_t open_descriptors() {
    auto all = std::filesystem::directory_iterator("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

double cpu_time() {
    timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

std::size_t resident() {
    std::size_t all = 0, pages = 0;
    std::ifstream("/proc/self/statm") >> all >> pages;
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::vector<sonde::packet> pings(std::size_t count, std::string_view first) {
    using namespace sonde;
    std::vector<packet> all;
    auto begin = ipv4::parse(first)->value;
    for (std::uint32_t i = 0; i < count; ++i) all.push_back(IP{.dst = ipv4(begin + i)} / ICMP{});
    return all;
}

boost::asio::awaitable<outcome> finish(sonde::exchange_stream& stream, std::size_t probes) {
    outcome o;
    std::set<std::string> seen;
    try {
        while (auto x = co_await stream.next()) o.answers.push_back(std::move(*x));
    } catch (boost::system::system_error const& e) {
        o.error = e.code();
    }
    for (auto const& p : stream.unanswered()) o.silent.push_back(p);
    o.report = stream.report();
    if (!o.error) check_sums(o.report, probes, o.answers.size(), o.silent.size());
    co_return o;
}

void check_sums(sonde::report const& r, std::size_t probes, std::size_t yielded, std::size_t silent) {
    CHECK(r.received == r.answered + r.duplicates + r.late + r.unrelated + r.malformed);
    CHECK(r.answered == yielded);
    CHECK(r.remaining == silent);
    CHECK(yielded + silent == probes);
    // A retry that cannot leave is an error of sending, and not among the retries.
    CHECK(r.sent - r.retries <= probes);
    CHECK(r.sent + r.send_errors >= probes + r.retries);
    if (r.retries == 0) CHECK(r.sent + r.send_errors == probes);
    CHECK(r.kernel_drops < (std::uint64_t(1) << 40));
}

void run(std::function<boost::asio::awaitable<void>()> const& body) {
    support::run(body);
}

boost::asio::awaitable<void> pause(std::chrono::nanoseconds how_long) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, how_long);
    co_await timer.async_wait(boost::asio::use_awaitable);
}

}  // namespace faults
