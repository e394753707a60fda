#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sonde::inline v0::tool {

/// The text members of a JSON object, in the order of `names`: {"sent":"45…","received":"45…"}. Throws
/// `error` (bad_text) when the text is no such object, or a member is missing or no text.
std::vector<std::string> read_text_members(std::string_view json, std::vector<std::string_view> const& names);

}  // namespace sonde::inline v0::tool
