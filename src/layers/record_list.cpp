#include "record_list.hpp"

#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

#include "../packet/reading.hpp"

#include <algorithm>

namespace sonde::inline v0::detail {
namespace {

using header = std::span<std::byte const>;

/// True when the entry makes the bytes, and perhaps padding behind them.
bool reads_back(record_kind const& kind, literal const& entry, header bytes) try {
    auto const built = make_packet(entry).build();
    if (built.size() < bytes.size() || built.size() - bytes.size() >= kind.multiple_of) return false;
    auto const [end, padding] = std::ranges::mismatch(bytes, built);
    return end == bytes.end() &&
           std::all_of(padding, built.end(), [](std::byte b) { return b == std::byte(0); });
} catch (error const&) {
    return false;
}

literal::bytes as_bytes(header bytes) {
    return {{reinterpret_cast<char const*>(bytes.data()), bytes.size()}};
}

literal print_record(record_kind const& kind, header bytes) {
    auto entry = value_of_layer(*kind.layer(bytes), bytes);
    if (reads_back(kind, entry, bytes)) return entry;
    if (kind.fallback) {
        auto plain = value_of_layer(kind.fallback(), bytes);
        if (reads_back(kind, plain, bytes)) return plain;
    }
    return as_bytes(bytes);
}

}  // namespace

literal value_of_layer(layer_description const& layer, header bytes) {
    layer_span span{.layer = &layer, .begin = 0, .end = static_cast<std::uint32_t>(bytes.size())};
    return value_of(layer_view({.bytes = bytes, .layers = {&span, 1}}, 0));
}

literal print_records(record_kind const& kind, header bytes) {
    literal::list list;
    while (!bytes.empty()) {
        auto length = kind.length(bytes);
        if (length == 0 || length > bytes.size()) {
            list.items.emplace_back(as_bytes(bytes));
            break;
        }
        list.items.push_back(print_record(kind, bytes.first(length)));
        bytes = bytes.subspan(length);
    }
    return list;
}

std::string read_records(record_kind const& kind, literal const& list) {
    std::string out;
    for (auto const& item : list.as<literal::list>()->items) {
        if (auto const* octets = item.as<literal::bytes>()) {
            out += octets->value;
            continue;
        }
        auto const* call = item.as<literal::call>();
        auto const* layer = call ? find_layer(call->name) : nullptr;
        if (!layer || !kind.is_record(*layer))
            fail(errc::bad_text, item, "the entries are {} or bytes, not {}", kind.what,
                 call ? escape(call->name) : std::string(kind_of(item)));
        auto bytes = make_packet(item).build();
        out.append(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    }
    return out;
}

void check_record(record_kind const& kind, packet const& record) {
    auto const& layer = *record.layers().front().layer;
    if (!kind.is_record(layer))
        throw error(errc::bad_text,
                    fmt::format("the entries are {} or bytes, not {}", kind.what, layer.name));
    for (auto const& v : record.sets()) throw_not_single(v.content.state);
}

std::string built_record(record_kind const& kind, packet const& record) {
    check_record(kind, record);
    auto const bytes = record.build();
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

std::size_t count_records(record_kind const& kind, header bytes) {
    std::size_t n = 0;
    while (!bytes.empty()) {
        auto length = kind.length(bytes);
        if (length == 0 || length > bytes.size()) break;
        bytes = bytes.subspan(length);
        ++n;
    }
    return n;
}

}  // namespace sonde::inline v0::detail
