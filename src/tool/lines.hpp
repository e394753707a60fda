#pragma once

#include "tool/run.hpp"

#include <sonde/link/frame.hpp>
#include <sonde/probe/statistics.hpp>
#include <sonde/tools/targets.hpp>
#include <sonde/tools/traceroute.hpp>

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sonde::inline v0::tool {

double milliseconds(std::chrono::nanoseconds t);
double microseconds(std::chrono::nanoseconds t);
/// "2026-11-25T20:15:01.123456Z"
std::string iso_time(timestamp t);
/// As a JSON string, quotes included.
std::string quoted_json(std::string_view text);
/// `"rtt_us":{"min":…,"p95":…}`, or `"rtt_us":null` where nothing was measured.
std::string json_of(rtt_statistics const& s);

/// 1203 as "1203", 12345 as "12.3k".
std::string short_count(double n);

/// The targets of the arguments and of `--targets-file`, looked up. Throws usage_error when there are none.
boost::asio::awaitable<tools::target_list> targets_of(arguments const& a);
void add_target_file(verb& v);

/// A number of an option. Throws usage_error above `limit`.
std::uint64_t number_below(arguments const& a, char const* name, std::uint64_t limit);
/// What `--icmp`, `--tcp PORT` and `--udp PORT` say, of which at most one is given.
void read_protocol(arguments const& a, tools::probe_protocol& protocol, std::uint16_t& port);

/// True when this output goes to a terminal.
bool is_terminal(std::FILE* stream);

/// Columns and rows of this terminal; 80 and 24 when it does not tell.
struct terminal_size {
    std::size_t columns, rows;
};
terminal_size size_of_terminal(std::FILE* stream);
/// As much of the line as lies on one row of this terminal: what is drawn over must not wrap.
std::string on_one_row(std::string line, std::FILE* terminal);

/// A line on stderr once a second, on a terminal only, as long as this lives; it ends erased.
class progress_line {
public:
    progress_line(boost::asio::any_io_executor const& executor, std::function<std::string()> text);
    ~progress_line();
    progress_line(progress_line const&) = delete;
    progress_line& operator=(progress_line const&) = delete;

private:
    void wait();

    struct state {
        boost::asio::steady_timer timer;
        std::function<std::string()> text;
        bool shown = false;
    };
    std::shared_ptr<state> state_;
};

}  // namespace sonde::inline v0::tool
