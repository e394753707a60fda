#include "icmp_extensions.hpp"

#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmp_extensions.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/packet/checksum.hpp>

#include "record_list.hpp"

#include <algorithm>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;

constexpr std::size_t least_quote = 128;  // RFC 4884 §5.1

std::size_t octet(header h, std::size_t at) {
    return at < h.size() ? std::to_integer<std::size_t>(h[at]) : 0;
}
std::size_t number16(header h, std::size_t at) {
    return octet(h, at) << 8 | octet(h, at + 1);
}

// --- the structure -----------------------------------------------------------------------------------

bool is_structure(header h) {
    constexpr std::size_t version = 2;
    return h.size() >= 4 && octet(h, 0) >> 4 == version;
}
bool has_right_checksum(header h) {
    internet_checksum sum;
    sum.add(h);
    return number16(h, 2) != 0 && sum.finish() == 0;
}

void finish_structure(build_step& step) {
    if (!step.is_automatic<&ICMPExtensionHeader::chksum>()) return;
    step.fill<&ICMPExtensionHeader::chksum>(0);
    auto const all = step.view();
    internet_checksum sum;
    sum.add(all.packet().bytes.subspan(all.span().begin, all.span().size() + all.payload().size()));
    step.fill<&ICMPExtensionHeader::chksum>(sum.finish());
}

/// The unit of an error's `length`, in bytes; 0 for layers that carry no extensions.
std::size_t unit_of(layer_view const& v) {
    if (v.is<ICMP>()) {
        auto type = octet(v.header(), 0);
        return type == 3 || type == 11 || type == 12 ? 4 : 0;
    }
    return v.is<ICMPv6DestUnreach>() || v.is<ICMPv6TimeExceeded>() ? 8 : 0;
}

std::size_t padding_before_structure(packet_view const& below) {
    layer_view error(below, 0);
    while (error && unit_of(error) == 0) error = error.upper();
    if (!error) return 0;
    auto unit = unit_of(error), size = below.bytes.size() - error.span().end;
    return (std::max(size, least_quote) + unit - 1) / unit * unit - size;
}

// --- objects -----------------------------------------------------------------------------------------

std::size_t object_length(header h) {
    auto length = number16(h, 0);
    return h.size() >= 4 && length < 4 ? 0 : std::max<std::size_t>(4, length);
}

layer_description const* object_layer(header h) {
    switch (number16(h, 2)) {
        case 0x0101: return &describe<ICMPExtensionMPLS>();
        default:
            return octet(h, 2) == 2 ? &describe<ICMPExtensionInterfaceInformation>()
                                    : &describe<ICMPExtensionObject>();
    }
}

void follow_with_object(dissect_step& step) {
    step.next = object_layer(step.rest);
}

template <class Object>
void finish_object(build_step& step) {
    auto upper = step.view().upper();
    step.fill<&Object::len>(step.header().size() + (upper.is<Raw>() ? upper.span().size() : 0));
}

template <class Object>
layer_hooks object(std::string_view title, std::span<field_rule const> rules = {}) {
    return {.title = title,
            .rules = rules,
            .header_length = object_length,
            .finish = finish_object<Object>,
            .follow = follow_with_object,
            .behind_quote = true};
}

constexpr detail::record_kind label_kind{
    .what = "labels, MPLS(..)",
    .length = [](header) { return std::size_t(4); },
    .layer = [](header) -> layer_description const* { return &describe<MPLS>(); },
    .is_record = [](layer_description const& l) { return &l == &describe<MPLS>(); }};

// --- interface information: its parts follow each other, each if its flag is set ------------------------

constexpr std::size_t has_index = 8, has_address = 4, has_name = 2, has_mtu = 1;
constexpr std::size_t family_ipv4 = 1, family_ipv6 = 2;

template <std::size_t Flag>
bool has_part(header h) {
    return (octet(h, 3) & Flag) != 0;
}
std::size_t address_at(header h) {
    return has_part<has_index>(h) ? 8 : 4;
}
template <std::size_t Family>
bool has_family(header h) {
    return has_part<has_address>(h) && number16(h, address_at(h)) == Family;
}
std::size_t name_at(header h) {
    auto at = address_at(h);
    if (has_part<has_address>(h)) at += 4;
    if (has_family<family_ipv4>(h)) at += 4;
    if (has_family<family_ipv6>(h)) at += 16;
    return at;
}
/// In bits; the length counts itself.
unsigned name_width(header h) {
    auto at = name_at(h), length = octet(h, at);
    return length == 0 ? 0 : static_cast<unsigned>(8 * std::min(length - 1, h.size() - at - 1));
}

constexpr field_rule interface_rules[] = {
    {.field = "ifindex", .present = has_part<has_index>},
    {.field = "afi", .present = has_part<has_address>},
    {.field = "reserved2", .present = has_part<has_address>},
    {.field = "ip4", .present = has_family<family_ipv4>},
    {.field = "ip6", .present = has_family<family_ipv6>},
    {.field = "ifname_len", .present = has_part<has_name>, .counts = "ifname"},
    {.field = "ifname", .present = has_part<has_name>, .width = name_width, .aligned = 4},
    {.field = "mtu", .present = has_part<has_mtu>}};

}  // namespace

void detail::bound_quote(dissect_step& step, std::size_t stated) {
    if (step.view.span().quoted) return;
    auto rest = step.rest.first(std::min(step.rest.size(), step.limit));
    bool usable = stated >= least_quote && stated <= rest.size();
    auto size = usable ? stated : least_quote;
    if (size > rest.size()) return;
    auto behind = rest.subspan(size);
    bool extended = is_structure(behind) && (usable || has_right_checksum(behind));
    if (extended) step.behind = &describe<ICMPExtensionHeader>();
    if (extended || usable) step.limit = size;
}

std::size_t detail::extended_quote_size(layer_view const& error) {
    for (auto v = error.upper(); v; v = v.upper())
        if (v.is<ICMPExtensionHeader>()) return v.span().begin - error.span().end;
    return 0;
}

void mpls_stack::add(packet const& label) {
    append(detail::built_record(label_kind, label));
}

option_codec const& mpls_stack::codec() {
    static constexpr auto codec = detail::records_codec<label_kind>(1);
    return codec;
}

layer_hooks hooks(ICMPExtensionHeader const*) {
    return {.title = "ICMP Extension Header (RFC4884)",
            .finish = finish_structure,
            .follow = follow_with_object,
            .behind_quote = true,
            .padding_before = padding_before_structure};
}
layer_hooks hooks(ICMPExtensionObject const*) {
    return object<ICMPExtensionObject>("ICMP Extension Object");
}
layer_hooks hooks(ICMPExtensionMPLS const*) {
    return object<ICMPExtensionMPLS>("ICMP Extension Object - MPLS (RFC4950)");
}
layer_hooks hooks(ICMPExtensionInterfaceInformation const*) {
    return object<ICMPExtensionInterfaceInformation>(
        "ICMP Extension Object - Interface Information Object (RFC5837)", interface_rules);
}

}  // namespace sonde::inline v0
