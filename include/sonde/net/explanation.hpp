#pragma once

#include <sonde/packet/format.hpp>
#include <sonde/packet/packet.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

SONDE_NAMESPACE_BEGIN

/// What the network made of a packet that came in, and why. A value that owns the packet.
class explanation {
public:
    /// What a packet can be to the network.
    enum class kind : std::uint8_t {
        matched,    ///< an answer
        duplicate,  ///< a further answer to a probe that has had its answer
        late,       ///< an answer to a probe that had timed out
        unrelated,  ///< it answers no probe of this network
        malformed,  ///< it could not be read, or was damaged on the way
    };

    explanation() {}
    /// `received`, `what` and `reason`.
    explanation(packet p, kind what_, std::string why)
        : received(std::move(p)), what(what_), reason(std::move(why)) {}

    packet received;              ///< from its link layer on
    kind what = kind::unrelated;  ///< what it was taken for
    std::string reason;           ///< "probe 3, attempt 1", "tcp ack 103, expected 101"
};

SONDE_NAMESPACE_END

/// Its name: "matched", "duplicate" …; takes the format options of a string.
template <>
struct SONDE_API fmt::formatter<sonde::explanation::kind> : fmt::formatter<std::string_view> {
    /// As text; see above.
    auto format(sonde::explanation::kind value, format_context& context) const -> format_context::iterator;
};

/// `{}`: "unrelated IP / TCP 198.18.0.1:http > …: tcp ack 103, expected 101".
template <>
struct SONDE_API fmt::formatter<sonde::explanation> {
    /// There are no format options.
    constexpr auto parse(format_parse_context& context) { return context.begin(); }
    /// As text; see above.
    auto format(sonde::explanation const& value, format_context& context) const -> format_context::iterator;
};
