#include "reading.hpp"
#include "registry.hpp"

#include <sonde/packet/expression.hpp>
#include <sonde/packet/fuzz.hpp>
#include <sonde/packet/text.hpp>

#include <algorithm>

namespace sonde {
namespace {

using detail::fail;
using detail::kind_of;

constexpr std::size_t max_layers = 64;

[[noreturn]] void no_such_layer(literal const& at, std::string_view name) {
    std::vector<std::string_view> names;
    for (auto const* l : known_layers()) names.push_back(l->name);
    fail(errc::no_such_layer, at, "no layer {}{}", escape(name), detail::did_you_mean(name, names));
}

[[noreturn]] void no_such_field(literal const& at, layer_description const& layer, std::string_view name) {
    std::vector<std::string_view> names;
    names.reserve(layer.fields.size());
    for (auto const& f : layer.fields) names.push_back(f.name);
    auto hint = detail::did_you_mean(name, names);
    if (hint.empty()) hint = fmt::format(" (it has {})", fmt::join(names, ", "));
    fail(errc::no_such_field, at, "{} has no field \"{}\"{}", layer.name, escape(name), hint);
}

/// Raw("text"): a layer of nothing but bytes takes them without a name.
bool is_payload(layer_description const& layer) {
    return layer.fields.size() == 1 && layer.fields[0].kind == value_kind::octets;
}

/// Does something whose errors may not know where: they are told to be at `at` then.
template <class Make>
auto placed(literal const& at, Make const& make) try {
    return make();
} catch (error const& e) {
    std::string_view what = e.what();
    if (what.starts_with("column ") || at.column == 0) throw;
    fail(static_cast<errc>(e.code().value()), at, "{}",
         what.substr(0, what.rfind(": " + e.code().message())));
}

packet make_layer(literal::call const& call, literal const& at) {
    bool is_quoted = false;
    auto const* layer = find_layer(call.name, &is_quoted);
    if (!layer) no_such_layer(at, call.name);
    auto contents = layer->defaults;
    if (call.arguments.size() == 1 && call.keywords.empty() && is_payload(*layer)) {
        contents[0] = read_value(*layer, 0, call.arguments.front());
        return packet(*layer, contents);
    }
    if (!call.arguments.empty()) {  // as in Scapy: bytes to be read as this layer
        auto const* bytes = detail::octets_of(call.arguments.front());
        if (!bytes || call.arguments.size() > 1 || !call.keywords.empty())
            fail(errc::bad_expression, at, "{}(..) takes fields by name, or bytes to dissect", layer->name);
        if (bytes->empty()) return packet(*layer, contents, is_quoted);  // as in Scapy: nothing to read
        return detail::dissect_as(std::as_bytes(std::span(*bytes)), *layer, is_quoted);
    }
    std::uint64_t seen = 0;
    for (auto const& [name, value] : call.keywords) {
        auto field = layer->find(name);
        if (field == layer->fields.size()) no_such_field(value, *layer, name);
        if (seen >> field & 1) fail(errc::bad_expression, value, "{}.{} is given twice", layer->name, name);
        seen |= std::uint64_t(1) << field;
        contents[field] = placed(value, [&] { return read_value(*layer, field, value, &call); });
    }
    return placed(at, [&] { return packet(*layer, contents, is_quoted); });
}

packet make_fuzzed(literal::call const& call, literal const& at) {
    if (call.arguments.size() != 1 || !call.keywords.empty())
        fail(errc::bad_expression, at, "fuzz(..) takes one packet");
    return fuzz(make_packet(call.arguments.front()));
}

void append(packet& to, literal const& part) {
    if (to.layers().size() >= max_layers)
        fail(errc::bad_expression, part, "more than {} layers on one another", max_layers);
    if (auto const* stack = part.as<literal::stack>())
        for (auto const& layer : stack->layers) append(to, layer);
    else if (auto const* call = part.as<literal::call>())
        to /= call->name == "fuzz" ? make_fuzzed(*call, part) : make_layer(*call, part);
    else if (auto const* bytes = detail::octets_of(part))
        to /= packet(std::string_view(*bytes));
    else
        fail(errc::bad_expression, part, "a layer was expected, not {}", kind_of(part));
}

}  // namespace

packet make_packet(literal const& expression) {
    packet p;
    append(p, expression);
    return p;
}

packet parse_packet(std::string_view text) {
    return make_packet(parse_literal(text));
}

std::vector<packet> parse_packets(std::string_view text) {
    auto value = parse_literal(text);
    std::vector<packet> packets;
    auto const* list = value.as<literal::list>();
    if (!list) packets.push_back(make_packet(value));
    if (list)
        for (auto const& item : list->items) packets.push_back(make_packet(item));
    return packets;
}

}  // namespace sonde
