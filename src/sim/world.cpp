#include "sim/world.hpp"

#include "net/outgoing.hpp"
#include "sim/answering.hpp"

#include <sonde/layers/ether.hpp>

#include <algorithm>
#include <array>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t ethernet_header = 14;
constexpr unsigned arp = 0x0806, ip4 = 0x0800, ip6 = 0x86dd;

unsigned octet(std::span<std::byte const> bytes, std::size_t at) {
    return at < bytes.size() ? std::to_integer<unsigned>(bytes[at]) : 0;
}
unsigned type_of(std::span<std::byte const> frame) {
    return octet(frame, 12) << 8 | octet(frame, 13);
}
mac destination_mac(std::span<std::byte const> frame) {
    mac m;
    for (std::size_t i = 0; i < 6; ++i) m.octets[i] = static_cast<std::uint8_t>(octet(frame, i));
    return m;
}

ipv4 read_v4(std::span<std::byte const> bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | octet(bytes, at + i);
    return ipv4(value);
}
ipv6 read_v6(std::span<std::byte const> bytes, std::size_t at) {
    ipv6 a;
    for (std::size_t i = 0; i < 16; ++i) a.octets[i] = static_cast<std::uint8_t>(octet(bytes, at + i));
    return a;
}

/// Where a frame's packet goes to; whom a neighbour discovery question is about.
std::optional<ip_address> target_of(std::span<std::byte const> frame) {
    auto at = ethernet_header;
    switch (type_of(frame)) {
        case arp: return read_v4(frame, at + 24);
        case ip4: return read_v4(frame, at + 16);
        case ip6: {
            constexpr unsigned icmpv6 = 58, solicitation = 135;
            bool asks = octet(frame, at + 6) == icmpv6 && octet(frame, at + 40) == solicitation;
            return read_v6(frame, at + (asks ? 48 : 24));
        }
        default: return {};
    }
}

/// How many routers it may pass.
unsigned hop_limit(std::span<std::byte const> frame) {
    return octet(frame, ethernet_header + (type_of(frame) == ip6 ? 7 : 8));
}

}  // namespace

world::place::place(world& w, host h, path const& p, int behind_interface)
    : owner(w),
      behind(w.clock, std::move(h), p, w.random.next(), w.random.next()),
      interface(behind_interface),
      tokens(behind.behaviour.icmp_burst) {}

world::world(std::uint64_t seed)
    : random(seed),
      links(clock, [this](int i, bool routed, std::span<std::byte const> b) { return send(i, routed, b); }),
      contents_(lab_machine()),
      routes_(contents_),
      machine_(*this, host(), path::both({.delay = {}}), loopback) {
    for (auto const& i : contents_.interfaces) links.add(link_of(i));
    add(ipv4("198.51.100.2"), 32, host(), path());
    add(ipv6("2001:db8:ffff::2"), 128, host(), path());
}

void world::renew_routes() {
    for (auto& i : contents_.interfaces)
        if (auto const* now = links.find(i.index)) i.up = i.running = now->up;
    routes_ = route_table(contents_);
    ++route_generation_;
}

void world::forget_interface(int index) {
    std::erase_if(contents_.interfaces, [&](auto const& i) { return i.index == index; });
    std::erase_if(contents_.routes, [&](auto const& r) { return r.interface == index; });
    renew_routes();
}

// --- addresses

site& world::add(ip_address const& address, unsigned prefix_length, host h, path const& p) {
    auto& made = places_.emplace_back(*this, std::move(h), p, ethernet);
    if (prefix_length == (address.is_v6() ? 128 : 32)) made.alone = address;
    route_entry e;
    e.prefix = address;
    e.prefix_length = static_cast<std::uint8_t>(prefix_length);
    e.interface = static_cast<int>(places_.size() - 1);
    prefixes_.push_back(e);
    prefixes_changed_ = true;
    return made.behind;
}

world::place* world::place_of(ip_address const& a) {
    if (prefixes_changed_) by_prefix_ = prefix_table(prefixes_);
    prefixes_changed_ = false;
    place* found = nullptr;
    by_prefix_.visit(a, [&](std::span<route_entry const> entries, unsigned) {
        for (auto const& e : entries)  // the latest that was added
            if (e.prefix.is_v6() == a.is_v6()) found = &places_[static_cast<std::size_t>(e.interface)];
        return found != nullptr;
    });
    return found;
}

site* world::site_of(ip_address const& address) {
    auto* p = place_of(address);
    return p ? &p->behind : nullptr;
}

bool world::is_on_link(ip_address const& a) const {
    auto way = routes_.lookup(a, ethernet);
    return way && *way && !(*way)->gateway && (*way)->kind == route_kind::unicast;
}

/// 02:00 and an IPv4 address, 02:06 and the end of an IPv6 one.
mac world::mac_of(ip_address const& a) const {
    auto low = static_cast<std::uint32_t>(a.v6().low());
    mac m;
    m.octets = {2, static_cast<std::uint8_t>(a.is_v6() ? 6 : 0)};
    for (std::size_t i = 0; i < 4; ++i) m.octets[2 + i] = static_cast<std::uint8_t>(low >> (24 - 8 * i));
    return m;
}

mac world::next_hop_mac(ip_address const& a) const {
    auto way = routes_.lookup(a, ethernet);
    return mac_of(way && *way ? (*way)->gateway.value_or(a) : a);
}

// --- frames on their way

error_code world::send(int interface, bool routed, std::span<std::byte const> bytes) {
    if (refuse && *refuse)
        if (auto ec = (*refuse)(bytes)) return ec;
    ++counts_.sent;
    if (interface != loopback) {
        if (recording) show(interface, bytes, true);
        auto to = receivers_of(bytes);
        if (to.empty()) ++counts_.nowhere;
        if (to.size() > 1) counts_.copies += to.size() - 1;
        for (auto* p : to) start(*p, bytes);
        return {};
    }
    ++counts_.looped;
    std::vector<std::byte> frame(bytes.begin(), bytes.end());
    if (routed) {
        std::array<std::byte, ethernet_header> header{};
        bool v6 = octet(bytes, 0) >> 4 == 6;
        header[12] = std::byte(v6 ? ip6 >> 8 : ip4 >> 8);
        header[13] = std::byte(v6 ? ip6 & 0xff : ip4 & 0xff);
        frame.insert(frame.begin(), header.begin(), header.end());
    }
    clock.at(clock.now(), [this, routed, frame = std::move(frame)] {
        show(loopback, frame, false);
        if (routed) reached(machine_, frame);  // what a packet socket writes to lo, the stack does not take
    });
    return {};
}

std::vector<world::place*> world::receivers_of(std::span<std::byte const> frame) {
    auto target = target_of(frame);
    if (!target) return {};
    auto to = destination_mac(frame);
    if (target->is_multicast() || *target == ip_address(ipv4(0xffffffff)) ||
        *target == ip_address(ipv4("198.51.100.255")))
        return to.is_group() ? group() : std::vector<place*>();
    auto* p = place_of(*target);
    bool asks = to.is_group();  // ARP and neighbour solicitations, or a packet that was sent to all
    if (!p || (asks ? !is_on_link(*target) : to != next_hop_mac(*target))) return {};
    return {p};
}

/// The hosts of the link: they take what goes to many.
std::vector<world::place*> world::group() {
    std::vector<place*> all;
    for (auto& p : places_)
        if (p.alone && is_on_link(*p.alone)) all.push_back(&p);
    return all;
}

void world::start(place& to, std::span<std::byte const> frame) {
    auto routers = to.behind.routers.size();
    double part = 1;
    if (type_of(frame) != arp && hop_limit(frame) <= routers)
        part = static_cast<double>(hop_limit(frame)) / static_cast<double>(routers + 1);
    to.behind.there.send({frame.begin(), frame.end()}, ethernet_header, to, part);
}

void world::reached(place& at, std::span<std::byte const> frame) {
    answering(*this, at, frame).answer();
}

void world::came_back(place& from, std::vector<std::byte> frame) {
    show(from.interface, frame, false);
    if (from.interface == loopback) reached(machine_, frame);
}

void world::inject(int interface, std::vector<std::byte> frame) {
    ++counts_.injected;
    show(interface, frame, false);
}

void world::show(int interface, std::span<std::byte const> bytes, bool outgoing) {
    frame f{.bytes = bytes,
            .length = static_cast<std::uint32_t>(bytes.size()),
            .time = clock.wall_time(),
            .type = link_type::ethernet,
            .interface = interface,
            .outgoing = outgoing};
    if (recording) trace.emplace_back(f);
    if (outgoing) return;  // the device shows it to the others
    auto const* link = links.find(interface);
    if (!link || !link->up || !links.is_watched(interface))
        ++counts_.unseen;
    else
        links.arrive(f);
}

bool world::may_send_error(place& from) {
    auto const& h = from.behind.behaviour;
    if (h.icmp_rate <= 0) return true;
    auto since = std::chrono::duration<double>(clock.now() - from.filled_at).count();
    from.tokens = std::min(h.icmp_burst, from.tokens + since * h.icmp_rate);
    from.filled_at = clock.now();
    if (from.tokens < 1) return false;
    from.tokens -= 1;
    return true;
}

simulation_counts world::counts() const {
    auto c = counts_;
    for (auto const& p : places_) {
        c.there += p.behind.there.counts();
        c.back += p.behind.back.counts();
    }
    auto const& seen = links.received();
    c.captured = seen.queued, c.queue_drops = seen.dropped, c.filtered = seen.filtered;
    return c;
}

}  // namespace sonde::inline v0::detail
