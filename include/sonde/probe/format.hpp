#pragma once

#include <sonde/probe/report.hpp>

#if __has_include(<fmt/base.h>)
#include <fmt/base.h>
#else
#include <fmt/core.h>
#endif

/// `{}` prints what Scapy prints after sr(): "Received 771 packets, got 768 answers, remaining 0 packets".
/// Its "received" counts every packet that came in, answers included.
template <>
struct SONDE_API fmt::formatter<sonde::report> {
    /// There are no format options.
    constexpr auto parse(format_parse_context& context) { return context.begin(); }
    /// As text; see above.
    auto format(sonde::report const& value, format_context& context) const -> format_context::iterator;
};

/// `{}` prints what Scapy prints after srloop(): "Sent 3 packets, received 3 packets. 100.0% hits."
template <>
struct SONDE_API fmt::formatter<sonde::loop_report> {
    /// There are no format options.
    constexpr auto parse(format_parse_context& context) { return context.begin(); }
    /// As text; see above. What it counts are probes, over all rounds, and the answers to them.
    auto format(sonde::loop_report const& value, format_context& context) const -> format_context::iterator;
};
