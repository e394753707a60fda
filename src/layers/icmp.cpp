#include <sonde/layers/icmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/packet/checksum.hpp>

#include "icmp_extensions.hpp"
#include "summary.hpp"
#include "transport.hpp"

#include <fmt/format.h>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;

unsigned type_of(header h) {
    return h.empty() ? 0 : std::to_integer<unsigned>(h[0]);
}
constexpr bool is_name_query(unsigned t) {  // RFC 1788
    return t == 37 || t == 38;
}
constexpr bool is_query(unsigned t) {
    return t == 0 || t == 8 || (t >= 13 && t <= 18) || is_name_query(t);
}
bool query(header h) {
    return is_query(type_of(h));
}
bool timestamps(header h) {
    return type_of(h) == 13 || type_of(h) == 14;
}
bool redirect(header h) {
    return type_of(h) == 5;
}
bool parameter_problem(header h) {
    return type_of(h) == 12;
}
bool unreachable(header h) {
    return type_of(h) == 3;
}
bool unreachable_or_exceeded(header h) {
    return type_of(h) == 3 || type_of(h) == 11;
}
bool rfc4884(header h) {
    return type_of(h) == 3 || type_of(h) == 11 || type_of(h) == 12;
}
bool address_mask(header h) {
    return type_of(h) == 17 || type_of(h) == 18;
}
unsigned unused_width(header h) {
    auto t = type_of(h);
    if (t == 11 || t == 12) return 16;
    return (is_query(t) && !is_name_query(t)) || t == 3 || t == 5 ? 0 : 32;
}

/// Codes by type, as Scapy names them; no name stands for two codes.
constexpr value_name codes[] = {
    // destination unreachable: from here
    {0, "network-unreachable"},
    {1, "host-unreachable"},
    {2, "protocol-unreachable"},
    {3, "port-unreachable"},
    {4, "fragmentation-needed"},
    {5, "source-route-failed"},
    {6, "network-unknown"},
    {7, "host-unknown"},
    {9, "network-prohibited"},
    {10, "host-prohibited"},
    {11, "TOS-network-unreachable"},
    {12, "TOS-host-unreachable"},
    {13, "communication-prohibited"},
    {14, "host-precedence-violation"},
    {15, "precedence-cutoff"},
    // redirect: from 15
    {0, "network-redirect"},
    {1, "host-redirect"},
    {2, "TOS-network-redirect"},
    {3, "TOS-host-redirect"},
    // time exceeded: from 19
    {0, "ttl-zero-during-transit"},
    {1, "ttl-zero-during-reassembly"},
    // parameter problem: from 21
    {0, "ip-header-bad"},
    {1, "required-option-missing"},
    // Photuris: from 23
    {0, "bad-spi"},
    {1, "authentication-failed"},
    {2, "decompression-failed"},
    {3, "decryption-failed"},
    {4, "need-authentification"},
    {5, "need-authorization"}};

value_names codes_of(header h) {
    value_names all(codes);
    switch (type_of(h)) {
        case 3: return all.first(15);
        case 5: return all.subspan(15, 4);
        case 11: return all.subspan(19, 2);
        case 12: return all.subspan(21, 2);
        case 40: return all.subspan(23, 6);
        default: return {};
    }
}

constexpr field_rule rules[] = {
    {.field = "type", .quoted = true},
    {.field = "code", .quoted = true, .names = codes, .names_here = codes_of},
    {.field = "chksum", .hexadecimal = true},
    {.field = "id", .identity = identity_part::id, .hexadecimal = true, .quoted = true, .present = query},
    {.field = "seq",
     .identity = identity_part::sequence,
     .hexadecimal = true,
     .quoted = true,
     .present = query},
    {.field = "ts_ori", .present = timestamps},
    {.field = "ts_rx", .present = timestamps},
    {.field = "ts_tx", .present = timestamps},
    {.field = "gw", .present = redirect},
    {.field = "ptr", .present = parameter_problem},
    {.field = "reserved", .present = unreachable_or_exceeded},
    {.field = "length", .present = rfc4884},
    {.field = "addr_mask", .present = address_mask},
    {.field = "nexthopmtu", .present = unreachable},
    {.field = "unused", .width = unused_width}};

std::size_t header_length(header h) {
    return timestamps(h) ? 20 : address_mask(h) || is_name_query(type_of(h)) ? 12 : 8;
}

void finish(build_step& step) {
    detail::finish_quote_length<&ICMP::length, 4>(step);
    if (!step.is_automatic<&ICMP::chksum>()) return;
    step.fill<&ICMP::chksum>(0);
    internet_checksum sum;
    auto const all = step.view();
    sum.add(all.packet().bytes.subspan(all.span().begin, all.span().size() + all.payload().size()));
    step.fill<&ICMP::chksum>(sum.finish());
}

checksum_rule checksum(layer_view const& v) {
    constexpr std::uint8_t type_and_code = 2;
    bool follows = v.span().automatic >> field_index<&ICMP::chksum> & 1;
    return {.sums = follows ? checksum_rule::over::message : checksum_rule::over::nothing,
            .field = field_index<&ICMP::chksum>,
            .fixed_octets = type_and_code};
}

bool is_error(unsigned t) {
    return t == 3 || t == 4 || t == 5 || t == 11 || t == 12;
}

void follow(dissect_step& step) {
    if (!is_error(step.view.get<&ICMP::type>())) return;
    step.next = &describe<IP>();
    step.next_is_quoted = true;
    if (rfc4884(step.view.header()))
        detail::bound_quote(step, std::size_t(4) * step.view.get<&ICMP::length>());
}

/// The query that a reply belongs to; the type itself otherwise.
unsigned query_of(unsigned type) {
    switch (type) {
        case 0: return 8;
        case 9: return detail::router_solicitation;
        case 14: return 13;
        case 16: return 15;
        case 18: return 17;
        case 38: return 37;
        default: return type;
    }
}

match_verdict answers(layer_view const& reply, layer_view const& sent) {
    if (!reply.has<&ICMP::chksum>()) return match_verdict::mismatch("icmp header cut short");
    unsigned asked = sent.get<&ICMP::type>(), got = reply.get<&ICMP::type>();
    if (got == asked || query_of(got) != asked)
        return match_verdict::mismatch(fmt::format("icmp type {} does not answer type {}", got, asked));
    if (asked == detail::router_solicitation) return match_verdict::match();
    if (!is_query(asked)) return match_verdict::mismatch(fmt::format("icmp type {} has no answer", asked));
    if (!reply.has<&ICMP::seq>()) return match_verdict::mismatch("icmp header cut short");
    // RFC 792: 0; hosts repeat what they were asked with, too.
    if (unsigned code = reply.get<&ICMP::code>();
        code != 0 && code != sent.get<&ICMP::code>() && !sent.packet().relaxed)
        return match_verdict::mismatch(fmt::format("icmp code {}, expected 0", code));
    if (auto id = reply.get<&ICMP::id>(), ours = sent.get<&ICMP::id>(); id != ours)
        return match_verdict::mismatch(fmt::format("icmp id {}, expected {}", id, ours));
    if (auto seq = reply.get<&ICMP::seq>(), ours = sent.get<&ICMP::seq>(); seq != ours)
        return match_verdict::mismatch(fmt::format("icmp seq {}, expected {}", seq, ours));
    if (asked == 8 && !sent.packet().relaxed) {
        if (auto data = reply.payload(), ours = sent.payload(); data.size() != ours.size())
            return match_verdict::mismatch(
                fmt::format("icmp echo data of {} bytes, expected {}", data.size(), ours.size()));
        else if (!std::ranges::equal(data, ours))
            return match_verdict::mismatch("icmp echo data changed (RFC 792)");
    }
    if (asked == 13 && !reply.has<&ICMP::ts_ori>()) return match_verdict::mismatch("icmp header cut short");
    if (asked == 13 && reply.get<&ICMP::ts_ori>() != sent.get<&ICMP::ts_ori>())
        return match_verdict::mismatch("icmp originate timestamp changed (RFC 792)");
    return match_verdict::match();
}

void key(layer_view const& v, key_builder& k) {
    unsigned t = v.get<&ICMP::type>();
    k.add(k.is_reply() ? query_of(t) : t);
    if (!is_query(t)) return;
    k.add(v.get<&ICMP::id>());
    k.add(v.get<&ICMP::seq>());
}

void summarize(layer_view const& v, std::string& out) {
    auto ends = v.lower().is<IP>() ? detail::shown_ends(v) + " " : "";
    out += fmt::format("ICMP {}{} {}", ends, detail::shown<&ICMP::type>(v), detail::shown<&ICMP::code>(v));
}

}  // namespace

layer_hooks hooks(ICMP const*) {
    return {.rules = rules,
            .header_length = header_length,
            .finish = finish,
            .checksum = checksum,
            .follow = follow,
            .answers = answers,
            .key = key,
            .summarize = summarize};
}

}  // namespace sonde::inline v0
