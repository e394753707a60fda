#include <sonde/packet/packet_template.hpp>

#include <sonde/packet/build.hpp>
#include <sonde/packet/checksum.hpp>

#include "bits.hpp"
#include "sets.hpp"

#include <algorithm>
#include <bit>

namespace sonde::inline v0 {
namespace {

std::uint16_t folded(std::uint64_t sum) {
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

std::uint16_t swapped(std::uint16_t sum) {
    return static_cast<std::uint16_t>(sum << 8 | sum >> 8);
}

/// What whole octets add to a sum that has them at an even place.
std::uint16_t sum_of(wire_value v, unsigned width) {
    auto words = [](std::uint64_t w) {
        return (w >> 48) + (w >> 32 & 0xffff) + (w >> 16 & 0xffff) + (w & 0xffff);
    };
    auto sum = folded(words(v.high) + words(v.low));
    // An octet short of a whole number of words: all of them lie one octet further to the left.
    return width % 16 == 0 ? sum : swapped(sum);
}

/// Where it lies in all packets: what decides that is no set.
bit_range place_of(packet_template::slot const& slot, packet_view const& packet) {
    layer_view const v(packet, slot.layer);
    auto where = locate(v.description(), slot.field, v.header());
    return {8 * v.span().begin + where.offset, where.width};
}

}  // namespace

std::optional<packet_template> packet_template::of(packet_set set) {
    packet_template made(std::move(set));
    auto const& base = made.set_.base();
    if (!made.compile(base.has_edits() ? base.settled() : base, {})) return {};
    return made;
}

std::optional<packet_template> packet_template::of(packet_set set, std::span<slot const> slots) {
    packet_template made(std::move(set));
    auto const& base = made.set_.base();
    if (!made.compile(base.has_edits() ? base.settled() : base, slots) || !made.summed_) return {};
    return made;
}

bool packet_template::compile(packet const& base, std::span<slot const> slots) {
    if (!base.is_patchable()) return false;
    bytes_.assign(base.view().bytes.begin(), base.view().bytes.end());
    layers_.assign(base.layers().begin(), base.layers().end());
    for (auto layer = layers_.size(); layer-- > 0;)
        for (auto const& set : base.sets()) {
            if (set.layer != layer) continue;
            auto const& c = set.content;
            auto& span = layers_[layer];
            auto const& field = span.layer->fields[set.field];
            auto values = detail::count_of(c, field.width);
            if (values == 0) return false;
            auto [first, last] = detail::ends_of(c, field.width);
            span.drawn |= detail::drawn_bit(first, last, field, set.field);
            varying_.push_back({.place = {8 * span.begin + span.layer->offsets[set.field], field.width},
                                .values = values,
                                .first = c.first,
                                .last = c.last,
                                .step = c.state == field_state::network ? 1 : c.step,
                                .state = c.state,
                                .by_octet = c.by_octet,
                                .list = static_cast<std::uint16_t>(lists_.size())});
            if (c.state == field_state::list) lists_.push_back(c.list);
        }
    for (auto const& s : slots) {
        auto where = place_of(s, {bytes_, layers_});
        if (where.width == 0 || where.width != layers_[s.layer].layer->fields[s.field].width) return false;
        layers_[s.layer].automatic &= ~(std::uint64_t(1) << s.field);
        slots_.push_back({.place = where});
        places_.push_back(s);
    }
    summed_ = learn_checksums();
    for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i].automatic = base.layers()[i].automatic;
    return true;
}

/// True where all that building does to a packet is to fill in what it fills into all of them, and checksums.
bool packet_template::learn_checksums() {
    detail::finish_plan plan;
    if (!plan.learn(bytes_, layers_) || plan.checksums().size() > most_checksums) return false;
    auto finished = bytes_;
    plan.apply(finished);
    auto zeros = finished;
    for (auto const* all : {&varying_, &slots_})
        for (auto const& v : *all) {
            if (plan.depends_on(v.place)) return false;
            write_bits(zeros, v.place, {});
        }
    for (auto const& c : plan.checksums()) {
        if (!is_alone(c, plan.checksums()) || !cover(checksums_.size(), c.over)) return false;
        zeros[c.at] = zeros[c.at + 1] = std::byte(0);
        internet_checksum sum;
        for (auto const& s : c.over) sum.add(std::span(zeros).subspan(s.begin, s.end - s.begin));
        sum.add16(c.rest);
        checksums_.push_back({c.at, static_cast<std::uint16_t>(~sum.finish()), c.never_zero});
    }
    bytes_ = std::move(finished);
    for (std::size_t i = 0; i < places_.size(); ++i)
        if (place_of(places_[i], {bytes_, layers_}).offset != slots_[i].place.offset) return false;
    return true;
}

/// False where a set or a slot does not lie in these stretches as whole octets, once.
bool packet_template::cover(std::size_t which, std::span<detail::finish_plan::stretch const> over) {
    auto const bit = static_cast<std::uint8_t>(1u << which);
    for (auto* all : {&varying_, &slots_})
        for (auto& v : *all) {
            auto begin = v.place.offset, end = v.place.offset + v.place.width;
            for (auto const& s : over) {
                if (end <= 8 * s.begin || begin >= 8 * s.end) continue;
                bool whole = begin % 8 == 0 && end % 8 == 0 && begin >= 8 * s.begin && end <= 8 * s.end;
                if (!whole || (v.covers & bit)) return false;
                v.covers |= bit;
                if ((begin / 8 - s.begin) % 2 == 1)
                    v.odd |= bit;
                else
                    v.evenly[which] = ~std::uint32_t(0);
            }
        }
    return true;
}

/// False where another sums this one, too.
bool packet_template::is_alone(detail::finish_plan::checksum const& c,
                               std::span<detail::finish_plan::checksum const> all) {
    return std::ranges::none_of(all, [&](auto const& other) {
        return &other != &c && std::ranges::any_of(other.over, [&](auto const& s) {
            return c.at + 2 > s.begin && c.at < s.end;
        });
    });
}

wire_value packet_template::value(varying const& v, std::uint64_t digit, random_source& random) const {
    __extension__ using wide = unsigned __int128;
    if (v.state == field_state::list) return lists_[v.list][digit];
    if (v.state == field_state::interval) return random.draw({v.first, v.last, v.by_octet});
    if (v.place.width <= 64) return {0, v.first.low + digit * v.step};
    auto sum = (static_cast<wide>(v.first.high) << 64 | v.first.low) + static_cast<wide>(digit) * v.step;
    return {static_cast<std::uint64_t>(sum >> 64), static_cast<std::uint64_t>(sum)};
}

void packet_template::put(varying const& v, wire_value value, std::vector<std::byte>& out,
                          sums& so_far) const {
    if (detail::is_plain(v.place))
        detail::store_plain(out.data(), v.place, value.low);
    else
        write_bits(out, v.place, value);
    if (v.covers == 0) return;
    std::uint32_t sum = 0;
    switch (v.place.width) {
        case 16: sum = static_cast<std::uint32_t>(value.low & 0xffff); break;
        case 32: sum = static_cast<std::uint32_t>((value.low >> 16 & 0xffff) + (value.low & 0xffff)); break;
        default: sum = sum_of(value, v.place.width); break;
    }
    for (std::size_t i = 0; i < most_checksums; ++i) so_far[i] += sum & v.evenly[i];
    for (unsigned open = v.odd; open != 0; open &= open - 1)
        so_far[static_cast<std::size_t>(std::countr_zero(open))] += swapped(folded(sum));
}

/// In Scapy's order: the innermost layer fastest, within a layer the first wire field.
packet_template::sums packet_template::begin(std::uint64_t index, random_source& random,
                                             std::vector<std::byte>& out) const {
    sums so_far{};
    for (std::size_t i = 0; i < checksums_.size(); ++i) so_far[i] = checksums_[i].rest;
    out = bytes_;
    index = set_.base_index(index);
    for (auto const& v : varying_) {
        auto digit = index;
        if (index >= v.values)
            digit = index % v.values, index /= v.values;
        else
            index = 0;
        put(v, value(v, digit, random), out, so_far);
    }
    return so_far;
}

void packet_template::set_slot(std::size_t which, wire_value value, std::vector<std::byte>& out,
                               sums& so_far) const {
    put(slots_[which], value, out, so_far);
}

void packet_template::end(std::vector<std::byte>& out, sums const& so_far) const {
    for (std::size_t i = 0; i < checksums_.size(); ++i) {
        auto value = static_cast<std::uint16_t>(~folded(so_far[i]));
        if (value == 0 && checksums_[i].never_zero) value = 0xffff;
        detail::store_plain(out.data(), {8 * checksums_[i].at, 16}, value);
    }
}

void packet_template::build(std::uint64_t index, random_source& random, std::vector<std::byte>& out) const {
    auto so_far = begin(index, random, out);
    summed_ ? end(out, so_far) : finish(out, layers_);
}

}  // namespace sonde::inline v0
