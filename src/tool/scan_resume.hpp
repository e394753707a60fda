#pragma once

#include "tool/scan_output.hpp"

#include <sonde/tools/scan_plan.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace sonde::inline v0::tool {

/// How far a scan came: what its resume file holds. A trailing part of the output that this does not know of
/// is cut off when the scan goes on, so that each result is in it once, however the scan was ended.
struct scan_checkpoint {
    std::uint64_t seed = 0, fingerprint = 0;
    std::string shard = "1/1";
    std::uint64_t output = 0;  ///< bytes of the output file
    bool complete = false;
    tools::positions done{};
};

/// Nothing when there is no such file. Throws bad_file that names it when it is something else.
std::optional<scan_checkpoint> read_checkpoint(std::string const& path);
/// Replaces the file as a whole: whoever reads it finds this one or the last. Throws system_error.
void write_checkpoint(std::string const& path, scan_checkpoint const& c);

}  // namespace sonde::inline v0::tool
