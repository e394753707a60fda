#pragma once

#include <sonde/packet/address.hpp>
#include <sonde/packet/address_set.hpp>
#include <sonde/packet/packet.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <optional>

namespace sonde::tools {

/// Which end of a conversation a packet comes from; tcpprep(1) calls them so.
enum class replay_side : std::uint8_t { client, server };

/// Tells clients' packets from servers', one packet after the other. `servers`, if there are any, are whose
/// packets are servers'. Else each conversation (protocol, addresses, ports) decides: its client sends the
/// SYN, gets the SYN/ACK, or, where neither is seen, sends first. What has no addresses is a client's.
/// Memory: an entry for each conversation.
class side_finder {
public:
    explicit side_finder(address_set servers = {}) : servers_(std::move(servers)) {}

    replay_side of(packet const& p);

private:
    /// One end; of both, the smaller comes first in a conversation.
    struct end {
        ip_address address;
        std::uint16_t port = 0;
        friend auto operator<=>(end const&, end const&) = default;
    };
    struct conversation {
        end low, high;
        unsigned protocol = 0;
        friend bool operator==(conversation const&, conversation const&) = default;
    };
    struct hash {
        std::size_t operator()(conversation const& c) const noexcept;
    };
    struct flow {
        end from, to;
        unsigned protocol = 0;
        std::optional<replay_side> told{};  // by its flags
    };
    static std::optional<flow> flow_of(packet const& p);

    address_set servers_;
    boost::unordered_flat_map<conversation, bool, hash> low_is_client_;
};

}  // namespace sonde::tools
