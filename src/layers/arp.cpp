#include <sonde/layers/arp.hpp>

#include "summary.hpp"

#include <fmt/format.h>

namespace sonde::inline v0 {
namespace {

unsigned hardware_width(std::span<std::byte const> header) {
    return header.size() > 4 ? 8 * std::to_integer<unsigned>(header[4]) : 0;
}
unsigned protocol_width(std::span<std::byte const> header) {
    return header.size() > 5 ? 8 * std::to_integer<unsigned>(header[5]) : 0;
}

/// As Scapy: addresses of other hardware, and of other protocols than IP, are octets.
value_kind hardware_kind(std::span<std::byte const> header) {
    return header.size() < 2 || read_bits(header, {0, 16}).low == 1 ? value_kind::mac : value_kind::octets;
}
value_kind protocol_kind(std::span<std::byte const> header) {
    if (header.size() < 4) return value_kind::ipv4;
    switch (read_bits(header, {16, 16}).low) {
        case 0x0800: return value_kind::ipv4;
        case 0x86dd: return value_kind::ipv6;
        default: return value_kind::octets;
    }
}

constexpr field_rule rules[] = {{.field = "hwtype", .hexadecimal = true},
                                {.field = "ptype", .hexadecimal = true},
                                {.field = "hwsrc", .width = hardware_width, .kind_here = hardware_kind},
                                {.field = "psrc", .width = protocol_width, .kind_here = protocol_kind},
                                {.field = "hwdst", .width = hardware_width, .kind_here = hardware_kind},
                                {.field = "pdst", .width = protocol_width, .kind_here = protocol_kind}};

std::size_t header_length(std::span<std::byte const> bytes) {
    return 8 + 2 * (hardware_width(bytes) + protocol_width(bytes)) / 8;
}

/// Nothing is inside an ARP message: what follows it fills up the frame.
void follow(dissect_step& step) {
    step.limit = 0;
}

enum operation : unsigned {
    reverse_request = 3,
    dynamic_request = 5,
    inverse_request = 8,
    inverse_reply = 9
};

/// Odd operations ask and the next ones answer, but for those of inverse ARP.
bool asks(unsigned op) {
    return op == inverse_request || (op % 2 == 1 && op != inverse_reply);
}
/// Whose protocol address is this hardware address's (RFC 903)?
bool asks_for_hardware(unsigned op) {
    return op == reverse_request || op == dynamic_request;
}

/// Of `field` in the reply.
template <auto Field, class T>
match_verdict expect(layer_view const& reply, T expected) {
    if (auto got = reply.get<Field>(); got != expected)
        return match_verdict::mismatch(fmt::format("arp {} {}, expected {}",
                                                   reply.description().fields[field_index<Field>].name,
                                                   got.to_string(), expected.to_string()));
    return match_verdict::match();
}

/// Who is asked becomes who answers: by the protocol address (RFC 826), by the hardware address (RFC 2390),
/// or a server that was not named (RFC 903).
match_verdict answers_who_is_asked(layer_view const& reply, layer_view const& sent) {
    unsigned op = sent.get<&ARP::op>();
    if (asks_for_hardware(op)) return expect<&ARP::hwdst>(reply, sent.get<&ARP::hwdst>());
    if (op == inverse_request) return expect<&ARP::hwsrc>(reply, sent.get<&ARP::hwdst>());
    return expect<&ARP::psrc>(reply, sent.get<&ARP::pdst>());
}

/// Who answers copies from the question what its addresses are (RFC 826).
match_verdict has_kinds_of(layer_view const& reply, layer_view const& sent) {
    for (auto field : {field_index<&ARP::hwtype>, field_index<&ARP::ptype>, field_index<&ARP::hwlen>,
                       field_index<&ARP::plen>})
        if (auto got = reply.value(field).low, expected = sent.value(field).low; got != expected)
            return match_verdict::mismatch(fmt::format(
                "arp {} {:#x}, expected {:#x}", reply.description().fields[field].name, got, expected));
    return match_verdict::match();
}

/// The hardware address that is told names who asked. Receivers do not look at it (RFC 826), so some senders
/// leave it zero, or write there what the frame goes to, which may be all (RFC 5227 §2.6): that names nobody
/// else. Over frame relay it is a number that each end has of its own (RFC 2390 §7). In reverse ARP it is the
/// answer's subject, not who asked.
match_verdict goes_to_who_asked(layer_view const& reply, layer_view const& sent) {
    constexpr unsigned frame_relay = 15;
    auto ours = sent.get<&ARP::hwsrc>(), to = reply.get<&ARP::hwdst>();
    if (asks_for_hardware(sent.get<&ARP::op>()) || sent.get<&ARP::hwtype>() == frame_relay ||
        ours.is_unspecified() || to.is_unspecified() || to == mac::broadcast())
        return match_verdict::match();
    return expect<&ARP::hwdst>(reply, ours);
}

/// The answer comes to who asked.
match_verdict answers(layer_view const& reply, layer_view const& sent) {
    if (!reply.has<&ARP::pdst>()) return match_verdict::mismatch("arp message cut short");
    if (auto v = has_kinds_of(reply, sent); v.value == match_verdict::no) return v;
    unsigned got = reply.get<&ARP::op>(), asked = sent.get<&ARP::op>();
    if (!asks(asked)) return match_verdict::mismatch(fmt::format("arp op {} asks nothing", asked));
    if (got != asked + 1)
        return match_verdict::mismatch(fmt::format("arp op {}, expected {}", got, asked + 1));
    if (auto v = answers_who_is_asked(reply, sent); v.value == match_verdict::no) return v;
    if (auto ours = sent.get<&ARP::psrc>(); !ours.is_unspecified())
        if (auto v = expect<&ARP::pdst>(reply, ours); v.value == match_verdict::no) return v;
    if (auto v = goes_to_who_asked(reply, sent); v.value == match_verdict::no) return v;
    if (auto hwsrc = reply.get<&ARP::hwsrc>(); hwsrc.is_group() || hwsrc.is_unspecified())
        return match_verdict::mismatch("arp hwsrc " + hwsrc.to_string() + " is no host's");
    return match_verdict::match();
}

/// Who is asked. Not who asks: of an address probe (RFC 5227: psrc 0) the answer may go to any address of
/// ours.
void key(layer_view const& v, key_builder& k) {
    unsigned op = v.get<&ARP::op>() - unsigned(k.is_reply());
    k.add(0x0806);
    k.add(op);
    auto hardware = [](mac const& address) { return value_traits<mac>::to_wire(address).low; };
    if (asks_for_hardware(op))
        k.add(hardware(v.get<&ARP::hwdst>()));
    else if (op == inverse_request)
        k.add(hardware(k.is_reply() ? v.get<&ARP::hwsrc>() : v.get<&ARP::hwdst>()));
    else
        k.add(k.is_reply() ? v.get<&ARP::psrc>().value : v.get<&ARP::pdst>().value);
}

void summarize(layer_view const& v, std::string& out) {
    using detail::shown;
    auto psrc = shown<&ARP::psrc>(v), pdst = shown<&ARP::pdst>(v);
    switch (v.get<&ARP::op>()) {
        case 1: out += "ARP who has " + pdst + " says " + psrc; break;
        case 2: out += "ARP is at " + shown<&ARP::hwsrc>(v) + " says " + psrc; break;
        default: out += "ARP " + shown<&ARP::op>(v) + " " + psrc + " > " + pdst;
    }
}

}  // namespace

layer_hooks hooks(ARP const*) {
    return {.rules = rules,
            .header_length = header_length,
            .follow = follow,
            .answers = answers,
            .key = key,
            .summarize = summarize};
}

}  // namespace sonde::inline v0
