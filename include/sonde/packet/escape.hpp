#pragma once

#include <sonde/detail/namespace.hpp>

#include <string>
#include <string_view>

SONDE_NAMESPACE_BEGIN

/// Text that any terminal and any log shows as it is: printable ASCII stays, a backslash is doubled, every
/// other byte becomes \xNN. Whatever came from the network, a file or a user passes through here, or through
/// one of the quoting functions below, before it is printed; no output of sonde holds a byte below 0x20 or
/// above 0x7e but the line ends that sonde writes itself.
std::string escape(std::string_view bytes);

namespace detail {

/// The same, appended.
void append_escaped(std::string& out, std::string_view bytes);

/// As Python's repr of bytes without the `b`: 'it\'s' in double quotes, \t \n \r by letter, others as \xNN.
void append_python_quoted(std::string& out, std::string_view bytes);

/// As a JSON string (RFC 8259 §7), in ASCII: bytes from 0x7f on as \u00NN.
void append_json_quoted(std::string& out, std::string_view bytes);

/// Two lower-case hexadecimal digits for each byte.
void append_hex(std::string& out, std::string_view bytes);

}  // namespace detail
SONDE_NAMESPACE_END
