#include <sonde/layers/ipv6_ext.hpp>
#include <sonde/layers/mld.hpp>

#include "ipv6_chain.hpp"
#include "record_list.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;

std::size_t octet(header bytes, std::size_t at) {
    return at < bytes.size() ? std::to_integer<std::size_t>(bytes[at]) : 0;
}

// --- options -----------------------------------------------------------------------------------------

constexpr unsigned pad1 = 0, router_alert = 5, jumbo = 0xc2, home_address = 0xc9;

std::size_t option_length(header bytes) {
    return octet(bytes, 0) == pad1 ? 1 : bytes.size() < 2 ? 0 : 2 + octet(bytes, 1);
}

layer_description const* option_layer(header bytes) {
    switch (octet(bytes, 0)) {
        case 0: return &describe<Pad1>();
        case 1: return &describe<PadN>();
        case router_alert: return &describe<RouterAlert>();
        case jumbo: return &describe<Jumbo>();
        case home_address: return &describe<HAO>();
        default: return &describe<HBHOptUnknown>();
    }
}

constexpr detail::record_kind option_kind{
    .what = "IPv6 options (Pad1, PadN, RouterAlert, Jumbo, HAO, HBHOptUnknown)",
    .length = option_length,
    .layer = option_layer,
    .fallback = describe<HBHOptUnknown>,
    .is_record = [](layer_description const& l) {
        return &l == &describe<Pad1>() || &l == &describe<PadN>() || &l == &describe<RouterAlert>() ||
               &l == &describe<Jumbo>() || &l == &describe<HAO>() || &l == &describe<HBHOptUnknown>();
    }};

/// Where an option must begin: at x n + y bytes from the header's first.
struct alignment {
    std::size_t x, y;
};
alignment alignment_of(std::size_t type) {
    switch (type) {
        case router_alert: return {2, 0};  // RFC 2711 §2.1
        case jumbo: return {4, 2};         // RFC 2675 §2
        case home_address: return {8, 6};  // RFC 6275 §6.3
        default: return {1, 0};
    }
}

void pad(std::string& out, std::size_t octets) {
    if (octets == 1) out += '\0';
    if (octets < 2) return;
    out += {'\1', static_cast<char>(octets - 2)};
    out.append(octets - 2, '\0');
}

/// Options lie behind two bytes, are aligned, and end with the header at a multiple of 8.
std::string align(std::string_view entries) {
    constexpr std::size_t before = 2;
    std::string out;
    auto rest = std::as_bytes(std::span(entries));
    while (!rest.empty()) {
        auto length = option_length(rest);
        if (length == 0 || length > rest.size()) length = rest.size();
        auto [x, y] = alignment_of(octet(rest, 0));
        pad(out, (x - (out.size() + before - y) % x) % x);
        out.append(reinterpret_cast<char const*>(rest.data()), length);
        rest = rest.subspan(length);
    }
    pad(out, (8 - (out.size() + before) % 8) % 8);
    return out;
}

template <class Option>
void finish_option(build_step& step) {
    step.fill<&Option::optlen>(step.header().size() - 2);
}

constexpr value_name alerts[] = {{0, "Datagram contains a MLD message"},
                                 {1, "Datagram contains RSVP message"},
                                 {2, "Datagram contains an Active Network message"},
                                 {68, "NSIS NATFW NSLP"},
                                 {69, "MPLS OAM"},
                                 {65535, "Reserved"}};
/// The two highest bits tell what a node does that does not know the option, the third whether routers change
/// it (RFC 8200 §4.2).
std::string show_type(std::string usual, literal const& value, header) {
    constexpr std::string_view actions[] = {"00: skip", "01: discard", "10: discard+ICMP",
                                            "11: discard+ICMP not mcast"};
    auto const* n = value.as<std::uint64_t>();
    if (!n) return usual;
    return fmt::format("{} [{}, {}]", usual, actions[*n >> 6 & 3],
                       *n & 0x20 ? "1: May change en-route" : "0: Don't change en-route");
}

constexpr field_rule alert_rules[] = {{.field = "value", .names = alerts},
                                      {.field = "otype", .show = show_type}};
constexpr field_rule type_rules[] = {{.field = "otype", .show = show_type}};

// --- headers -----------------------------------------------------------------------------------------

constexpr value_name on_off[] = {{0, "Off"}, {1, "On"}};
constexpr field_rule option_rules[] = {{.field = "autopad", .names = on_off, .phantom = true}};

std::size_t header_length(header bytes) {
    return 8 + 8 * octet(bytes, 1);
}

template <class Header>
void finish_length(build_step& step) {
    step.fill<&Header::len>((step.header().size() + 7) / 8 - 1);
}

template <class Header>
layer_hooks options_header(std::string_view title) {
    return {.title = title,
            .rules = option_rules,
            .header_length = header_length,
            .finish = finish_length<Header>,
            .follow = detail::refine_next_header};
}

/// Before any checksum, which depends on the last stop.
void prepare_routing(build_step& step) {
    auto size = step.header().size();
    step.fill<&IPv6ExtHdrRouting::segleft>(size > 8 ? (size - 8) / 16 : 0);
    finish_length<IPv6ExtHdrRouting>(step);
}

/// The addresses of a segment routing header, in bits; their last is numbered.
unsigned segments_width(header h) {
    auto room = h.size() > 8 ? h.size() - 8 : 0;
    return static_cast<unsigned>(8 * std::min(room / 16 * 16, 16 * (octet(h, 4) + 1)));
}
/// Both are the last address's place when the list is made: the header's size does not tell where TLVs begin.
constexpr field_rule segment_rules[] = {{.field = "segleft", .counts = "addresses", .numbers_last = true},
                                        {.field = "lastentry", .counts = "addresses", .numbers_last = true},
                                        {.field = "addresses", .width = segments_width}};

void follow_fragment(dissect_step& step) {
    detail::refine_next_header(step);
    if (step.view.get<&IPv6ExtHdrFragment::offset>() != 0) step.next = nullptr;
}

literal print_tlvs(header bytes, header) {
    literal::list list;
    if (!bytes.empty())
        list.items.emplace_back(literal::bytes{{reinterpret_cast<char const*>(bytes.data()), bytes.size()}});
    return list;
}

}  // namespace

void ipv6_options::add(packet const& option) {
    append(detail::built_record(option_kind, option));
}

option_codec const& ipv6_options::codec() {
    static constexpr auto codec = [] {
        auto c = detail::records_codec<option_kind>(1);
        c.align = align;
        return c;
    }();
    return codec;
}

option_codec const& srh_tlvs::codec() {
    static constexpr option_codec codec{
        .print = print_tlvs,
        .read = [](literal const& list,
                   literal::call const*) { return detail::read_records(option_kind, list); },
        .leads = true,
        .layers = true,
        .multiple_of = 8};
    return codec;
}

layer_hooks hooks(IPv6ExtHdrHopByHop const*) {
    return options_header<IPv6ExtHdrHopByHop>("IPv6 Extension Header - Hop-by-Hop Options Header");
}
layer_hooks hooks(IPv6ExtHdrDestOpt const*) {
    return options_header<IPv6ExtHdrDestOpt>("IPv6 Extension Header - Destination Options Header");
}
layer_hooks hooks(IPv6ExtHdrRouting const*) {
    return {.title = "IPv6 Option Header Routing",
            .header_length = header_length,
            .prepare = prepare_routing,
            .follow = detail::refine_next_header};
}
layer_hooks hooks(IPv6ExtHdrSegmentRouting const*) {
    return {.title = "IPv6 Option Header Segment Routing",
            .rules = segment_rules,
            .header_length = header_length,
            .prepare = finish_length<IPv6ExtHdrSegmentRouting>,
            .follow = detail::refine_next_header};
}
layer_hooks hooks(IPv6ExtHdrFragment const*) {
    return {.title = "IPv6 Extension Header - Fragmentation header", .follow = follow_fragment};
}
layer_hooks hooks(Pad1 const*) {
    return {.rules = type_rules};
}
layer_hooks hooks(PadN const*) {
    return {.rules = type_rules, .finish = finish_option<PadN>};
}
layer_hooks hooks(RouterAlert const*) {
    return {.title = "Router Alert", .rules = alert_rules};
}
layer_hooks hooks(Jumbo const*) {
    return {.title = "Jumbo Payload", .rules = type_rules};
}
layer_hooks hooks(HAO const*) {
    return {.title = "Home Address Option", .rules = type_rules};
}
layer_hooks hooks(HBHOptUnknown const*) {
    return {.title = "Scapy6 Unknown Option", .rules = type_rules, .finish = finish_option<HBHOptUnknown>};
}

// --- the chain ---------------------------------------------------------------------------------------

namespace detail {

bool is_extension(layer_view const& v) {
    return v && v.description().name.starts_with("IPv6ExtHdr");
}

void skip_extensions(layer_view& v) {
    while (is_extension(v)) v.ascend();
}

layer_view above_extensions(layer_view v) {
    skip_extensions(v);
    return v;
}

layer_view below_extensions(layer_view v) {
    while (is_extension(v)) v = v.lower();
    return v;
}

std::uint8_t upper_protocol(layer_view const& v) {
    std::uint8_t next = v.get<&IPv6::nh>();
    for (auto e = v.upper(); is_extension(e); e = e.upper())
        next = static_cast<std::uint8_t>(octet(e.header(), 0));
    return next;
}

bool is_listener_discovery(layer_view const& ip) {
    auto upper = above_extensions(ip.upper());
    return upper && upper.description().name.starts_with("ICMPv6ML");
}

void refine_next_header(dissect_step& step) {
    constexpr std::size_t segment_routing = 4, shortest_query2 = 28;
    if (step.next == &describe<IPv6ExtHdrRouting>() && octet(step.rest, 2) == segment_routing)
        step.next = &describe<IPv6ExtHdrSegmentRouting>();
    if (step.next == &describe<ICMPv6MLQuery>() && std::min(step.rest.size(), step.limit) >= shortest_query2)
        step.next = &describe<ICMPv6MLQuery2>();
}

ipv6 original_source(layer_view const& v) {
    for (auto e = v.upper(); is_extension(e); e = e.upper()) {
        if (!e.is<IPv6ExtHdrDestOpt>()) continue;
        std::size_t length = 0;
        for (std::size_t at = 2; at < e.header().size(); at += length) {
            auto rest = e.header().subspan(at);
            length = option_length(rest);
            if (length == 0 || length > rest.size()) break;
            if (octet(rest, 0) == home_address && length == 18)
                return value_traits<ipv6>::from_wire(read_bits(rest, {16, 128}));
        }
    }
    return v.get<&IPv6::src>();
}

ipv6 final_destination(layer_view const& v) {
    constexpr std::size_t fixed = 8, address = 16, segment_routing = 4;
    for (auto e = v.upper(); is_extension(e); e = e.upper()) {
        auto h = e.header();
        if (!e.is<IPv6ExtHdrSegmentRouting>() && !e.is<IPv6ExtHdrRouting>()) continue;
        if (h.size() < fixed + address || octet(h, 3) == 0) continue;
        bool segments = octet(h, 2) == segment_routing;  // whose list is in the reverse order (RFC 8754 §2)
        auto last = segments ? fixed : fixed + (h.size() - fixed) / address * address - address;
        return value_traits<ipv6>::from_wire(read_bits(h, {static_cast<std::uint32_t>(8 * last), 128}));
    }
    return v.get<&IPv6::dst>();
}

}  // namespace detail
}  // namespace sonde::inline v0
