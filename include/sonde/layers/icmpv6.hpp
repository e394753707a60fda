#pragma once

#include <sonde/layers/raw.hpp>

namespace sonde {

struct icmpv6_types {
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
using icmpv6_type = enumerated<std::uint8_t, icmpv6_types>;

/// Destination unreachable (RFC 4443 §3.1). `length`, computed, is of RFC 4884: the quote
/// in units of 8 bytes if extensions follow it, else 0.
struct ICMPv6DestUnreach {
    field<std::uint8_t> code = 0;
    field<std::uint8_t> length{};
    field<bits<24>> unused = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 1;
};
SONDE_DECLARE_LAYER(ICMPv6DestUnreach, type, code, cksum, length, unused)
layer_hooks hooks(ICMPv6DestUnreach const*);

/// Packet too big (RFC 4443 §3.2). `mtu` in bytes.
struct ICMPv6PacketTooBig {
    field<std::uint32_t> mtu = 1280;
    field<std::uint8_t> code = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 2;
};
SONDE_DECLARE_LAYER(ICMPv6PacketTooBig, type, code, cksum, mtu)
layer_hooks hooks(ICMPv6PacketTooBig const*);

/// Time exceeded (RFC 4443 §3.3). Code 0: hop limit; 1: fragment reassembly.
struct ICMPv6TimeExceeded {
    field<std::uint8_t> code = 0;
    field<std::uint8_t> length{};
    field<bits<24>> unused = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 3;
};
SONDE_DECLARE_LAYER(ICMPv6TimeExceeded, type, code, cksum, length, unused)
layer_hooks hooks(ICMPv6TimeExceeded const*);

/// Parameter problem (RFC 4443 §3.4). `ptr`: offset of the octet at fault.
struct ICMPv6ParamProblem {
    field<std::uint8_t> code = 0;
    field<std::uint32_t> ptr = 6;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 4;
};
SONDE_DECLARE_LAYER(ICMPv6ParamProblem, type, code, cksum, ptr)
layer_hooks hooks(ICMPv6ParamProblem const*);

/// Echo request (RFC 4443 §4.1). `id` and `seq` are the engine's own in `sr*`, else 0.
struct ICMPv6EchoRequest {
    field<std::uint16_t> id{};
    field<std::uint16_t> seq{};
    field<octets> data{};
    field<std::uint8_t> code = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 128;
};
SONDE_DECLARE_LAYER(ICMPv6EchoRequest, type, code, cksum, id, seq, data)
layer_hooks hooks(ICMPv6EchoRequest const*);

/// Echo reply (RFC 4443 §4.2).
struct ICMPv6EchoReply {
    field<std::uint16_t> id{};
    field<std::uint16_t> seq{};
    field<octets> data{};
    field<std::uint8_t> code = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 129;
};
SONDE_DECLARE_LAYER(ICMPv6EchoReply, type, code, cksum, id, seq, data)
layer_hooks hooks(ICMPv6EchoReply const*);

/// Neighbour solicitation (RFC 4861 §4.3); options follow as layers.
struct ICMPv6ND_NS {
    field<ipv6> tgt = ipv6();
    field<std::uint32_t> res = 0;
    field<std::uint8_t> code = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 135;
};
SONDE_DECLARE_LAYER(ICMPv6ND_NS, type, code, cksum, res, tgt)
layer_hooks hooks(ICMPv6ND_NS const*);

/// Neighbour advertisement (RFC 4861 §4.4). Router, Solicited and Override bits.
struct ICMPv6ND_NA {
    field<ipv6> tgt = ipv6();
    field<bits<1>> R = 1, S = 0, O = 1;
    field<bits<29>> res = 0;
    field<std::uint8_t> code = 0;
    field<std::uint16_t> cksum{};
    field<icmpv6_type> type = 136;
};
SONDE_DECLARE_LAYER(ICMPv6ND_NA, type, code, cksum, R, S, O, res, tgt)
layer_hooks hooks(ICMPv6ND_NA const*);

/// Source link-layer address option (RFC 4861 §4.6.1). `len` in units of 8 bytes. `lladdr` set to `automatic`
/// is the sending interface's.
struct ICMPv6NDOptSrcLLAddr {
    field<mac> lladdr = mac();
    field<std::uint8_t> len = 1;
    field<std::uint8_t> type = 1;
};
SONDE_DECLARE_LAYER(ICMPv6NDOptSrcLLAddr, type, len, lladdr)
layer_hooks hooks(ICMPv6NDOptSrcLLAddr const*);

/// Target link-layer address option (RFC 4861 §4.6.1).
struct ICMPv6NDOptDstLLAddr {
    field<mac> lladdr = mac();
    field<std::uint8_t> len = 1;
    field<std::uint8_t> type = 2;
};
SONDE_DECLARE_LAYER(ICMPv6NDOptDstLLAddr, type, len, lladdr)
layer_hooks hooks(ICMPv6NDOptDstLLAddr const*);

/// Any other neighbour discovery option: type, length in units of 8 bytes, data.
struct ICMPv6NDOptUnknown {
    field<std::uint8_t> type = 0;
    field<std::uint8_t> len{};
    field<octets> data{};
};
SONDE_DECLARE_LAYER(ICMPv6NDOptUnknown, type, len, data)
layer_hooks hooks(ICMPv6NDOptUnknown const*);

/// An ICMPv6 message without a layer of its own (RFC 4443 §2.1).
struct ICMPv6Unknown {
    field<std::uint8_t> type = 1;
    field<std::uint8_t> code = 0;
    field<octets> msgbody{};
    field<std::uint16_t> cksum{};
};
SONDE_DECLARE_LAYER(ICMPv6Unknown, type, code, cksum, msgbody)
layer_hooks hooks(ICMPv6Unknown const*);

}  // namespace sonde
