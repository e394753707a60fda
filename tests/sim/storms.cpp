// Storms: small worlds in which several callers begin, cancel, drop and abandon operations at random moments,
// by every type of cancellation, while links and interfaces fail; each operation ends once, and the accounts
// close. SONDE_SEEDS=100000 runs as many; SONDE_SEED=n begins with n.
#include "support/simulated.hpp"

#include <sonde/sonde.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <cstdlib>
#include <memory>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

class storm {
public:
    explicit storm(std::uint64_t seed) : random_(seed ^ 0x5707), sim_(seed), net_(std::in_place, sim_) {
        sim_.record();
        sim_.add("198.18.0.0/28", behaviour(), {.there = link(), .back = link()});
        sim_.add("198.18.0." + std::to_string(random_.up_to(15)), behaviour(),
                 {.there = link(), .back = link()});
        for (auto n = 2 + random_.up_to(4); n > 0; --n) asio::co_spawn(sim_, call(), asio::detached);
        make_trouble();
    }

    void run() {
        sim_.run();
        CHECK(callers_ == 0);
        CHECK(begun_ == ended_);
        CHECK(net_->in_flight() == 0);
        CHECK(sim_.clock().pending() == 0);
        support::accounting(sim_);
        support::accounting_of_one_device(sim_);
        std::uint64_t own =
            0;  // packets of verbs that report; an sr1 has none, and marks its packets by their TOS
        for (auto const& f : sim_.trace()) {
            auto octet = [&](std::size_t at) { return at < f.bytes.size() ? unsigned(f.bytes[at]) : 0; };
            own += f.outgoing && octet(12) == 8 && octet(13) == 0 && octet(15) != sr1_tos;
        }
        CHECK(own == reported_);
    }

private:
    static constexpr unsigned sr1_tos = 0x28;

    bool one_in(std::uint64_t n) { return random_.up_to(n - 1) == 0; }
    std::chrono::nanoseconds up_to(std::chrono::nanoseconds most) {
        return std::chrono::nanoseconds(random_.up_to(static_cast<std::uint64_t>(most.count())));
    }

    link_conditions link() {
        return {.delay = up_to(10ms),
                .jitter = one_in(2) ? 0ns : up_to(5ms),
                .loss = one_in(3) ? 0.3 : 0,
                .duplicate = one_in(3) ? 0.3 : 0,
                .corrupt = one_in(4) ? 0.2 : 0,
                .flipped_bits = 1};
    }
    host behaviour() {
        if (one_in(4)) return host::silent();
        host h;
        h.tcp = {80};
        h.think = one_in(2) ? up_to(30ms) : 0ns;
        return h;
    }
    void make_trouble() {
        if (one_in(4)) sim_.clock().at(sim_.now() + up_to(100ms), [this] { sim_.set_up("eth1", false); });
        if (one_in(4)) sim_.clock().at(sim_.now() + up_to(100ms), [this] { sim_.set_up("eth1", true); });
        if (one_in(4))
            sim_.refuse = [this](std::span<std::byte const>) -> error_code {
                if (!one_in(5)) return {};
                return one_in(2) ? asio::error::no_buffer_space : make_error_code(errc::permission);
            };
        if (one_in(8))
            sim_.clock().at(sim_.now() + up_to(100ms), [this] {
                replaced_ = true;
                net_.emplace(sim_);
            });
        if (one_in(8)) sim_.clock().at(sim_.now() + up_to(100ms), [this] { sim_.context().stop(); });
    }

    packet some_set() {
        if (one_in(3)) return IP{.dst = "198.18.0.0/28"} / TCP{.dport = {80, 81}};
        if (one_in(2)) return IP{.dst = "198.18.0.1"} / ICMP{.seq = range(1, 10)};
        return IP{.dst = "198.18.0.2"} / UDP{.dport = 9};
    }
    sr_options some_options() {
        sr_options o;
        o.timeout = 1ms + up_to(50ms);
        o.retry = static_cast<int>(random_.up_to(3)) - 1;
        if (one_in(3)) o.inter = up_to(2ms);
        o.multi = one_in(4);
        if (one_in(4)) o.window = 2;
        return o;
    }

    /// A slot whose signal comes at some time, before, while or after the operation runs; or never.
    struct trigger {
        asio::cancellation_signal signal;
        asio::cancellation_slot slot() { return signal.slot(); }
    };
    std::shared_ptr<trigger> some_trigger() {
        auto t = std::make_shared<trigger>();
        constexpr asio::cancellation_type types[]{
            asio::cancellation_type::terminal, asio::cancellation_type::partial,
            asio::cancellation_type::total, asio::cancellation_type::all};
        for (auto n = random_.up_to(2); n > 0; --n)
            sim_.clock().at(sim_.now() + (one_in(4) ? 0ns : up_to(60ms)),
                            [t, type = types[random_.up_to(3)]] { t->signal.emit(type); });
        return t;
    }
    auto with(std::shared_ptr<trigger> const& t) { return asio::bind_cancellation_slot(t->slot(), as_tuple); }

    asio::awaitable<void> call() {
        ++callers_;
        co_await sim_.sleep(up_to(50ms), asio::use_awaitable);
        for (auto n = random_.up_to(3); n < 4; ++n) switch (random_.up_to(5)) {
                case 0: co_await ping(); break;
                case 1: co_await transmit(); break;
                case 2: co_await collect(); break;
                case 3: co_await loop(); break;
                case 4: co_await listen(); break;
                default: co_await scan(); break;
            }
        --callers_;
    }

    asio::awaitable<void> ping() {
        auto t = some_trigger();
        ++begun_;
        auto [ec, x] =
            co_await net_->sr1(IP{.dst = "198.18.0.0/29", .tos = sr1_tos} / ICMP{}, some_options(), with(t));
        ++ended_;
        CHECK(!(ec && x));
    }

    asio::awaitable<void> transmit() {
        auto t = some_trigger();
        ++begun_;
        auto [ec, r] = co_await net_->send(some_set(), {.count = 2, .inter = up_to(3ms)}, with(t));
        ++ended_;
        reported_ += r.sent;
    }

    template <class Stream>
    asio::awaitable<void> read(Stream& all) {
        using namespace asio::experimental::awaitable_operators;
        for (auto patience = one_in(2) ? forever : random_.up_to(10); patience > 0; --patience) {
            ++begun_;
            if (one_in(4)) {
                auto first = co_await (all.next(as_tuple) || sim_.sleep(up_to(20ms), asio::use_awaitable));
                ++ended_;
                if (first.index() == 0 && !std::get<1>(std::get<0>(first))) co_return;
            } else {
                auto t = some_trigger();
                auto [ec, x] = co_await all.next(with(t));
                ++ended_;
                if (!x && ec != asio::error::operation_aborted) co_return;
                if (!x && one_in(2)) co_return;
            }
        }
    }

    asio::awaitable<void> scan() {
        auto all = net_->sr(some_set(), some_options());
        co_await read(all);
        all.cancel();
        auto r = all.report();
        support::accounting(r);
        reported_ += r.sent;
    }

    asio::awaitable<void> loop() {
        auto all = net_->srloop(
            some_set(), {.count = 1 + random_.up_to(2), .inter = up_to(30ms), .timeout = up_to(30ms)});
        co_await read(all);
        all.cancel();
        auto r = all.report();
        support::accounting(r);
        reported_ += r.sent;
    }

    asio::awaitable<void> listen() {
        auto all = net_->sniff({.iface = "lo", .timeout = 1ns + up_to(50ms)});
        co_await read(all);
    }

    asio::awaitable<void> collect() {
        auto set = some_set();
        auto probes = set.size();
        auto all = net_->sr(std::move(set), some_options());
        for (bool ended = false; !ended;) {
            auto t = some_trigger();
            ++begun_;
            auto [ec, both] = co_await all.collect(with(t));
            ++ended_;
            ended = ec != asio::error::operation_aborted || one_in(2);
            if (!ec && !replaced_ && !both.answered.empty() && all.report().first_error == error_code())
                CHECK(both.answered.size() + both.unanswered.size() >= probes);
        }
        all.cancel();
        reported_ += all.report().sent;
    }

    random_source random_;
    simulation sim_;
    std::optional<network> net_;
    bool replaced_ = false;
    int callers_ = 0;
    std::uint64_t begun_ = 0, ended_ = 0, reported_ = 0;
};

}  // namespace

TEST_CASE("In a storm of callers, cancellations and faults each operation ends once, and nothing is left") {
    char const* text = std::getenv("SONDE_SEEDS");
    for (std::uint64_t seed = support::seed(), last = seed + (text ? std::stoull(text) : 300); seed < last;
         ++seed) {
        INFO("SONDE_SEED=" << seed << " SONDE_SEEDS=1 repeats it");
        storm(seed).run();
    }
}
