#include <sonde/layers/ether.hpp>

#include <fmt/format.h>

namespace sonde {
namespace {

constexpr field_rule ether_rules[] = {{.field = "type", .hexadecimal = true}};

void summarize_ether(layer_view const& v, std::string& out) {
    // Scapy names the addresses only when nothing above does.
    if (v.upper() && !v.upper().is<Raw>()) {
        out += "Ether";
        return;
    }
    fmt::format_to(std::back_inserter(out), "{} > {} ({:#06x})", v.get<&Ether::src>().to_string(),
                   v.get<&Ether::dst>().to_string(), v.value(field_index<&Ether::type>).low);
}

match_verdict dot1q_answers(layer_view const& reply, layer_view const& sent) {
    auto got = reply.get<&Dot1Q::vlan>(), expected = sent.get<&Dot1Q::vlan>();
    if (got != expected) return match_verdict::mismatch(fmt::format("vlan {}, expected {}", got, expected));
    return match_verdict::payload();
}

}  // namespace

layer_hooks hooks(Ether const*) {
    return {.title = "Ethernet", .rules = ether_rules, .summarize = summarize_ether};
}

layer_hooks hooks(Dot1Q const*) {
    return {.title = "802.1Q", .rules = ether_rules, .answers = dot1q_answers};
}

}  // namespace sonde
