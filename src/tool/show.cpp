#include "tool/commands.hpp"
#include "tool/lines.hpp"
#include "tool/text_lines.hpp"

#include <sonde/capture/capture_file.hpp>
#include <sonde/capture/capture_reader.hpp>
#include <sonde/packet/build.hpp>
#include <sonde/packet/escape.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace sonde::inline v0::tool {

namespace po = boost::program_options;

verb show_verb(std::string const&) {
    verb v("show", "FILE|EXPRESSION [OPTIONS]",
           "Print packets as their layers, each field beside its bytes; in colour on a terminal, a colour "
           "for each layer. Sends "
           "nothing.",
           "sonde show 'IP(dst=\"198.18.0.1\")/TCP(dport=80, flags=\"S\")'", false);
    v.options.add_options()("count,c", po::value<std::string>(), "packets at most; default 1000")(
        "color", po::value<std::string>(), "auto, always or never; NO_COLOR and TERM=dumb are honoured");
    v.exit_status = "0, 1 when something could not be read, 2 usage, 3 system.";
    return v;
}

namespace {

constexpr std::size_t bytes_a_line = 8;

bool wants_colour(arguments const& a) {
    auto how = a.has("color") ? a.text("color") : "auto";
    if (how == "always" || how == "never") return how == "always";
    if (how != "auto") throw usage_error(fmt::format("--color {}: auto, always or never", escape(how)));
    auto const* none = std::getenv("NO_COLOR");
    auto const* kind = std::getenv("TERM");
    bool dumb = kind && std::string_view(kind) == "dumb";
    return is_terminal(stdout) && !(none && *none) && !dumb;
}

class painter {
public:
    explicit painter(bool colour) : colour_(colour) {}

    std::string show(packet const& p) const {
        auto view = p.view();
        auto text = fmt::format("{}\n", summary(p));
        for (std::size_t i = 0; i < view.layers.size(); ++i) text += layer(layer_view(view, i), i);
        return text + "\n";
    }

private:
    std::string layer(layer_view const& v, std::size_t number) const {
        static constexpr int colours[] = {36, 32, 33, 35, 34, 31};
        auto begin = colour_ ? fmt::format("\x1b[{}m", colours[number % std::size(colours)]) : std::string();
        auto end = colour_ ? "\x1b[0m" : "";
        auto text = fmt::format("{}{}  {} bytes{}\n", begin, name_of(v.span()), v.span().size(), end);
        auto const& fields = v.description().fields;
        for (std::size_t f = 0; f < fields.size(); ++f) {
            auto where = locate(v.description(), f, v.header());
            if (where.width == 0 || where.offset + where.width > v.header().size() * 8) continue;
            text += field(v, f, where, begin, end);
        }
        return text;
    }

    std::string field(layer_view const& v, std::size_t f, bit_range where, std::string const& begin,
                      char const* end) const {
        auto first = where.offset / 8, last = (where.offset + where.width + 7) / 8;
        auto bytes = v.header().subspan(first, last - first);
        bool part = where.offset % 8 || where.width % 8;
        auto name = fmt::format(
            "{}{}", v.description().fields[f].name,
            part ? fmt::format(" [bits {}-{}]", where.offset % 8, where.offset % 8 + where.width - 1) : "");
        std::string text;
        for (std::size_t at = 0; at < bytes.size(); at += bytes_a_line) {
            auto piece = bytes.subspan(at, std::min(bytes_a_line, bytes.size() - at));
            std::string hex;
            for (auto b : piece) hex += fmt::format("{:02x} ", std::to_integer<unsigned>(b));
            text += fmt::format("  {:04x}  {}{:<25}{}", v.span().begin + first + at, begin, hex, end);
            if (at == 0) text += fmt::format("{:<22} = {}", name, detail::shown_text(v, f));
            while (text.back() == ' ') text.pop_back();
            text += "\n";
        }
        return text;
    }

    bool colour_;
};

/// As it would be sent: every field has its value.
packet finished(packet const& p) {
    auto outermost = p.layers().empty() ? nullptr : p.layers().front().layer;
    return outermost ? sonde::detail::dissect_as(p.build(), *outermost) : p;
}

void show_file(std::string const& path, painter const& paint, std::uint64_t most, text_lines& lines) {
    capture_reader reader(path);
    error_code ec;
    for (std::uint64_t n = 0; n < most;) {
        if (auto f = reader.next(ec))
            lines.write(paint.show(to_packet(*f))), ++n;
        else if (ec)
            lines.error(reader.why(), ec);
        else
            return;
    }
}

void show_expression(std::string const& text, painter const& paint, std::uint64_t most, text_lines& lines) {
    for (auto const& set : parse_packets(text))
        for (std::uint64_t i = 0, n = set.size(); i < n && most > 0; ++i, --most)
            lines.write(paint.show(finished(set[i])));
}

}  // namespace

int run_show(std::string const& name, words const& arguments_) {
    auto v = show_verb(name);
    auto a = v.parse(arguments_);
    if (a.has("help")) return v.print_help(), answered;
    painter const paint(wants_colour(a));
    auto most = a.has("count") ? parse_count(a.text("count")) : 1000;
    text_streams const streams{std::cin, std::cout, std::cerr};
    text_lines lines(streams, false);
    std::error_code ec;
    bool named = a.subject.find_first_of("('\"") == std::string::npos &&
                 a.subject.find_first_of("./") != std::string::npos;
    bool file = named || std::filesystem::is_regular_file(a.subject, ec);  // what is no expression is a path
    lines.guard([&] {
        file ? show_file(a.subject, paint, most, lines) : show_expression(a.subject, paint, most, lines);
    });
    return lines.exit_status();
}

}  // namespace sonde::inline v0::tool
