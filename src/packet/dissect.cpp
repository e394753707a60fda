#include "registry.hpp"
#include "spares.hpp"

#include <sonde/layers/ether.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/link_types.hpp>
#include <sonde/layers/raw.hpp>

namespace sonde::inline v0 {
namespace {

constexpr std::size_t max_layers = 32, max_quotes = 8, usual_layers = 4;

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

namespace detail {
namespace {

/// Finds the layers of a packet, one behind the other.
class reader {
public:
    reader(std::span<std::byte const> bytes, std::vector<layer_span>& layers)
        : bytes_(bytes), layers_(layers), end_(bytes.size()) {
        layers_.reserve(usual_layers);
    }

    void whole(layer_description const& first, bool is_quoted) {
        quotes_ = is_quoted;
        read(&first, is_quoted);
        if (behind_ && layers_.size() < max_layers / 2) {
            pad(begin_behind_);
            end_ = end_behind_;
            read(behind_, false);
        }
        pad(bytes_.size());
    }

private:
    void read(layer_description const* layer, bool is_quoted) {
        auto const& r = registry::instance();
        while (begin_ < end_) {
            auto rest = bytes_.subspan(begin_, end_ - begin_);
            auto length = layer && layers_.size() < max_layers - 2 ? header_length(*layer, rest) : 0;
            if (length == 0) layer = &describe<Raw>(), length = rest.size();
            bool const truncated = length > rest.size();
            auto& span = layers_.emplace_back();
            span.layer = layer;
            span.begin = static_cast<std::uint32_t>(begin_);
            begin_ += std::min(length, rest.size());
            span.end = static_cast<std::uint32_t>(begin_);
            span.truncated = truncated;
            span.quoted = is_quoted && layer != &describe<Raw>();
            if (truncated || begin_ == end_) break;
            dissect_step step{
                {{bytes_, layers_}, layers_.size() - 1}, rest.subspan(length), nullptr, end_ - begin_};
            step.next = r.next(step.view, step.rest);
            if (layer->hooks.follow) layer->hooks.follow(step);
            go_on(step);
            if (step.next && step.next->hooks.form) step.next = &step.next->hooks.form(layer, false);
            quotes_ += step.next_is_quoted;
            layer = quotes_ <= max_quotes ? step.next : nullptr;
            is_quoted |= step.next_is_quoted;
        }
    }

    void go_on(dissect_step const& step) {
        auto limit = begin_ + std::min(step.limit, end_ - begin_);
        if (step.behind && !behind_) behind_ = step.behind, begin_behind_ = limit, end_behind_ = end_;
        end_ = limit;
    }

    void pad(std::size_t end) {
        if (begin_ == end) return;
        layers_.push_back(
            {&describe<Padding>(), static_cast<std::uint32_t>(begin_), static_cast<std::uint32_t>(end)});
        begin_ = end;
    }

    std::span<std::byte const> bytes_;
    std::vector<layer_span>& layers_;
    std::size_t begin_ = 0, end_;  // of what is not read yet; padding lies behind the end
    layer_description const* behind_ = nullptr;
    std::size_t begin_behind_ = 0, end_behind_ = 0;
    std::size_t quotes_ = 0;  // in quotes
};

}  // namespace

packet dissect_as(std::span<std::byte const> bytes, layer_description const& first, bool is_quoted) {
    auto parts = take_parts();
    parts->bytes.assign(bytes.begin(), bytes.end());
    reader(bytes, parts->layers).whole(first, is_quoted);
    return packet::from_parts(std::move(parts));
}

}  // namespace detail
}  // namespace sonde::inline v0
