#include <sonde/layers/dns.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

#include "../packet/reading.hpp"
#include "dns_message.hpp"
#include "dns_types.hpp"
#include "record_list.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;
using namespace detail;

// --- fields ------------------------------------------------------------------------------------------

unsigned owner_width(header h) {
    return static_cast<unsigned>(8 * name_extent(h, 0));
}
/// Of the first name in the data of an SOA record.
unsigned primary_width(header h) {
    return static_cast<unsigned>(8 * name_extent(h, name_extent(h, 0) + record_fixed));
}
unsigned mailbox_width(header h) {
    auto at = name_extent(h, 0) + record_fixed;
    return static_cast<unsigned>(8 * name_extent(h, at + name_extent(h, at)));
}

constexpr field_rule question_rules[] = {{.field = "qname", .width = owner_width},
                                         {.field = "qtype", .names = question_type_names}};
constexpr field_rule record_rules[] = {{.field = "rrname", .width = owner_width},
                                       {.field = "type", .names = record_type_names},
                                       {.field = "mname", .width = primary_width},
                                       {.field = "rname", .width = mailbox_width}};

/// The data of a record that nobody gave are Scapy's: no address, or the root, where its type has one.
std::string_view data_left_out(std::span<field_content const> record) {
    auto const& type = record[field_index<&DNSRR::type>];
    if (type.state != field_state::single) return {};
    switch (type.first.low) {
        case 1: return "0.0.0.0";
        case 28: return "::";
        case 2:
        case 3:
        case 4:
        case 5:
        case 12: return ".";
        default: return {};
    }
}
constexpr field_rule generic_record_rules[] = {{.field = "rrname", .width = owner_width},
                                               {.field = "type", .names = record_type_names},
                                               {.field = "rdata", .left_out = data_left_out}};

template <class Record>
void finish_record(build_step& step) {
    auto before = name_extent(step.header(), 0) + record_fixed;
    step.fill<&Record::rdlen>(step.header().size() > before ? step.header().size() - before : 0);
}
template <class Record>
layer_hooks record(std::string_view title, std::span<field_rule const> rules = record_rules) {
    return {.title = title, .rules = rules, .finish = finish_record<Record>};
}

/// Over a stream, the length comes first.
constexpr std::size_t stream_prefix = 2;

template <std::size_t Prefix>
header message_in(header h) {
    return h.subspan(std::min(Prefix, h.size()));
}
header message_of(layer_view const& dns) {
    auto h = dns.header();
    return h.subspan(std::min(dns.description().hooks.origin, h.size()));
}

template <std::size_t Prefix>
bool has_prefix(header) {
    return Prefix > 0;
}
template <std::size_t Prefix, section Which>
unsigned section_width(header h) {
    dns_layout layout(message_in<Prefix>(h));
    return static_cast<unsigned>(8 * layout.size(Which));
}
template <std::size_t Prefix>
constexpr field_rule message_rules[] = {{.field = "length", .present = has_prefix<Prefix>},
                                        {.field = "id", .identity = identity_part::id},
                                        {.field = "opcode", .names = dns_opcodes::names},
                                        {.field = "rcode", .names = dns_rcodes::names},
                                        {.field = "qdcount", .counts = "qd"},
                                        {.field = "ancount", .counts = "an"},
                                        {.field = "nscount", .counts = "ns"},
                                        {.field = "arcount", .counts = "ar"},
                                        {.field = "qd", .width = section_width<Prefix, section::questions>},
                                        {.field = "an", .width = section_width<Prefix, section::answers>},
                                        {.field = "ns", .width = section_width<Prefix, section::authorities>},
                                        {.field = "ar", .width = section_width<Prefix, section::additional>}};

std::size_t message_length(header h) {
    return h.size() < message_fixed ? message_fixed : dns_layout(h).end();
}

/// A segment that does not begin with a whole message is part of one: bytes.
std::size_t stream_length(header h) {
    std::size_t length = number16(h, 0);
    if (h.size() < stream_prefix || length < message_fixed || length > h.size() - stream_prefix) return 0;
    return stream_prefix + dns_layout(h.subspan(stream_prefix, length)).end();
}

void finish_stream(build_step& step) {
    step.fill<&DNS::length>(step.header().size() - stream_prefix);
}

/// Messages follow each other in a stream (RFC 7766 §6.2.1.1).
void follow_stream(dissect_step& step) {
    if (step.view.header().size() == stream_prefix + step.view.get<&DNS::length>())
        step.next = &describe<DNS>();
}

// --- matching ----------------------------------------------------------------------------------------

constexpr unsigned mdns_port = 5353, any = 255;

bool is_multicast_dns(layer_view const& dns) {
    auto udp = dns.lower();
    return udp.is<UDP>() && udp.get<&UDP::dport>() == mdns_port;
}

bool same_name(std::string_view a, std::string_view b) {
    return domain_name(a) == b;
}

struct question {
    std::string name;
    unsigned type = 0, cls = 0;
    std::size_t end = 0;  ///< where in the message the next one begins
};
std::optional<question> question_at(header h, std::size_t at) {
    auto name = h.size() > at ? read_domain_name(h, at) : std::nullopt;
    if (!name || name->size + 4 > h.size()) return {};
    return question{name->text, number16(h, name->size), number16(h, name->size + 2), name->size + 4};
}
unsigned question_count(header h) {
    return number16(h, 4);
}
std::optional<question> first_question(header h) {
    return question_count(h) == 0 ? std::nullopt : question_at(h, message_fixed);
}
/// As many as can be read.
std::vector<question> all_questions(header h) {
    std::vector<question> all;
    auto next = first_question(h);
    for (auto left = question_count(h); next && left > 0; --left) {
        all.push_back(*std::move(next));
        next = question_at(h, all.back().end);
    }
    return all;
}
std::string names_of(std::vector<question> const& all) {
    std::string names;
    for (auto const& q : all) names += (names.empty() ? "" : " or ") + q.name;
    return names;
}

/// The top bit of a class is none of it in multicast DNS: a question that may be answered to one (RFC 6762
/// §5.4), a record that is all there are (§10.2).
constexpr unsigned whole_class = 0xffff, multicast_class = 0x7fff;

/// Whether a record, whose name is followed by its type and class, is what is asked for.
bool is_about(question const& asked, header h, read_name const& name) {
    auto type = number16(h, name.size), cls = number16(h, name.size + 2) & multicast_class;
    auto asked_class = asked.cls & multicast_class;
    return same_name(name.text, asked.name) && (type == asked.type || asked.type == any) &&
           (cls == asked_class || asked_class == any);
}

/// RFC 6762 §6: answers of multicast DNS come without the question; a record must be what one of those asks
/// for (§5.3).
match_verdict multicast_answers(layer_view const& reply, std::vector<question> const& asked) {
    auto h = message_of(reply);
    dns_layout layout(h);
    auto at = layout.begin(section::answers);
    for (auto n = number16(h, 6); n > 0 && at < layout.end(); --n) {
        auto name = read_domain_name(h, at);
        if (!name) break;
        if (std::ranges::any_of(asked, [&](question const& q) { return is_about(q, h, *name); }))
            return match_verdict::match();
        at = record_end(h, at);
        if (at == 0) break;
    }
    return match_verdict::mismatch("no answer about " + names_of(asked));
}

match_verdict same_question(question const& told, question const& asked, unsigned class_bits) {
    if (!same_name(told.name, asked.name))
        return match_verdict::mismatch(fmt::format("dns question {}, expected {}", told.name, asked.name));
    if (told.type != asked.type || ((told.cls ^ asked.cls) & class_bits) != 0)
        return match_verdict::mismatch(fmt::format("dns question of type {} class {}, expected {} {}",
                                                   told.type, told.cls, asked.type, asked.cls));
    return match_verdict::match();
}

/// A response repeats all that was asked, in order (RFC 1035 §4.1.1); `told` and `asked` come first. What
/// cannot be read of the probe's others is nothing to compare with.
match_verdict same_questions(header reply, header sent, question told, question asked, unsigned class_bits) {
    auto count = question_count(sent);
    if (auto got = question_count(reply); got != count)
        return match_verdict::mismatch(fmt::format("dns questions {}, expected {}", got, count));
    for (auto left = count;; --left) {
        if (auto v = same_question(told, asked, class_bits); v.value == match_verdict::no || left == 1)
            return v;
        auto next_asked = question_at(sent, asked.end), next_told = question_at(reply, told.end);
        if (!next_asked) return match_verdict::match();
        if (!next_told) return match_verdict::mismatch("dns questions cut short");
        asked = *std::move(next_asked), told = *std::move(next_told);
    }
}

match_verdict answers(layer_view const& reply, layer_view const& sent) {
    if (message_of(reply).size() < message_fixed) return match_verdict::mismatch("dns header cut short");
    if (sent.get<&DNS::qr>() != 0) return match_verdict::mismatch("a dns response has no answer");
    if (reply.get<&DNS::qr>() != 1) return match_verdict::mismatch("a dns query is no answer");
    auto asked = first_question(message_of(sent)), told = first_question(message_of(reply));
    bool const multicast = is_multicast_dns(sent), repeats = question_count(message_of(reply)) != 0;
    if (multicast && asked && !repeats) return multicast_answers(reply, all_questions(message_of(sent)));
    if (auto got = reply.get<&DNS::id>(), ours = sent.get<&DNS::id>(); got != ours)
        return match_verdict::mismatch(fmt::format("dns id {}, expected {}", got, ours));
    if (auto got = reply.get<&DNS::opcode>(), ours = sent.get<&DNS::opcode>(); got != ours)
        return match_verdict::mismatch(fmt::format("dns opcode {}, expected {}", got, ours));
    if (!asked || sent.packet().relaxed) return match_verdict::match();
    // A server that could not read the question does not repeat it (RFC 1035 §4.1.1).
    if (!told) {
        constexpr unsigned format_error = 1, not_implemented = 4, refused = 5;
        auto rcode = reply.get<&DNS::rcode>();
        if (rcode == format_error || rcode == not_implemented || rcode == refused)
            return match_verdict::match();
        return match_verdict::mismatch(repeats ? "dns questions cut short"
                                               : "dns response without the question");
    }
    return same_questions(message_of(reply), message_of(sent), *std::move(told), *std::move(asked),
                          multicast ? multicast_class : whole_class);
}

void key(layer_view const& v, key_builder& k) {
    auto udp = v.lower();
    bool multicast =
        udp.is<UDP>() && (udp.get<&UDP::dport>() == mdns_port || udp.get<&UDP::sport>() == mdns_port);
    k.add(multicast ? 0 : v.get<&DNS::id>());
}

// --- text --------------------------------------------------------------------------------------------

/// Text as Python writes bytes: b'www.example.com.'
std::string python_bytes(std::string const& name) {
    return to_python(literal::bytes{name});
}

void summarize(layer_view const& v, std::string& out) {
    bool response = v.get<&DNS::qr>();
    std::string about;
    if (auto asked = first_question(message_of(v)); asked && !response) about = python_bytes(asked->name);
    if (response && v.get<&DNS::ancount>() > 0) {
        auto records = value_of(v, field_index<&DNS::an>);
        auto const* list = records.as<literal::list>();
        auto const* first = list && !list->items.empty() ? list->items[0].as<literal::call>() : nullptr;
        if (first)
            for (auto const& [name, value] : first->keywords) {
                if (name != "rdata") continue;
                auto const* text = value.as<std::string>();
                bool address = text && (ipv4::parse(*text) || ipv6::parse(*text));
                about = !text ? to_python(value) : address ? *text : python_bytes(*text);
            }
    }
    out += fmt::format("DNS {}{} ", response ? "Ans" : "Qry",
                       about.empty() ? "" : fmt::format(" \"{}\"", about));
}

constexpr record_kind edns_kind{
    .what = "EDNS0TLV(..)",
    .length = [](header h) -> std::size_t { return h.size() < 4 ? 0 : 4 + number16(h, 2); },
    .layer = [](header) { return &describe<EDNS0TLV>(); },
    .is_record = [](layer_description const& l) { return &l == &describe<EDNS0TLV>(); }};

constexpr value_name edns_codes[] = {
    {0, "Reserved"},          {1, "LLQ"}, {2, "UL"}, {3, "NSID"}, {4, "Reserved"}, {5, "PING"},
    {8, "edns-client-subnet"}};
constexpr field_rule edns_rules[] = {{.field = "optcode", .names = edns_codes}};

void finish_edns_option(build_step& step) {
    step.fill<&EDNS0TLV::optlen>(step.header().size() - 4);
}

std::vector<packet> section_of(layer_view const& dns, std::size_t field) {
    std::vector<packet> all;
    auto value = value_of(dns, field);
    if (auto const* list = value.as<literal::list>())
        for (auto const& item : list->items)
            if (item.as<literal::call>()) all.push_back(make_packet(item));
    return all;
}

}  // namespace

layer_hooks hooks(DNSQR const*) {
    return {.title = "DNS Question Record", .rules = question_rules};
}
layer_hooks hooks(DNSRR const*) {
    return record<DNSRR>("DNS Resource Record", generic_record_rules);
}
layer_hooks hooks(DNSRRMX const*) {
    return record<DNSRRMX>("DNS MX Resource Record");
}
layer_hooks hooks(DNSRRSOA const*) {
    return record<DNSRRSOA>("DNS SOA Resource Record");
}
layer_hooks hooks(DNSRRSRV const*) {
    return record<DNSRRSRV>("DNS SRV Resource Record");
}
layer_hooks hooks(DNSRROPT const*) {
    return record<DNSRROPT>("DNS OPT Resource Record");
}
layer_hooks hooks(EDNS0TLV const*) {
    return {.title = "DNS EDNS0 TLV", .rules = edns_rules, .finish = finish_edns_option};
}
namespace {

/// The key stays TCP's: its acknowledgement comes without a message.
layer_description const& over_stream() {
    static auto const form = describe<DNS>().with({.rules = message_rules<stream_prefix>,
                                                   .header_length = stream_length,
                                                   .finish = finish_stream,
                                                   .follow = follow_stream,
                                                   .form = describe<DNS>().hooks.form,
                                                   .origin = stream_prefix,
                                                   .answers = answers,
                                                   .summarize = summarize});
    return form;
}

layer_description const& form(layer_description const* lower, bool has_length) {
    bool stream = lower ? lower == &describe<TCP>() || lower == &over_stream() : has_length;
    return stream ? over_stream() : describe<DNS>();
}

}  // namespace

layer_hooks hooks(DNS const*) {
    return {.rules = message_rules<0>,
            .header_length = message_length,
            .form = form,
            .answers = answers,
            .key = key,
            .summarize = summarize};
}

void edns_options::add(packet const& option) {
    append(built_record(edns_kind, option));
}
// Field by field, as a message's own default is made before there are any packets.
void dns_questions::add(DNSQR const& question) {
    append(question.qname.view());
    for (unsigned n : {unsigned(question.qtype.value()), unsigned(question.qclass.value())}) {
        char const octets[] = {static_cast<char>(n >> 8), static_cast<char>(n)};
        append({octets, 2});
    }
}

option_codec const& edns_options::codec() {
    static constexpr auto codec = records_codec<edns_kind>(1);
    return codec;
}

dns_sections dns_records_of(packet const& message) {
    for (std::size_t i = 0; i < message.layers().size(); ++i) {
        layer_view v(message.view(), i);
        if (v.is<DNS>())
            return {section_of(v, field_index<&DNS::an>), section_of(v, field_index<&DNS::ns>),
                    section_of(v, field_index<&DNS::ar>)};
    }
    return {};
}

}  // namespace sonde::inline v0
