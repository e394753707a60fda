#pragma once

#include "sim/world.hpp"

namespace sonde::inline v0::detail {

/// What a host, or a router on the way to it, says to one frame that has come.
class answering final : public replies {
public:
    answering(world& w, world::place& at, std::span<std::byte const> frame);

    void answer();

    void send(packet const& p, std::chrono::nanoseconds after = {}) override;
    packet back() const override;
    random_source& random() override { return world_.random; }

private:
    void answer_arp();
    void answer_ip();
    bool expires();
    bool is_too_big();
    void answer_solicitation(layer_view const& asked);
    void answer_echo(layer_view const& asked);
    void answer_tcp(layer_view const& segment);
    void answer_udp(layer_view const& datagram);
    std::optional<packet> answer_dns() const;
    void error(ip_address const& from, std::uint8_t type_v4, std::uint8_t type_v6, std::uint8_t code,
               std::uint32_t mtu = 0);
    packet header(ip_address const& from) const;
    void put_on_wire(std::span<std::byte const> body, unsigned type, std::chrono::nanoseconds after);

    host& behaviour() const { return place_.behind.behaviour; }

    world& world_;
    world::place& place_;
    std::span<std::byte const> frame_;
    packet received_;  // from the IP header on
    ip_address asker_, self_;
    bool v6_ = false;
};

}  // namespace sonde::inline v0::detail
