#include "layer_name.hpp"

#include <sonde/packet/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace sonde::inline v0 {
namespace {

literal number(field_description const& f, wire_value v) {
    switch (f.kind) {
        case value_kind::mac: return value_traits<mac>::from_wire(v).to_string();
        case value_kind::ipv4: return value_traits<ipv4>::from_wire(v).to_string();
        case value_kind::ipv6: return value_traits<ipv6>::from_wire(v).to_string();
        default: return v.low;
    }
}

literal octets(field_description const& f, std::string_view bytes, std::span<std::byte const> header = {}) {
    if (auto own = std::as_bytes(std::span(bytes)); f.options)
        return f.options->print(own, header.empty() ? own : header);
    return literal::bytes{std::string(bytes)};
}

literal call(std::string_view name, std::vector<literal> arguments = {}) {
    return literal::call{std::string(name), std::move(arguments), {}};
}

/// "aa:*:00-0f:…", the template that RandMAC takes.
std::string mac_pattern(wire_value first, wire_value last) {
    std::string text;
    for (int shift = 40; shift >= 0; shift -= 8) {
        auto a = first.low >> shift & 255, b = last.low >> shift & 255;
        text += a == 0 && b == 255 ? "*"
                : a == b           ? fmt::format("{:02x}", a)
                                   : fmt::format("{:02x}-{:02x}", a, b);
        if (shift > 0) text += ':';
    }
    return text;
}

/// The network that an interval of addresses covers, as text.
std::string network(field_description const& f, wire_value first, wire_value last) {
    unsigned open_bits = 0;
    for (auto rest = wire_value{first.high ^ last.high, first.low ^ last.low}; rest.high || rest.low;
         ++open_bits)
        rest = {rest.high >> 1, rest.low >> 1 | rest.high << 63};
    return fmt::format("{}/{}", *number(f, first).as<std::string>(), f.width - open_bits);
}

literal interval(field_description const& f, field_content const& c) {
    switch (f.kind) {
        case value_kind::mac: return call("RandMAC", {mac_pattern(c.first, c.last)});
        case value_kind::ipv4: return call("RandIP", {network(f, c.first, c.last)});
        case value_kind::ipv6: return call("RandIP6", {network(f, c.first, c.last)});
        default: break;
    }
    if (c.first.low == 0) switch (c.last.low) {
            case 0xff: return call("RandByte");
            case 0xffff: return call("RandShort");
            case 0xffffffff: return call("RandInt");
            case ~std::uint64_t(0): return call("RandLong");
            default: break;
        }
    return call("RandNum", {c.first.low, c.last.low});
}

std::vector<literal> values(layer_description const& layer, std::size_t field, field_content const& c) {
    auto const& f = layer.fields[field];
    std::vector<literal> items;
    items.reserve(c.parts.size() + c.list.size() + c.texts.size());
    for (auto const& part : c.parts) items.push_back(value_of(layer, field, part));
    for (auto const& v : c.list) items.push_back(number(f, v));
    for (auto const& t : c.texts) items.push_back(octets(f, t));
    return items;
}

literal range_of_values(field_description const& f, field_content const& c) {
    literal::tuple t{{number(f, c.first), number(f, c.last)}};
    if (c.step != 1) t.items.push_back(c.step);
    return t;
}

bool is_textual(value_kind k) {
    return k == value_kind::octets || k == value_kind::options;
}

literal single(field_description const& f, field_content const& c, std::span<std::byte const> header = {}) {
    auto text = c.texts.empty() ? c.bytes : std::string_view(c.texts.front());
    if (is_textual(f.kind)) return octets(f, text, header);
    return text.empty() ? number(f, c.first) : literal(literal::bytes{std::string(text)});
}

}  // namespace

literal value_of(layer_description const& layer, std::size_t field, field_content const& c) {
    auto const& f = layer.fields[field];
    switch (c.state) {
        case field_state::single: return single(f, c);
        case field_state::list: return literal::list{values(layer, field, c)};
        case field_state::range: return range_of_values(f, c);
        case field_state::network:
            return call(f.kind == value_kind::ipv6 ? "Net6" : "Net",
                        {fmt::format("{}/{}", *number(f, c.first).as<std::string>(), c.step)});
        case field_state::name: return c.texts.empty() ? std::string(c.bytes) : c.texts.front();
        case field_state::interval: return interval(f, c);
        case field_state::choice: return call("RandChoice", values(layer, field, c));
        case field_state::text: return call(c.by_octet ? "RandBin" : "RandString", {c.step});
        case field_state::computed:
        case field_state::kept: break;
    }
    return {};
}

literal value_of(layer_view const& layer, std::size_t field) {
    auto c = detail::content_of(layer, field);
    auto const& f = layer.description().fields[field];
    if (f.rule.phantom) c = layer.description().defaults[field];
    if (c.state == field_state::single && f.options) {
        auto message = layer.header();
        return single(f, c, message.subspan(std::min(layer.description().hooks.origin, message.size())));
    }
    // Scapy's field of no width (ICMP's `unused` in queries) is a string.
    if (c.state == field_state::single && f.rule.width && !is_textual(f.kind) &&
        locate(layer.description(), field, layer.header()).width == 0)
        return literal::bytes{};
    if (f.rule.kind_here && f.rule.kind_here(layer.header()) == value_kind::ipv6 &&
        f.kind == value_kind::ipv4)
        if (ipv6 address; c.bytes.size() == address.octets.size()) {
            std::ranges::copy(c.bytes, address.octets.begin());
            return address.to_string();
        }
    return value_of(layer.description(), field, c);
}

literal value_of(layer_view const& layer) {
    literal::call c{std::string(detail::name_in_packet(layer)), {}, {}};
    auto const& fields = layer.description().fields;
    for (std::size_t i = 0; i < fields.size(); ++i)
        if (detail::holds(layer, i)) c.keywords.emplace_back(fields[i].name, value_of(layer, i));
    return c;
}

namespace {

constexpr std::pair<std::string_view, std::string_view> quoted_names[] = {
    {"IP", "IPerror"},   {"IPv6", "IPerror6"},  {"TCP", "TCPerror"},
    {"UDP", "UDPerror"}, {"ICMP", "ICMPerror"}, {"SCTP", "SCTPerror"}};

/// Whether a quoted layer keeps its quoted name above this one, which is quoted too (in Scapy, a binding).
bool goes_on(std::string_view layer, layer_view const& lower) {
    auto below = detail::name_in_packet(lower);
    if (below == "IPerror") return layer != "IPv6";
    if (below == "IPerror6") return layer == "TCP" || layer == "UDP";
    if (layer == "IP") return below == "ICMP" || below == "ICMPerror";  // a quote inside of the quote
    return layer == "IPv6" && below.starts_with("ICMPv6");
}

}  // namespace

std::string_view name_of(layer_span const& span) {
    if (span.quoted)
        for (auto [plain, quoted] : quoted_names)
            if (span.layer->name == plain) return quoted;
    return span.layer->name;
}

std::string_view detail::name_in_packet(layer_view const& layer) {
    auto lower = layer.lower();
    bool is_inside = lower && lower.span().quoted;
    if (is_inside && !goes_on(layer.description().name, lower)) return layer.description().name;
    return name_of(layer.span());
}

bool detail::is_named_as_quoted(layer_view const& layer) {
    return name_in_packet(layer) != layer.description().name;
}

}  // namespace sonde::inline v0
