#include "tool/text_lines.hpp"
#include "tool/text_options.hpp"

#include <sonde/capture/capture_reader.hpp>
#include <sonde/packet/escape.hpp>
#include <sonde/packet/json.hpp>
#include <sonde/packet/text.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <ostream>

namespace sonde::inline v0::tool {
namespace {

constexpr auto help =
    R"(Usage: sonde dissect [--json | --command | --summary | --hex] (--link LINK [HEX...] | -r FILE)

Read frames as layers: of the arguments, of a hexadecimal line each of the input, or of a capture file.

  --link LINK  what the bytes begin with: ether, ipv4, ipv6, null, sll, sll2
  -r FILE      the frames of a pcap or pcapng file; -: of the input
  --json       a line for each: {"layers": [{"layer": ..., "fields": {...}}, ...]}, or {"error": "..."}
  --command    a line for each: an expression from which `sonde build` makes the same bytes
  --summary    a line for each
  --hex        a hexdump for each
Without these, every field of every layer.

Example: sonde dissect --link ipv4 45000014000100004000000001020304ffffffff
)";

std::string text_of(packet const& p, text_style style) {
    switch (style) {
        case text_style::json: return to_json(p) + "\n";
        case text_style::command: return command(p) + "\n";
        case text_style::summary: return summary(p) + "\n";
        case text_style::hex: return hexdump(p.view().bytes) + "\n\n";
        case text_style::show: break;
    }
    return show(p) + "\n";
}

/// Every whole frame of a file; an error line for each that cannot be read, and for the place where the file
/// is damaged.
void dissect_file(std::string const& path, text_style style, text_lines& lines) {
    auto reader = path == "-" ? capture_reader(stdin, "standard input") : capture_reader(path);
    for (error_code ec;;) {
        if (auto f = reader.next(ec))
            lines.write(text_of(dissect(f->bytes, f->type), style));
        else if (ec)
            lines.error(reader.why(), ec);
        else
            return;
    }
}

}  // namespace

int run_dissect(std::vector<std::string> const& arguments, text_streams const& streams) {
    return with_usage("dissect", streams, [&] {
        auto const options = parse_text_options(arguments, " --json --command --summary --hex --link -r ");
        if (options.help) return streams.out << help, 0;
        if (options.file.empty() && !options.link)
            throw text_usage_error("--link or -r is needed; --help tells");
        if (!options.file.empty() && options.link)
            throw text_usage_error("--link or -r, not both: a file tells its link type");
        if (!options.file.empty() && !options.rest.empty())
            throw text_usage_error(
                fmt::format("unexpected argument \"{}\": -r takes one file", escape(options.rest.front())));
        bool for_programs = options.style == text_style::json || options.style == text_style::command;
        text_lines lines(streams, for_programs);
        auto dissect_hex = [&](std::string const& hex) {
            lines.write(text_of(dissect(parse_hex(hex), *options.link), options.style));
        };
        if (!options.file.empty())
            lines.guard([&] { dissect_file(options.file, options.style, lines); });
        else if (options.rest.empty())
            lines.for_each(dissect_hex);
        else
            for (auto const& hex : options.rest) lines.guard([&] { dissect_hex(hex); });
        return lines.exit_status();
    });
}

int run_dissect(std::vector<std::string> const& arguments) {
    return on_standard_streams(run_dissect, arguments);
}

}  // namespace sonde::inline v0::tool
