#pragma once

#include <sonde/net/kernel_tables.hpp>
#include <sonde/net/source.hpp>
#include <sonde/packet/build.hpp>
#include <sonde/packet/packet.hpp>
#include <sonde/packet/packet_template.hpp>
#include <sonde/probe/identity.hpp>
#include <sonde/probe/target_policy.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sonde::inline v0::detail {

using host_names = boost::unordered_flat_map<std::string, ip_address>;

/// What lies above the link layers.
enum class network_kind : std::uint8_t { none, other, ip, ipv6, arp };

/// Bytes and layers of a packet that is being made; copies are independent.
class open_parts {
public:
    open_parts() = default;
    explicit open_parts(own_parts parts) : parts_(std::move(parts)) {}
    open_parts(open_parts const& other) {
        if (other.parts_) assign(other->bytes, other->layers);
    }
    open_parts(open_parts&&) noexcept = default;
    open_parts& operator=(open_parts const& other) {
        if (this != &other) assign(other->bytes, other->layers);
        return *this;
    }
    open_parts& operator=(open_parts&&) noexcept = default;
    ~open_parts() = default;

    void assign(std::span<std::byte const> bytes, std::span<layer_span const> layers) {
        auto& own = **this;
        own.bytes.assign(bytes.begin(), bytes.end()), own.layers.assign(layers.begin(), layers.end());
    }
    own_parts release() && { return std::move(parts_); }

    packet_parts& operator*() {
        if (!parts_) parts_ = take_parts();
        return *parts_;
    }
    packet_parts* operator->() { return &**this; }
    packet_parts const* operator->() const { return parts_ ? parts_.get() : &no_parts; }

private:
    own_parts parts_;
};

/// A packet on its way out: its automatic fields are filled in one after the other.
class outgoing {
public:
    /// A field of a template by which answers are told apart.
    struct identity_slot {
        std::size_t slot;
        identity_part part;
    };

    outgoing() = default;
    explicit outgoing(packet const& p);
    explicit outgoing(packet&& p);
    /// With addresses where host names stand; nothing when one is missing from `known`, or of the other
    /// family.
    static std::optional<outgoing> of(packet&& p, host_names const& known);

    /// The packet of this number, in the memory that it has. `from` must live until it is finished.
    void take(packet_template const& from, std::uint64_t index, random_source& random);
    /// Whether the latest that it took was of this template.
    bool is_of(packet_template const& from) const { return latest_ == &from; }
    /// Another packet of the same template, which had been finished to these bytes.
    outgoing with_bytes(std::span<std::byte const> finished) const;
    /// A set, compiled so that `take` can be followed by all the rest: nothing where that is not possible, or
    /// not worth it. `identified`: `identify` is part of it.
    static std::optional<packet_template> compile(source_base const& source, bool identified);

    /// The layer above the link's, or nothing.
    layer_view network_layer() const;
    bool begins_with_network_layer() const { return kind_ != network_kind::none && network_ == 0; }
    /// Where its network layer goes to, if it is IP; whom ARP asks.
    std::optional<ip_address> const& destination() const { return destination_; }
    std::optional<ip_address> source() const;
    bool is_ipv6() const { return kind_ == network_kind::ipv6; }
    /// How that destination was named. What ARP asks for is written: the question goes to all anyway.
    target_naming naming() const;
    bool has_automatic_source() const;
    /// True when the frame is Ethernet and its destination is automatic.
    bool wants_neighbour() const;

    /// Fields of IP, ARP and Ether that the interface and the route tell, where automatic.
    void set_source(ip_address const& source);
    void set_link_source(mac const& address);
    void set_link_destination(mac const& address);

    /// Fields by which its answer is told from others, where automatic. True when there was one.
    bool identify(identity_source const& all, std::uint32_t draw);
    /// The same for a packet that was taken of a template: these are `identities_of` it.
    bool identify(identity_source const& all, std::uint32_t draw, std::span<identity_slot const> which);
    static std::vector<identity_slot> identities_of(packet_template const& packets);

    /// Lengths and checksums. After this nothing is automatic any more.
    void finish(finisher& how);

    packet_view view() const { return {parts_->bytes, parts_->layers}; }
    std::vector<std::byte> const& bytes() const { return parts_->bytes; }
    packet to_packet() && { return packet::from_parts(std::move(parts_).release()); }

private:
    void find_network_layer();
    void read_destination();
    void set_loopback_source();
    bool resolve(packet const& p, host_names const& known);
    void put(std::size_t layer, std::size_t field, wire_value value);
    template <auto Member>
    void fill(std::size_t layer, wire_value value);
    template <auto Member>
    bool is_automatic(std::size_t layer) const;

    open_parts parts_;
    // Where the network layer is and what; looked for once, as it is asked for again and again.
    std::uint32_t network_ = 0;
    network_kind kind_ = network_kind::none;
    std::optional<ip_address> destination_;
    bool destination_looked_up_ = false;
    packet_template const* template_ = nullptr;  // while it is not finished
    packet_template const* latest_ = nullptr;    // whose packets have their network layer there
    packet_template::sums sums_{};
};

/// Where that goes to, if it is IP; whom ARP asks.
std::optional<ip_address> destination_of(packet_view const& p);

/// The link address of an IP multicast group (RFC 1112 §6.4, RFC 2464 §7).
mac multicast_address(ip_address const& group);

}  // namespace sonde::inline v0::detail
