#include "sets.hpp"
#include "spares.hpp"
#include "wide.hpp"

#include <algorithm>
#include <limits>

namespace sonde::inline v0 {

using detail::join, detail::split, detail::varying_field, detail::wide;

namespace {

[[noreturn]] void too_large() {
    throw_error(errc::set_too_large, "a set of 2^64 packets or more");
}

}  // namespace

namespace detail {

std::uint64_t count_of(field_content const& c, unsigned width) {
    switch (c.state) {
        case field_state::list: {
            if (c.parts.empty()) return c.list.empty() ? c.texts.size() : c.list.size();
            if (!c.part_ends.empty()) return c.part_ends.back();
            std::uint64_t total = 0;
            for (auto const& part : c.parts)
                if (__builtin_add_overflow(total, count_of(part, width), &total)) too_large();
            return total;
        }
        case field_state::range: {
            if (c.step == 0) throw_error(errc::value_out_of_range, "range: step 0");
            auto n = (join(c.last) - join(c.first)) / c.step;
            if (n >= std::numeric_limits<std::uint64_t>::max()) too_large();
            return static_cast<std::uint64_t>(n) + 1;
        }
        case field_state::network: {
            auto open_bits = width - static_cast<unsigned>(c.step);
            if (open_bits >= 64) too_large();
            return std::uint64_t(1) << open_bits;
        }
        default: return 1;
    }
}

std::uint32_t drawn_bit(wire_value first, wire_value last, field_description const& f, std::size_t field) {
    if (first == last || field >= 32) return 0;
    address_class from{}, to{};
    if (f.kind == value_kind::ipv4)
        from = address_class_of(value_traits<ipv4>::from_wire(first)),
        to = address_class_of(value_traits<ipv4>::from_wire(last));
    else if (f.kind == value_kind::ipv6)
        from = address_class_of(value_traits<ipv6>::from_wire(first)),
        to = address_class_of(value_traits<ipv6>::from_wire(last));
    else
        return 0;
    bool as_one = from == to && from != address_class::unicast;
    return as_one ? 0 : std::uint32_t(1) << field;
}

std::pair<wire_value, wire_value> ends_of(field_content const& c, unsigned width) {
    switch (c.state) {
        case field_state::range:
        case field_state::interval: return {c.first, c.last};
        case field_state::network: return {c.first, split(join(c.first) + count_of(c, width) - 1)};
        default: return {};
    }
}

void append_to_list(field_content& list, field_content item) {
    for (auto const& value : list.list) {
        list.parts.emplace_back();
        list.parts.back().state = field_state::single, list.parts.back().first = value;
    }
    list.list.clear();
    if (!item.bytes.empty()) item.texts = {std::string(item.bytes)};
    item.bytes = {};
    list.parts.push_back(std::move(item));
}

void index_parts(field_content& c, unsigned width) {
    constexpr std::size_t few = 8;
    c.part_ends.clear();
    if (c.parts.size() <= few) return;
    std::uint64_t total = 0;
    for (auto const& part : c.parts) {
        if (__builtin_add_overflow(total, count_of(part, width), &total)) too_large();
        c.part_ends.push_back(total);
    }
}

}  // namespace detail

namespace {

using detail::count_of;
using detail::drawn_bit;

std::uint64_t count_of(varying_field const& v, layer_description const& layer) {
    return count_of(v.content, layer.fields[v.field].width);
}

std::string random_octets(field_content const& content, random_source& random) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::string s(content.step, '\0');
    for (auto& c : s)
        c = content.by_octet ? static_cast<char>(random.up_to(255))
                             : letters[random.up_to(letters.size() - 1)];
    return s;
}

/// One value of a varying field.
struct chosen {
    wire_value value;
    std::string text;
    bool is_name = false;        // the text is a host name, which waits for the resolver
    wire_value first{}, last{};  // what it was taken out of; equal where it stands for itself
};

chosen choose(field_content const& c, std::uint64_t digit, unsigned width, random_source& random) {
    auto taken = [&](wire_value value) {
        auto [first, last] = detail::ends_of(c, width);
        return chosen{value, {}, false, first, last};
    };
    switch (c.state) {
        case field_state::choice:
            digit = random.up_to((c.list.empty() ? c.texts.size() : c.list.size()) - 1);
            [[fallthrough]];
        case field_state::list:
            if (!c.part_ends.empty()) {
                auto i = static_cast<std::size_t>(std::ranges::upper_bound(c.part_ends, digit) -
                                                  c.part_ends.begin());
                return choose(c.parts[i], digit - (i ? c.part_ends[i - 1] : 0), width, random);
            }
            for (auto const& part : c.parts) {
                auto n = count_of(part, width);
                if (digit < n) return choose(part, digit, width, random);
                digit -= n;
            }
            [[fallthrough]];
        case field_state::single:
            return c.texts.empty() ? chosen{c.list.empty() ? c.first : c.list[digit], {}}
                                   : chosen{{}, c.texts[digit]};
        case field_state::range: return taken(split(join(c.first) + static_cast<wide>(digit) * c.step));
        case field_state::network: return taken(split(join(c.first) + digit));
        case field_state::interval: return taken(random.draw({c.first, c.last, c.by_octet}));
        case field_state::text: return {{}, random_octets(c, random)};
        case field_state::name: return {{}, c.texts.empty() ? std::string(c.bytes) : c.texts.front(), true};
        default: return {};
    }
}

/// What each set contributes to the packet at an index, in Scapy's order: the innermost layer fastest, within
/// a layer the first wire field.
template <class Use>
void for_each_choice(std::span<varying_field const> sets, std::span<layer_span const> layers,
                     std::uint64_t index, random_source& random, Use const& use) {
    for (auto layer = layers.size(); layer-- > 0;)
        for (std::size_t k = 0; k < sets.size(); ++k) {
            if (sets[k].layer != layer) continue;
            auto const& description = *layers[layer].layer;
            auto n = count_of(sets[k], description);
            if (n == 0) throw_error(errc::value_out_of_range, "a packet of a set that is empty");
            use(k, choose(sets[k].content, index % n, description.fields[sets[k].field].width, random));
            index /= n;
        }
    if (index != 0) throw_error(errc::value_out_of_range, "index past the end of the set");
}

/// What the field holds in the one packet that was chosen.
field_content content_from(chosen value) {
    field_content c;
    c.state = value.is_name ? field_state::name : field_state::single;
    c.first = value.value;
    if (!value.text.empty()) c.texts = {std::move(value.text)};
    return c;
}

/// Of a field that is always so long.
void write_octets(std::span<std::byte> field, std::string_view text) {
    auto bytes = std::as_bytes(std::span(text));
    std::ranges::fill(std::ranges::copy(bytes.first(std::min(bytes.size(), field.size())), field.begin()).out,
                      field.end(), std::byte());
}

random_source& own_random() {
    thread_local auto source = random_source::from_system();
    return source;
}

}  // namespace

void packet::set_content(std::size_t layer, std::size_t field, field_content content) {
    if (has_edits()) *this = settled();
    forget_unpacked();
    auto const& description = *layers()[layer].layer;
    detail::index_parts(content, description.fields[field].width);
    std::erase_if(parts().sets, [&](auto const& v) { return v.layer == layer && v.field == field; });
    parts().layers[layer].automatic &= ~(std::uint64_t(1) << field);
    if (content.state == field_state::single) {
        write_bits(header(layer), locate(description, field, header(layer)), content.first);
        return;
    }
    varying_field v{
        static_cast<std::uint32_t>(layer), static_cast<std::uint32_t>(field), std::move(content), {}};
    if (v.content.state == field_state::name) v.name = v.content.texts.front();
    parts().sets.push_back(std::move(v));
}

std::uint64_t packet::size() const {
    if (has_edits()) return settled().size();
    std::uint64_t total = 1;
    for (auto const& v : sets())
        if (__builtin_mul_overflow(total, count_of(v, *layers()[v.layer].layer), &total)) too_large();
    return total;
}

packet packet::operator[](std::uint64_t index) const {
    return at(index, own_random());
}

/// True when choosing values comes to writing numbers over those of the template.
bool packet::is_patchable() const {
    return std::ranges::all_of(sets(), [&](varying_field const& v) {
        auto const& layer = *layers()[v.layer].layer;
        bool is_number = v.content.texts.empty() && v.content.parts.empty();
        auto s = v.content.state;
        return !layer.shaped && v.field < layer.offsets.size() && is_number &&
               (s == field_state::list || s == field_state::range || s == field_state::network ||
                s == field_state::interval);
    });
}

packet packet::patched(std::uint64_t index, random_source& random) const {
    packet out;
    auto& made = out.parts();
    made.bytes = parts().bytes, made.layers = parts().layers;
    out.time = time, out.interface = interface, out.wire_length = wire_length;
    for_each_choice(sets(), layers(), index, random, [&](std::size_t k, chosen const& value) {
        auto const& v = sets()[k];
        auto& span = made.layers[v.layer];
        auto const& field = span.layer->fields[v.field];
        span.drawn |= drawn_bit(value.first, value.last, field, v.field);
        write_bits(out.header(v.layer), {span.layer->offsets[v.field], field.width}, value.value);
    });
    return out;
}

packet packet::at(std::uint64_t index, random_source& random) const {
    if (has_edits()) return settled().at(index, random);
    if (is_patchable()) return patched(index, random);
    packet out;
    out.time = time, out.interface = interface, out.wire_length = wire_length;
    auto const sets = this->sets();
    auto const layers = this->layers();
    // What is copied layer by layer: without the sets, of which a long one would cost its length each time.
    packet fixed;
    fixed.parts().bytes = parts().bytes, fixed.parts().layers = parts().layers;
    std::vector<chosen> values(sets.size());
    for_each_choice(sets, layers, index, random, [&](std::size_t k, chosen value) {
        values[k] = std::move(value);
        if (sets[k].content.state == field_state::name) values[k].text = sets[k].name;
    });
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        auto const& description = *layers[layer].layer;
        auto varies = [&](varying_field const& v) { return v.layer == layer; };
        auto drawn = layers[layer].drawn;
        for (std::size_t k = 0; k < sets.size(); ++k)
            if (varies(sets[k]))
                drawn |= drawn_bit(values[k].first, values[k].last, description.fields[sets[k].field],
                                   sets[k].field);
        if (!description.fixed && std::any_of(sets.begin(), sets.end(), varies)) {
            // The values may change which fields there are, or how long they are.
            auto contents = detail::contents_of({fixed.view(), layer});
            for (std::size_t k = 0; k < sets.size(); ++k)
                if (varies(sets[k])) contents[sets[k].field] = content_from(std::move(values[k]));
            out /= packet(description, contents, layers[layer].quoted);
            out.parts().layers.back().drawn = drawn;
            continue;
        }
        out.append(fixed, layer);
        out.parts().layers.back().drawn = drawn;
        auto header = out.header(layer);
        for (std::size_t k = 0; k < sets.size(); ++k) {
            if (!varies(sets[k])) continue;
            auto field = sets[k].field;
            auto const where = locate(description, field, header);
            if (values[k].is_name)
                out.vary(layer, field, content_from(std::move(values[k])));
            else if (description.fields[field].kind == value_kind::octets)
                write_octets(header.subspan(where.offset / 8, where.width / 8), values[k].text);
            else
                write_bits(header, where, values[k].value);
        }
    }
    std::erase_if(out.parts().sets, [](auto const& v) { return v.content.state != field_state::name; });
    return out;
}

}  // namespace sonde::inline v0
