#pragma once

#include <sonde/layers/raw.hpp>

SONDE_NAMESPACE_BEGIN

/// Types of ICMPv6 messages (IANA), with Scapy's names; not all that there are.
struct icmpv6_types {
    /// What `show` prints and text is looked up in.
    static constexpr std::array<value_name, 19> names{{{1, "Destination unreachable"},
                                                       {2, "Packet too big"},
                                                       {3, "Time exceeded"},
                                                       {4, "Parameter problem"},
                                                       {128, "Echo Request"},
                                                       {129, "Echo Reply"},
                                                       {130, "MLD Query"},
                                                       {131, "MLD Report"},
                                                       {132, "MLD Done"},
                                                       {133, "Router Solicitation"},
                                                       {134, "Router Advertisement"},
                                                       {135, "Neighbor Solicitation"},
                                                       {136, "Neighbor Advertisement"},
                                                       {137, "Redirect Message"},
                                                       {143, "MLD Report Version 2"},
                                                       {100, "Private Experimentation"},
                                                       {101, "Private Experimentation"},
                                                       {200, "Private Experimentation"},
                                                       {201, "Private Experimentation"}}};
};
/// The type of a message: a number, or one of these names.
using icmpv6_type = enumerated<std::uint8_t, icmpv6_types>;

/// Destination unreachable (RFC 4443 §3.1). `length`, computed, is of RFC 4884: the quote
/// in units of 8 bytes if extensions follow it, else 0.
struct ICMPv6DestUnreach {
    field<std::uint8_t> code = 0;  ///< why: 0 no route, 1 prohibited, 3 address, 4 port, and more
    field<std::uint8_t> length{};  ///< see above; building throws value_out_of_range over 255
    field<bits<24>> unused = 0;    ///< 3 octets, ignored
    field<std::uint16_t> cksum{};  ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 1;   ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6DestUnreach, type, code, cksum, length, unused)
/// Length, checksum, the quote and extensions behind it. Nothing answers it.
layer_hooks hooks(ICMPv6DestUnreach const*);

/// Packet too big (RFC 4443 §3.2). `mtu` in bytes.
struct ICMPv6PacketTooBig {
    /// Of the link that it does not fit, in bytes; 1280 is the least that IPv6 allows.
    field<std::uint32_t> mtu = 1280;
    field<std::uint8_t> code = 0;  ///< 0, ignored
    field<std::uint16_t> cksum{};  ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 2;   ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6PacketTooBig, type, code, cksum, mtu)
layer_hooks hooks(ICMPv6PacketTooBig const*);  ///< checksum, and the quote inside; nothing answers it

/// Time exceeded (RFC 4443 §3.3). Code 0: hop limit; 1: fragment reassembly.
struct ICMPv6TimeExceeded {
    field<std::uint8_t> code = 0;  ///< see above
    field<std::uint8_t> length{};  ///< as in ICMPv6DestUnreach
    field<bits<24>> unused = 0;    ///< 3 octets, ignored
    field<std::uint16_t> cksum{};  ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 3;   ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6TimeExceeded, type, code, cksum, length, unused)
/// Length, checksum, the quote and extensions behind it. Nothing answers it.
layer_hooks hooks(ICMPv6TimeExceeded const*);

/// Parameter problem (RFC 4443 §3.4). `ptr`: offset of the octet at fault.
struct ICMPv6ParamProblem {
    field<std::uint8_t> code = 0;  ///< 0 header field, 1 next header, 2 option, 3 first fragment (RFC 7112)
    field<std::uint32_t> ptr = 6;  ///< in bytes, from the begin of the packet at fault; 6 is its next header
    field<std::uint16_t> cksum{};  ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 4;   ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6ParamProblem, type, code, cksum, ptr)
layer_hooks hooks(ICMPv6ParamProblem const*);  ///< checksum, and the quote inside; nothing answers it

/// Echo request (RFC 4443 §4.1). `id` and `seq` are the engine's own in `sr*`, else 0.
struct ICMPv6EchoRequest {
    field<std::uint16_t> id{};      ///< automatic: see above
    field<std::uint16_t> seq{};     ///< automatic: see above
    field<octets> data{};           ///< which the reply must bring back; a payload layer counts too
    field<std::uint8_t> code = 0;   ///< always 0
    field<std::uint16_t> cksum{};   ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 128;  ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6EchoRequest, type, code, cksum, id, seq, data)
/// Checksum, identity (`id`, `seq`), and matching by these and the data.
layer_hooks hooks(ICMPv6EchoRequest const*);

/// Echo reply (RFC 4443 §4.2).
struct ICMPv6EchoReply {
    field<std::uint16_t> id{};      ///< of the request; automatic: 0, or the engine's own, as a request's
    field<std::uint16_t> seq{};     ///< the same
    field<octets> data{};           ///< of the request
    field<std::uint8_t> code = 0;   ///< always 0
    field<std::uint16_t> cksum{};   ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 129;  ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6EchoReply, type, code, cksum, id, seq, data)
/// Checksum, identity, and the key of the request. Nothing answers it.
layer_hooks hooks(ICMPv6EchoReply const*);

/// Neighbour solicitation (RFC 4861 §4.3); options follow as layers.
struct ICMPv6ND_NS {
    field<ipv6> tgt = ipv6();       ///< whose link-layer address is asked for; answers are for the same
    field<std::uint32_t> res = 0;   ///< reserved, ignored
    field<std::uint8_t> code = 0;   ///< always 0
    field<std::uint16_t> cksum{};   ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 135;  ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6ND_NS, type, code, cksum, res, tgt)
/// Checksum, and matching by target, hop limit 255 and whole options (RFC 4861 §7.1.2).
layer_hooks hooks(ICMPv6ND_NS const*);

/// Neighbour advertisement (RFC 4861 §4.4). Router, Solicited and Override bits.
struct ICMPv6ND_NA {
    field<ipv6> tgt = ipv6();  ///< whose link-layer address is told
    /// A router; an answer to a solicitation; overrides what is cached.
    /// @{
    field<bits<1>> R = 1, S = 0, O = 1;
    /// @}
    field<bits<29>> res = 0;        ///< reserved, ignored
    field<std::uint8_t> code = 0;   ///< always 0
    field<std::uint16_t> cksum{};   ///< over message and pseudo header (RFC 4443 §2.3), computed
    field<icmpv6_type> type = 136;  ///< first octet, by which dissecting picks the layer
};
SONDE_DECLARE_LAYER(ICMPv6ND_NA, type, code, cksum, R, S, O, res, tgt)
layer_hooks hooks(ICMPv6ND_NA const*);  ///< checksum, and the key of the solicitation; nothing answers it

/// Source link-layer address option (RFC 4861 §4.6.1). `len` in units of 8 bytes. `lladdr` set to `automatic`
/// is the sending interface's.
struct ICMPv6NDOptSrcLLAddr {
    field<mac> lladdr = mac();     ///< the sender's; the default is 00:00:00:00:00:00, as Scapy's
    field<std::uint8_t> len = 1;   ///< with another value dissecting finds no such layer
    field<std::uint8_t> type = 1;  ///< first octet, by which dissecting picks the option
};
SONDE_DECLARE_LAYER(ICMPv6NDOptSrcLLAddr, type, len, lladdr)
layer_hooks hooks(ICMPv6NDOptSrcLLAddr const*);  ///< length: 8 bytes or no such layer

/// Target link-layer address option (RFC 4861 §4.6.1).
struct ICMPv6NDOptDstLLAddr {
    /// The target's; the default is 00:00:00:00:00:00, as Scapy's, also when automatic.
    field<mac> lladdr = mac();
    field<std::uint8_t> len = 1;   ///< with another value dissecting finds no such layer
    field<std::uint8_t> type = 2;  ///< first octet, by which dissecting picks the option
};
SONDE_DECLARE_LAYER(ICMPv6NDOptDstLLAddr, type, len, lladdr)
layer_hooks hooks(ICMPv6NDOptDstLLAddr const*);  ///< length: 8 bytes or no such layer

/// Any other neighbour discovery option: type, length in units of 8 bytes, data.
struct ICMPv6NDOptUnknown {
    field<std::uint8_t> type = 0;  ///< any without a layer of its own, when dissected
    field<std::uint8_t> len{};     ///< of the whole option; computed, rounded up; nothing is padded
    field<octets> data{};          ///< what follows type and length
};
SONDE_DECLARE_LAYER(ICMPv6NDOptUnknown, type, len, data)
layer_hooks hooks(ICMPv6NDOptUnknown const*);  ///< length, written and read

/// An ICMPv6 message without a layer of its own (RFC 4443 §2.1).
struct ICMPv6Unknown {
    field<std::uint8_t> type = 1;  ///< any without a layer of its own, when dissected
    field<std::uint8_t> code = 0;  ///< as the type has it
    field<octets> msgbody{};       ///< what follows the checksum
    field<std::uint16_t> cksum{};  ///< over message and pseudo header (RFC 4443 §2.3), computed
};
SONDE_DECLARE_LAYER(ICMPv6Unknown, type, code, cksum, msgbody)
layer_hooks hooks(ICMPv6Unknown const*);  ///< checksum; nothing answers it

SONDE_NAMESPACE_END
