#include <sonde/layers/snmp.hpp>

#include "../packet/reading.hpp"
#include "asn1_codec.hpp"
#include "ber.hpp"
#include "record_list.hpp"

#include <algorithm>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;
using detail::ber_value;
using detail::read_ber;

constexpr unsigned sequence = 0x30, integer = 0x02, string = 0x04, oid = 0x06, address = 0x40, ticks = 0x43,
                   any = 0;
enum pdu_tag : unsigned { get = 0xa0, next, response, set, trap_v1, bulk, inform, trap_v2 };

// --- form --------------------------------------------------------------------------------------------

template <class Pdu>
constexpr layer_description const& (*described)() = &describe<Pdu>;
constexpr layer_description const& (*pdu_layers[])() = {
    described<SNMPget>,    described<SNMPnext>, described<SNMPresponse>, described<SNMPset>,
    described<SNMPtrapv1>, described<SNMPbulk>, described<SNMPinform>,   described<SNMPtrapv2>};

bool is_pdu_tag(unsigned tag) {
    return tag >= get && tag <= trap_v2;
}

/// Bytes of a variable; 0 for anything else.
std::size_t varbind_length(header bytes) {
    static constexpr unsigned form[] = {oid, any};
    auto v = read_ber(bytes);
    return v && v->tag == sequence && detail::consists_of(v->contents, form) ? v->size() : 0;
}

bool holds_varbinds(header list) {
    while (!list.empty()) {
        auto length = varbind_length(list);
        if (length == 0) return false;
        list = list.subspan(length);
    }
    return true;
}

/// Bytes of a PDU; 0 for anything else.
std::size_t pdu_length(header bytes) {
    static constexpr unsigned form[] = {integer, integer, integer, sequence},
                              trap_form[] = {oid, address, integer, integer, ticks, sequence};
    auto v = read_ber(bytes);
    if (!v || !is_pdu_tag(v->tag)) return 0;
    bool trap = v->tag == trap_v1;
    if (!detail::consists_of(v->contents, trap ? std::span<unsigned const>(trap_form) : form)) return 0;
    return holds_varbinds(read_ber(bytes, trap ? 5 : 3)->contents) ? v->size() : 0;
}

/// Bytes of a message. What is not read to its last value is none: version 3, and messages cut short.
std::size_t message_length(header bytes) {
    static constexpr unsigned form[] = {integer, string, any};
    auto v = read_ber(bytes);
    if (!v || v->tag != sequence || !detail::consists_of(v->contents, form)) return 0;
    auto pdu = v->contents.last(read_ber(bytes, 2)->size());
    return pdu_length(pdu) == pdu.size() ? v->size() : 0;
}

// --- fields ------------------------------------------------------------------------------------------

unsigned width_of_head(header h) {
    auto v = read_ber(h);
    return v ? static_cast<unsigned>(8 * v->head) : 0;
}
/// The value of a place among the fields, and its tag and length alone.
template <unsigned Place>
unsigned width(header h) {
    auto v = read_ber(h, Place);
    return v ? static_cast<unsigned>(8 * v->size()) : 0;
}
template <unsigned Place>
unsigned width_of_head(header h) {
    auto v = read_ber(h, Place);
    return v ? static_cast<unsigned>(8 * v->head) : 0;
}
template <unsigned Tag>
std::string head(std::size_t size) {
    return detail::ber_head(Tag, size);
}

constexpr value_name versions[] = {{0, "v1"}, {1, "v2c"}, {2, "v2"}, {3, "v3"}};
constexpr value_name errors[] = {{0, "no_error"},
                                 {1, "too_big"},
                                 {2, "no_such_name"},
                                 {3, "bad_value"},
                                 {4, "read_only"},
                                 {5, "generic_error"},
                                 {6, "no_access"},
                                 {7, "wrong_type"},
                                 {8, "wrong_length"},
                                 {9, "wrong_encoding"},
                                 {10, "wrong_value"},
                                 {11, "no_creation"},
                                 {12, "inconsistent_value"},
                                 {13, "resource_unavailable"},
                                 {14, "commit_failed"},
                                 {15, "undo_failed"},
                                 {16, "authorization_error"},
                                 {17, "not_writable"},
                                 {18, "inconsistent_name"}};
constexpr value_name traps[] = {
    {0, "cold_start"},   {1, "warm_start"},     {2, "link_down"},          {3, "link_up"},
    {4, "auth_failure"}, {5, "egp_neigh_loss"}, {6, "enterprise_specific"}};
constexpr value_names version_names = versions, error_names = errors, trap_names = traps;

constexpr field_rule message_rules[] = {{.field = "ber", .width = width_of_head, .encloses = head<sequence>},
                                        {.field = "version", .width = width<0>, .names = versions},
                                        {.field = "community", .width = width<1>}};
constexpr field_rule varbind_rules[] = {{.field = "ber", .width = width_of_head, .encloses = head<sequence>},
                                        {.field = "oid", .width = width<0>}};
template <pdu_tag Tag>
constexpr field_rule pdu_rules[] = {
    {.field = "ber", .width = width_of_head, .encloses = head<Tag>},
    {.field = "id", .width = width<0>},
    {.field = "error", .width = width<1>, .names = errors},
    {.field = "error_index", .width = width<2>},
    {.field = "non_repeaters", .width = width<1>},
    {.field = "max_repetitions", .width = width<2>},
    {.field = "varbindlist_ber", .width = width_of_head<3>, .encloses = head<sequence>}};
constexpr field_rule trap_rules[] = {
    {.field = "ber", .width = width_of_head, .encloses = head<trap_v1>},
    {.field = "enterprise", .width = width<0>},
    {.field = "agent_addr", .width = width<1>},
    {.field = "generic_trap", .width = width<2>, .names = traps},
    {.field = "specific_trap", .width = width<3>},
    {.field = "time_stamp", .width = width<4>},
    {.field = "varbindlist_ber", .width = width_of_head<5>, .encloses = head<sequence>}};

template <pdu_tag Tag>
layer_hooks pdu() {
    return {.rules = pdu_rules<Tag>, .header_length = pdu_length};
}

constexpr detail::record_kind varbind_kind{
    .what = "SNMPvarbind(..)",
    .length = varbind_length,
    .layer = [](header) { return &describe<SNMPvarbind>(); },
    .is_record = [](layer_description const& l) { return &l == &describe<SNMPvarbind>(); }};
constexpr detail::record_kind pdu_kind{
    .what = "a PDU, SNMPget(..)",
    .length = pdu_length,
    .layer = [](header bytes) { return &pdu_layers[read_ber(bytes)->tag - get](); },
    .is_record =
        [](layer_description const& l) {
            return std::ranges::any_of(pdu_layers, [&](auto* described) { return &l == &described(); });
        }};

/// A message has one PDU.
literal print_pdu(header bytes, header) {
    auto list = detail::print_records(pdu_kind, bytes);
    auto& items = std::get<literal::list>(list.value).items;
    return items.size() == 1 ? std::move(items.front()) : list;
}

// --- matching ----------------------------------------------------------------------------------------

/// What a message says, as far as it can be read.
struct message {
    explicit message(header bytes) {
        if (auto v = read_ber(bytes, 0)) version = detail::read_ber_integer(v->contents);
        if (auto v = read_ber(bytes, 1)) community = v->contents;
        auto whole = read_ber(bytes);
        auto pdu = read_ber(bytes, 2);
        if (!whole || !pdu) return;
        tag = pdu->tag;
        if (tag == trap_v1) return;
        if (auto v = read_ber(whole->contents.last(pdu->size()), 0))
            id = detail::read_ber_integer(v->contents);
    }
    std::optional<detail::ber_number> version{}, id{};
    header community{};
    unsigned tag = 0;
};

std::string text(std::optional<detail::ber_number> n) {
    return !n            ? "of over 64 bits"
           : n->negative ? fmt::format("{}", static_cast<std::int64_t>(n->low))
                         : fmt::format("{}", n->low);
}
std::string text(header bytes) {
    return fmt::format("\"{}\"", escape({reinterpret_cast<char const*>(bytes.data()), bytes.size()}));
}
std::string_view name_of(unsigned tag) {
    return is_pdu_tag(tag) ? pdu_layers[tag - get]().name : "no PDU";
}

match_verdict answers(layer_view const& reply, layer_view const& sent) {
    message got(reply.header()), asked(sent.header());
    bool has_answer =
        is_pdu_tag(asked.tag) && asked.tag != response && asked.tag != trap_v1 && asked.tag != trap_v2;
    if (!has_answer) return match_verdict::mismatch(fmt::format("{} has no answer", name_of(asked.tag)));
    if (got.tag != response)
        return match_verdict::mismatch(fmt::format("{} found, SNMPresponse expected", name_of(got.tag)));
    if (!got.id || got.id != asked.id)
        return match_verdict::mismatch(
            fmt::format("snmp request id {}, expected {}", text(got.id), text(asked.id)));
    if (!got.version || got.version != asked.version)
        return match_verdict::mismatch(
            fmt::format("snmp version {}, expected {}", text(got.version), text(asked.version)));
    if (!std::ranges::equal(got.community, asked.community))
        return match_verdict::mismatch(
            fmt::format("snmp community {}, expected {}", text(got.community), text(asked.community)));
    return match_verdict::match();
}

void key(layer_view const& v, key_builder& k) {
    message const m(v.header());
    k.add(m.id ? m.id->low : 0);
}

header bytes_of(packet const& p) {
    return p.view().bytes;
}

}  // namespace

// Not built: a message's own default is made before there are any packets, and there is nothing to compute.
void snmp_varbinds::add(packet const& varbind) {
    detail::check_record(varbind_kind, varbind);
    auto bytes = bytes_of(varbind);
    append({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
}
void snmp_pdu::add(packet const& pdu) {
    detail::check_record(pdu_kind, pdu);
    auto bytes = bytes_of(pdu);
    append({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
}

option_codec const& snmp_version::codec() {
    return detail::asn1_codec<asn1_tag::integer, version_names>;
}
option_codec const& snmp_error::codec() {
    return detail::asn1_codec<asn1_tag::integer, error_names>;
}
option_codec const& snmp_trap_type::codec() {
    return detail::asn1_codec<asn1_tag::integer, trap_names>;
}
option_codec const& snmp_varbinds::codec() {
    static constexpr auto codec = detail::records_codec<varbind_kind>(1);
    return codec;
}
option_codec const& snmp_pdu::codec() {
    static constexpr auto codec = [] {
        auto c = detail::records_codec<pdu_kind>(1);
        c.print = print_pdu;
        return c;
    }();
    return codec;
}

layer_hooks hooks(SNMPvarbind const*) {
    return {.rules = varbind_rules, .header_length = varbind_length};
}
layer_hooks hooks(SNMPget const*) {
    return pdu<get>();
}
layer_hooks hooks(SNMPnext const*) {
    return pdu<next>();
}
layer_hooks hooks(SNMPresponse const*) {
    return pdu<response>();
}
layer_hooks hooks(SNMPset const*) {
    return pdu<set>();
}
layer_hooks hooks(SNMPtrapv1 const*) {
    return {.rules = trap_rules, .header_length = pdu_length};
}
layer_hooks hooks(SNMPbulk const*) {
    return pdu<bulk>();
}
layer_hooks hooks(SNMPinform const*) {
    return pdu<inform>();
}
layer_hooks hooks(SNMPtrapv2 const*) {
    return pdu<trap_v2>();
}
layer_hooks hooks(SNMP const*) {
    return {.rules = message_rules, .header_length = message_length, .answers = answers, .key = key};
}

packet snmp_pdu_of(packet const& message) {
    auto const* snmp = message.find<SNMP>();
    auto bytes = snmp ? snmp->PDU.bytes() : header();
    if (pdu_length(bytes) == 0) return {};
    return detail::dissect_as(bytes, *pdu_kind.layer(bytes));
}

std::vector<packet> snmp_varbinds_of(packet const& message) {
    std::vector<packet> all;
    auto const* snmp = message.find<SNMP>();
    auto bytes = snmp ? snmp->PDU.bytes() : header();
    if (pdu_length(bytes) == 0) return all;
    auto list = read_ber(bytes, read_ber(bytes)->tag == trap_v1 ? 5 : 3)->contents;
    for (std::size_t length = 0; !list.empty(); list = list.subspan(length)) {
        length = varbind_length(list);
        all.push_back(detail::dissect_as(list.first(length), describe<SNMPvarbind>()));
    }
    return all;
}

}  // namespace sonde::inline v0
