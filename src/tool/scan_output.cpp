#include "tool/scan_output.hpp"

#include "tool/lines.hpp"
#include "tool/options.hpp"

#include <sonde/packet/escape.hpp>

#include <fmt/format.h>

#include <cerrno>

#include <unistd.h>

namespace sonde::inline v0::tool {
namespace {

using tools::scan_state;

constexpr int schema = 1;  // of the JSON records; grows when a member changes its meaning

[[noreturn]] void failed(std::string const& path) {
    throw boost::system::system_error(errno, boost::system::system_category(), escape(path));
}

std::string_view protocol_of(tools::scan_result const& r) {
    constexpr std::string_view names[] = {"icmp", "udp", "tcp"};
    return names[static_cast<std::size_t>(r.protocol)];
}

/// Of an address, not of a port, which may be 0.
bool is_sweep(tools::scan_result const& r) {
    return r.protocol == tools::probe_protocol::icmp;
}

bool came(tools::scan_result const& r) {
    return r.received != timestamp();
}

std::string text_of(tools::scan_result const& r) {
    auto port = is_sweep(r) ? std::string(protocol_of(r)) : fmt::format("{}/{}", r.port, protocol_of(r));
    auto line = fmt::format("{:<15} {:<9} {:<13} {}", r.target, port, tools::name_of(r.state), r.reason);
    if (!came(r)) return line + "\n";
    if (r.from != r.target) line += fmt::format(" from {}", r.from);
    return line + fmt::format("  ttl {}  {:.3f} ms\n", r.ttl, milliseconds(r.rtt));
}

std::string json_of(tools::scan_result const& r) {
    auto line = fmt::format(
        "{{\"type\":\"answer\",\"target\":\"{}\",\"proto\":\"{}\",\"port\":{},\"state\":\"{}\","
        "\"reason\":{},\"attempt\":{}",
        r.target, protocol_of(r), r.port, tools::name_of(r.state), quoted_json(r.reason), r.attempt);
    if (came(r))
        line += fmt::format(",\"ts\":\"{}\",\"from\":\"{}\",\"ttl\":{},\"rtt_us\":{:.3f}",
                            iso_time(r.received), r.from, r.ttl, microseconds(r.rtt));
    return line + "}\n";
}

std::string csv_of(tools::scan_result const& r) {
    auto answer = came(r) ? fmt::format("{},{:.3f}", r.ttl, microseconds(r.rtt)) : std::string(",");
    return fmt::format("{},{},{},{},\"{}\",{},{}\n", r.target, protocol_of(r), r.port,
                       tools::name_of(r.state), r.reason, answer, r.attempt);
}

/// As nmap's -oG and masscan's.
std::string grep_of(tools::scan_result const& r) {
    if (is_sweep(r)) {
        auto state = r.state == scan_state::up ? "Up" : "Down";
        return fmt::format("Host: {} ()\tStatus: {}\n", r.target, state);
    }
    return fmt::format("Host: {} ()\tPorts: {}/{}/{}////\n", r.target, r.port, tools::name_of(r.state),
                       protocol_of(r));
}

}  // namespace

scan_states read_states(std::string_view text) {
    scan_states wanted{};
    if (text == "all") return wanted.fill(true), wanted;
    for (;;) {
        auto end = text.find(',');
        auto word = text.substr(0, end);
        std::size_t i = 0;
        while (i < wanted.size() && tools::name_of(static_cast<scan_state>(i)) != word) ++i;
        if (i == wanted.size())
            throw usage_error(
                fmt::format("--state {}: of open, closed, filtered, open|filtered, up, down, failed; or all",
                            escape(word)));
        wanted[i] = true;
        if (end == text.npos) return wanted;
        text.remove_prefix(end + 1);
    }
}

scan_output::scan_output(std::string const& file, std::uint64_t keep, bool go_on, scan_format format,
                         scan_states const& wanted)
    : format_(format), wanted_(wanted), at_terminal_((file.empty() || file == "-") && is_terminal(stdout)) {
    if (file.empty() || file == "-") return;
    owned_.reset(std::fopen(file.c_str(), go_on ? "r+e" : "we"));
    if (!owned_) failed(file);
    out_ = owned_.get();
    if (go_on && ::ftruncate(::fileno(out_), static_cast<off_t>(keep)) != 0) failed(file);
    if (go_on) std::fseek(out_, 0, SEEK_END);
}

void scan_output::write(std::string const& text) {
    if (std::fwrite(text.data(), 1, text.size(), out_) != text.size()) failed("output");
    if (at_terminal_) std::fflush(out_);
}

void scan_output::flush() {
    if (std::fflush(out_) != 0) failed("output");
}

std::uint64_t scan_output::size() {
    flush();
    auto at = std::ftell(out_);
    return at < 0 ? 0 : static_cast<std::uint64_t>(at);
}

void scan_output::start(scan_identity const& scan, std::uint64_t done) {
    // A scan that was ended before its first result has its header all the same.
    bool begins = owned_ ? size() == 0 : done == 0;
    if (format_ == scan_format::csv && begins) write("target,proto,port,state,reason,ttl,rtt_us,attempt\n");
    if (format_ != scan_format::jsonl) return;
    std::string argv;
    for (auto const& w : scan.command) argv += (argv.empty() ? "" : ",") + quoted_json(w);
    write(
        fmt::format("{{\"type\":\"start\",\"schema\":{},\"version\":\"{}\",\"argv\":[{}],\"scan\":\"{:016x}"
                    "\",\"seed\":\"{}\","
                    "\"shard\":\"{}\",\"probes\":{},\"done\":{}}}\n",
                    schema, SONDE_VERSION, argv, scan.fingerprint, scan.seed, scan.shard, scan.probes, done));
}

void scan_output::add(tools::scan_result const& r) {
    ++counts_[static_cast<std::size_t>(r.state)];
    if (!wanted_[static_cast<std::size_t>(r.state)]) return;
    switch (format_) {
        case scan_format::text: return write(text_of(r));
        case scan_format::jsonl: return write(json_of(r));
        case scan_format::csv: return write(csv_of(r));
        case scan_format::grep: return write(grep_of(r));
    }
}

std::string scan_output::counts_text() const {
    std::string text;
    for (std::size_t i = 0; i < counts_.size(); ++i)
        if (counts_[i])
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", counts_[i],
                                tools::name_of(static_cast<scan_state>(i)));
    return text.empty() ? "nothing" : text;
}

void scan_output::summary(scan_identity const& scan, report const& r, std::uint64_t done, bool complete) {
    if (format_ == scan_format::jsonl) {
        std::string states;
        for (std::size_t i = 0; i < counts_.size(); ++i)
            states += fmt::format("{}\"{}\":{}", i ? "," : "", tools::name_of(static_cast<scan_state>(i)),
                                  counts_[i]);
        write(
            fmt::format("{{\"type\":\"summary\",\"scan\":\"{:016x}\",\"seed\":\"{}\",\"shard\":\"{}\","
                        "\"complete\":{},\"probes\":{},"
                        "\"done\":{},\"states\":{{{}}},\"sent\":{},\"answered\":{},\"unanswered\":{},"
                        "\"retries\":{},\"duplicates\":{},"
                        "\"late\":{},\"send_errors\":{},\"drops\":{},\"seconds\":{:.6f}}}\n",
                        scan.fingerprint, scan.seed, scan.shard, complete, scan.probes, done, states, r.sent,
                        r.answered, r.remaining, r.retries, r.duplicates, r.late, r.send_errors,
                        r.kernel_drops, std::chrono::duration<double>(r.duration).count()));
    }
    flush();
}

}  // namespace sonde::inline v0::tool
