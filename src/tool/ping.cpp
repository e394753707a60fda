#include "tool/commands.hpp"
#include "tool/lines.hpp"
#include "tool/report_page.hpp"

#include <sonde/tools/ping.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace sonde::inline v0::tool {

namespace asio = boost::asio;
namespace po = boost::program_options;

verb ping_verb(std::string const&) {
    verb v("ping", "TARGET... [OPTIONS]",
           "Ping targets side by side, each once an interval, spread evenly over it. Targets are addresses, "
           "networks "
           "(198.18.0.0/28), ranges (198.18.0.1-9) and host names. A reset or port unreachable of the target "
           "is an "
           "answer too.",
           "sonde ping 198.18.0.1 198.18.0.2 2001:db8::1 --count 5");
    add_target_file(v);
    add_targets(v);
    v.options.add_options()("iface,i", po::value<std::string>(), "interface; default: by the route")(
        "count,c", po::value<std::string>(), "probes of each target; default: until interrupted")(
        "interval", po::value<std::string>(), "from one probe of a target to its next; default 1s")(
        "timeout,t", po::value<std::string>(), "how long each waits; default 1s; may be over the interval")(
        "tcp", po::value<std::string>()->implicit_value("80"), "by TCP SYN to this port (80)")(
        "udp", po::value<std::string>()->implicit_value("7"), "by UDP to this port (7)")(
        "size,s", po::value<std::string>(), "bytes of payload; default 56")("ttl", po::value<std::string>(),
                                                                            "TTL, hop limit; default 64")(
        "lines", "a line for each answer on a terminal too, where several targets have one live line each")(
        "report", po::value<std::string>(), "write a page with plots to this file");
    add_output(v);
    v.exit_status =
        "0 every target answered, 1 one did not, 2 usage, 3 system. Ctrl-C ends it as --count does: "
        "probes that are still on the way count as sent, neither as answered nor as lost.";
    return v;
}

namespace {

tools::ping_options options_of(arguments const& a) {
    tools::ping_options o;
    read_protocol(a, o.protocol, o.port);
    if (a.has("iface")) o.iface = interface_of(a);
    if (a.has("count")) o.count = parse_count(a.text("count"));
    if (a.has("interval")) o.interval = parse_duration(a.text("interval"));
    if (a.has("timeout")) o.timeout = parse_duration(a.text("timeout"));
    if (a.has("size")) o.size = static_cast<std::uint16_t>(number_below(a, "size", 65000));
    if (a.has("ttl")) o.ttl = static_cast<std::uint8_t>(number_below(a, "ttl", 255));
    return o;
}

std::string text_of(tools::ping_reply const& r, ip_address const& target) {
    if (r.answered)
        return fmt::format("{} bytes from {}: seq={} ttl={} time={:.3f} ms", r.bytes, r.from, r.sequence,
                           r.ttl, milliseconds(r.rtt));
    if (r.outcome.what == probe_outcome::kind::icmp_error)
        return fmt::format("{}: seq={} {}", target, r.sequence, r.outcome);
    if (r.failure) return fmt::format("{}: seq={} {}", target, r.sequence, r.failure.message());
    return fmt::format("{}: seq={} no answer", target, r.sequence);
}

std::string json_of(tools::ping_reply const& r, ip_address const& target) {
    if (r.answered)
        return fmt::format(
            "{{\"type\":\"answer\",\"ts\":\"{}\",\"target\":\"{}\",\"seq\":{},\"ttl\":{},\"bytes\":{},"
            "\"rtt_us\":{:.3f}}}",
            iso_time(r.received), target, r.sequence, r.ttl, r.bytes, microseconds(r.rtt));
    auto why = r.failure ? r.failure.message() : fmt::format("{}", r.outcome);
    return fmt::format("{{\"type\":\"unanswered\",\"target\":\"{}\",\"seq\":{},\"reason\":{}}}", target,
                       r.sequence, quoted_json(why));
}

/// `open`: probes that were on their way when it was stopped, of which nobody knows whether they are lost.
std::string line_of(tools::ping_target const& t, std::uint64_t open = 0) {
    auto line =
        fmt::format("{:<16} {}/{} {:.1f}% loss", t.address, t.answered, t.ended + open, 100 * t.loss());
    if (open) line += fmt::format(", {} on the way", open);
    if (t.answered == 0) return line;
    auto const& s = t.rtt;
    return line +
           fmt::format(
               "  last {:.3f}  min/avg/max {:.3f}/{:.3f}/{:.3f}  p50 {:.3f}  p95 {:.3f}  jitter {:.3f} ms",
               milliseconds(t.latest), milliseconds(s.least()), milliseconds(s.mean()),
               milliseconds(s.most()), milliseconds(s.quantile(0.5)), milliseconds(s.quantile(0.95)),
               milliseconds(s.jitter()));
}

/// A line for each target, as far as the terminal has room, drawn over the last ones ten times a second.
class live_table {
public:
    void draw(tools::ping const& run) {
        auto time = std::chrono::steady_clock::now();
        if (time - drawn_ < std::chrono::milliseconds(100)) return;
        drawn_ = time;
        erase();
        lines_ = std::min(size_of_terminal(stdout).rows - 1, run.targets().size());
        for (std::size_t i = 0; i < lines_; ++i)
            fmt::print("{}\n", on_one_row(line_of(run.targets()[i]), stdout));
        flush_results();
    }
    /// What is drawn goes, for what comes in its place.
    void erase() const {
        if (lines_) fmt::print("\x1b[{}A\x1b[J", lines_);
    }

private:
    std::chrono::steady_clock::time_point drawn_{};
    std::size_t lines_ = 0;
};

/// Probes of each target that were on their way when it was stopped. Those of all targets left in turn, so
/// each target has its share of what left.
std::vector<std::uint64_t> open_of(tools::ping const& run) {
    auto r = run.report();
    auto const tried = r.sent + r.send_errors, n = std::uint64_t(run.targets().size());
    std::vector<std::uint64_t> open;
    for (std::uint64_t i = 0; i < n; ++i) {
        auto share = tried / n + (i < tried % n), ended = run.targets()[i].ended;
        open.push_back(share > ended ? share - ended : 0);
    }
    return open;
}

void print_end(tools::ping const& run, std::vector<std::uint64_t> const& open, arguments const& a) {
    std::uint64_t answered = 0, sent = 0;
    for (std::size_t i = 0; i < open.size(); ++i) {
        auto const& t = run.targets()[i];
        answered += t.answered, sent += t.ended + open[i];
        if (a.has("json"))
            fmt::print(
                "{{\"type\":\"target\",\"target\":\"{}\",\"sent\":{},\"answered\":{},\"errors\":{},\"loss\":{"
                ":.6f},\"open\":{},{}}}\n",
                t.address, t.ended + open[i], t.answered, t.errors, t.loss(), open[i], tool::json_of(t.rtt));
        else
            fmt::print("{}\n", line_of(t, open[i]));
    }
    if (a.has("json"))
        fmt::print("{{\"type\":\"summary\",\"targets\":{},\"sent\":{},\"answered\":{}}}\n",
                   run.targets().size(), sent, answered);
}

void write_report(std::string const& path, tools::ping const& run, std::vector<std::uint64_t> const& open,
                  std::vector<plot_point> const& points) {
    report_page page("sonde ping", fmt::format("{} targets", run.targets().size()));
    std::vector<std::vector<std::string>> rows;
    for (std::size_t i = 0; i < open.size(); ++i) {
        auto const& t = run.targets()[i];
        auto shown = [&](std::chrono::nanoseconds time) {
            return t.answered ? fmt::format("{:.3f}", milliseconds(time)) : std::string();
        };
        rows.push_back({t.address.to_string(), std::to_string(t.ended + open[i]),
                        fmt::format("{:.1f} %", 100 * t.loss()), shown(t.rtt.least()),
                        shown(t.rtt.quantile(0.5)), shown(t.rtt.quantile(0.95)), shown(t.rtt.most()),
                        shown(t.rtt.jitter())});
    }
    std::vector<double> rtts;
    rtts.reserve(points.size());
    for (auto const& p : points) rtts.push_back(p.y);
    page.add_scatter("Round-trip times as they came", points, "seconds", "ms");
    page.add_histogram("How round-trip times are spread", rtts, "ms");
    page.add_table("Targets", {"target", "sent", "loss", "min ms", "p50 ms", "p95 ms", "max ms", "jitter ms"},
                   rows);
    page.write(path);
}

/// The answers of a report.
class answer_times {
public:
    void add(tools::ping_reply const& r) {
        if (!r.answered) return;
        if (points_.empty()) began_ = r.received;
        points_.push_back({std::chrono::duration<double>(r.received - began_).count(), milliseconds(r.rtt)});
    }
    std::vector<plot_point> const& points() const { return points_; }

private:
    std::vector<plot_point> points_;
    timestamp began_{};
};

asio::awaitable<int> ping(session& s, tools::ping_options o, arguments const& a) {
    auto const targets = co_await targets_of(a);
    o.named_by = &targets;
    tools::ping run(s.net, targets.in_order(), o);
    s.on_interrupt = [&run] { run.stop(); };
    bool live = is_terminal(stdout) && run.targets().size() > 1 && !a.has("lines") && !a.has("json");
    live_table table;
    answer_times times;
    while (auto r = co_await run.next()) {
        auto const& target = run.targets()[r->target].address;
        if (a.has("report")) times.add(*r);
        if (live) table.draw(run);
        if (live || a.has("quiet")) continue;
        fmt::print("{}\n", a.has("json") ? json_of(*r, target) : text_of(*r, target));
        flush_results();
    }
    s.on_interrupt = {};
    s.interrupted = false;  // Ctrl-C is how a ping ends
    table.erase();
    auto open = open_of(run);
    print_end(run, open, a);
    if (a.has("report")) write_report(a.text("report"), run, open, times.points());
    if (auto r = run.report(); r.send_errors && !r.sent) {
        say(could_not_leave(s, r.send_errors, r.first_error));
        co_return system_error;
    }
    bool all = std::ranges::all_of(run.targets(), [](auto const& t) { return t.answered > 0; });
    co_return all ? answered : no_answer;
}

}  // namespace

int run_ping(std::string const& name, words const& arguments_) {
    auto v = ping_verb(name);
    auto a = v.parse(arguments_);
    if (a.has("help")) return v.print_help(), answered;
    auto o = options_of(a);
    return run(name, a, [&a, o](session& s) { return ping(s, o, a); });
}

}  // namespace sonde::inline v0::tool
