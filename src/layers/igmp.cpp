#include <sonde/layers/igmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/packet/checksum.hpp>

#include "summary.hpp"

#include <fmt/format.h>

namespace sonde {
namespace {

constexpr field_rule rules[] = {{.field = "chksum", .hexadecimal = true}};
constexpr std::size_t size = 8;

/// Version 3 has other types, and longer queries (RFC 3376 §7.1).
std::size_t length(std::span<std::byte const> h) {
    constexpr std::size_t shortest_query3 = 12;
    auto type = h.empty() ? 0 : std::to_integer<unsigned>(h[0]);
    bool known = type == 0x12 || type == 0x16 || type == 0x17 || (type == 0x11 && h.size() < shortest_query3);
    return known ? size : 0;
}

void finish(build_step& step) {
    if (!step.is_automatic<&IGMP::chksum>()) return;
    step.fill<&IGMP::chksum>(0);
    internet_checksum sum;
    auto const all = step.view();
    sum.add(all.packet().bytes.subspan(all.span().begin, all.span().size() + all.payload().size()));
    step.fill<&IGMP::chksum>(sum.finish());
}

void summarize(layer_view const& v, std::string& out) {
    auto ip = v.lower();
    out += "IGMP";
    if (ip.is<IP>())
        out += fmt::format(": {} > {}", detail::shown<&IP::src>(ip), detail::shown<&IP::dst>(ip));
    out += fmt::format(" {} {}", detail::shown<&IGMP::type>(v), detail::shown<&IGMP::gaddr>(v));
}

}  // namespace

layer_hooks hooks(IGMP const*) {
    return {.rules = rules, .header_length = length, .finish = finish, .summarize = summarize};
}

}  // namespace sonde
