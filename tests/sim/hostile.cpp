// Hosts that answer to do harm: too much, wrongly, without end.
#include "support/simulated.hpp"

#include <sonde/sonde.hpp>

#include <boost/asio/use_awaitable.hpp>

#include <span>
#include <string>
#include <utility>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

constexpr unsigned hosts = 16, guesses = 50, pieces = 20, copies = 1000;
constexpr auto name = "host.example";

packet back_to(packet const& question, IP header) {
    header.src = question.get<IP>().dst.value(), header.dst = question.get<IP>().src.value();
    return header;
}

packet dns_answer(packet const& question, replies& out, DNS message) {
    message.qr = 1;
    return out.back() / UDP{.dport = question.get<UDP>().sport.value(), .sport = 53} / message;
}

/// Other identifiers, and the right one with another question and the longest text that there is.
void guess(packet const& question, replies& out) {
    auto const id = question.get<DNS>().id.value();
    std::string const text = '\xff' + std::string(255, 'x');
    for (unsigned i = 1; i <= guesses; ++i)
        out.send(dns_answer(question, out,
                            {.id = static_cast<std::uint16_t>(id + i), .qd = DNSQR{.qname = name}}));
    auto const texts =
        DNSRR{.rrname = "other.example", .type = "TXT", .rdata = std::as_bytes(std::span(text))};
    out.send(dns_answer(question, out, {.id = id, .qd = DNSQR{.qname = "other.example"}, .an = texts}));
}

/// ICMP errors about packets that were not sent: of another port, with another IP identification.
void forge_errors(packet const& question, replies& out) {
    auto quoted = question;
    quoted.get<UDP>().sport = static_cast<std::uint16_t>(question.get<UDP>().sport.value() ^ 1);
    auto renumbered = question;
    renumbered.get<IP>().id = static_cast<std::uint16_t>(question.get<IP>().id.value() ^ 1);
    for (auto const& q : {quoted, renumbered})
        out.send(out.back() / ICMP{.type = 3, .code = 3} / packet(q.build()));
}

/// First fragments of datagrams that never become whole, one each millisecond.
void drip(packet const& question, replies& out) {
    for (unsigned i = 0; i < pieces; ++i)
        out.send(back_to(question, {.proto = 17, .id = static_cast<std::uint16_t>(i + 1), .flags = "MF"}) /
                     std::string(64, '\0'),
                 i * 1ms);
}

bool harm(packet const& question, replies& out) {
    if (!question.has<DNS>()) return false;
    guess(question, out);
    forge_errors(question, out);
    drip(question, out);
    auto const right =
        dns_answer(question, out, {.id = question.get<DNS>().id.value(), .qd = DNSQR{.qname = name}});
    for (unsigned i = 0; i < copies; ++i) out.send(right, 30ms);
    return true;
}

}  // namespace

TEST_CASE("Of a thousand answers, guesses, forged errors and pieces without end a probe gets one answer") {
    for (auto [reassemble, multi] : {std::pair(false, false), {true, false}, {false, true}})
        support::simulate([=](simulation& sim) -> asio::awaitable<void> {
            sim.add("198.18.0.0/28", {.script = harm});
            network net{co_await asio::this_coro::executor};
            auto scan =
                net.sr(IP{.dst = "198.18.0.0/28"} / UDP{.dport = 53} / DNS{.qd = DNSQR{.qname = name}},
                       {.timeout = 100ms, .multi = multi, .reassemble = reassemble});
            unsigned yielded = 0;
            while (auto x = co_await scan.next()) {
                ++yielded;
                CHECK(x->outcome().what == probe_outcome::kind::answered);
                CHECK(x->received.get<DNS>().id == x->sent.get<DNS>().id.value());
                CHECK(x->rtt() >= 30ms);
            }
            CHECK(yielded == (multi ? hosts * copies : hosts));
            if (!multi) support::accounting(scan.report(), hosts);
            CHECK(net.in_flight() == 0);
            co_await sim.sleep(1s, asio::use_awaitable);
            support::accounting_of_one_device(sim);
            // One question more hears all that is left of the flood, and is none the worse for it.
            auto x = co_await net.sr1(IP{.dst = "198.18.0.1"} / ICMP{}, {.timeout = 100ms});
            CHECK(x.has_value());
        });
}
