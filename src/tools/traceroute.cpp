#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/raw.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/random.hpp>
#include <sonde/tools/packets.hpp>
#include <sonde/tools/traceroute.hpp>

#include "answer.hpp"
#include "hop_reply.hpp"

#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <random>

namespace sonde::inline v0::tools {
namespace {

namespace asio = boost::asio;

constexpr std::uint16_t udp_port = 33434, tcp_port = 80;
constexpr std::size_t payload_size = 32;
constexpr std::size_t lengths = 1200;  // of UDP over IPv6: what every link carries, RFC 8200 §5

/// A payload which with `sequence` adds up to the same sum whatever that is: the checksum stays, and with it
/// the flow.
std::string balanced(std::uint16_t sequence) {
    std::string payload(payload_size, '\0');
    payload[0] = static_cast<char>(~sequence >> 8 & 0xff);
    payload[1] = static_cast<char>(~sequence & 0xff);
    return payload;
}

packet headed(ip_address const& target, std::uint8_t ttl) {
    if (target.is_v6()) return packet(IPv6{.dst = target.v6(), .hlim = ttl});
    return packet(IP{.dst = target.v4(), .ttl = ttl});
}

packet echo(bool v6, std::uint16_t id, std::uint16_t sequence, std::string const& payload) {
    if (v6) return packet(ICMPv6EchoRequest{.id = id, .seq = sequence, .data = payload});
    return ICMP{.id = id, .seq = sequence} / packet(payload);
}

}  // namespace

struct traceroute::state {
    struct way {
        trace result;
        unsigned last;               ///< hop that is of interest
        std::vector<unsigned> open;  ///< of each hop, probes that have not ended
        bool done = false;
    };
    struct probe {
        std::uint32_t way;
        std::uint8_t ttl;
    };

    traceroute_options options;
    std::vector<way> ways;
    std::vector<probe> sent;  // by their number
    std::uint16_t flow;       // source port, echo id
    unsigned query = 0, ttl;
    std::size_t target = 0;
    std::vector<std::size_t> ready;
    bool ended = false;

    state(std::vector<ip_address> const& targets, traceroute_options o)
        : options(o),
          flow(static_cast<std::uint16_t>(20000 + std::random_device()() % 10000)),
          ttl(o.first_hop) {
        if (o.first_hop == 0 || o.first_hop > o.max_hops)
            throw error(errc::value_out_of_range, fmt::format("hops {} to {}", o.first_hop, o.max_hops));
        if (options.port == 0) options.port = options.protocol == probe_protocol::tcp ? tcp_port : udp_port;
        for (auto const& t : targets) {
            way w{.result = {.target = t, .hops = {}}, .last = o.max_hops, .open = {}};
            for (unsigned i = o.first_hop; i <= o.max_hops; ++i) {
                w.result.hops.push_back({i, {}});
                w.open.push_back(o.queries);
            }
            ways.push_back(std::move(w));
        }
    }

    std::optional<packet> draw() {
        for (; query < options.queries; ++query, ttl = options.first_hop)
            for (; ttl <= options.max_hops; ++ttl, target = 0)
                while (target < ways.size())
                    if (auto number = target++; ttl <= ways[number].last) return make(number);
        return {};
    }

    packet make(std::size_t number) {
        auto p = probe_of(number);
        return options.named_by ? options.named_by->named(std::move(p)) : p;
    }

    packet probe_of(std::size_t number) {
        auto const& to = ways[number].result.target;
        auto hop = static_cast<std::uint8_t>(ttl);
        auto sequence = static_cast<std::uint16_t>(1 + query * 256 + hop);
        sent.push_back({static_cast<std::uint32_t>(number), hop});
        auto p = headed(to, hop);
        if (options.protocol == probe_protocol::icmp)
            return p / echo(to.is_v6(), flow, sequence, balanced(sequence));
        if (options.protocol == probe_protocol::tcp)
            return p / TCP{.dport = options.port, .sport = flow, .flags = "S"};
        return p / UDP{.dport = options.port, .sport = flow} /
               packet(std::string(payload_size + (to.is_v6() ? place() : 0), '\0'));
    }

    /// Of this probe among those to its target. IPv6 has no id: there the length tells them apart, which
    /// routers quote and do not share load by.
    std::size_t place() const {
        unsigned hops = options.max_hops - options.first_hop + 1u;
        return (query * hops + ttl - options.first_hop) % lengths;
    }

    void take(exchange const& x) {
        auto const& which = sent.at(x.index);
        auto& w = ways[which.way];
        if (w.done) return;  // it went past the target
        auto at = static_cast<std::size_t>(which.ttl - options.first_hop);
        auto reply = reply_of(x);
        if (reply.outcome.error && !w.result.failure) w.result.failure = reply.outcome.error;
        // A closed port is the target's, whichever of its addresses says so.
        w.result.reached |= reply.came() && (reply.from == w.result.target ||
                                             is_port_unreachable(reply.outcome, w.result.target.is_v6()));
        if (reply.came() && !is_time_exceeded(reply, w.result.target.is_v6()))
            w.last = std::min<unsigned>(w.last, which.ttl);
        w.result.hops[at].replies.push_back(std::move(reply));
        --w.open[at];
        if (is_known(w)) finish(which.way);
    }

    bool is_known(way const& w) const {
        auto hops = w.last - options.first_hop + 1;
        return std::all_of(w.open.begin(), w.open.begin() + static_cast<std::ptrdiff_t>(hops),
                           [](unsigned n) { return n == 0; });
    }

    void finish(std::size_t number) {
        auto& w = ways[number];
        w.done = true;
        w.result.hops.resize(w.last - options.first_hop + 1);
        ready.push_back(number);
    }

    void finish_all() {
        for (std::size_t i = 0; i < ways.size(); ++i)
            if (!ways[i].done) finish(i);
        ended = true;
    }
};

traceroute::traceroute(network& net, std::vector<ip_address> targets, traceroute_options options)
    : state_(std::make_shared<state>(targets, options)),
      probes_(net.sr(
          packets_on_demand([s = state_] { return s->draw(); }),
          {.timeout = options.timeout, .inter = options.inter, .iface = options.iface, .unanswered = true})) {
}

traceroute::~traceroute() = default;

asio::awaitable<std::optional<trace>> traceroute::next() {
    auto& s = *state_;
    while (s.ready.empty() && !s.ended) {
        auto x = co_await probes_.next(asio::use_awaitable);
        if (x)
            s.take(*x);
        else
            s.finish_all();
    }
    if (s.ready.empty()) co_return std::nullopt;
    auto number = s.ready.front();
    s.ready.erase(s.ready.begin());
    // What still is on the way went past the last target.
    if (std::ranges::all_of(s.ways, &state::way::done)) s.ended = true, probes_.cancel();
    co_return std::move(s.ways[number].result);
}

void traceroute::stop() {
    probes_.stop();
}

report traceroute::report() const {
    return probes_.report();
}

}  // namespace sonde::inline v0::tools
