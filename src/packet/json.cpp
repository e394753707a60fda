#include "layer_name.hpp"
#include "printable.hpp"

#include <sonde/packet/escape.hpp>
#include <sonde/packet/json.hpp>
#include <sonde/packet/text.hpp>

#include <algorithm>

namespace sonde::inline v0 {
namespace {

void append_value(std::string& out, literal const& value, field_description const* field);

void append_items(std::string& out, std::vector<literal> const& items, field_description const* field) {
    out += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += ',';
        append_value(out, items[i], field);
    }
    out += ']';
}

void append_layer_name(std::string& out, std::string_view name) {
    out += "{\"layer\":";
    detail::append_json_quoted(out, name);
    out += ",\"fields\":{";
}

void append_field(std::string& out, std::string_view name, literal const& value,
                  field_description const* field) {
    if (out.back() != '{') out += ',';
    detail::append_json_quoted(out, name);
    out += ':';
    append_value(out, value, field);
}

/// A layer inside a field; other calls (`RandShort()`) as text.
void append_call(std::string& out, literal::call const& call, literal const& value) {
    auto const* layer = find_layer(call.name);
    if (!layer) return detail::append_json_quoted(out, to_python(value));
    append_layer_name(out, call.name);
    for (auto const& [name, item] : call.keywords) {
        auto field = layer->find(name);
        append_field(out, name, item, field < layer->fields.size() ? &layer->fields[field] : nullptr);
    }
    out += "}}";
}

/// `field`: the field that the value is of, for flags; null inside option lists.
void append_value(std::string& out, literal const& value, field_description const* field) {
    bool is_flags = field && field->kind == value_kind::flags;
    auto const* inner = field && field->options ? nullptr : field;
    if (auto const* n = value.as<std::uint64_t>()) {
        is_flags ? detail::append_json_quoted(out, detail::flags_text(field->names, *n))
                 : static_cast<void>(out += std::to_string(*n));
    } else if (auto const* i = value.as<std::int64_t>()) {
        out += std::to_string(*i);
    } else if (auto const* b = value.as<bool>()) {
        out += *b ? "true" : "false";
    } else if (auto const* s = value.as<std::string>()) {
        detail::append_json_quoted(out, *s);
    } else if (auto const* octets = value.as<literal::bytes>()) {
        out += "{\"hex\":\"";
        detail::append_hex(out, octets->value);
        out += "\"}";
    } else if (auto const* l = value.as<literal::list>()) {
        append_items(out, l->items, inner);
    } else if (auto const* t = value.as<literal::tuple>()) {
        append_items(out, t->items, inner);
    } else if (auto const* c = value.as<literal::call>()) {
        bool typed = field && field->options && field->options->typed && c->arguments.size() == 1;
        typed ? append_value(out, c->arguments[0], nullptr) : append_call(out, *c, value);
    } else if (auto const* layers = value.as<literal::stack>()) {
        append_items(out, layers->layers, nullptr);
    } else {
        out += "null";
    }
}

void append_bytes(std::string& out, std::string_view layer, std::span<std::byte const> bytes) {
    append_layer_name(out, layer);
    append_field(out, "load", literal::bytes{{reinterpret_cast<char const*>(bytes.data()), bytes.size()}},
                 nullptr);
    out += "}}";
}

void append_layer(std::string& out, layer_view const& layer) {
    if (detail::is_unreadable(layer)) return append_bytes(out, "Raw", layer.header());
    append_layer_name(out, detail::name_in_packet(layer));
    auto const& fields = layer.description().fields;
    for (std::size_t i = 0; i < fields.size(); ++i)
        if (detail::holds(layer, i)) append_field(out, fields[i].name, value_of(layer, i), &fields[i]);
    out += "}}";
}

void append_layers(std::string& out, packet_view const& view, std::size_t first, std::size_t last) {
    for (auto i = first; i < last; ++i) {
        if (out.back() != '[') out += ',';
        append_layer(out, {view, i});
    }
}

/// The first layer that lies behind the quote of an ICMP error; the number of layers without.
std::size_t first_extension(packet_view const& view) {
    auto behind = [](layer_span const& span) { return span.layer->hooks.behind_quote; };
    return static_cast<std::size_t>(std::ranges::find_if(view.layers, behind) - view.layers.begin());
}

std::string layers_of(packet_view const& view) {
    std::string out = "[";
    auto extension = first_extension(view), last = extension;
    if (extension == view.layers.size()) {
        append_layers(out, view, 0, last);
    } else {
        // The padding of the quote and all behind it: what Scapy sees there by itself.
        if (last > 0 && view.layers[last - 1].layer->name == "Padding") --last;
        append_layers(out, view, 0, last);
        if (last > 0) out += ',';
        append_bytes(out, "Padding", view.bytes.subspan(view.layers[last].begin));
    }
    return out += ']';
}

}  // namespace

std::string layers_to_json(packet const& p) {
    return layers_of(detail::printable(p).told());
}

std::string to_json(packet const& p) {
    detail::printable const printable(p);
    auto view = printable.told();
    auto out = "{\"layers\":" + layers_of(view);
    if (auto extension = first_extension(view); extension < view.layers.size()) {
        out += ",\"extensions\":[";
        append_layers(out, view, extension, view.layers.size());
        out += ']';
    }
    return out += '}';
}

}  // namespace sonde::inline v0
