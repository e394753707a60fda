// Random hosts, links, callers, sources of packets and cancellations, from a seed: whatever happens, the
// accounts are right and nothing is left. SONDE_SEEDS=1000 runs as many; SONDE_SEED=n begins with n.
#include "support/simulated.hpp"
#include "support/slow_list.hpp"

#include <sonde/sonde.hpp>

#include <cstdlib>
#include <memory>
#include <ranges>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

/// One scenario: what happens in it is drawn before it happens or while it does, from its seed alone.
class scenario {
public:
    explicit scenario(std::uint64_t seed) : random_(seed ^ 0x5eed), sim_(seed), net_(sim_) {
        sim_.record();
        make_world();
        auto callers = 1 + random_.up_to(5);
        for (std::uint64_t i = 0; i < callers; ++i) asio::co_spawn(sim_, call(), asio::detached);
        make_trouble();
    }

    void run() {
        sim_.run();
        support::accounting(sim_);
        CHECK(net_.in_flight() == 0);
        CHECK(sim_.clock().pending() == 0);
        CHECK(running_ == 0);
        auto c = sim_.counts();
        CHECK(c.there.in_flight + c.back.in_flight == 0);
        // Every frame is somebody's: a verb's that reports it, an sr1's (marked by its TOS), or a question
        // for a neighbour.
        std::uint64_t marked = 0, questions = 0;
        for (auto const& f : sim_.trace()) {
            if (!f.outgoing) continue;
            auto octet = [&](std::size_t at) { return at < f.bytes.size() ? unsigned(f.bytes[at]) : 0; };
            auto type = octet(12) << 8 | octet(13);
            questions += type == 0x0806 || (type == 0x86dd && octet(54) == 135);
            marked += type == 0x0800 && octet(15) == sr1_tos;
        }
        CHECK(c.sent == reported_ + marked + questions);
        support::accounting_of_one_device(sim_);
    }

private:
    static constexpr unsigned sr1_tos = 0x28;

    bool one_in(std::uint64_t n) { return random_.up_to(n - 1) == 0; }
    double chance(double most) {
        return one_in(2) ? 0 : static_cast<double>(random_.up_to(1000)) / 1000 * most;
    }
    std::chrono::nanoseconds up_to(std::chrono::nanoseconds most) {
        return std::chrono::nanoseconds(random_.up_to(static_cast<std::uint64_t>(most.count())));
    }

    link_conditions link() {
        return {.delay = up_to(50ms),
                .jitter = one_in(2) ? 0ns : up_to(20ms),
                .loss = chance(0.5),
                .duplicate = chance(0.3),
                .reorder = chance(0.3),
                .corrupt = chance(0.2),
                .held_back = up_to(100ms),
                .flipped_bits = 1,
                .rate = one_in(4) ? 1e6 : 0,
                .queue = 20'000,
                .mtu = one_in(5) ? 60u : 0u};
    }

    host behaviour() {
        if (one_in(5)) return host::silent();
        host h;
        h.tcp = {22, 80};
        h.echo = !one_in(4), h.resets = !one_in(3), h.unreachables = !one_in(3);
        h.think = one_in(3) ? up_to(300ms) : 0ns;
        h.quote = one_in(2) ? 8 : 548;
        h.icmp_rate = one_in(3) ? 50 : 0;
        h.icmp_burst = 5;
        if (one_in(4))
            h.script = [this](packet const& p, replies& out) {
                if (out.random().up_to(3) > 0) return false;
                for (auto n = out.random().up_to(3); n > 0;
                     --n)  // echoes what it gets, which answers nothing
                    out.send(p, std::chrono::nanoseconds(out.random().up_to(100'000'000)));
                return true;
            };
        return h;
    }

    void make_world() {
        sim_.add("198.18.0.0/15", behaviour(), {.there = link(), .back = link()});
        sim_.add("2001:db8::/32", behaviour(), {.there = link(), .back = link()});
        for (auto n = random_.up_to(3); n > 0; --n) {
            path p{.there = link(), .back = link()};
            for (auto hops = random_.up_to(3); hops > 0; --hops)
                p.routers.push_back(one_in(4) ? ipv4() : ipv4("192.0.2.9"));
            sim_.add("198.18.0." + std::to_string(random_.up_to(255)), behaviour(), p);
        }
        sim_.add("198.51.100.77", behaviour(), {.there = link(), .back = link()});
        sim_.add_name("somebody", ipv4("198.18.0.5"));
    }

    void make_trouble() {
        if (one_in(4)) {
            sim_.clock().at(sim_.now() + up_to(500ms), [this] { sim_.set_up("eth1", false); });
            sim_.clock().at(sim_.now() + 500ms + up_to(500ms), [this] { sim_.set_up("eth1", true); });
        }
        if (one_in(3)) {
            packet stranger = Ether{} / IP{.dst = "198.51.100.1", .src = "203.0.113.1"} / TCP{.flags = "SA"};
            for (auto n = random_.up_to(200); n > 0; --n) sim_.inject(stranger, up_to(2s));
        }
        if (one_in(4))
            sim_.refuse = [this](std::span<std::byte const>) -> error_code {
                if (!one_in(10)) return {};
                if (one_in(2)) return asio::error::no_buffer_space;
                return make_error_code(errc::permission);
            };
        if (one_in(5)) sim_.clock().at(sim_.now() + up_to(1s), [this] { sim_.clock().step_wall_time(-1h); });
    }

    packet some_set() {
        switch (random_.up_to(4)) {
            case 0: return IP{.dst = "198.18.0.0/27"} / TCP{.dport = {22, 23, 80}};
            case 1: return IP{.dst = "198.18.0.0/26"} / ICMP{} / "payload";
            case 2: return IP{.dst = "198.18.0.0/28", .ttl = range(1, 4)} / UDP{.dport = {9, 53}} / "ping";
            case 3: return IPv6{.dst = "2001:db8::/122"} / ICMPv6EchoRequest{.data = "abc"};
            default: return IP{.dst = "198.51.100.76/31"} / TCP{.dport = range(1, 20)};
        }
    }

    struct probes {
        packet_source source;
        std::uint64_t count;
        bool again;  // it can be gone through more than once
    };

    /// A set, or a list of packets as any kind of source; of these some cannot be made, or go to no host.
    probes some_probes() {
        auto kind = random_.up_to(5);
        if (kind > 2) {
            auto set = some_set();
            return {set, set.size(), true};
        }
        std::vector<packet> list;
        std::uint64_t count = 0;  // of all packets, those of sets too
        for (auto n = random_.up_to(60); n > 0; --n) count += list.emplace_back(some_packet()).size();
        if (kind == 0) return {std::move(list), count, true};
        if (kind == 1)
            return {std::move(list) | std::views::filter([](auto const&) { return true; }), count, true};
        return {support::slow_list(sim_, list, up_to(10ms)), count, false};
    }

    packet some_packet() {
        auto to = ipv4(0xc6120000u + static_cast<std::uint32_t>(random_.up_to(15)));
        switch (random_.up_to(9)) {
            case 0: return IP{.dst = "somebody"} / ICMP{};
            case 1: return IP{.dst = "nobody"} / ICMP{};
            case 2: return IP{.dst = to} / ICMP{} / std::string(65'600, 'x');
            case 3: return IP{.dst = to} / UDP{.dport = 9} / std::string(1 + random_.up_to(2000), 'x');
            case 4: return IPv6{.dst = "2001:db9::1"} / UDP{.dport = 9};
            case 5: return IP{.dst = to} / TCP{.dport = {22, 23}};
            default: return IP{.dst = to} / TCP{.dport = random_short()};
        }
    }

    sr_options some_options() {
        sr_options o;
        o.timeout = 1ms + up_to(300ms);
        o.retry = static_cast<int>(random_.up_to(4)) - 1;
        if (one_in(3)) o.inter = up_to(5ms);
        if (one_in(3)) o.rate = 100 + static_cast<double>(random_.up_to(5000));
        o.multi = one_in(4);
        o.window = one_in(3) ? 7 : 16384;
        return o;
    }

    asio::awaitable<void> call() {
        ++running_;
        co_await sim_.sleep(up_to(300ms), asio::use_awaitable);
        for (auto n = random_.up_to(2); n < 3; ++n) switch (random_.up_to(4)) {
                case 0: co_await scan(true); break;
                case 1: co_await scan(false); break;
                case 2: co_await ping(); break;
                case 3: co_await loop(); break;
                default: co_await transmit(); break;
            }
        --running_;
    }

    asio::awaitable<void> scan(bool to_the_end) {
        auto [source, packets, again] = some_probes();
        auto options = some_options();
        auto all = net_.sr(std::move(source), options);
        auto patience = to_the_end ? forever : random_.up_to(20);
        bool ended = false;
        for (; patience > 0 && !ended; --patience) {
            auto [ec, x] = co_await all.next(asio::as_tuple(asio::use_awaitable));
            ended = !x;
            if (x) check(*x);
            if (one_in(20)) co_await sim_.sleep(up_to(50ms), asio::use_awaitable);
        }
        all.cancel();
        auto r = all.report();
        reported_ += r.sent;
        support::accounting(
            r, ended && !options.multi && r.first_error != errc::no_such_interface ? packets : 0);
    }

    void check(exchange const& x) {
        CHECK(match(x.received.view(), x.sent.view()).value == match_verdict::yes);
        CHECK(x.attempt >= 1);
    }

    asio::awaitable<void> ping() {
        asio::cancellation_signal stop;
        auto gone = std::make_shared<bool>(false);
        if (one_in(3))
            sim_.clock().at(sim_.now() + up_to(100ms), [&stop, gone] {
                if (!*gone) stop.emit(asio::cancellation_type::terminal);
            });
        auto options = some_options();
        auto [ec, x] =
            co_await net_.sr1(IP{.dst = "198.18.0.0/28", .tos = sr1_tos} / ICMP{}, options,
                              asio::bind_cancellation_slot(stop.slot(), asio::as_tuple(asio::use_awaitable)));
        *gone = true;
        if (x) check(*x);
        CHECK(!(ec && x));
    }

    asio::awaitable<void> loop() {
        auto all =
            net_.srloop(some_probes().source,
                        {.count = 1 + random_.up_to(3), .inter = up_to(200ms), .timeout = up_to(100ms)});
        for (auto patience = one_in(2) ? forever : random_.up_to(50); patience > 0; --patience) {
            auto [ec, x] = co_await all.next(asio::as_tuple(asio::use_awaitable));
            if (!x) break;
        }
        all.cancel();
        auto r = all.report();
        support::accounting(r);
        reported_ += r.sent;
    }

    asio::awaitable<void> transmit() {
        auto [source, packets, again] = some_probes();
        auto [ec, r] = co_await net_.send(std::move(source), {.count = 2, .inter = up_to(1ms)},
                                          asio::as_tuple(asio::use_awaitable));
        reported_ += r.sent;
        auto const all = (again ? 2 : 1) * packets;
        if (ec == errc::no_such_interface)
            CHECK(r.sent + r.send_errors <= all);  // there was no sense in trying the rest
        else
            CHECK(r.sent + r.send_errors == all);
    }

    random_source random_;
    simulation sim_;
    network net_;
    int running_ = 0;
    std::uint64_t reported_ = 0;
};

std::uint64_t seeds() {
    char const* text = std::getenv("SONDE_SEEDS");
    return text ? std::stoull(text) : 50;
}

}  // namespace

TEST_CASE("Whatever hosts, faults, callers and cancellations a seed makes, the accounting law holds") {
    for (std::uint64_t seed = support::seed(), last = seed + seeds(); seed < last; ++seed) {
        INFO("SONDE_SEED=" << seed << " SONDE_SEEDS=1 repeats it");
        scenario(seed).run();
    }
}
