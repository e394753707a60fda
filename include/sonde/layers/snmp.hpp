#pragma once

#include <sonde/layers/asn1.hpp>
#include <sonde/packet/packet.hpp>

#include <vector>

SONDE_NAMESPACE_BEGIN

/// @file
/// SNMP versions 1 and 2c (RFC 1157, RFC 1901, RFC 3416), with Scapy's names. A message is ASN.1 all through:
/// the fields are values with tag and length. `ber` is tag and length of what encloses the fields, computed;
/// it shows only where a message has it longer than it need be.

/// 0 for SNMPv1, 1 for v2c; Scapy's names in expressions: `'v1'`, `'v2c'`, `'v2'`, `'v3'`.
struct snmp_version : asn1_integer {
    /// From a number; 0 by default.
    using asn1_integer::asn1_integer;
    static option_codec const& codec();  ///< as asn1_integer's; the names are read too
};
/// An error-status (RFC 3416 §3); Scapy's names in expressions: `'no_such_name'`.
struct snmp_error : asn1_integer {
    /// From a number; 0 by default.
    using asn1_integer::asn1_integer;
    static option_codec const& codec();  ///< as asn1_integer's; the names are read too
};
/// A generic-trap (RFC 1157 §4.1.6), 0 to 6; Scapy's names in expressions: `'link_down'`.
struct snmp_trap_type : asn1_integer {
    /// From a number; 0 by default.
    using asn1_integer::asn1_integer;
    static option_codec const& codec();  ///< as asn1_integer's; the names are read too
};

/// A variable and its value (RFC 3416 §3).
struct SNMPvarbind {
    asn1_oid oid = "1.3";  ///< the name of the variable
    asn1_value value{};    ///< NULL, as questions have it
    field<octets> ber{};   ///< tag and length of all fields; automatic: computed
};
SONDE_DECLARE_LAYER(SNMPvarbind, ber, oid, value)
layer_hooks hooks(SNMPvarbind const*);  ///< widths of the fields, and `ber`

/// Variables of a PDU, one behind the other. Holds 512 bytes: throws header_too_long above.
struct snmp_varbinds : encoded_list<512> {
    snmp_varbinds() = default;
    /// Each as it is encoded; of a set of them, the first.
    template <std::same_as<SNMPvarbind>... Varbind>
        requires(sizeof...(Varbind) > 0)
    snmp_varbinds(Varbind const&... varbind) {
        (add(packet(varbind)), ...);
    }
    static option_codec const& codec();  ///< `[SNMPvarbind(..), ..]`, or bytes

private:
    void add(packet const& varbind);
};

/// Asks for variables by name (RFC 3416 §4.2.1). In this and the other PDUs `id` is the user's: what tells
/// probes apart in `sr*` is their source port.
struct SNMPget {
    snmp_varbinds varbindlist{};   ///< which ones; their values stay NULL
    asn1_integer id = 0;           ///< comes back in the response
    snmp_error error = 0;          ///< 0, as nothing but a response uses it
    asn1_integer error_index = 0;  ///< 0, as `error`
    /// Tag and length of the PDU, and of the list; automatic: computed.
    /// @{
    field<octets> ber{}, varbindlist_ber{};
    /// @}
};
SONDE_DECLARE_LAYER(SNMPget, ber, id, error, error_index, varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPget const*);  ///< widths of the fields; tags and lengths around them

/// Asks for the variables that follow these names (RFC 3416 §4.2.2).
struct SNMPnext {
    snmp_varbinds varbindlist{};   ///< behind which ones; their values stay NULL
    asn1_integer id = 0;           ///< comes back in the response
    snmp_error error = 0;          ///< 0, as nothing but a response uses it
    asn1_integer error_index = 0;  ///< 0, as `error`
    /// Tag and length of the PDU, and of the list; automatic: computed.
    /// @{
    field<octets> ber{}, varbindlist_ber{};
    /// @}
};
SONDE_DECLARE_LAYER(SNMPnext, ber, id, error, error_index, varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPnext const*);  ///< widths of the fields; tags and lengths around them

/// Answers all that ask, with the same `id` (RFC 3416 §4.2.4).
struct SNMPresponse {
    snmp_varbinds varbindlist{};   ///< with the values
    asn1_integer id = 0;           ///< of the request that it answers
    snmp_error error = 0;          ///< what went wrong; 0: nothing
    asn1_integer error_index = 0;  ///< which variable it was about, from 1; 0: none
    /// Tag and length of the PDU, and of the list; automatic: computed.
    /// @{
    field<octets> ber{}, varbindlist_ber{};
    /// @}
};
SONDE_DECLARE_LAYER(SNMPresponse, ber, id, error, error_index, varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPresponse const*);  ///< widths of the fields; tags and lengths around them

/// Writes variables (RFC 3416 §4.2.5).
struct SNMPset {
    snmp_varbinds varbindlist{};   ///< with the values to be set
    asn1_integer id = 0;           ///< comes back in the response
    snmp_error error = 0;          ///< 0, as nothing but a response uses it
    asn1_integer error_index = 0;  ///< 0, as `error`
    /// Tag and length of the PDU, and of the list; automatic: computed.
    /// @{
    field<octets> ber{}, varbindlist_ber{};
    /// @}
};
SONDE_DECLARE_LAYER(SNMPset, ber, id, error, error_index, varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPset const*);  ///< widths of the fields; tags and lengths around them

/// Tells a manager in SNMPv1; has no answer (RFC 1157 §4.1.6).
struct SNMPtrapv1 {
    asn1_oid enterprise = "1.3";      ///< what kind of thing tells: its sysObjectID
    asn1_ip_address agent_addr{};     ///< of who tells
    snmp_trap_type generic_trap = 0;  ///< 6: `specific_trap` says more
    asn1_integer specific_trap = 0;   ///< the enterprise's own number
    asn1_time_ticks time_stamp = 0;   ///< hundredths of a second since it started
    snmp_varbinds varbindlist{};      ///< what else is of interest
    /// Tag and length of the PDU, and of the list; automatic: computed.
    /// @{
    field<octets> ber{}, varbindlist_ber{};
    /// @}
};
SONDE_DECLARE_LAYER(SNMPtrapv1, ber, enterprise, agent_addr, generic_trap, specific_trap, time_stamp,
                    varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPtrapv1 const*);  ///< widths of the fields; tags and lengths around them

/// Asks for many variables that follow these names (RFC 3416 §4.2.3); not in SNMPv1.
struct SNMPbulk {
    snmp_varbinds varbindlist{};       ///< behind which ones; their values stay NULL
    asn1_integer max_repetitions = 0;  ///< up to how many followers of each other one
    asn1_integer non_repeaters = 0;    ///< how many of the first have one follower only
    asn1_integer id = 0;               ///< comes back in the response
    /// Tag and length of the PDU, and of the list; automatic: computed.
    /// @{
    field<octets> ber{}, varbindlist_ber{};
    /// @}
};
SONDE_DECLARE_LAYER(SNMPbulk, ber, id, non_repeaters, max_repetitions, varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPbulk const*);  ///< widths of the fields; tags and lengths around them

/// Tells a manager, which answers (RFC 3416 §4.2.7); not in SNMPv1.
struct SNMPinform {
    snmp_varbinds varbindlist{};   ///< sysUpTime.0, snmpTrapOID.0, and others
    asn1_integer id = 0;           ///< comes back in the response
    snmp_error error = 0;          ///< 0, as nothing but a response uses it
    asn1_integer error_index = 0;  ///< 0, as `error`
    /// Tag and length of the PDU, and of the list; automatic: computed.
    /// @{
    field<octets> ber{}, varbindlist_ber{};
    /// @}
};
SONDE_DECLARE_LAYER(SNMPinform, ber, id, error, error_index, varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPinform const*);  ///< widths of the fields; tags and lengths around them

/// Tells a manager; has no answer (RFC 3416 §4.2.6); not in SNMPv1.
struct SNMPtrapv2 {
    snmp_varbinds varbindlist{};   ///< sysUpTime.0, snmpTrapOID.0, and others
    asn1_integer id = 0;           ///< of the notification
    snmp_error error = 0;          ///< 0, as nothing but a response uses it
    asn1_integer error_index = 0;  ///< 0, as `error`
    /// Tag and length of the PDU, and of the list; automatic: computed.
    /// @{
    field<octets> ber{}, varbindlist_ber{};
    /// @}
};
SONDE_DECLARE_LAYER(SNMPtrapv2, ber, id, error, error_index, varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPtrapv2 const*);  ///< widths of the fields; tags and lengths around them

/// The PDU of a message; an empty SNMPget by default. Holds 640 bytes: throws header_too_long above.
struct snmp_pdu : encoded_list<640> {
    snmp_pdu() : snmp_pdu(SNMPget{}) {}
    /// SNMPget to SNMPtrapv2, as it is encoded; of a set, the first. That it is a PDU is not checked.
    template <layer Pdu>
    snmp_pdu(Pdu const& pdu) {
        add(packet(pdu));
    }
    static option_codec const& codec();  ///< `SNMPget(..)`; bytes where they are no PDU

private:
    void add(packet const& pdu);
};

/// A message: `SNMP{.community = "public", .PDU = SNMPget{.varbindlist = SNMPvarbind{.oid =
/// "1.3.6.1.2.1.1.1.0"}, .id = 7}}`. Answered by a response of the same version, community and request id
/// (RFC 3416 §4.2, RFC 1157 §4.1).
struct SNMP {
    asn1_string community = "public";  ///< what the agent knows the asker by, in the clear
    snmp_pdu PDU{};                    ///< one of SNMPget to SNMPtrapv2
    snmp_version version = 1;          ///< v2c
    field<octets> ber{};               ///< tag and length of all fields; automatic: computed
};
SONDE_DECLARE_LAYER(SNMP, ber, version, community, PDU)
/// Widths, `ber`, and matching. A message that isn't read to its last value, as of version 3, is no such
/// layer.
layer_hooks hooks(SNMP const*);

/// The PDU of a message, a packet of one layer: `snmp_pdu_of(p).get<SNMPresponse>()`. Empty for a packet
/// without SNMP, and where bytes that are no PDU were put.
packet snmp_pdu_of(packet const& message);
/// Its variables in order, each a packet of one SNMPvarbind. Empty where `snmp_pdu_of` is.
std::vector<packet> snmp_varbinds_of(packet const& message);

SONDE_NAMESPACE_END
