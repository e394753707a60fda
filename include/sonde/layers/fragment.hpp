#pragma once

#include <sonde/packet/packet.hpp>

#include <cstddef>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// Cuts IPv4 packets into fragments (RFC 791 §3.2), as Scapy does: `net.send(fragment(packet))`.
///
/// Each carries `fragsize` bytes of payload, rounded down to a multiple of 8 (at least 8); the last may carry
/// `fragsize`. Every fragment has the options, and the layers below IP; `frag` and the MF flag of a packet
/// that is a fragment itself are gone on from. A set gives the fragments of all its packets, in order.
///
/// The payload is built here, checksums included: those of TCP and UDP need IP's `src`, which is not known
/// here when it is automatic. What `sr` gives probes of its own (`id`, ports) is settled as well.
/// Throws no_such_layer without IP; value_out_of_range past 65535 bytes; set_too_large over 2^20 fragments;
/// host_not_found when an address is a host name.
std::vector<packet> fragment(packet const& set, std::size_t fragsize = 1480);

/// The same for IPv6 (RFC 8200 §4.5): no fragment is longer than `fragsize` bytes, all its headers counted,
/// as with Scapy. A packet without a fragment header gets one, behind those that every router reads
/// (hop-by-hop, routing); where it has one, that tells where to cut, and the `id`, which is random
/// otherwise. What fits is one packet, with that header (an atomic fragment, RFC 6946).
/// Throws as above, value_out_of_range also when `fragsize` leaves no room for 8 bytes of payload.
std::vector<packet> fragment6(packet const& set, std::size_t fragsize = 1280);

SONDE_NAMESPACE_END
