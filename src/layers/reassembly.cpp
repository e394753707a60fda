#include <sonde/layers/ether.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6_ext.hpp>
#include <sonde/layers/reassembly.hpp>
#include <sonde/packet/checksum.hpp>

#include "ipv6_chain.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <map>

namespace sonde::inline v0 {
namespace {

using byte_span = std::span<std::byte const>;

constexpr std::size_t unit = 8, largest = 0xffff;
/// What a datagram and a piece cost besides their bytes, about.
constexpr std::size_t datagram_cost = 256, piece_cost = 96;

/// Interface, VLANs, source, destination, id, family and protocol.
using datagram_key = std::array<std::uint64_t, 8>;

/// A fragment as it lies in its packet.
struct fragment_view {
    enum kind : std::uint8_t { none, malformed, whole, part };
    kind what = none;
    datagram_key key{};
    std::size_t offset = 0;
    bool more = false;
    byte_span data{};
    layer_view ip{}, extension{};  // the second in IPv6 only
};

std::uint64_t vlans(packet_view const& p, layer_view const& ip) {
    std::uint64_t all = 0;
    for (layer_view v(p, 0); v.index() < ip.index(); v = v.upper()) {
        if (v.is<Dot1Q>()) all = all << 12 | v.get<&Dot1Q::vlan>();
        if (v.is<Dot1AD>()) all = all << 12 | v.get<&Dot1AD::vlan>();
    }
    return all + 1;
}

template <auto Source, auto Destination>
datagram_key key_of(layer_view const& ip, int interface, std::uint64_t id, std::uint64_t protocol) {
    auto source = ip.value(field_index<Source>), destination = ip.value(field_index<Destination>);
    return {static_cast<std::uint64_t>(interface),
            vlans(ip.packet(), ip),
            source.high,
            source.low,
            destination.high,
            destination.low,
            id,
            protocol};
}

/// Whether these bytes can be a part of a datagram whose headers have `headers` bytes that its length counts.
fragment_view::kind kind_of(fragment_view const& f, std::size_t headers) {
    if (f.offset == 0 && !f.more) return fragment_view::whole;
    bool odd = f.more && f.data.size() % unit != 0;
    bool too_long = headers + f.offset + f.data.size() > largest;
    return odd || too_long || f.data.empty() ? fragment_view::malformed : fragment_view::part;
}

fragment_view view_ip(layer_view const& ip, int interface) {
    fragment_view f{.ip = ip};
    constexpr std::uint64_t more_fragments = 1, family = 4 << 8;
    f.offset = unit * ip.get<&IP::frag>();
    f.more = (ip.value(field_index<&IP::flags>).low & more_fragments) != 0;
    if (ip.span().truncated || (f.offset == 0 && !f.more)) return f;
    auto const bytes = ip.packet().bytes.subspan(ip.span().begin);
    auto const header = ip.span().size(), total = std::size_t(ip.get<&IP::len>());
    f.what = fragment_view::malformed;
    if (total < header || total > bytes.size()) return f;
    f.data = bytes.subspan(header, total - header);
    f.key = key_of<&IP::src, &IP::dst>(ip, interface, ip.get<&IP::id>(),
                                       family | std::uint64_t(ip.get<&IP::proto>()));
    f.what = kind_of(f, header);
    return f;
}

fragment_view view_ipv6(layer_view const& ip, int interface) {
    fragment_view f{.ip = ip, .extension = ip.upper()};
    constexpr std::uint64_t family = 6 << 8;  // the protocol may differ between fragments (RFC 8200 §4.5)
    while (detail::is_extension(f.extension) && !f.extension.is<IPv6ExtHdrFragment>())
        f.extension = f.extension.upper();
    if (!f.extension.is<IPv6ExtHdrFragment>() || f.extension.span().truncated) return f;
    f.offset = unit * f.extension.get<&IPv6ExtHdrFragment::offset>();
    f.more = f.extension.get<&IPv6ExtHdrFragment::m>() != 0;
    auto const bytes = ip.packet().bytes;
    auto const begin = std::size_t(f.extension.span().end),
               end = ip.span().end + std::size_t(ip.get<&IPv6::plen>());
    f.what = fragment_view::malformed;
    if (end < begin || end > bytes.size()) return f;
    f.data = bytes.subspan(begin, end - begin);
    f.key = key_of<&IPv6::src, &IPv6::dst>(ip, interface, f.extension.get<&IPv6ExtHdrFragment::id>(), family);
    f.what = kind_of(f, f.extension.span().begin - ip.span().end);
    return f;
}

fragment_view view_fragment(packet const& p) {
    layer_view v(p.view(), 0);
    while (v && !v.is<IP>() && !v.is<IPv6>()) v = v.upper();
    if (v.is<IP>()) return view_ip(v, p.interface);
    if (v.is<IPv6>()) return view_ipv6(v, p.interface);
    return {};
}

void put16(std::span<std::byte> bytes, std::size_t at, std::size_t value) {
    bytes[at] = static_cast<std::byte>(value >> 8), bytes[at + 1] = static_cast<std::byte>(value);
}

/// The headers of a datagram's first fragment, from the link's on, and what of them the whole one changes.
struct first_headers {
    std::vector<std::byte> bytes{};
    layer_description const* outermost = nullptr;
    std::size_t ip = 0, payload = 0;  // where they begin
    bool v6 = false;

    first_headers() = default;
    explicit first_headers(fragment_view const& f)
        : outermost(f.ip.packet().layers.front().layer),
          ip(f.ip.span().begin),
          payload(f.extension ? f.extension.span().begin : f.ip.span().end),
          v6(f.ip.is<IPv6>()) {
        auto all = f.ip.packet().bytes.first(payload);
        bytes.assign(all.begin(), all.end());
        if (v6) {
            auto below = f.extension.lower();
            bytes[below.is<IPv6>() ? ip + 6 : below.span().begin] = f.extension.header()[0];
        }
    }

    void set_length(std::size_t of_payload) {
        auto header = std::span(bytes).subspan(ip);
        if (v6) return put16(header, 4, payload - ip - 40 + of_payload);
        put16(header, 2, header.size() + of_payload);
        header[6] &= std::byte(0xc0);  // of the flags all but MF stay; the offset is 0
        header[7] = std::byte(0);
        put16(header, 10, 0);
        internet_checksum sum;
        sum.add(header);
        put16(header, 10, sum.finish());
    }
};

struct datagram {
    datagram_key key{};
    std::chrono::nanoseconds began{};
    std::map<std::size_t, std::vector<std::byte>> pieces{};  // by offset
    std::size_t have = 0;                                    // bytes of payload
    std::size_t total = 0;                                   // the same when complete; 0: not known yet
    first_headers headers{};
    std::size_t cost = datagram_cost;
    bool rejected = false;

    bool is_duplicate(fragment_view const& f) const {
        auto same = pieces.find(f.offset);
        return same != pieces.end() && std::ranges::equal(same->second, f.data) &&
               f.more == (f.offset + f.data.size() != total);
    }
    bool contradicts(fragment_view const& f) const {
        auto const end = f.offset + f.data.size();
        auto const next = pieces.lower_bound(f.offset);
        if (next != pieces.end() && next->first < end) return true;
        if (next != pieces.begin()) {
            auto const& [offset, data] = *std::prev(next);
            if (offset + data.size() > f.offset) return true;
        }
        if (f.more) return total != 0 && end >= total;
        return total != 0 || next != pieces.end();
    }
    void add(fragment_view const& f) {
        if (f.offset == 0) {
            headers = first_headers(f);
            cost += headers.bytes.size();
        }
        if (!f.more) total = f.offset + f.data.size();
        have += f.data.size();
        cost += piece_cost + f.data.size();
        pieces.emplace(f.offset, std::vector(f.data.begin(), f.data.end()));
    }
    bool is_complete() const { return total != 0 && have == total; }
    /// Only the key stays, so that what still comes is dropped as well.
    void reject() {
        auto const known = key;
        auto const since = began;
        *this = {.key = known, .began = since, .rejected = true};
    }
};

/// The whole datagram, as if it had come so.
packet whole_packet(first_headers headers, std::map<std::size_t, std::vector<std::byte>> const& pieces,
                    std::size_t total, packet const& last) {
    headers.set_length(total);
    auto& bytes = headers.bytes;
    bytes.reserve(bytes.size() + total);
    for (auto const& [offset, data] : pieces) bytes.insert(bytes.end(), data.begin(), data.end());
    auto p = detail::dissect_as(bytes, *headers.outermost);
    p.time = last.time, p.interface = last.interface;
    return p;
}

}  // namespace

/// The datagrams that wait, the oldest first.
class reassembler::table {
public:
    explicit table(reassembly_limits const& limits) : limits_(limits) {}

    std::optional<packet> add(packet&& p, std::chrono::nanoseconds now) {
        expire(now);
        auto const f = view_fragment(p);
        if (f.what == fragment_view::none) return std::move(p);
        ++counters.fragments;
        switch (f.what) {
            case fragment_view::malformed: ++counters.malformed; return {};
            case fragment_view::whole:
                ++counters.reassembled;
                return whole_packet(first_headers(f), {{0, {f.data.begin(), f.data.end()}}}, f.data.size(),
                                    p);
            default: return add_part(p, f, now);
        }
    }

    void expire(std::chrono::nanoseconds now) {
        while (!by_age_.empty() && now - by_age_.front().began >= limits_.age) drop_oldest(counters.expired);
    }

    std::size_t size() const { return by_age_.size(); }
    std::size_t bytes() const { return bytes_; }

    reassembly_counters counters;

private:
    std::optional<packet> add_part(packet const& p, fragment_view const& f, std::chrono::nanoseconds now) {
        auto& d = datagram_of(f.key, now);
        if (d.rejected) return {};
        if (d.is_duplicate(f)) return ++counters.duplicates, std::nullopt;
        auto const before = d.cost;
        if (d.contradicts(f)) {
            d.reject();
            ++counters.conflicting;
        } else {
            d.add(f);
        }
        bytes_ += d.cost - before;
        if (!d.is_complete()) {
            while (bytes_ > limits_.bytes) drop_oldest(counters.evicted);
            return {};
        }
        ++counters.reassembled;
        auto whole = whole_packet(std::move(d.headers), d.pieces, d.total, p);
        erase(by_key_.find(f.key));
        return whole;
    }

    datagram& datagram_of(datagram_key const& key, std::chrono::nanoseconds now) {
        if (auto found = by_key_.find(key); found != by_key_.end()) return *found->second;
        while (!by_age_.empty() && by_age_.size() >= limits_.datagrams) drop_oldest(counters.evicted);
        by_age_.push_back({.key = key, .began = now});
        by_key_.emplace(key, std::prev(by_age_.end()));
        bytes_ += datagram_cost;
        return by_age_.back();
    }

    void drop_oldest(std::uint64_t& counter) {
        if (!by_age_.front().rejected) ++counter;  // a rejected one is counted
        erase(by_key_.find(by_age_.front().key));
    }

    using index = std::map<datagram_key, std::list<datagram>::iterator>;
    void erase(index::iterator at) {
        bytes_ -= at->second->cost;
        by_age_.erase(at->second);
        by_key_.erase(at);
    }

    reassembly_limits limits_;
    std::list<datagram> by_age_;
    index by_key_;
    std::size_t bytes_ = 0;
};

reassembler::reassembler(reassembly_limits const& limits) : table_(std::make_unique<table>(limits)) {}
reassembler::~reassembler() = default;
reassembler::reassembler(reassembler&&) noexcept = default;
reassembler& reassembler::operator=(reassembler&&) noexcept = default;

std::optional<packet> reassembler::add(packet p, std::chrono::nanoseconds now) {
    return table_->add(std::move(p), now);
}
void reassembler::expire(std::chrono::nanoseconds now) {
    table_->expire(now);
}
std::size_t reassembler::datagrams() const {
    return table_->size();
}
std::size_t reassembler::bytes() const {
    return table_->bytes();
}
reassembly_counters const& reassembler::counters() const {
    return table_->counters;
}

}  // namespace sonde::inline v0
