#include "layer_name.hpp"

#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace sonde::inline v0 {
namespace {

constexpr std::size_t any_field = ~std::size_t(0);

std::string_view octets_in(field_content const& c) {
    return c.texts.empty() ? c.bytes : std::string_view(c.texts.front());
}

bool is_default(layer_view const& layer, std::size_t field) {
    if (layer.description().fields[field].rule.phantom) return true;
    auto here = detail::content_of(layer, field);
    auto const& usual = layer.description().defaults[field];
    return here.state == field_state::single && usual.state == field_state::single &&
           here.first == usual.first && octets_in(here) == octets_in(usual);
}

/// As Scapy: an empty list goes without saying. Not where the default is another one.
bool is_left_out(layer_description const& layer, std::size_t field, literal const& value) {
    auto const* list = value.as<literal::list>();
    return list && list->items.empty() && octets_in(layer.defaults[field]).empty();
}

literal raw(std::string_view name, std::span<std::byte const> bytes) {
    literal::bytes load{{reinterpret_cast<char const*>(bytes.data()), bytes.size()}};
    return literal::call{std::string(name), {}, {{"load", std::move(load)}}};
}

bool has_set(layer_view const& layer, std::size_t field = any_field) {
    auto const& p = layer.packet();
    for (std::size_t k = 0; k < p.set_count; ++k)
        if (p.sets[k].layer == layer.index() && (field == any_field || p.sets[k].field == field)) return true;
    return false;
}

/// The automatic fields that the bytes do not tell anyway.
std::uint64_t automatic_of(layer_span const& span) {
    auto automatic = span.automatic;
    for (std::size_t i = 0; i < span.layer->fields.size(); ++i)
        if (span.layer->fields[i].rule.encloses) automatic &= ~(std::uint64_t(1) << i);
    return automatic;
}

/// A layer with nothing automatic prints whole, as a dissected one does; else what is not said already by its
/// defaults.
literal fields_that_matter(layer_view const& layer) {
    auto const& description = layer.description();
    bool whole = automatic_of(layer.span()) == 0;
    literal::call c{std::string(detail::name_in_packet(layer)), {}, {}};
    for (std::size_t i = 0; i < description.fields.size(); ++i) {
        bool is_set = has_set(layer, i);  // for other packets of the set than the first, perhaps
        if (!is_set && (layer.span().automatic >> i & 1 || !detail::holds(layer, i))) continue;
        auto value = value_of(layer, i);
        bool told =
            whole && description.fields[i].options && description.fields[i].options->chain;  // as None
        if ((is_left_out(description, i, value) && !told) || (!whole && is_default(layer, i))) continue;
        c.keywords.emplace_back(description.fields[i].name, std::move(value));
    }
    return c;
}

/// `A(..)/B(..)`, as Scapy keeps DNS records; None for none.
literal as_chain(literal const& list) {
    auto const* l = list.as<literal::list>();
    bool layers =
        l && std::ranges::all_of(l->items, [](auto const& e) { return e.template as<literal::call>(); });
    if (!layers) return list;
    if (l->items.empty()) return {};
    if (l->items.size() == 1) return l->items.front();
    return literal::stack{l->items};
}

/// A domain name is bytes to Scapy, which has no escapes in them: those that hold a dot or a backslash inside
/// a label stay text.
literal as_bytes(literal const& name) {
    auto const* text = name.as<std::string>();
    if (!text) return name;
    std::string octets;
    for (std::string_view rest = *text; !rest.empty();) {
        constexpr std::size_t escape = 4;  // a backslash and three digits
        bool escaped = rest.front() == '\\';
        unsigned octet = static_cast<unsigned char>(rest.front());
        if (escaped &&
            (rest.size() < escape || std::from_chars(&rest[1], &rest[1] + 3, octet).ptr != &rest[1] + 3))
            return name;
        octets += static_cast<char>(octet);
        rest.remove_prefix(escaped ? escape : 1);
    }
    return literal::bytes{std::move(octets)};
}

/// ASN1_NULL(0), and times, Decimal('1.5').
void spell_number(literal& value, std::string_view type) {
    auto const* n = value.as<std::uint64_t>();
    if (value.as<literal::none>())
        value = std::uint64_t(0);
    else if (n && type == "Decimal")
        value = std::to_string(*n);
}

/// Scapy's spelling: list fields stand before the others.
void spell_as_scapy(literal& value) {
    if (auto* list = std::get_if<literal::list>(&value.value))
        for (auto& item : list->items) spell_as_scapy(item);
    auto* call = std::get_if<literal::call>(&value.value);
    auto const* layer = call ? find_layer(call->name) : nullptr;
    if (!layer) return;
    auto codec = [&](std::string const& name) -> option_codec const* {
        auto field = layer->find(name);
        return field < layer->fields.size() ? layer->fields[field].options : nullptr;
    };
    for (auto& [name, item] : call->keywords) {
        spell_as_scapy(item);
        auto const* c = codec(name);
        if (c && c->chain) item = as_chain(item);
        auto* type = std::get_if<literal::call>(&item.value);
        if (type && c && c->typed)
            for (auto& a : type->arguments) spell_number(a, type->name);
        auto const* text = item.as<std::string>();
        bool is_name = text && !ipv4::parse(*text) && !ipv6::parse(*text) && text->ends_with('.');
        if (c && (c->one || (c->text && is_name))) item = as_bytes(item);
    }
    std::erase_if(call->keywords, [&](auto const& k) {
        auto field = layer->find(k.first);
        return field < layer->fields.size() && is_left_out(*layer, field, k.second);
    });
    decltype(call->keywords) lists, others;
    for (auto& keyword : call->keywords) {
        auto const* c = codec(keyword.first);
        if (c && !c->chain && is_left_out(*layer, layer->find(keyword.first), keyword.second)) continue;
        (c && c->leads ? lists : others).push_back(std::move(keyword));
    }
    std::ranges::move(others, std::back_inserter(lists));
    call->keywords = std::move(lists);
}

/// True when the call makes the very header that it was made from.
bool tells_all(literal const& call, layer_view const& layer) try {
    auto again = make_packet(call);
    return std::ranges::equal(again.view().bytes, layer.header()) &&
           automatic_of(again.layers().front()) == automatic_of(layer.span());
} catch (error const&) {
    return false;
}

/// The same with lists as the bytes that they lie in: compressed names cannot be told otherwise.
literal with_encoded_lists(literal value, layer_view const& layer) {
    auto& call = std::get<literal::call>(value.value);
    auto const& description = layer.description();
    for (auto& [name, item] : call.keywords) {
        auto field = description.find(name);
        if (!description.fields[field].options || description.fields[field].options->one) continue;
        item = literal::bytes{std::string(detail::content_of(layer, field).bytes)};
    }
    return value;
}

/// Entries of two bytes take over twenty times as much text: no frame may print as more than can be read
/// back.
bool is_brief(literal const& call, layer_view const& layer) {
    return to_python(call).size() <= (std::size_t(4) << 10) + 8 * layer.header().size();
}

literal expression_of(layer_view const& layer) {
    auto const& span = layer.span();
    if (span.truncated) return raw("Raw", layer.header());
    auto call = fields_that_matter(layer);
    if (has_set(layer) || (is_brief(call, layer) && tells_all(call, layer))) return call;
    auto encoded = with_encoded_lists(std::move(call), layer);
    return tells_all(encoded, layer) ? encoded : raw("Raw", layer.header());
}

}  // namespace

std::string command(packet const& p) {
    packet const settled(p);  // NOLINT(performance-unnecessary-copy-initialization): a copy has no edits
    literal::stack stack;
    for (std::size_t i = 0; i < settled.layers().size(); ++i)
        spell_as_scapy(stack.layers.emplace_back(expression_of({settled.view(), i})));
    return to_python(stack);
}

}  // namespace sonde::inline v0
