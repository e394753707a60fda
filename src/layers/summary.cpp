#include "summary.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/packet/text.hpp>

#include <fmt/format.h>

namespace sonde::inline v0::detail {

std::string shown_ends(layer_view const& upper, std::string_view source, std::string_view destination) {
    auto lower = upper.lower();
    std::string from, to;
    if (lower.is<IP>())
        from = shown<&IP::src>(lower), to = shown<&IP::dst>(lower);
    else if (lower.is<IPv6>())
        from = shown<&IPv6::src>(lower), to = shown<&IPv6::dst>(lower);
    auto join = [](std::string const& address, std::string_view port) {
        return address.empty() || port.empty() ? fmt::format("{}{}", address, port)
                                               : fmt::format("{}:{}", address, port);
    };
    auto left = join(from, source), right = join(to, destination);
    return left.empty() ? std::string() : left + " > " + right;
}

}  // namespace sonde::inline v0::detail
