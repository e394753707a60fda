#pragma once

#include <sonde/packet/build.hpp>
#include <sonde/packet/packet_set.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// A set of packets, compiled: the bytes that all of them have in common, where they differ, and the sums
/// that their checksums are made of. For who needs very many packets of one set: `build` writes one into
/// room that is there, without making a `packet`.
///
///     auto probes = packet_template::of(IP{.dst = "198.18.0.0/15"} / TCP{.dport = 80});
///     for (std::uint64_t i = 0; i < probes->size(); ++i) probes->build(i, random, frame);
///
/// Gives the same packets as the set, of the same random source. Cost: copying the bytes, and a few
/// nanoseconds for each set; constant time for any index. Threads: as packet.
class packet_template {
public:
    /// A field that is given for each packet, not taken from the set: one that is automatic there.
    struct slot {
        /// Which layer, from the outside in, from 0.
        std::uint32_t layer, field;  ///< which of its fields, in wire order, from 0
    };

    /// Nothing where packets of the set differ by more than numbers at fixed places: texts, host names, lists
    /// of sets, and numbers that tell which fields there are.
    static std::optional<packet_template> of(packet_set set);
    /// The same with slots; nothing, too, where building does more than fill in what it fills into all of
    /// them, and checksums.
    static std::optional<packet_template> of(packet_set set, std::span<slot const> slots);

    /// How many packets the set has.
    std::uint64_t size() const { return set_.size(); }
    /// The layers of all its packets, with what is automatic in those of the set.
    std::span<layer_span const> layers() const { return layers_; }

    /// The bytes on the wire, as `packet::build` makes them. `out` is overwritten; its memory is used again.
    /// Throws value_out_of_range at `size()` and beyond, and what `packet::build` throws.
    void build(std::uint64_t index, random_source& random, std::vector<std::byte>& out) const;

    /// The most checksums of a packet that it keeps sums of. With more, `build` runs each layer's own code,
    /// and no template is made with slots.
    static constexpr std::size_t most_checksums = 4;
    /// What is summed of a packet that is being made. (RFC 1624: what does not vary is summed already.)
    using sums = std::array<std::uint32_t, most_checksums>;
    /// In steps: the values of its sets; then of its slots, each at most once; then the checksums.
    sums begin(std::uint64_t index, random_source& random, std::vector<std::byte>& out) const;
    /// The place of a slot in the order in which they were given.
    std::optional<std::size_t> find_slot(std::size_t layer, std::size_t field) const {
        for (std::size_t i = 0; i < places_.size(); ++i)
            if (places_[i].layer == layer && places_[i].field == field) return i;
        return {};
    }
    /// `which`: as `find_slot` says. The value takes the bits of the field; higher ones are cut.
    void set_slot(std::size_t which, wire_value value, std::vector<std::byte>& out, sums& so_far) const;
    /// Writes the checksums; then the packet is whole, if the template was made with slots. (Others may need
    /// what only `build` does.)
    void end(std::vector<std::byte>& out, sums const& so_far) const;

private:
    /// A set in a field, or a slot.
    struct varying {
        bit_range place{};         ///< from the packet's first bit
        std::uint64_t values = 1;  ///< how many it takes in turn; 1 where they are drawn
        wire_value first{}, last{};
        std::uint64_t step = 1;
        field_state state = field_state::kept;
        bool by_octet = false;
        std::uint16_t list = 0;   ///< of `lists_`
        std::uint8_t covers = 0;  ///< a bit for each checksum that sums it
        std::uint8_t odd = 0;     ///< and for each that sums it from an odd octet on
        sums evenly{};            ///< all bits for each that it covers from an even octet on
    };
    struct checksum {
        std::uint32_t at;
        std::uint16_t rest;
        bool never_zero;
    };

    explicit packet_template(packet_set set) : set_(std::move(set)) {}
    bool compile(packet const& base, std::span<slot const> slots);
    bool learn_checksums();
    bool cover(std::size_t which, std::span<detail::finish_plan::stretch const> over);
    static bool is_alone(detail::finish_plan::checksum const& c,
                         std::span<detail::finish_plan::checksum const> all);
    wire_value value(varying const& v, std::uint64_t digit, random_source& random) const;
    void put(varying const& v, wire_value value, std::vector<std::byte>& out, sums& so_far) const;

    packet_set set_;
    std::vector<layer_span> layers_;
    std::vector<std::byte> bytes_;
    std::vector<varying> varying_;  ///< its sets, the fastest first
    std::vector<varying> slots_;
    std::vector<slot> places_;
    std::vector<std::vector<wire_value>> lists_;
    std::vector<checksum> checksums_;
    bool summed_ = false;  ///< building comes to the checksums, which are known
};

SONDE_NAMESPACE_END
