#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/mld.hpp>

#include "icmpv6_message.hpp"
#include "ipv6_chain.hpp"
#include "record_list.hpp"

#include <fmt/format.h>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;

std::size_t number16(header h, std::size_t at) {
    return at + 1 < h.size()
               ? std::to_integer<std::size_t>(h[at]) << 8 | std::to_integer<std::size_t>(h[at + 1])
               : 0;
}
/// `units` of `size` bytes, in bits, as far as they are there behind `from`.
unsigned extent(header h, std::size_t from, std::size_t octets) {
    return static_cast<unsigned>(8 * std::min(octets, h.size() > from ? h.size() - from : 0));
}

unsigned query_sources(header h) {
    return extent(h, 28, 16 * number16(h, 26));
}
constexpr field_rule query2_rules[] = {{.field = "cksum", .hexadecimal = true},
                                       {.field = "sources_number", .counts = "sources"},
                                       {.field = "sources", .width = query_sources}};
std::size_t query2_length(header h) {
    return 28 + 16 * number16(h, 26);
}

constexpr std::size_t record_fixed = 20;
constexpr std::size_t word = 4;
/// Auxiliary data are counted in words of 4 bytes (RFC 3810 §5.2.6; Scapy counts bytes).
std::size_t record_length(header h) {
    if (h.size() < record_fixed) return 0;
    return record_fixed + 16 * number16(h, 2) + word * std::to_integer<std::size_t>(h[1]);
}
unsigned record_sources(header h) {
    return extent(h, record_fixed, 16 * number16(h, 2));
}
constexpr field_rule record_rules[] = {{.field = "sources_number", .counts = "sources"},
                                       {.field = "sources", .width = record_sources}};

void finish_record(build_step& step) {
    auto sources = 16 * number16(step.header(), 2);
    auto before = record_fixed + sources, all = step.header().size();
    step.fill<&ICMPv6MLDMultAddrRec::auxdata_len>(all > before ? (all - before) / word : 0);
}

constexpr detail::record_kind record_kind{
    .what = "ICMPv6MLDMultAddrRec(..)",
    .length = record_length,
    .layer = [](header) { return &describe<ICMPv6MLDMultAddrRec>(); },
    .is_record = [](layer_description const& l) { return &l == &describe<ICMPv6MLDMultAddrRec>(); }};

constexpr field_rule report2_rules[] = {{.field = "cksum", .hexadecimal = true},
                                        {.field = "records_number", .counts = "records"}};

// --- matching ----------------------------------------------------------------------------------------

/// Whether one of the records of a report, as far as they are whole, is about this group.
bool has_record_of(layer_view const& report, ipv6 const& group) {
    constexpr std::size_t report_fixed = 8;
    constexpr bit_range address{32, 128};
    auto all = report.header();
    for (auto at = report_fixed, left = number16(all, 6); left > 0 && at < all.size(); --left) {
        auto record = all.subspan(at);
        auto length = record_length(record);
        if (length == 0 || length > record.size()) break;
        if (value_traits<ipv6>::from_wire(read_bits(record, address)) == group) return true;
        at += length;
    }
    return false;
}

/// What makes a report invalid: it has passed a router (RFC 2710 §3, RFC 3810 §5), or its sender has an
/// address of another link (RFC 3810 §5.2.13).
match_verdict report_validity(layer_view const& report) {
    auto ip = detail::below_extensions(report.lower());
    if (!ip.is<IPv6>()) return match_verdict::match();
    if (unsigned hops = ip.get<&IPv6::hlim>(); hops != 1)
        return match_verdict::mismatch(fmt::format("mld hop limit {}, expected 1", hops));
    if (auto from = ip.get<&IPv6::src>(); !from.is_link_local() && !from.is_unspecified())
        return match_verdict::mismatch(
            fmt::format("mld listener {} is no link-local address", from.to_string()));
    return match_verdict::match();
}

/// RFC 2710 §4, RFC 3810 §6.2: a general query is answered for any address, another for its own.
match_verdict query_answers(layer_view const& reply, layer_view const& sent) {
    auto asked = sent.get<&ICMPv6MLQuery::mladdr>();
    if (reply.is<ICMPv6MLReport2>()) {
        if (asked == ipv6() || has_record_of(reply, asked)) return report_validity(reply);
        return match_verdict::mismatch(fmt::format("mld report without a record of {}", asked.to_string()));
    }
    if (!reply.is<ICMPv6MLReport>()) return match_verdict::mismatch("multicast listener report expected");
    if (!reply.has<&ICMPv6MLReport::mladdr>()) return match_verdict::mismatch("icmpv6 header cut short");
    if (auto got = reply.get<&ICMPv6MLReport::mladdr>(); asked != ipv6() && got != asked)
        return match_verdict::mismatch(
            fmt::format("mld address {}, expected {}", got.to_string(), asked.to_string()));
    return report_validity(reply);
}
void listener_key(layer_view const&, key_builder& k) {
    k.add(130);
}

template <class Message>
layer_hooks message(std::string_view title) {
    auto h = detail::icmpv6_message<Message>(title);
    h.key = listener_key;
    return h;
}

}  // namespace

void mld_records::add(packet const& record) {
    append(detail::built_record(record_kind, record));
}

option_codec const& mld_records::codec() {
    static constexpr auto codec = detail::records_codec<record_kind>(1);
    return codec;
}

layer_hooks hooks(ICMPv6MLQuery const*) {
    auto h = message<ICMPv6MLQuery>("MLD - Multicast Listener Query");
    h.answers = query_answers;
    return h;
}
layer_hooks hooks(ICMPv6MLReport const*) {
    return message<ICMPv6MLReport>("MLD - Multicast Listener Report");
}
layer_hooks hooks(ICMPv6MLDone const*) {
    return message<ICMPv6MLDone>("MLD - Multicast Listener Done");
}
layer_hooks hooks(ICMPv6MLQuery2 const*) {
    auto h = detail::icmpv6_message<ICMPv6MLQuery2>("MLDv2 - Multicast Listener Query", query2_rules);
    h.header_length = query2_length, h.answers = query_answers, h.key = listener_key;
    return h;
}
layer_hooks hooks(ICMPv6MLDMultAddrRec const*) {
    return {.title = "ICMPv6 MLDv2 - Multicast Address Record",
            .rules = record_rules,
            .multiple_of = word,
            .header_length = record_length,
            .finish = finish_record};
}
layer_hooks hooks(ICMPv6MLReport2 const*) {
    auto h = detail::icmpv6_message<ICMPv6MLReport2>("MLDv2 - Multicast Listener Report", report2_rules);
    h.key = listener_key;
    return h;
}

}  // namespace sonde::inline v0
