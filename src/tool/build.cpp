#include "tool/text_lines.hpp"
#include "tool/text_options.hpp"

#include <sonde/packet/escape.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

#include <fmt/format.h>

#include <ostream>
#include <utility>

namespace sonde::inline v0::tool {
namespace {

constexpr auto help = R"(Usage: sonde build [--json] [--limit N] [EXPRESSION...]

Write the bytes of Scapy's packet expressions: of those given, or of one on each line of the input. An expression
whose fields hold sets is many packets.

  --json     a line for each expression: ["hex", ...], or {"error": "..."}
  --limit N  packets of one expression, at most (1000000)

Example: sonde build 'IP(dst="198.18.0.1")/TCP(dport=[22, 80], flags="S")'
)";

/// A packet of the set, ready to be built: no host name among its addresses.
packet packet_at(packet const& set, std::uint64_t index) {
    auto p = set[index];
    for (auto const& v : p.sets())
        throw error(errc::host_not_found,
                    fmt::format("{}.{} is the host name \"{}\", which is looked up when the packet is sent",
                                p.layers()[v.layer].layer->name,
                                p.layers()[v.layer].layer->fields[v.field].name, escape(v.name)));
    return p;
}

/// The packets of one expression, in order.
class expression_set {
public:
    expression_set(std::string_view text, std::uint64_t limit) : sets_(parse_packets(text)) {
        for (auto const& s : sets_) {
            auto size = s.size();
            if (size > limit - size_)
                throw error(errc::set_too_large,
                            fmt::format("{} packets, over the limit of {} (--limit)",
                                        size_ ? "together too many" : std::to_string(size), limit));
            size_ += size;
        }
    }
    std::uint64_t size() const { return size_; }

    template <class Each>
    void for_each(Each const& each) const {
        for (auto const& s : sets_)
            for (std::uint64_t i = 0, n = s.size(); i < n; ++i) each(packet_at(s, i));
    }

private:
    std::vector<packet> sets_;
    std::uint64_t size_ = 0;
};

std::string_view text_of(std::vector<std::byte> const& bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

void write_json(expression_set const& set, text_lines& lines) {
    constexpr std::uint64_t few = 4096;
    constexpr std::size_t piece = std::size_t(1) << 16;
    // A line is right as a whole or an error: many packets are tried first, then written as they are built.
    if (set.size() > few) set.for_each([](packet const& p) { (void)p.build(); });
    std::string out;
    auto separator = "[\"";
    set.for_each([&](packet const& p) {
        out += std::exchange(separator, ",\"");
        sonde::detail::append_hex(out, text_of(p.build()));
        out += '"';
        if (set.size() > few && out.size() > piece) lines.write(std::exchange(out, {}));
    });
    if (set.size() == 0) out = "[";
    lines.write(out += "]\n");
}

void write_dumps(expression_set const& set, text_lines& lines) {
    set.for_each(
        [&](packet const& p) { lines.write(fmt::format("{}\n{}\n\n", summary(p), hexdump(p.build()))); });
}

}  // namespace

int run_build(std::vector<std::string> const& arguments, text_streams const& streams) {
    return with_usage("build", streams, [&] {
        auto const options = parse_text_options(arguments, " --json --limit ");
        if (options.help) return streams.out << help, 0;
        bool json = options.style == text_style::json;
        text_lines lines(streams, json);
        auto build = [&](std::string const& expression) {
            expression_set const set(expression, options.limit);
            json ? write_json(set, lines) : write_dumps(set, lines);
        };
        for (auto const& expression : options.rest) lines.guard([&] { build(expression); });
        if (options.rest.empty()) lines.for_each(build);
        return lines.exit_status();
    });
}

int run_build(std::vector<std::string> const& arguments) {
    return on_standard_streams(run_build, arguments);
}

}  // namespace sonde::inline v0::tool
