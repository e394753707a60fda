#include <sonde/packet/packet.hpp>

#include <algorithm>
#include <limits>

namespace sonde {

using detail::varying_field;

__extension__ using wide = unsigned __int128;

namespace {

wide join(wire_value v) {
    return static_cast<wide>(v.high) << 64 | v.low;
}
wire_value split(wide v) {
    return {static_cast<std::uint64_t>(v >> 64), static_cast<std::uint64_t>(v)};
}

[[noreturn]] void too_large() {
    throw_error(errc::set_too_large, "a set of 2^64 packets or more");
}

/// How many bits of the address a network leaves open.
unsigned host_bits(varying_field const& v, layer_description const& layer) {
    return layer.fields[v.field].width - static_cast<unsigned>(v.content.step);
}

std::uint64_t count_of(varying_field const& v, layer_description const& layer) {
    auto const& c = v.content;
    switch (c.state) {
        case field_state::list: return c.list.empty() ? c.texts.size() : c.list.size();
        case field_state::range: {
            auto n = (join(c.last) - join(c.first)) / c.step;
            if (n >= std::numeric_limits<std::uint64_t>::max()) too_large();
            return static_cast<std::uint64_t>(n) + 1;
        }
        case field_state::network: {
            auto bits = host_bits(v, layer);
            if (bits >= 64) too_large();
            return std::uint64_t(1) << bits;
        }
        default: return 1;
    }
}

std::string random_letters(std::uint64_t length, random_source& random) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::string s(length, '\0');
    for (auto& c : s) c = letters[random.up_to(letters.size() - 1)];
    return s;
}

/// One value of a varying field.
struct chosen {
    wire_value value;
    std::string text;
};

chosen choose(field_content const& c, std::uint64_t digit, random_source& random) {
    switch (c.state) {
        case field_state::choice:
            digit = random.up_to((c.list.empty() ? c.texts.size() : c.list.size()) - 1);
            [[fallthrough]];
        case field_state::list:
        case field_state::single:
            return c.texts.empty() ? chosen{c.list.empty() ? c.first : c.list[digit], {}}
                                   : chosen{{}, c.texts[digit]};
        case field_state::range: return {split(join(c.first) + static_cast<wide>(digit) * c.step), {}};
        case field_state::network: return {split(join(c.first) + digit), {}};
        case field_state::interval: return {random.draw({c.first, c.last, c.by_octet}), {}};
        case field_state::text: return {{}, random_letters(c.step, random)};
        default: return {};
    }
}

random_source& own_random() {
    thread_local auto source = random_source::from_system();
    return source;
}

}  // namespace

std::uint64_t packet::size() const {
    if (has_edits()) return settled().size();
    std::uint64_t total = 1;
    for (auto const& v : sets_)
        if (__builtin_mul_overflow(total, count_of(v, *layers_[v.layer].layer), &total)) too_large();
    return total;
}

packet packet::operator[](std::uint64_t index) const {
    return at(index, own_random());
}

packet packet::at(std::uint64_t index, random_source& random) const {
    if (has_edits()) return settled().at(index, random);
    packet out;
    out.time = time, out.interface = interface, out.wire_length = wire_length;
    // Scapy's order: the innermost layer fastest, within a layer the first wire field.
    std::vector<chosen> values(sets_.size());
    for (auto layer = layers_.size(); layer-- > 0;)
        for (std::size_t k = 0; k < sets_.size(); ++k) {
            if (sets_[k].layer != layer) continue;
            auto n = count_of(sets_[k], *layers_[layer].layer);
            values[k] = choose(sets_[k].content, index % n, random);
            index /= n;
        }
    if (index != 0) throw_error(errc::value_out_of_range, "index past the end of the set");
    auto chosen_here = [&](std::size_t k, std::size_t layer) {
        return sets_[k].layer == layer &&
               sets_[k].content.state != field_state::name;  // names wait for the resolver
    };
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
        auto const& description = *layers_[layer].layer;
        auto first_set = out.sets_.size();
        if (description.fixed) {
            out.append(*this, layer);
            auto header = out.header(layer);
            for (std::size_t k = 0; k < sets_.size(); ++k)
                if (chosen_here(k, layer))
                    write_bits(header, locate(description, sets_[k].field, header), values[k].value);
        } else {  // the values may change which fields there are, or how long they are
            auto storage = detail::unpack_struct({view(), layer}, sets_);
            for (std::size_t k = 0; k < sets_.size(); ++k)
                if (chosen_here(k, layer))
                    description.fields[sets_[k].field].write(storage.get(), values[k].value,
                                                             std::as_bytes(std::span(values[k].text)));
            out.append(description, storage.get());
            out.layers_.back().quoted = layers_[layer].quoted;
            out.restore_kept(*this, layer, first_set);
        }
        std::erase_if(out.sets_, [](auto const& v) { return v.content.state != field_state::name; });
    }
    return out;
}

}  // namespace sonde
