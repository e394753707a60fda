#pragma once

#include "reading.hpp"

namespace sonde::inline v0::detail {

/// A piece of an expression.
struct token {
    enum kind { end, name, number, fraction, text, bytes, mark };
    kind what = end;
    std::string value{};  // the name; the octets of text and bytes, escapes undone; the digits of fractions
    std::uint64_t number_ = 0;
    char symbol = 0;           // of marks: ( ) [ ] , = / * - + < |
    std::uint32_t column = 1;  // from 1, in bytes
};

/// Splits an expression into tokens, one ahead. Python's spelling of numbers and strings.
class scanner {
public:
    explicit scanner(std::string_view text) : text_(text) { advance(); }

    token const& peek() const { return next_; }
    token take() {
        auto t = std::move(next_);
        advance();
        return t;
    }
    /// True when a name and then `=` come next.
    bool at_keyword() const;
    /// Takes the mark if it comes next.
    bool accept(char symbol) {
        if (next_.what != token::mark || next_.symbol != symbol) return false;
        advance();
        return true;
    }
    /// Throws bad_expression at the next token: "column 3: `)` expected, not end of the expression".
    [[noreturn]] void unexpected(std::string_view expected) const;

private:
    void advance();
    void skip_blanks();
    void scan_number();
    void scan_name();
    void scan_string(bool is_bytes, bool is_raw);
    void scan_escape(bool is_bytes);
    void append_code_point(std::uint32_t code);
    std::uint32_t digits(unsigned base, std::size_t least, std::size_t most);
    [[noreturn]] void bad(std::uint32_t column, std::string_view what) const;
    char at(std::size_t ahead = 0) const {
        return place_ + ahead < text_.size() ? text_[place_ + ahead] : '\0';
    }
    std::uint32_t column() const { return static_cast<std::uint32_t>(place_ + 1); }

    std::string_view text_;
    std::size_t place_ = 0;
    token next_;
};

}  // namespace sonde::inline v0::detail
