#include <sonde/layers/ipv6.hpp>

#include "summary.hpp"

#include <fmt/format.h>

namespace sonde {
namespace {

void prepare(build_step& step) {
    if (step.view().get<&IPv6::dst>().is_loopback()) step.fill<&IPv6::src>(1);
    // RFC 4861 §6, 7: neighbour discovery with any other hop limit is not accepted.
    if (auto upper = step.view().upper(); upper && upper.description().name.starts_with("ICMPv6ND_"))
        step.fill<&IPv6::hlim>(255);
}

void finish(build_step& step) {
    auto size = step.payload().size();
    if (step.is_automatic<&IPv6::plen>() && size > 0xffff)
        throw error(errc::value_out_of_range, fmt::format("IPv6 plen {}, at most 65535", size));
    step.fill<&IPv6::plen>(size);
}

void follow(dissect_step& step) {
    auto length = std::size_t(step.view.get<&IPv6::plen>());
    bool jumbo = length == 0 && step.view.get<&IPv6::nh>() == 0;  // RFC 2675: the hop-by-hop header tells
    if (!jumbo) step.limit = length;
}

match_verdict answers(layer_view const& reply, layer_view const& sent) {
    if (!reply.has<&IPv6::dst>()) return match_verdict::mismatch("ipv6 header cut short");
    if (auto got = reply.get<&IPv6::dst>(), ours = sent.get<&IPv6::src>(); got != ours)
        return match_verdict::mismatch(
            fmt::format("ipv6 dst {}, expected {}", got.to_string(), ours.to_string()));
    auto target = sent.get<&IPv6::dst>();
    if (auto got = reply.get<&IPv6::src>(); got != target && !target.is_multicast() && !sent.packet().to_many)
        return match_verdict::mismatch(
            fmt::format("ipv6 src {}, expected {}", got.to_string(), target.to_string()));
    if (auto got = reply.get<&IPv6::nh>(), asked = sent.get<&IPv6::nh>(); got != asked)
        return match_verdict::mismatch(
            fmt::format("ipv6 nh {}, expected {}", unsigned(got), unsigned(asked)));
    return match_verdict::payload();
}

void key(layer_view const& v, key_builder& k) {
    k.add(0x86dd);
    k.add(v.get<&IPv6::nh>());
    auto source = value_traits<ipv6>::to_wire(v.get<&IPv6::src>());
    auto destination = value_traits<ipv6>::to_wire(v.get<&IPv6::dst>());
    if (k.is_any_source())
        k.add(k.is_reply() ? destination : source);
    else
        k.add_ends(source, destination);
}

void summarize(layer_view const& v, std::string& out) {
    out += fmt::format("{} > {} ({})", detail::shown<&IPv6::src>(v), detail::shown<&IPv6::dst>(v),
                       unsigned(v.get<&IPv6::nh>()));
}

}  // namespace

layer_hooks hooks(IPv6 const*) {
    return {.prepare = prepare,
            .finish = finish,
            .follow = follow,
            .answers = answers,
            .key = key,
            .summarize = summarize};
}

}  // namespace sonde
