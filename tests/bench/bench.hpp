#pragma once

#include <sonde/sonde.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace bench {

namespace asio = boost::asio;
using steady = std::chrono::steady_clock;
using arguments = std::span<std::string const>;

constexpr std::uint32_t first_target = 0xc6120000;  // 198.18.0.0
constexpr std::uint32_t targets = 131072;
constexpr auto target_network = "198.18.0.0/15";

/// One work each; the exit status.
int tx(arguments);
int sr(arguments);
int sr1(arguments);
int rtt(arguments);
int dissect(arguments);
int craft(arguments);
int replay(arguments);
int sniff(arguments);
int scale(arguments);
int plain(arguments);
int count(arguments);

/// Runs the coroutine on a loop of its own; what it throws is thrown here.
void run(asio::awaitable<void> body);
double seconds_since(steady::time_point begin);
/// A whole number; throws std::invalid_argument, naming it.
std::uint64_t number(std::string const& text);

struct quantiles {
    double median, p99;
};
quantiles of(std::vector<double> times);

}  // namespace bench
