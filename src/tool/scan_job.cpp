#include "tool/scan_job.hpp"

#include <sonde/tools/targets.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <random>

namespace sonde::tool {
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
        throw usage_error(
            fmt::format("{} is of another scan: other targets, ports, seed or shard", a.text("resume")));
    job.from.fingerprint = fingerprint, job.from.seed = seed, job.from.shard = job.identity.shard;
    return job;
} catch (error const& e) {
    throw usage_error(e.what());
}

}  // namespace sonde::tool
