#include <sonde/layers/igmp.hpp>
#include <sonde/packet/checksum.hpp>

#include "igmp_version.hpp"
#include "record_list.hpp"
#include "summary.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;

constexpr field_rule checksum_rules[] = {{.field = "chksum", .hexadecimal = true}};
constexpr std::size_t size = 8;

bool is_version3(header h) {
    constexpr std::size_t shortest_query3 = 12;
    auto type = read_bits(h, {0, 8}).low;
    return type == 0x22 || (type >= 0x30 && type <= 0x32) || (type == 0x11 && h.size() >= shortest_query3);
}

std::size_t length(header h) {
    auto type = read_bits(h, {0, 8}).low;
    return type == 0x11 || type == 0x12 || type == 0x16 || type == 0x17 ? size : 0;
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
    return {.rules = checksum_rules, .header_length = length, .finish = finish<IGMP>, .summarize = summarize};
}
layer_hooks hooks(IGMPv3 const*) {
    return {.rules = checksum_rules, .finish = finish<IGMPv3>, .summarize = summarize3};
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
