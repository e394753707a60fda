// Text as a packet expression: an error that tells the place, or a packet whose expression stays as it is.

#include "fuzz.hpp"

#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

#include <cctype>

using namespace sonde;
using namespace sonde::test;

namespace {

/// "column 14: …": inside the text, or just behind it.
void check_error(error const& e, std::string_view text) {
    std::string_view what = e.what();
    check_printable("an error", what);
    constexpr std::size_t most = 4096;
    if (what.size() > most + 4 * text.size()) throw violation("an error that is longer than its text");
    auto at = what.find("column ");
    if (at == what.npos) {
        if (e.code() == errc::header_too_long || e.code() == errc::set_too_large) return;
        throw violation(fmt::format("an error without a column: {}", what));
    }
    std::size_t column = 0;
    for (auto rest = what.substr(at + 7); !rest.empty() && std::isdigit(static_cast<unsigned char>(rest[0]));
         rest.remove_prefix(1))
        column = 10 * column + static_cast<std::size_t>(rest[0] - '0');
    if (column < 1 || column > text.size() + 1)
        throw violation(fmt::format("an error at column {} of {}: {}", column, text.size(), what));
}

/// The expression of a packet makes the same packet. How long it is.
std::size_t check_stable(packet const& p) {
    auto text = command(p);
    check_printable("command", text);
    constexpr std::size_t most_read = std::size_t(1) << 20;
    if (text.size() > most_read) return text.size();  // each member of a set in a list
    std::string again;
    try {
        again = command(parse_packet(text));
    } catch (error const& e) {
        throw violation(fmt::format("{}\n  is not read back: {}", text, e.what()));
    }
    if (again != text) throw violation(fmt::format("{}\n  is printed again as\n{}", text, again));
    return text.size();
}

}  // namespace

SONDE_FUZZ_TARGET(in) {
    auto text = in.rest_as_text();
    packet p;
    try {
        p = parse_packet(text);
    } catch (error const& e) {
        check_error(e, text);
        return kept;
    }
    check_printable("summary", summary(p));
    check_printable("show", show(p));
    auto const printed = check_stable(p);
    try {
        auto size = p.size();
        for (auto index : {std::uint64_t(0), size / 2, size - 1})
            if (index < size) (void)p[index].build();
    } catch (error const& e) {
        check_printable("an error", e.what());
    }
    // Thousands of records out of one range teach nothing that a few do not, and take a second each.
    constexpr std::size_t longest_kept = std::size_t(1) << 14;
    return printed > longest_kept ? rejected : kept;
}
