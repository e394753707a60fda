#pragma once

#include <sonde/packet/view.hpp>
#include <sonde/probe/identity.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sonde::inline v0::detail {

/// Where the answers to a network's probes come to, so that the kernel can leave out the rest when there is
/// very much of it: TCP and UDP to ports that no probe was sent from. It only grows, by each probe before
/// that leaves.
class interest {
public:
    /// `own`: the ports that probes get by themselves.
    explicit interest(port_range own);

    /// Adds where answers to this packet come to. True when that is new, and so must go into the filter.
    /// Cost: a few comparisons for a port that is known.
    bool add(packet_view const& probe);

    /// What lets answers pass, in the language of pcap-filter(7); nothing when there are too many ports to
    /// name. Everything passes that is neither TCP nor UDP, and fragments, whose ports are not all there.
    std::optional<std::string> filter() const;

private:
    static constexpr std::size_t most_ranges = 24;

    bool add(std::uint16_t port);

    std::vector<port_range> ports_;  // sorted, apart from each other; those of the network itself among them
    port_range latest_;              // of them: the next probe's is there, too, as a rule
    bool all_ = false;
};

}  // namespace sonde::inline v0::detail
