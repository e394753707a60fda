#pragma once

#include "tool/text_commands.hpp"

#include <sonde/error.hpp>

#include <cstdint>
#include <functional>
#include <optional>

namespace sonde::inline v0::tool {

/// Lines in, lines out. Keeps the exit status: 0, 1 when a line was in error, 3 when the system refused
/// something.
class text_lines {
public:
    static constexpr std::size_t longest = std::size_t(1) << 20;  ///< octets of an input line

    /// `for_programs`: errors are lines of their own among the results, `{"error":"…"}`; else they go to
    /// `err`.
    text_lines(text_streams const& streams, bool for_programs)
        : streams_(streams), for_programs_(for_programs) {}

    /// Calls `each` with every line that is not blank. What `each` throws is that line's error.
    void for_each(std::function<void(std::string const&)> const& each);
    /// Runs something that may throw an error of its own.
    void guard(std::function<void()> const& action);

    /// `why`: its number, when the system has one for it.
    void error(std::string_view message, error_code const& why = {});
    /// A line, or several, of results.
    void write(std::string_view text);
    int exit_status() const;

private:
    /// False at the end. `too_long`: the line was, and is skipped.
    bool read(std::string& line, bool& too_long);

    text_streams const& streams_;
    bool for_programs_;
    int status_ = 0;
    std::uint64_t number_ = 0;
};

/// What an exception says, without sonde's error numbers.
std::string message_of(std::exception const& e);

/// The bytes of hexadecimal digits, blanks among them allowed. Throws `error` that names the column.
std::vector<std::byte> parse_hex(std::string_view text);

/// Runs a text command on the standard streams, or says how it is used: exit status 2.
int on_standard_streams(int (*command)(std::vector<std::string> const&, text_streams const&),
                        std::vector<std::string> const& arguments);

/// Calls `body`; a text_usage_error goes to `err`, exit status 2.
int with_usage(std::string_view command, text_streams const& streams, std::function<int()> const& body);

}  // namespace sonde::inline v0::tool
