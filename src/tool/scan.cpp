#include "tool/commands.hpp"
#include "tool/lines.hpp"
#include "tool/report_page.hpp"
#include "tool/scan_job.hpp"

#include <sonde/packet/escape.hpp>
#include <sonde/tools/scan.hpp>

#include <boost/asio/this_coro.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sonde::inline v0::tool {

namespace asio = boost::asio;

namespace {

using many = std::vector<std::string>;

scan_format format_of(arguments const& a) {
    if (a.has("json") && a.has("output") && a.text("output") != "jsonl")
        throw usage_error("--json is -o jsonl: one of them");
    if (a.has("json")) return scan_format::jsonl;
    auto name = a.has("output") ? a.text("output") : "text";
    constexpr char const* names[] = {"text", "jsonl", "csv", "grep"};
    auto const* found = std::ranges::find(names, name);
    if (found == std::end(names))
        throw usage_error(fmt::format("--output {}: text, jsonl, csv or grep", escape(name)));
    return static_cast<scan_format>(found - std::begin(names));
}

scan_states states_of(arguments const& a) {
    return read_states(a.has("state") ? a.text("state") : "open,up");
}

int print_plan(tools::scan_plan const& plan, arguments const& a) {
    auto limit = a.has("limit") ? parse_count(a.text("limit")) : plan.size();
    for (std::uint64_t i = 0; i < std::min(plan.size(), limit); ++i) fmt::print("{}\n", plan[i]);
    complain("{} packets, of {} in all shards; nothing was sent\n", plan.size(), plan.total());
    return answered;
}

std::string progress_of(tools::scan const& run, scan_output const& out) {
    auto r = run.report();
    auto seconds = std::max(std::chrono::duration<double>(r.duration).count(), 0.001);
    auto done = static_cast<double>(run.done().size()), all = static_cast<double>(run.plan().size());
    auto left = done > 0 ? (all - done) * seconds / done : 0;
    return fmt::format("{:.0f}% {}/{} {}pps answers {} open {} drops {} eta {:.0f}:{:02.0f}",
                       all > 0 ? 100 * done / all : 100, short_count(done), short_count(all),
                       short_count(static_cast<double>(r.sent) / seconds), r.answered, out.interesting(),
                       r.kernel_drops, std::floor(left / 60), std::floor(std::fmod(left, 60)));
}

/// What the page shows, gathered on the way.
class scan_report {
public:
    void add(tools::scan_result const& r) {
        constexpr std::size_t most = 1000000;
        if (r.received == timestamp() || points_.size() == most) return;
        if (points_.empty()) began_ = r.received;
        points_.push_back({std::chrono::duration<double>(r.received - began_).count(), milliseconds(r.rtt)});
        if (r.state != tools::scan_state::open && r.state != tools::scan_state::up) return;
        rows_.push_back({r.target.to_string(), std::to_string(r.port), r.reason,
                         fmt::format("{:.3f}", milliseconds(r.rtt))});
    }
    void write(std::string const& path, std::string const& about) {
        report_page page("sonde scan", about);
        std::vector<double> rtts;
        rtts.reserve(points_.size());
        for (auto const& p : points_) rtts.push_back(p.y);
        page.add_scatter("Answers over time", points_, "seconds", "ms");
        page.add_histogram("How round-trip times are spread", rtts, "ms");
        std::ranges::sort(rows_, {}, [](auto const& row) {
            return std::pair(ip_address::parse(row[0]), std::stoi(row[1]));
        });
        page.add_table("Open, or up", {"target", "port", "reason", "ms"}, rows_);
        page.write(path);
    }

private:
    std::vector<plot_point> points_;
    std::vector<std::vector<std::string>> rows_;
    timestamp began_{};
};

/// A scan under way, and what becomes of its results.
class scan_session {
public:
    scan_session(session& s, scan_job job, arguments const& a)
        : session_(s),
          a_(a),
          job_(std::move(job)),
          out_(a.text("write"), job_.from.output, job_.goes_on, format_of(a), states_of(a)),
          run_(s.net, job_.plan, job_.options, job_.from.done) {}

    asio::awaitable<int> run() {
        out_.start(job_.identity, job_.from.done.size());
        checkpoint(false);
        session_.on_interrupt = [this] { run_.stop(); };
        co_await gather();
        session_.on_interrupt = {};
        co_return conclude();
    }

private:
    asio::awaitable<void> gather() {
        progress_line progress(co_await asio::this_coro::executor,
                               [this] { return progress_of(run_, out_); });
        auto saved = std::chrono::steady_clock::now();
        while (auto r = co_await run_.next()) {
            do {
                out_.add(*r);
                if (a_.has("report")) page_.add(*r);
            } while ((r = run_.try_next()));
            auto now = std::chrono::steady_clock::now();
            if (now - saved < std::chrono::seconds(1)) continue;
            saved = now;
            checkpoint(false);
        }
    }

    void checkpoint(bool complete) {
        out_.flush();
        if (!a_.has("resume")) return;
        job_.from.output = a_.has("write") ? out_.size() : 0;
        job_.from.complete = complete;
        job_.from.done = run_.done();
        write_checkpoint(a_.text("resume"), job_.from);
    }

    int conclude() {
        auto r = run_.report();
        auto done = run_.done().size(), all = run_.plan().size();
        out_.summary(job_.identity, r, done, done == all);
        checkpoint(done == all);
        auto about = fmt::format("{} of {} probes: {}; {} packets sent in {:.1f} s, {} dropped by the kernel",
                                 done, all, out_.counts_text(), r.sent,
                                 std::chrono::duration<double>(r.duration).count(), r.kernel_drops);
        complain("{}\n", about);
        if (done != all && a_.has("resume")) complain("the same command goes on, by {}\n", a_.text("resume"));
        if (a_.has("report")) page_.write(a_.text("report"), about);
        if (!r.send_errors || r.sent) return answered;
        say(could_not_leave(session_, r.send_errors, r.first_error));
        return system_error;
    }

    session& session_;
    arguments const& a_;
    scan_job job_;
    scan_output out_;
    tools::scan run_;
    scan_report page_;
};

asio::awaitable<int> scan(session& s, arguments const& a, many const& command) {
    auto const targets = co_await targets_of(a);
    auto job = prepare_scan(a, targets.addresses(), command);
    job.options.named_by = &targets;
    if (a.has("dry-run")) co_return print_plan(job.plan, a);
    if (job.goes_on && job.from.complete) {
        complain("sonde scan: {} says that this scan has ended\n", a.text("resume"));
        co_return answered;
    }
    scan_session run(s, std::move(job), a);
    co_return co_await run.run();
}

}  // namespace

int run_scan(std::string const& name, words const& arguments_) {
    auto v = scan_verb(name);
    auto a = v.parse(arguments_);
    if (a.has("help")) return v.print_help(), answered;
    (void)format_of(a), (void)states_of(a);
    if (a.has("limit") && !a.has("dry-run")) throw usage_error("--limit goes with --dry-run");
    for (auto const* other : {"json", "output", "write", "report", "resume"})
        if (a.has("dry-run") && a.has(other))
            throw usage_error(fmt::format("--dry-run prints packets, and goes without --{}", other));
    return run(name, a, [&a, &arguments_](session& s) { return scan(s, a, arguments_); });
}

}  // namespace sonde::inline v0::tool
