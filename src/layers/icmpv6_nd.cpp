#include <sonde/layers/icmpv6_nd.hpp>
#include <sonde/layers/ipv6.hpp>

#include "../packet/reading.hpp"
#include "icmpv6_message.hpp"
#include "summary.hpp"

#include <fmt/format.h>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;

constexpr field_rule advertisement_rules[] = {{.field = "cksum", .hexadecimal = true},
                                              {.field = "prf", .names = router_preferences::names}};
constexpr field_rule redirect_rules[] = {{.field = "cksum", .hexadecimal = true},
                                         {.field = "res", .hexadecimal = true}};
constexpr field_rule prefix_rules[] = {{.field = "validlifetime", .hexadecimal = true},
                                       {.field = "preferredlifetime", .hexadecimal = true},
                                       {.field = "res2", .hexadecimal = true}};
constexpr field_rule mtu_rules[] = {{.field = "res", .hexadecimal = true}};
constexpr field_rule reserved_rules[] = {{.field = "res", .octets = 6}};
constexpr field_rule redirected_rules[] = {{.field = "res", .octets = 6}, {.field = "len", .cut_to = 8}};
constexpr field_rule route_rules[] = {{.field = "prf", .names = router_preferences::names}};

match_verdict solicitation_answers(layer_view const& reply, layer_view const&) {
    if (!reply.is<ICMPv6ND_RA>()) return match_verdict::mismatch("router advertisement expected");
    if (!reply.has<&ICMPv6ND_RA::retranstimer>()) return match_verdict::mismatch("icmpv6 header cut short");
    if (auto ip = reply.lower(); ip.is<IPv6>() && !ip.get<&IPv6::src>().is_link_local())
        return match_verdict::mismatch(
            fmt::format("nd router {} is no link-local address", ip.get<&IPv6::src>().to_string()));
    return detail::nd_validity(reply);
}
void router_key(layer_view const&, key_builder& k) {
    k.add(133);
}

template <class Option>
void finish_option(build_step& step) {
    step.fill<&Option::len>((step.header().size() + 7) / 8);
}

/// An option of one size only: another length is not this layer.
template <std::size_t Size>
std::size_t length_of(header bytes) {
    return detail::nd_option_length(bytes) == Size ? Size : 0;
}

template <std::size_t Size>
layer_hooks option(std::string_view title, std::span<field_rule const> rules = {}) {
    return {.title = title, .rules = rules, .header_length = length_of<Size>};
}
template <class Option>
layer_hooks list_option(std::string_view title, std::span<field_rule const> rules = {}) {
    return {.title = title,
            .rules = rules,
            .header_length = detail::nd_option_length,
            .finish = finish_option<Option>};
}

std::string encoded_prefix(ipv6 const& prefix) {
    std::array<std::byte, 16> bytes{};
    write_bits(bytes, {0, 128}, value_traits<ipv6>::to_wire(prefix));
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

literal print_prefix(header bytes, header) {
    if (bytes.size() > 16 || bytes.size() % 8 != 0)
        return literal::bytes{{reinterpret_cast<char const*>(bytes.data()), bytes.size()}};
    std::array<std::byte, 16> whole{};
    std::copy(bytes.begin(), bytes.end(), whole.begin());
    return value_traits<ipv6>::from_wire(read_bits(whole, {0, 128})).to_string();
}

/// As much of it as an explicit `len` leaves.
std::size_t prefix_octets(literal::call const* of) {
    constexpr std::size_t whole = 16;
    if (of)
        for (auto const& [name, value] : of->keywords)
            if (auto const* units = value.as<std::uint64_t>();
                name == "len" && units && *units > 0 && *units < 3)
                return 8 * (*units - 1);
    return whole;
}

std::string read_prefix(literal const& value, literal::call const* of) {
    auto const& items = value.as<literal::list>()->items;
    if (items.size() == 1 && items[0].as<literal::bytes>()) return items[0].as<literal::bytes>()->value;
    auto const* text = items.size() == 1 ? items[0].as<std::string>() : nullptr;
    auto address = text ? ipv6::parse(*text) : std::nullopt;
    if (!address) detail::fail(errc::bad_text, value, "a route prefix is an IPv6 address");
    return encoded_prefix(*address).substr(0, prefix_octets(of));
}

/// The option's name and its list: "… example.com., example.org."
template <class Option, auto List>
void summarize_list(layer_view const& v, std::string& out) {
    out += v.description().title();
    literal const value = value_of(v, field_index<List>);
    auto separator = " ";
    for (auto const& item : value.template as<literal::list>()->items) {
        auto const* text = item.template as<std::string>();
        out += separator + (text ? *text : to_python(item));
        separator = ", ";
    }
}

}  // namespace

route_prefix::route_prefix(ipv6 const& prefix) {
    append(encoded_prefix(prefix));
}

option_codec const& route_prefix::codec() {
    static constexpr option_codec codec{
        .print = print_prefix, .read = read_prefix, .text = true, .multiple_of = 8};
    return codec;
}

layer_hooks hooks(ICMPv6ND_RS const*) {
    auto h = detail::icmpv6_message<ICMPv6ND_RS>("ICMPv6 Neighbor Discovery - Router Solicitation");
    h.answers = solicitation_answers, h.key = router_key;
    return h;
}
layer_hooks hooks(ICMPv6ND_RA const*) {
    auto h = detail::icmpv6_message<ICMPv6ND_RA>("ICMPv6 Neighbor Discovery - Router Advertisement",
                                                 advertisement_rules);
    h.key = router_key;
    h.summarize = [](layer_view const& v, std::string& out) {
        out += fmt::format("{} Lifetime {} Hop Limit {} Preference {} Managed {} Other {} Home {}",
                           v.description().title(), detail::shown<&ICMPv6ND_RA::routerlifetime>(v),
                           detail::shown<&ICMPv6ND_RA::chlim>(v), detail::shown<&ICMPv6ND_RA::prf>(v),
                           detail::shown<&ICMPv6ND_RA::M>(v), detail::shown<&ICMPv6ND_RA::O>(v),
                           detail::shown<&ICMPv6ND_RA::H>(v));
    };
    return h;
}
layer_hooks hooks(ICMPv6ND_Redirect const*) {
    return detail::icmpv6_message<ICMPv6ND_Redirect>("ICMPv6 Neighbor Discovery - Redirect", redirect_rules);
}
layer_hooks hooks(ICMPv6NDOptPrefixInfo const*) {
    auto h = option<32>("ICMPv6 Neighbor Discovery Option - Prefix Information", prefix_rules);
    h.summarize = [](layer_view const& v, std::string& out) {
        out += fmt::format(
            "{} {}/{} On-link {} Autonomous Address {} Router Address {}", v.description().title(),
            detail::shown<&ICMPv6NDOptPrefixInfo::prefix>(v),
            detail::shown<&ICMPv6NDOptPrefixInfo::prefixlen>(v), detail::shown<&ICMPv6NDOptPrefixInfo::L>(v),
            detail::shown<&ICMPv6NDOptPrefixInfo::A>(v), detail::shown<&ICMPv6NDOptPrefixInfo::R>(v));
    };
    return h;
}
layer_hooks hooks(ICMPv6NDOptRedirectedHdr const*) {
    return list_option<ICMPv6NDOptRedirectedHdr>("ICMPv6 Neighbor Discovery Option - Redirected Header",
                                                 redirected_rules);
}
layer_hooks hooks(ICMPv6NDOptMTU const*) {
    auto h = option<8>("ICMPv6 Neighbor Discovery Option - MTU", mtu_rules);
    h.summarize = [](layer_view const& v, std::string& out) {
        out += fmt::format("{} {}", v.description().title(), detail::shown<&ICMPv6NDOptMTU::mtu>(v));
    };
    return h;
}
layer_hooks hooks(ICMPv6NDOptShortcutLimit const*) {
    return option<8>("ICMPv6 Neighbor Discovery Option - NBMA Shortcut Limit");
}
layer_hooks hooks(ICMPv6NDOptAdvInterval const*) {
    auto h = option<8>("ICMPv6 Neighbor Discovery - Interval Advertisement");
    h.summarize = [](layer_view const& v, std::string& out) {
        out += fmt::format("{} {} milliseconds", v.description().title(),
                           detail::shown<&ICMPv6NDOptAdvInterval::advint>(v));
    };
    return h;
}
layer_hooks hooks(ICMPv6NDOptHAInfo const*) {
    auto h = option<8>("ICMPv6 Neighbor Discovery - Home Agent Information");
    h.summarize = [](layer_view const& v, std::string& out) {
        out += fmt::format("{} {} {} seconds", v.description().title(),
                           detail::shown<&ICMPv6NDOptHAInfo::pref>(v),
                           detail::shown<&ICMPv6NDOptHAInfo::lifetime>(v));
    };
    return h;
}
layer_hooks hooks(ICMPv6NDOptSrcAddrList const*) {
    return list_option<ICMPv6NDOptSrcAddrList>(
        "ICMPv6 Inverse Neighbor Discovery Option - Source Address List", reserved_rules);
}
layer_hooks hooks(ICMPv6NDOptTgtAddrList const*) {
    return list_option<ICMPv6NDOptTgtAddrList>(
        "ICMPv6 Inverse Neighbor Discovery Option - Target Address List", reserved_rules);
}
layer_hooks hooks(ICMPv6NDOptRouteInfo const*) {
    auto h = list_option<ICMPv6NDOptRouteInfo>("ICMPv6 Neighbor Discovery Option - Route Information Option",
                                               route_rules);
    h.summarize = [](layer_view const& v, std::string& out) {
        out += fmt::format("{} {}/{} Preference {}", v.description().title(),
                           detail::shown<&ICMPv6NDOptRouteInfo::prefix>(v),
                           detail::shown<&ICMPv6NDOptRouteInfo::plen>(v),
                           detail::shown<&ICMPv6NDOptRouteInfo::prf>(v));
    };
    return h;
}
layer_hooks hooks(ICMPv6NDOptRDNSS const*) {
    auto h = list_option<ICMPv6NDOptRDNSS>("ICMPv6 Neighbor Discovery Option - Recursive DNS Server Option");
    h.summarize = summarize_list<ICMPv6NDOptRDNSS, &ICMPv6NDOptRDNSS::dns>;
    return h;
}
layer_hooks hooks(ICMPv6NDOptEFA const*) {
    return option<8>("ICMPv6 Neighbor Discovery Option - Expanded Flags Option");
}
layer_hooks hooks(ICMPv6NDOptDNSSL const*) {
    auto h = list_option<ICMPv6NDOptDNSSL>("ICMPv6 Neighbor Discovery Option - DNS Search List Option");
    h.summarize = summarize_list<ICMPv6NDOptDNSSL, &ICMPv6NDOptDNSSL::searchlist>;
    return h;
}

}  // namespace sonde::inline v0
