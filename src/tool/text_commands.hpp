#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace sonde::inline v0::tool {

/// Where a text command reads and writes. Results go to `out`, all else to `err`; in lines for programs,
/// errors are results too.
struct text_streams {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
};

/// The commands that need neither network nor privilege. Each reads a line, writes its result and goes on:
/// memory does not grow with the input, and what waits for more input has written all it knows. Exit status:
/// 0; 1 when some line was in error; 2 usage; 3 when the output cannot be written or the file not be read.

/// Expressions to bytes: `build --json` reads a line each and writes `["hex",…]`; without it, hexdumps.
int run_build(std::vector<std::string> const& arguments, text_streams const& streams);
/// Bytes to layers: hexadecimal lines, or the frames of a capture file (`-r FILE`).
int run_dissect(std::vector<std::string> const& arguments, text_streams const& streams);
/// Whether one packet answers another: lines `{"sent":"hex","received":"hex"}`.
int run_match(std::vector<std::string> const& arguments, text_streams const& streams);
/// The layers that expressions know, or the fields of those named.
int run_layers(std::vector<std::string> const& arguments, text_streams const& streams);

/// The same on the standard streams.
int run_build(std::vector<std::string> const& arguments);
int run_dissect(std::vector<std::string> const& arguments);
int run_match(std::vector<std::string> const& arguments);
int run_layers(std::vector<std::string> const& arguments);

}  // namespace sonde::inline v0::tool
