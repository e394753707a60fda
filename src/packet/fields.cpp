#include <sonde/layers/raw.hpp>
#include <sonde/packet/packet.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

// What a packet's fields hold, and its layers as structs.
namespace sonde::inline v0 {

using detail::unpacked_layer;
using detail::varying_field;

namespace {

/// True for the head that building would make of what it encloses.
bool follows_from_rest(field_description const& f, bit_range where, std::span<std::byte const> header) {
    auto begin = where.offset / 8, end = begin + where.width / 8;
    if (end > header.size()) return false;
    auto head = f.rule.encloses(header.size() - end);
    return std::ranges::equal(header.subspan(begin, end - begin), std::as_bytes(std::span(head)));
}

}  // namespace

bool detail::holds(layer_view const& view, std::size_t field) {
    auto const& f = view.description().fields[field];
    auto header = view.header();
    if (f.rule.present && !f.rule.present(header)) return false;
    auto where = locate(view.description(), field, header);
    if (f.rule.encloses && follows_from_rest(f, where, header)) return false;
    return where.offset + where.width <= header.size() * 8;
}

field_content detail::content_of(layer_view const& view, std::size_t field) {
    for (std::size_t k = 0; k < view.packet().set_count; ++k)
        if (auto const& v = view.packet().sets[k]; v.layer == view.index() && v.field == field) {
            auto c = v.content;
            if (c.state == field_state::name) c.texts = {v.name};
            return c;
        }
    field_content c;
    if (view.span().automatic >> field & 1) return c;
    auto const& f = view.description().fields[field];
    auto where = locate(view.description(), field, view.header());
    bool is_address = f.kind == value_kind::mac || f.kind == value_kind::ipv4 || f.kind == value_kind::ipv6;
    bool is_other = where.width != f.width || (f.rule.kind_here && f.rule.kind_here(view.header()) != f.kind);
    c.state = field_state::single;
    if (f.kind == value_kind::octets || f.kind == value_kind::options || (is_address && is_other)) {
        auto bytes = view.header().subspan(where.offset / 8, where.width / 8);
        c.bytes = {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
    } else {
        c.first = read_bits(view.header(), where);
    }
    return c;
}

std::vector<field_content> detail::contents_of(layer_view const& view) {
    auto contents = view.description().defaults;
    for (std::size_t i = 0; i < contents.size(); ++i)
        if (view.span().automatic >> i & 1 || holds(view, i)) contents[i] = content_of(view, i);
    return contents;
}

// --- layers as structs -----------------------------------------------------------------------------

std::unique_ptr<std::byte[]> detail::unpack_struct(layer_view const& view,
                                                   std::span<varying_field const> sets) {
    auto const& d = view.description();
    auto storage = std::make_unique<std::byte[]>(d.struct_size);
    d.construct(storage.get());
    auto header = view.header();
    for (std::size_t i = 0; i < d.fields.size(); ++i) {
        auto const& f = d.fields[i];
        if (view.span().automatic >> i & 1 || (f.rule.encloses && !holds(view, i))) {
            f.reset(storage.get(), field_state::computed);
            continue;
        }
        auto where = locate(d, i, header);
        bool text = f.kind == value_kind::octets || f.kind == value_kind::options;
        if (text && where.offset <= header.size() * 8)
            f.write(storage.get(), {}, header.subspan(where.offset / 8, where.width / 8));
        else if (!text && where.width != 0 && where.offset + where.width <= header.size() * 8)
            f.write(storage.get(), read_bits(header, where), {});
    }
    for (auto const& v : sets)
        if (v.layer == view.index()) d.fields[v.field].reset(storage.get(), field_state::kept);
    return storage;
}

unpacked_layer* packet::unpack(layer_description const& layer, bool is_quoted) const {
    auto& first = parts().unpacked;
    for (std::size_t i = 0; i < layers().size(); ++i) {
        if (!layers()[i].layer->is(layer) || layers()[i].quoted != is_quoted) continue;
        for (auto* u = first.load(std::memory_order_acquire); u; u = u->next)
            if (u->index == i) return u;
        auto fresh = std::make_unique<unpacked_layer>();
        fresh->index = static_cast<std::uint32_t>(i);
        fresh->storage = detail::unpack_struct({view(), i}, sets());
        fresh->next = first.load(std::memory_order_acquire);
        // Another thread may have added the same layer meanwhile; a second copy of it does no harm.
        while (!first.compare_exchange_weak(fresh->next, fresh.get(), std::memory_order_acq_rel)) {
        }
        return fresh.release();
    }
    return nullptr;
}

void const* packet::unpacked(layer_description const& layer, bool is_quoted) const {
    auto* u = unpack(layer, is_quoted);
    return u ? u->storage.get() : nullptr;
}

void* packet::edit(layer_description const& layer, bool is_quoted) {
    auto* u = unpack(layer, is_quoted);
    if (!u) return nullptr;
    u->edited = true;
    return u->storage.get();
}

bool packet::has_edits() const {
    for (auto* u = parts().unpacked.load(std::memory_order_acquire); u; u = u->next)
        if (u->edited) return true;
    return false;
}

/// Whoever destroys a packet is alone with it: mostly there is nothing, and nothing to write.
void detail::packet_parts::forget_unpacked() noexcept {
    auto* u = unpacked.load(std::memory_order_acquire);
    if (u) unpacked.store(nullptr, std::memory_order_relaxed);
    while (u) {
        std::unique_ptr<unpacked_layer> owner(u);
        u = u->next;
    }
}

void packet::settle() {
    if (has_edits()) *this = settled();
    forget_unpacked();
}

namespace detail {

void throw_no_layer(std::string_view name, bool is_quoted) {
    throw error(errc::no_such_layer, fmt::format("the packet has no {}{}", is_quoted ? "quoted " : "", name));
}

}  // namespace detail
}  // namespace sonde::inline v0
