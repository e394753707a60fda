#include <sonde/packet/packet.hpp>

#include <sonde/layers/raw.hpp>

#include "bits.hpp"
#include "sets.hpp"
#include "spares.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace sonde::inline v0 {

using detail::unpacked_layer;
using detail::varying_field;

packet::packet(packet const& other)
    : time(other.time), interface(other.interface), wire_length(other.wire_length) {
    if (!other.parts_) return;
    if (other.has_edits()) {
        parts_ = other.settled().parts_;
        return;
    }
    auto& own = parts();
    own.bytes = other.parts_->bytes, own.layers = other.parts_->layers, own.sets = other.parts_->sets;
}

packet& packet::operator=(packet const& other) {
    if (this != &other) *this = packet(other);
    return *this;
}

packet::packet(std::string_view payload) {
    Raw raw{.load = payload};
    append(describe<Raw>(), &raw);
}

packet packet::from_parts(std::vector<std::byte> bytes, std::vector<layer_span> layers) {
    auto parts = detail::take_parts();
    parts->bytes = std::move(bytes), parts->layers = std::move(layers);
    return from_parts(std::move(parts));
}

std::pair<std::vector<std::byte>, std::vector<layer_span>> packet::into_parts() && {
    auto parts = std::move(parts_);
    if (!parts) return {};
    return {std::move(parts->bytes), std::move(parts->layers)};
}

namespace detail {

constinit packet_parts const no_parts;

namespace {

constexpr std::size_t longest_spare = 512, most_spare_layers = 16;

void free_parts(packet_parts* p) noexcept {
    delete p;
}
using spare_parts = spares<packet_parts, most_spare_packets, free_parts>;

}  // namespace

own_parts take_parts() {
    auto* kept = spare_parts::take();
    return own_parts(kept ? kept : new packet_parts);
}

void keep_parts::operator()(packet_parts* p) const noexcept {
    p->forget_unpacked();
    bool small = p->bytes.capacity() <= longest_spare && p->layers.capacity() <= most_spare_layers &&
                 p->sets.capacity() == 0;
    if (small) {
        p->bytes.clear(), p->layers.clear();
        if (spare_parts::keep(p)) return;
    }
    free_parts(p);
}

}  // namespace detail

/// Before a layer goes on top: fills in what the one below holds then, and the room that it leaves.
void packet::join(layer_description const& upper) {
    auto& [bytes, layers, sets, unpacked] = parts();
    if (auto zeros = upper.hooks.padding_before ? upper.hooks.padding_before(view()) : 0) {
        auto begin = static_cast<std::uint32_t>(bytes.size());
        bytes.resize(bytes.size() + zeros);
        layers.push_back({&describe<Padding>(), begin, static_cast<std::uint32_t>(bytes.size())});
    }
    if (layers.empty() || !layers.back().layer->hooks.join) return;
    auto& below = layers.back();
    auto last = below.layer->fields.size() - 1;
    bool is_open =
        below.automatic >> last & 1 && locate(*below.layer, last, header(layers.size() - 1)).width == 0;
    if (!is_open) return;
    auto more = std::as_bytes(std::span(below.layer->hooks.join(upper)));
    bytes.insert(bytes.end(), more.begin(), more.end());
    below.end += static_cast<std::uint32_t>(more.size());
}

/// The form that the outermost layer has over `lower`; null when it has it already.
layer_description const* packet::form_over(packet const& lower) const {
    if (empty() || lower.empty() || !layers()[0].layer->hooks.form) return nullptr;
    auto const& form = layers()[0].layer->hooks.form(lower.layers().back().layer, false);
    return &form == layers()[0].layer ? nullptr : &form;
}

namespace {

/// The octets of the first field, which some forms of a layer have and others do not.
std::size_t first_octets_of(layer_description const& form) {
    auto const& first = form.fields.front();
    return !first.rule.present || first.rule.present({}) ? first.width / 8 : 0;
}

}  // namespace

/// All but the first field lies as it does: what it holds need not be read, which counts that are wrong would
/// prevent.
packet packet::in_form(layer_description const& form) const {
    packet p;
    for (std::size_t i = 0; i < layers().size(); ++i) p.append(*this, i);
    auto& [bytes, layers, sets, unpacked] = p.parts();
    auto const had = first_octets_of(*layers.front().layer), has = first_octets_of(form);
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min(had, bytes.size())));
    bytes.insert(bytes.begin(), has, std::byte());
    for (auto& span : layers) {
        auto moved = [&](std::uint32_t at) { return static_cast<std::uint32_t>(at + has - had); };
        if (&span != &layers.front()) span.begin = moved(span.begin);
        span.end = moved(span.end);
    }
    auto& first = layers.front();
    first.layer = &form;
    first.automatic = has ? first.automatic | 1 : first.automatic & ~std::uint64_t(1);
    std::erase_if(sets, [&](varying_field const& v) { return !has && v.layer == 0 && v.field == 0; });
    return p;
}

packet& packet::operator/=(packet const& upper) {
    if (has_edits()) *this = settled();
    if (upper.has_edits() || &upper == this) return *this /= packet(upper).settled();
    if (auto const* form = upper.form_over(*this)) return *this /= upper.in_form(*form);
    forget_unpacked();
    if (!upper.empty()) join(*upper.layers().front().layer);
    auto& [bytes, layers, sets, unpacked] = parts();
    auto const& more = upper.parts();
    auto shift = static_cast<std::uint32_t>(bytes.size());
    auto first = static_cast<std::uint32_t>(layers.size());
    bytes.insert(bytes.end(), more.bytes.begin(), more.bytes.end());
    for (auto s : more.layers) {
        s.begin += shift, s.end += shift;
        layers.push_back(s);
    }
    for (auto v : more.sets) {
        v.layer += first;
        sets.push_back(std::move(v));
    }
    return *this;
}

namespace {

/// Appends headers field by field; what comes before decides which fields there are and how wide.
class header_writer {
public:
    header_writer(std::vector<std::byte>& bytes) : bytes_(bytes), begin_(bytes.size()) {}

    std::span<std::byte> header() const { return std::span(bytes_).subspan(begin_); }
    std::uint32_t cursor() const { return cursor_; }

    void number(unsigned width, wire_value value) {
        bytes_.resize(begin_ + (cursor_ + width + 7) / 8);
        write_bits(std::span(bytes_).subspan(begin_), {cursor_, width}, value);
        cursor_ += width;
    }

    /// Zeros, which `cut` takes back as far as they were not needed.
    std::span<std::byte> grow(std::size_t size) {
        bytes_.resize(begin_ + size);
        return header();
    }
    void cut(std::uint32_t cursor) {
        bytes_.resize(begin_ + (cursor + 7) / 8);
        cursor_ = cursor;
    }

    void octets(std::string_view text, std::size_t multiple_of = 1) {
        auto at = bytes_.size();
        auto padding = (multiple_of - text.size() % multiple_of) % multiple_of;
        bytes_.resize(at + text.size() + padding);
        if (!text.empty()) std::memcpy(bytes_.data() + at, text.data(), text.size());
        cursor_ += static_cast<std::uint32_t>(8 * (text.size() + padding));
    }

    /// Just so many bytes of the text.
    void fixed(std::string_view text, std::size_t size) {
        octets(text.substr(0, size));
        for (auto i = text.size(); i < size; ++i) number(8, {});
    }

private:
    std::vector<std::byte>& bytes_;
    std::size_t begin_;
    std::uint32_t cursor_ = 0;
};

std::string_view first_octets(field_content const& c) {
    return c.texts.empty() ? c.bytes : std::string_view(c.texts.front());
}

wire_value first_value(field_content const& c) {
    if (!c.parts.empty()) return first_value(c.parts.front());
    return c.list.empty() ? c.first : c.list.front();
}

/// Addresses of a length that another field states may be given as bytes, of just that length.
std::string_view checked_length(layer_description const& layer, field_description const& field,
                                std::string_view octets, unsigned width) {
    if (8 * octets.size() != width)
        throw error(errc::value_out_of_range, fmt::format("{}.{} of {} bytes, the header states {}",
                                                          layer.name, field.name, octets.size(), width / 8));
    return octets;
}

bool is_varying(field_state s) {
    return s != field_state::computed && s != field_state::single;
}

}  // namespace

packet::packet(layer_description const& layer, std::span<field_content const> fields, bool is_quoted) {
    append(layer,
           {fields.data(), [](layer_description const&, std::size_t i, void const* from, field_content& out) {
                out = static_cast<field_content const*>(from)[i];
            }});
    parts().layers.back().quoted = is_quoted;
}

namespace {

constexpr std::size_t usual_room = 64, usual_layers = 4;  // of a packet that is made

constexpr auto read_struct = [](layer_description const& l, std::size_t i, void const* from,
                                field_content& out) { l.fields[i].read(from, out); };

}  // namespace

/// The usual layer, which holds numbers: written at once. False where it takes more than that.
bool packet::append_numbers(layer_description const& layer, void const* fields) {
    auto& [bytes, layers, sets, unpacked] = parts();
    if (!layer.simple || (!layers.empty() && layers.back().layer->hooks.join)) return false;
    if (layers.empty()) layers.reserve(usual_layers);
    auto const begin = bytes.size(), end = begin + layer.size;
    if (end > bytes.capacity()) bytes.reserve(end + usual_room);
    bytes.resize(end);
    layer_span span{&layer, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
    if (layer.write_numbers(fields, layer.fields.size(), bytes.data() + begin, span.automatic) ==
        layer.fields.size()) {
        layers.push_back(span);
        return true;
    }
    bytes.resize(begin);
    return false;
}

void packet::append(layer_description const& layer, void const* fields) {
    if (append_numbers(layer, fields)) return;
    auto const before = sets().size();
    append(layer, {fields, read_struct, true});
    for (auto const& v : sets().subspan(before))
        if (v.content.state == field_state::kept)
            throw error(errc::not_a_single_value,
                        fmt::format("{}.{} is a set of the packet that this layer was taken from, and stays "
                                    "there: set it anew",
                                    layer.name, layer.fields[v.field].name));
}

namespace {

/// What a layer's fields hold while its header is written.
struct written_header {
    written_header(layer_description const& l, std::vector<std::byte>& bytes) : layer(l), out(bytes) {
        if (layer.measured) places.resize(layer.fields.size());
    }

    layer_description const& layer;
    header_writer out;
    std::vector<bit_range> places{};  // of the fields, where some field measures others
    bool aligned = true;

    void list(field_description const& f, std::string_view entries) {
        auto const& codec = *f.options;
        if (codec.align && aligned)
            out.octets(codec.align(entries), codec.multiple_of);
        else
            out.octets(entries, codec.multiple_of);
    }

    void field(std::size_t i, field_content const& c) {
        auto const& f = layer.fields[i];
        unsigned width = f.rule.width ? f.rule.width(out.header()) : f.width;
        auto begin = out.cursor();
        if (f.rule.phantom)
            aligned = first_value(c).low != 0;
        else if (f.kind == value_kind::octets)
            f.width ? out.fixed(first_octets(c), f.width / 8) : out.octets(first_octets(c));
        else if (f.kind == value_kind::options)
            list(f, first_octets(c));
        else if (auto octets = first_octets(c); c.state == field_state::single && !octets.empty())
            out.octets(checked_length(layer, f, octets, width));
        else
            out.number(width, first_value(c));
        while (out.header().size() % f.rule.aligned != 0) out.number(8, {});
        if (layer.measured) places[i] = {begin, out.cursor() - begin};
    }

    /// The leading fields of a struct at their fixed places, as long as each holds one number, or none. How
    /// many they are.
    std::size_t numbers(void const* from, std::uint64_t& automatic) {
        auto const n = layer.write_numbers(from, layer.leading, out.grow(layer.size).data(), automatic);
        out.cut(n == 0 ? 0 : layer.offsets[n - 1] + layer.fields[n - 1].width);
        if (layer.measured)
            for (std::size_t i = 0; i < n; ++i) places[i] = {layer.offsets[i], layer.fields[i].width};
        return n;
    }

    /// Lengths that do not count the padding.
    void measure(std::uint64_t automatic) {
        for (std::size_t i = 0; i < layer.fields.size(); ++i)
            if (layer.fields[i].rule.measures && automatic >> i & 1)
                detail::write_computed(layer, i, out.header(), places[i], {0, out.header().size()});
    }

    void pad() {
        while (out.header().size() % layer.hooks.multiple_of != 0) out.number(8, {});
    }

    /// A length that is set says what it wants, and the octets are those that were given.
    void cut_to_units(std::uint64_t automatic) {
        for (std::size_t i = 0; i < layer.fields.size(); ++i)
            if (std::size_t const unit = layer.fields[i].rule.cut_to; unit > 1 && automatic >> i & 1)
                out.cut(static_cast<std::uint32_t>(8 * (out.header().size() / unit * unit)));
    }

    /// Heads of all that lies behind them, the innermost first.
    void enclose(std::uint64_t automatic, std::vector<std::byte>& bytes) {
        for (auto i = layer.fields.size(); i-- > 0;) {
            if (!layer.fields[i].rule.encloses || !(automatic >> i & 1)) continue;
            auto at = places[i].offset / 8;
            auto head = layer.fields[i].rule.encloses(out.header().size() - at);
            auto begin = bytes.end() - static_cast<std::ptrdiff_t>(out.header().size() - at);
            auto octets = std::as_bytes(std::span(head));
            bytes.insert(begin, octets.begin(), octets.end());
        }
    }

    /// Fields that count the entries of lists, or octets, which lie behind them.
    void count(std::uint64_t automatic) {
        for (std::size_t i = 0; i < layer.fields.size(); ++i) {
            if (layer.fields[i].rule.counts.empty() || !(automatic >> i & 1)) continue;
            auto list = layer.find(layer.fields[i].rule.counts);
            auto entries = out.header().subspan(places[list].offset / 8, places[list].width / 8);
            auto const* codec = layer.fields[list].options;
            auto n = codec ? codec->count(entries) : entries.size() + places[i].width / 8;
            if (layer.fields[i].rule.numbers_last && n > 0) --n;
            detail::write_computed(layer, i, out.header(), places[i], {0, n});
        }
    }
};

}  // namespace

namespace {

/// The form of a layer that its fields, and what lies below, ask for.
layer_description const* form_of(layer_description const* layer, layer_description const* lower,
                                 detail::content_source const& source) {
    if (!layer->hooks.form || layer->plain) return layer;
    field_content first;
    source.read(*layer, 0, source.from, first);
    return &layer->hooks.form(lower, first.state != field_state::computed);
}

/// The single values behind the fields whose place never changes. Where they lie follows from what the header
/// says, which need not be true: of a layer that holds a set they are kept as they were given, for each
/// packet of the set.
std::vector<std::pair<std::size_t, field_content>> movable_fields(layer_description const& layer,
                                                                  detail::content_source const& source,
                                                                  std::uint64_t automatic) {
    std::vector<std::pair<std::size_t, field_content>> found;
    for (auto i = layer.leading; i < layer.fields.size(); ++i) {
        if (automatic >> i & 1) continue;
        field_content c;
        source.read(layer, i, source.from, c);
        if (c.state == field_state::single) found.emplace_back(i, std::move(c));
    }
    return found;
}

}  // namespace

void packet::append(layer_description const& asked, detail::content_source const& source) {
    auto const& layer = *form_of(&asked, empty() ? nullptr : layers().back().layer, source);
    auto& bytes = parts().bytes;
    auto& layers = parts().layers;
    if (layers.empty()) layers.reserve(usual_layers);
    join(layer);
    layer_span span{&layer, static_cast<std::uint32_t>(bytes.size()), 0};
    written_header header(layer, bytes);
    if (auto needed = bytes.size() + layer.size; needed > bytes.capacity())
        bytes.reserve(needed + usual_room);
    auto index = layers.size();
    std::vector<std::pair<std::size_t, field_content>> absent;
    bool structural = false;
    auto const written = source.is_struct ? header.numbers(source.from, span.automatic) : 0;
    for (auto i = written; i < layer.fields.size(); ++i) {
        auto const& f = layer.fields[i];
        field_content c;
        source.read(layer, i, source.from, c);
        if (!c.parts.empty()) detail::index_parts(c, f.width);
        if (f.rule.present && !f.rule.present(header.out.header())) {
            if (is_varying(c.state)) absent.emplace_back(i, std::move(c));
            continue;
        }
        if (c.state == field_state::computed)
            span.automatic |= std::uint64_t(1) << i, c.first = {0, f.automatic_value};
        header.field(i, c);
        if (is_varying(c.state)) {
            structural |= !layer.fixed;
            vary(index, i, std::move(c));
        }
    }
    if (layer.measured) {
        header.count(span.automatic);
        header.measure(span.automatic);
        header.cut_to_units(span.automatic);
    }
    header.pad();
    if (layer.measured) header.enclose(span.automatic, bytes);
    // A set may change which fields there are: what the first packet has no room for is kept for the others.
    if (structural)
        for (auto& [i, c] : absent) vary(index, i, std::move(c));
    if (structural && layer.shaped)
        for (auto& [i, c] : movable_fields(layer, source, span.automatic)) vary(index, i, std::move(c));
    span.end = static_cast<std::uint32_t>(bytes.size());
    layers.push_back(span);
}

void packet::vary(std::size_t layer, std::size_t field, field_content content) {
    varying_field v{
        static_cast<std::uint32_t>(layer), static_cast<std::uint32_t>(field), std::move(content), {}};
    if (v.content.state == field_state::name) v.name = first_octets(v.content);
    if (v.content.state == field_state::single && !v.content.bytes.empty())
        v.content.texts = {std::string(v.content.bytes)};
    v.content.bytes = {};
    if (v.content.state == field_state::list && v.content.list.empty() && v.content.texts.empty() &&
        v.content.parts.empty())
        throw_error(errc::set_too_large, "an empty list is no set");
    parts().sets.push_back(std::move(v));
}

void packet::append(packet const& from, std::size_t index) {
    auto span = from.layers()[index];
    join(*span.layer);
    auto& [bytes, layers, sets, unpacked] = parts();
    auto const old = from.view().bytes.subspan(span.begin, span.size());
    span.begin = static_cast<std::uint32_t>(bytes.size());
    span.end = span.begin + static_cast<std::uint32_t>(old.size());
    bytes.insert(bytes.end(), old.begin(), old.end());
    for (auto v : from.sets())
        if (v.layer == index) {
            v.layer = static_cast<std::uint32_t>(layers.size());
            sets.push_back(std::move(v));
        }
    layers.push_back(span);
}

packet packet::settled() const {
    packet out;
    out.time = time, out.interface = interface, out.wire_length = wire_length;
    auto const& layers = parts().layers;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        unpacked_layer const* edited = nullptr;
        for (auto* u = parts().unpacked.load(std::memory_order_acquire); u && !edited; u = u->next)
            if (u->index == i && u->edited) edited = u;
        if (!edited) {
            out.append(*this, i);
            continue;
        }
        auto first_set = out.sets().size();
        out.append(*layers[i].layer, {edited->storage.get(), read_struct, true});
        auto& span = out.parts().layers.back();
        span.quoted = layers[i].quoted;
        span.drawn = layers[i].drawn & ~out.written_anew(*this, i);
        if (layers[i].truncated && span.size() > layers[i].size()) {
            span.end = span.begin + static_cast<std::uint32_t>(layers[i].size());
            out.parts().bytes.resize(span.end);
            span.truncated = true;
        }
        out.restore_kept(*this, i, first_set);
    }
    return out;
}

/// A bit for each of the first 32 fields of the last layer that holds another value than in `from`.
std::uint32_t packet::written_anew(packet const& from, std::size_t layer) const {
    layer_view const now(view(), layers().size() - 1), before(from.view(), layer);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(32, now.description().fields.size()); ++i)
        if (from.layers()[layer].drawn >> i & 1 && now.value(i) != before.value(i))
            bits |= std::uint32_t(1) << i;
    return bits;
}

void packet::restore_kept(packet const& from, std::size_t layer, std::size_t first_set) {
    auto here = header(layers().size() - 1);
    auto& sets = parts().sets;
    for (auto k = first_set; k < sets.size(); ++k)
        for (auto const& v : from.sets())
            if (sets[k].content.state == field_state::kept && v.layer == layer && v.field == sets[k].field) {
                sets[k].content = v.content, sets[k].name = v.name;
                write_bits(here, locate(*layers().back().layer, v.field, here), first_value(v.content));
            }
}

}  // namespace sonde::inline v0
