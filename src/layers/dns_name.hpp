#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// Domain names (RFC 1035 §3.1, §4.1.4): labels with a length before each, or a pointer to the rest of the
// name.
namespace sonde::inline v0::detail {

/// A name that was read: its text, with the final dot and RFC 1035 §5.1's escapes, and where in the message
/// what follows it begins.
struct read_name {
    std::string text;
    std::size_t size = 0;
};

/// The name at `at` of a message. Nothing when it is cut short, too long (255 bytes), or its pointers do not
/// lead backwards.
std::optional<read_name> read_domain_name(std::span<std::byte const> message, std::size_t at);

/// The bytes of a name as text has it, with or without the final dot; escapes `\.` and `\DDD`. Throws
/// bad_text for a label over 63 bytes, an empty one inside, or over 255 bytes.
std::string write_domain_name(std::string_view text);

}  // namespace sonde::inline v0::detail
