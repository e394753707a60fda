#pragma once

#include <sonde/layers/icmpv6.hpp>

#include "transport.hpp"

// What ICMPv6 messages share.
namespace sonde::inline v0::detail {

inline constexpr field_rule icmpv6_rules[] = {{.field = "cksum", .hexadecimal = true}};

/// The checksum over the message and the IPv6 pseudo header (RFC 4443 §2.3).
template <class Message>
void finish_icmpv6(build_step& step) {
    if (!step.is_automatic<&Message::cksum>()) return;
    step.fill<&Message::cksum>(0);
    if (auto sum = transport_checksum(step.view(), 58)) step.fill<&Message::cksum>(*sum);
}

/// For messages that ask nothing.
match_verdict no_icmpv6_answer(layer_view const& reply, layer_view const& sent);

template <class Message>
layer_hooks icmpv6_message(std::string_view title, std::span<field_rule const> rules = icmpv6_rules) {
    return {.title = title, .rules = rules, .finish = finish_icmpv6<Message>, .answers = no_icmpv6_answer};
}

/// What makes any message of neighbour discovery invalid (RFC 4861 §6.1, §7.1): no answer then.
match_verdict nd_validity(layer_view const& message);

/// Bytes of a neighbour discovery option; 0 ends the list: RFC 4861 §4.6 makes such a packet invalid.
std::size_t nd_option_length(std::span<std::byte const> bytes);

}  // namespace sonde::inline v0::detail
