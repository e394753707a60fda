#include <sonde/layers/ether.hpp>

#include "summary.hpp"

#include <fmt/format.h>

namespace sonde {
namespace {

constexpr field_rule ether_rules[] = {{.field = "type", .hexadecimal = true}};

std::string ends(layer_view const& ether) {
    return fmt::format("{} > {}", detail::shown<&Ether::src>(ether), detail::shown<&Ether::dst>(ether));
}

void summarize_ether(layer_view const& v, std::string& out) {
    out += fmt::format("{} ({})", ends(v), detail::shown<&Ether::type>(v));
}

void summarize_dot1q(layer_view const& v, std::string& out) {
    out += fmt::format("802.1q {}({}) vlan {}", v.lower().is<Ether>() ? ends(v.lower()) + " " : "",
                       detail::shown<&Dot1Q::type>(v), detail::shown<&Dot1Q::vlan>(v));
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
    return {.title = "802.1Q", .rules = ether_rules, .answers = dot1q_answers, .summarize = summarize_dot1q};
}

}  // namespace sonde
