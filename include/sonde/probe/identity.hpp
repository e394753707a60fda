#pragma once

#include <sonde/probe/permutation.hpp>

#include <cstdint>

SONDE_NAMESPACE_BEGIN

/// What makes one attempt unlike every other, in the widths that protocols have room for. An attempt puts as
/// much of it as it can into the fields that the user left `automatic`.
struct identity {
    std::uint16_t port = 0;      ///< source port, within the source's range
    std::uint16_t id = 0;        ///< IP id, ICMP id, DNS id
    std::uint16_t sequence = 0;  ///< ICMP sequence number; with `id` one 32-bit identity
    std::uint32_t number = 0;    ///< TCP sequence number, transaction id
    std::uint64_t cookie = 0;    ///< payload bytes that an echo must return

    /// Member by member.
    friend constexpr bool operator==(identity const&, identity const&) = default;
};

/// Source ports, both ends included.
struct port_range {
    std::uint16_t first = 1024;  ///< above the system ports (RFC 6335 §6)
    std::uint16_t last = 32767;  ///< below Linux's ephemeral ports; see `identity_source`
};

/// Gives every attempt an identity that strangers cannot guess and that does not come again soon.
///
/// An identity is a function of the secret and of a 32-bit draw number, nothing else: an attempt keeps its
/// draw, and its packet can be rebuilt from it later. Successive draws
///   - never repeat `number`, nor `id` with `sequence`, before all 2^32 are used,
///   - never repeat `id`, nor `port`, before all 65536 of the one, all ports of the range of the other, are
///     used,
///   - never repeat `sequence` within a block of 65536 draws. The chance to guess one blindly: TCP SYN (port
///     and number) 2^-47, echo with cookie 2^-64, DNS (port and id) 2^-31, bare UDP (port) 2^-15: bare UDP
///     probes are weak against forged answers, whoever sends them.
///
/// The default ports, 1024 to 32767, lie below Linux's ephemeral range (32768 to 60999, ip_local_port_range),
/// so that a probe does not take the port of one of the host's own connections. They must hold at least one
/// port.
/// Cost: 3 KB; about 60 ns for a whole identity, less for each part alone.
/// Threads: `draw` on one, the rest on any.
class identity_source {
public:
    /// `first_draw` may be anything; a random one keeps the first probes of each start from being alike.
    explicit identity_source(secret_key secret, port_range ports = {}, std::uint32_t first_draw = 0) noexcept;

    /// The next number; after 2^32 they begin anew.
    std::uint32_t draw() noexcept { return next_++; }

    /// The identity of this draw: always the same one.
    identity at(std::uint32_t draw) const noexcept;

    /// A part of it alone.
    /// @{
    std::uint16_t port(std::uint32_t draw) const noexcept;
    std::uint16_t id(std::uint32_t draw) const noexcept;
    std::uint16_t sequence(std::uint32_t draw) const noexcept;
    std::uint32_t number(std::uint32_t draw) const noexcept { return number_(draw); }
    std::uint64_t cookie(std::uint32_t draw) const noexcept;
    /// @}

private:
    secret_key secret_;
    std::uint16_t first_port_;
    std::uint32_t next_;
    detail::small_permutation port_, id_, blend_, sequence_;
    detail::wide_permutation number_;
};

SONDE_NAMESPACE_END
