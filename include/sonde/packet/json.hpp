#pragma once

#include <sonde/packet/packet.hpp>

#include <string>

SONDE_NAMESPACE_BEGIN

/// A packet as one line of JSON, in ASCII, with Scapy's names of layers and fields:
///
///     {"layers":[{"layer":"IP","fields":{"src":"192.0.2.1","flags":"DF","options":[], …}}, …]}
///
/// Numbers are numbers, whatever names they have; addresses and flag sets are text ("SA", "MF+DF"), bytes
/// `{"hex":"…"}`, options `[["MSS",1460],["NOP",null]]`, layers inside fields objects like the layers
/// themselves; a list field is always a list. Fields that the header does not hold are left out; a header
/// that ends inside a field is a Raw layer. What is automatic has the value that building gives it; sets are
/// lists.
///
/// Extensions of an ICMP error (RFC 4884) are told twice: in `layers` as the Padding that plain Scapy sees in
/// them, and layer by layer in a second list, `"extensions":[{"layer":"ICMPExtensionHeader",…}, …]`.
std::string to_json(packet const& p);

/// The layers alone: `[{"layer":…,"fields":{…}}, …]`, for objects that say more about a packet.
std::string layers_to_json(packet const& p);

SONDE_NAMESPACE_END
