#include "registry.hpp"

#include <sonde/packet/layer.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace sonde {

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
    bool leading = true;
    for (auto const& f : fields) {
        bool movable = f.rule.present || f.rule.width || f.rule.phantom || f.width == 0;
        if (movable) leading = fixed = false;
        if (leading) {
            offsets.push_back(offset);
            offset += f.width;
        }
    }
    size = (offset + 7) / 8;
}

layer_description layer_description::with(layer_hooks other) const {
    auto form = *this;
    form.hooks = other;
    form.plain = &family();
    form.fixed = true;
    form.defaults.clear(), form.offsets.clear();
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

void registry::bind(layer_description const& lower, std::size_t field, std::uint64_t value,
                    layer_description const& upper, int first_octet) {
    auto& to = above_[{&lower, field, value}];
    auto same = [&](binding const& b) { return b.upper == &upper && b.first_octet == first_octet; };
    if (std::none_of(to.begin(), to.end(), same)) to.push_back({&upper, first_octet});
    auto& keys = dispatch_[&lower];
    if (std::find(keys.begin(), keys.end(), field) == keys.end()) keys.push_back(field);
    if (field != any_field) below_.emplace(std::pair(&lower, &upper), setting{field, value});
}

layer_description const* registry::next(layer_view const& lower, std::span<std::byte const> payload) const {
    auto keys = dispatch_.find(&lower.description());
    if (keys == dispatch_.end()) return nullptr;
    int first = payload.empty() ? -1 : std::to_integer<int>(payload.front());
    for (auto field : keys->second) {
        auto value = field == any_field ? 0 : lower.value(field).low;
        auto found = above_.find({&lower.description(), field, value});
        if (found == above_.end()) continue;
        for (auto const& b : found->second)
            if (b.first_octet < 0 || b.first_octet == first) return b.upper;
    }
    return nullptr;
}

setting const* registry::setting_for(layer_description const& lower, layer_description const& upper) const {
    auto found = below_.find(std::pair(&lower.family(), &upper.family()));
    return found == below_.end() ? nullptr : &found->second;
}

bool registry::tells_next(layer_description const& layer, std::size_t field) const {
    auto keys = dispatch_.find(&layer);
    return keys != dispatch_.end() && std::ranges::find(keys->second, field) != keys->second.end();
}

layer_description const* registry::find(std::string_view name) const {
    auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
}

bool register_layer(layer_description const& layer) {
    registry::instance().add(layer);
    return true;
}

void registry::bind(layer_description const& lower, std::string_view field, std::uint64_t value,
                    layer_description const& upper, int first_octet) {
    auto at = field.empty() ? any_field : lower.find(field);
    if (at == lower.fields.size())
        throw error(errc::no_such_field, std::string(lower.name) + " has no field " + std::string(field));
    bind(lower, at, value, upper, first_octet);
    // Answers come from the port that the probe went to.
    if (auto source = lower.find("sport"); field == "dport" && source < lower.fields.size())
        bind(lower, source, value, upper, first_octet);
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

}  // namespace sonde
