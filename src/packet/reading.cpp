#include "reading.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace sonde::inline v0::detail {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// How many letters differ, are missing, too many or have changed places, capitals aside (optimal string
/// alignment).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
    std::iota(above.begin(), above.end(), std::size_t(0));
    for (std::size_t i = 0; i < a.size(); ++i) {
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            bool same = lower(a[i]) == lower(b[j]);
            row[j + 1] = std::min({above[j + 1] + 1, row[j] + 1, above[j] + (same ? 0 : 1)});
            bool swapped = i > 0 && j > 0 && lower(a[i]) == lower(b[j - 1]) && lower(a[i - 1]) == lower(b[j]);
            if (swapped) row[j + 1] = std::min(row[j + 1], before[j - 1] + 1);
        }
        before = std::exchange(above, row);
    }
    return above.back();
}

}  // namespace

std::string_view kind_of(literal const& value) {
    static constexpr std::string_view kinds[] = {"None",   "a boolean", "a number", "a negative number",
                                                 "text",   "bytes",     "a list",   "a tuple",
                                                 "a call", "layers"};
    static_assert(std::size(kinds) == std::variant_size_v<decltype(literal::value)>);
    return kinds[value.value.index()];
}

std::string did_you_mean(std::string_view name, std::span<std::string_view const> candidates) {
    constexpr std::size_t longest = 40;  // what is longer is no slip of the finger
    if (name.empty() || name.size() > longest) return {};
    std::string_view best;
    auto least = 2 * std::min<std::size_t>(3, name.size() / 2 + 1);
    for (auto c : candidates) {
        if (c.empty() || c.size() > longest) continue;
        auto d = 2 * distance(name, c) + (lower(c[0]) != lower(name[0]));  // first letters are rarely wrong
        if (d < least) best = c, least = d;
    }
    return best.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", best);
}

}  // namespace sonde::inline v0::detail
