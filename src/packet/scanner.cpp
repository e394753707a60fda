#include "scanner.hpp"

#include <sonde/packet/address.hpp>

namespace sonde::inline v0::detail {
namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string describe(token const& t) {
    switch (t.what) {
        case token::end: return "the end";
        case token::name: return escape(t.value);
        case token::number: return fmt::format("{}", t.number_);
        case token::fraction: return t.value;
        case token::text: return "text";
        case token::bytes: return "bytes";
        case token::mark: break;
    }
    return fmt::format("'{}'", t.symbol);
}

}  // namespace

void scanner::bad(std::uint32_t column, std::string_view what) const {
    throw error(errc::bad_expression, fmt::format("column {}: {}", column, what));
}

bool scanner::at_keyword() const {
    if (next_.what != token::name) return false;
    auto place = place_;
    while (place < text_.size() && is_blank(text_[place])) ++place;
    return place < text_.size() && text_[place] == '=';
}

void scanner::unexpected(std::string_view expected) const {
    bad(next_.column, fmt::format("{} expected, not {}", expected, describe(next_)));
}

void scanner::advance() {
    skip_blanks();
    next_ = token{.column = column()};
    if (place_ >= text_.size()) return;
    char c = at();
    if (is_digit(c)) return scan_number();
    if (is_letter(c)) return scan_name();
    if (c == '\'' || c == '"') return scan_string(false, false);
    if (std::string_view("()[],=/*-+<|").find(c) == std::string_view::npos)
        bad(column(), fmt::format("\"{}\" has no meaning here", escape(text_.substr(place_, 1))));
    next_.what = token::mark;
    next_.symbol = c;
    ++place_;
}

/// And comments, which go on to the end of their line.
void scanner::skip_blanks() {
    for (; place_ < text_.size(); ++place_) {
        if (at() == '#')
            place_ = std::min(text_.find('\n', place_), text_.size() - 1);
        else if (!is_blank(at()))
            return;
    }
}

void scanner::scan_name() {
    auto begin = place_;
    while (is_letter(at()) || is_digit(at())) ++place_;
    auto word = text_.substr(begin, place_ - begin);
    if ((at() == '\'' || at() == '"') && word.size() <= 2) {
        bool is_bytes = false, is_raw = false, is_prefix = true;
        for (char c : word) {
            if (c == 'b' || c == 'B')
                is_bytes = true;
            else if (c == 'r' || c == 'R')
                is_raw = true;
            else if (c != 'u' && c != 'U')
                is_prefix = false;
        }
        if (!is_prefix) bad(next_.column, fmt::format("strings of kind {}'..' cannot be read", word));
        return scan_string(is_bytes, is_raw);
    }
    next_.what = token::name;
    next_.value = word;
}

void scanner::scan_number() {
    auto const begin = place_;
    next_.what = token::number;
    unsigned base = 10;
    if (at() == '0' && (at(1) | 0x20) == 'x') base = 16;
    if (at() == '0' && (at(1) | 0x20) == 'o') base = 8;
    if (at() == '0' && (at(1) | 0x20) == 'b') base = 2;
    if (base != 10) place_ += 2;
    bool any = false, leading_zero = base == 10 && at() == '0';
    for (;; ++place_) {
        if (at() == '_' && (any || base != 10) && hex_digit(at(1)) >= 0) continue;
        int digit = hex_digit(at());
        if (digit < 0 || static_cast<unsigned>(digit) >= base) break;
        if (__builtin_mul_overflow(next_.number_, std::uint64_t(base), &next_.number_) ||
            __builtin_add_overflow(next_.number_, std::uint64_t(static_cast<unsigned>(digit)),
                                   &next_.number_))
            bad(next_.column, "a number over 2^64 - 1");
        any = true;
    }
    if (base == 10 && at() == '.' && is_digit(at(1))) {
        for (++place_; is_digit(at());) ++place_;
        next_.what = token::fraction;
        next_.value = text_.substr(begin, place_ - begin);
    }
    bool unclear = leading_zero && next_.number_ != 0;  // Python refuses 010, too
    if (!any || unclear || is_letter(at()) || is_digit(at()) || at() == '.')
        bad(next_.column, "no number that can be read");
}

void scanner::scan_string(bool is_bytes, bool is_raw) {
    next_.what = is_bytes ? token::bytes : token::text;
    auto begin = next_.column;
    char quote = at();
    bool const is_long = at(1) == quote && at(2) == quote;  // '''..''', over lines
    auto at_end = [&] { return at() == quote && (!is_long || (at(1) == quote && at(2) == quote)); };
    for (place_ += is_long ? 3 : 1; !at_end();) {
        if (place_ >= text_.size()) bad(begin, "the string has no end");
        char c = at();
        if (c == '\n' && !is_long) bad(begin, "the string ends with its line");
        if (is_bytes && static_cast<unsigned char>(c) >= 0x80)
            bad(column(), "bytes are written in ASCII: \\xNN");
        if (c == '\\' && !is_raw) {
            scan_escape(is_bytes);
            continue;
        }
        if (c == '\\' && place_ + 1 < text_.size()) next_.value += c, ++place_, c = at();
        next_.value += c;
        ++place_;
    }
    place_ += is_long ? 3 : 1;
}

/// A number of `least` to `most` digits.
std::uint32_t scanner::digits(unsigned base, std::size_t least, std::size_t most) {
    std::uint32_t value = 0;
    std::size_t n = 0;
    for (; n < most; ++n, ++place_) {
        int digit = hex_digit(at());
        if (digit < 0 || static_cast<unsigned>(digit) >= base) break;
        value = value * base + static_cast<unsigned>(digit);
    }
    if (n < least) bad(column(), fmt::format("{} digits expected", least));
    return value;
}

/// Text is kept in UTF-8, as Scapy sends it.
void scanner::append_code_point(std::uint32_t code) {
    auto tail = [&](unsigned shift) { next_.value += static_cast<char>(0x80 | (code >> shift & 0x3f)); };
    if (code < 0x80) {
        next_.value += static_cast<char>(code);
    } else if (code < 0x800) {
        next_.value += static_cast<char>(0xc0 | code >> 6);
        tail(0);
    } else if (code < 0x10000) {
        next_.value += static_cast<char>(0xe0 | code >> 12);
        tail(6), tail(0);
    } else {
        next_.value += static_cast<char>(0xf0 | code >> 18);
        tail(12), tail(6), tail(0);
    }
}

void scanner::scan_escape(bool is_bytes) {
    constexpr std::string_view letters = "\\'\"abfnrtv", meanings = "\\'\"\a\b\f\n\r\t\v";
    ++place_;
    char c = at();
    auto put = [&](std::uint32_t code) {
        if (is_bytes)
            next_.value += static_cast<char>(code);
        else
            append_code_point(code);
    };
    if (auto known = letters.find(c); known != letters.npos && place_ < text_.size()) {
        ++place_;
        next_.value += meanings[known];
    } else if (c >= '0' && c <= '7') {
        put(digits(8, 1, 3));
    } else if (c == 'x') {
        ++place_;
        put(digits(16, 2, 2));
    } else if (!is_bytes && (c == 'u' || c == 'U')) {
        ++place_;
        auto code = c == 'u' ? digits(16, 4, 4) : digits(16, 8, 8);
        if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) bad(column(), "no such character");
        put(code);
    } else if (c == '\n') {  // the line goes on
        ++place_;
    } else if (!is_bytes && c == 'N') {
        bad(column(), "names of characters cannot be read: \\uNNNN");
    } else {  // Python leaves others as they are
        next_.value += '\\';
    }
}

}  // namespace sonde::inline v0::detail
