#pragma once

#include <sonde/layers/address_list.hpp>
#include <sonde/layers/dns_name.hpp>

#include <vector>

namespace sonde {

/// DNS (RFC 1035), EDNS (RFC 6891), multicast DNS (RFC 6762) and LLMNR (RFC 4795), with Scapy's names. Names
/// are text with the final dot and RFC 1035 §5.1's escapes; they are read compressed or not, and written
/// whole.

struct dns_types {
    static constexpr std::array<value_name, 25> names{
        {{1, "A"},      {2, "NS"},     {5, "CNAME"},  {6, "SOA"},     {12, "PTR"},
         {13, "HINFO"}, {15, "MX"},    {16, "TXT"},   {28, "AAAA"},   {29, "LOC"},
         {33, "SRV"},   {35, "NAPTR"}, {39, "DNAME"}, {41, "OPT"},    {43, "DS"},
         {44, "SSHFP"}, {46, "RRSIG"}, {47, "NSEC"},  {48, "DNSKEY"}, {52, "TLSA"},
         {64, "SVCB"},  {65, "HTTPS"}, {252, "AXFR"}, {255, "ALL"},   {257, "CAA"}}};
};
struct dns_classes {
    static constexpr std::array<value_name, 5> names{
        {{1, "IN"}, {2, "CS"}, {3, "CH"}, {4, "HS"}, {255, "ANY"}}};
};
using dns_type = enumerated<std::uint16_t, dns_types>;
using dns_class = enumerated<std::uint16_t, dns_classes>;

/// A question (RFC 1035 §4.1.2).
struct DNSQR {
    domain_name qname = "www.example.com.";
    field<dns_type> qtype = 1;
    field<dns_class> qclass = 1;
};
SONDE_DECLARE_LAYER(DNSQR, qname, qtype, qclass)
layer_hooks hooks(DNSQR const*);

/// The data of a resource record as its type has them: an address (A, AAAA), a name (NS, CNAME, PTR), a list
/// of strings (TXT), else bytes.
struct dns_rdata : encoded_list<512> {
    dns_rdata() = default;
    dns_rdata(ipv4 const& address);
    dns_rdata(ipv6 const& address);
    dns_rdata(domain_name const& name);
    /// An address, or a name.
    template <std::size_t N>
    dns_rdata(char const (&text)[N]) : dns_rdata(std::string_view(text, N - 1)) {}
    dns_rdata(std::string_view text);
    dns_rdata(std::span<std::byte const> bytes) {
        append({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
    }
    static option_codec const& codec();
};

/// A resource record (RFC 1035 §4.1.3). `ttl` in seconds; `rdlen` computed.
struct DNSRR {
    domain_name rrname = "";
    field<dns_type> type = 1;
    field<dns_class> rclass = 1;
    field<std::uint32_t> ttl = 0;
    dns_rdata rdata{};
    field<std::uint16_t> rdlen{};
};
SONDE_DECLARE_LAYER(DNSRR, rrname, type, rclass, ttl, rdlen, rdata)
layer_hooks hooks(DNSRR const*);

/// Mail exchange (RFC 1035 §3.3.9).
struct DNSRRMX {
    domain_name rrname = "";
    field<std::uint16_t> preference = 0;
    domain_name exchange = "";
    field<std::uint32_t> ttl = 0;
    field<dns_class> rclass = 1;
    field<dns_type> type = 15;
    field<std::uint16_t> rdlen{};
};
SONDE_DECLARE_LAYER(DNSRRMX, rrname, type, rclass, ttl, rdlen, preference, exchange)
layer_hooks hooks(DNSRRMX const*);

/// Start of authority (RFC 1035 §3.3.13). Times in seconds.
struct DNSRRSOA {
    domain_name rrname = "";
    domain_name mname = "", rname = "";
    field<std::uint32_t> serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0;
    field<std::uint32_t> ttl = 0;
    field<dns_class> rclass = 1;
    field<dns_type> type = 6;
    field<std::uint16_t> rdlen{};
};
SONDE_DECLARE_LAYER(DNSRRSOA, rrname, type, rclass, ttl, rdlen, mname, rname, serial, refresh, retry, expire,
                    minimum)
layer_hooks hooks(DNSRRSOA const*);

/// Service location (RFC 2782).
struct DNSRRSRV {
    domain_name rrname = "";
    field<std::uint16_t> priority = 0, weight = 0, port = 0;
    domain_name target = "";
    field<std::uint32_t> ttl = 0;
    field<dns_class> rclass = 1;
    field<dns_type> type = 33;
    field<std::uint16_t> rdlen{};
};
SONDE_DECLARE_LAYER(DNSRRSRV, rrname, type, rclass, ttl, rdlen, priority, weight, port, target)
layer_hooks hooks(DNSRRSRV const*);

/// An EDNS option (RFC 6891 §6.1.2).
struct EDNS0TLV {
    field<std::uint16_t> optcode = 0;
    field<octets> optdata{};
    field<std::uint16_t> optlen{};
};
SONDE_DECLARE_LAYER(EDNS0TLV, optcode, optlen, optdata)
layer_hooks hooks(EDNS0TLV const*);

struct edns_options : encoded_list<512> {
    edns_options() = default;
    template <std::same_as<EDNS0TLV>... Option>
        requires(sizeof...(Option) > 0)
    edns_options(Option const&... option) {
        (add(packet(option)), ...);
    }
    static option_codec const& codec();

private:
    void add(packet const& option);
};

/// EDNS (RFC 6891 §6.1.3). `rclass`: the sender's UDP payload size in bytes; `z`: flags, 0x8000 is DO.
struct DNSRROPT {
    field<std::uint16_t> rclass = 4096;
    edns_options rdata{};
    field<std::uint16_t> z = 32768;
    field<std::uint8_t> extrcode = 0, version = 0;
    domain_name rrname = ".";
    field<dns_type> type = 41;
    field<std::uint16_t> rdlen{};
};
SONDE_DECLARE_LAYER(DNSRROPT, rrname, type, rclass, extrcode, version, z, rdlen, rdata)
layer_hooks hooks(DNSRROPT const*);

struct dns_questions : encoded_list<512> {
    dns_questions() = default;
    template <std::same_as<DNSQR>... Question>
        requires(sizeof...(Question) > 0)
    dns_questions(Question const&... question) {
        (add(question), ...);
    }
    static option_codec const& codec();

private:
    void add(DNSQR const& question);
};

struct dns_records : encoded_list<512> {
    dns_records() = default;
    template <layer... Record>
        requires(sizeof...(Record) > 0)
    dns_records(Record const&... record) {
        (add(packet(record)), ...);
    }
    static option_codec const& codec();

private:
    void add(packet const& record);
};

struct dns_opcodes {
    static constexpr std::array<value_name, 3> names{{{0, "QUERY"}, {1, "IQUERY"}, {2, "STATUS"}}};
};
struct dns_rcodes {
    static constexpr std::array<value_name, 6> names{{{0, "ok"},
                                                      {1, "format-error"},
                                                      {2, "server-failure"},
                                                      {3, "name-error"},
                                                      {4, "not-implemented"},
                                                      {5, "refused"}}};
};

/// A message. Over TCP it is preceded by its `length` in bytes (RFC 1035 §4.2.2), computed; elsewhere there
/// is no such field. `id` is the engine's own in `sr*`, else 0; counts computed. Answered by a response with
/// the same id and question (RFC 5452 §9.1; names without regard to case, RFC 4343), from multicast DNS by a
/// record that the question asks for.
struct DNS {
    field<std::uint16_t> id{};
    dns_questions qd = DNSQR{};
    dns_records an{}, ns{}, ar{};
    field<bits<1>> rd = 1;
    field<bits<1>> qr = 0;
    field<bits<4>> opcode = 0;
    field<bits<1>> aa = 0, tc = 0, ra = 0, z = 0, ad = 0, cd = 0;
    field<bits<4>> rcode = 0;
    field<std::uint16_t> qdcount{}, ancount{}, nscount{}, arcount{};
    field<std::uint16_t> length{};
};
SONDE_DECLARE_LAYER(DNS, length, id, qr, opcode, aa, tc, rd, ra, z, ad, cd, rcode, qdcount, ancount, nscount,
                    arcount, qd, an, ns, ar)
layer_hooks hooks(DNS const*);

/// The records of a message, each a packet of one layer (DNSRR, DNSRRMX …) with its names whole: those of
/// `an`, `ns` and `ar` in turn. Empty for a packet without DNS; what cannot be read is left out.
struct dns_sections {
    std::vector<packet> an, ns, ar;
};
dns_sections dns_records_of(packet const& message);

/// The packet with the names of its DNS messages compressed (RFC 1035 §4.1.4), in questions, owners and the
/// data of NS, CNAME, PTR, MX and SOA records (RFC 3597 §4: no others). A message that cannot be read whole
/// stays as it is. Throws not_a_single_value for a set.
packet dns_compress(packet const& whole);

}  // namespace sonde
