#include "wide.hpp"

#include <sonde/packet/packet_set.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace sonde::inline v0 {
namespace {

using detail::join, detail::split, detail::wide;

struct span_of_addresses {
    wide first, last;
};
using excluded = std::vector<span_of_addresses>;  // sorted, disjoint

excluded spans_of(std::span<address_set::interval const> intervals) {
    excluded out;
    for (auto const& i : intervals) out.push_back({join(i.first), join(i.last)});
    return out;
}

/// Keeps of a field's values those outside of some intervals, in their order.
class remainder {
public:
    remainder(excluded const& out, unsigned width) : out_(out), width_(width) {}

    void keep(field_content const& c) {
        switch (c.state) {
            case field_state::single: return keep_values(c, {c.first});
            case field_state::range: return keep_range(join(c.first), join(c.last), c.step);
            case field_state::network: {
                auto open_bits = width_ - static_cast<unsigned>(c.step);
                auto last = open_bits == 128 ? ~wide(0) : join(c.first) + ((wide(1) << open_bits) - 1);
                return keep_range(join(c.first), last, 1);
            }
            case field_state::list:
                for (auto const& part : c.parts) keep(part);
                return keep_values(c, c.list);
            case field_state::name: kept_.push_back(c); return;
            default: throw_error(errc::not_a_single_value, "exclude: the destination is drawn at random");
        }
    }

    field_content result() && {
        if (kept_.size() == 1) return std::move(kept_.front());
        field_content c;
        c.state = field_state::list;
        c.parts = std::move(kept_);
        return c;
    }

private:
    /// The first interval that does not end before `a`.
    excluded::const_iterator from(wide a) const {
        return std::ranges::lower_bound(out_, a, {}, &span_of_addresses::last);
    }

    void keep_values(field_content const& c, std::vector<wire_value> values) {
        std::erase_if(values, [this](wire_value v) {
            auto i = from(join(v));
            return i != out_.end() && i->first <= join(v);
        });
        if (values.empty()) return;
        auto kept = c;
        kept.parts.clear();
        kept.first = values.front();
        if (c.state == field_state::list) kept.list = std::move(values);
        kept_.push_back(std::move(kept));
    }

    void keep_range(wide first, wide last, std::uint64_t step) {
        for (auto i = from(first); i != out_.end() && i->first <= last; ++i) {
            if (i->last < first) continue;  // a step went over all of it
            if (first < i->first) add_range(first, first + (i->first - 1 - first) / step * step, step);
            if (i->last >= last) return;
            auto const over = (i->last - first) / step * step + step;
            if (over > last - first) return;
            first += over;
        }
        add_range(first, last, step);
    }

    void add_range(wide first, wide last, std::uint64_t step) {
        field_content c;
        c.state = field_state::range;
        c.step = step, c.first = split(first), c.last = split(last);
        kept_.push_back(std::move(c));
    }

    excluded const& out_;
    unsigned width_;
    std::vector<field_content> kept_;
};

struct place {
    std::size_t layer, field;
};

/// Where the packet goes: the outermost `dst` that is an IP address, else the `pdst` of ARP.
std::optional<place> destination_of(packet const& p) {
    for (std::string_view name : {"dst", "pdst"})
        for (std::size_t i = 0; i < p.layers().size(); ++i) {
            auto const& layer = *p.layers()[i].layer;
            auto f = layer.find(name);
            if (f == layer.fields.size() || p.layers()[i].quoted) continue;
            if (auto kind = layer.fields[f].kind; kind == value_kind::ipv4 || kind == value_kind::ipv6)
                return place{i, f};
        }
    return {};
}

}  // namespace

packet exclude::apply(packet set) const {
    auto where = destination_of(set);
    if (!where) return set;
    auto const& field = set.layers()[where->layer].layer->fields[where->field];
    auto const out = spans_of(field.kind == value_kind::ipv4 ? networks_.v4() : networks_.v6());
    layer_view const layer(set.view(), where->layer);
    auto content = detail::content_of(layer, where->field);
    if (out.empty() || content.state == field_state::computed) return set;
    remainder rest(out, field.width);
    rest.keep(content);
    set.set_content(where->layer, where->field, std::move(rest).result());
    return set;
}

}  // namespace sonde::inline v0
