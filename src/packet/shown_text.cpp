#include "reading.hpp"
#include "registry.hpp"

#include <sonde/packet/escape.hpp>
#include <sonde/packet/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace sonde::inline v0::detail {
namespace {

/// A field's values as text, with the names that hold in its header.
class shown_value {
public:
    shown_value(field_description const& f, value_names names, std::span<std::byte const> header = {})
        : field_(f), names_(names), header_(header) {}

    std::string text(literal const& value) const {
        if (field_.rule.show) return field_.rule.show(usual(value), value, header_);
        return usual(value);
    }

private:
    std::string usual(literal const& value) const {
        if (field_.options && field_.options->show && value.as<literal::list>())
            return field_.options->show(value);
        if (auto const* n = value.as<std::uint64_t>()) return number(*n);
        if (auto const* s = value.as<std::string>()) return is_name(*s) ? quoted(*s) : escape(*s);
        if (auto const* l = value.as<literal::list>()) return items(l->items, "[]");
        if (auto const* t = value.as<literal::tuple>()) return items(t->items, "()");
        if (auto const* b = value.as<literal::bytes>()) return quoted(padding_cut(b->value));
        auto const* c = value.as<literal::call>();
        if (c && field_.options && field_.options->typed && c->arguments.size() == 1) return typed(*c);
        return to_python(value);
    }

    /// A domain name, which ends with a dot.
    bool is_name(std::string_view text) const {
        return field_.kind == value_kind::options && text.ends_with('.');
    }
    /// Text in a field of fixed length ends where its zeros begin.
    std::string_view padding_cut(std::string_view bytes) const {
        return field_.rule.octets ? bytes.substr(0, bytes.find_last_not_of('\0') + 1) : bytes;
    }
    static std::string quoted(std::string_view text) {
        std::string out;
        append_python_quoted(out, text);
        return out;
    }
    std::string_view name_of(std::uint64_t n) const {
        for (auto const& name : names_)
            if (name.value == n) return name.name;
        return {};
    }
    std::string number(std::uint64_t n) const {
        if (field_.kind == value_kind::flags) return flags_text(names_, n);
        if (auto name = name_of(n); !name.empty()) return std::string(name);
        return field_.rule.hexadecimal ? fmt::format("{:#x}", n) : fmt::format("{}", n);
    }
    /// `'v2c' 0x1 <ASN1_INTEGER[1]>`: name, hexadecimal, type and value.
    std::string typed(literal::call const& c) const {
        std::string out;
        auto const& value = c.arguments[0];
        if (c.name == "Decimal") return usual(value);
        if (auto const* n = value.as<std::uint64_t>()) {
            if (auto name = name_of(*n); !name.empty()) out += quoted(name) + " ";
            out += fmt::format("{:#x} ", *n);
        } else if (auto const* i = value.as<std::int64_t>()) {
            out += fmt::format("-{:#x} ", 0 - static_cast<std::uint64_t>(*i));
        }
        return out + fmt::format("<{}[{}]>", c.name, value.as<literal::none>() ? "0" : to_python(value));
    }
    /// As Python writes it, names quoted: `['ssh', 'http', 1024]`.
    std::string item(literal const& value) const {
        auto const* n = value.as<std::uint64_t>();
        if (auto const* s = value.as<std::string>(); s && field_.kind == value_kind::options)
            return is_name(*s) ? quoted(*s) : escape(*s);
        if (!n || field_.kind == value_kind::options) return to_python(value);
        bool is_name = field_.kind == value_kind::flags || !name_of(*n).empty();
        return is_name ? quoted(number(*n)) : number(*n);
    }
    std::string items(std::vector<literal> const& all, std::string_view brackets) const {
        std::string out(1, brackets[0]);
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (i > 0) out += ", ";
            out += item(all[i]);
        }
        return out += brackets[1];
    }

    field_description const& field_;
    value_names names_;
    std::span<std::byte const> header_;
};

}  // namespace

bool are_letters(value_names flags) {
    return std::ranges::all_of(flags, [](auto const& flag) { return flag.name.size() == 1; });
}

std::string flags_text(value_names names, std::uint64_t flags) {
    bool letters = are_letters(names);
    std::string out;
    for (auto const& n : names)
        if (flags & n.value) {
            if (!letters && !out.empty()) out += '+';
            out += n.name;
        }
    return out;
}

std::string shown_text(layer_description const& layer, std::size_t field, literal const& value) {
    auto const& f = layer.fields[field];
    return shown_value(f, f.names).text(value);
}

std::string shown_text(layer_view const& layer, std::size_t field, literal const& value) {
    auto const& f = layer.description().fields[field];
    auto names = f.rule.names_here ? f.rule.names_here(layer.header()) : f.names;
    return shown_value(f, names, layer.header()).text(value);
}

std::string shown_text(layer_view const& layer, std::size_t field) {
    return shown_text(layer, field, value_of(layer, field));
}

bool is_unreadable(layer_view const& layer) {
    if (!layer.span().truncated) return false;
    auto const& description = layer.description();
    auto bits = 8 * layer.header().size();
    if (auto length = description.find("len"); length < description.fields.size() && !holds(layer, length))
        return true;
    for (std::size_t i = 0; i < description.fields.size(); ++i) {
        auto where = locate(description, i, layer.header());
        if (where.offset < bits && where.offset + where.width > bits) return true;
    }
    return false;
}

bool is_computed_late(layer_view const& layer, std::size_t field) {
    auto const& f = layer.description().fields[field];
    return layer.span().automatic >> field & 1 && f.kind == value_kind::number &&
           f.rule.identity == identity_part::none && f.automatic_value == 0 &&
           !registry::instance().tells_next(layer.description(), field);
}

}  // namespace sonde::inline v0::detail
