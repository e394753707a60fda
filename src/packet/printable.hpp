#pragma once

#include <sonde/packet/packet.hpp>

namespace sonde::inline v0::detail {

/// A packet made ready for show and summary: edits settled, and what building would compute computed, as far
/// as the packet can be built.
class printable {
public:
    explicit printable(packet const& p);

    /// The packet, which knows what of it is automatic.
    packet_view view() const {
        auto v = settled_.view();
        v.bytes = bytes_;
        return v;
    }
    /// The same, with the values that automatic fields would get.
    packet_view told() const {
        auto v = view();
        v.layers = told_;
        return v;
    }

private:
    packet settled_;
    std::vector<std::byte> bytes_;
    std::vector<layer_span> told_;
};

}  // namespace sonde::inline v0::detail
