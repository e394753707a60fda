#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace sonde::inline v0::detail {

/// Where TCP's or UDP's header is in an Ethernet frame without VLAN tags, fragments or IPv6 extension
/// headers.
struct transport_headers {
    bool v6, is_tcp;
    std::size_t addresses;  // source, then destination
    std::size_t ports;      // where the header begins; it may end behind the frame
    std::size_t length;     // that the IP header says it has, with what it carries

    static std::optional<transport_headers> of(std::span<std::byte const> frame) noexcept;
};

/// Whether the sender left the transport checksum to its hardware, as on veth: the field then holds the sum
/// of the pseudo-header (CHECKSUM_PARTIAL), and XDP does not tell. Of complete checksums one in 65,536 looks
/// so.
bool has_pending_checksum(std::span<std::byte const> frame) noexcept;

}  // namespace sonde::inline v0::detail
