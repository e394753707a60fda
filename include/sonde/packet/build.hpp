#pragma once

#include <sonde/packet/packet.hpp>

#include <array>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// Fills in the automatic fields of a packet's bytes, in place: what bindings tell and addresses from the
/// outside in, then lengths and checksums from the inside out.
void finish(std::span<std::byte> bytes, std::span<layer_span const> layers);

namespace detail {

/// The first part of `finish` for one layer: the fields that bindings and the layers inside tell.
void set_by_content(std::span<std::byte> bytes, std::span<layer_span const> layers, std::size_t layer);

/// What `finish` does to packets of one shape: these layers, at these places, with these fields automatic. It
/// is the same for all of them but for the checksums, as long as every layer says so (checksum_rule).
class finish_plan {
public:
    struct stretch {
        std::uint32_t begin = 0, end = 0;
    };
    struct checksum {
        std::uint32_t at;
        std::uint16_t rest;  ///< what is summed besides the stretches
        bool never_zero;
        std::array<stretch, 2> over;
    };

    /// From one packet, not finished yet. False, and then it fits nothing, when some layer has no rule.
    bool learn(std::span<std::byte const> bytes, std::span<layer_span const> layers);
    bool fits(std::span<std::byte const> bytes, std::span<layer_span const> layers) const;
    /// As `finish`, for a packet that fits.
    void apply(std::span<std::byte> bytes) const;
    /// Innermost first.
    std::span<checksum const> checksums() const { return checksums_; }
    /// True for bits, counted from the packet's first, that packets of the plan have in common.
    bool depends_on(bit_range bits) const;

private:
    struct octet {
        std::uint32_t at;
        std::byte mask, value;
    };
    static bool can_learn(packet_view const& model);
    bool fill(packet_view const& model, std::span<std::byte const> finished);
    void sum_up(layer_view const& layer, checksum_rule const& rule);

    std::vector<layer_span> layers_;
    std::size_t size_ = 0;
    std::vector<octet> fixed_, filled_;
    std::vector<checksum> checksums_;
};

/// Finishes packets that come one after another, mostly of few shapes. Cost: of a shape that was seen lately
/// the sums over the bytes, no call of any layer's code.
class finisher {
public:
    void finish(std::span<std::byte> bytes, std::span<layer_span const> layers);

private:
    bool comes_again(std::span<layer_span const> layers);

    static constexpr std::size_t shapes = 8;
    std::array<finish_plan, shapes> plans_;
    std::size_t last_ = 0, oldest_ = 0;
    std::vector<layer_span> seen_;  ///< of the latest that no plan fitted, one behind the other
    std::size_t seen_shapes_ = 0;
};

}  // namespace detail

SONDE_NAMESPACE_END
