#pragma once

#include <sonde/layers/raw.hpp>

namespace sonde {

/// NetBIOS name service (RFC 1002 §4.2), with Scapy's names.

/// A NetBIOS name: 15 bytes, each sent as two letters (RFC 1001 §14.1, first-level encoding); shorter text is
/// padded with blanks. The 16th byte, which tells the service, is the field SUFFIX. Throws bad_text for
/// longer text.
struct netbios_name : encoded_list<31> {
    netbios_name() : netbios_name(std::string_view()) {}
    netbios_name(std::string_view text);
    netbios_name(char const* text) : netbios_name(std::string_view(text)) {}
    netbios_name(std::string const& text) : netbios_name(std::string_view(text)) {}
    /// Without the blanks at its end.
    std::string to_string() const;
    friend bool operator==(netbios_name const& a, std::string_view text) { return a.to_string() == text; }
    static option_codec const& codec();
};

struct netbios_suffixes {
    static constexpr std::array<value_name, 6> names{{{0x4141, "workstation"},
                                                      {0x4144, "messenger service"},
                                                      {0x4341, "file server service"},
                                                      {0x424c, "domain master browser"},
                                                      {0x424d, "domain controller"},
                                                      {0x424f, "browser election service"}}};
};
/// The same suffixes as bytes.
struct netbios_services {
    static constexpr std::array<value_name, 6> names{{{0, "workstation"},
                                                      {0x03, "messenger service"},
                                                      {0x20, "file server service"},
                                                      {0x1b, "domain master browser"},
                                                      {0x1c, "domain controller"},
                                                      {0x1e, "browser election service"}}};
};
struct nbns_types {
    static constexpr std::array<value_name, 2> names{{{0x20, "NB"}, {0x21, "NBSTAT"}}};
};
struct nbns_classes {
    static constexpr std::array<value_name, 1> names{{{1, "INTERNET"}}};
};
struct nbns_flag_names {
    static constexpr std::array<std::string_view, 7> names{"B", "res1", "res0", "RA", "RD", "TC", "AA"};
};
using netbios_suffix = enumerated<std::uint16_t, netbios_suffixes>;
using nbns_type = enumerated<std::uint16_t, nbns_types>;
using nbns_class = enumerated<std::uint16_t, nbns_classes>;

/// What all messages begin with. `NAME_TRN_ID` is the engine's own in `sr*`, else 0; flags and counts from
/// the layer inside. Answered by a response with the same id and name (RFC 1002 §4.2.13, §4.2.14), from
/// whoever it comes when the question went to many.
struct NBNSHeader {
    field<std::uint16_t> NAME_TRN_ID{};
    field<flag_set<nbns_flag_names>> NM_FLAGS{};
    field<bits<1>> RESPONSE{};
    field<bits<4>> OPCODE{};
    field<bits<4>> RCODE = 0;
    field<std::uint16_t> QDCOUNT{}, ANCOUNT{}, NSCOUNT = 0, ARCOUNT = 0;
};
SONDE_DECLARE_LAYER(NBNSHeader, NAME_TRN_ID, RESPONSE, OPCODE, NM_FLAGS, RCODE, QDCOUNT, ANCOUNT, NSCOUNT,
                    ARCOUNT)
layer_hooks hooks(NBNSHeader const*);

/// Who has the name? (RFC 1002 §4.2.12)
struct NBNSQueryRequest {
    netbios_name QUESTION_NAME = "windows";
    field<netbios_suffix> SUFFIX = 0x4141;
    field<nbns_type> QUESTION_TYPE = 0x20;
    field<nbns_class> QUESTION_CLASS = 1;
    field<std::uint8_t> NULL_ = 0;
};
SONDE_DECLARE_LAYER(NBNSQueryRequest, QUESTION_NAME, SUFFIX, NULL_, QUESTION_TYPE, QUESTION_CLASS)
layer_hooks hooks(NBNSQueryRequest const*);

/// An address of who has a name (RFC 1002 §4.2.13). `G`: it is a group's.
struct NBNS_ADD_ENTRY {
    field<ipv4> NB_ADDRESS = ipv4(0x7f000001);
    field<bits<1>> G = 0;
    field<bits<2>> OWNER_NODE_TYPE = 0;
    field<bits<13>> UNUSED = 0;
};
SONDE_DECLARE_LAYER(NBNS_ADD_ENTRY, G, OWNER_NODE_TYPE, UNUSED, NB_ADDRESS)
layer_hooks hooks(NBNS_ADD_ENTRY const*);

struct nbns_addresses : encoded_list<192> {
    nbns_addresses() = default;
    template <std::same_as<NBNS_ADD_ENTRY>... Entry>
        requires(sizeof...(Entry) > 0)
    nbns_addresses(Entry const&... entry) {
        (add(packet(entry)), ...);
    }
    static option_codec const& codec();

private:
    void add(packet const& entry);
};

/// The name is at these addresses (RFC 1002 §4.2.13). `TTL` in seconds; `RDLENGTH` computed.
struct NBNSQueryResponse {
    netbios_name RR_NAME = "windows";
    nbns_addresses ADDR_ENTRY = NBNS_ADD_ENTRY{};
    field<std::uint32_t> TTL = 300000;
    field<netbios_suffix> SUFFIX = 0x4141;
    field<nbns_type> QUESTION_TYPE = 0x20;
    field<nbns_class> QUESTION_CLASS = 1;
    field<std::uint8_t> NULL_ = 0;
    field<std::uint16_t> RDLENGTH{};
};
SONDE_DECLARE_LAYER(NBNSQueryResponse, RR_NAME, SUFFIX, NULL_, QUESTION_TYPE, QUESTION_CLASS, TTL, RDLENGTH,
                    ADDR_ENTRY)
layer_hooks hooks(NBNSQueryResponse const*);

/// Which names do you have? (RFC 1002 §4.2.17)
struct NBNSNodeStatusRequest {
    netbios_name QUESTION_NAME = std::string_view("*\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
    field<netbios_suffix> SUFFIX = 0x4141;
    field<nbns_type> QUESTION_TYPE = 0x21;
    field<nbns_class> QUESTION_CLASS = 1;
    field<std::uint8_t> NULL_ = 0;
};
SONDE_DECLARE_LAYER(NBNSNodeStatusRequest, QUESTION_NAME, SUFFIX, NULL_, QUESTION_TYPE, QUESTION_CLASS)
layer_hooks hooks(NBNSNodeStatusRequest const*);

struct NBNSNodeStatusResponseService {
    field<octets> NETBIOS_NAME = "WINDOWS        ";
    field<enumerated<std::uint8_t, netbios_services>> SUFFIX = 0;
    field<std::uint8_t> NAME_FLAGS = 4;
    field<std::uint8_t> UNUSED = 0;
};
SONDE_DECLARE_LAYER(NBNSNodeStatusResponseService, NETBIOS_NAME, SUFFIX, NAME_FLAGS, UNUSED)
layer_hooks hooks(NBNSNodeStatusResponseService const*);

struct nbns_services : encoded_list<512> {
    nbns_services() = default;
    template <std::same_as<NBNSNodeStatusResponseService>... Service>
        requires(sizeof...(Service) > 0)
    nbns_services(Service const&... service) {
        (add(packet(service)), ...);
    }
    static option_codec const& codec();

private:
    void add(packet const& service);
};

/// The names of a node (RFC 1002 §4.2.18). `RDLENGTH` is Scapy's 83, whatever the number of names.
struct NBNSNodeStatusResponse {
    netbios_name RR_NAME = "windows";
    nbns_services NODE_NAME = NBNSNodeStatusResponseService{};
    field<mac> MAC_ADDRESS = mac();
    field<octets> STATISTICS = "";
    field<std::uint32_t> TTL = 0;
    field<netbios_suffix> SUFFIX = 0x4141;
    field<nbns_type> RR_TYPE = 0x21;
    field<nbns_class> RR_CLASS = 1;
    field<std::uint8_t> NULL_ = 0;
    field<std::uint16_t> RDLENGTH = 83;
    field<std::uint8_t> NUM_NAMES{};
};
SONDE_DECLARE_LAYER(NBNSNodeStatusResponse, RR_NAME, SUFFIX, NULL_, RR_TYPE, RR_CLASS, TTL, RDLENGTH,
                    NUM_NAMES, NODE_NAME, MAC_ADDRESS, STATISTICS)
layer_hooks hooks(NBNSNodeStatusResponse const*);

}  // namespace sonde
