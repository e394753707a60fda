#pragma once

#include <sonde/error.hpp>
#include <sonde/packet/address_set.hpp>

#include <cstdint>
#include <string_view>

SONDE_NAMESPACE_BEGIN

/// What makes an address no ordinary target.
enum class target_kind : std::uint8_t {
    host,         ///< an ordinary one
    broadcast,    ///< 255.255.255.255, and what the route says is a network's broadcast address
    multicast,    ///< 224.0.0.0/4, ff00::/8
    unspecified,  ///< 0.0.0.0/8, ::
    own,          ///< loopback, and addresses of this host
};
/// "host", "broadcast" …
std::string_view name_of(target_kind kind) noexcept;

/// How an address came to be a packet's destination.
enum class target_naming : std::uint8_t {
    written,    ///< as a value, in a list, or in a set that is all of its kind (239.0.0.0/8)
    looked_up,  ///< by a host name
    drawn,      ///< out of a network, a range, or chance
};

/// Which kinds of targets need not be named. A trivially destructible aggregate.
struct target_options {
    bool broadcast = false;    ///< 255.255.255.255, and broadcast addresses of networks
    bool multicast = false;    ///< 224.0.0.0/4, ff00::/8
    bool unspecified = false;  ///< 0.0.0.0/8, ::
    bool own = false;          ///< loopback, and addresses of this host
};

/// Decides, without I/O, whether a packet may go where it is addressed to:
///   - nothing goes to what is blocked, nor, once something was allowed, to anything else;
///   - broadcast, multicast, unspecified and own addresses need to be named: written, or allowed as a kind.
///     A host name names an own address (`localhost`), not the others: a resolver's answer is not the user's
///     word.
///
/// The reasons are in docs/design/targets.md. Errors: none but those it returns. Threads: one at a time.
/// Cost: the logarithm of the lists' lengths; without lists a comparison.
class target_policy {
public:
    /// The kinds of `options` are allowed; no network is, nor blocked, by a list.
    explicit target_policy(target_options options = {}) noexcept : options_(options) {}

    /// Packets go to these networks only, and to those allowed before.
    void allow(address_set const& networks) { allowed_ |= networks; }
    /// Nothing goes to these networks, whatever is allowed or named.
    void block(address_set const& networks) { blocked_ |= networks; }

    /// True when `by_lists` may refuse an address.
    bool has_lists() const noexcept { return !allowed_.empty() || !blocked_.empty(); }
    /// target_blocked, or nothing: what the lists say.
    error_code by_lists(ip_address const& to) const noexcept;
    /// target_refused, or nothing: what the kind says.
    error_code by_kind(target_kind kind, target_naming naming) const noexcept;

    /// What an address by itself tells; a route may tell more.
    static target_kind kind_by_address(ip_address const& to) noexcept;

private:
    bool is_allowed(target_kind kind) const noexcept;

    target_options options_;
    address_set allowed_, blocked_;
};

SONDE_NAMESPACE_END
