#include <sonde/packet/escape.hpp>
#include <sonde/packet/format.hpp>

#include <algorithm>

namespace sonde::inline v0::detail {

std::string field_text(value_kind kind, unsigned width, value_names names, field_content const& content,
                       std::uint64_t automatic_value) {
    layer_description layer;
    auto& f = layer.fields.emplace_back();
    f.kind = kind;
    f.width = static_cast<std::uint16_t>(width);
    if (kind == value_kind::flags)
        f.names = names;  // other names are for show(): numbers compare and compute
    if (content.state != field_state::computed) {
        auto value = value_of(layer, 0, content);
        auto const* bytes = value.as<literal::bytes>();
        return bytes ? escape(bytes->value) : shown_text(layer, 0, value);
    }
    field_content c;
    c.state = field_state::single;
    c.first = {0, automatic_value};
    return kind == value_kind::octets ? std::string() : shown_text(layer, 0, value_of(layer, 0, c));
}

}  // namespace sonde::inline v0::detail

fmt::format_context::iterator fmt::formatter<sonde::packet>::format(sonde::packet const& p,
                                                                    fmt::format_context& context) const {
    auto text = style_ == 's'   ? sonde::show(p)
                : style_ == 'h' ? sonde::hexdump(p.build())
                : style_ == 'c' ? sonde::command(p)
                                : sonde::summary(p);
    return std::copy(text.begin(), text.end(), context.out());
}

fmt::format_context::iterator fmt::formatter<sonde::octets>::format(sonde::octets const& bytes,
                                                                    fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(sonde::escape(bytes.value), context);
}
