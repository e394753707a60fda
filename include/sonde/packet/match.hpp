#pragma once

#include <sonde/packet/packet.hpp>

#include <algorithm>
#include <array>

SONDE_NAMESPACE_BEGIN

/// Does `received` answer `sent`? Both are built packets (no automatic fields). Exact by the RFCs: both
/// ports, addresses, id and sequence, TCP acknowledgement and reset rules (RFC 9293), echo data; ARP
/// operation and addresses; neighbour targets. ICMP errors (types 3, 11, 12; ICMPv6 1 to 4) are judged by the
/// packet they quote; 8 bytes of it beyond the IP header are enough (RFC 792, RFC 5927). Multicast and
/// broadcast requests accept unicast answers. `why` of a mismatch tells place, found and expected. Link
/// layers are looked through, VLAN tags must agree.
///
/// A probe whose view is `relaxed` takes what Scapy takes besides: UDP from any port, TCP acknowledgements
/// that are off by 2 and resets without one, DNS answers to another question, changed echo data, ICMP source
/// quench and redirects, quotes with another IP id or TCP sequence number. Off-path forgers need guess less
/// then.
match_verdict match(packet_view const& received, packet_view const& sent);

/// False when a checksum shows that a whole received packet is not what was sent: of IP (RFC 791), TCP, UDP,
/// ICMP and ICMPv6 (RFC 1071), or when an IPv6 packet is longer than its frame. Quotes and fragments do not
/// hold all that their checksums are about: theirs are not looked at.
bool checksums_hold(packet_view const& received);

/// How far into a probe its key goes. `ports` are the innermost that it knows, as ICMP errors quote no more;
/// `above` takes in what lies above them (DNS ids), by which answers are found, errors not.
enum class key_reach : std::uint8_t { ports, above };
/// What a probe and all of its answers share; see match_key. `to_many`: the probe went to a group, its
/// answers come from addresses that it did not name. Property: match(r, s) implies that key_of_probe(s) is
/// among keys_of_answer(r, secret, s.relaxed). Zero for a probe without a network layer.
match_key key_of_probe(packet_view const& sent, secret_key const& secret, bool to_many,
                       key_reach reach = key_reach::ports);

/// True for Ethernet, VLAN tags, LLC, MPLS and cooked headers: what lies below the network layer.
bool is_link_layer(layer_view const& layer);

/// True when the addresses of the packet alone show that it goes to many: multicast, limited broadcast, or a
/// group's on the link with what may be a subnet's broadcast in IP. (The routes alone show which those are.)
bool goes_to_many(packet_view const& sent);

/// The keys under which the probe of this answer may be found: one for each layer at which the probe may end,
/// or go on as bytes, the outermost first. Relaxed probes have keys of their own.
struct answer_keys {
    static constexpr std::size_t most = 4;  ///< layers that add to a key
    std::array<match_key, most> to_one{};   ///< of a probe to the sender of this packet
    std::array<match_key, most> to_many{};  ///< of a probe to a group
    std::size_t count = 0;                  ///< of either
    bool is_error = false;                  ///< an ICMP error: the keys are the quoted packet's
    bool readable = false;                  ///< false: nothing that could answer a probe; no keys

    /// True when the probe of this key, which went to a group (`many`) or not, may have this answer.
    bool contain(match_key const& key, bool many) const {
        auto const& keys = many ? to_many : to_one;
        return std::find(keys.begin(), keys.begin() + count, key) != keys.begin() + count;
    }
};
/// Without `groups` the keys of probes to a group are left out (zero).
answer_keys keys_of_answer(packet_view const& received, secret_key const& secret, bool relaxed = false,
                           bool groups = true);

SONDE_NAMESPACE_END
