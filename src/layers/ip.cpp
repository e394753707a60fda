#include <sonde/layers/icmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/packet/checksum.hpp>

#include "igmp_version.hpp"
#include "summary.hpp"
#include "transport.hpp"

#include <fmt/format.h>

namespace sonde::inline v0 {
namespace {

// clang-format off
/// Scapy takes its names from /etc/protocols: these are Debian 12's (netbase 6.4), every one that the field
/// can hold.
constexpr value_name protocol_names[] = {
    {0, "hopopt"}, {1, "icmp"}, {2, "igmp"}, {3, "ggp"}, {4, "ipencap"}, {5, "st"}, {6, "tcp"}, {8, "egp"},
    {9, "igp"}, {12, "pup"}, {17, "udp"}, {20, "hmp"}, {22, "xns_idp"}, {27, "rdp"}, {29, "iso_tp4"},
    {33, "dccp"}, {36, "xtp"}, {37, "ddp"}, {38, "idpr_cmtp"}, {41, "ipv6"}, {43, "ipv6_route"},
    {44, "ipv6_frag"}, {45, "idrp"}, {46, "rsvp"}, {47, "gre"}, {50, "esp"}, {51, "ah"}, {57, "skip"},
    {58, "ipv6_icmp"}, {59, "ipv6_nonxt"}, {60, "ipv6_opts"}, {73, "rspf"}, {81, "vmtp"}, {88, "eigrp"},
    {89, "ospf"}, {93, "ax_25"}, {94, "ipip"}, {97, "etherip"}, {98, "encap"}, {103, "pim"},
    {108, "ipcomp"}, {112, "vrrp"}, {115, "l2tp"}, {124, "isis"}, {132, "sctp"}, {133, "fc"},
    {135, "mobility_header"}, {136, "udplite"}, {137, "mpls_in_ip"}, {138, "manet"}, {139, "hip"},
    {140, "shim6"}, {141, "wesp"}, {142, "rohc"}, {143, "ethernet"}};
// clang-format on

constexpr unsigned igmp = 2;

constexpr field_rule rules[] = {{.field = "proto", .names = protocol_names},
                                {.field = "tos", .hexadecimal = true},
                                {.field = "id", .identity = identity_part::id},
                                {.field = "chksum", .hexadecimal = true}};

std::size_t header_length(std::span<std::byte const> bytes) {
    return std::max<std::size_t>(20, 4 * (std::to_integer<std::size_t>(bytes[0]) & 15));
}

void prepare(build_step& step) {
    if (step.view().get<&IP::dst>().is_loopback()) step.fill<&IP::src>(0x7f000001);
}

void finish(build_step& step) {
    auto header = step.header().size(), total = header + step.payload().size();
    if (step.is_automatic<&IP::ihl>() && header > 60)
        throw error(errc::header_too_long, fmt::format("IP header of {} bytes, at most 60", header));
    step.fill<&IP::ihl>(header / 4);
    step.fill<&IP::len>(total);
    if (!step.is_automatic<&IP::chksum>()) return;
    step.fill<&IP::chksum>(0);
    internet_checksum sum;
    sum.add(step.header());
    step.fill<&IP::chksum>(sum.finish());
}

checksum_rule checksum(layer_view const& v) {
    auto is_automatic = [&](std::size_t field) { return (v.span().automatic >> field & 1) != 0; };
    if (is_automatic(field_index<&IP::src>)) return {};
    if (!is_automatic(field_index<&IP::chksum>)) return {.sums = checksum_rule::over::nothing};
    return {.sums = checksum_rule::over::header, .field = field_index<&IP::chksum>};
}

void follow(dissect_step& step) {
    auto header = step.view.header().size(), total = std::size_t(step.view.get<&IP::len>());
    if (total >= header)
        step.limit = total - header;  // less: as offloads leave it; the frame tells the length
    if (step.view.get<&IP::frag>() != 0) step.next = nullptr;
    if (step.next == &describe<IGMP>())
        step.next = detail::igmp_version(step.rest.first(std::min(step.limit, step.rest.size())));
}

/// Answers that do not go to who asked: a client without an address hears them by broadcast, or at the
/// address that it is given (RFC 2131 §4.1); who asks a group of multicast DNS hears them in the group (RFC
/// 6762 §6); routers that were solicited may advertise to all hosts (RFC 1256 §4.3); what members report goes
/// to groups (RFC 2236 §3, RFC 3376 §4.2.14).
bool goes_elsewhere(layer_view const& reply, layer_view const& sent) {
    constexpr std::uint32_t all_hosts = 0xe0000001;
    if (sent.get<&IP::proto>() == igmp) return reply.get<&IP::dst>().is_multicast();
    auto to = reply.get<&IP::dst>(), group = sent.get<&IP::dst>();
    if (auto icmp = sent.upper(); icmp.is<ICMP>() && icmp.get<&ICMP::type>() == detail::router_solicitation)
        return to.value == all_hosts || to.is_broadcast();
    if (sent.get<&IP::src>().is_unspecified() && detail::carries_dhcp(sent)) return !to.is_multicast();
    return detail::carries_multicast_dns(sent) && group.is_multicast() && to == group;
}

match_verdict answers(layer_view const& reply, layer_view const& sent) {
    if (auto v = detail::ip_validity(reply); v.value == match_verdict::no) return v;
    if (auto got = reply.get<&IP::dst>(), ours = sent.get<&IP::src>();
        got != ours && !goes_elsewhere(reply, sent))
        return match_verdict::mismatch(
            fmt::format("ip dst {}, expected {}", got.to_string(), ours.to_string()));
    auto target = detail::final_stop(sent);
    if (auto got = reply.get<&IP::src>();
        got != target && !detail::is_answered_by_many(sent, target.is_multicast() || target.is_broadcast()))
        return match_verdict::mismatch(
            fmt::format("ip src {}, expected {}", got.to_string(), target.to_string()));
    if (auto got = reply.get<&IP::proto>(), asked = sent.get<&IP::proto>(); got != asked)
        return match_verdict::mismatch(
            fmt::format("ip proto {}, expected {}", unsigned(got), unsigned(asked)));
    return match_verdict::payload();
}

void key(layer_view const& v, key_builder& k) {
    auto const protocol = v.get<&IP::proto>();
    k.add(std::uint64_t{0x0800} << 8 | protocol);
    if (protocol == igmp) return;
    // An answer to many may come from anyone, and go to a group, to all, or to who asked.
    if (!k.is_any_source()) k.add_ends(v.get<&IP::src>().value, detail::final_stop(v).value);
}

void summarize(layer_view const& v, std::string& out) {
    out += fmt::format("{} > {} {}", detail::shown<&IP::src>(v), detail::shown<&IP::dst>(v),
                       detail::shown<&IP::proto>(v));
    if (auto frag = v.get<&IP::frag>()) out += fmt::format(" frag:{}", frag);
}

/// A total length of 0 is what the kernel leaves of segments that it joined to more than 65535 bytes.
bool is_joined(layer_view const& ip) {
    return ip.get<&IP::len>() == 0 && ip.header().size() + ip.payload().size() > 0xffff;
}

/// A source is one host's (RFC 1122 §3.2.1.3, RFC 1112 §7.2). Who has no address yet is heard with BOOTP, and
/// among the listeners (RFC 3376 §4.2.13).
bool may_send(ipv4 source, layer_view const& ip) {
    if (source.is_multicast() || source.is_broadcast()) return false;
    return !source.is_unspecified() || ip.get<&IP::proto>() == igmp || detail::carries_dhcp(ip);
}

}  // namespace

match_verdict detail::ip_validity(layer_view const& ip) {
    constexpr unsigned fewest_words = 5;
    auto const header = ip.header();
    auto const first = std::to_integer<unsigned>(header[0]);
    if (first >> 4 != 4) return match_verdict::mismatch(fmt::format("ip version {}, expected 4", first >> 4));
    if (auto words = first & 15; words < fewest_words)
        return match_verdict::mismatch(
            fmt::format("ip header length {}, expected {} at least", words, fewest_words));
    if (ip.span().truncated) return match_verdict::mismatch("ip header cut short");
    if (auto total = ip.get<&IP::len>(); total < header.size() && !is_joined(ip))
        return match_verdict::mismatch(fmt::format("ip len {}, expected {} at least", total, header.size()));
    if (auto from = ip.get<&IP::src>(); !may_send(from, ip))
        return match_verdict::mismatch(fmt::format("ip src {} is no host's", from.to_string()));
    return match_verdict::payload();
}

layer_hooks hooks(IP const*) {
    return {.rules = rules,
            .header_length = header_length,
            .prepare = prepare,
            .finish = finish,
            .checksum = checksum,
            .follow = follow,
            .answers = answers,
            .key = key,
            .summarize = summarize};
}

}  // namespace sonde::inline v0
