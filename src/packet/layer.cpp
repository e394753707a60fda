#include "registry.hpp"

#include <sonde/packet/layer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <ranges>
#include <utility>

namespace sonde::inline v0 {

void layer_description::finish() {
    if (fields.size() > 64) throw_error(errc::header_too_long, "a layer has more than 64 fields");
    for (auto& f : fields)
        for (auto const& r : hooks.rules)
            if (r.field == f.name) {
                f.rule = r;
                if (!r.names.empty()) f.names = r.names;
                if (r.octets) f.width = static_cast<std::uint16_t>(8 * r.octets);
            }
    auto storage = std::make_unique<std::byte[]>(struct_size);
    if (construct) construct(storage.get());
    for (auto const& f : fields) {
        auto& c = defaults.emplace_back();
        if (construct) f.read(storage.get(), c);
        if (!c.bytes.empty()) c.texts = {std::string(std::exchange(c.bytes, {}))};
    }
    std::uint32_t offset = 0;
    bool at_start = true;
    identities = 0;
    for (std::size_t i = 0; i < fields.size(); ++i)
        if (fields[i].rule.identity != identity_part::none) identities |= std::uint64_t(1) << i;
    for (auto const& f : fields) {
        bool movable = f.rule.present || f.rule.width || f.rule.phantom || f.width == 0;
        if (movable) at_start = fixed = false;
        shaped |= f.rule.present || f.rule.width || f.rule.phantom;
        if (at_start) {
            offsets.push_back(offset);
            offset += f.width;
        }
    }
    leading = offsets.size();
    size = (offset + 7) / 8;
    measured = std::ranges::any_of(fields, [](field_description const& f) {
        return !f.rule.counts.empty() || f.rule.measures || f.rule.encloses || f.rule.cut_to > 1;
    });
    simple = !measured && !hooks.form && !hooks.padding_before && hooks.multiple_of == 1 &&
             std::ranges::all_of(fields | std::views::drop(leading), [](field_description const& f) {
                 return f.options && !f.rule.present && f.rule.aligned == 1;
             });
}

layer_description layer_description::with(layer_hooks other) const {
    auto form = *this;
    form.hooks = other;
    form.plain = &family();
    form.fixed = true, form.shaped = false;
    form.defaults.clear(), form.offsets.clear();
    form.carried = nullptr;
    for (auto& f : form.fields) f.rule = {};
    form.finish();
    return form;
}

std::size_t layer_description::find(std::string_view field) const {
    auto at = std::find_if(fields.begin(), fields.end(), [&](auto const& f) { return f.name == field; });
    return static_cast<std::size_t>(at - fields.begin());
}

namespace detail {

registry& registry::instance() {
    static registry r;
    static bool const built_in = (register_built_in_layers(r), true);
    (void)built_in;
    return r;
}

void registry::add(layer_description const& layer) {
    if (by_name_.emplace(layer.name, &layer).second) order_.push_back(&layer);
}

namespace {

std::size_t place_of(layer_description const& layer, std::string_view field) {
    auto at = layer.find(field);
    if (at == layer.fields.size())
        throw error(errc::no_such_field, std::string(layer.name) + " has no field " + std::string(field));
    return at;
}

void add_once(std::vector<std::size_t>& to, std::size_t field) {
    if (std::ranges::find(to, field) == to.end()) to.push_back(field);
}

}  // namespace

void registry::add_binding(layer_description const& lower, setting const& looked_up, binding b) {
    auto& all = above_[&lower];
    lower.carried = &all;
    auto at = std::ranges::find(all.fields, looked_up.field, &carried_layers::by_field::field);
    if (at == all.fields.end()) at = all.fields.insert(at, {.field = looked_up.field});
    // Behind those of its digest: the first that fits counts.
    auto* last = &at->first[carried_layers::digest(looked_up.value)];
    for (; *last != 0; last = &at->candidates[*last - 1].next)
        if (auto const& c = at->candidates[*last - 1]; c.value == looked_up.value && c.what == b) return;
    *last = static_cast<std::uint32_t>(at->candidates.size() + 1);
    at->candidates.push_back({looked_up.value, std::move(b)});
}

layer_description const* registry::next(layer_view const& lower, std::span<std::byte const> payload) {
    auto const* all = lower.description().carried;
    if (!all) return nullptr;
    int first = payload.empty() ? -1 : std::to_integer<int>(payload.front());
    for (auto const& told : all->fields) {
        auto value = told.field == any_field ? 0 : lower.value(told.field).low;
        for (auto i = told.first[carried_layers::digest(value)]; i != 0; i = told.candidates[i - 1].next) {
            auto const& c = told.candidates[i - 1];
            bool fits = c.value == value && (c.what.first_octet < 0 || c.what.first_octet == first);
            for (auto const& also : c.what.also) fits = fits && lower.value(also.field).low == also.value;
            if (fits) return c.what.upper;
        }
    }
    return nullptr;
}

std::span<setting const> registry::settings_for(layer_description const& lower,
                                                layer_description const& upper) const {
    auto found = below_.find(std::pair(&lower.family(), &upper.family()));
    if (found == below_.end()) return {};
    return found->second;
}

bool registry::tells_next(layer_description const& layer, std::size_t field) const {
    auto found = told_.find(&layer);
    return found != told_.end() && std::ranges::find(found->second, field) != found->second.end();
}

bool registry::is_optional(layer_description const& layer, std::size_t field) const {
    auto found = optional_.find(&layer);
    return found != optional_.end() && std::ranges::find(found->second, field) != found->second.end();
}

layer_description const* registry::find(std::string_view name) const {
    auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
}

bool register_layer(layer_description const& layer) {
    registry::instance().add(layer);
    return true;
}

namespace {

/// Whatever number the field cannot hold would never be met.
void check_binding(layer_description const& lower, std::string_view field, std::uint64_t value) {
    auto const& f = lower.fields[place_of(lower, field)];
    if (f.width > 0 && f.width < 64 && value >> f.width != 0)
        throw error(errc::value_out_of_range, fmt::format("a layer is bound to {}.{} {}, which has {} bits",
                                                          lower.name, field, value, f.width));
}

}  // namespace

void registry::bind(layer_description const& lower, std::string_view field, std::uint64_t value,
                    layer_description const& upper, int first_octet) {
    if (!field.empty()) check_binding(lower, field, value);
    bool is_first = !below_.contains(std::pair(&lower, &upper));
    add_binding(lower, {field.empty() ? any_field : place_of(lower, field), value}, {&upper, first_octet});
    if (!field.empty() && is_first) tell(lower, {{field, value}}, upper);
    // Answers come from the port that the probe went to.
    if (auto source = lower.find("sport"); field == "dport" && source < lower.fields.size())
        add_binding(lower, {source, value}, {&upper, first_octet});
}

void registry::bind(layer_description const& lower, std::initializer_list<field_value> fields,
                    layer_description const& upper) {
    bool is_first = !below_.contains(std::pair(&lower, &upper));
    binding b{&upper, -1};
    for (auto const& f : fields) b.also.push_back({place_of(lower, f.field), f.value});
    auto looked_up = b.also.front();
    b.also.erase(b.also.begin());
    add_binding(lower, looked_up, std::move(b));
    if (is_first) tell(lower, fields, upper);
}

void registry::set(layer_description const& lower, std::initializer_list<field_value> fields,
                   layer_description const& upper) {
    for (auto const& f : fields) add_once(optional_[&lower], place_of(lower, f.field));
    tell(lower, fields, upper);
}

void registry::tell(layer_description const& lower, std::initializer_list<field_value> fields,
                    layer_description const& upper) {
    for (auto const& f : fields) {
        auto at = place_of(lower, f.field);
        below_[std::pair(&lower, &upper)].push_back({at, f.value});
        add_once(told_[&lower], at);
    }
}

bool bind(layer_description const& lower, std::string_view field, std::uint64_t value,
          layer_description const& upper, int first_octet) {
    registry::instance().bind(lower, field, value, upper, first_octet);
    return true;
}

}  // namespace detail

std::vector<layer_description const*> known_layers() {
    return detail::registry::instance().layers();
}

layer_description const* find_layer(std::string_view name, bool* is_quoted) {
    if (is_quoted) *is_quoted = false;
    auto const& r = detail::registry::instance();
    if (name == "NTP") name = "NTPHeader";  // Scapy has both
    if (auto const* found = r.find(name)) return found;
    if (name == "IPerror6") name = "IPv6error";
    if (!name.ends_with("error")) return nullptr;
    if (is_quoted) *is_quoted = true;
    return r.find(name.substr(0, name.size() - 5));
}

}  // namespace sonde::inline v0
