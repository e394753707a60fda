#include <sonde/probe/format.hpp>

#include <fmt/format.h>

auto fmt::formatter<sonde::report>::format(sonde::report const& value, format_context& context) const
    -> format_context::iterator {
    return fmt::format_to(context.out(), "Received {} packets, got {} answers, remaining {} packets",
                          value.received, value.answered, value.remaining);
}

auto fmt::formatter<sonde::loop_report>::format(sonde::loop_report const& value,
                                                format_context& context) const -> format_context::iterator {
    auto answered = value.answered;
    double hits =
        value.rounds == 0 ? 0 : 100 * static_cast<double>(answered) / static_cast<double>(value.rounds);
    return fmt::format_to(context.out(), "Sent {} packets, received {} packets. {:3.1f}% hits.", value.rounds,
                          answered, hits);
}
