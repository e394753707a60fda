#include "summary.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>

#include <fmt/format.h>

namespace sonde::detail {
namespace {

std::string service(std::uint16_t port) {
    for (auto const& s : services)
        if (s.value == port) return std::string(s.name);
    return std::to_string(port);
}

}  // namespace

void summarize_ends(layer_view const& v, std::uint16_t source, std::uint16_t destination, std::string& out) {
    auto to = std::back_inserter(out);
    auto lower = v.lower();
    if (lower.is<IP>())
        fmt::format_to(to, "{}:{} > {}:{}", lower.get<&IP::src>().to_string(), service(source),
                       lower.get<&IP::dst>().to_string(), service(destination));
    else if (lower.is<IPv6>())
        fmt::format_to(to, "{}:{} > {}:{}", lower.get<&IPv6::src>().to_string(), service(source),
                       lower.get<&IPv6::dst>().to_string(), service(destination));
    else
        fmt::format_to(to, "{} > {}", service(source), service(destination));
}

void summarize_addresses(layer_view const& v, std::string& out) {
    auto to = std::back_inserter(out);
    auto lower = v.lower();
    if (lower.is<IP>())
        fmt::format_to(to, "{} > {} ", lower.get<&IP::src>().to_string(), lower.get<&IP::dst>().to_string());
    else if (lower.is<IPv6>())
        fmt::format_to(to, "{} > {} ", lower.get<&IPv6::src>().to_string(),
                       lower.get<&IPv6::dst>().to_string());
}

}  // namespace sonde::detail
