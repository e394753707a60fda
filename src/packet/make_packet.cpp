#include "error_context.hpp"
#include "reading.hpp"
#include "registry.hpp"

#include <sonde/layers/dns.hpp>
#include <sonde/layers/fragment.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/fuzz.hpp>
#include <sonde/packet/text.hpp>

#include <algorithm>
#include <iterator>

namespace sonde::inline v0 {
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
    fail(static_cast<errc>(e.code().value()), at, "{}", detail::context_of(e));
}

/// How many layers the entries of a list are; nothing where some are bytes, which may be any number.
std::optional<std::uint64_t> entries_written(literal const& value) {
    if (auto const* l = value.as<literal::list>()) {
        std::uint64_t n = 0;
        for (auto const& item : l->items) {
            auto const more = item.as<literal::list>() ? std::nullopt : entries_written(item);
            if (!more) return {};
            n += *more;
        }
        return n;
    }
    if (auto const* s = value.as<literal::stack>()) return s->layers.size();
    return value.as<literal::call>() ? std::optional<std::uint64_t>(1) : std::nullopt;
}

/// Where entries tell wrong lengths, their list reads as others than were written: the written ones count.
void count_written(layer_description const& layer, std::vector<field_content>& contents,
                   literal::call const& call) {
    for (auto const& [name, value] : call.keywords) {
        auto const list = layer.find(name);
        auto const* codec = layer.fields[list].options;
        if (!codec || !codec->count || !codec->layers || contents[list].state != field_state::single)
            continue;
        auto n = entries_written(value);
        auto const& bytes = contents[list].texts;
        auto const read = bytes.empty() ? 0 : codec->count(std::as_bytes(std::span(bytes.front())));
        if (!n || *n == read) continue;
        for (std::size_t i = 0; i < layer.fields.size(); ++i) {
            auto const& counter = layer.fields[i];
            if (counter.rule.counts != name || contents[i].state != field_state::computed) continue;
            if (counter.rule.numbers_last && *n > 0) --*n;
            contents[i].state = field_state::single;
            contents[i].first = {0, std::min<std::uint64_t>(*n, (std::uint64_t(1) << counter.width) - 1)};
        }
    }
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
    for (std::size_t field = 0; field < layer->fields.size(); ++field) {
        auto left_out = layer->fields[field].rule.left_out;
        if (!left_out || (seen >> field & 1 && contents[field].state != field_state::computed)) continue;
        if (auto text = left_out(contents); !text.empty())
            contents[field] = read_value(*layer, field, literal(std::string(text)), &call);
    }
    count_written(*layer, contents, call);
    return placed(at, [&] { return packet(*layer, contents, is_quoted); });
}

/// Functions that make a packet of one.
constexpr std::pair<std::string_view, packet (*)(packet const&)> functions[] = {
    {"fuzz", [](packet const& p) { return fuzz(p); }}, {"dns_compress", dns_compress}};

packet make_call(literal::call const& call, literal const& at) {
    for (auto [name, function] : functions) {
        if (name != call.name) continue;
        if (call.arguments.size() != 1 || !call.keywords.empty())
            fail(errc::bad_expression, at, "{}(..) takes one packet", name);
        return function(make_packet(call.arguments.front()));
    }
    return make_layer(call, at);
}

void append(packet& to, literal const& part) {
    if (to.layers().size() >= max_layers)
        fail(errc::bad_expression, part, "more than {} layers on one another", max_layers);
    if (auto const* stack = part.as<literal::stack>())
        for (auto const& layer : stack->layers) append(to, layer);
    else if (auto const* call = part.as<literal::call>())
        to /= make_call(*call, part);
    else if (auto const* bytes = detail::octets_of(part))
        to /= packet(std::string_view(*bytes));
    else
        fail(errc::bad_expression, part, "a layer was expected, not {}", kind_of(part));
}

/// `fragment(packet, fragsize=1480)` and `fragment6(packet, fragSize)`, by place or by name.
std::vector<packet> make_fragments(literal::call const& call, literal const& at) {
    bool v6 = call.name == "fragment6";
    auto arguments = call.arguments;
    for (auto const& [name, value] : call.keywords) {
        bool is_size = name == "fragsize" || name == "fragSize";
        if (!is_size || arguments.size() != 1)
            fail(errc::bad_expression, value, "{}(packet, fragsize=N) takes no \"{}\" here", call.name,
                 escape(name));
        arguments.push_back(value);
    }
    if (arguments.empty() || arguments.size() > 2)
        fail(errc::bad_expression, at, "{}(packet, fragsize=N) takes a packet and a size", call.name);
    auto const* size = arguments.size() == 2 ? arguments[1].as<std::uint64_t>() : nullptr;
    if (arguments.size() == 2 && !size)
        fail(errc::bad_text, arguments[1], "fragsize is a number, not {}", kind_of(arguments[1]));
    auto const set = make_packet(arguments.front());
    if (!size) return v6 ? fragment6(set) : fragment(set);
    return v6 ? fragment6(set, *size) : fragment(set, *size);
}

void append(std::vector<packet>& to, literal const& value) {
    auto const* call = value.as<literal::call>();
    if (call && (call->name == "fragment" || call->name == "fragment6"))
        std::ranges::move(make_fragments(*call, value), std::back_inserter(to));
    else
        to.push_back(make_packet(value));
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
    if (!list) append(packets, value);
    if (list)
        for (auto const& item : list->items) append(packets, item);
    return packets;
}

}  // namespace sonde::inline v0
