#pragma once

#include <sonde/packet/packet.hpp>

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

// What holds for the dissection of any bytes whatever. Fuzz targets and tests of damaged frames ask for all
// of it.
namespace sonde::test {

/// A property that does not hold: which, and for what.
struct violation : std::logic_error {
    using std::logic_error::logic_error;
};

/// The layers of a dissection lie one behind the other, cover the frame to its last byte, and are few.
void check_layers(packet const& p, std::size_t frame_size);

/// All text about the packet is printable ASCII, and its size is bounded by the frame's.
void check_text(packet const& p, std::size_t frame_size);

/// The packet's expression is read back, and builds the very bytes of the frame.
void check_expression(packet const& p, std::span<std::byte const> frame);

/// All of it. Throws violation.
void check_frame(std::span<std::byte const> frame, link_type link);

/// Printable ASCII and line ends, nothing else.
void check_printable(std::string_view what, std::string_view text);

}  // namespace sonde::test
