#include "reading.hpp"

#include <algorithm>
#include <numeric>

namespace sonde::detail {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// How many letters differ, are missing or too many, capitals aside (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t(0));
    for (char c : a) {
        auto diagonal = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            auto changed = diagonal + (lower(c) != lower(b[j]));
            diagonal = row[j + 1];
            row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, changed});
        }
    }
    return row.back();
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
    if (name.size() > longest) return {};
    std::string_view best;
    std::size_t least = std::min<std::size_t>(3, name.size() / 2 + 1);
    for (auto c : candidates)
        if (auto d = c.size() > longest ? least : distance(name, c); d < least) best = c, least = d;
    return best.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", best);
}

}  // namespace sonde::detail
