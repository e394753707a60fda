#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/icmpv6_nd.hpp>
#include <sonde/layers/ipv6.hpp>

#include "ipv6_chain.hpp"
#include "summary.hpp"
#include "transport.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sonde::inline v0 {
namespace {

/// Where messages of neighbour discovery (RFC 4861, hop limit 255) and listener discovery (RFC 3810 §5, 1) go
/// unless the user says otherwise.
void set_multicast_defaults(build_step& step) {
    struct entry {
        std::string_view message;
        std::uint8_t hlim;
        std::uint16_t group;  // of ff02::/112; 0: the user says
    };
    constexpr entry entries[] = {{"ICMPv6ND_RS", 255, 2},       {"ICMPv6ND_RA", 255, 1},
                                 {"ICMPv6ND_NS", 255, 1},       {"ICMPv6ND_NA", 255, 1},
                                 {"ICMPv6ND_Redirect", 255, 1}, {"ICMPv6MLQuery", 1, 1},
                                 {"ICMPv6MLReport", 1, 0},      {"ICMPv6MLDone", 1, 2},
                                 {"ICMPv6MLQuery2", 1, 1},      {"ICMPv6MLReport2", 1, 0x16}};
    auto upper = step.view().upper();
    auto e =
        upper ? std::ranges::find(entries, upper.description().name, &entry::message) : std::end(entries);
    if (e == std::end(entries)) return;
    step.fill<&IPv6::hlim>(e->hlim);
    if (e->group) step.fill<&IPv6::dst>(wire_value{0xff02ull << 48, e->group});
}

void prepare(build_step& step) {
    set_multicast_defaults(step);
    if (step.view().get<&IPv6::dst>().is_loopback()) step.fill<&IPv6::src>(1);
}

void finish(build_step& step) {
    step.fill<&IPv6::plen>(step.payload().size());
}

checksum_rule checksum(layer_view const& v) {
    bool follows = v.span().automatic >> field_index<&IPv6::src> & 1;
    return {.sums = follows ? checksum_rule::over::unknown : checksum_rule::over::nothing};
}

void follow(dissect_step& step) {
    auto length = std::size_t(step.view.get<&IPv6::plen>());
    bool jumbo = length == 0 && step.view.get<&IPv6::nh>() == 0;  // RFC 2675: the hop-by-hop header tells
    if (!jumbo) step.limit = length;
    detail::refine_next_header(step);
}

/// Answers that do not go to who asked: what listeners report goes to their groups; routers advertise
/// themselves to all nodes, and so do neighbours to who has no address yet (RFC 4861 §6.2.6, §7.2.4); who
/// asks a group of multicast DNS hears them in the group (RFC 6762 §6).
bool goes_elsewhere(ipv6 to, ipv6 target, layer_view const& sent) {
    if (!to.is_multicast()) return false;
    if (detail::is_listener_discovery(sent)) return true;
    if (!target.is_multicast()) return false;
    auto asks = detail::above_extensions(sent.upper());
    constexpr wire_value all_nodes{0xff02ull << 48, 1};
    if (asks.is<ICMPv6ND_RS>() || (asks.is<ICMPv6ND_NS>() && sent.get<&IPv6::src>().is_unspecified()))
        return value_traits<ipv6>::to_wire(to) == all_nodes;
    return detail::carries_multicast_dns(sent) && to == target;
}

match_verdict answers(layer_view const& reply, layer_view const& sent) {
    if (auto v = detail::ipv6_validity(reply); v.value == match_verdict::no) return v;
    if (detail::is_listener_discovery(sent) != detail::is_listener_discovery(reply))
        return match_verdict::mismatch("listener discovery answers itself only");
    // What is routed on from here is for somebody else.
    auto goes = detail::final_destination(reply), target = detail::final_destination(sent);
    if (auto ours = sent.get<&IPv6::src>(); goes != ours && !goes_elsewhere(goes, target, sent))
        return match_verdict::mismatch(
            fmt::format("ipv6 dst {}, expected {}", goes.to_string(), ours.to_string()));
    if (auto got = reply.get<&IPv6::src>();
        got != target && !detail::is_answered_by_many(sent, target.is_multicast()))
        return match_verdict::mismatch(
            fmt::format("ipv6 src {}, expected {}", got.to_string(), target.to_string()));
    if (auto got = detail::upper_protocol(reply), asked = detail::upper_protocol(sent); got != asked)
        return match_verdict::mismatch(fmt::format("ipv6 nh {}, expected {}", got, asked));
    return match_verdict::payload();
}

void key(layer_view const& v, key_builder& k) {
    k.add(0x86dd);
    k.add(detail::upper_protocol(v));
    if (detail::is_listener_discovery(v)) return;
    if (k.is_any_source()) return;  // as with IP
    k.add_ends(value_traits<ipv6>::to_wire(v.get<&IPv6::src>()),
               value_traits<ipv6>::to_wire(detail::final_destination(v)));
}

void summarize(layer_view const& v, std::string& out) {
    out += fmt::format("{} > {} ({})", detail::shown<&IPv6::src>(v), detail::shown<&IPv6::dst>(v),
                       unsigned(v.get<&IPv6::nh>()));
}

/// A source is one host's (RFC 4291 §2.7). Who has no address yet (§2.5.2) answers nothing but queries for
/// listeners (RFC 3590 §4).
bool may_send(ipv6 const& source, layer_view const& ip) {
    if (source.is_multicast()) return false;
    return !source.is_unspecified() || detail::is_listener_discovery(ip);
}

}  // namespace

match_verdict detail::ipv6_validity(layer_view const& ip) {
    if (auto version = std::to_integer<unsigned>(ip.header()[0]) >> 4; version != 6)
        return match_verdict::mismatch(fmt::format("ipv6 version {}, expected 6", version));
    if (!ip.has<&IPv6::dst>()) return match_verdict::mismatch("ipv6 header cut short");
    if (auto from = ip.get<&IPv6::src>(); !may_send(from, ip))
        return match_verdict::mismatch(fmt::format("ipv6 src {} is no host's", from.to_string()));
    return match_verdict::payload();
}

layer_hooks hooks(IPv6 const*) {
    return {.prepare = prepare,
            .finish = finish,
            .checksum = checksum,
            .follow = follow,
            .answers = answers,
            .key = key,
            .summarize = summarize};
}

}  // namespace sonde::inline v0
