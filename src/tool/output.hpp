#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace sonde::inline v0::tool {

/// To stderr, as it is. What cannot be written there is lost, and ends nothing.
void say(std::string_view text) noexcept;

/// The same text with what is not printable as `\xNN`, but for the ends of lines: arguments and names of
/// files may hold anything.
std::string printable(std::string_view text);

/// What went wrong, for people.
template <class... Arguments>
void complain(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    say(printable(fmt::format(text, std::forward<Arguments>(arguments)...)));
}

/// Results so far leave by stdout. Throws boost::system::system_error where they cannot.
void flush_results();

}  // namespace sonde::inline v0::tool
