#include "registry.hpp"

#include <sonde/layers/ether.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/link_types.hpp>
#include <sonde/layers/raw.hpp>

namespace sonde {
namespace {

constexpr std::size_t max_layers = 32, max_quotes = 8;

/// IEEE 802.3 §3.2.6: a type is at least 1536; Scapy draws the line at 1500.
bool has_length(std::span<std::byte const> frame) {
    constexpr std::size_t at = 12, largest = 1500;
    return frame.size() >= at + 2 && (std::to_integer<std::size_t>(frame[at]) << 8 |
                                      std::to_integer<std::size_t>(frame[at + 1])) <= largest;
}

layer_description const* outermost(std::span<std::byte const> bytes, link_type link) {
    auto version = bytes.empty() ? 0 : std::to_integer<unsigned>(bytes.front()) >> 4;
    switch (link) {
        case link_type::ethernet: return has_length(bytes) ? &describe<Dot3>() : &describe<Ether>();
        case link_type::null: return &describe<Loopback>();
        case link_type::linux_sll: return &describe<CookedLinux>();
        case link_type::linux_sll2: return &describe<CookedLinuxV2>();
        case link_type::ipv4: return &describe<IP>();
        case link_type::ipv6: return &describe<IPv6>();
        case link_type::raw:
            return version == 4 ? &describe<IP>() : version == 6 ? &describe<IPv6>() : &describe<Raw>();
        default: return &describe<Raw>();
    }
}

/// Bytes of the header as its description and its own fields tell; 0: these bytes are no such layer.
std::size_t header_length(layer_description const& layer, std::span<std::byte const> bytes) {
    if (layer.hooks.header_length) return layer.hooks.header_length(bytes);
    return layer.fixed ? layer.size : std::max(bytes.size(), layer.size);
}

}  // namespace

packet dissect(std::span<std::byte const> bytes, link_type link) {
    return detail::dissect_as(bytes, *outermost(bytes, link));
}

packet detail::dissect_as(std::span<std::byte const> bytes, layer_description const& first, bool is_quoted) {
    packet p;
    p.bytes_.assign(bytes.begin(), bytes.end());
    p.wire_length = static_cast<std::uint32_t>(bytes.size());
    auto const& r = detail::registry::instance();
    auto const* layer = &first;
    std::size_t quotes = is_quoted;
    std::size_t begin = 0, end = bytes.size();  // of what is not read yet; padding lies behind `end`
    while (begin < end) {
        auto rest = std::span(p.bytes_).subspan(begin, end - begin);
        auto length = layer && p.layers_.size() < max_layers - 2 ? header_length(*layer, rest) : 0;
        if (length == 0) layer = &describe<Raw>(), length = rest.size();
        layer_span span{layer, static_cast<std::uint32_t>(begin), 0};
        span.truncated = length > rest.size();
        span.quoted = is_quoted && layer != &describe<Raw>();
        begin += std::min(length, rest.size());
        span.end = static_cast<std::uint32_t>(begin);
        p.layers_.push_back(span);
        if (span.truncated || begin == end) break;
        dissect_step step{{p.view(), p.layers_.size() - 1}, rest.subspan(length), nullptr, end - begin};
        step.next = r.next(step.view, step.rest);
        if (layer->hooks.follow) layer->hooks.follow(step);
        end = begin + std::min(step.limit, end - begin);
        quotes += step.next_is_quoted;
        layer = quotes <= max_quotes ? step.next : nullptr;
        is_quoted |= step.next_is_quoted;
    }
    if (begin < p.bytes_.size()) {
        layer_span padding{&describe<Padding>(), static_cast<std::uint32_t>(begin),
                           static_cast<std::uint32_t>(p.bytes_.size())};
        p.layers_.push_back(padding);
    }
    return p;
}

}  // namespace sonde
