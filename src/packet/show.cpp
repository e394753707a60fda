#include "layer_name.hpp"
#include "printable.hpp"

#include <sonde/packet/build.hpp>
#include <sonde/packet/escape.hpp>
#include <sonde/packet/text.hpp>

#include <fmt/format.h>

namespace sonde::inline v0 {
namespace {

constexpr std::size_t name_width = 10;

void append_title(std::string& out, std::string_view indent, std::string_view title) {
    fmt::format_to(std::back_inserter(out), "{}###[ {} ]### \n", indent, title);
}

void append_field(std::string& out, std::string_view indent, std::string_view name, std::string_view text) {
    out.append(indent).append("  ").append(name);
    if (name.size() < name_width) out.append(name_width - name.size(), ' ');
    out.append("= ").append(text) += '\n';
}

bool holds_layers(field_description const& f, literal const& value) {
    auto const* list = value.as<literal::list>();
    // Scapy has no list of records where there is none.
    return f.options && f.options->layers && !(f.options->chain && list && list->items.empty());
}

void append_nested(std::string& out, std::string const& indent, field_description const& f,
                   literal const& value);

void append_fields(std::string& out, std::string const& indent, layer_description const& layer,
                   literal::call const& call) {
    for (auto const& [key, item] : call.keywords) {
        auto const field = layer.find(key);
        auto const& f = layer.fields[field];
        if (holds_layers(f, item))
            append_nested(out, indent, f, item);
        else
            append_field(out, indent, key, detail::shown_text(layer, field, item));
    }
}

/// Layers inside a field: IP options, behind a bar of their own.
void append_nested(std::string& out, std::string const& indent, field_description const& f,
                   literal const& value) {
    fmt::format_to(std::back_inserter(out), "{}  \\{:<{}}\\\n", indent, f.name, name_width);
    auto const* entries = value.as<literal::list>();
    auto const bar = indent + "   |";
    for (auto const& entry : entries ? entries->items : std::vector<literal>{value}) {
        auto const* call = entry.as<literal::call>();
        auto const* layer = call ? find_layer(call->name) : nullptr;
        if (!layer) {
            fmt::format_to(std::back_inserter(out), "{}  {}\n", bar, to_python(entry));
            continue;
        }
        append_title(out, bar, layer->title());
        append_fields(out, bar, *layer, *call);
    }
}

std::string title_of(layer_view const& layer) {
    auto const& description = layer.description();
    if (!detail::is_named_as_quoted(layer)) return std::string(description.title());
    return fmt::format("{} in {}", description.name, description.name == "IPv6" ? "ICMPv6" : "ICMP");
}

void append_raw(std::string& out, std::string const& indent, std::span<std::byte const> bytes) {
    std::string text;
    detail::append_python_quoted(text, {reinterpret_cast<char const*>(bytes.data()), bytes.size()});
    append_title(out, {}, "Raw");
    append_field(out, indent, "load", text);
}

void append_layer(std::string& out, std::string const& indent, layer_view const& layer,
                  layer_view const& told) {
    if (detail::is_unreadable(layer)) return append_raw(out, indent, layer.header());
    auto const& description = layer.description();
    append_title(out, {}, title_of(layer));
    for (std::size_t i = 0; i < description.fields.size(); ++i) {
        if (!detail::holds(layer, i)) continue;
        auto const& f = description.fields[i];
        auto value = detail::is_computed_late(layer, i) ? literal() : value_of(told, i);
        if (holds_layers(f, value))
            append_nested(out, indent, f, value);
        else if (f.options && f.options->chain)
            append_field(out, indent, f.name, "None");
        else
            append_field(out, indent, f.name, detail::shown_text(told, i, value));
    }
}

}  // namespace

detail::printable::printable(packet const& p) : settled_(p) {
    auto v = settled_.view();
    bytes_.assign(v.bytes.begin(), v.bytes.end());
    try {
        finish(bytes_, v.layers);
    } catch (error const&) {  // what cannot be built can still be looked at
        bytes_.assign(v.bytes.begin(), v.bytes.end());
    }
    told_.assign(v.layers.begin(), v.layers.end());
    for (auto& span : told_) span.automatic = 0;
}

/// Lines of many small entries far inside take many times their bytes: behind so much text the rest is left
/// out.
constexpr std::size_t most_text(std::size_t bytes) {
    return (std::size_t(64) << 10) + 16 * bytes;
}

std::string show(packet const& p) {
    detail::printable const printable(p);
    auto view = printable.view(), told = printable.told();
    std::string out, indent;
    for (std::size_t i = 0; i < view.layers.size(); ++i) {
        append_layer(out, indent, {view, i}, {told, i});
        if (auto most = most_text(view.bytes.size()); out.size() > most) {
            out.resize(out.rfind('\n', most) + 1);
            return out += "...\n";
        }
        indent += "   ";
    }
    return out;
}

std::string hexdump(std::span<std::byte const> bytes) {
    constexpr std::size_t row = 16;
    constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    auto to = std::back_inserter(out);
    for (std::size_t at = 0; at < bytes.size(); at += row) {
        auto line = bytes.subspan(at, std::min(row, bytes.size() - at));
        fmt::format_to(to, "{}{:04x}  ", at ? "\n" : "", at);
        for (auto b : line) {
            auto octet = std::to_integer<unsigned>(b);
            out += {digits[octet >> 4], digits[octet & 15], ' '};
        }
        out.append(3 * (row - line.size()), ' ');
        out += ' ';
        for (auto b : line) {
            auto c = std::to_integer<char>(b);
            out += c >= 0x20 && c < 0x7f ? c : '.';
        }
    }
    return out;
}

}  // namespace sonde::inline v0
