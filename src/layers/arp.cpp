#include <sonde/layers/arp.hpp>

#include "summary.hpp"

#include <fmt/format.h>

namespace sonde::inline v0 {
namespace {

unsigned hardware_width(std::span<std::byte const> header) {
    return header.size() > 4 ? 8 * std::to_integer<unsigned>(header[4]) : 0;
}
unsigned protocol_width(std::span<std::byte const> header) {
    return header.size() > 5 ? 8 * std::to_integer<unsigned>(header[5]) : 0;
}

constexpr field_rule rules[] = {
    {.field = "hwtype", .hexadecimal = true},    {.field = "ptype", .hexadecimal = true},
    {.field = "hwsrc", .width = hardware_width}, {.field = "psrc", .width = protocol_width},
    {.field = "hwdst", .width = hardware_width}, {.field = "pdst", .width = protocol_width}};

std::size_t header_length(std::span<std::byte const> bytes) {
    return 8 + 2 * (hardware_width(bytes) + protocol_width(bytes)) / 8;
}

/// Nothing is inside an ARP message: what follows it fills up the frame.
void follow(dissect_step& step) {
    step.limit = 0;
}

/// RFC 826: who is asked becomes who answers, and the answer comes to who asked.
match_verdict answers(layer_view const& reply, layer_view const& sent) {
    if (!reply.has<&ARP::pdst>()) return match_verdict::mismatch("arp message cut short");
    auto op = reply.get<&ARP::op>(), expected = sent.get<&ARP::op>();
    if (sent.get<&ARP::op>() % 2 == 0 || op != expected + 1)
        return match_verdict::mismatch(
            fmt::format("arp op {}, expected {}", unsigned(op), unsigned(expected) + 1));
    if (auto psrc = reply.get<&ARP::psrc>(), asked = sent.get<&ARP::pdst>(); psrc != asked)
        return match_verdict::mismatch(
            fmt::format("arp psrc {}, expected {}", psrc.to_string(), asked.to_string()));
    if (auto pdst = reply.get<&ARP::pdst>(), ours = sent.get<&ARP::psrc>();
        pdst != ours && !ours.is_unspecified())
        return match_verdict::mismatch(
            fmt::format("arp pdst {}, expected {}", pdst.to_string(), ours.to_string()));
    if (auto hwsrc = reply.get<&ARP::hwsrc>(); hwsrc.is_group() || hwsrc.is_unspecified())
        return match_verdict::mismatch("arp hwsrc " + hwsrc.to_string() + " is no host's");
    return match_verdict::match();
}

void key(layer_view const& v, key_builder& k) {
    k.add(0x0806);
    k.add((std::uint64_t(v.get<&ARP::op>()) + 1) / 2);
    // Of an address probe (RFC 5227: psrc 0) the answer may go to any address of ours: only who is asked
    // counts.
    k.add(k.is_reply() ? v.get<&ARP::psrc>().value : v.get<&ARP::pdst>().value);
}

void summarize(layer_view const& v, std::string& out) {
    using detail::shown;
    auto psrc = shown<&ARP::psrc>(v), pdst = shown<&ARP::pdst>(v);
    switch (v.get<&ARP::op>()) {
        case 1: out += "ARP who has " + pdst + " says " + psrc; break;
        case 2: out += "ARP is at " + shown<&ARP::hwsrc>(v) + " says " + psrc; break;
        default: out += "ARP " + shown<&ARP::op>(v) + " " + psrc + " > " + pdst;
    }
}

}  // namespace

layer_hooks hooks(ARP const*) {
    return {.rules = rules,
            .header_length = header_length,
            .follow = follow,
            .answers = answers,
            .key = key,
            .summarize = summarize};
}

}  // namespace sonde::inline v0
