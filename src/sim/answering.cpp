#include "sim/answering.hpp"

#include <sonde/layers/arp.hpp>
#include <sonde/layers/dns.hpp>
#include <sonde/layers/ether.hpp>
#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/match.hpp>

#include <algorithm>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t ethernet_header = 14;
constexpr unsigned fin = 1, syn = 2, rst = 4, ack = 16;
constexpr std::uint8_t unreachable_v4 = 3, exceeded_v4 = 11;
constexpr std::uint8_t unreachable_v6 = 1, too_big_v6 = 2, exceeded_v6 = 3;
constexpr std::uint8_t protocol_unreachable = 2, port_unreachable_v4 = 3, port_unreachable_v6 = 4,
                       fragmentation_needed = 4;

template <class L>
layer_view first(packet const& p) {
    auto view = p.view();
    for (std::size_t i = 0; i < view.layers.size(); ++i)
        if (layer_view v(view, i); v.is<L>() && !v.span().quoted) return v;
    return {};
}

/// A function of a host, to be called: it may replace itself, and all of its host.
template <class R, class... Args>
std::shared_ptr<std::function<R(Args...)>> kept(std::function<R(Args...)>& f) {
    struct shared {
        std::shared_ptr<std::function<R(Args...)>> own;
        R operator()(Args... args) const { return (*own)(args...); }
    };
    if (auto* already = f.template target<shared>()) return already->own;
    auto own = std::make_shared<std::function<R(Args...)>>(std::move(f));
    f = shared{own};
    return own;
}

}  // namespace

answering::answering(world& w, world::place& at, std::span<std::byte const> frame)
    : world_(w), place_(at), frame_(frame) {}

void answering::answer() {
    auto type = std::to_integer<unsigned>(frame_[12]) << 8 | std::to_integer<unsigned>(frame_[13]);
    auto body = frame_.subspan(ethernet_header);
    if (type == 0x0806) {
        received_ = dissect(frame_);
        return answer_arp();
    }
    v6_ = type == 0x86dd;
    received_ = dissect(body, v6_ ? link_type::ipv6 : link_type::ipv4);
    auto ip = layer_view(received_.view(), 0);
    bool readable = v6_ ? ip.is<IPv6>() : ip.is<IP>();
    if (!readable || !checksums_hold(received_.view())) {
        ++place_.behind.damaged;
        return;
    }
    ++place_.behind.received;
    if (v6_)
        asker_ = ip.get<&IPv6::src>(), self_ = ip.get<&IPv6::dst>();
    else
        asker_ = ip.get<&IP::src>(), self_ = ip.get<&IP::dst>();
    bool to_many = (frame_[0] & std::byte(1)) != std::byte(0);
    if (to_many && place_.alone) {
        if (place_.alone->is_v6() != v6_) return;
        self_ = *place_.alone;
    }
    if (!expires() && !is_too_big()) answer_ip();
}

// --- the way

bool answering::expires() {
    auto ip = layer_view(received_.view(), 0);
    unsigned left = v6_ ? ip.get<&IPv6::hlim>() : ip.get<&IP::ttl>();
    auto const& routers = place_.behind.routers;
    if (routers.empty() || left > routers.size()) return false;
    auto const& router = routers[left == 0 ? 0 : left - 1];
    if (!router.is_unspecified() && router.is_v6() == v6_) error(router, exceeded_v4, exceeded_v6, 0);
    return true;
}

bool answering::is_too_big() {
    auto mtu = place_.behind.there.conditions.mtu;
    if (mtu == 0 || received_.view().bytes.size() <= mtu) return false;
    auto ip = layer_view(received_.view(), 0);
    constexpr std::uint64_t dont_fragment = 2;
    if (!v6_ && (ip.value(field_index<&IP::flags>).low & dont_fragment) == 0)
        return false;  // in fragments, which the host puts together
    auto const& routers = place_.behind.routers;
    auto from = !routers.empty() && routers[0].is_v6() == v6_ ? routers[0] : self_;
    error(from, unreachable_v4, too_big_v6, v6_ ? 0 : fragmentation_needed, mtu);
    return true;
}

// --- the host

void answering::answer_ip() {
    if (auto ns = first<ICMPv6ND_NS>(received_)) return answer_solicitation(ns);
    if (behaviour().script && (*kept(behaviour().script))(received_, *this)) return;
    if (auto v = first<TCP>(received_)) return answer_tcp(v);
    if (auto v = first<UDP>(received_)) return answer_udp(v);
    if (auto v = first<ICMP>(received_)) return answer_echo(v);
    if (auto v = first<ICMPv6EchoRequest>(received_)) return answer_echo(v);
    bool other = received_.layers().size() < 2 || layer_view(received_.view(), 1).description().name == "Raw";
    if (other && !v6_ && behaviour().unreachables)
        error(self_, unreachable_v4, unreachable_v6, protocol_unreachable);
}

void answering::answer_arp() {
    auto const& asked = received_.get<ARP>();
    if (asked.op != 1) return;
    auto own = world_.mac_of(asked.pdst.value());
    auto reply = Ether{.dst = asked.hwsrc.value(), .src = own} / ARP{.pdst = asked.psrc.value(),
                                                                     .op = 2,
                                                                     .psrc = asked.pdst.value(),
                                                                     .hwsrc = own,
                                                                     .hwdst = asked.hwsrc.value()};
    place_.behind.back.send(reply.build(), ethernet_header, place_.machine);
}

void answering::answer_solicitation(layer_view const& asked) {
    auto target = asked.get<&ICMPv6ND_NS::tgt>();
    self_ = target;
    auto p = IPv6{.dst = asker_.v6(), .src = target, .hlim = 255} /
             ICMPv6ND_NA{.tgt = target, .R = 0, .S = 1, .O = 1} /
             ICMPv6NDOptDstLLAddr{.lladdr = world_.mac_of(target)};
    put_on_wire(p.build(), 0x86dd, {});
}

void answering::answer_echo(layer_view const& asked) {
    if (!behaviour().echo) return;
    if (asked.is<ICMP>()) {
        constexpr unsigned request = 8;
        if (asked.value(field_index<&ICMP::type>).low != request) return;
        send(back() / ICMP{.type = 0, .id = asked.get<&ICMP::id>(), .seq = asked.get<&ICMP::seq>()} /
             packet(asked.payload()));
    } else {
        auto const& echo = received_.get<ICMPv6EchoRequest>();
        send(back() /
             ICMPv6EchoReply{.id = echo.id.value(), .seq = echo.seq.value(), .data = echo.data.value()});
    }
}

/// RFC 9293 §3.10.7.1 and 3.10.7.2: ports are closed, or listen and keep no connection.
void answering::answer_tcp(layer_view const& s) {
    auto flags = static_cast<unsigned>(s.value(field_index<&TCP::flags>).low);
    if (flags & rst) return;
    auto const& open = behaviour().tcp;
    bool listens = std::ranges::find(open, s.get<&TCP::dport>()) != open.end();
    if (!listens && !behaviour().resets) return;
    TCP reply{.dport = s.get<&TCP::sport>(), .sport = s.get<&TCP::dport>()};
    auto seq = s.get<&TCP::seq>();
    if (flags & ack) {
        reply.flags = "R", reply.seq = s.get<&TCP::ack>(), reply.window = 0;
    } else if (listens && (flags & syn)) {
        reply.flags = "SA", reply.seq = static_cast<std::uint32_t>(world_.random.next()), reply.ack = seq + 1;
        reply.window = 65535, reply.options = {tcp_option::mss(1460)};
    } else if (!listens) {
        auto length = s.payload().size() + ((flags & syn) != 0) + ((flags & fin) != 0);
        reply.flags = "RA", reply.seq = 0u, reply.window = 0;
        reply.ack = seq + static_cast<std::uint32_t>(length);
    } else {
        return;
    }
    send(back() / reply);
}

/// An answer with authority (RFC 1035 §4.1.1), or that there is no such name.
std::optional<packet> answering::answer_dns() const {
    auto const* asked = received_.find<DNS>();
    if (!asked || asked->qr != 0 || asked->qd.empty()) return {};
    auto question = dissect_as(asked->qd.bytes(), describe<DNSQR>());
    auto const& q = question.get<DNSQR>();
    constexpr std::uint64_t alias = 5, any = 255, name_error = 3;
    std::vector<std::byte> found;
    bool known = false;
    for (auto const& [name, record] : behaviour().zone) {
        if (!(q.qname == std::string_view(name))) continue;
        known = true;
        layer_view r(record.view(), 0);
        auto type = r.value(r.description().find("type")).low;
        if (type != q.qtype.value() && type != alias && q.qtype.value() != any) continue;
        auto bytes = record.build();
        found.insert(found.end(), bytes.begin(), bytes.end());
    }
    DNS reply{
        .id = asked->id.value(), .qd = asked->qd, .qr = 1, .aa = 1, .ra = 1, .rcode = known ? 0 : name_error};
    reply.rd = asked->rd.value();
    reply.an.assign(found);
    return packet(reply);
}

void answering::answer_udp(layer_view const& d) {
    auto port = d.get<&UDP::dport>();
    auto& open = behaviour().udp;
    std::optional<packet> says;
    auto found = open.find(port);
    if (found != open.end()) {
        says = (*kept(found->second))(received_);
        if (!says) return;
    } else if (port == 53 && !behaviour().zone.empty()) {
        says = answer_dns();
        if (!says) return;
    }
    if (says)
        send(back() / UDP{.dport = d.get<&UDP::sport>(), .sport = port} / *says);
    else if (behaviour().unreachables)
        error(self_, unreachable_v4, unreachable_v6, v6_ ? port_unreachable_v6 : port_unreachable_v4);
}

// --- what is sent

packet answering::header(ip_address const& from) const {
    auto hops = static_cast<std::uint8_t>(64 - std::min<std::size_t>(place_.behind.routers.size(), 63));
    if (v6_) return IPv6{.dst = asker_.v6(), .src = from.v6(), .hlim = hops};
    return IP{.dst = asker_.v4(), .src = from.v4(), .ttl = hops};
}

packet answering::back() const {
    return header(self_);
}

/// RFC 1122 §3.2.2, RFC 4443 §2.4: not about errors, groups, or fragments but the first. `mtu`: of the link
/// that the packet did not fit.
void answering::error(ip_address const& from, std::uint8_t type_v4, std::uint8_t type_v6, std::uint8_t code,
                      std::uint32_t mtu) {
    auto bytes = received_.view().bytes;
    bool about_error = false;
    for (auto const& span : received_.layers()) about_error |= span.quoted;
    bool to_group = (frame_[0] & std::byte(1)) != std::byte(0);
    bool later_fragment = !v6_ && layer_view(received_.view(), 0).get<&IP::frag>() != 0;
    if (about_error || to_group || later_fragment || !world_.may_send_error(place_)) return;
    auto quote = bytes.first(std::min(bytes.size(), received_.layers()[0].size() + behaviour().quote));
    packet p;
    if (!v6_)
        p = header(from) /
            ICMP{.type = type_v4, .code = code, .nexthopmtu = static_cast<std::uint16_t>(mtu)} /
            packet(quote);
    else if (type_v6 == too_big_v6)
        p = header(from) / ICMPv6PacketTooBig{.mtu = mtu} / packet(quote);
    else if (type_v6 == exceeded_v6)
        p = header(from) / ICMPv6TimeExceeded{.code = code} / packet(quote);
    else
        p = header(from) / ICMPv6DestUnreach{.code = code} / packet(quote);
    send(p);
}

void answering::send(packet const& p, std::chrono::nanoseconds after) {
    bool v6 = !p.layers().empty() && layer_view(p.view(), 0).is<IPv6>();
    put_on_wire(p.build(), v6 ? 0x86dd : 0x0800, after + behaviour().think);
}

void answering::put_on_wire(std::span<std::byte const> body, unsigned type, std::chrono::nanoseconds after) {
    std::vector<std::byte> frame(frame_.begin() + 6, frame_.begin() + 12);  // to where the question came from
    auto from = place_.interface == world::loopback ? mac() : world_.next_hop_mac(self_);
    for (auto o : from.octets) frame.push_back(std::byte(o));
    frame.push_back(std::byte(type >> 8));
    frame.push_back(std::byte(type & 0xff));
    frame.insert(frame.end(), body.begin(), body.end());
    auto& back = place_.behind.back;
    if (after.count() <= 0) return back.send(std::move(frame), ethernet_header, place_.machine);
    world_.clock.at(world_.clock.now() + after,
                    [&back, &home = place_.machine, frame = std::move(frame)]() mutable {
                        back.send(std::move(frame), ethernet_header, home);
                    });
}

}  // namespace sonde::inline v0::detail
