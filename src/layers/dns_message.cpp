#include "dns_message.hpp"

#include <algorithm>

namespace sonde::inline v0::detail {

using header = std::span<std::byte const>;

std::size_t name_extent(header h, std::size_t from) {
    for (auto at = from; at < h.size();) {
        auto label = std::to_integer<std::size_t>(h[at]);
        if (label >= 0xc0) return at + 1 < h.size() ? at + 2 - from : 0;
        if (label > 63) return 0;
        at += label + 1;
        if (label == 0) return at - from;
    }
    return 0;
}

std::size_t question_end(header h, std::size_t at) {
    auto name = name_extent(h, at);
    return name == 0 || at + name + 4 > h.size() ? 0 : at + name + 4;
}

std::size_t record_end(header h, std::size_t at) {
    auto name = name_extent(h, at);
    if (name == 0 || at + name + record_fixed > h.size()) return 0;
    auto end = at + name + record_fixed + number16(h, at + name + 8);
    return end > h.size() ? 0 : end;
}

data_layout layout_of_data(unsigned type) {
    if (is_name_type(type)) return {0, 1, true};
    switch (type) {
        case rr::soa: return {0, 2, true};
        case rr::mx: return {2, 1, true};
        case rr::srv: return {6, 1, false};
        default: return {};
    }
}

std::optional<std::string> expanded_data(header message, std::size_t at, std::size_t end, unsigned type) {
    auto const layout = layout_of_data(type);
    if (at + layout.before > end) return {};
    auto out = text_of(message.subspan(at, layout.before));
    at += layout.before;
    for (auto names = layout.names; names > 0; --names) {
        auto name = read_domain_name(message.first(end), at);
        if (!name) return {};
        out += write_domain_name(name->text);
        at = name->size;
    }
    if (layout.names && type != rr::soa && at != end) return {};
    return out + text_of(message.subspan(at, end - at));
}

dns_layout::dns_layout(header message) {
    auto at = std::min(message_fixed, message.size());
    ends_[0] = at;
    bool whole = true;
    for (std::size_t s = 0; s < 4; ++s) {
        for (auto n = number16(message, 4 + 2 * s); n > 0 && whole; --n) {
            auto end = s == 0 ? question_end(message, at) : record_end(message, at);
            whole = end != 0;
            if (whole) at = end;
        }
        ends_[s + 1] = at;
    }
}

}  // namespace sonde::inline v0::detail
