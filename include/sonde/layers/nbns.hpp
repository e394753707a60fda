#pragma once

#include <sonde/layers/raw.hpp>

SONDE_NAMESPACE_BEGIN

/// @file
/// NetBIOS name service (RFC 1002 §4.2), with Scapy's names.

/// A NetBIOS name: 15 bytes, each sent as two letters (RFC 1001 §14.1, first-level encoding); shorter text is
/// padded with blanks. The 16th byte, which tells the service, is the field SUFFIX. Letters keep
/// their case.
struct netbios_name : encoded_list<31> {
    netbios_name() : netbios_name(std::string_view()) {}
    /// Throws bad_text over 15 bytes.
    /// @{
    netbios_name(std::string_view text);
    netbios_name(char const* text) : netbios_name(std::string_view(text)) {}
    netbios_name(std::string const& text) : netbios_name(std::string_view(text)) {}
    /// @}
    /// Without the blanks at its end. Empty for bytes that encode no name.
    std::string to_string() const;
    /// The text is the same as `to_string` gives, case and all.
    friend bool operator==(netbios_name const& a, std::string_view text) { return a.to_string() == text; }
    static option_codec const& codec();  ///< the name's 15 bytes; shorter text is read too
};

/// The last byte of a NetBIOS name, which tells the service, in its two letters: 0x4141 is "AA", the byte 0.
/// Scapy's names.
struct netbios_suffixes {
    /// What is printed, and read as text.
    static constexpr std::array<value_name, 6> names{{{0x4141, "workstation"},
                                                      {0x4144, "messenger service"},
                                                      {0x4341, "file server service"},
                                                      {0x424c, "domain master browser"},
                                                      {0x424d, "domain controller"},
                                                      {0x424f, "browser election service"}}};
};
/// The same suffixes as bytes, as a node's status has them.
struct netbios_services {
    /// What is printed, and read as text.
    static constexpr std::array<value_name, 6> names{{{0, "workstation"},
                                                      {0x03, "messenger service"},
                                                      {0x20, "file server service"},
                                                      {0x1b, "domain master browser"},
                                                      {0x1c, "domain controller"},
                                                      {0x1e, "browser election service"}}};
};
/// Types of records (RFC 1002 §4.2.1.3): an address, a node's status. Scapy's names.
struct nbns_types {
    /// What is printed, and read as text.
    static constexpr std::array<value_name, 2> names{{{0x20, "NB"}, {0x21, "NBSTAT"}}};
};
/// The only class (RFC 1002 §4.2.1.2). Scapy's name.
struct nbns_classes {
    /// What is printed, and read as text.
    static constexpr std::array<value_name, 1> names{{{1, "INTERNET"}}};
};
/// NM_FLAGS (RFC 1002 §4.2.1.1), the lowest first: broadcast, two reserved, recursion available and desired,
/// cut short, the authority's own. Scapy's names.
struct nbns_flag_names {
    /// Text joins them by `+`: "RD+AA".
    static constexpr std::array<std::string_view, 7> names{"B", "res1", "res0", "RA", "RD", "TC", "AA"};
};
/// A number, or its name: `"file server service"`, `"NB"`, `"INTERNET"`.
/// @{
using netbios_suffix = enumerated<std::uint16_t, netbios_suffixes>;
using nbns_type = enumerated<std::uint16_t, nbns_types>;
using nbns_class = enumerated<std::uint16_t, nbns_classes>;
/// @}

/// What all messages begin with (RFC 1002 §4.2.1.1). Answered by a response with the same id, opcode, name
/// and, unless it refuses, type (RFC 1002 §4.2.13, §4.2.14), from whoever it comes when the question went to
/// many.
struct NBNSHeader {
    field<std::uint16_t> NAME_TRN_ID{};           ///< automatic: each attempt's own in `sr*`, else 0
    field<flag_set<nbns_flag_names>> NM_FLAGS{};  ///< automatic: as Scapy has them for the layer inside
    field<bits<1>> RESPONSE{};                    ///< 1: a response; automatic: by the layer inside
    field<bits<4>> OPCODE{};                      ///< 0: a query; automatic: that
    field<bits<4>> RCODE = 0;                     ///< 0: no error; 3: no such name (RFC 1002 §4.2.14)
    /// Questions, answers, authorities, additional records. Automatic: 1 of what the layer inside is, else 0.
    /// @{
    field<std::uint16_t> QDCOUNT{}, ANCOUNT{}, NSCOUNT = 0, ARCOUNT = 0;
    /// @}
};
SONDE_DECLARE_LAYER(NBNSHeader, NAME_TRN_ID, RESPONSE, OPCODE, NM_FLAGS, RCODE, QDCOUNT, ANCOUNT, NSCOUNT,
                    ARCOUNT)
/// Title, identity, matching, and which layer is inside where flags are unusual: the type tells.
layer_hooks hooks(NBNSHeader const*);

/// Who has the name? (RFC 1002 §4.2.12)
struct NBNSQueryRequest {
    netbios_name QUESTION_NAME = "windows";  ///< Scapy's default
    field<netbios_suffix> SUFFIX = 0x4141;   ///< the last byte of the name, in letters: workstation
    field<nbns_type> QUESTION_TYPE = 0x20;   ///< NB
    field<nbns_class> QUESTION_CLASS = 1;    ///< INTERNET
    field<std::uint8_t> NULL_ = 0;           ///< ends the name: it has no scope
};
SONDE_DECLARE_LAYER(NBNSQueryRequest, QUESTION_NAME, SUFFIX, NULL_, QUESTION_TYPE, QUESTION_CLASS)
layer_hooks hooks(NBNSQueryRequest const*);  ///< title, the width of the name, the summary

/// An address of who has a name (RFC 1002 §4.2.13).
struct NBNS_ADD_ENTRY {
    field<ipv4> NB_ADDRESS = ipv4(0x7f000001);  ///< 127.0.0.1, as Scapy
    field<bits<1>> G = 0;                       ///< 0: one node has the name, 1: a group
    field<bits<2>> OWNER_NODE_TYPE = 0;         ///< 0: B node, 1: P node, 2: M node; 3 Scapy calls H node
    field<bits<13>> UNUSED = 0;                 ///< reserved
};
SONDE_DECLARE_LAYER(NBNS_ADD_ENTRY, G, OWNER_NODE_TYPE, UNUSED, NB_ADDRESS)
layer_hooks hooks(NBNS_ADD_ENTRY const*);  ///< names of values

/// Addresses of a name, 6 bytes each. Holds 32 of them: throws header_too_long above.
struct nbns_addresses : encoded_list<192> {
    nbns_addresses() = default;
    /// In order; of a set of addresses, the first.
    template <std::same_as<NBNS_ADD_ENTRY>... Entry>
        requires(sizeof...(Entry) > 0)
    nbns_addresses(Entry const&... entry) {
        (add(packet(entry)), ...);
    }
    static option_codec const& codec();  ///< `[NBNS_ADD_ENTRY(..), ..]`, or bytes

private:
    void add(packet const& entry);
};

/// The name is at these addresses (RFC 1002 §4.2.13).
struct NBNSQueryResponse {
    netbios_name RR_NAME = "windows";              ///< the name asked about
    nbns_addresses ADDR_ENTRY = NBNS_ADD_ENTRY{};  ///< one, by default
    field<std::uint32_t> TTL = 300000;             ///< seconds that it may be kept; Scapy's default
    field<netbios_suffix> SUFFIX = 0x4141;         ///< the last byte of the name, in letters: workstation
    field<nbns_type> QUESTION_TYPE = 0x20;         ///< NB
    field<nbns_class> QUESTION_CLASS = 1;          ///< INTERNET
    field<std::uint8_t> NULL_ = 0;                 ///< ends the name: it has no scope
    field<std::uint16_t> RDLENGTH{};               ///< bytes of `ADDR_ENTRY`; automatic: computed
};
SONDE_DECLARE_LAYER(NBNSQueryResponse, RR_NAME, SUFFIX, NULL_, QUESTION_TYPE, QUESTION_CLASS, TTL, RDLENGTH,
                    ADDR_ENTRY)
layer_hooks hooks(NBNSQueryResponse const*);  ///< title, widths, `RDLENGTH`, the summary

/// Which names do you have? (RFC 1002 §4.2.17)
struct NBNSNodeStatusRequest {
    /// A name that the node has; `*` and zeros: whoever it is.
    netbios_name QUESTION_NAME = std::string_view("*\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
    field<netbios_suffix> SUFFIX = 0x4141;  ///< the last byte of the name, in letters: workstation
    field<nbns_type> QUESTION_TYPE = 0x21;  ///< NBSTAT
    field<nbns_class> QUESTION_CLASS = 1;   ///< INTERNET
    field<std::uint8_t> NULL_ = 0;          ///< ends the name: it has no scope
};
SONDE_DECLARE_LAYER(NBNSNodeStatusRequest, QUESTION_NAME, SUFFIX, NULL_, QUESTION_TYPE, QUESTION_CLASS)
layer_hooks hooks(NBNSNodeStatusRequest const*);  ///< as NBNSQueryRequest's

/// A name of a node (RFC 1002 §4.2.18).
struct NBNSNodeStatusResponseService {
    field<octets> NETBIOS_NAME = "WINDOWS        ";  ///< 15 bytes as they are, padded with zeros or cut
    field<enumerated<std::uint8_t, netbios_services>> SUFFIX = 0;  ///< the 16th byte
    field<std::uint8_t> NAME_FLAGS = 4;                            ///< the upper half: 0x80 a group, 4 active
    field<std::uint8_t> UNUSED = 0;                                ///< the lower half of the flags
};
SONDE_DECLARE_LAYER(NBNSNodeStatusResponseService, NETBIOS_NAME, SUFFIX, NAME_FLAGS, UNUSED)
layer_hooks hooks(NBNSNodeStatusResponseService const*);  ///< title, the width of the name

/// Names of a node, 18 bytes each. Holds 28 of them: throws header_too_long above.
struct nbns_services : encoded_list<512> {
    nbns_services() = default;
    /// In order; of a set of names, the first.
    template <std::same_as<NBNSNodeStatusResponseService>... Service>
        requires(sizeof...(Service) > 0)
    nbns_services(Service const&... service) {
        (add(packet(service)), ...);
    }
    static option_codec const& codec();  ///< `[NBNSNodeStatusResponseService(..), ..]`, or bytes

private:
    void add(packet const& service);
};

/// The names of a node (RFC 1002 §4.2.18).
struct NBNSNodeStatusResponse {
    netbios_name RR_NAME = "windows";                           ///< the name asked about
    nbns_services NODE_NAME = NBNSNodeStatusResponseService{};  ///< one, by default
    field<mac> MAC_ADDRESS = mac();         ///< the node's (RFC 1002's UNIT_ID); zeros unless given
    field<octets> STATISTICS = "";          ///< 46 bytes behind UNIT_ID, padded with zeros or cut
    field<std::uint32_t> TTL = 0;           ///< 0, as RFC 1002 has it
    field<netbios_suffix> SUFFIX = 0x4141;  ///< the last byte of the name, in letters: workstation
    field<nbns_type> RR_TYPE = 0x21;        ///< NBSTAT
    field<nbns_class> RR_CLASS = 1;         ///< INTERNET
    field<std::uint8_t> NULL_ = 0;          ///< ends the name: it has no scope
    field<std::uint16_t> RDLENGTH = 83;     ///< Scapy's 83, however many names there are
    field<std::uint8_t> NUM_NAMES{};        ///< names in `NODE_NAME`; automatic: counted
};
SONDE_DECLARE_LAYER(NBNSNodeStatusResponse, RR_NAME, SUFFIX, NULL_, RR_TYPE, RR_CLASS, TTL, RDLENGTH,
                    NUM_NAMES, NODE_NAME, MAC_ADDRESS, STATISTICS)
layer_hooks hooks(NBNSNodeStatusResponse const*);  ///< title, widths, the count

SONDE_NAMESPACE_END
