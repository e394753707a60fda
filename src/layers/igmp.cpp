#include <sonde/layers/igmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/packet/checksum.hpp>

#include "igmp_version.hpp"
#include "record_list.hpp"
#include "summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;

constexpr field_rule checksum_rules[] = {{.field = "chksum", .hexadecimal = true}};
constexpr std::size_t size = 8;
enum message_type : unsigned { query = 0x11, report1 = 0x12, report2 = 0x16, leave = 0x17, report3 = 0x22 };

bool is_version3(header h) {
    constexpr std::size_t shortest_query3 = 12;
    auto type = read_bits(h, {0, 8}).low;
    return type == report3 || (type >= 0x30 && type <= 0x32) ||
           (type == query && h.size() >= shortest_query3);
}

std::size_t length(header h) {
    auto type = read_bits(h, {0, 8}).low;
    return type == query || type == report1 || type == report2 || type == leave ? size : 0;
}

template <class Message>
void finish(build_step& step) {
    if (!step.is_automatic<&Message::chksum>()) return;
    step.fill<&Message::chksum>(0);
    internet_checksum sum;
    auto const all = step.view();
    sum.add(all.packet().bytes.subspan(all.span().begin, all.span().size() + all.payload().size()));
    step.fill<&Message::chksum>(sum.finish());
}

/// "IGMP: 192.0.2.1 > 224.0.0.1 Leave Group"
std::string summary_of(layer_view const& v, std::string_view type) {
    auto ends = detail::shown_ends(v);
    return fmt::format("{}{} {}", v.description().name, ends.empty() ? "" : ": " + ends, type);
}

void summarize(layer_view const& v, std::string& out) {
    out += fmt::format("{} {}", summary_of(v, detail::shown<&IGMP::type>(v)), detail::shown<&IGMP::gaddr>(v));
}

// --- version 3 ---------------------------------------------------------------------------------------

/// Addresses as far as they are there.
unsigned sources(header h, std::size_t from, std::uint64_t count) {
    return static_cast<unsigned>(8 * std::min<std::size_t>(4 * count, h.size() - std::min(h.size(), from)));
}

constexpr std::size_t query_fixed = 8;
unsigned query_sources(header h) {
    return sources(h, query_fixed, read_bits(h, {48, 16}).low);
}
std::size_t query_length(header h) {
    return query_fixed + query_sources(h) / 8;
}
constexpr field_rule query_rules[] = {{.field = "numsrc", .counts = "srcaddrs"},
                                      {.field = "srcaddrs", .width = query_sources}};

constexpr std::size_t record_fixed = 8;
/// Auxiliary data that are counted but not there are none.
std::size_t record_length(header h) {
    auto plain = record_fixed + 4 * static_cast<std::size_t>(read_bits(h, {16, 16}).low);
    auto whole = plain + 4 * static_cast<std::size_t>(read_bits(h, {8, 8}).low);
    return whole <= h.size() ? whole : plain;
}
unsigned record_sources(header h) {
    return sources(h, record_fixed, read_bits(h, {16, 16}).low);
}
constexpr field_rule record_rules[] = {{.field = "numsrc", .counts = "srcaddrs"},
                                       {.field = "srcaddrs", .width = record_sources}};
constexpr detail::record_kind record_kind{
    .what = "IGMPv3gr(..)",
    .length = record_length,
    .layer = [](header) { return &describe<IGMPv3gr>(); },
    .is_record = [](layer_description const& l) { return &l == &describe<IGMPv3gr>(); }};

/// As many records as the report counts; what is cut short belongs to it.
std::size_t report_length(header h) {
    constexpr std::size_t fixed = 4;
    std::size_t at = fixed;
    for (auto n = read_bits(h, {16, 16}).low; n > 0 && at < h.size(); --n) at += record_length(h.subspan(at));
    return std::max(fixed, std::min(at, h.size()));
}
constexpr field_rule report_rules[] = {{.field = "res2", .hexadecimal = true},
                                       {.field = "numgrp", .counts = "records"}};

void summarize3(layer_view const& v, std::string& out) {
    out += summary_of(v, detail::shown<&IGMPv3::type>(v));
}

// --- matching ----------------------------------------------------------------------------------------

/// The type comes first in all versions.
unsigned type_of(layer_view const& message) {
    return std::to_integer<unsigned>(message.header()[0]);
}

/// What a query asks for, of any version: a group, or all (0.0.0.0).
std::optional<ipv4> queried_group(layer_view const& sent) {
    if (sent.is<IGMP>() && type_of(sent) == query) return sent.get<&IGMP::gaddr>();
    if (auto q = sent.upper(); q.is<IGMPv3mq>()) return q.get<&IGMPv3mq::gaddr>();
    return {};
}

/// Whether one of the records of a report, as far as they are whole, is about this group.
bool has_record_of(layer_view const& report, ipv4 group) {
    constexpr std::size_t report_fixed = 4;
    constexpr bit_range count{16, 16}, address{32, 32};
    auto all = report.header();
    for (auto at = report_fixed, left = read_bits(all, count).low; left > 0 && at < all.size(); --left) {
        auto record = all.subspan(at);
        auto length = record_length(record);
        if (length > record.size()) break;
        if (value_traits<ipv4>::from_wire(read_bits(record, address)) == group) return true;
        at += length;
    }
    return false;
}

match_verdict goes_to(layer_view const& report, ipv4 group) {
    auto to = report.lower().get<&IP::dst>();
    return to == group ? match_verdict::match()
                       : match_verdict::mismatch(fmt::format("igmp report to {}, expected to {}",
                                                             to.to_string(), group.to_string()));
}

/// A report of version 1 or 2 goes to the group that it is of (RFC 2236 §3).
match_verdict report_answers(layer_view const& reply, ipv4 asked) {
    if (!reply.has<&IGMP::gaddr>()) return match_verdict::mismatch("igmp message cut short");
    auto of = reply.get<&IGMP::gaddr>();
    if (!of.is_multicast())
        return match_verdict::mismatch(fmt::format("igmp report of {}, which is no group", of.to_string()));
    if (!asked.is_unspecified() && of != asked)
        return match_verdict::mismatch(
            fmt::format("igmp group {}, expected {}", of.to_string(), asked.to_string()));
    return goes_to(reply, of);
}

/// One of version 3 has its groups in records, and a group of its own to go to (RFC 3376 §4.2.14).
match_verdict report3_answers(layer_view const& reply, ipv4 asked) {
    constexpr std::uint32_t reports = 0xe0000016;
    auto records = reply.upper();
    if (!records.is<IGMPv3mr>()) return match_verdict::mismatch("igmp message cut short");
    if (!asked.is_unspecified() && !has_record_of(records, asked))
        return match_verdict::mismatch(fmt::format("igmp report without a record of {}", asked.to_string()));
    return goes_to(reply, ipv4(reports));
}

/// Reports answer queries, of whichever versions: a general query of any group, another of its own (RFC 2236
/// §3, RFC 3376 §5.2).
match_verdict answers(layer_view const& reply, layer_view const& sent) {
    auto asked = queried_group(sent);
    if (!asked) return match_verdict::mismatch(fmt::format("igmp type {} is no query", type_of(sent)));
    bool const is_igmp = reply.is<IGMP>() || reply.is<IGMPv3>();
    if (!is_igmp || !reply.lower().is<IP>()) return match_verdict::mismatch("igmp report expected");
    switch (auto type = type_of(reply)) {
        case report1:
        case report2: return report_answers(reply, *asked);
        case report3: return report3_answers(reply, *asked);
        default: return match_verdict::mismatch(fmt::format("igmp type {} is no report", type));
    }
}

}  // namespace

layer_description const* detail::igmp_version(header message) {
    return is_version3(message) ? &describe<IGMPv3>() : &describe<IGMP>();
}

void igmp3_records::add(packet const& record) {
    append(detail::built_record(record_kind, record));
}
option_codec const& igmp3_records::codec() {
    static constexpr auto codec = detail::records_codec<record_kind>(1);
    return codec;
}

layer_hooks hooks(IGMP const*) {
    return {.rules = checksum_rules,
            .header_length = length,
            .finish = finish<IGMP>,
            .answers = answers,
            .summarize = summarize};
}
layer_hooks hooks(IGMPv3 const*) {
    return {.rules = checksum_rules, .finish = finish<IGMPv3>, .answers = answers, .summarize = summarize3};
}
layer_hooks hooks(IGMPv3mq const*) {
    return {.rules = query_rules, .header_length = query_length};
}
layer_hooks hooks(IGMPv3gr const*) {
    return {.rules = record_rules, .header_length = record_length};
}
layer_hooks hooks(IGMPv3mr const*) {
    return {.rules = report_rules, .header_length = report_length};
}
layer_hooks hooks(IGMPv3mra const*) {
    return {};
}

}  // namespace sonde::inline v0
