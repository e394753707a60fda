#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/raw.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/tools/ping.hpp>

#include "answer.hpp"

#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <ranges>

namespace sonde::inline v0::tools {
namespace {

namespace asio = boost::asio;

constexpr std::uint16_t tcp_port = 80, udp_port = 7;
// Payload in a packet of 576 bytes, which every host takes whole (RFC 791 §3.1): answers to more may come in
// fragments.
constexpr std::uint16_t least_fragmented = 500;

/// As ping's: the bytes count up.
std::string payload_of(std::size_t size) {
    std::string payload(size, '\0');
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(i);
    return payload;
}

packet transport(bool v6, ping_options const& o) {
    auto payload = payload_of(o.size);
    if (o.protocol == probe_protocol::tcp)
        return packet(TCP{.dport = o.port ? o.port : tcp_port, .flags = "S"});
    if (o.protocol == probe_protocol::udp) return UDP{.dport = o.port ? o.port : udp_port} / packet(payload);
    return v6 ? packet(ICMPv6EchoRequest{.data = payload}) : ICMP{} / packet(payload);
}

packet probe_of(ip_address const& target, ping_options const& o) {
    auto head = target.is_v6() ? packet(IPv6{.dst = target.v6(), .hlim = o.ttl})
                               : packet(IP{.dst = target.v4(), .ttl = o.ttl});
    return head / transport(target.is_v6(), o);
}

std::vector<ping_target> targets_of(std::vector<ip_address> const& addresses) {
    std::vector<ping_target> targets;
    targets.reserve(addresses.size());
    for (auto const& a : addresses) targets.push_back({.address = a, .rtt = {}});
    return targets;
}

/// Probe number i goes to target i % n: the targets share out each interval.
exchange_stream start(network& net, std::vector<ip_address> const& targets, ping_options const& o) {
    std::vector<packet> probes;
    probes.reserve(targets.size());
    for (auto const& t : targets) {
        auto probe = probe_of(t, o);
        probes.push_back(o.named_by ? o.named_by->named(std::move(probe)) : std::move(probe));
    }
    auto n = static_cast<std::int64_t>(std::max<std::size_t>(targets.size(), 1));
    auto most = std::numeric_limits<std::int64_t>::max() / n;
    auto rounds = o.count > static_cast<std::uint64_t>(most) ? most : static_cast<std::int64_t>(o.count);
    auto all = std::views::iota(std::int64_t(0), targets.empty() ? 0 : rounds * n) |
               std::views::transform([probes = std::move(probes), n](std::int64_t i) {
                   return probes[static_cast<std::size_t>(i % n)];
               });
    return net.sr(std::move(all), {.timeout = o.timeout,
                                   .inter = o.interval / n,
                                   .iface = o.iface,
                                   .reassemble = o.size > least_fragmented,
                                   .unanswered = true});
}

ping_reply reply_of(exchange const& x, ip_address const& asked) {
    ping_reply r{.outcome = x.outcome(), .failure = x.failure};
    if (!x.answered()) return r;
    r.rtt = x.rtt();
    r.received = x.received.time;
    auto source = source_of(x.received);
    r.from = source.from, r.ttl = source.ttl;
    if (auto const* ip = x.received.find<IP>())
        r.bytes = static_cast<std::uint32_t>(ip->len.value() - 4u * ip->ihl.value());
    else if (auto const* v6 = x.received.find<IPv6>())
        r.bytes = v6->plen.value();
    bool closed = r.from == asked && is_port_unreachable(r.outcome, asked.is_v6());
    r.answered = r.outcome.what == probe_outcome::kind::answered || closed;
    return r;
}

}  // namespace

ping::ping(network& net, std::vector<ip_address> targets, ping_options options)
    : targets_(targets_of(targets)), probes_(start(net, targets, options)) {}

asio::awaitable<std::optional<ping_reply>> ping::next() {
    for (;;) {
        auto x = co_await probes_.next(asio::use_awaitable);
        if (!x) co_return std::nullopt;
        auto number = static_cast<std::size_t>(x->index % targets_.size());
        auto& t = targets_[number];
        auto r = reply_of(*x, t.address);
        if (r.outcome.what == probe_outcome::kind::cancelled) continue;
        r.target = number;
        r.sequence = x->index / targets_.size() + 1;
        ++t.ended;
        t.answered += r.answered;
        t.errors += !r.answered && r.outcome.what != probe_outcome::kind::timed_out;
        if (r.answered) t.rtt.add(r.rtt), t.latest = r.rtt;
        co_return r;
    }
}

void ping::stop() {
    probes_.stop();
}

}  // namespace sonde::inline v0::tools
