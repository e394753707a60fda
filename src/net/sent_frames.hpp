#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sonde::inline v0::detail {

/// Which packet of an operation: the draw alone tells it from others that left lately.
struct attempt_id {
    std::uint64_t index = 0;
    std::uint32_t draw = 0;
    std::uint16_t attempt = 0;
    friend bool operator==(attempt_id const&, attempt_id const&) = default;
};

/// What left lately, as it left: nearly all answers come while it is here, and for them the packet need not
/// be made again. Draws follow one another, so that each drives out the one that left longest ago.
class sent_frames {
public:
    /// Frames that are longer than `longest` are not kept.
    void keep(attempt_id const& which, std::span<std::byte const> frame) {
        if (frame.size() > longest) return;
        if (kept_ == slots_.size() && kept_ < most) {
            slots_.assign(std::max(first, 2 * kept_), {});
            kept_ = 0;
        }
        auto& s = slots_[which.draw & (slots_.size() - 1)];
        s.which = which;
        s.size = static_cast<std::uint16_t>(frame.size());
        std::ranges::copy(frame, s.bytes.begin());
        kept_ = std::min(kept_ + 1, slots_.size());
    }

    /// Nothing when it is no longer here.
    std::span<std::byte const> find(attempt_id const& which) const {
        if (slots_.empty()) return {};
        auto const& s = slots_[which.draw & (slots_.size() - 1)];
        return s.which == which ? std::span(s.bytes).first(s.size) : std::span<std::byte const>();
    }

private:
    static constexpr std::size_t first = 64, most = 2048, longest = 104;  // all of them: 256 KiB

    struct slot {
        attempt_id which;
        std::uint16_t size = 0;
        std::array<std::byte, longest> bytes;
    };

    std::vector<slot> slots_;
    std::size_t kept_ = 0;  // since there are so many slots
};

}  // namespace sonde::inline v0::detail
