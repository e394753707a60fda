#include "tool/report_page.hpp"

#include <sonde/packet/escape.hpp>

#include <boost/system/system_error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>

namespace sonde::inline v0::tool {
namespace {

constexpr double width = 720, height = 260, left = 56, bottom = 26, top = 22, right = 12;
constexpr std::size_t most_points = 4000, most_rows = 5000, buckets = 48;

constexpr auto head = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{0}</title><style>
:root{{color-scheme:light dark;--ink:#1c2430;--faint:#6b7685;--line:#d5dae1;--mark:#1767b3;--paper:#fff}}
@media(prefers-color-scheme:dark){{:root{{--ink:#e4e8ee;--faint:#95a0b0;--line:#39424f;--mark:#64b0f4;--paper:#14181e}}}}
body{{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:0 auto;padding:1.5rem 1rem}}
h1{{font-size:1.5rem;margin:0}} h2{{font-size:1.05rem;margin:2rem 0 .5rem}} p{{color:var(--faint);margin:.2rem 0}}
svg{{width:100%;min-width:34rem;height:auto;display:block}} .mark{{fill:var(--mark)}} .dot{{fill:var(--mark);fill-opacity:.55}}
.grid{{stroke:var(--line);stroke-width:1}} text{{fill:var(--faint);font:12px system-ui,sans-serif}}
.wide{{overflow-x:auto}} table{{border-collapse:collapse;font-variant-numeric:tabular-nums}}
th,td{{text-align:left;padding:.25rem .9rem .25rem 0;border-bottom:1px solid var(--line);white-space:nowrap}} th{{color:var(--faint);font-weight:600}}
</style></head><body><h1>{0}</h1><p>{1}</p>
)";

std::string html_of(std::string_view text) {
    std::string out;
    for (char c : escape(text)) switch (c) {
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '&': out += "&amp;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    return out;
}

/// A round number that is not below: 1, 2 or 5 times a power of ten.
double round_up(double value) {
    if (!(value > 0)) return 1;
    auto power = std::pow(10, std::floor(std::log10(value)));
    for (double step : {1.0, 2.0, 5.0})
        if (step * power >= value) return step * power;
    return 10 * power;
}

double across(double x, double most) {
    return left + (width - left - right) * x / most;
}
double up(double y, double most) {
    return height - bottom - (height - top - bottom) * std::min(y, most) / most;
}

}  // namespace

report_page::report_page(std::string_view title, std::string_view about)
    : html_(fmt::format(head, html_of(title), html_of(about))) {}

void report_page::begin(std::string_view title) {
    html_ += fmt::format("<h2>{}</h2>\n", html_of(title));
}

void report_page::begin_plot(std::string_view title, double x_most, double y_most, std::string_view x,
                             std::string_view y) {
    begin(title);
    html_ += fmt::format("<div class=\"wide\"><svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">",
                         width, height, html_of(title));
    html_ += fmt::format("<text x=\"{}\" y=\"12\" text-anchor=\"end\">{}</text>", left - 6, html_of(y));
    for (int i = 0; i <= 4; ++i) {
        auto share = i / 4.0, line = up(share, 1), column = across(share, 1);
        html_ += fmt::format("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", left,
                             width - right, line, line);
        html_ += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.4g}</text>", left - 6,
                             line + 4, share * y_most);
        if (x.empty()) continue;
        html_ += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">{:.4g}{}</text>", column,
                             height - bottom + 18, i == 4 ? "end" : "middle", share * x_most,
                             i == 4 ? " " + html_of(x) : "");
    }
}

void report_page::add_scatter(std::string_view title, std::vector<plot_point> const& points,
                              std::string_view x, std::string_view y) {
    double x_most = 0, y_most = 0;
    for (auto const& p : points) x_most = std::max(x_most, p.x), y_most = std::max(y_most, p.y);
    x_most = round_up(x_most), y_most = round_up(y_most);
    begin_plot(title, x_most, y_most, x, y);
    auto step = points.size() / most_points + 1;
    for (std::size_t i = 0; i < points.size(); i += step)
        html_ += fmt::format("<circle class=\"dot\" r=\"2.2\" cx=\"{:.1f}\" cy=\"{:.1f}\"/>",
                             across(points[i].x, x_most), up(points[i].y, y_most));
    end_plot();
}

void report_page::add_histogram(std::string_view title, std::vector<double> values, std::string_view unit) {
    std::ranges::sort(values);
    // One that took a thousand times as long as all others would leave nothing of them to see.
    auto last = values.empty() ? 1 : round_up(values[values.size() - 1 - values.size() / 200]);
    std::vector<double> bars(buckets);
    for (auto v : values) ++bars[std::min(buckets - 1, static_cast<std::size_t>(v / last * buckets))];
    auto most = round_up(*std::ranges::max_element(bars));
    begin_plot(title, last, most, unit, "answers");
    for (std::size_t i = 0; i < buckets; ++i)
        add_bar(across(static_cast<double>(i), buckets), across(static_cast<double>(i + 1), buckets) - 1,
                bars[i] / most);
    end_plot();
}

void report_page::add_bar(double from, double to, double share) {
    html_ +=
        fmt::format("<rect class=\"mark\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
                    from, up(share, 1), to - from, up(0, 1) - up(share, 1));
}

void report_page::add_bars(std::string_view title, std::vector<std::pair<std::string, double>> const& bars,
                           std::string_view unit) {
    double most = 0;
    for (auto const& b : bars) most = std::max(most, b.second);
    most = round_up(most);
    begin_plot(title, 0, most, "", unit);
    auto n = static_cast<double>(std::max<std::size_t>(bars.size(), 12));
    for (std::size_t i = 0; i < bars.size(); ++i) {
        auto from = across(static_cast<double>(i) + 0.1, n), to = across(static_cast<double>(i) + 0.9, n);
        add_bar(from, to, bars[i].second / most);
        html_ += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>", (from + to) / 2,
                             height - bottom + 18, html_of(bars[i].first));
    }
    end_plot();
}

void report_page::add_table(std::string_view title, std::vector<std::string> const& names,
                            std::vector<std::vector<std::string>> const& rows) {
    begin(title);
    html_ += "<div class=\"wide\"><table><tr>";
    for (auto const& n : names) html_ += fmt::format("<th>{}</th>", html_of(n));
    html_ += "</tr>\n";
    for (std::size_t i = 0; i < std::min(rows.size(), most_rows); ++i) {
        html_ += "<tr>";
        for (auto const& cell : rows[i]) html_ += fmt::format("<td>{}</td>", html_of(cell));
        html_ += "</tr>\n";
    }
    html_ += "</table></div>\n";
    if (rows.size() > most_rows) html_ += fmt::format("<p>{} rows more</p>\n", rows.size() - most_rows);
}

void report_page::write(std::string const& path) const {
    std::ofstream file(path);
    file << html_ << "</body></html>\n";
    file.close();
    if (!file)
        throw boost::system::system_error(errno ? errno : EIO, boost::system::system_category(),
                                          escape(path));
}

}  // namespace sonde::inline v0::tool
