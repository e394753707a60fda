#include "tool/commands.hpp"
#include "tool/lines.hpp"
#include "tool/report_page.hpp"
#include "tool/scan_resume.hpp"

#include <sonde/tools/scan.hpp>

#include <boost/asio/this_coro.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <random>

namespace sonde::tool {

namespace asio = boost::asio;
namespace po = boost::program_options;

namespace {

using many = std::vector<std::string>;

struct scan_job {
    tools::scan_plan plan;
    scan_identity identity;
    scan_checkpoint from;  ///< where to go on
    bool goes_on = false;
    tools::scan_options options;
};

tools::scan_ports ports_of(arguments const& a) {
    if (!a.has("ports")) return {};
    return tools::read_ports(a.text("ports"),
                             a.has("udp") ? tools::probe_protocol::udp : tools::probe_protocol::tcp);
}

address_set excluded_by(arguments const& a) {
    tools::target_list list;
    for (auto const& word : a.texts("exclude")) list.add(word);
    for (auto const& name : a.texts("exclude-file")) {
        std::ifstream file(name);
        if (!file) throw usage_error(fmt::format("{}: cannot be read", name));
        list.add_lines(file, name);
    }
    if (!list.names().empty())
        throw usage_error(fmt::format("--exclude {}: addresses and networks only", list.names()[0]));
    return list.addresses();
}

tools::scan_shard shard_of(arguments const& a) {
    auto shard = a.has("shard") ? tools::read_shard(a.text("shard")) : tools::shard_of_environment();
    if (!shard.source.empty() && !shard.is_whole())
        fmt::print(stderr, "sonde scan: shard {} by {} (--shard 1/1 for the whole)\n", shard.to_string(),
                   shard.source);
    return shard;
}

/// The seed: given, the resumed scan's, the job's; of shards one that all come to by themselves, else any.
std::uint64_t seed_of(arguments const& a, std::optional<scan_checkpoint> const& saved, bool whole,
                      std::uint64_t fingerprint) {
    if (a.has("seed")) return parse_count(a.text("seed"));
    if (saved) return saved->seed;
    if (auto job = tools::seed_of_environment()) return *job;
    if (!whole) return fingerprint;
    return std::uint64_t(std::random_device()()) << 32 | std::random_device()();
}

tools::scan_options options_of(arguments const& a, std::uint64_t shards) {
    tools::scan_options o;
    if (a.has("timeout"))
        o.timeout = a.text("timeout") == "adaptive" ? timeout_option(adaptive)
                                                    : timeout_option(parse_duration(a.text("timeout")));
    if (a.has("retry"))
        o.retry = static_cast<int>(std::min<std::uint64_t>(parse_count(a.text("retry")), 100));
    auto part = static_cast<double>(shards);
    if (a.has("rate"))
        o.rate = a.text("rate") == "adaptive" ? rate_option(adaptive)
                                              : rate_option(parse_rate(a.text("rate")) / part);
    if (a.has("bit-rate")) o.bit_rate = parse_rate(a.text("bit-rate")) / part;
    if (a.has("iface")) o.iface = if_name(a.text("iface"));
    return o;
}

scan_job prepare(arguments const& a, address_set const& targets, many const& command) try {
    auto shard = shard_of(a);
    auto saved = a.has("resume") ? read_checkpoint(a.text("resume")) : std::nullopt;
    auto excluded = excluded_by(a);
    auto ports = ports_of(a);
    auto fingerprint = tools::scan_plan(targets, excluded, ports, 0).fingerprint();
    auto seed = seed_of(a, saved, shard.is_whole(), fingerprint);
    scan_job job{tools::scan_plan(targets, excluded, ports, seed, shard), {}, {}, saved.has_value(), {}};
    job.options = options_of(a, shard.count);
    job.identity = {seed, fingerprint, job.plan.size(), shard.to_string(), command};
    if (saved) job.from = *saved;
    bool same =
        job.from.fingerprint == fingerprint && job.from.seed == seed && job.from.shard == job.identity.shard;
    if (saved && !same)
        throw usage_error(
            fmt::format("{} is of another scan: other targets, ports, seed or shard", a.text("resume")));
    job.from.fingerprint = fingerprint, job.from.seed = seed, job.from.shard = job.identity.shard;
    return job;
} catch (error const& e) {
    throw usage_error(e.what());
}

scan_format format_of(arguments const& a) {
    if (a.has("json")) return scan_format::jsonl;
    auto name = a.has("output") ? a.text("output") : "text";
    constexpr char const* names[] = {"text", "jsonl", "csv", "grep"};
    auto const* found = std::ranges::find(names, name);
    if (found == std::end(names))
        throw usage_error(fmt::format("--output {}: text, jsonl, csv or grep", name));
    return static_cast<scan_format>(found - std::begin(names));
}

int print_plan(tools::scan_plan const& plan, arguments const& a) {
    auto limit = a.has("limit") ? parse_count(a.text("limit")) : plan.size();
    for (std::uint64_t i = 0; i < std::min(plan.size(), limit); ++i) fmt::print("{}\n", plan[i]);
    fmt::print(stderr, "{} packets, of {} in all shards; nothing was sent\n", plan.size(), plan.total());
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
        for (auto const& p : points_) rtts.push_back(p.y);
        page.add_scatter("Answers over time", points_, "seconds", "ms");
        page.add_histogram("How round-trip times are spread", rtts, "ms");
        std::ranges::sort(rows_);
        page.add_table("Open, or up", {"target", "port", "reason", "ms"}, rows_);
        page.write(path);
    }

private:
    std::vector<plot_point> points_;
    std::vector<std::vector<std::string>> rows_;
    timestamp began_{};
};

asio::awaitable<int> scan(session& s, arguments const& a, many const& command) {
    auto targets = co_await targets_of(a);
    auto job = prepare(a, targets.addresses(), command);
    if (a.has("dry-run")) co_return print_plan(job.plan, a);
    if (job.goes_on && job.from.complete) {
        fmt::print(stderr, "sonde scan: {} says that this scan has ended\n", a.text("resume"));
        co_return answered;
    }
    auto states = a.has("state") ? a.text("state") : "open,up";
    scan_output out(a.text("write"), job.from.output, job.goes_on, format_of(a), states);
    out.start(job.identity, job.from.done.size());
    tools::scan run(s.net, job.plan, job.options, job.from.done);
    s.on_interrupt = [&run] { run.stop(); };
    scan_report page;
    auto checkpoint = [&](bool complete) {
        if (!a.has("resume")) return;
        job.from.output = a.has("write") ? out.size() : (out.flush(), 0);
        job.from.complete = complete;
        job.from.done = run.done();
        write_checkpoint(a.text("resume"), job.from);
    };
    auto saved = std::chrono::steady_clock::now();
    {
        progress_line progress(co_await asio::this_coro::executor, [&] { return progress_of(run, out); });
        checkpoint(false);
        while (auto r = co_await run.next()) {
            do {
                out.add(*r);
                if (a.has("report")) page.add(*r);
            } while ((r = run.try_next()));
            if (auto now = std::chrono::steady_clock::now(); now - saved > std::chrono::seconds(1))
                saved = now, checkpoint(false);
        }
    }
    s.on_interrupt = {};
    bool complete = run.done().size() == run.plan().size();
    out.summary(job.identity, run.report(), run.done().size(), complete);
    checkpoint(complete);
    auto r = run.report();
    auto about = fmt::format("{} of {} probes: {}; {} packets sent in {:.1f} s, {} dropped by the kernel",
                             run.done().size(), run.plan().size(), out.counts_text(), r.sent,
                             std::chrono::duration<double>(r.duration).count(), r.kernel_drops);
    fmt::print(stderr, "{}\n", about);
    if (!complete && a.has("resume"))
        fmt::print(stderr, "the same command goes on, by {}\n", a.text("resume"));
    if (a.has("report")) page.write(a.text("report"), about);
    if (r.send_errors && r.sent == 0) {
        fmt::print(stderr, "sonde scan: {}\n", explained(s, r.first_error));
        co_return system_error;
    }
    co_return answered;
}

}  // namespace

verb scan_verb(std::string const&) {
    verb v("scan", "TARGET... [-p PORTS] [OPTIONS]",
           "Find open ports, or without --ports the addresses that answer a ping. Targets are addresses, "
           "networks, ranges "
           "(198.18.0.1-9) and host names. Several machines share a scan without talking to each other: "
           "--shard i/n, else "
           "SONDE_SHARD=i/n, else the index of a Slurm array, an Open MPI rank or a Kubernetes Indexed Job "
           "(with "
           "SONDE_SHARDS=n).",
           "sonde scan 198.18.0.0/24 -p 22,80,443,U:53");
    add_target_file(v);
    add_targets(v);
    v.options.add_options()("ports,p", po::value<std::string>(), "22,80-90, U:53 for UDP, - for all")(
        "udp,U", "ports are UDP's unless T: says otherwise")(
        "exclude,x", po::value<many>(), "leave this address, network or range out; may be given again")(
        "exclude-file", po::value<many>(), "leave out what this file lists")(
        "iface,i", po::value<std::string>(), "interface; default: by the route")(
        "rate,R", po::value<std::string>(),
        "packets per second at most, of all shards together: 500, 10k. \"adaptive\": as the path bears it")(
        "bit-rate", po::value<std::string>(), "bits per second at most, of all shards together")(
        "timeout,t", po::value<std::string>(),
        "how long each attempt waits; default 1s. \"adaptive\": as answers take")(
        "retry,r", po::value<std::string>(), "attempts after the first; default 2")(
        "seed", po::value<std::string>(),
        "of the order; default: the job's, of shards that of targets and ports, else chance")(
        "shard", po::value<std::string>(),
        "3/8: the third of eight; 1/1: the whole, whatever the environment says")(
        "resume", po::value<std::string>(),
        "keep in this file how far it came, and go on from there if it is there; with --write each result is "
        "written once, whatever ended the scan")("dry-run", "print the packets instead of sending them")(
        "limit", po::value<std::string>(), "with --dry-run: so many packets at most")(
        "output,o", po::value<std::string>(), "text, jsonl, csv or grep (as nmap -oG)")(
        "write,w", po::value<std::string>(), "write results to this file")(
        "state", po::value<std::string>(),
        "results to write: of open, closed, filtered, open|filtered, up, down, failed; or all. Default "
        "open,up")("report", po::value<std::string>(), "write a page with plots to this file")("json",
                                                                                               "as -o jsonl");
    v.exit_status =
        "0 the scan ended, whatever it found; 2 usage, 3 system (permission, interface, route), 130 "
        "interrupted.";
    return v;
}

int run_scan(std::string const& name, words const& arguments_) {
    auto v = scan_verb(name);
    auto a = v.parse(arguments_);
    if (a.has("help")) return v.print_help(), answered;
    (void)format_of(a);
    return run(name, a, [&a, &arguments_](session& s) { return scan(s, a, arguments_); });
}

}  // namespace sonde::tool
