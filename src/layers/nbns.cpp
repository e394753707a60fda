#include <sonde/layers/nbns.hpp>

#include "../packet/reading.hpp"
#include "record_list.hpp"
#include "summary.hpp"

#include <algorithm>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;

std::string_view text_of(header bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

// --- names -------------------------------------------------------------------------------------------

/// 32, the length, and two letters from A to P for each byte, the last one not among them: SUFFIX.
constexpr std::size_t name_size = 31, name_bytes = 15;
constexpr char length_of_name = 32;

std::string encoded(std::string_view text) {
    std::string out{length_of_name};
    for (std::size_t i = 0; i < name_bytes; ++i) {
        auto octet = static_cast<unsigned char>(i < text.size() ? text[i] : ' ');
        out += {static_cast<char>('A' + (octet >> 4)), static_cast<char>('A' + (octet & 15))};
    }
    return out;
}

/// Nothing for bytes that are no encoded name.
std::optional<std::string> decoded(header bytes) {
    auto text = text_of(bytes);
    bool is_name = text.size() == name_size && text[0] == length_of_name &&
                   std::ranges::all_of(text.substr(1), [](char c) { return c >= 'A' && c <= 'P'; });
    if (!is_name) return {};
    std::string out;
    for (std::size_t i = 1; i < text.size(); i += 2)
        out += static_cast<char>((text[i] - 'A') << 4 | (text[i + 1] - 'A'));
    return out;
}

literal print_name(header bytes, header) {
    return literal::bytes{decoded(bytes).value_or(std::string(text_of(bytes)))};
}

/// Text, or encoded bytes that are no name.
std::string read_name(literal const& list, literal::call const*) {
    auto const& items = list.as<literal::list>()->items;
    auto const* text = items.size() == 1 ? detail::octets_of(items[0]) : nullptr;
    if (text && text->size() <= name_bytes) return encoded(*text);
    if (text && text->size() == name_size && !decoded(std::as_bytes(std::span(*text)))) return *text;
    detail::fail(errc::bad_text, items.empty() ? list : items[0], "a NetBIOS name is text of up to {} bytes",
                 name_bytes);
}

unsigned width_of_name(header) {
    return 8 * name_size;
}

// --- layers ------------------------------------------------------------------------------------------

constexpr field_rule header_rules[] = {{.field = "NAME_TRN_ID", .identity = identity_part::id}};
constexpr field_rule question_rules[] = {{.field = "QUESTION_NAME", .width = width_of_name}};

constexpr value_name group_names[] = {{0, "Unique name"}, {1, "Group name"}};
constexpr value_name node_types[] = {{0, "B node"}, {1, "P node"}, {2, "M node"}, {3, "H node"}};
constexpr value_name unused[] = {{0, "Unused"}}, unused_octet[] = {{0, "unused"}};
constexpr field_rule address_rules[] = {{.field = "G", .names = group_names},
                                        {.field = "OWNER_NODE_TYPE", .names = node_types},
                                        {.field = "UNUSED", .names = unused}};
constexpr field_rule service_rules[] = {{.field = "NETBIOS_NAME", .octets = name_bytes},
                                        {.field = "UNUSED", .names = unused_octet}};

template <class Entry, std::size_t Size>
constexpr detail::record_kind entries_of{
    .what = "entries of its own",
    .length = [](header) { return Size; },
    .layer = [](header) { return &describe<Entry>(); },
    .is_record = [](layer_description const& l) { return &l == &describe<Entry>(); }};
constexpr auto address_kind = entries_of<NBNS_ADD_ENTRY, 6>;
constexpr std::size_t service_size = 18;
constexpr auto service_kind = entries_of<NBNSNodeStatusResponseService, service_size>;

/// Name, suffix, type, class, TTL and RDLENGTH of a response; the number of names follows in a node's status.
constexpr std::size_t response_fixed = 44, status_fixed = 45, mac_and_statistics = 52;

std::size_t address_bytes(header h) {
    return std::min<std::size_t>(read_bits(h, {8 * (response_fixed - 2), 16}).low,
                                 h.size() - std::min(h.size(), response_fixed));
}
std::size_t response_length(header h) {
    return response_fixed + address_bytes(h);
}
constexpr field_rule response_rules[] = {
    {.field = "RR_NAME", .width = width_of_name},
    {.field = "ADDR_ENTRY", .width = [](header h) {  // the rest of the header, which ends where RDLENGTH says
         return static_cast<unsigned>(8 * (h.size() - std::min(h.size(), response_fixed)));
     }}};

void finish_response(build_step& step) {
    auto size = step.header().size();
    step.fill<&NBNSQueryResponse::RDLENGTH>(size > response_fixed ? size - response_fixed : 0);
}

std::size_t service_bytes(header h) {
    return std::min<std::size_t>(service_size * read_bits(h, {8 * (status_fixed - 1), 8}).low,
                                 h.size() - std::min(h.size(), status_fixed));
}
std::size_t status_length(header h) {
    return status_fixed + service_bytes(h) + mac_and_statistics;
}
constexpr field_rule status_rules[] = {
    {.field = "RR_NAME", .width = width_of_name},
    {.field = "NUM_NAMES", .counts = "NODE_NAME"},
    {.field = "NODE_NAME", .width = [](header h) { return static_cast<unsigned>(8 * service_bytes(h)); }},
    {.field = "STATISTICS", .octets = 46}};

// --- the message -------------------------------------------------------------------------------------

/// The question or the record that a message begins with: its whole name, and its type.
struct subject {
    explicit subject(header payload) {
        constexpr std::size_t whole_name = 34;
        if (payload.size() < whole_name + 2) return;
        name = payload.first(whole_name);
        type = read_bits(payload, {8 * whole_name, 16}).low;
        is_whole = text_of(name)[0] == length_of_name && name.back() == std::byte(0);
    }
    header name{};
    std::uint64_t type = 0;
    bool is_whole = false;
};
constexpr std::uint64_t nb = 0x20, nbstat = 0x21;

/// Flags that the bindings do not know, of a server or of a host that asks one: the type tells.
void follow(dissect_step& step) {
    if (step.next || step.view.get<&NBNSHeader::OPCODE>() != 0) return;
    subject const about(step.rest);
    if (!about.is_whole || (about.type != nb && about.type != nbstat)) return;
    bool is_query = about.type == nb;
    if (step.view.get<&NBNSHeader::RESPONSE>() == 0 && step.view.get<&NBNSHeader::QDCOUNT>() == 1)
        step.next = is_query ? &describe<NBNSQueryRequest>() : &describe<NBNSNodeStatusRequest>();
    if (step.view.get<&NBNSHeader::RESPONSE>() == 1 && step.view.get<&NBNSHeader::ANCOUNT>() == 1)
        step.next = is_query ? &describe<NBNSQueryResponse>() : &describe<NBNSNodeStatusResponse>();
}

/// "\"WINDOWS        \", 0x4141" of an encoded name.
std::string shown(header name) {
    auto text = decoded(name.first(std::min(name.size(), name_size)));
    return fmt::format("\"{}\"", escape(text ? *text : std::string(text_of(name))));
}

match_verdict answers(layer_view const& reply, layer_view const& sent) {
    if (!reply.has<&NBNSHeader::ARCOUNT>()) return match_verdict::mismatch("nbns header cut short");
    if (sent.get<&NBNSHeader::RESPONSE>() != 0 || reply.get<&NBNSHeader::RESPONSE>() != 1)
        return match_verdict::mismatch("nbns response to a request expected");
    if (auto got = reply.get<&NBNSHeader::NAME_TRN_ID>(), ours = sent.get<&NBNSHeader::NAME_TRN_ID>();
        got != ours)
        return match_verdict::mismatch(fmt::format("nbns id {}, expected {}", got, ours));
    if (auto got = reply.get<&NBNSHeader::OPCODE>(), asked = sent.get<&NBNSHeader::OPCODE>(); got != asked)
        return match_verdict::mismatch(fmt::format("nbns opcode {}, expected {}", got, asked));
    subject const told(reply.payload()), asked(sent.payload());
    if (!told.is_whole) return match_verdict::mismatch("nbns response without a name");
    if (!std::ranges::equal(told.name, asked.name))
        return match_verdict::mismatch(
            fmt::format("nbns name {}, expected {}", shown(told.name), shown(asked.name)));
    bool positive = reply.get<&NBNSHeader::RCODE>() == 0;  // a refusal has no type (RFC 1002 §4.2.14)
    if (positive && told.type != asked.type)
        return match_verdict::mismatch(fmt::format("nbns type {:#x}, expected {:#x}", told.type, asked.type));
    return match_verdict::match();
}

void key(layer_view const& v, key_builder& k) {
    k.add(v.get<&NBNSHeader::NAME_TRN_ID>());
}

/// The name without the blanks around it.
std::string stripped(layer_view const& v) {
    auto name = decoded(v.header().first(std::min(v.header().size(), name_size))).value_or("");
    auto first = name.find_first_not_of(' '), last = name.find_last_not_of(' ');
    return first == name.npos ? std::string() : escape(name.substr(first, last + 1 - first));
}

void summarize_request(layer_view const& v, std::string& out) {
    out += fmt::format("{} who has '\\\\{}'", v.description().name, stripped(v));
}

void summarize_response(layer_view const& v, std::string& out) {
    out += v.description().name;
    if (address_bytes(v.header()) < 6) return;
    auto address = read_bits(v.header(), {8 * (response_fixed + 2), 32});
    out += fmt::format(" '\\\\{}' is at {}", stripped(v), value_traits<ipv4>::from_wire(address).to_string());
}

layer_hooks request(std::string_view title) {
    return {.title = title, .rules = question_rules, .summarize = summarize_request};
}

}  // namespace

netbios_name::netbios_name(std::string_view text) {
    if (text.size() > name_bytes)
        throw error(errc::bad_text,
                    fmt::format("NetBIOS name \"{}\" of over {} bytes", escape(text), name_bytes));
    append(encoded(text));
}
std::string netbios_name::to_string() const {
    auto name = decoded(bytes()).value_or("");
    return name.substr(0, name.find_last_not_of(' ') + 1);
}
option_codec const& netbios_name::codec() {
    static constexpr option_codec codec{
        .print = print_name, .read = read_name, .text = true, .one = true, .multiple_of = 1};
    return codec;
}

// Not built: a response's own default is made before there are any packets, and there is nothing to compute.
void nbns_addresses::add(packet const& entry) {
    detail::check_record(address_kind, entry);
    append(text_of(entry.view().bytes));
}
void nbns_services::add(packet const& service) {
    detail::check_record(service_kind, service);
    append(text_of(service.view().bytes));
}
option_codec const& nbns_addresses::codec() {
    static constexpr auto codec = detail::records_codec<address_kind>(1);
    return codec;
}
option_codec const& nbns_services::codec() {
    static constexpr auto codec = detail::records_codec<service_kind>(1);
    return codec;
}

layer_hooks hooks(NBNSHeader const*) {
    return {.title = "NBNS Header", .rules = header_rules, .follow = follow, .answers = answers, .key = key};
}
layer_hooks hooks(NBNSQueryRequest const*) {
    return request("NBNS query request");
}
layer_hooks hooks(NBNSNodeStatusRequest const*) {
    return request("NBNS status request");
}
layer_hooks hooks(NBNS_ADD_ENTRY const*) {
    return {.rules = address_rules};
}
layer_hooks hooks(NBNSQueryResponse const*) {
    return {.title = "NBNS query response",
            .rules = response_rules,
            .header_length = response_length,
            .finish = finish_response,
            .summarize = summarize_response};
}
layer_hooks hooks(NBNSNodeStatusResponseService const*) {
    return {.title = "NBNS Node Status Response Service", .rules = service_rules};
}
layer_hooks hooks(NBNSNodeStatusResponse const*) {
    return {.title = "NBNS Node Status Response", .rules = status_rules, .header_length = status_length};
}

}  // namespace sonde::inline v0
