#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tcp.hpp>

#include "services.hpp"
#include "summary.hpp"
#include "transport.hpp"

#include <fmt/format.h>

namespace sonde::inline v0 {
namespace {

constexpr field_rule rules[] = {
    {.field = "sport", .identity = identity_part::port, .quoted = true, .names = detail::tcp_services},
    {.field = "dport", .quoted = true, .names = detail::tcp_services},
    {.field = "seq", .identity = identity_part::number, .quoted = true},
    {.field = "chksum", .hexadecimal = true}};

constexpr unsigned fin = 1, syn = 2, rst = 4, ack = 16;

std::size_t header_length(std::span<std::byte const> bytes) {
    return bytes.size() < 13 ? 20
                             : std::max<std::size_t>(20, 4 * (std::to_integer<std::size_t>(bytes[12]) >> 4));
}

void finish(build_step& step) {
    auto header = step.header().size();
    if (step.is_automatic<&TCP::dataofs>() && header > 60)
        throw error(errc::header_too_long, fmt::format("TCP header of {} bytes, at most 60", header));
    step.fill<&TCP::dataofs>(header / 4);
    if (!step.is_automatic<&TCP::chksum>()) return;
    step.fill<&TCP::chksum>(0);
    if (auto sum = detail::transport_checksum(step.view(), 6)) step.fill<&TCP::chksum>(*sum);
}

/// What a receiver may acknowledge of a segment: RFC 9293 §3.4, sequence numbers modulo 2^32.
struct acknowledgements {
    std::uint32_t first, last;
    bool contains(std::uint32_t a) const { return a - first <= last - first; }
};

acknowledgements acceptable(layer_view const& sent) {
    auto seq = sent.get<&TCP::seq>();
    unsigned flags = sent.get<&TCP::flags>();
    auto data = static_cast<std::uint32_t>(sent.payload().size());
    auto last = seq + data + (flags & syn ? 1 : 0) + (flags & fin ? 1 : 0);
    // A SYN is acknowledged first of all, its data perhaps not (RFC 7413); data may be acknowledged in part.
    acknowledgements exact{last == seq ? seq : seq + 1, last};
    if (!sent.packet().relaxed) return exact;
    constexpr unsigned slack = 2;
    return {exact.first - slack, exact.last + slack};
}

/// RFC 9293 §3.1: a header has 5 words at least, and lies inside its segment.
match_verdict header_validity(layer_view const& tcp) {
    constexpr unsigned fewest_words = 5;
    if (!tcp.has<&TCP::urgptr>()) return match_verdict::mismatch("tcp header cut short");
    unsigned const words = tcp.get<&TCP::dataofs>();
    if (words < fewest_words)
        return match_verdict::mismatch(
            fmt::format("tcp header length {}, expected {} at least", words, fewest_words));
    if (tcp.span().truncated)
        return match_verdict::mismatch(
            fmt::format("tcp header length {}, in a segment of {} bytes", words, tcp.header().size()));
    return match_verdict::payload();
}

/// RFC 9293 §3.10.7.4, first: a segment outside of the window is dropped. The window is not known, so the
/// largest counts (RFC 7323 §2.3); and one without scale before it, for what is sent once more, and for what
/// asks whether we are alive (RFC 9293 §3.8.4: one octet before).
bool may_lie_in_window(std::uint32_t seq, std::uint32_t next) {
    constexpr std::uint32_t largest = 1u << 30, before = 1u << 16;
    return seq - (next - before) < before + largest;
}

match_verdict answers(layer_view const& reply, layer_view const& sent) {
    if (auto v = header_validity(reply); v.value == match_verdict::no) return v;
    if (auto got = reply.get<&TCP::sport>(), asked = sent.get<&TCP::dport>(); got != asked)
        return match_verdict::mismatch(fmt::format("tcp sport {}, expected {}", got, asked));
    if (auto got = reply.get<&TCP::dport>(), ours = sent.get<&TCP::sport>(); got != ours)
        return match_verdict::mismatch(fmt::format("tcp dport {}, expected {}", got, ours));
    unsigned asked = sent.get<&TCP::flags>(), flags = reply.get<&TCP::flags>();
    if (asked & rst) return match_verdict::mismatch("tcp RST is never answered");
    if (flags & ack) {
        auto allowed = acceptable(sent);
        if (auto got = reply.get<&TCP::ack>(); !allowed.contains(got))
            return match_verdict::mismatch(fmt::format("tcp ack {}, expected {}", got, allowed.last));
    }
    if (flags & rst) {
        // RFC 9293 §3.10.7.1: a segment with ACK is reset at its acknowledgement, one without by an
        // acknowledgement.
        if (!(flags & ack) && !(asked & ack) && !sent.packet().relaxed)
            return match_verdict::mismatch("tcp RST without ACK, to a segment without ACK");
        if (auto got = reply.get<&TCP::seq>(), expected = sent.get<&TCP::ack>();
            asked & ack && got != expected)
            return match_verdict::mismatch(fmt::format("tcp RST seq {}, expected {}", got, expected));
        return match_verdict::match();
    }
    if (!(flags & ack)) return match_verdict::mismatch("tcp segment without ACK acknowledges nothing");
    bool const opens = asked & syn && !(asked & ack);
    if (flags & syn && !opens) return match_verdict::mismatch("tcp SYN/ACK answers a SYN only");
    // RFC 9293 §3.10.7.3, fifth: what has neither SYN nor RST is dropped.
    if (!(flags & syn) && opens && !sent.packet().relaxed)
        return match_verdict::mismatch("tcp segment without SYN answers no SYN");
    bool const knows_other = asked & ack && !(asked & syn);
    if (auto got = reply.get<&TCP::seq>(), next = sent.get<&TCP::ack>();
        knows_other && !may_lie_in_window(got, next) && !sent.packet().relaxed)
        return match_verdict::mismatch(fmt::format("tcp seq {}, expected from {}", got, next));
    // An acknowledgement alone is an answer; a message of the same protocol must be the probe's.
    auto message = sent.upper(), told = reply.upper();
    bool judges = message && told && message.description().hooks.answers &&
                  told.description().is(message.description());
    return judges ? match_verdict::payload() : match_verdict::match();
}

void key(layer_view const& v, key_builder& k) {
    k.add_ends(v.get<&TCP::sport>(), v.get<&TCP::dport>());
}

void summarize(layer_view const& v, std::string& out) {
    out += fmt::format("TCP {} {}",
                       detail::shown_ends(v, detail::shown<&TCP::sport>(v), detail::shown<&TCP::dport>(v)),
                       detail::shown<&TCP::flags>(v));
}

}  // namespace

layer_hooks hooks(TCP const*) {
    return {.rules = rules,
            .header_length = header_length,
            .finish = finish,
            .checksum = detail::transport_checksum_rule<&TCP::chksum>,
            .answers = answers,
            .key = key,
            .summarize = summarize};
}

void tcp_option::append(std::uint64_t value, unsigned octets) {
    for (unsigned i = octets; i-- > 0;) data_[size_++] = static_cast<char>(value >> 8 * i);
}

tcp_option tcp_option::eol() {
    return nop_or_eol(0);
}
tcp_option tcp_option::nop() {
    return nop_or_eol(1);
}

tcp_option tcp_option::nop_or_eol(std::uint8_t kind) {
    tcp_option o;
    o.append(kind, 1);
    return o;
}

tcp_option tcp_option::mss(std::uint16_t bytes) {
    tcp_option o;
    o.append(0x0204, 2);
    o.append(bytes, 2);
    return o;
}

tcp_option tcp_option::window_scale(std::uint8_t shift) {
    tcp_option o;
    o.append(0x0303, 2);
    o.append(shift, 1);
    return o;
}

tcp_option tcp_option::sack_permitted() {
    tcp_option o;
    o.append(0x0402, 2);
    return o;
}

tcp_option tcp_option::timestamps(std::uint32_t value, std::uint32_t echo) {
    tcp_option o;
    o.append(0x080a, 2);
    o.append(value, 4);
    o.append(echo, 4);
    return o;
}

tcp_option tcp_option::generic(std::uint8_t kind, std::span<std::byte const> data) {
    if (data.size() > 38) throw_error(errc::header_too_long, "TCP option data, at most 38 bytes");
    tcp_option o;
    o.append(kind, 1);
    o.append(2 + data.size(), 1);
    for (auto b : data) o.append(std::to_integer<std::uint64_t>(b), 1);
    return o;
}

}  // namespace sonde::inline v0
