#include "registry.hpp"

#include <sonde/packet/fuzz.hpp>

namespace sonde::inline v0 {
namespace {

/// Any value of the field's type; nothing for those that have no bound.
std::optional<field_content> anything(field_description const& f, unsigned width) {
    if (f.kind == value_kind::octets || f.kind == value_kind::options || width == 0) return {};
    constexpr auto ones = [](unsigned n) {
        return n >= 64 ? ~std::uint64_t(0) : (std::uint64_t(1) << n) - 1;
    };
    field_content c;
    c.state = field_state::interval;
    c.by_octet = f.kind == value_kind::mac;
    c.last = {width > 64 ? ones(width - 64) : 0, ones(width)};
    return c;
}

/// Automatic fields are computed, but for those that tell probes apart: these have defaults.
bool holds_default(layer_view const& layer, std::size_t field, field_content const& standard) {
    auto const& f = layer.description().fields[field];
    auto content = detail::content_of(layer, field);
    if (content.state == field_state::computed)
        return f.rule.identity != identity_part::none ||
               (f.kind == value_kind::number &&
                detail::registry::instance().is_optional(layer.description(), field));
    return content.state == field_state::single && standard.state == field_state::single &&
           content.first == standard.first;
}

}  // namespace

packet fuzz(packet p) {
    p = packet(p);  // a copy has no edits
    for (std::size_t i = 0; i < p.layers().size(); ++i) {
        auto const& description = *p.layers()[i].layer;
        for (std::size_t f = 0; f < description.fields.size(); ++f) {
            layer_view const layer(p.view(), i);
            if (!detail::holds(layer, f) || !holds_default(layer, f, description.defaults[f])) continue;
            auto width = locate(description, f, layer.header()).width;
            if (auto random = anything(description.fields[f], width)) p.set_content(i, f, std::move(*random));
        }
    }
    return p;
}

}  // namespace sonde::inline v0
