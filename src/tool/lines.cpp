#include "tool/lines.hpp"

#include "tool/text_lines.hpp"
#include "tools/target_naming.hpp"

#include <sonde/packet/escape.hpp>

#include <boost/asio/this_coro.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

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

/// The words that stand for targets, and how each names them.
class target_words {
public:
    explicit target_words(tools::target_naming& naming) : naming_(naming) {}

    /// Throws bad_text that names the word.
    void add(std::string const& word) {
        tools::target_list one;
        one.add(word);
        if (!one.names().empty()) return names_.add(word);
        targets_.add(word);
        auto const all = one.addresses();
        if (!all.v4().empty()) add_drawn<ipv4>(all.v4());
        if (!all.v6().empty()) add_drawn<ipv6>(all.v6());
    }

    /// Throws usage_error that names file and line.
    void add_lines(std::istream& in, std::string const& name) {
        std::size_t number = 0;
        for (std::string line, word; ++number, std::getline(in, line);) {
            std::istringstream words(line.substr(0, line.find('#')));
            while (words >> word) try {
                    add(word);
                } catch (error const& e) {
                    throw usage_error(fmt::format("{}:{}: {}", escape(name), number, message_of(e)));
                }
        }
    }

    bool empty() const { return targets_.empty() && names_.empty(); }

    /// All of them; those that have names last, as target_list has it.
    asio::awaitable<tools::target_list> resolve(bool v6) {
        co_await names_.resolve(v6);
        auto found = names_.in_order();
        for (auto const& a : found) targets_.add(a.to_string());
        naming_.add_written(written_);
        naming_.add_looked_up(found);
        co_return std::move(targets_);
    }

private:
    template <class Address>
    void add_drawn(std::span<address_set::interval const> word) {
        ip_address const first = value_traits<Address>::from_wire(word.front().first),
                         last = value_traits<Address>::from_wire(word.back().last);
        if (first == last)
            written_.push_back(first);
        else
            naming_.add_drawn(first, last);
    }

    tools::target_naming& naming_;
    tools::target_list targets_, names_;
    std::vector<ip_address> written_;
};

void add_file(target_words& targets, std::string const& name) {
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
    target_words targets(tools::target_naming::of(co_await asio::this_coro::executor));
    try {
        for (auto const& word : a.subjects) targets.add(word);
        for (auto const& name : a.texts("targets-file")) add_file(targets, name);
    } catch (error const& e) {
        throw usage_error(message_of(e));
    }
    if (targets.empty()) throw usage_error("no target; --help tells how they are written");
    co_return co_await targets.resolve(a.has("ipv6"));
}

std::uint64_t number_below(arguments const& a, char const* name, std::uint64_t limit) {
    auto n = parse_count(a.text(name));
    if (n > limit) throw usage_error(fmt::format("--{} {}: {} at most", name, n, limit));
    return n;
}

void read_protocol(arguments const& a, tools::probe_protocol& protocol, std::uint16_t& port) {
    if (a.has("icmp") + a.has("tcp") + a.has("udp") > 1)
        throw usage_error("--icmp, --tcp or --udp, not several");
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
