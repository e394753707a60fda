#pragma once

#include <sonde/packet/literal.hpp>
#include <sonde/packet/packet.hpp>

#include <string>

SONDE_NAMESPACE_BEGIN

/// Packets as text, four ways, each as Scapy prints it. All of it is printable ASCII and line ends, whatever
/// the packet holds. fmt prints the same: `{}`, `{:show}`, `{:hex}`, `{:command}` (sonde/packet/format.hpp).
/// Cost: linear in the packet's bytes. Threads: as for any const member of `packet`.

/// One line: `IP / TCP 192.0.2.1:ftp_data > 198.51.100.2:http SA`. The innermost layer that has something to
/// say says it, those around it give their names, as in Scapy. Sets print as they were written.
std::string summary(packet const& p);

/// Every layer with a title, every field on a line of its own: names of numbers where they have them, `None`
/// for what is computed when the packet is built. Ends with `...` behind 64 KiB and 16 times the packet's
/// bytes.
std::string show(packet const& p);

/// An expression that makes this packet again: from the dissection of any bytes, one that builds the same
/// bytes (a layer that its fields do not tell exactly prints as Raw). A layer of which something is automatic
/// prints only what differs from its defaults.
std::string command(packet const& p);

/// 16 bytes a line: offset, hexadecimal, printable characters.
std::string hexdump(std::span<std::byte const> bytes);

/// Python's spelling of a value, as expressions have it; `parse_literal` reads it back.
std::string to_python(literal const& value);

/// The name of a layer in its packet: IPerror, TCPerror, UDPerror, ICMPerror, IPerror6 where an ICMP error
/// quotes them, as in Scapy.
std::string_view name_of(layer_span const& layer);

/// What a field holds, as command() spells it: numbers and flags as numbers, addresses as text, octets as
/// bytes, option lists and sets as lists, `None` where it is automatic.
/// @{
literal value_of(layer_view const& layer, std::size_t field);
literal value_of(layer_description const& layer, std::size_t field, field_content const& content);
/// @}

/// A layer with all the fields that its header holds, without the layers inside it: a `literal::call`.
literal value_of(layer_view const& layer);

/// The reverse: what a field holds when an expression sets it to `value`. None is automatic, lists are sets,
/// tuples ranges, text an address, a network, a name, flags or a host name, `Rand…()` random. Throws `error`
/// that names layer, field, value and what would fit: value_out_of_range, bad_text.
field_content read_value(layer_description const& layer, std::size_t field, literal const& value,
                         literal::call const* of = nullptr);

namespace detail {

/// What show() and summaries print for a value of a field: names, hexadecimal, escaped text.
std::string shown_text(layer_description const& layer, std::size_t field, literal const& value);
/// The same, with the names that hold in this layer's header.
std::string shown_text(layer_view const& layer, std::size_t field, literal const& value);
/// The same of what the field holds.
std::string shown_text(layer_view const& layer, std::size_t field);
/// True for a header that ends inside a field, or before the length that it states: it prints as Raw bytes.
/// One that ends between fields prints with those it has, as Scapy reads ICMP quotes of 8 bytes.
bool is_unreadable(layer_view const& layer);
/// True when show() prints None for the field while it is automatic, as nothing but building can tell it.
bool is_computed_late(layer_view const& layer, std::size_t field);
/// "SA", "MF+DF": the names of the bits that are set.
std::string flags_text(value_names names, std::uint64_t flags);
void append_python(std::string& out, literal const& value);

}  // namespace detail
SONDE_NAMESPACE_END
