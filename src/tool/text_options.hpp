#pragma once

#include <sonde/packet/link_type.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::inline v0::tool {

/// What a text command was asked wrongly: exit status 2.
class text_usage_error : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// How packets are written.
enum class text_style { show, json, command, summary, hex };

/// The words after build, dissect and match.
struct text_options {
    text_style style = text_style::show;
    std::optional<link_type> link;
    std::uint64_t limit = 1'000'000;  ///< packets of one expression
    std::string file;                 ///< of -r; empty: none
    bool relaxed = false;
    bool help = false;
    std::vector<std::string> rest;  ///< expressions, or hexadecimal
};

/// `known`: the options that the command has, with blanks around each: " --json --link ". Throws
/// text_usage_error.
text_options parse_text_options(std::vector<std::string> const& words, std::string_view known);

}  // namespace sonde::inline v0::tool
