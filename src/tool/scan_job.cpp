#include "tool/scan_job.hpp"

#include "tool/commands.hpp"
#include "tool/lines.hpp"
#include "tool/text_lines.hpp"

#include <sonde/packet/escape.hpp>
#include <sonde/tools/targets.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <random>

namespace sonde::inline v0::tool {

namespace po = boost::program_options;

namespace {

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
        if (!file) throw usage_error(fmt::format("{}: cannot be read", escape(name)));
        list.add_lines(file, name);
    }
    if (!list.names().empty())
        throw usage_error(fmt::format("--exclude {}: addresses and networks only", list.names()[0]));
    return list.addresses();
}

tools::scan_shard shard_of(arguments const& a) {
    auto shard = a.has("shard") ? tools::read_shard(a.text("shard")) : tools::shard_of_environment();
    if (!shard.source.empty() && !shard.is_whole())
        complain("sonde scan: shard {} by {} (--shard 1/1 for the whole)\n", shard.to_string(), shard.source);
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
    if (a.has("iface")) o.iface = interface_of(a);
    return o;
}

}  // namespace

scan_job prepare_scan(arguments const& a, address_set const& targets,
                      std::vector<std::string> const& command) try {
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
        throw usage_error(fmt::format("{} is of another scan: other targets, ports, seed or shard",
                                      escape(a.text("resume"))));
    job.from.fingerprint = fingerprint, job.from.seed = seed, job.from.shard = job.identity.shard;
    return job;
} catch (error const& e) {
    throw usage_error(message_of(e));
}

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
        "exclude,x", po::value<std::vector<std::string>>(),
        "leave this address, network or range out; may be given again")(
        "exclude-file", po::value<std::vector<std::string>>(), "leave out what this file lists")(
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

}  // namespace sonde::inline v0::tool
