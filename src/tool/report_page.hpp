#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sonde::inline v0::tool {

struct plot_point {
    double x, y;
};

/// One self-contained page: plots as inline SVG, tables, no scripts, nothing from elsewhere. What it holds is
/// escaped.
class report_page {
public:
    report_page(std::string_view title, std::string_view about);

    /// Points that are many are thinned out to a few thousand.
    void add_scatter(std::string_view title, std::vector<plot_point> const& points, std::string_view x,
                     std::string_view y);
    void add_histogram(std::string_view title, std::vector<double> values, std::string_view unit);
    /// A bar for each pair of a name and a number.
    void add_bars(std::string_view title, std::vector<std::pair<std::string, double>> const& bars,
                  std::string_view unit);
    void add_table(std::string_view title, std::vector<std::string> const& head,
                   std::vector<std::vector<std::string>> const& rows);
    /// Throws system_error.
    void write(std::string const& path) const;

private:
    void begin(std::string_view title);
    /// A plot with its grid; marks go over it.
    void begin_plot(std::string_view title, double x_most, double y_most, std::string_view x,
                    std::string_view y);
    /// From one place to another, as high as its share of the plot.
    void add_bar(double from, double to, double share);
    void end_plot() { html_ += "</svg></div>\n"; }

    std::string html_;
};

}  // namespace sonde::inline v0::tool
