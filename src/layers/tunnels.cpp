#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tunnels.hpp>
#include <sonde/packet/checksum.hpp>

#include "summary.hpp"

#include <fmt/format.h>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;

bool bit(header h, unsigned mask) {
    return !h.empty() && (std::to_integer<unsigned>(h[0]) & mask) != 0;
}

// --- GRE ---------------------------------------------------------------------------------------------

constexpr unsigned checksum_or_routing = 0xc0, has_key = 0x20, has_sequence = 0x10;

constexpr field_rule gre_rules[] = {
    {.field = "proto", .hexadecimal = true},
    {.field = "chksum", .hexadecimal = true, .present = [](header h) { return bit(h, checksum_or_routing); }},
    {.field = "offset", .hexadecimal = true, .present = [](header h) { return bit(h, checksum_or_routing); }},
    {.field = "key", .hexadecimal = true, .present = [](header h) { return bit(h, has_key); }},
    {.field = "sequence_number", .hexadecimal = true, .present = [](header h) {
         return bit(h, has_sequence);
     }}};

std::size_t gre_length(header h) {
    return 4u + 4u * bit(h, checksum_or_routing) + 4u * bit(h, has_key) + 4u * bit(h, has_sequence);
}

void finish_gre(build_step& step) {
    if (!step.is_automatic<&GRE::chksum>() || step.view().get<&GRE::chksum_present>() == 0) return;
    step.fill<&GRE::chksum>(0);
    internet_checksum sum;
    auto const all = step.view();
    sum.add(all.packet().bytes.subspan(all.span().begin, all.span().size() + all.payload().size()));
    step.fill<&GRE::chksum>(sum.finish());
}

/// Its place depends on the flags: only without one they all are alike.
checksum_rule gre_checksum(layer_view const& gre) {
    if (gre.get<&GRE::chksum_present>() != 0) return {};
    return {.sums = checksum_rule::over::nothing, .fixed_octets = 1};
}

// --- VXLAN -------------------------------------------------------------------------------------------

constexpr unsigned next_protocol = 4, instance = 8, group_policy = 0x80;
enum carried : std::uint8_t { unknown_inside, ipv4_inside = 1, ipv6_inside = 2, ethernet_inside = 3 };

/// Joined by `+`, as Scapy's are: the entry without a name says so, for each of the names is but a letter.
constexpr value_name policy_flags[] = {{0, ""},   {1, "R"},  {2, "R"},  {4, "R"},  {8, "A"},
                                       {16, "R"}, {32, "R"}, {64, "D"}, {128, "R"}};

constexpr field_rule vxlan_rules[] = {
    {.field = "reserved0", .present = [](header h) { return bit(h, next_protocol); }},
    {.field = "NextProtocol", .present = [](header h) { return bit(h, next_protocol); }},
    {.field = "reserved1", .present = [](header h) { return !bit(h, next_protocol | group_policy); }},
    {.field = "gpflags",
     .present = [](header h) { return bit(h, group_policy) && !bit(h, next_protocol); },
     .names = policy_flags},
    {.field = "gpid", .present = [](header h) { return bit(h, group_policy) && !bit(h, next_protocol); }},
    {.field = "vni", .hexadecimal = true},
    {.field = "reserved2", .hexadecimal = true}};

/// The next protocol takes the last of the reserved bytes.
void prepare_vxlan(build_step& step) {
    auto upper = step.view().upper();
    auto inside = upper.is<Ether>()  ? ethernet_inside
                  : upper.is<IP>()   ? ipv4_inside
                  : upper.is<IPv6>() ? ipv6_inside
                                     : unknown_inside;
    if (inside == unknown_inside) return;
    bool const told = bit(step.header(), next_protocol) && step.is_automatic<&VXLAN::NextProtocol>();
    if (!told && !step.is_automatic<&VXLAN::flags>()) return;
    if (!told) step.fill<&VXLAN::flags>(instance | next_protocol);
    step.header()[3] = static_cast<std::byte>(inside);
}

void follow_vxlan(dissect_step& step) {
    auto h = step.view.header();
    auto inside = bit(h, next_protocol) ? std::to_integer<unsigned>(h[3]) : 0;
    step.next = inside == ipv4_inside                      ? &describe<IP>()
                : inside == ipv6_inside                    ? &describe<IPv6>()
                : inside == 0 || inside == ethernet_inside ? &describe<Ether>()
                                                           : nullptr;
}

match_verdict vxlan_answers(layer_view const& reply, layer_view const& sent) {
    if (!reply.has<&VXLAN::vni>()) return match_verdict::mismatch("vxlan header cut short");
    if (auto got = reply.get<&VXLAN::vni>(), ours = sent.get<&VXLAN::vni>(); got != ours)
        return match_verdict::mismatch(fmt::format("vxlan vni {:#x}, expected {:#x}", got, ours));
    return match_verdict::payload();
}

// --- MPLS: a link layer, as labels are of one way (RFC 3031 §3.16) -----------------------------------

/// A stack that has no bottom is none.
std::size_t mpls_length(header h) {
    constexpr std::size_t label = 4, bottom = 2;  // the octet that says so
    for (std::size_t at = 0; at + label <= h.size(); at += label)
        if ((h[at + bottom] & std::byte(1)) != std::byte(0)) return label;
    return 0;
}

/// Nothing says what follows the bottom of the stack; IP tells itself (RFC 4928 §3).
void follow_mpls(dissect_step& step) {
    if (step.view.get<&MPLS::s>() == 0) {
        step.next = &describe<MPLS>();
        return;
    }
    auto version = step.rest.empty() ? 0 : std::to_integer<unsigned>(step.rest[0]) >> 4;
    step.next = version == 4 ? &describe<IP>() : version == 6 ? &describe<IPv6>() : nullptr;
}

void prepare_mpls(build_step& step) {
    auto upper = step.view().upper();
    if (upper.is<MPLS>()) step.fill<&MPLS::s>(0);
    if (upper.is<IP>()) step.fill<&MPLS::label>(0);
    if (upper.is<IPv6>()) step.fill<&MPLS::label>(2);
}

}  // namespace

layer_hooks hooks(GRE const*) {
    return {.rules = gre_rules, .header_length = gre_length, .finish = finish_gre, .checksum = gre_checksum};
}
layer_hooks hooks(VXLAN const*) {
    return {.rules = vxlan_rules,
            .header_length = [](header) { return std::size_t(8); },
            .prepare = prepare_vxlan,
            .follow = follow_vxlan,
            .answers = vxlan_answers,
            .key = [](layer_view const& v, key_builder& k) { k.add(v.get<&VXLAN::vni>()); },
            .summarize =
                [](layer_view const& v, std::string& out) {
                    out += fmt::format("VXLAN (vni={})", detail::shown<&VXLAN::vni>(v));
                }};
}
layer_hooks hooks(MPLS const*) {
    return {.is_link = true, .header_length = mpls_length, .prepare = prepare_mpls, .follow = follow_mpls};
}

}  // namespace sonde::inline v0
