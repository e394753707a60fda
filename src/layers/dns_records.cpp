// Lists of DNS questions and records, and the data of a record: bytes to values and back.

#include <sonde/layers/dns.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

#include "../packet/reading.hpp"
#include "dns_message.hpp"
#include "dns_types.hpp"
#include "record_list.hpp"

#include <algorithm>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;
using namespace detail;

// --- names made whole --------------------------------------------------------------------------------

struct expanded_record {
    std::string bytes;
    unsigned type = 0;
    std::size_t length = 0;  // of the data as they lie in the message
    bool exact = true;       // the data are what the type says
};

std::optional<expanded_record> expand(header message, std::size_t at, std::size_t end) {
    auto name = read_domain_name(message, at);
    if (!name || name->size + record_fixed > end) return {};
    expanded_record r{write_domain_name(name->text), number16(message, name->size),
                      number16(message, name->size + 8)};
    auto data = name->size + record_fixed;
    auto whole = expanded_data(message, data, end, r.type);
    r.exact = whole.has_value();
    if (!whole) whole = text_of(message.subspan(data, end - data));
    r.bytes += text_of(message.subspan(name->size, 8));
    put16(r.bytes, whole->size());
    r.bytes += *whole;
    return r;
}

layer_description const& layer_of(expanded_record const& r) {
    if (r.exact) switch (r.type) {
            case rr::mx: return describe<DNSRRMX>();
            case rr::soa: return describe<DNSRRSOA>();
            case rr::srv: return describe<DNSRRSRV>();
            case rr::opt: return describe<DNSRROPT>();
            default: break;
        }
    return describe<DNSRR>();
}

/// Names that point at a long one again and again print as far more text than they are: what they may add to
/// a section before the rest of it stays bytes.
constexpr std::size_t most_added(header section) {
    return (std::size_t(16) << 10) + 4 * section.size();
}

/// The record's fields, its length as it stands in the message. `added` grows by the bytes that whole names
/// take more.
literal print_record(header message, std::size_t at, std::size_t end, std::size_t& added) {
    auto r = expand(message, at, end);
    if (r) added += r->bytes.size() - std::min(r->bytes.size(), end - at);
    if (!r) return literal::bytes{text_of(message.subspan(at, end - at))};
    auto value = value_of_layer(layer_of(*r), std::as_bytes(std::span(r->bytes)));
    for (auto& [name, item] : std::get<literal::call>(value.value).keywords)
        if (name == "rdlen") item = std::uint64_t(r->length);
    return value;
}

literal print_question(header message, std::size_t at, std::size_t end, std::size_t& added) {
    auto name = read_domain_name(message, at);
    if (!name || name->size + 4 != end) return literal::bytes{text_of(message.subspan(at, end - at))};
    auto bytes = write_domain_name(name->text) + text_of(message.subspan(name->size, 4));
    added += bytes.size() - std::min(bytes.size(), end - at);
    return value_of_layer(describe<DNSQR>(), std::as_bytes(std::span(bytes)));
}

/// Entries of a section. Names point into the message, which begins with the header.
template <std::size_t (*End)(header, std::size_t),
          literal (*Print)(header, std::size_t, std::size_t, std::size_t&)>
literal print_section(header bytes, header message) {
    bool inside =
        bytes.data() >= message.data() && bytes.data() + bytes.size() <= message.data() + message.size();
    if (!inside) message = bytes;
    auto at = static_cast<std::size_t>(bytes.data() - message.data());
    auto const section_end = at + bytes.size();
    message = message.first(section_end);
    literal::list list;
    for (std::size_t added = 0; at < section_end;) {
        auto end = End(message, at);
        if (end == 0 || added > most_added(bytes)) {
            list.items.emplace_back(literal::bytes{text_of(message.subspan(at))});
            break;
        }
        list.items.push_back(Print(message, at, end, added));
        at = end;
    }
    return list;
}

template <std::size_t (*End)(header, std::size_t)>
std::size_t count_section(header bytes) {
    std::size_t n = 0;
    for (std::size_t at = 0; at < bytes.size(); ++n)
        if ((at = End(bytes, at)) == 0) break;
    return n;
}

constexpr record_kind question_kind{
    .what = "DNSQR(..)", .length = nullptr, .layer = nullptr, .is_record = [](layer_description const& l) {
        return &l == &describe<DNSQR>();
    }};
constexpr record_kind resource_kind{
    .what = "DNSRR..(..)", .length = nullptr, .layer = nullptr, .is_record = [](layer_description const& l) {
        return l.name.starts_with("DNSRR");
    }};

// --- the data of a record ----------------------------------------------------------------------------

literal print_strings(header bytes) {
    literal::list list;
    for (std::size_t at = 0; at < bytes.size();) {
        auto length = std::to_integer<std::size_t>(bytes[at]);
        auto part = bytes.subspan(at + 1, std::min(length, bytes.size() - at - 1));
        list.items.emplace_back(literal::bytes{text_of(part)});
        at += 1 + length;
    }
    return list;
}

literal print_data(header bytes, header record) {
    auto type = number16(record, name_extent(record, 0));
    if (type == rr::a && bytes.size() == 4)
        return value_traits<ipv4>::from_wire(read_bits(bytes, {0, 32})).to_string();
    if (type == rr::aaaa && bytes.size() == 16)
        return value_traits<ipv6>::from_wire(read_bits(bytes, {0, 128})).to_string();
    if (is_name_type(type))
        if (auto name = read_domain_name(bytes, 0); name && name->size == bytes.size()) return name->text;
    if (type == rr::txt) return print_strings(bytes);
    return literal::bytes{text_of(bytes)};
}

/// What the type says that the data are; Scapy's default is an address.
unsigned type_of(literal::call const* of) {
    if (of)
        for (auto const& [name, value] : of->keywords) {
            if (name != "type") continue;
            if (auto const* n = value.as<std::uint64_t>()) return static_cast<unsigned>(*n);
            if (auto const* text = value.as<std::string>())
                for (auto const& t : record_type_names)
                    if (t.name == *text) return static_cast<unsigned>(t.value);
        }
    return rr::a;
}

template <class Address>
std::string encoded(Address const& address) {
    std::array<std::byte, value_traits<Address>::width / 8> bytes{};
    write_bits(bytes, {0, value_traits<Address>::width}, value_traits<Address>::to_wire(address));
    return text_of(bytes);
}

std::string read_string(literal const& item) {
    auto const* text = octets_of(item);
    if (!text) fail(errc::bad_text, item, "a TXT record holds strings, not {}", kind_of(item));
    constexpr std::size_t longest = 255;
    std::string out;
    for (std::size_t at = 0; at < text->size(); at += longest) {  // longer ones go on in the next string
        auto part = text->substr(at, longest);
        out += static_cast<char>(part.size());
        out += part;
    }
    return out;
}

std::string read_data(literal const& value, literal::call const* of) {
    auto const& items = value.as<literal::list>()->items;
    auto type = type_of(of);
    std::string out;
    if (type == rr::txt) {
        for (auto const& item : items) out += read_string(item);
        return out;
    }
    if (items.empty()) return {};
    auto const* text = octets_of(items[0]);
    if (!text || items.size() > 1)
        fail(errc::bad_text, items[0], "the data of a DNS record of type {} is text or bytes, not {}", type,
             items.size() > 1 ? "a list" : kind_of(items[0]));
    bool is_bytes = items[0].as<literal::bytes>();
    if (is_name_type(type)) return write_domain_name(*text);
    if (is_bytes || (type != rr::a && type != rr::aaaa)) return *text;
    auto v4 = type == rr::a ? ipv4::parse(*text) : std::nullopt;
    auto v6 = type == rr::aaaa ? ipv6::parse(*text) : std::nullopt;
    if (!v4 && !v6)
        fail(errc::bad_text, items[0], "a DNS record of type {} holds an address, not \"{}\"",
             type == rr::a ? "A" : "AAAA", escape(*text));
    return v4 ? encoded(*v4) : encoded(*v6);
}

}  // namespace

dns_rdata::dns_rdata(ipv4 const& address) {
    append(encoded(address));
}
dns_rdata::dns_rdata(ipv6 const& address) {
    append(encoded(address));
}
dns_rdata::dns_rdata(domain_name const& name) {
    append(name.view());
}
dns_rdata::dns_rdata(std::string_view text) {
    if (auto v4 = ipv4::parse(text))
        append(encoded(*v4));
    else if (auto v6 = ipv6::parse(text))
        append(encoded(*v6));
    else
        append(write_domain_name(text));
}

option_codec const& dns_rdata::codec() {
    static constexpr option_codec codec{
        .print = print_data, .read = read_data, .text = true, .multiple_of = 1};
    return codec;
}

void dns_records::add(packet const& record) {
    append(built_record(resource_kind, record));
}

option_codec const& dns_questions::codec() {
    static constexpr option_codec codec{
        .print = print_section<question_end, print_question>,
        .read = [](literal const& list, literal::call const*) { return read_records(question_kind, list); },
        .count = count_section<question_end>,
        .chain = true,
        .leads = true,
        .layers = true,
        .multiple_of = 1};
    return codec;
}

option_codec const& dns_records::codec() {
    static constexpr option_codec codec{
        .print = print_section<record_end, print_record>,
        .read = [](literal const& list, literal::call const*) { return read_records(resource_kind, list); },
        .count = count_section<record_end>,
        .chain = true,
        .layers = true,
        .multiple_of = 1};
    return codec;
}

}  // namespace sonde::inline v0
