#pragma once

#include <sonde/packet/packet.hpp>

#include <cstdint>
#include <optional>
#include <utility>

namespace sonde::inline v0::detail {

/// An element of a source that has no numbers: one packet, or all those of a set, one after the other.
class unfolding {
public:
    void begin(packet element) {
        at_ = size_ = 0;
        size_ = element.is_template() ? element.size() : 1;
        element_ = std::move(element);
    }
    /// Nothing after the last one. One that cannot be made throws, and those after it come next.
    std::optional<packet> next(random_source& random) {
        if (at_ == size_) return {};
        auto index = at_++;
        if (!element_.is_template()) return std::move(element_);
        return element_.at(index, random);
    }

private:
    packet element_;
    std::uint64_t at_ = 0, size_ = 0;
};

}  // namespace sonde::inline v0::detail
