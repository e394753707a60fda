// Ends that come from inside: handlers, sources, hosts and destructors that stop or destroy what calls them.
#include "sim/operations.hpp"

#include "net/platform.hpp"

#include <sonde/tools/traceroute.hpp>

#include <algorithm>
#include <array>
#include <functional>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;
using operations::bed;
using operations::into;
using operations::outcome;

TEST_CASE("What a traceroute hears of a target after it has told of it changes nothing") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        path way = path::both({.delay = 50ms});
        way.routers = {ipv4("203.0.113.1")};
        host seldom;  // tells of the first probe that reaches it; the probes behind that one wait in vain
        seldom.icmp_rate = 0.001, seldom.icmp_burst = 2;
        sim.add("198.18.0.1", seldom, way);
        sim.add("198.18.0.2", host::silent(), way);
        network net{co_await asio::this_coro::executor};
        tools::traceroute run(net, {ipv4("198.18.0.1"), ipv4("198.18.0.2")}, {.queries = 1});
        auto first = co_await run.next();
        REQUIRE(first);
        CHECK(first->reached);
        CHECK(first->hops.size() == 2);
        auto second = co_await run.next();
        REQUIRE(second);
        CHECK(!second->reached);
        CHECK(second->hops.size() == 30);
        auto end = co_await run.next();
        CHECK(!end);
    });
}

TEST_CASE("What waits for a stream of a network that has gone is destroyed with its context") {
    auto alive = std::make_shared<int>();
    for (int kind = 0; kind < 4; ++kind) {
        CAPTURE(kind);
        bed b;
        b.net = network(b.sim);
        if (kind == 0) b.scan->next([alive](auto...) {});
        if (kind == 1) b.list->collect([alive](auto...) {});
        if (kind == 2) b.loop->next([alive](auto...) {});
        if (kind == 3) b.capture->next([alive](auto...) {});
    }
    CHECK(alive.use_count() == 1);
}

namespace {

/// Runs `what` deep below bytes that are no objects, where the caller had called functions before.
[[gnu::noinline]] void over_old_frames(std::function<void()> const& what) {
    unsigned char volatile rubbish[1 << 16];
    for (auto& b : rubbish) b = 0xa5;
    what();
    CHECK(std::ranges::all_of(rubbish, [](unsigned char b) { return b == 0xa5; }));
}

}  // namespace

TEST_CASE("A coroutine that a simulation has given up may still end") {
    simulation sim;
    std::optional<network> net(std::in_place, sim);
    auto capture = net->sniff({.iface = "eth1"});
    error_code why;
    CHECK_THROWS_AS(sim.run([&]() -> asio::awaitable<void> {
        auto [ec, p] = co_await capture.next(asio::as_tuple(asio::use_awaitable));
        why = ec;
    }),
                    std::runtime_error);
    over_old_frames([&] {
        net.reset();
        sim.run();
    });
    CHECK(why == asio::error::operation_aborted);
}

TEST_CASE("Sleeps that end with their simulation may cancel one another as they go") {
    for (int canceller : {0, 1, 2}) {
        CAPTURE(canceller);
        asio::cancellation_signal stop[3];
        simulation sim;
        for (int i = 0; i < 3; ++i) {
            std::shared_ptr<void> at_end(nullptr, [&stop, cancels = i == canceller](void*) {
                for (auto& s : stop)
                    if (cancels) s.emit(asio::cancellation_type::terminal);
            });
            sim.sleep(1h, asio::bind_cancellation_slot(stop[i].slot(), [at_end](error_code) {}));
        }
        sim.run_for(1ms);
    }
}

namespace {

/// An async generator that does `what` in its n-th next, before it gives a packet.
struct generator {
    asio::any_io_executor executor;
    int n;
    std::function<void()> what;
    template <class Token>
    auto next(Token&& token) {
        return asio::async_initiate<Token, void(error_code, std::optional<packet>)>(
            [this](auto handler) {
                if (--n == 0) what();
                asio::post(executor, [h = std::move(handler)]() mutable {
                    h(error_code(), std::optional<packet>(bed::answered()));
                });
            },
            token);
    }
};

}  // namespace

TEST_CASE("An async generator that throws when it is asked ends its operation, which tells why") {
    auto fail = [] { throw boost::system::system_error(make_error_code(errc::bad_text), "the third"); };
    bed b;
    auto scan = b.net.sr(generator{b.sim.get_executor(), 3, fail}, {.timeout = 1s});
    int answers = 0;
    error_code end;
    b.sim.run([&]() -> asio::awaitable<void> {
        for (;;) {
            auto [ec, x] = co_await scan.next(asio::as_tuple(asio::use_awaitable));
            end = ec;
            if (!x) break;
            ++answers;
        }
    });
    CHECK(answers == 2);
    CHECK(end == errc::bad_text);
    outcome o;
    b.net.send(generator{b.sim.get_executor(), 3, fail}, {}, [&o](error_code ec, send_report r) {
        ++o.calls;
        o.ec = ec;
        CHECK(r.sent == 2);
    });
    b.sim.run();
    CHECK(o.calls == 1);
    CHECK(o.ec == errc::bad_text);
}

TEST_CASE("A host's script may replace itself, and all that its host does") {
    for (bool udp : {false, true}) {
        CAPTURE(udp);
        bed b;
        auto& s = b.sim.add("198.18.0.9");
        std::string const text(100, 'x');
        int calls = 0;
        if (udp)
            s.behaviour.udp[53] = [&s, &calls, text](packet const&) -> std::optional<packet> {
                s.behaviour = host::silent();
                ++calls;
                return packet(text);
            };
        else
            s.behaviour.script = [&s, &calls, text](packet const&, replies& out) {
                s.behaviour = host::silent();
                ++calls;
                out.send(out.back() / UDP{.dport = 53, .sport = 53} / packet(text));
                return true;
            };
        auto probe = IP{.dst = "198.18.0.9"} / UDP{.dport = 53, .sport = 53} / "a";
        outcome o, again;
        b.net.sr1(probe, {.timeout = 1s}, into(o));
        b.sim.run();
        b.net.sr1(probe, {.timeout = 1s}, into(again));
        b.sim.run();
        CHECK(o.full);
        CHECK(!again.full);
        CHECK(calls == 1);
    }
}

namespace {

/// A simulation's platform whose table of interfaces is another one after each question, as the kernel's may
/// be.
class restless final : public detail::platform {
public:
    explicit restless(std::unique_ptr<detail::platform> p) : of_(std::move(p)) {}

    steady_time now() const override { return of_->now(); }
    timestamp wall_time() const override { return of_->wall_time(); }
    std::unique_ptr<detail::timer> make_timer() override { return of_->make_timer(); }
    void fill_random(std::span<std::byte> bytes) override { of_->fill_random(bytes); }
    boost::system::result<route> route_to(ip_address const& destination, int interface,
                                          steady_time now) override {
        latest_.reset();
        return of_->route_to(destination, interface, now);
    }
    std::pair<ipv4, ipv4> alike(ipv4 to, int) override { return {to, to}; }
    std::uint64_t route_generation(steady_time now) override { return of_->route_generation(now); }
    std::optional<mac> neighbour(int, ip_address const&) override {
        latest_.reset();
        return {};
    }
    interface_table const& interfaces(error_code& ec, steady_time now) override {
        latest_ = std::make_unique<interface_table>(of_->interfaces(ec, now));
        return *latest_;
    }
    boost::system::result<int> default_interface() override {
        latest_.reset();
        return of_->default_interface();
    }
    link_info describe(int interface, error_code& ec) override { return of_->describe(interface, ec); }
    std::unique_ptr<link_device> open_device(int interface, bool routed, receive_options const& how,
                                             error_code& ec, std::string* about) override {
        return of_->open_device(interface, routed, how, ec, about);
    }
    std::unique_ptr<link_device> adopt_device(int, int, receive_options const&, error_code& ec,
                                              std::string*) override {
        ec = asio::error::operation_not_supported;
        return {};
    }
    void resolve(std::string const& name, bool v6,
                 std::function<void(error_code, ip_address)> handler) override {
        of_->resolve(name, v6, std::move(handler));
    }
    void stop() noexcept override { of_->stop(); }

private:
    std::unique_ptr<detail::platform> of_;
    std::unique_ptr<interface_table> latest_;
};

}  // namespace

TEST_CASE("Interfaces are looked at before the next question, which may read their table anew") {
    simulation sim;
    auto& make = detail::service_of(sim.get_executor()).make;
    make = [simulated = make](asio::any_io_executor executor) {
        return std::make_unique<restless>(simulated(std::move(executor)));
    };
    sim.add("198.18.0.1");
    sim.add("2001:db8::1");
    std::array<packet, 4> probes{
        IP{.dst = "198.18.0.1"} / ICMP{}, IP{.dst = "198.18.0.1", .src = "198.51.100.1"} / ICMP{},
        IPv6{.dst = "2001:db8::1"} / ICMPv6EchoRequest{}, IP{.dst = "127.0.0.1"} / ICMP{}};
    for (std::size_t i = 0; i < probes.size(); ++i) {
        CAPTURE(i);
        network net(sim);
        outcome o;
        net.sr1(probes[i], {.timeout = 1s}, into(o));
        sim.run();
        CHECK(o.full);
    }
}

TEST_CASE("A stream that was about to have its turn when its network went can be asked again") {
    for (int kind = 0; kind < 4; ++kind)
        for (int k = 0; k < 12; ++k) {
            CAPTURE(kind, k);
            bed b;
            outcome o, again;
            auto ask = [&](outcome& of) {
                if (kind == 0) b.scan->next(into(of));
                if (kind == 1) b.list->collect(into(of));
                if (kind == 2) b.loop->next(into(of));
                if (kind == 3) b.capture->next(into(of));
            };
            ask(o);
            for (int i = 0; i < k; ++i) {
                b.sim.context().restart();
                if (b.sim.context().poll_one() == 0) b.sim.clock().step();
            }
            b.net = network(b.sim);
            b.sim.run();
            CHECK(o.calls == 1);
            ask(again);
            b.sim.run();
            CHECK(again.calls == 1);
        }
}

TEST_CASE("Who asks what has ended already hears of it, though the network goes before its turn comes") {
    bed b;
    outcome first, end;
    b.scan->next(into(first));
    b.sim.run();
    CHECK(first.full);
    b.scan->next(into(end));
    b.net = network(b.sim);
    b.sim.run();
    CHECK(end.calls == 1);
    for (int k = 0; k < 8; ++k) {
        CAPTURE(k);
        bed lost;
        outcome o;
        lost.net.sr1(IP{.dst = "198.18.0.66"} / ICMP{}, {.timeout = 1s}, into(o));
        lost.sim.run_for(100ms);
        lost.sim.remove_interface("eth1");
        lost.sim.context().restart();
        for (int i = 0; i < k; ++i) lost.sim.context().poll_one();
        lost.net = network(lost.sim);
        lost.sim.run();
        CHECK(o.calls == 1);
    }
}

TEST_CASE("A collect of a stream that nobody keeps ends the stream when it is cancelled: it sends no more") {
    support::simulate([](simulation& sim) -> asio::awaitable<void> {
        sim.add_lab();
        sim.record();
        network net{co_await asio::this_coro::executor};
        asio::cancellation_signal stop;
        outcome o;
        net.sr(IP{.dst = "198.18.0.0/24"} / ICMP{}, {.timeout = 1s, .rate = 100})
            .collect(asio::bind_cancellation_slot(stop.slot(), [&o](error_code ec, collected) {
                ++o.calls;
                o.ec = ec;
            }));
        co_await sim.sleep(100ms);
        auto before = sim.trace().size();
        stop.emit(asio::cancellation_type::terminal);
        co_await sim.sleep(10ms);
        CHECK(o.calls == 1);
        CHECK(o.ec == asio::error::operation_aborted);
        CHECK(net.in_flight() == 0);
        co_await sim.sleep(5s);
        CHECK(sim.trace().size() <= before + 2);
    });
}
