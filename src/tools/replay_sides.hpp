#pragma once

#include <sonde/packet/address.hpp>
#include <sonde/packet/address_set.hpp>
#include <sonde/packet/packet.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace sonde::inline v0::tools {

/// Which end of a conversation a packet comes from; tcpprep(1) calls them so.
enum class replay_side : std::uint8_t { client, server };

/// Tells clients' packets from servers', one packet after the other. `servers`, if there are any, are whose
/// packets are servers'. Else each conversation (protocol, addresses, ports) decides: its client sends the
/// SYN, gets the SYN/ACK, or, where neither is seen, sends first. What has no addresses is a client's.
/// Memory: the `most` conversations that were heard of last, up to as many before them; about 100 octets
/// each.
class side_finder {
public:
    static constexpr std::size_t most_conversations = std::size_t(1) << 18;

    explicit side_finder(address_set servers = {}, std::size_t most = most_conversations)
        : servers_(std::move(servers)), most_(most) {}

    replay_side of(packet const& p);
    /// Conversations that went unheard for so long that they were given up.
    std::uint64_t forgotten() const { return forgotten_; }

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
    /// Whether the client is the low end.
    using table = boost::unordered_flat_map<conversation, bool, hash>;

    static std::optional<flow> flow_of(packet const& p);
    bool& remembered(conversation const& c, bool when_new);

    address_set servers_;
    std::size_t most_;
    table recent_, before_;  // when the one is full, it takes the place of the other
    std::uint64_t forgotten_ = 0;
};

}  // namespace sonde::inline v0::tools
