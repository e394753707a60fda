#include <sonde/packet/match.hpp>

#include <sonde/layers/arp.hpp>
#include <sonde/layers/ether.hpp>
#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/link_types.hpp>
#include <sonde/layers/sctp.hpp>
#include <sonde/layers/tunnels.hpp>
#include <sonde/layers/udp.hpp>

#include "../layers/ipv6_chain.hpp"
#include "../layers/transport.hpp"
#include "answer_key.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace sonde::inline v0 {

bool is_link_layer(layer_view const& v) {
    return v && v.description().hooks.is_link;
}

layer_view detail::network_layer_of(packet_view const& p) {
    layer_view v(p, 0);
    while (v && is_link_layer(v)) v.ascend();
    return v;
}

namespace {

using detail::network_layer_of;

/// The first layer of the packet that an ICMP error quotes, or none.
layer_view quoted_layer(layer_view v) {
    while (v && !v.span().quoted) v.ascend();
    return v;
}

/// The IP header of the ICMP error that has this quote: of tunnels not the outermost.
layer_view carrier_of(layer_view const& quote) {
    auto v = quote.lower();
    while (v && !v.is<IP>() && !v.is<IPv6>()) v = v.lower();
    return v;
}

/// The packet with a longer quote, where the quoted length cuts off what RFC 792 promises and what is there:
/// old BSD systems leave the header out of it.
std::optional<packet> with_whole_quote(layer_view const& quote) {
    constexpr std::size_t promised = 8;
    if (!quote.is<IP>()) return {};
    auto const& all = quote.packet();
    auto header = quote.header().size(), told = std::size_t(quote.get<&IP::len>());
    if (told < header || told >= header + promised || quote.span().end == all.bytes.size()) return {};
    std::vector bytes(all.bytes.begin(), all.bytes.end());
    auto length = std::span(bytes).subspan(quote.span().begin, header);
    write_bits(length, locate(quote.description(), field_index<&IP::len>, length), {0, header + promised});
    return detail::dissect_as(bytes, *all.layers.front().layer, false);
}

/// An error that ends a probe: redirects and source quench are advice (RFC 1122 §3.2.2.2, RFC 6633).
bool ends_probes(layer_view const& icmp, bool relaxed) {
    if (icmp.is<ICMP>()) {
        unsigned t = icmp.get<&ICMP::type>();
        return t == 3 || t == 11 || t == 12 || (relaxed && (t == 4 || t == 5));
    }
    return true;  // ICMPv6 types 1 to 4 are all that have a quote
}

/// A tag with number 0 tells a priority, and no VLAN (IEEE 802.1Q §9.6).
std::vector<unsigned> vlans(packet_view const& p) {
    std::vector<unsigned> found;
    for (layer_view v(p, 0); v && is_link_layer(v); v.ascend()) {
        if (v.is<Dot1Q>()) found.push_back(v.get<&Dot1Q::vlan>());
        if (v.is<Dot1AD>()) found.push_back(v.get<&Dot1AD::vlan>());
    }
    std::erase(found, 0u);
    return found;
}

/// ICMPv6, whose messages are a layer each, and IGMP, whose versions are.
bool has_answers_of_other_layers(layer_description const& asked) {
    return asked.name.starts_with("ICMPv6") || asked.name.starts_with("IGMP");
}

std::string shown(std::vector<unsigned> const& tags) {
    return tags.empty() ? "none" : fmt::format("{}", fmt::join(tags, ", "));
}

/// A cooked capture tells of frames that the host sent itself.
bool is_outgoing(layer_view const& first) {
    constexpr unsigned sent_by_us = 4;
    return (first.is<CookedLinux>() && first.get<&CookedLinux::pkttype>() == sent_by_us) ||
           (first.is<CookedLinuxV2>() && first.get<&CookedLinuxV2::pkttype>() == sent_by_us);
}

/// The layer and what it carries, without padding.
std::span<std::byte const> all_of(layer_view const& v) {
    return v.packet().bytes.subspan(v.span().begin, v.span().size() + v.payload().size());
}

/// Layer against layer, from the network layer up. `stop` is a layer of the reply: both are left there.
match_verdict walk(layer_view& reply, layer_view& sent, std::size_t stop = ~std::size_t(0)) {
    for (; sent && reply.index() < stop;
         detail::skip_extensions(reply.ascend()), detail::skip_extensions(sent.ascend())) {
        auto const& asked = sent.description();
        if (asked.hooks.is_padding) break;
        // A payload of bytes proves nothing either way: its absence is an answer as well as any other
        // payload.
        if (sent.is<Raw>()) break;
        if (!reply) return match_verdict::mismatch(fmt::format("{} missing", asked.name));
        bool same_protocol = reply.description().is(asked) || asked.hooks.answers == nullptr ||
                             has_answers_of_other_layers(asked);
        if (!same_protocol)
            return match_verdict::mismatch(
                fmt::format("{} found, {} expected", reply.description().name, asked.name));
        if (!asked.hooks.answers) continue;
        if (auto v = asked.hooks.answers(reply, sent); v.value != match_verdict::ask_payload) return v;
    }
    return match_verdict::match();
}

/// What fills up the frame is no more of the quote.
bool ends(layer_view const& quote) {
    return !quote || quote.description().hooks.is_padding;
}
match_verdict too_short() {
    return match_verdict::mismatch("the quote ends before it ties to the probe");
}

/// The fields by which a quote proves that it is of our packet, as far as it goes.
match_verdict compare_fields(layer_view const& quote, layer_view const& sent) {
    bool any = false;
    auto const& fields = sent.description().fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (!fields[i].rule.quoted) continue;
        if (sent.packet().relaxed && fields[i].rule.identity == identity_part::number) continue;
        auto where = locate(quote.description(), i, quote.header());
        if (where.width == 0) continue;
        if (where.offset + where.width > quote.header().size() * 8)  // less than RFC 792 promises
            return too_short();
        auto got = quote.value(i), expected = sent.value(i);
        if (got != expected)
            return match_verdict::mismatch(fmt::format("quoted {} {} {:#x}, expected {:#x}",
                                                       sent.description().name, fields[i].name, got.low,
                                                       expected.low));
        any = true;
    }
    return any ? match_verdict::match() : too_short();
}

ipv4 destination_of(layer_view const& ip, IP const*) {
    return detail::final_stop(ip);
}
ipv6 destination_of(layer_view const& ip, IPv6 const*) {
    return detail::final_destination(ip);
}

template <class L, auto Source, auto Destination, auto Protocol>
match_verdict compare_network(layer_view const& quote, layer_view const& sent) {
    if (!quote.has<Source>() || !quote.has<Destination>())
        return match_verdict::mismatch("quoted header cut short");
    if (auto got = quote.get<Source>(), ours = sent.get<Source>(); got != ours)
        return match_verdict::mismatch(
            fmt::format("quoted src {}, expected {}", got.to_string(), ours.to_string()));
    constexpr L const* layer = nullptr;
    if (auto got = destination_of(quote, layer), asked = destination_of(sent, layer); got != asked)
        return match_verdict::mismatch(
            fmt::format("quoted dst {}, expected {}", got.to_string(), asked.to_string()));
    if (auto got = quote.get<Protocol>(), asked = sent.get<Protocol>(); got != asked)
        return match_verdict::mismatch(
            fmt::format("quoted protocol {}, expected {}", unsigned(got), unsigned(asked)));
    return match_verdict::match();
}

/// An INIT has no verification tag: its own proves the quote, which may end before it (RFC 9260 §10).
match_verdict compare_initiation(layer_view const& quote, layer_view const& sent) {
    if (ends(quote) || !sent.is<SCTPChunkInit>()) return match_verdict::match();
    if (!quote.is<SCTPChunkInit>())
        return match_verdict::mismatch(
            fmt::format("quotes {}, expected {}", quote.description().name, sent.description().name));
    if (!quote.has<&SCTPChunkInit::init_tag>()) return match_verdict::match();
    auto got = quote.get<&SCTPChunkInit::init_tag>(), ours = sent.get<&SCTPChunkInit::init_tag>();
    return got == ours ? match_verdict::match()
                       : match_verdict::mismatch(
                             fmt::format("quoted SCTPChunkInit init_tag {:#x}, expected {:#x}", got, ours));
}

/// Octet by octet as far as quoted: of `sent` the first `size` octets, of which `least` are there.
match_verdict compare_octets(layer_view const& quote, layer_view const& sent, std::size_t size,
                             std::size_t least) {
    auto got = all_of(quote), ours = all_of(sent).first(size);
    got = got.first(std::min(got.size(), size));
    if (got.size() < least) return too_short();
    auto [differs, expected] = std::ranges::mismatch(got, ours);
    if (differs == got.end()) return match_verdict::match();
    return match_verdict::mismatch(fmt::format(
        "quoted {} octet {} is {:#x}, expected {:#x}", sent.description().name, differs - got.begin(),
        std::to_integer<unsigned>(*differs), std::to_integer<unsigned>(*expected)));
}

/// A message without ports and numbers (IGMP, MLD): 8 octets of it are quoted (RFC 792), and all that makes
/// its key.
match_verdict compare_message(layer_view const& quote, layer_view const& sent) {
    constexpr std::size_t promised = 8;
    auto size = all_of(sent).size();
    if (!sent.description().hooks.key) return compare_octets(quote, sent, size, std::min(promised, size));
    return quote.description().is(sent.description())
               ? compare_octets(quote, sent, size, sent.header().size())
               : too_short();
}

match_verdict compare_quote(layer_view quote, layer_view sent);

/// A GRE header or none, the link layers inside, and what they carry: the innermost network layer makes the
/// key, so that it is quoted too.
match_verdict compare_tunnel(layer_view quote, layer_view sent) {
    do {
        if (ends(quote)) return too_short();
        auto size = sent.header().size();
        if (auto v = compare_octets(quote, sent, size, size); v.value == match_verdict::no) return v;
        quote.ascend(), sent.ascend();
    } while (is_link_layer(sent));
    if (ends(sent) || sent.is<Raw>()) return match_verdict::match();
    return ends(quote) ? too_short() : compare_quote(quote, sent);
}

bool has_quoted_fields(layer_description const& layer) {
    return std::ranges::any_of(layer.fields, [](auto const& field) { return field.rule.quoted; });
}

match_verdict compare_quote(layer_view quote, layer_view sent) {
    if (!quote.description().is(sent.description()))
        return match_verdict::mismatch(
            fmt::format("quotes {}, expected {}", quote.description().name, sent.description().name));
    match_verdict v;
    if (sent.is<IP>()) {
        if (quote.get<&IP::version>() != 4 || quote.get<&IP::ihl>() < 5)
            return match_verdict::mismatch("quoted header is no IPv4 header");
        v = compare_network<IP, &IP::src, &IP::dst, &IP::proto>(quote, sent);
        if (auto got = quote.get<&IP::id>(), ours = sent.get<&IP::id>();
            v.value == match_verdict::yes && got != ours && !sent.packet().relaxed)
            v = match_verdict::mismatch(fmt::format("quoted ip id {}, expected {}", got, ours));
        // Of a whole packet only the first fragment is told of (RFC 1122 §3.2.2).
        if (auto got = quote.get<&IP::frag>(), ours = sent.get<&IP::frag>();
            v.value == match_verdict::yes && got != ours && !sent.packet().relaxed)
            v = match_verdict::mismatch(fmt::format("quoted fragment offset {}, expected {}", got, ours));
    } else if (sent.is<IPv6>()) {
        if (quote.get<&IPv6::version>() != 6)
            return match_verdict::mismatch("quoted header is no IPv6 header");
        v = compare_network<IPv6, &IPv6::src, &IPv6::dst, &IPv6::nh>(quote, sent);
        bool same = detail::upper_protocol(quote) == detail::upper_protocol(sent) &&
                    (ends(detail::above_extensions(quote.upper())) ||
                     detail::is_listener_discovery(quote) == detail::is_listener_discovery(sent));
        if (v.value == match_verdict::yes && !same)
            v = match_verdict::mismatch("what the quoted extension headers carry is another protocol");
    } else {
        return match_verdict::mismatch(
            fmt::format("a quote of {} ties to no probe", sent.description().name));
    }
    if (v.value == match_verdict::no) return v;
    auto upper = detail::above_extensions(sent.upper());
    if (!upper || upper.is<Raw>()) return v;
    auto quoted_upper = detail::above_extensions(quote.upper());
    if (ends(quoted_upper)) return too_short();
    if (upper.is<GRE>() || is_link_layer(upper)) return compare_tunnel(quoted_upper, upper);
    if (!has_quoted_fields(upper.description()) && !upper.is<IP>() && !upper.is<IPv6>())
        return compare_message(quoted_upper, upper);
    if (!quoted_upper.description().is(upper.description())) return too_short();
    if (upper.is<IP>() || upper.is<IPv6>()) return compare_quote(quoted_upper, upper);
    v = compare_fields(quoted_upper, upper);
    if (v.value == match_verdict::yes && upper.is<SCTP>())
        return compare_initiation(quoted_upper.upper(), upper.upper());
    // IPv6 has no id: datagrams of one flow are told apart by their lengths.
    if (v.value == match_verdict::yes && sent.is<IPv6>() && upper.is<UDP>() && !sent.packet().relaxed &&
        quoted_upper.has<&UDP::len>())
        if (auto got = quoted_upper.get<&UDP::len>(), ours = upper.get<&UDP::len>(); got != ours)
            return match_verdict::mismatch(fmt::format("quoted udp len {}, expected {}", got, ours));
    return v;
}

match_verdict match_error(layer_view const& quote, layer_view const& reply, layer_view const& sent) {
    auto icmp = quote.lower();
    if (!ends_probes(icmp, sent.packet().relaxed))
        return match_verdict::mismatch(
            fmt::format("icmp type {} ends no probe", unsigned(icmp.get<&ICMP::type>())));
    if (reply.is<IP>() && sent.is<IP>()) {
        if (auto v = detail::ip_validity(reply); v.value == match_verdict::no) return v;
        if (auto got = reply.get<&IP::dst>(), ours = sent.get<&IP::src>(); got != ours)
            return match_verdict::mismatch(
                fmt::format("ip dst {}, expected {}", got.to_string(), ours.to_string()));
    } else if (reply.is<IPv6>() && sent.is<IPv6>()) {
        if (auto v = detail::ipv6_validity(reply); v.value == match_verdict::no) return v;
        if (auto got = reply.get<&IPv6::dst>(), ours = sent.get<&IPv6::src>(); got != ours)
            return match_verdict::mismatch(
                fmt::format("ipv6 dst {}, expected {}", got.to_string(), ours.to_string()));
    }
    return compare_quote(quote, sent);
}

/// Transport protocols: they begin with the ports of both ends.
bool has_ports(layer_view const& v) {
    return v.description().fields.front().name == "sport";
}

/// Calls `use` with what makes the key of the layers from `v` on, once for each layer that adds to it. Of an
/// ICMP error, whose `quote` is given: of the tunnel that it came through, and of what it quotes.
template <class Use>
void for_keys(layer_view v, key_builder k, Use const& use, layer_view const& quote = {}) {
    std::size_t n = 0;
    auto add = [&](auto const& belongs) {
        for (; v && belongs(v) && n < answer_keys::most; v.ascend()) {
            if (!v.description().hooks.key) continue;
            v.description().hooks.key(v, k);
            use(v, k);
            ++n;
        }
    };
    if (quote) {
        add([carrier = carrier_of(quote).index()](layer_view const& l) { return l.index() < carrier; });
        v = quote;
        k = k.turned_back();
    }
    add([quoted = v.span().quoted](layer_view const& l) { return l.span().quoted == quoted; });
    if (n == 0) use(layer_view(), k);
}

/// Whether a frame to many may say what the address alone does not: that it is a subnet's broadcast address,
/// whose host bits are ones (RFC 922 §7), two of them at least. TCP has one end there (RFC 9293 §3.9.2.3).
bool may_be_subnet_broadcast(layer_view const& ip) {
    constexpr unsigned fewest_host_bits = 3, tcp = 6;
    return (ip.get<&IP::dst>().value & fewest_host_bits) == fewest_host_bits && ip.get<&IP::proto>() != tcp;
}

}  // namespace

match_verdict match(packet_view const& received, packet_view const& sent) {
    auto s = network_layer_of(sent), r = network_layer_of(received);
    if (!s) return match_verdict::mismatch("the probe has no layer that could be answered");
    if (!r) return match_verdict::mismatch("no network layer");
    if (is_outgoing({received, 0})) return match_verdict::mismatch("a frame that went out (packet type 4)");
    if (std::ranges::equal(all_of(r), all_of(s))) return match_verdict::mismatch("the probe itself");
    if (is_link_layer({sent, 0}))
        if (auto got = vlans(received), ours = vlans(sent); got != ours)
            return match_verdict::mismatch(fmt::format("vlan {}, expected {}", shown(got), shown(ours)));
    if (s.is<Raw>()) return match_verdict::mismatch("the probe has no layer that could be answered");
    auto quote = quoted_layer(r), carrier = quote ? carrier_of(quote) : layer_view();
    if (quote)
        if (auto whole = with_whole_quote(quote)) return match(whole->view(), sent);
    if (quote && carrier.index() == r.index()) return match_error(quote, r, s);
    if (!r.description().is(s.description()))
        return match_verdict::mismatch(
            fmt::format("{} found, {} expected", r.description().name, s.description().name));
    if (!quote) return walk(r, s);
    if (auto v = walk(r, s, carrier.index()); v.value == match_verdict::no) return v;
    if (!s || r.index() != carrier.index()) return match_verdict::mismatch("quotes what was not sent");
    return match_error(quote, r, s);
}

match_key key_of_probe(packet_view const& sent, secret_key const& secret, bool to_many, key_reach reach) {
    auto s = network_layer_of(sent);
    if (!s) return {};
    bool ports_known = false;
    key_builder key(key_mixer(secret), false, to_many, sent.relaxed);
    for_keys(s, key, [&](layer_view const& layer, key_builder const& k) {
        if (!ports_known || reach == key_reach::above) key = k;
        ports_known |= layer && has_ports(layer);
    });
    return key.finish();
}

bool goes_to_many(packet_view const& sent) {
    auto s = network_layer_of(sent);
    if (s.is<IPv6>()) return detail::final_destination(s).is_multicast();
    layer_view const first(sent, 0);
    bool const frame_to_many = first.is<Ether>() && first.get<&Ether::dst>().is_group();
    if (!s.is<IP>()) return frame_to_many;
    auto to = s.get<&IP::dst>();
    return to.is_multicast() || to.is_broadcast() || (frame_to_many && may_be_subnet_broadcast(s));
}

answer_keys keys_of_answer(packet_view const& received, secret_key const& secret, bool relaxed, bool groups) {
    answer_keys keys;
    for (bool to_many : {false, true}) {
        if (to_many && !groups) break;
        auto const open = detail::open_keys_of_answer(received, secret, relaxed, to_many);
        for (std::size_t i = 0; i < open.each.size(); ++i)
            (to_many ? keys.to_many : keys.to_one)[i] = open.each[i].finish();
        keys.count = open.each.size();
        keys.is_error = open.is_error;
        keys.readable = !open.each.empty();
    }
    return keys;
}

namespace detail {

void find_keys_of_answer(packet_view const& received, secret_key const& secret, bool relaxed, bool to_many,
                         open_keys& open) {
    auto r = network_layer_of(received);
    if (!r || r.is<Raw>()) return;
    auto q = quoted_layer(r);
    if (q)
        if (auto whole = with_whole_quote(q))
            return find_keys_of_answer(whole->view(), secret, relaxed, to_many, open);
    open.is_error = static_cast<bool>(q);
    key_builder key(key_mixer(secret), true, to_many, relaxed);
    for_keys(r, key, [&](layer_view const&, key_builder const& k) { open.each.push_back(k); }, q);
}

}  // namespace detail

}  // namespace sonde::inline v0
