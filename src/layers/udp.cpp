#include "transport.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tunnels.hpp>
#include <sonde/layers/udp.hpp>

#include "services.hpp"
#include "summary.hpp"

#include <fmt/format.h>

namespace sonde::inline v0 {
namespace {

constexpr field_rule rules[] = {
    {.field = "sport", .identity = identity_part::port, .quoted = true, .names = detail::udp_services},
    {.field = "dport", .quoted = true, .names = detail::udp_services},
    {.field = "chksum", .hexadecimal = true}};

void finish(build_step& step) {
    auto size = step.header().size() + step.payload().size();
    step.fill<&UDP::len>(size);
    if (!step.is_automatic<&UDP::chksum>()) return;
    step.fill<&UDP::chksum>(0);
    if (auto sum = detail::transport_checksum(step.view(), 17)) step.fill<&UDP::chksum>(*sum ? *sum : 0xffff);
}

void follow(dissect_step& step) {
    if (auto length = std::size_t(step.view.get<&UDP::len>()); length >= 8) step.limit = length - 8;
}

/// Both ends of a tunnel send to its port, each from one of its own (RFC 7348 §5).
bool is_tunnel(layer_view const& udp) {
    return udp.upper().is<VXLAN>();
}
match_verdict tunnel_answers(layer_view const& reply, layer_view const& sent) {
    if (auto got = reply.get<&UDP::dport>(), ours = sent.get<&UDP::dport>(); got != ours)
        return match_verdict::mismatch(fmt::format("udp dport {}, expected {}", got, ours));
    return match_verdict::payload();
}

match_verdict answers(layer_view const& reply, layer_view const& sent) {
    if (!reply.has<&UDP::chksum>()) return match_verdict::mismatch("udp header cut short");
    if (auto length = reply.get<&UDP::len>(); length < 8 && !(length == 0 && reply.lower().is<IPv6>()))
        return match_verdict::mismatch(fmt::format("udp len {}, at least 8", length));
    if (is_tunnel(sent)) return tunnel_answers(reply, sent);
    if (auto got = reply.get<&UDP::sport>(), asked = sent.get<&UDP::dport>();
        got != asked && !sent.packet().relaxed)
        return match_verdict::mismatch(fmt::format("udp sport {}, expected {}", got, asked));
    if (auto got = reply.get<&UDP::dport>(), ours = sent.get<&UDP::sport>(); got != ours)
        return match_verdict::mismatch(fmt::format("udp dport {}, expected {}", got, ours));
    return match_verdict::payload();
}

void key(layer_view const& v, key_builder& k) {
    if (is_tunnel(v))
        k.add(v.get<&UDP::dport>());
    else if (k.is_relaxed())
        k.add(k.is_reply() ? v.get<&UDP::dport>() : v.get<&UDP::sport>());
    else
        k.add_ends(v.get<&UDP::sport>(), v.get<&UDP::dport>());
}

void summarize(layer_view const& v, std::string& out) {
    out += "UDP " + detail::shown_ends(v, detail::shown<&UDP::sport>(v), detail::shown<&UDP::dport>(v));
}

}  // namespace

layer_hooks hooks(UDP const*) {
    return {.rules = rules,
            .finish = finish,
            .checksum = detail::transport_checksum_rule<&UDP::chksum, true>,
            .follow = follow,
            .answers = answers,
            .key = key,
            .summarize = summarize};
}

}  // namespace sonde::inline v0
