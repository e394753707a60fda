#pragma once

#include <sonde/layers/asn1.hpp>
#include <sonde/packet/packet.hpp>

#include <vector>

namespace sonde {

/// SNMP versions 1 and 2c (RFC 1157, RFC 1901, RFC 3416), with Scapy's names. A message is ASN.1 all through:
/// the fields are values with tag and length. `ber` is tag and length of what encloses the fields, computed;
/// it shows only where a message has it longer than it need be.

struct snmp_version : asn1_integer {
    using asn1_integer::asn1_integer;
    static option_codec const& codec();
};
struct snmp_error : asn1_integer {
    using asn1_integer::asn1_integer;
    static option_codec const& codec();
};
struct snmp_trap_type : asn1_integer {
    using asn1_integer::asn1_integer;
    static option_codec const& codec();
};

/// A variable and its value.
struct SNMPvarbind {
    asn1_oid oid = "1.3";
    asn1_value value{};
    field<octets> ber{};
};
SONDE_DECLARE_LAYER(SNMPvarbind, ber, oid, value)
layer_hooks hooks(SNMPvarbind const*);

struct snmp_varbinds : encoded_list<512> {
    snmp_varbinds() = default;
    template <std::same_as<SNMPvarbind>... Varbind>
        requires(sizeof...(Varbind) > 0)
    snmp_varbinds(Varbind const&... varbind) {
        (add(packet(varbind)), ...);
    }
    static option_codec const& codec();

private:
    void add(packet const& varbind);
};

/// Protocol data units. `id` is the user's: what tells probes apart in `sr*` is their source port.
struct SNMPget {
    snmp_varbinds varbindlist{};
    asn1_integer id = 0;
    snmp_error error = 0;
    asn1_integer error_index = 0;
    field<octets> ber{}, varbindlist_ber{};
};
SONDE_DECLARE_LAYER(SNMPget, ber, id, error, error_index, varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPget const*);

struct SNMPnext {
    snmp_varbinds varbindlist{};
    asn1_integer id = 0;
    snmp_error error = 0;
    asn1_integer error_index = 0;
    field<octets> ber{}, varbindlist_ber{};
};
SONDE_DECLARE_LAYER(SNMPnext, ber, id, error, error_index, varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPnext const*);

struct SNMPresponse {
    snmp_varbinds varbindlist{};
    asn1_integer id = 0;
    snmp_error error = 0;
    asn1_integer error_index = 0;
    field<octets> ber{}, varbindlist_ber{};
};
SONDE_DECLARE_LAYER(SNMPresponse, ber, id, error, error_index, varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPresponse const*);

struct SNMPset {
    snmp_varbinds varbindlist{};
    asn1_integer id = 0;
    snmp_error error = 0;
    asn1_integer error_index = 0;
    field<octets> ber{}, varbindlist_ber{};
};
SONDE_DECLARE_LAYER(SNMPset, ber, id, error, error_index, varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPset const*);

/// `time_stamp` in hundredths of a second.
struct SNMPtrapv1 {
    asn1_oid enterprise = "1.3";
    asn1_ip_address agent_addr{};
    snmp_trap_type generic_trap = 0;
    asn1_integer specific_trap = 0;
    asn1_time_ticks time_stamp = 0;
    snmp_varbinds varbindlist{};
    field<octets> ber{}, varbindlist_ber{};
};
SONDE_DECLARE_LAYER(SNMPtrapv1, ber, enterprise, agent_addr, generic_trap, specific_trap, time_stamp,
                    varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPtrapv1 const*);

struct SNMPbulk {
    snmp_varbinds varbindlist{};
    asn1_integer max_repetitions = 0;
    asn1_integer non_repeaters = 0;
    asn1_integer id = 0;
    field<octets> ber{}, varbindlist_ber{};
};
SONDE_DECLARE_LAYER(SNMPbulk, ber, id, non_repeaters, max_repetitions, varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPbulk const*);

struct SNMPinform {
    snmp_varbinds varbindlist{};
    asn1_integer id = 0;
    snmp_error error = 0;
    asn1_integer error_index = 0;
    field<octets> ber{}, varbindlist_ber{};
};
SONDE_DECLARE_LAYER(SNMPinform, ber, id, error, error_index, varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPinform const*);

struct SNMPtrapv2 {
    snmp_varbinds varbindlist{};
    asn1_integer id = 0;
    snmp_error error = 0;
    asn1_integer error_index = 0;
    field<octets> ber{}, varbindlist_ber{};
};
SONDE_DECLARE_LAYER(SNMPtrapv2, ber, id, error, error_index, varbindlist_ber, varbindlist)
layer_hooks hooks(SNMPtrapv2 const*);

struct snmp_pdu : encoded_list<640> {
    snmp_pdu() : snmp_pdu(SNMPget{}) {}
    template <layer Pdu>
    snmp_pdu(Pdu const& pdu) {
        add(packet(pdu));
    }
    static option_codec const& codec();

private:
    void add(packet const& pdu);
};

/// A message: `SNMP{.community = "public", .PDU = SNMPget{.id = 7, .varbindlist = SNMPvarbind{.oid =
/// "1.3.6.1.2.1.1.1.0"}}}`. `version` is 0 for SNMPv1, 1 for v2c. Answered by a response of the same version,
/// community and request id (RFC 3416 §4.2, RFC 1157 §4.1).
struct SNMP {
    asn1_string community = "public";
    snmp_pdu PDU{};
    snmp_version version = 1;
    field<octets> ber{};
};
SONDE_DECLARE_LAYER(SNMP, ber, version, community, PDU)
layer_hooks hooks(SNMP const*);

/// The PDU of a message, a packet of one layer: `snmp_pdu_of(p).get<SNMPresponse>()`. Empty for a packet
/// without SNMP.
packet snmp_pdu_of(packet const& message);
/// Its variables in order, each a packet of one SNMPvarbind.
std::vector<packet> snmp_varbinds_of(packet const& message);

}  // namespace sonde
