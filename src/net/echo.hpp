#pragma once

#include "outgoing.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sonde::inline v0::detail {

/// The draws of echo requests that leave through the kernel's ping socket: all give one ICMP id, the
/// socket's, and each another sequence number, before all 65536 are used. They are draws as any, so that a
/// packet is made again from its draw wherever it left.
class echo_draws {
public:
    /// Of an id that is not 0.
    echo_draws(identity_source const& all, std::uint16_t id) {
        while (all.id(next_) != id) ++next_;
    }
    std::uint32_t draw() noexcept {
        auto drawn = next_;
        next_ += one_block;
        return drawn;
    }

private:
    // identity_source::id is a function of the draw's place in its block of so many.
    static constexpr std::uint32_t one_block = 1 << 16;
    std::uint32_t next_ = 0;
};

/// An echo request as a ping socket would send it.
struct echo_request {
    std::uint16_t id = 0;  ///< chosen by the user; 0: any
    std::string_view
        obstacle{};  ///< the first field that it would not send as it is; empty when there is none
};
/// Nothing when the packet, whose automatic fields are still open, is something else.
std::optional<echo_request> as_echo_request(outgoing const& packet);

}  // namespace sonde::inline v0::detail
