#include "tool/lines.hpp"

#include "tool/text_lines.hpp"

#include <sonde/packet/escape.hpp>

#include <boost/asio/this_coro.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <sys/ioctl.h>
#include <unistd.h>

namespace sonde::inline v0::tool {

namespace asio = boost::asio;
namespace po = boost::program_options;

double milliseconds(std::chrono::nanoseconds t) {
    return std::chrono::duration<double, std::milli>(t).count();
}

double microseconds(std::chrono::nanoseconds t) {
    return std::chrono::duration<double, std::micro>(t).count();
}

std::string iso_time(timestamp t) {
    auto since = t.time_since_epoch();
    auto whole = std::chrono::floor<std::chrono::seconds>(since);
    auto micro = std::chrono::duration_cast<std::chrono::microseconds>(since - whole).count();
    return fmt::format("{:%FT%T}.{:06}Z", fmt::gmtime(static_cast<std::time_t>(whole.count())), micro);
}

std::string quoted_json(std::string_view text) {
    std::string out;
    detail::append_json_quoted(out, text);
    return out;
}

std::string json_of(rtt_statistics const& s) {
    if (s.count() == 0) return "\"rtt_us\":null";
    return fmt::format(
        "\"rtt_us\":{{\"min\":{:.3f},\"avg\":{:.3f},\"max\":{:.3f},\"mdev\":{:.3f},\"jitter\":{:.3f},"
        "\"p50\":{:.3f},\"p95\":{:.3f}}}",
        microseconds(s.least()), microseconds(s.mean()), microseconds(s.most()), microseconds(s.deviation()),
        microseconds(s.jitter()), microseconds(s.quantile(0.5)), microseconds(s.quantile(0.95)));
}

std::string short_count(double n) {
    if (n < 10000) return fmt::format("{:.0f}", n);
    return n < 1e6 ? fmt::format("{:.1f}k", n / 1e3) : fmt::format("{:.1f}M", n / 1e6);
}

void add_target_file(verb& v) {
    v.options.add_options()("targets-file,f", po::value<std::vector<std::string>>(),
                            "read targets from this file too (-: from stdin): any number on a line, # begins "
                            "a comment")("ipv6,6", "look host names up as IPv6");
    v.many_subjects = true;
}

namespace {

void add_file(tools::target_list& targets, std::string const& name) {
    if (name == "-") return targets.add_lines(std::cin, "stdin");
    std::error_code ec;
    if (std::filesystem::is_directory(name, ec))
        throw usage_error(fmt::format("{}: is a directory", escape(name)));
    std::ifstream file(name);
    if (!file) throw usage_error(fmt::format("{}: cannot be read", escape(name)));
    targets.add_lines(file, name);
}

}  // namespace

asio::awaitable<tools::target_list> targets_of(arguments const& a) {
    tools::target_list targets;
    try {
        for (auto const& word : a.subjects) targets.add(word);
        for (auto const& name : a.texts("targets-file")) add_file(targets, name);
    } catch (error const& e) {
        throw usage_error(message_of(e));
    }
    if (targets.empty()) throw usage_error("no target; --help tells how they are written");
    if (a.has("sim") && !targets.names().empty())  // the system's resolver would ask the real network
        throw error(errc::host_not_found, escape(targets.names().front()) + ": a simulation has no names");
    co_await targets.resolve(a.has("ipv6"));
    co_return targets;
}

std::uint64_t number_below(arguments const& a, char const* name, std::uint64_t limit) {
    auto n = parse_count(a.text(name));
    if (n > limit) throw usage_error(fmt::format("--{} {}: {} at most", name, n, limit));
    return n;
}

void read_protocol(arguments const& a, tools::probe_protocol& protocol, std::uint16_t& port) {
    if (a.has("icmp") + a.has("tcp") + a.has("udp") > 1)
        throw usage_error("one of --icmp, --tcp and --udp at most");
    if (a.has("icmp")) protocol = tools::probe_protocol::icmp;
    for (auto const* name : {"tcp", "udp"})
        if (a.has(name)) {
            protocol = *name == 't' ? tools::probe_protocol::tcp : tools::probe_protocol::udp;
            port = static_cast<std::uint16_t>(number_below(a, name, 65535));
        }
}

bool is_terminal(std::FILE* stream) {
    return ::isatty(::fileno(stream)) == 1;
}

terminal_size size_of_terminal(std::FILE* stream) {
    winsize told{};
    bool known = ::ioctl(::fileno(stream), TIOCGWINSZ, &told) == 0 && told.ws_col > 0 && told.ws_row > 0;
    return known ? terminal_size{told.ws_col, told.ws_row} : terminal_size{80, 24};
}

std::string on_one_row(std::string line, std::FILE* terminal) {
    line.resize(std::min(line.size(), size_of_terminal(terminal).columns - 1));
    return line;
}

progress_line::progress_line(asio::any_io_executor const& executor, std::function<std::string()> text)
    : state_(std::make_shared<state>(asio::steady_timer(executor), std::move(text))) {
    if (is_terminal(stderr)) wait();
}

progress_line::~progress_line() {
    state_->timer.cancel();
    state_->text = {};
    if (state_->shown) say("\r\x1b[K");
}

void progress_line::wait() {
    state_->timer.expires_after(std::chrono::seconds(1));
    state_->timer.async_wait([this, s = state_](error_code ec) {
        if (ec || !s->text) return;  // then this is gone
        say(fmt::format("\r{}\x1b[K", on_one_row(s->text(), stderr)));
        s->shown = true;
        wait();
    });
}

}  // namespace sonde::inline v0::tool
