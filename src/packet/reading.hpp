#pragma once

#include <sonde/error.hpp>
#include <sonde/packet/escape.hpp>
#include <sonde/packet/literal.hpp>
#include <sonde/packet/value.hpp>

#include <fmt/format.h>

#include <span>

/// What all readers of expressions share: errors that tell where, what was given and what would fit.
namespace sonde::inline v0::detail {

/// Throws `error` about a value: its column, when it came from text, and what is wrong.
template <class... A>
[[noreturn]] void fail(errc code, literal const& at, fmt::format_string<A...> format, A&&... arguments) {
    constexpr std::size_t longest = 1000;  // the place is told; what stands there, only as far as it helps
    auto text = fmt::format(format, std::forward<A>(arguments)...);
    if (text.size() > longest) text.replace(longest, text.npos, "...");
    throw error(code, at.column ? fmt::format("column {}: {}", at.column, text) : text);
}

/// What a value is, in words: "text", "a list".
std::string_view kind_of(literal const& value);

/// The bytes of text or bytes; null of anything else.
inline std::string const* octets_of(literal const& value) {
    if (auto const* b = value.as<literal::bytes>()) return &b->value;
    return value.as<std::string>();
}

/// Whether text runs the names together: "SA". Words are joined by `+`; a name of nothing makes letters
/// words.
bool are_letters(value_names flags);

/// `; did you mean "ttl"?` when a candidate is near, else nothing.
std::string did_you_mean(std::string_view name, std::span<std::string_view const> candidates);

}  // namespace sonde::inline v0::detail
