#include "tool/json.hpp"
#include "tool/text_lines.hpp"
#include "tool/text_options.hpp"

#include <sonde/packet/escape.hpp>
#include <sonde/packet/match.hpp>

#include <ostream>

namespace sonde::inline v0::tool {
namespace {

constexpr auto help = R"(Usage: sonde match --link LINK [--relaxed]

Tell whether one packet answers another: for each line {"sent": "hex", "received": "hex"} of the input a line
{"answers": true} or {"answers": false, "why": "tcp ack 103, expected 101"}, or {"error": "..."}.

  --link LINK  what both begin with: ether, ipv4, ipv6, null, sll, sll2
  --relaxed    accept what Scapy accepts besides: UDP from any port, TCP acknowledgements off by 2, ...
)";

std::string verdict_of(std::string const& line, link_type link, bool relaxed) {
    auto const members = read_text_members(line, {"sent", "received"});
    auto const sent = dissect(parse_hex(members[0]), link), received = dissect(parse_hex(members[1]), link);
    auto probe = sent.view();
    probe.relaxed = relaxed;
    probe.to_many = goes_to_many(probe);
    auto const verdict = match(received.view(), probe);
    if (verdict.value == match_verdict::yes) return "{\"answers\":true}\n";
    std::string out = "{\"answers\":false,\"why\":";
    sonde::detail::append_json_quoted(out, verdict.why);
    return out += "}\n";
}

}  // namespace

int run_match(std::vector<std::string> const& arguments, text_streams const& streams) {
    return with_usage("match", streams, [&] {
        auto const options = parse_text_options(arguments, " --link --json --relaxed ");
        if (options.help) return streams.out << help, 0;
        if (!options.link) throw text_usage_error("--link is needed; --help tells");
        if (!options.rest.empty())
            throw text_usage_error("pairs are read from the input, not from arguments");
        text_lines lines(streams, true);
        lines.for_each(
            [&](std::string const& line) { lines.write(verdict_of(line, *options.link, options.relaxed)); });
        return lines.exit_status();
    });
}

int run_match(std::vector<std::string> const& arguments) {
    return on_standard_streams(run_match, arguments);
}

}  // namespace sonde::inline v0::tool
