#include <sonde/error.hpp>
#include <sonde/packet/escape.hpp>
#include <sonde/packet/siphash.hpp>
#include <sonde/tools/scan_plan.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

// What people and job engines write: ports, shards, positions.
namespace sonde::inline v0::tools {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t n = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (failure != std::errc() || end != text.data() + text.size()) return {};
    return n;
}

template <class Use>
void for_each_part(std::string_view text, char separator, Use const& use) {
    for (;;) {
        auto end = text.find(separator);
        use(text.substr(0, end));
        if (end == text.npos) return;
        text.remove_prefix(end + 1);
    }
}

/// "80" or "80-90" or "-", which is all ports.
std::pair<std::uint64_t, std::uint64_t> port_range_of(std::string_view part) {
    if (part == "-") return {1, 65535};
    auto dash = part.find('-');
    auto first = number(part.substr(0, dash));
    auto last = dash == part.npos ? first : number(part.substr(dash + 1));
    if (!first || !last || *first > *last || *last > 65535)
        throw error(
            errc::bad_text,
            fmt::format("\"{}\" is no port: write 22, 80-90 or -, with U: before UDP's", escape(part)));
    return {*first, *last};
}

char const* variable(char const* name) {
    auto const* value = std::getenv(name);
    return value && *value ? value : nullptr;
}

std::uint64_t number_in(char const* name) {
    auto const* value = variable(name);
    auto n = value ? number(value) : std::nullopt;
    if (!n)
        throw error(errc::bad_text, value ? fmt::format("{}: \"{}\" is no number", name, escape(value))
                                          : fmt::format("{} is not set", name));
    return *n;
}

scan_shard checked(std::uint64_t index, std::uint64_t count, std::string_view source) {
    if (index >= count)
        throw error(errc::bad_text, fmt::format("{}: shard {} of {}", source, index + 1, count));
    return {index, count, source};
}

scan_shard slurm_shard() {
    auto first = number_in("SLURM_ARRAY_TASK_MIN"), step = std::uint64_t(1);
    if (variable("SLURM_ARRAY_TASK_STEP"))
        step = std::max<std::uint64_t>(number_in("SLURM_ARRAY_TASK_STEP"), 1);
    return checked((number_in("SLURM_ARRAY_TASK_ID") - first) / step, number_in("SLURM_ARRAY_TASK_COUNT"),
                   "SLURM_ARRAY_TASK_ID");
}

scan_shard kubernetes_shard() {
    if (!variable("SONDE_SHARDS"))
        throw error(errc::bad_text,
                    "JOB_COMPLETION_INDEX is set, so this is one pod of several: set SONDE_SHARDS "
                    "to the job's completions, or say --shard 1/1");
    return checked(number_in("JOB_COMPLETION_INDEX"), number_in("SONDE_SHARDS"), "JOB_COMPLETION_INDEX");
}

}  // namespace

scan_ports read_ports(std::string_view text, probe_protocol first) {
    scan_ports ports;
    auto* list = first == probe_protocol::udp ? &ports.udp : &ports.tcp;
    for_each_part(text, ',', [&](std::string_view part) {
        if (part.starts_with("U:") || part.starts_with("T:")) {
            list = part[0] == 'U' ? &ports.udp : &ports.tcp;
            part.remove_prefix(2);
        }
        auto [from, to] = port_range_of(part);
        for (auto p = from; p <= to; ++p) list->push_back(static_cast<std::uint16_t>(p));
    });
    for (auto* l : {&ports.tcp, &ports.udp}) {
        std::ranges::sort(*l);
        auto twice = std::ranges::unique(*l);
        l->erase(twice.begin(), twice.end());
    }
    return ports;
}

scan_shard read_shard(std::string_view text) {
    auto slash = text.find('/');
    auto index = number(text.substr(0, slash));
    auto count = slash == text.npos ? std::nullopt : number(text.substr(slash + 1));
    if (!index || !count || *index == 0 || *index > *count)
        throw error(errc::bad_text,
                    fmt::format("\"{}\" is no shard: write 3/8 for the third of eight", escape(text)));
    return {*index - 1, *count, {}};
}

scan_shard shard_of_environment() {
    if (auto const* text = variable("SONDE_SHARD")) {
        auto s = read_shard(text);
        s.source = "SONDE_SHARD";
        return s;
    }
    if (variable("SLURM_ARRAY_TASK_ID")) return slurm_shard();
    if (variable("OMPI_COMM_WORLD_RANK"))
        return checked(number_in("OMPI_COMM_WORLD_RANK"), number_in("OMPI_COMM_WORLD_SIZE"),
                       "OMPI_COMM_WORLD_RANK");
    if (variable("JOB_COMPLETION_INDEX")) return kubernetes_shard();
    return {};
}

std::optional<std::uint64_t> seed_of_environment() {
    for (auto const* name : {"SLURM_ARRAY_JOB_ID", "PMIX_NAMESPACE", "JOB_NAME"})
        if (auto const* id = variable(name)) {
            std::uint64_t seed = 0;
            for (auto const* c = id; *c; ++c)
                seed = detail::siphash_word(secret_key{seed, 1}, static_cast<unsigned char>(*c));
            return seed;
        }
    return {};
}

positions positions::read(std::string_view text) {
    positions p;
    if (text.empty()) return p;
    for_each_part(text, ',', [&](std::string_view part) {
        auto dash = part.find('-');
        auto first = number(part.substr(0, dash));
        auto last = dash == part.npos ? std::nullopt : number(part.substr(dash + 1));
        bool rising = first && last && *first <= *last && *last + 1 != 0;
        if (!rising || (!p.pieces_.empty() && *first <= p.pieces_.rbegin()->second))
            throw error(errc::bad_text, fmt::format("positions \"{}\": write 0-99,105-107", escape(part)));
        p.pieces_.emplace_hint(p.pieces_.end(), *first, *last + 1);
        p.size_ += *last + 1 - *first;
    });
    return p;
}

}  // namespace sonde::inline v0::tools
