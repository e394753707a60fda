#include <sonde/packet/build.hpp>
#include <sonde/packet/checksum.hpp>
#include <sonde/packet/layer.hpp>

#include <algorithm>
#include <utility>

namespace sonde::inline v0::detail {
namespace {

using over = checksum_rule::over;

checksum_rule rule_of(layer_view const& v) {
    auto const& hooks = v.description().hooks;
    if (hooks.checksum) return hooks.checksum(v);
    return {.sums = hooks.prepare || hooks.finish ? over::unknown : over::nothing};
}

bool same_shape(layer_span const& a, layer_span const& b) {
    return a.layer == b.layer && a.begin == b.begin && a.end == b.end && a.automatic == b.automatic &&
           a.quoted == b.quoted && a.truncated == b.truncated;
}

/// Source and destination of an IP or IPv6 header.
finish_plan::stretch addresses_of(layer_view const& network) {
    auto const& d = network.description();
    auto last = d.find("dst");
    auto begin = network.span().begin;
    return {begin + d.offsets[d.find("src")] / 8, begin + (d.offsets[last] + d.fields[last].width) / 8};
}

}  // namespace

bool finish_plan::can_learn(packet_view const& model) {
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        auto const& span = model.layers[i];
        if (span.quoted || span.truncated || rule_of({model, i}).sums == over::unknown) return false;
    }
    return true;
}

bool finish_plan::learn(std::span<std::byte const> bytes, std::span<layer_span const> layers) {
    *this = {};
    packet_view const model{bytes, layers};
    if (!can_learn(model)) return false;
    std::vector<std::byte> finished(bytes.begin(), bytes.end());
    sonde::finish(finished, layers);
    try {
        if (!fill(model, finished)) return false;
    } catch (boost::system::system_error const&) {  // of a layer's code, for a value that no packet had
        return false;
    }
    for (auto i = layers.size(); i-- > 0;) {
        auto rule = rule_of({model, i});
        for (std::uint32_t k = 0; k < rule.fixed_octets; ++k)
            fixed_.push_back({layers[i].begin + k, std::byte(0xff), bytes[layers[i].begin + k]});
        if (rule.sums != over::nothing) sum_up({{finished, layers}, i}, rule);
    }
    size_ = bytes.size();
    layers_.assign(layers.begin(), layers.end());
    return true;
}

namespace {

/// True for a field that finishing sets, whatever it held before. Others that are automatic were computed
/// when the packet was made, out of what it holds.
bool is_set_by_finishing(packet_view const& model, std::size_t layer, bit_range where, wire_value after) {
    std::vector<std::byte> other(model.bytes.begin(), model.bytes.end());
    auto header = std::span(other).subspan(model.layers[layer].begin, model.layers[layer].size());
    write_bits(header, where, {~after.high, ~after.low});
    sonde::finish(other, model.layers);
    return read_bits(header, where) == after;
}

}  // namespace

/// Fields that finishing sets hold the same in all packets of the plan. False when the place of one follows
/// from values, but from those that all packets of the plan have in common.
bool finish_plan::fill(packet_view const& model, std::span<std::byte const> finished) {
    std::vector<std::byte> mask(finished.size());
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        auto const& span = model.layers[i];
        auto before = layer_view(model, i).header();
        auto after = finished.subspan(span.begin, span.size());
        for (std::size_t f = 0; f < span.layer->fields.size(); ++f) {
            if (!(span.automatic >> f & 1)) continue;
            auto where = locate(*span.layer, f, before);
            auto end = std::min<std::size_t>(where.offset + where.width, 8 * before.size());
            if (where.width == 0 || where.width > 128 || where.offset + where.width > end) continue;
            auto value = read_bits(after, where);
            if (read_bits(before, where) == value && !is_set_by_finishing(model, i, where, value)) continue;
            if (f >= span.layer->offsets.size() && rule_of({model, i}).fixed_octets == 0) return false;
            for (auto bit = where.offset; bit < end; ++bit)
                mask[span.begin + bit / 8] |= std::byte(0x80 >> bit % 8);
        }
    }
    for (std::uint32_t at = 0; at < mask.size(); ++at)
        if (mask[at] != std::byte(0)) filled_.push_back({at, mask[at], finished[at] & mask[at]});
    return true;
}

void finish_plan::sum_up(layer_view const& layer, checksum_rule const& rule) {
    auto const& span = layer.span();
    auto const finished = layer.packet().bytes;
    auto end = rule.sums == over::header ? span.end : span.end + layer.payload().size();
    checksum c{.at = span.begin + span.layer->offsets[rule.field] / 8,
               .rest = 0,
               .never_zero = rule.never_zero,
               .over = {stretch{}, {span.begin, static_cast<std::uint32_t>(end)}}};
    if (rule.sums == over::message_and_addresses) c.over[0] = addresses_of(layer.lower());
    // With its checksum, all that is summed is 0 modulo 2^16 - 1 (RFC 1071): what the stretches lack for that
    // is the rest of the pseudo header, length and protocol.
    internet_checksum sum;
    for (auto const& s : c.over) sum.add(finished.subspan(s.begin, s.end - s.begin));
    c.rest = sum.finish();
    checksums_.push_back(c);
}

bool finish_plan::fits(std::span<std::byte const> bytes, std::span<layer_span const> layers) const {
    return !layers_.empty() && size_ == bytes.size() && std::ranges::equal(layers, layers_, same_shape) &&
           std::ranges::all_of(fixed_, [&](octet const& o) { return bytes[o.at] == o.value; });
}

bool finish_plan::depends_on(bit_range bits) const {
    return std::ranges::any_of(fixed_, [&](octet const& o) {
        return 8 * o.at < bits.offset + bits.width && 8 * o.at + 8 > bits.offset;
    });
}

void finish_plan::apply(std::span<std::byte> bytes) const {
    for (auto const& o : filled_) bytes[o.at] = (bytes[o.at] & ~o.mask) | o.value;
    for (auto const& c : checksums_) {
        bytes[c.at] = bytes[c.at + 1] = std::byte(0);
        internet_checksum sum;
        for (auto const& s : c.over) sum.add(bytes.subspan(s.begin, s.end - s.begin));
        sum.add16(c.rest);
        auto value = sum.finish();
        if (c.never_zero && value == 0) value = 0xffff;
        bytes[c.at] = static_cast<std::byte>(value >> 8);
        bytes[c.at + 1] = static_cast<std::byte>(value);
    }
}

void finisher::finish(std::span<std::byte> bytes, std::span<layer_span const> layers) {
    if (std::ranges::all_of(layers, [](layer_span const& l) { return l.automatic == 0; })) return;
    for (std::size_t k = 0; k < shapes; ++k) {
        auto at = (last_ + k) % shapes;
        if (!plans_[at].fits(bytes, layers)) continue;
        last_ = at;
        return plans_[at].apply(bytes);
    }
    if (comes_again(layers)) {
        finish_plan next;
        if (next.learn(bytes, layers)) {
            last_ = std::exchange(oldest_, (oldest_ + 1) % shapes);
            plans_[last_] = std::move(next);
        }
    }
    sonde::finish(bytes, layers);
}

/// Learning costs more than finishing does: it is done for shapes that are seen twice, with few others
/// between.
bool finisher::comes_again(std::span<layer_span const> layers) {
    if (!std::ranges::search(seen_, layers, same_shape).empty()) return true;
    if (seen_shapes_ == 2 * shapes) seen_.clear(), seen_shapes_ = 0;
    seen_.insert(seen_.end(), layers.begin(), layers.end());
    ++seen_shapes_;
    return false;
}

}  // namespace sonde::inline v0::detail
