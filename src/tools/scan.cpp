#include <sonde/layers/icmp.hpp>
#include <sonde/layers/icmpv6.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/tools/scan.hpp>

#include "answer.hpp"

#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

namespace sonde::inline v0::tools {
namespace {

namespace asio = boost::asio;

/// nmap's names of what ICMP says.
std::string reason_of(probe_outcome const& o, bool v6) {
    static constexpr std::string_view unreachable[] = {
        "net-unreach",  "host-unreach",     "proto-unreach",   "port-unreach",
        "frag-needed",  "src-rt-fail",      "net-unknown",     "host-unknown",
        "src-isolated", "net-prohibited",   "host-prohibited", "net-tos",
        "host-tos",     "admin-prohibited", "precedence",      "precedence-cutoff"};
    static constexpr std::string_view unreachable_v6[] = {
        "no-route",     "admin-prohibited", "beyond-scope", "addr-unreach",
        "port-unreach", "ingress-policy",   "reject-route"};
    using list = std::span<std::string_view const>;
    auto names = v6 ? list(unreachable_v6) : list(unreachable);
    if (o.type == (v6 ? 1 : 3) && o.code < names.size()) return std::string(names[o.code]);
    if (o.type == (v6 ? 3 : 11)) return "time-exceeded";
    return fmt::format("icmp-{}-{}", o.type, o.code);
}

void judge_silence(scan_result& r, bool sweep) {
    r.reason = "no-response";
    r.state = sweep                               ? scan_state::down
              : r.protocol == probe_protocol::udp ? scan_state::open_filtered
                                                  : scan_state::filtered;
}

void judge_error(scan_result& r, probe_outcome const& o, bool sweep) {
    bool v6 = r.target.is_v6();
    r.reason = reason_of(o, v6);
    bool closed = r.protocol == probe_protocol::udp && is_port_unreachable(o, v6) && r.from == r.target;
    r.state = sweep ? scan_state::down : closed ? scan_state::closed : scan_state::filtered;
}

void judge_answer(scan_result& r, packet const& received) {
    if (auto const* tcp = received.find<TCP>()) {
        bool open = tcp->flags.value().has("SA");
        r.state = open ? scan_state::open : scan_state::closed;
        r.reason = open ? "syn-ack" : "reset";
    } else if (r.protocol == probe_protocol::udp) {
        r.state = scan_state::open, r.reason = "udp-response";
    } else {
        r.state = scan_state::up, r.reason = "echo-reply";
    }
}

/// Where the probe went, and for what.
void read_probe(scan_result& r, packet const& sent) {
    if (auto const* ip = sent.find<IP>()) r.target = ip->dst.value();
    if (auto const* ip = sent.find<IPv6>()) r.target = ip->dst.value();
    r.protocol = probe_protocol::icmp;
    if (auto const* tcp = sent.find<TCP>()) r.protocol = probe_protocol::tcp, r.port = tcp->dport.value();
    if (auto const* udp = sent.find<UDP>()) r.protocol = probe_protocol::udp, r.port = udp->dport.value();
}

void read_answer(scan_result& r, exchange const& x) {
    r.rtt = x.rtt();
    r.received = x.received.time;
    auto source = source_of(x.received);
    r.from = source.from, r.ttl = source.ttl;
}

}  // namespace

std::string_view name_of(scan_state state) noexcept {
    constexpr std::string_view names[] = {"open", "closed", "filtered", "open|filtered",
                                          "up",   "down",   "failed"};
    return names[static_cast<std::size_t>(state)];
}

scan::job::job(scan_plan p, positions const& done) : plan(std::move(p)), gaps(done.missing(plan.size())) {
    std::uint64_t total = 0;
    for (auto const& [first, end] : gaps) ends.push_back(total += end - first);
}

std::uint64_t scan::job::position(std::uint64_t index) const {
    auto gap = static_cast<std::size_t>(std::ranges::upper_bound(ends, index) - ends.begin());
    return gaps[gap].first + index - (gap ? ends[gap - 1] : 0);
}

scan::scan(network& net, scan_plan plan, scan_options o, positions done)
    : job_(std::make_shared<job>(std::move(plan), done)),
      done_(std::move(done)),
      probes_(net.sr(std::views::iota(std::uint64_t(0), job_->ends.empty() ? 0 : job_->ends.back()) |
                         std::views::transform([j = job_, list = o.named_by](std::uint64_t i) {
                             auto probe = j->plan[j->position(i)];
                             return list ? list->named(std::move(probe)) : probe;
                         }),
                     {.timeout = o.timeout,
                      .retry = o.retry,
                      .rate = o.rate,
                      .iface = o.iface,
                      .window = o.window,
                      .bit_rate = o.bit_rate,
                      .unanswered = true})) {}

std::optional<scan_result> scan::take(exchange const& x) {
    auto outcome = x.outcome();
    if (outcome.what == probe_outcome::kind::cancelled) return {};
    scan_result r{.position = job_->position(x.index), .reason = {}, .attempt = x.attempt};
    // A probe that could not be made has no packet, or still a host name in it; what it would have been is
    // known all the same.
    bool made = !x.sent.empty() && !x.sent.is_template();
    read_probe(r, made ? x.sent : job_->plan[r.position]);
    bool sweep = r.protocol == probe_protocol::icmp;
    if (x.answered()) read_answer(r, x);
    switch (outcome.what) {
        case probe_outcome::kind::answered: judge_answer(r, x.received); break;
        case probe_outcome::kind::icmp_error: judge_error(r, outcome, sweep); break;
        case probe_outcome::kind::timed_out: judge_silence(r, sweep); break;
        default: r.state = scan_state::failed, r.reason = outcome.error.message();
    }
    done_.insert(r.position);
    return r;
}

asio::awaitable<std::optional<scan_result>> scan::next() {
    while (auto x = co_await probes_.next(asio::use_awaitable))
        if (auto r = take(*x)) co_return r;
    co_return std::nullopt;
}

std::optional<scan_result> scan::try_next() {
    while (auto x = probes_.try_next())
        if (auto r = take(*x)) return r;
    return {};
}

}  // namespace sonde::inline v0::tools
