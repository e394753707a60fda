#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ipv6.hpp>

#include "icmp_extensions.hpp"
#include "icmpv6_message.hpp"
#include "ipv6_chain.hpp"
#include "summary.hpp"

#include <fmt/format.h>

namespace sonde::inline v0 {
namespace {

using detail::finish_icmpv6;
constexpr value_name unreachable_codes[] = {{0, "No route to destination"},
                                            {1, "Communication with destination administratively prohibited"},
                                            {2, "Beyond scope of source address"},
                                            {3, "Address unreachable"},
                                            {4, "Port unreachable"}};
constexpr value_name exceeded_codes[] = {{0, "hop limit exceeded in transit"},
                                         {1, "fragment reassembly time exceeded"}};
constexpr value_name problem_codes[] = {{0, "erroneous header field encountered"},
                                        {1, "unrecognized Next Header type encountered"},
                                        {2, "unrecognized IPv6 option encountered"},
                                        {3, "first fragment has incomplete header chain"}};
constexpr field_rule unreachable_rules[] = {{.field = "code", .names = unreachable_codes},
                                            {.field = "cksum", .hexadecimal = true},
                                            {.field = "unused", .hexadecimal = true}};
constexpr field_rule exceeded_rules[] = {{.field = "code", .names = exceeded_codes},
                                         {.field = "cksum", .hexadecimal = true},
                                         {.field = "unused", .hexadecimal = true}};
constexpr field_rule problem_rules[] = {{.field = "code", .names = problem_codes},
                                        {.field = "cksum", .hexadecimal = true}};
constexpr field_rule unknown_rules[] = {{.field = "type", .names = icmpv6_types::names},
                                        {.field = "cksum", .hexadecimal = true}};
constexpr field_rule echo_rules[] = {
    {.field = "type", .quoted = true},
    {.field = "code", .quoted = true},
    {.field = "cksum", .hexadecimal = true},
    {.field = "id", .identity = identity_part::id, .hexadecimal = true, .quoted = true},
    {.field = "seq", .identity = identity_part::sequence, .hexadecimal = true, .quoted = true}};
constexpr field_rule advertisement_rules[] = {{.field = "cksum", .hexadecimal = true},
                                              {.field = "res", .hexadecimal = true}};
constexpr field_rule solicitation_rules[] = {{.field = "type", .quoted = true},
                                             {.field = "cksum", .hexadecimal = true},
                                             {.field = "tgt", .quoted = true}};

void quote(dissect_step& step) {
    step.next = &describe<IPv6>();
    step.next_is_quoted = true;
}

/// The same, where extensions may follow (RFC 4884 §4.2).
template <class M>
void quote_and_extensions(dissect_step& step) {
    quote(step);
    detail::bound_quote(step, 8 * step.view.get<&M::length>());
}
template <class M>
void finish_with_extensions(build_step& step) {
    detail::finish_quote_length<&M::length, 8>(step);
    finish_icmpv6<M>(step);
}

/// The field `data` and what lies behind it: on the wire they are one.
std::span<std::byte const> echo_data(layer_view const& v) {
    constexpr std::size_t fixed = 8;
    auto const header = v.header();
    auto const begin = std::min(fixed, header.size());
    return {header.data() + begin, header.size() - begin + v.payload().size()};
}

match_verdict echo_answers(layer_view const& reply, layer_view const& sent) {
    if (!reply.is<ICMPv6EchoReply>()) return match_verdict::mismatch("icmpv6 echo reply expected");
    if (!reply.has<&ICMPv6EchoReply::seq>() || !sent.has<&ICMPv6EchoRequest::seq>())
        return match_verdict::mismatch("icmpv6 header cut short");
    if (auto id = reply.get<&ICMPv6EchoReply::id>(), ours = sent.get<&ICMPv6EchoRequest::id>(); id != ours)
        return match_verdict::mismatch(fmt::format("icmpv6 id {}, expected {}", id, ours));
    if (auto seq = reply.get<&ICMPv6EchoReply::seq>(), ours = sent.get<&ICMPv6EchoRequest::seq>();
        seq != ours)
        return match_verdict::mismatch(fmt::format("icmpv6 seq {}, expected {}", seq, ours));
    if (auto size = echo_data(reply).size(), ours = echo_data(sent).size();
        size != ours && !sent.packet().relaxed)
        return match_verdict::mismatch(fmt::format("icmpv6 echo data of {} bytes, expected {}", size, ours));
    if (!std::ranges::equal(echo_data(reply), echo_data(sent)) && !sent.packet().relaxed)
        return match_verdict::mismatch("icmpv6 echo data changed (RFC 4443 section 4.2)");
    return match_verdict::match();
}

/// RFC 4861 §7.1.2: hop limit 255, code 0, options of a length; to a group goes what was not solicited.
match_verdict solicitation_answers(layer_view const& reply, layer_view const& sent) {
    if (!reply.is<ICMPv6ND_NA>()) return match_verdict::mismatch("neighbour advertisement expected");
    if (!reply.has<&ICMPv6ND_NA::tgt>()) return match_verdict::mismatch("icmpv6 header cut short");
    if (auto tgt = reply.get<&ICMPv6ND_NA::tgt>(), asked = sent.get<&ICMPv6ND_NS::tgt>(); tgt != asked)
        return match_verdict::mismatch(
            fmt::format("nd target {}, expected {}", tgt.to_string(), asked.to_string()));
    auto ip = detail::below_extensions(reply.lower());
    if (auto to = ip.is<IPv6>() ? ip.get<&IPv6::dst>() : ipv6();
        to.is_multicast() && reply.get<&ICMPv6ND_NA::S>())
        return match_verdict::mismatch(
            fmt::format("nd advertisement to group {} says that it was solicited", to.to_string()));
    return detail::nd_validity(reply);
}

void echo_key(layer_view const& v, key_builder& k) {
    k.add(128);
    k.add(v.get<&ICMPv6EchoRequest::id>());
    k.add(v.get<&ICMPv6EchoRequest::seq>());
}

template <class M>
void target_key(layer_view const& v, key_builder& k) {
    k.add(135);
    k.add(value_traits<ipv6>::to_wire(v.get<&M::tgt>()));
}

/// A link-layer address of another length than Ethernet's is not this layer.
std::size_t address_option_length(std::span<std::byte const> bytes) {
    return detail::nd_option_length(bytes) == 8 ? 8 : 0;
}

void finish_option(build_step& step) {
    step.fill<&ICMPv6NDOptUnknown::len>((step.header().size() + 7) / 8);
}

void summarize_echo(layer_view const& v, std::string& out) {
    out += fmt::format("{} (id: {} seq: {})", v.description().title(),
                       detail::shown<&ICMPv6EchoRequest::id>(v), detail::shown<&ICMPv6EchoRequest::seq>(v));
}

template <class M>
void summarize_target(layer_view const& v, std::string& out) {
    out += fmt::format("{} (tgt: {})", v.description().title(), detail::shown<&M::tgt>(v));
}

template <class Option>
void summarize_address(layer_view const& v, std::string& out) {
    out += fmt::format("{} {}", v.description().title(), detail::shown<&Option::lladdr>(v));
}

template <class M>
layer_hooks error_message(std::string_view title, std::span<field_rule const> rules = detail::icmpv6_rules) {
    auto h = detail::icmpv6_message<M>(title, rules);
    h.follow = quote;
    if constexpr (requires { &M::length; })
        h.finish = finish_with_extensions<M>, h.follow = quote_and_extensions<M>;
    return h;
}

/// Options of any kind, whole.
bool are_options(std::span<std::byte const> bytes) {
    while (!bytes.empty()) {
        auto length = detail::nd_option_length(bytes);
        if (length == 0 || length > bytes.size()) return false;
        bytes = bytes.subspan(length);
    }
    return true;
}

}  // namespace

match_verdict detail::no_icmpv6_answer(layer_view const&, layer_view const& sent) {
    return match_verdict::mismatch(std::string(sent.description().name) + " has no answer");
}

match_verdict detail::nd_validity(layer_view const& message) {
    if (auto ip = detail::below_extensions(message.lower()); ip.is<IPv6>() && ip.get<&IPv6::hlim>() != 255)
        return match_verdict::mismatch(fmt::format("nd hop limit {}, expected 255", ip.get<&IPv6::hlim>()));
    // All of these messages have it there.
    if (auto code = std::to_integer<unsigned>(message.header()[1]); code != 0)
        return match_verdict::mismatch(fmt::format("nd code {}, expected 0", code));
    for (auto option = message.upper(); option; option = option.upper())
        if (option.is<Raw>() && !are_options(option.header()))
            return match_verdict::mismatch("nd option of length 0, or cut short");
    return match_verdict::match();
}

std::size_t detail::nd_option_length(std::span<std::byte const> bytes) {
    return bytes.size() < 2 ? 0 : 8 * std::to_integer<std::size_t>(bytes[1]);
}

layer_hooks hooks(ICMPv6DestUnreach const*) {
    return error_message<ICMPv6DestUnreach>("ICMPv6 Destination Unreachable", unreachable_rules);
}
layer_hooks hooks(ICMPv6PacketTooBig const*) {
    return error_message<ICMPv6PacketTooBig>("ICMPv6 Packet Too Big");
}
layer_hooks hooks(ICMPv6TimeExceeded const*) {
    return error_message<ICMPv6TimeExceeded>("ICMPv6 Time Exceeded", exceeded_rules);
}
layer_hooks hooks(ICMPv6ParamProblem const*) {
    return error_message<ICMPv6ParamProblem>("ICMPv6 Parameter Problem", problem_rules);
}
layer_hooks hooks(ICMPv6Unknown const*) {
    return detail::icmpv6_message<ICMPv6Unknown>("Scapy6 ICMPv6 fallback class", unknown_rules);
}

layer_hooks hooks(ICMPv6EchoRequest const*) {
    return {.title = "ICMPv6 Echo Request",
            .rules = echo_rules,
            .finish = finish_icmpv6<ICMPv6EchoRequest>,
            .checksum = detail::transport_checksum_rule<&ICMPv6EchoRequest::cksum>,
            .answers = echo_answers,
            .key = echo_key,
            .summarize = summarize_echo};
}
layer_hooks hooks(ICMPv6EchoReply const*) {
    return {.title = "ICMPv6 Echo Reply",
            .rules = echo_rules,
            .finish = finish_icmpv6<ICMPv6EchoReply>,
            .answers = detail::no_icmpv6_answer,
            .key = echo_key,
            .summarize = summarize_echo};
}
layer_hooks hooks(ICMPv6ND_NS const*) {
    return {.title = "ICMPv6 Neighbor Discovery - Neighbor Solicitation",
            .rules = solicitation_rules,
            .finish = finish_icmpv6<ICMPv6ND_NS>,
            .checksum = detail::transport_checksum_rule<&ICMPv6ND_NS::cksum>,
            .answers = solicitation_answers,
            .key = target_key<ICMPv6ND_NS>,
            .summarize = summarize_target<ICMPv6ND_NS>};
}
layer_hooks hooks(ICMPv6ND_NA const*) {
    return {.title = "ICMPv6 Neighbor Discovery - Neighbor Advertisement",
            .rules = advertisement_rules,
            .finish = finish_icmpv6<ICMPv6ND_NA>,
            .answers = detail::no_icmpv6_answer,
            .key = target_key<ICMPv6ND_NA>,
            .summarize = summarize_target<ICMPv6ND_NA>};
}
layer_hooks hooks(ICMPv6NDOptSrcLLAddr const*) {
    return {.title = "ICMPv6 Neighbor Discovery Option - Source Link-Layer Address",
            .header_length = address_option_length,
            .summarize = summarize_address<ICMPv6NDOptSrcLLAddr>};
}
layer_hooks hooks(ICMPv6NDOptDstLLAddr const*) {
    return {.title = "ICMPv6 Neighbor Discovery Option - Destination Link-Layer Address",
            .header_length = address_option_length,
            .summarize = summarize_address<ICMPv6NDOptDstLLAddr>};
}
layer_hooks hooks(ICMPv6NDOptUnknown const*) {
    return {.title = "ICMPv6 Neighbor Discovery Option - Scapy Unimplemented",
            .header_length = detail::nd_option_length,
            .finish = finish_option};
}

}  // namespace sonde::inline v0
