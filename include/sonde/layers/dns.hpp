#pragma once

#include <sonde/layers/address_list.hpp>
#include <sonde/layers/dns_name.hpp>

#include <vector>

SONDE_NAMESPACE_BEGIN

/// @file
/// DNS (RFC 1035), EDNS (RFC 6891), multicast DNS (RFC 6762) and LLMNR (RFC 4795), with Scapy's names. Names
/// are text with the final dot and RFC 1035 §5.1's escapes; they are read compressed or not, and written
/// whole.

/// Types of records that IANA registers (DNS Resource Record TYPEs, and two QTYPEs), with Scapy's names.
/// Others go by number.
struct dns_types {
    /// What is printed, and read as text.
    static constexpr std::array<value_name, 25> names{
        {{1, "A"},      {2, "NS"},     {5, "CNAME"},  {6, "SOA"},     {12, "PTR"},
         {13, "HINFO"}, {15, "MX"},    {16, "TXT"},   {28, "AAAA"},   {29, "LOC"},
         {33, "SRV"},   {35, "NAPTR"}, {39, "DNAME"}, {41, "OPT"},    {43, "DS"},
         {44, "SSHFP"}, {46, "RRSIG"}, {47, "NSEC"},  {48, "DNSKEY"}, {52, "TLSA"},
         {64, "SVCB"},  {65, "HTTPS"}, {252, "AXFR"}, {255, "ALL"},   {257, "CAA"}}};
};
/// Classes (RFC 1035 §3.2.4, §3.2.5), with Scapy's names; CS (CSNET) is obsolete.
struct dns_classes {
    /// What is printed, and read as text.
    static constexpr std::array<value_name, 5> names{
        {{1, "IN"}, {2, "CS"}, {3, "CH"}, {4, "HS"}, {255, "ANY"}}};
};
using dns_type = enumerated<std::uint16_t, dns_types>;     ///< a number, or a name: `"AAAA"`
using dns_class = enumerated<std::uint16_t, dns_classes>;  ///< a number, or a name: `"CH"`

/// A question (RFC 1035 §4.1.2).
struct DNSQR {
    domain_name qname = "www.example.com.";  ///< the name asked about; Scapy's default
    field<dns_type> qtype = 1;               ///< of the records asked for: A
    field<dns_class> qclass = 1;             ///< IN
};
SONDE_DECLARE_LAYER(DNSQR, qname, qtype, qclass)
layer_hooks hooks(DNSQR const*);  ///< title, and the width of the name

/// The data of a resource record as its type has them: an address (A, AAAA), a name (NS, CNAME, PTR), a list
/// of strings (TXT), else bytes. The record's `type` isn't set by it. Holds 512 bytes: throws header_too_long
/// above.
struct dns_rdata : encoded_list<512> {
    dns_rdata() = default;
    /// For A and AAAA: 4 and 16 bytes.
    /// @{
    dns_rdata(ipv4 const& address);
    dns_rdata(ipv6 const& address);
    /// @}
    dns_rdata(domain_name const& name);  ///< for NS, CNAME, PTR: written whole
    /// An IPv4 or IPv6 address; any other text is a name. Throws bad_text where domain_name does.
    /// @{
    template <std::size_t N>
    dns_rdata(char const (&text)[N]) : dns_rdata(std::string_view(text, N - 1)) {}
    dns_rdata(std::string_view text);
    /// @}
    /// As they lie on the wire: the strings of a TXT record each behind its length (RFC 1035 §3.3.14).
    dns_rdata(std::span<std::byte const> bytes) {
        append({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
    }
    /// Prints and reads what the record's `type` says; text is read as an address or a name only where it
    /// says so.
    static option_codec const& codec();
};

/// A resource record (RFC 1035 §4.1.3) of a type that has no layer of its own here.
struct DNSRR {
    domain_name rrname = "";       ///< the owner: which name the record is of
    field<dns_type> type = 1;      ///< tells what `rdata` is: A
    field<dns_class> rclass = 1;   ///< IN
    field<std::uint32_t> ttl = 0;  ///< seconds that it may be kept
    dns_rdata rdata{};             ///< the data, without their length
    field<std::uint16_t> rdlen{};  ///< bytes of `rdata`; automatic: computed
};
SONDE_DECLARE_LAYER(DNSRR, rrname, type, rclass, ttl, rdlen, rdata)
layer_hooks hooks(DNSRR const*);  ///< title, the width of the owner, `rdlen`

/// Mail exchange (RFC 1035 §3.3.9).
struct DNSRRMX {
    domain_name rrname = "";              ///< the owner: which name the record is of
    field<std::uint16_t> preference = 0;  ///< the lowest is tried first
    domain_name exchange = "";            ///< the host that takes the mail
    field<std::uint32_t> ttl = 0;         ///< seconds that it may be kept
    field<dns_class> rclass = 1;          ///< IN
    field<dns_type> type = 15;            ///< MX
    field<std::uint16_t> rdlen{};         ///< bytes of the data; automatic: computed
};
SONDE_DECLARE_LAYER(DNSRRMX, rrname, type, rclass, ttl, rdlen, preference, exchange)
layer_hooks hooks(DNSRRMX const*);  ///< as DNSRR's

/// Start of authority (RFC 1035 §3.3.13).
struct DNSRRSOA {
    domain_name rrname = "";  ///< the zone
    /// The primary name server, and the mailbox of who is responsible: its first dot stands for `@`.
    /// @{
    domain_name mname = "", rname = "";
    /// @}
    /// The zone's version (compared by RFC 1982), then seconds: after which secondaries ask again, ask again
    /// after a failure, and stop answering; and for which it may be kept that there is no such name (RFC 2308
    /// §4).
    /// @{
    field<std::uint32_t> serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0;
    /// @}
    field<std::uint32_t> ttl = 0;  ///< seconds that it may be kept
    field<dns_class> rclass = 1;   ///< IN
    field<dns_type> type = 6;      ///< SOA
    field<std::uint16_t> rdlen{};  ///< bytes of the data; automatic: computed
};
SONDE_DECLARE_LAYER(DNSRRSOA, rrname, type, rclass, ttl, rdlen, mname, rname, serial, refresh, retry, expire,
                    minimum)
layer_hooks hooks(DNSRRSOA const*);  ///< as DNSRR's, and the widths of `mname` and `rname`

/// Service location (RFC 2782).
struct DNSRRSRV {
    domain_name rrname = "";  ///< service and protocol, each behind an underscore, and the domain
    /// The lowest priority is tried first; those of one priority in proportion to their weights; at this
    /// port.
    /// @{
    field<std::uint16_t> priority = 0, weight = 0, port = 0;
    /// @}
    domain_name target = "";       ///< the host; `.`: there is no such service
    field<std::uint32_t> ttl = 0;  ///< seconds that it may be kept
    field<dns_class> rclass = 1;   ///< IN
    field<dns_type> type = 33;     ///< SRV
    field<std::uint16_t> rdlen{};  ///< bytes of the data; automatic: computed
};
SONDE_DECLARE_LAYER(DNSRRSRV, rrname, type, rclass, ttl, rdlen, priority, weight, port, target)
layer_hooks hooks(DNSRRSRV const*);  ///< as DNSRR's

/// An EDNS option (RFC 6891 §6.1.2).
struct EDNS0TLV {
    field<std::uint16_t> optcode = 0;  ///< IANA's DNS EDNS0 Option Codes: 3 is NSID
    field<octets> optdata{};           ///< the data of the option
    field<std::uint16_t> optlen{};     ///< bytes of `optdata`; automatic: computed
};
SONDE_DECLARE_LAYER(EDNS0TLV, optcode, optlen, optdata)
layer_hooks hooks(EDNS0TLV const*);  ///< title, names of codes, `optlen`

/// The options of a DNSRROPT, one behind the other. Holds 512 bytes: throws header_too_long above.
struct edns_options : encoded_list<512> {
    edns_options() = default;
    /// Each option as it is built; of a set of them, the first.
    template <std::same_as<EDNS0TLV>... Option>
        requires(sizeof...(Option) > 0)
    edns_options(Option const&... option) {
        (add(packet(option)), ...);
    }
    static option_codec const& codec();  ///< `[EDNS0TLV(..), ..]`, or bytes

private:
    void add(packet const& option);
};

/// EDNS (RFC 6891 §6.1.2, §6.1.3), in the additional section: class and TTL of the record mean something
/// else.
struct DNSRROPT {
    field<std::uint16_t> rclass = 4096;  ///< bytes of UDP payload that the sender takes
    edns_options rdata{};                ///< the options
    field<std::uint16_t> z = 32768;      ///< flags: 0x8000 is DO, signatures are wanted (RFC 3225)
    /// The upper 8 bits of a 12-bit `rcode`, whose lower 4 the message has; and the version of EDNS.
    /// @{
    field<std::uint8_t> extrcode = 0, version = 0;
    /// @}
    domain_name rrname = ".";      ///< the root, as it must be
    field<dns_type> type = 41;     ///< OPT
    field<std::uint16_t> rdlen{};  ///< bytes of the data; automatic: computed
};
SONDE_DECLARE_LAYER(DNSRROPT, rrname, type, rclass, extrcode, version, z, rdlen, rdata)
layer_hooks hooks(DNSRROPT const*);  ///< as DNSRR's

/// The questions of a message, one behind the other. Holds 512 bytes: throws header_too_long above.
struct dns_questions : encoded_list<512> {
    dns_questions() = default;
    /// Names, types and classes; throws not_a_single_value where one is a set. In expressions it
    /// makes a set of messages.
    template <std::same_as<DNSQR>... Question>
        requires(sizeof...(Question) > 0)
    dns_questions(Question const&... question) {
        (add(question), ...);
    }
    static option_codec const& codec();  ///< `[DNSQR(..), ..]`, or bytes

private:
    void add(DNSQR const& question);
};

/// The records of a section, one behind the other. Holds 512 bytes: throws header_too_long above.
struct dns_records : encoded_list<512> {
    dns_records() = default;
    /// Each record (DNSRR, DNSRRMX …) as it is built; of a set of them, the first. That it is a record is not
    /// checked.
    template <layer... Record>
        requires(sizeof...(Record) > 0)
    dns_records(Record const&... record) {
        (add(packet(record)), ...);
    }
    static option_codec const& codec();  ///< `[DNSRR(..), DNSRRMX(..), ..]`, or bytes

private:
    void add(packet const& record);
};

/// Operations that IANA registers (DNS OpCodes), with Scapy's names: of DNS::opcode.
struct dns_opcodes {
    /// What is printed, and what expressions may say.
    static constexpr std::array<value_name, 3> names{{{0, "QUERY"}, {1, "IQUERY"}, {2, "STATUS"}}};
};
/// Results that IANA registers (DNS RCODEs), with Scapy's names: of DNS::rcode.
struct dns_rcodes {
    /// What is printed, and what expressions may say.
    static constexpr std::array<value_name, 6> names{{{0, "ok"},
                                                      {1, "format-error"},
                                                      {2, "server-failure"},
                                                      {3, "name-error"},
                                                      {4, "not-implemented"},
                                                      {5, "refused"}}};
};

/// A message (RFC 1035 §4.1). Over TCP it is preceded by its `length`; elsewhere there is no such field.
/// Answered by a response with the same id, opcode and question (RFC 5452 §9.1; names without regard to case,
/// RFC 4343), from multicast DNS by a record that the question asks for. Errors 1, 4 and 5 may come without
/// the question (RFC 1035 §4.1.1).
struct DNS {
    field<std::uint16_t> id{};   ///< automatic: each attempt's own in `sr*`, else 0
    dns_questions qd = DNSQR{};  ///< the questions
    /// The sections of answers, of authorities, and of what is additional.
    /// @{
    dns_records an{}, ns{}, ar{};
    /// @}
    field<bits<1>> rd = 1;      ///< recursion is desired
    field<bits<1>> qr = 0;      ///< 0: a question, 1: a response
    field<bits<4>> opcode = 0;  ///< the operation; 0: a query, see dns_opcodes
    /// The answer is the authority's own; cut short; recursion is available; reserved; the data are authentic
    /// (RFC 4035 §3.2.3); the asker checks them itself (RFC 4035 §3.2.2).
    /// @{
    field<bits<1>> aa = 0, tc = 0, ra = 0, z = 0, ad = 0, cd = 0;
    /// @}
    field<bits<4>> rcode = 0;  ///< the result; see dns_rcodes, and DNSRROPT::extrcode
    /// Entries of `qd`, `an`, `ns` and `ar`; automatic: counted.
    /// @{
    field<std::uint16_t> qdcount{}, ancount{}, nscount{}, arcount{};
    /// @}
    /// Bytes of the message behind it, over TCP (RFC 1035 §4.2.2); automatic: computed. Given, it also
    /// precedes a message that has no layer below it; over other layers than TCP it is left out.
    field<std::uint16_t> length{};
};
SONDE_DECLARE_LAYER(DNS, length, id, qr, opcode, aa, tc, rd, ra, z, ad, cd, rcode, qdcount, ancount, nscount,
                    arcount, qd, an, ns, ar)
/// Identity, counts, where the sections lie, the form over TCP, matching, and the summary.
layer_hooks hooks(DNS const*);

/// The records of a message, each a packet of one layer (DNSRR, DNSRRMX …) with its names whole.
struct dns_sections {
    /// Those of the sections of the same names in DNS, in order.
    /// @{
    std::vector<packet> an, ns, ar;
    /// @}
};
/// Those of the first DNS message of a packet. Empty for a packet without DNS; what cannot be read is left
/// out.
dns_sections dns_records_of(packet const& message);

/// The packet with the names of its DNS messages compressed (RFC 1035 §4.1.4), in questions, owners and the
/// data of NS, CNAME, PTR, MX and SOA records (RFC 3597 §4: no others). A message that cannot be read whole
/// stays as it is. Throws not_a_single_value for a set.
packet dns_compress(packet const& whole);

SONDE_NAMESPACE_END
