#include <sonde/layers/ether.hpp>

#include "summary.hpp"

#include <fmt/format.h>

namespace sonde::inline v0 {
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

template <class Tag>
match_verdict tag_answers(layer_view const& reply, layer_view const& sent) {
    auto got = reply.get<&Tag::vlan>(), expected = sent.get<&Tag::vlan>();
    if (got != expected) return match_verdict::mismatch(fmt::format("vlan {}, expected {}", got, expected));
    return match_verdict::payload();
}

/// A small type is a length, as in 802.3.
void follow_tag(dissect_step& step) {
    constexpr unsigned longest = 1500;
    unsigned type = static_cast<unsigned>(step.view.is<Dot1AD>() ? step.view.get<&Dot1AD::type>()
                                                                 : step.view.get<&Dot1Q::type>());
    if (type > longest) return;
    step.limit = type;
    step.next = &describe<LLC>();
}

// --- IEEE 802.3 ----------------------------------------------------------------------------------------

constexpr field_rule llc_rules[] = {{.field = "dsap", .hexadecimal = true},
                                    {.field = "ssap", .hexadecimal = true}};
std::string show_oui(std::string, literal const& value, std::span<std::byte const>) {
    auto const* n = value.as<std::uint64_t>();
    return n ? fmt::format("{:02x}:{:02x}:{:02x}", *n >> 16 & 255, *n >> 8 & 255, *n & 255)
             : to_python(value);
}
constexpr field_rule snap_rules[] = {{.field = "OUI", .hexadecimal = true, .show = show_oui},
                                     {.field = "code", .hexadecimal = true}};
constexpr std::uint8_t snap_sap = 0xaa, unnumbered_information = 3;

void summarize_dot3(layer_view const& v, std::string& out) {
    out += fmt::format("802.3 {} > {}", detail::shown<&Dot3::src>(v), detail::shown<&Dot3::dst>(v));
}
void finish_dot3(build_step& step) {
    step.fill<&Dot3::len>(step.payload().size());
}
void follow_dot3(dissect_step& step) {
    step.limit = step.view.get<&Dot3::len>();
    step.next = &describe<LLC>();
}
void prepare_llc(build_step& step) {
    if (!step.view().upper().is<SNAP>()) return;
    step.fill<&LLC::dsap>(snap_sap);
    step.fill<&LLC::ssap>(snap_sap);
    step.fill<&LLC::ctrl>(unnumbered_information);
}
void follow_llc(dissect_step& step) {
    bool snap = step.view.get<&LLC::dsap>() == snap_sap && step.view.get<&LLC::ssap>() == snap_sap &&
                step.view.get<&LLC::ctrl>() == unnumbered_information;
    step.next = snap ? &describe<SNAP>() : nullptr;
}

}  // namespace

layer_hooks hooks(Ether const*) {
    return {.title = "Ethernet", .is_link = true, .rules = ether_rules, .summarize = summarize_ether};
}

layer_hooks hooks(Dot1Q const*) {
    return {.title = "802.1Q",
            .is_link = true,
            .rules = ether_rules,
            .follow = follow_tag,
            .answers = tag_answers<Dot1Q>,
            .summarize = summarize_dot1q};
}

layer_hooks hooks(Dot1AD const*) {
    return {.title = "802_1AD",
            .is_link = true,
            .rules = ether_rules,
            .follow = follow_tag,
            .answers = tag_answers<Dot1AD>};
}
layer_hooks hooks(Dot3 const*) {
    return {.title = "802.3",
            .is_link = true,
            .finish = finish_dot3,
            .follow = follow_dot3,
            .summarize = summarize_dot3};
}
layer_hooks hooks(LLC const*) {
    return {.is_link = true, .rules = llc_rules, .prepare = prepare_llc, .follow = follow_llc};
}
layer_hooks hooks(SNAP const*) {
    return {.is_link = true, .rules = snap_rules};
}

}  // namespace sonde::inline v0
