#pragma once

#include <sonde/sonde.hpp>

#include "support/catch.hpp"
#include "support/own_netns.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

/// What the tests of faults share: two hosts on a wire, and the sums that hold however a run went.
namespace faults {

/// Another network namespace, reached by its descriptor. Its routes and sockets are its own.
class other_netns {
public:
    other_netns();
    ~other_netns();
    other_netns(other_netns const&) = delete;
    other_netns& operator=(other_netns const&) = delete;

    int fd() const { return fd_; }
    /// /proc/PID/fd/N, which `ip link set … netns` takes.
    std::string path() const;
    /// Runs `what` with the calling thread in the namespace.
    void inside(std::function<void()> const& what) const;
    /// Runs a shell command there; throws when it fails.
    void run(std::string const& command) const;

private:
    int fd_, home_;
};

/// This process at 198.18.255.2 on eth1, and behind it, at 198.18.0.1 on far1, a kernel of its own that
/// answers for 198.19.0.0/16 too.
struct two_hosts {
    two_hosts();

    sonde::test::own_netns here;
    other_netns there;
};

/// Gives up every capability for good. What is open stays open.
bool drop_capabilities();

std::size_t open_descriptors();
/// CPU time of the process, in seconds.
double cpu_time();
/// Resident memory of the process, in bytes.
std::size_t resident();

/// Addresses from 198.19.0.0 on.
std::vector<sonde::packet> pings(std::size_t count, std::string_view first = "198.19.0.0");

/// How a run went. Made by `finish` only, which checks it.
struct outcome {
    sonde::report report;
    std::vector<sonde::exchange> answers;
    std::vector<sonde::packet> silent;
    sonde::error_code error;
};

/// Reads a stream of `probes` probes to its end and holds it to the accounting law:
///     sent + send_errors = tries, received = answered + duplicates + late + unrelated + malformed,
/// and each probe is either answered or among the unanswered.
boost::asio::awaitable<outcome> finish(sonde::exchange_stream& stream, std::size_t probes);

/// The sums of a report, of a run that `yielded` answers and left `silent` probes without.
void check_sums(sonde::report const& r, std::size_t probes, std::size_t yielded, std::size_t silent);

/// Runs a coroutine on a loop of its own until nothing is left to do, a minute at most.
void run(std::function<boost::asio::awaitable<void>()> const& body);

boost::asio::awaitable<void> pause(std::chrono::nanoseconds how_long);

}  // namespace faults
