#pragma once

#include <sonde/packet/view.hpp>
#include <sonde/probe/identity.hpp>

#include <bitset>
#include <optional>
#include <string>

namespace sonde::inline v0::detail {

/// Where the answers to a network's probes come to, so that the kernel can leave out the rest when there is
/// very much of it: TCP and UDP to ports that no probe was sent from. It only grows, by each probe before
/// that leaves; and by blocks of ports, since ports that are chosen one after another would make a new filter
/// each.
class interest {
public:
    /// `own`: the ports that probes get by themselves.
    explicit interest(port_range own);

    /// Adds where answers to this packet come to. True when that is new, and so must go into the filter.
    bool add(packet_view const& probe);

    /// What lets answers pass, in the language of pcap-filter(7); nothing when there are too many ranges of
    /// ports to name. Everything passes that is neither TCP nor UDP, and fragments, whose ports are not all
    /// there.
    std::optional<std::string> filter() const;

private:
    static constexpr std::size_t block = 64, most_ranges = 24;

    bool add(std::uint16_t port);

    std::bitset<65536 / block> blocks_;
};

}  // namespace sonde::inline v0::detail
