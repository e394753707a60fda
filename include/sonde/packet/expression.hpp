#pragma once

#include <sonde/packet/literal.hpp>
#include <sonde/packet/packet.hpp>

#include <string_view>
#include <vector>

SONDE_NAMESPACE_BEGIN

/// Scapy's packet expressions: `IP(dst=["198.18.0.1", "198.18.0.2"])/TCP(dport=(1, 1024),
/// flags="S")/b"data"`.
///
/// Layers with keyword arguments, or with one argument of bytes that is read as that layer; `/` between
/// layers, text and bytes; values as Python writes them: None, True, False, numbers (decimal, 0x, 0o, 0b,
/// with `_`), 'text' and "text" with Python's escapes, b'bytes', lists, tuples; `"A"*100`, `b'a'+b'b'`,
/// `1<<4`, `0x2|0x10`; Net(..), Rand…(..); fuzz(packet), dns_compress(packet); comments. No names, no
/// attributes.
///
/// Errors are of type `error` and say where and what would fit: `column 14: IP has no field "tll"; did you
/// mean "ttl"?`. Codes: bad_expression, no_such_layer, no_such_field, bad_text, value_out_of_range,
/// header_too_long, set_too_large.
///
/// Limits: text of 1 MiB, 64 levels of brackets, 64 layers on one another. Cost: linear in the text; a set
/// costs what its spelling does, not what it expands to. Threads: safe.

/// The packet of one expression; a set of packets when its fields hold sets.
packet parse_packet(std::string_view text);

/// The packets of an expression which may also be a list of such: `[IP()/TCP(), IP()/UDP()]`. The sets in it
/// follow each other in order, each as long as its `size()`. `fragment(packet, fragsize=1480)` and
/// `fragment6` are the fragments of a packet.
std::vector<packet> parse_packets(std::string_view text);

/// The value that a text spells, columns noted: the first half of parse_packet.
literal parse_literal(std::string_view text);

/// The second half: the packet of a call (`IP(…)`), a stack (`A/B`), text or bytes.
packet make_packet(literal const& expression);

SONDE_NAMESPACE_END
