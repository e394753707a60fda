#pragma once

#include "tool/options.hpp"
#include "tool/scan_resume.hpp"

#include <sonde/tools/scan.hpp>

namespace sonde::inline v0::tool {

/// A scan as it was asked for: what is sent, how, and where it goes on.
struct scan_job {
    tools::scan_plan plan;
    scan_identity identity;
    scan_checkpoint from;
    bool goes_on = false;
    tools::scan_options options;
};

/// `command`: the words that it was asked with. Throws usage_error.
scan_job prepare_scan(arguments const& a, address_set const& targets,
                      std::vector<std::string> const& command);

}  // namespace sonde::inline v0::tool
