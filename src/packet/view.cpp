#include <sonde/packet/layer.hpp>

#include "bits.hpp"

#include <fmt/format.h>

namespace sonde::inline v0 {

wire_value read_bits(std::span<std::byte const> bytes, bit_range where) {
    if (detail::lies_in_word(bytes.size(), where)) return {0, detail::load_word(bytes.data(), where)};
    if (where.width == 0 || where.width > 128 || (where.offset + where.width + 7) / 8 > bytes.size())
        return {};
    if (detail::is_plain(where)) return {0, detail::load_plain(bytes.data(), where)};
    auto octet = [&](std::size_t i) { return std::to_integer<std::uint64_t>(bytes[i]); };
    std::size_t first = where.offset / 8, last = (where.offset + where.width - 1) / 8;
    unsigned spare = static_cast<unsigned>(8 * (last + 1) - (where.offset + where.width));
    __extension__ unsigned __int128 v = octet(first) & (0xffu >> (where.offset % 8));
    for (std::size_t i = first + 1; i < last; ++i) v = v << 8 | octet(i);
    if (last > first)
        v = v << (8 - spare) | octet(last) >> spare;
    else
        v >>= spare;
    return {static_cast<std::uint64_t>(v >> 64), static_cast<std::uint64_t>(v)};
}

void write_bits(std::span<std::byte> bytes, bit_range where, wire_value value) {
    if (where.width == 0 || where.width > 128 || (where.offset + where.width + 7) / 8 > bytes.size()) return;
    if (detail::is_plain(where)) return detail::store_plain(bytes.data(), where, value.low);
    if (where.offset % 8 == 0 && where.width % 8 == 0) {  // addresses
        detail::bit_sequence(bytes.data() + where.offset / 8).put(where.width, value);
        return;
    }
    for (std::uint32_t done = 0; done < where.width;) {  // from the last bit backwards, an octet at a time
        std::uint32_t end = where.offset + where.width - done;
        std::uint32_t low = (8 - end % 8) % 8;
        std::uint32_t n = std::min(8 - low, where.width - done);
        auto mask = static_cast<unsigned>(((1u << n) - 1) << low);
        auto& octet = bytes[(end - 1) / 8];
        auto part = static_cast<unsigned>(value.low << low) & mask;
        octet = static_cast<std::byte>((std::to_integer<unsigned>(octet) & ~mask) | part);
        value.low = value.low >> n | (value.high << (64 - n));
        value.high >>= n;
        done += n;
    }
}

void detail::write_computed(layer_description const& layer, std::size_t field, std::span<std::byte> header,
                            bit_range where, wire_value value) {
    if (where.width == 0 || where.offset + where.width > 8 * header.size()) return;
    if (where.width < 64 && (value.high != 0 || value.low >> where.width != 0))
        throw error(errc::value_out_of_range,
                    fmt::format("{} {} {}, at most {}", layer.name, layer.fields[field].name, value.low,
                                (std::uint64_t(1) << where.width) - 1));
    write_bits(header, where, value);
}

bit_range locate(layer_description const& layer, std::size_t field, std::span<std::byte const> header) {
    if (field < layer.offsets.size()) return {layer.offsets[field], layer.fields[field].width};
    std::uint32_t offset = 0;
    std::size_t i = layer.offsets.size();
    if (i > 0) offset = layer.offsets[i - 1] + layer.fields[i - 1].width;
    for (; i < layer.fields.size(); ++i) {
        auto const& f = layer.fields[i];
        if (f.rule.present && !f.rule.present(header)) {
            if (i == field) return {offset, 0};
            continue;
        }
        std::uint32_t width = f.rule.phantom ? 0 : f.rule.width ? f.rule.width(header) : f.width;
        if (width == 0 && !f.rule.width &&
            !f.rule.phantom) {  // the rest, but for what fixed fields after it need
            std::uint32_t after = 0;
            for (std::size_t j = i + 1; j < layer.fields.size(); ++j) after += layer.fields[j].width;
            auto total = static_cast<std::uint32_t>(header.size() * 8);
            width = total > offset + after ? total - offset - after : 0;
        }
        if (i == field) return {offset, width};
        offset += width;
    }
    return {};
}

wire_value layer_view::value(std::size_t field) const {
    auto const& d = description();
    if (field < d.leading) {
        bit_range const where{d.offsets[field], d.fields[field].width};
        // The load may go on behind the header, not behind the packet.
        auto from_header = packet_.bytes.subspan(span().begin);
        if (where.offset + where.width <= 8 * span().size() &&
            detail::lies_in_word(from_header.size(), where))
            return {0, detail::load_word(from_header.data(), where)};
    }
    return read_bits(header(), locate(d, field, header()));
}

void build_step::write(std::size_t field, wire_value value) {
    auto const& layer = *layers_[index_].layer;
    detail::write_computed(layer, field, header(), locate(layer, field, header()), value);
}

std::span<std::byte const> layer_view::payload() const {
    auto end = packet_.bytes.size();
    if (span().quoted)
        for (auto const& above : packet_.layers.subspan(index_ + 1))
            if (above.layer->hooks.behind_quote || above.layer->hooks.is_padding)
                return packet_.bytes.subspan(span().end, above.begin - span().end);
    for (auto i = packet_.layers.size(); i-- > index_ + 1;) {
        if (!packet_.layers[i].layer->hooks.is_padding) break;
        end = packet_.layers[i].begin;
    }
    return packet_.bytes.subspan(span().end, end - span().end);
}

}  // namespace sonde::inline v0
