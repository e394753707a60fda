#include "tool/commands.hpp"
#include "tool/lines.hpp"
#include "tool/report_page.hpp"

#include <sonde/tools/traceroute.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace sonde::inline v0::tool {

namespace asio = boost::asio;
namespace po = boost::program_options;

verb traceroute_verb(std::string const&) {
    verb v("traceroute", "TARGET... [OPTIONS]",
           "Find the routers on the way to targets: all hops at once, all probes of a target as one flow, so "
           "that "
           "routers which share load send them one way (Paris traceroute). MPLS labels that routers quote "
           "are told.",
           "sonde traceroute 198.18.0.1 2001:db8::1 --icmp");
    add_target_file(v);
    add_targets(v);
    v.options.add_options()("iface,i", po::value<std::string>(), "interface; default: by the route")(
        "icmp,I", "by echo requests; default: by UDP")(
        "tcp,T", po::value<std::string>()->implicit_value("80"), "by TCP SYN to this port (80)")(
        "udp,U", po::value<std::string>()->implicit_value("33434"), "by UDP to this port (33434)")(
        "first-hop", po::value<std::string>(), "begin at this hop; default 1")(
        "max-hops,m", po::value<std::string>(), "hops at most; default 30")(
        "queries", po::value<std::string>(), "probes of each hop; default 3")(
        "timeout,t", po::value<std::string>(), "how long each probe waits; default 1s")(
        "inter", po::value<std::string>(), "time between two probes; default 1ms")(
        "mtu", "tell the path MTU too")("report", po::value<std::string>(),
                                        "write a page with plots to this file");
    add_output(v);
    v.exit_status = "0 every target was reached, 1 one was not, 2 usage, 3 system, 130 interrupted.";
    return v;
}

namespace {

std::uint8_t small(arguments const& a, char const* name, std::uint8_t otherwise) {
    if (!a.has(name)) return otherwise;
    auto n = parse_count(a.text(name));
    if (n == 0 || n > 255) throw usage_error(fmt::format("--{} {}: 1 to 255", name, n));
    return static_cast<std::uint8_t>(n);
}

tools::traceroute_options options_of(arguments const& a) {
    tools::traceroute_options o;
    read_protocol(a, o.protocol, o.port);
    o.first_hop = small(a, "first-hop", o.first_hop);
    o.max_hops = small(a, "max-hops", o.max_hops);
    o.queries = small(a, "queries", o.queries);
    if (o.first_hop > o.max_hops) throw usage_error("--first-hop is above --max-hops");
    if (a.has("timeout")) o.timeout = parse_duration(a.text("timeout"));
    if (a.has("inter")) o.inter = parse_duration(a.text("inter"));
    if (a.has("iface")) o.iface = interface_of(a);
    return o;
}

/// As traceroute marks them: !N no network, !H no host, !X prohibited.
std::string mark_of(tools::hop_reply const& r, ip_address const& target) {
    if (r.outcome.what != probe_outcome::kind::icmp_error || r.from == target) return "";
    bool v6 = target.is_v6();
    if (r.outcome.type != (v6 ? 1 : 3)) return "";
    unsigned code = r.outcome.code;
    if (v6)
        return code == 0   ? " !N"
               : code == 1 ? " !X"
               : code == 3 ? " !H"
               : code == 4 ? ""
                           : fmt::format(" !{}", code);
    return code == 0                               ? " !N"
           : code == 1                             ? " !H"
           : code == 3                             ? ""
           : code == 9 || code == 10 || code == 13 ? " !X"
                                                   : fmt::format(" !{}", code);
}

/// Of one probe at least: it left, or would have had it not been stopped.
bool went_out(tools::trace const& t) {
    auto went = [](tools::hop_reply const& r) { return r.outcome.what != probe_outcome::kind::send_failed; };
    return !t.failure || std::ranges::any_of(t.hops, [&](tools::trace_hop const& hop) {
        return std::ranges::any_of(hop.replies, went);
    });
}

void print_text(tools::trace const& t, unsigned mtu) {
    fmt::print("traceroute to {}{}\n", t.target, mtu ? fmt::format(", path MTU {}", mtu) : "");
    for (auto const& hop : went_out(t) ? t.hops : std::vector<tools::trace_hop>()) {
        fmt::print("{:2} ", hop.ttl);
        ip_address last;
        for (auto const& r : hop.replies) {
            if (r.came() && r.from != last) fmt::print(" {}", last = r.from);
            fmt::print("{}", r.came()
                                 ? fmt::format("  {:.3f} ms{}", milliseconds(r.rtt), mark_of(r, t.target))
                                 : "  *");
        }
        for (auto const& r : hop.replies)
            if (!r.labels.empty()) {
                for (auto const& l : r.labels)
                    fmt::print("  [MPLS {} tc {} ttl {}]", l.label, l.traffic_class, l.ttl);
                break;
            }
        fmt::print("\n");
    }
    if (t.failure) complain("sonde: {}: {}\n", t.target, t.failure.message());
}

std::string json_of(tools::hop_reply const& r) {
    if (!r.came()) return fmt::format("{{\"reason\":{}}}", quoted_json(fmt::format("{}", r.outcome)));
    auto text =
        fmt::format("{{\"from\":\"{}\",\"rtt_us\":{:.3f},\"ttl\":{}", r.from, microseconds(r.rtt), r.ttl);
    if (r.outcome.what == probe_outcome::kind::icmp_error)
        text += fmt::format(",\"icmp_type\":{},\"icmp_code\":{}", r.outcome.type, r.outcome.code);
    for (std::size_t i = 0; i < r.labels.size(); ++i)
        text += fmt::format("{}{{\"label\":{},\"tc\":{},\"ttl\":{}}}{}", i ? "," : ",\"mpls\":[",
                            r.labels[i].label, r.labels[i].traffic_class, r.labels[i].ttl,
                            i + 1 == r.labels.size() ? "]" : "");
    return text + "}";
}

void print_json(tools::trace const& t, unsigned mtu) {
    std::string hops;
    for (auto const& hop : t.hops) {
        std::string replies;
        for (auto const& r : hop.replies) replies += (replies.empty() ? "" : ",") + json_of(r);
        hops += fmt::format("{}{{\"hop\":{},\"replies\":[{}]}}", hops.empty() ? "" : ",", hop.ttl, replies);
    }
    fmt::print("{{\"type\":\"trace\",\"target\":\"{}\",\"reached\":{}{},\"hops\":[{}]}}\n", t.target,
               t.reached, mtu ? fmt::format(",\"mtu\":{}", mtu) : "", hops);
}

void add_to(report_page& page, tools::trace const& t) {
    std::vector<std::pair<std::string, double>> bars;
    std::vector<std::vector<std::string>> rows;
    for (auto const& hop : t.hops) {
        std::chrono::nanoseconds best{};
        std::string who = "*", labels;
        for (auto const& r : hop.replies)
            if (r.came()) {
                if (best.count() == 0 || r.rtt < best) best = r.rtt;
                who = r.from.to_string();
                if (labels.empty())
                    for (auto const& l : r.labels) labels += fmt::format("{} ", l.label);
            }
        bars.emplace_back(std::to_string(hop.ttl), milliseconds(best));
        rows.push_back({std::to_string(hop.ttl), who,
                        who == "*" ? "" : fmt::format("{:.3f}", milliseconds(best)), labels});
    }
    page.add_bars(fmt::format("To {}: the shortest time of each hop", t.target), bars, "ms");
    page.add_table(fmt::format("Routers on the way to {}", t.target), {"hop", "address", "ms", "MPLS labels"},
                   rows);
}

asio::awaitable<int> traceroute(session& s, tools::traceroute_options o, arguments const& a) {
    auto const targets = co_await targets_of(a);
    o.named_by = &targets;
    tools::traceroute run(s.net, targets.in_order(4096), o);
    s.on_interrupt = [&run] { run.stop(); };
    report_page page("sonde traceroute", fmt::format("{} hops at most", o.max_hops));
    bool all = true;
    while (auto t = co_await run.next()) {
        unsigned mtu = 0;
        if (a.has("mtu") && t->reached && !s.interrupted)
            mtu = co_await tools::path_mtu(s.net, t->target, 9000, o.timeout, o.iface);
        all &= t->reached;
        if (!a.has("quiet")) a.has("json") ? print_json(*t, mtu) : print_text(*t, mtu);
        flush_results();
        if (a.has("report")) add_to(page, *t);
    }
    s.on_interrupt = {};
    if (a.has("report")) page.write(a.text("report"));
    if (auto r = run.report(); r.send_errors && !r.sent) {
        // As text each target has its reason.
        if (a.has("json") || a.has("quiet")) say(could_not_leave(s, r.send_errors, r.first_error));
        co_return system_error;
    }
    co_return all ? answered : no_answer;
}

}  // namespace

int run_traceroute(std::string const& name, words const& arguments_) {
    auto v = traceroute_verb(name);
    auto a = v.parse(arguments_);
    if (a.has("help")) return v.print_help(), answered;
    auto o = options_of(a);
    return run(name, a, [&a, o](session& s) { return traceroute(s, o, a); });
}

}  // namespace sonde::inline v0::tool
