#include <sonde/layers/fragment.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6_ext.hpp>
#include <sonde/layers/raw.hpp>
#include <sonde/packet/escape.hpp>

#include "packet/answer_key.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sonde::inline v0 {
namespace {

using bytes = std::vector<std::byte>;

constexpr std::size_t unit = 8, largest = 0xffff, most_fragments = std::size_t(1) << 20;
constexpr std::size_t fragment_header = 8;

template <class Cut>
std::vector<packet> each_of(packet const& set, Cut const& cut) {
    std::vector<packet> all;
    for (auto const& p : set) {
        for (auto const& v : p.sets())
            throw error(errc::host_not_found,
                        fmt::format("the host name \"{}\" is looked up when a packet is sent: fragments "
                                    "need the address",
                                    escape(v.name)));
        cut(p, all);
        if (all.size() > most_fragments)
            throw error(errc::set_too_large, fmt::format("more than {} fragments", most_fragments));
    }
    return all;
}

template <class L>
layer_view first_layer(packet_view const& p) {
    layer_view v(p, 0);
    while (v && !v.is<L>()) v = v.upper();
    return v;
}

std::uint64_t bit(std::size_t field) {
    return std::uint64_t(1) << field;
}

/// How the payload of a packet is cut, and what each piece gets.
struct pieces {
    std::span<std::byte const> payload;
    std::size_t inner, last;  // bytes of all but the last, and of the last at most

    std::size_t count() const {
        return payload.size() <= last ? 1 : (payload.size() - last + inner - 1) / inner + 1;
    }
    std::span<std::byte const> operator[](std::size_t i) const {
        return i + 1 == count() ? payload.subspan(i * inner) : payload.subspan(i * inner, inner);
    }
};

void check_end(std::size_t offset, pieces const& p) {
    if (offset * unit + p.payload.size() > largest)
        throw error(errc::value_out_of_range, fmt::format("fragments up to byte {}, at most {}",
                                                          offset * unit + p.payload.size(), largest));
}

/// Layers below the payload, then a piece of it.
packet assemble(std::span<std::byte const> headers, std::span<layer_span const> layers,
                std::span<std::byte const> piece) {
    bytes all(headers.begin(), headers.end());
    all.insert(all.end(), piece.begin(), piece.end());
    std::vector<layer_span> spans(layers.begin(), layers.end());
    if (!piece.empty())
        spans.push_back({&describe<Raw>(), static_cast<std::uint32_t>(headers.size()),
                         static_cast<std::uint32_t>(all.size())});
    return packet::from_parts(std::move(all), std::move(spans));
}

template <auto Member>
void write(std::span<std::byte> header, std::uint64_t value) {
    using L = decltype(detail::layer_of_member(Member));
    write_bits(header, locate(describe<L>(), field_index<Member>, header), {0, value});
}

/// A packet's headers up to the one that tells of fragments, and the payload.
struct parts {
    bytes all;
    std::vector<layer_span> layers;
    std::size_t begin, end;  // of the payload

    parts(packet const& p, layer_view const& last)
        : all(p.build()),
          layers(p.layers().begin(), p.layers().begin() + static_cast<std::ptrdiff_t>(last.index()) + 1),
          begin(last.span().end),
          end(begin + last.payload().size()) {}

    std::span<std::byte> header(std::size_t layer) {
        return std::span(all).subspan(layers[layer].begin, layers[layer].size());
    }
    std::span<std::byte const> headers() const { return std::span(all).first(begin); }
    std::span<std::byte const> payload() const { return std::span(all).subspan(begin, end - begin); }
};

/// Nothing if it is all the same to the payload where the packet comes from; else the layer that counts it
/// in.
template <auto Source>
layer_view counts_source(packet const& p, layer_view const& ip) {
    bytes all(p.view().bytes.begin(), p.view().bytes.end());
    std::vector<layer_span> layers(p.layers().begin(), p.layers().end());
    layers[ip.index()].automatic &= ~bit(field_index<Source>);
    write<Source>(std::span(all).subspan(ip.span().begin, ip.span().size()), 1);
    auto const here = p.build(), elsewhere = packet::from_parts(std::move(all), std::move(layers)).build();
    auto differs = [&](layer_span const& s) {
        return !std::equal(here.begin() + s.begin, here.begin() + s.end, elsewhere.begin() + s.begin);
    };
    auto v = ip.upper();
    while (v && !differs(v.span())) v = v.upper();
    return v;
}

/// A checksum in the payload is computed here, once for all fragments: not without the source, which sending
/// fills in where it is automatic. What building knows of itself (that of a loopback address) is known here.
template <auto Source>
void check_source(packet const& p, layer_view const& ip, std::string_view who) {
    if (!(ip.span().automatic & bit(field_index<Source>)) ||
        ip.index() != sonde::detail::network_layer_of(p.view()).index())
        return;
    auto const built = p.build();
    auto const header = std::span(built).subspan(ip.span().begin, ip.span().size());
    auto const source = read_bits(header, locate(ip.description(), field_index<Source>, header));
    if (source.high || source.low) return;
    if (auto layer = counts_source<Source>(p, ip))
        throw error(errc::not_a_single_value,
                    fmt::format("{}: write {}.src: the checksum of {} counts it, and it is not known before "
                                "the packet leaves",
                                who, ip.description().name, layer.description().name));
}

void cut_ip(packet const& p, std::size_t fragsize, std::vector<packet>& all) {
    auto const ip = first_layer<IP>(p.view());
    if (!ip) throw_error(errc::no_such_layer, "fragment needs a packet with IP");
    check_source<&IP::src>(p, ip, "fragment");
    parts whole(p, ip);
    fragsize = std::max(fragsize, unit);
    pieces const cut{whole.payload(), fragsize / unit * unit, fragsize};
    auto& span = whole.layers.back();
    span.automatic &= bit(field_index<&IP::src>) | bit(field_index<&IP::ihl>);
    span.automatic |= bit(field_index<&IP::len>) | bit(field_index<&IP::chksum>);
    auto header = whole.header(whole.layers.size() - 1);
    auto const first = ip.get<&IP::frag>();
    auto const flags = ip.value(field_index<&IP::flags>).low;
    check_end(first, cut);
    constexpr std::uint64_t more_fragments = 1;
    for (std::size_t i = 0, n = cut.count(); i < n; ++i) {
        write<&IP::flags>(header, i + 1 < n ? flags | more_fragments : flags);
        write<&IP::frag>(header, first + i * cut.inner / unit);
        all.push_back(assemble(whole.headers(), whole.layers, cut[i]));
    }
}

/// The last header that routers on the way read (RFC 8200 §4.5).
layer_view last_per_fragment(layer_view v) {
    auto last = v;
    for (v = v.upper(); v.is<IPv6ExtHdrHopByHop>() || v.is<IPv6ExtHdrDestOpt>() ||
                        v.is<IPv6ExtHdrRouting>() || v.is<IPv6ExtHdrSegmentRouting>();
         v = v.upper())
        if (!v.is<IPv6ExtHdrDestOpt>()) last = v;
    return last;
}

/// The packet with a fragment header, which stands where it may.
packet with_fragment_header(packet const& p, layer_view const& ip) {
    constexpr std::byte fragment_protocol{44};
    auto const below = last_per_fragment(ip);
    auto const at = below.span().end;
    auto all = p.build();
    auto next = below.is<IPv6>() ? below.span().begin + 6 : below.span().begin;
    std::byte const header[fragment_header]{all[next]};
    all[next] = fragment_protocol;
    all.insert(all.begin() + at, std::begin(header), std::end(header));
    std::vector<layer_span> layers;
    for (std::size_t i = 0; i < p.layers().size(); ++i) {
        auto span = p.layers()[i];
        if (i == ip.index()) span.automatic |= bit(field_index<&IPv6::plen>);
        if (i > below.index()) span.begin += fragment_header, span.end += fragment_header, span.automatic = 0;
        if (i == below.index()) span.automatic &= ~bit(below.description().find("nh"));
        layers.push_back(span);
        if (i == below.index())
            layers.push_back({&describe<IPv6ExtHdrFragment>(), at, at + std::uint32_t(fragment_header),
                              bit(field_index<&IPv6ExtHdrFragment::id>)});
    }
    return packet::from_parts(std::move(all), std::move(layers));
}

void cut_ipv6(packet const& p, std::size_t fragsize, std::vector<packet>& all) {
    auto const ip = first_layer<IPv6>(p.view());
    if (!ip) throw_error(errc::no_such_layer, "fragment6 needs a packet with IPv6");
    auto const header_view = first_layer<IPv6ExtHdrFragment>(p.view());
    if (header_view && p.build().size() <= fragsize) return all.push_back(p);
    check_source<&IPv6::src>(p, ip, "fragment6");
    if (!header_view) return cut_ipv6(with_fragment_header(p, ip), fragsize, all);
    parts whole(p, header_view);
    if (fragsize < whole.begin + unit)
        throw error(errc::value_out_of_range,
                    fmt::format("fragments of {} bytes, at least {} with 8 of payload", fragsize,
                                whole.begin + unit));
    auto const last = fragsize - whole.begin;
    pieces const cut{whole.payload(), last / unit * unit, last};
    auto header = whole.header(whole.layers.size() - 1);
    if (header_view.span().automatic & bit(field_index<&IPv6ExtHdrFragment::id>))
        write<&IPv6ExtHdrFragment::id>(header, random_source::from_system().next() & 0xffffffff);
    whole.layers.back().automatic = 0;
    whole.layers[ip.index()].automatic |= bit(field_index<&IPv6::plen>);
    auto const first = header_view.get<&IPv6ExtHdrFragment::offset>();
    auto const more = header_view.get<&IPv6ExtHdrFragment::m>();
    check_end(first, cut);
    for (std::size_t i = 0, n = cut.count(); i < n; ++i) {
        write<&IPv6ExtHdrFragment::m>(header, i + 1 < n ? 1 : more);
        write<&IPv6ExtHdrFragment::offset>(header, first + i * cut.inner / unit);
        all.push_back(assemble(whole.headers(), whole.layers, cut[i]));
    }
}

}  // namespace

std::vector<packet> fragment(packet const& set, std::size_t fragsize) {
    return each_of(set, [&](packet const& p, auto& all) { cut_ip(p, fragsize, all); });
}

std::vector<packet> fragment6(packet const& set, std::size_t fragsize) {
    return each_of(set, [&](packet const& p, auto& all) { cut_ipv6(p, fragsize, all); });
}

}  // namespace sonde::inline v0
