#include "support/catch.hpp"
#include "unit/probe/support.hpp"

using namespace sonde;
using namespace virtual_net;

namespace {

constexpr auto answered = verdict::kind::answered;
constexpr auto duplicate = verdict::kind::duplicate;
constexpr auto late = verdict::kind::late;

std::vector<std::uint64_t> numbers(index_set const& set) {
    std::vector<std::uint64_t> result;
    for (auto i = set.next(0); i; i = set.next(*i + 1)) result.push_back(*i);
    return result;
}

std::vector<std::uint64_t> indices(std::vector<answer> const& answers) {
    std::vector<std::uint64_t> result;
    for (auto const& a : answers) result.push_back(a.verdict.index);
    return result;
}

/// Each part of the law, told by the table and by the run independently of one another.
void check_law(net& n, probe_run const& run) {
    auto a = run.accounts();
    CHECK(a.holds());
    auto r = run.report();
    CHECK(r.received == r.answered + r.duplicates + r.late + r.unrelated + r.malformed);
    CHECK(r.sent + r.send_errors == n.departures.size());
    if (run.finished()) {
        CHECK(a.open == 0);
        CHECK(n.table.in_flight() == 0);
        CHECK(n.table.admitted() == 0);
        CHECK(!n.table.next_deadline());
        CHECK(!run.wake_at());
    }
}

}  // namespace

// Scapy's behaviour on the same scenes was recorded from Scapy itself; where ours differs the title says so.

TEST_CASE("retry = 2 sends three silent probes nine times") {
    net n(silence);
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = 2}, 3);
    n.drive(run);
    CHECK(run.finished());
    CHECK(n.departures.size() == 9);
    CHECK(n.now == steady_time(300ms));
    CHECK(run.report().sent == 9);
    CHECK(run.report().retries == 6);
    CHECK(run.report().remaining == 3);
    CHECK(run.report().duration == 300ms);
    CHECK(run.accounts() == accounting{.probes = 3, .timed_out = 3});
    CHECK(numbers(run.unanswered()) == std::vector<std::uint64_t>{0, 1, 2});
    check_law(n, run);
}

TEST_CASE(
    "retry = -2 goes on as long as a round brings an answer: 36 sends for eight probes answered one a "
    "round") {
    std::uint64_t round = 0, left_in_round = 8;
    net n([&](departure const& d) -> std::vector<steady_duration> {
        bool replies = d.index == round;
        if (--left_in_round == 0) left_in_round = 8 - ++round;
        return replies ? std::vector<steady_duration>{10ms} : std::vector<steady_duration>{};
    });
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = -2}, 8);
    n.drive(run);
    CHECK(run.finished());
    CHECK(n.departures.size() == 36);
    CHECK(run.report().answered == 8);
    CHECK(run.report().remaining == 0);
    check_law(n, run);
}

TEST_CASE("retry = 2 gives the same eight probes three rounds: 21 sends, 3 answers") {
    std::uint64_t round = 0, left_in_round = 8;
    net n([&](departure const& d) -> std::vector<steady_duration> {
        bool replies = d.index == round;
        if (--left_in_round == 0) left_in_round = 8 - ++round;
        return replies ? std::vector<steady_duration>{10ms} : std::vector<steady_duration>{};
    });
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = 2}, 8);
    n.drive(run);
    CHECK(n.departures.size() == 21);
    CHECK(run.report().answered == 3);
    CHECK(numbers(run.unanswered()) == std::vector<std::uint64_t>{3, 4, 5, 6, 7});
    check_law(n, run);
}

TEST_CASE("retry = -2 gives a silent set its first round and two more, and one after an answer two more") {
    SECTION("silent") {
        net n(silence);
        probe_run run(n.table, 1, {.timeout = 100ms, .retry = -2}, 3);
        n.drive(run);
        CHECK(n.departures.size() == 9);
        CHECK(run.accounts() == accounting{.probes = 3, .timed_out = 3});
        CHECK(numbers(run.unanswered()) == std::vector<std::uint64_t>{0, 1, 2});
        check_law(n, run);
    }
    SECTION("one of three answers its second attempt") {
        net n([](departure const& d) {
            return d.index == 1 && d.attempt == 2 ? std::vector<steady_duration>{10ms}
                                                  : std::vector<steady_duration>{};
        });
        probe_run run(n.table, 1, {.timeout = 100ms, .retry = -2}, 3);
        n.drive(run);
        CHECK(n.departures.size() == 3 + 3 + 2 + 2);
        CHECK(run.report().answered == 1);
        check_law(n, run);
    }
}

TEST_CASE("A round begins when the one before has ended for all") {
    net n(silence);
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = -1, .inter = 40ms}, 2);
    n.drive(run);
    REQUIRE(n.departures.size() == 4);
    CHECK(n.departures[1].at == steady_time(40ms));
    CHECK(n.departures[2].at == steady_time(140ms));
    CHECK(n.departures[3].at == steady_time(180ms));
}

TEST_CASE("A second answer is a duplicate, and with multi one more answer") {
    auto twice = [](departure const&) { return std::vector<steady_duration>{10ms, 20ms}; };
    SECTION("multi off: three answers, three duplicates") {
        net n(twice);
        probe_run run(n.table, 1, {.timeout = 100ms, .inter = 15ms}, 3);
        n.drive(run);
        CHECK(n.now == steady_time(40ms));
        CHECK(n.answers.size() == 3);
        CHECK(run.report().duplicates == 2);
        n.now += 10ms;
        n.deliver(run);  // the last duplicate comes when the run is over
        CHECK(run.report().duplicates == 3);
        CHECK(run.report().answered == 3);
        CHECK(run.report().duration == 40ms);
        check_law(n, run);
    }
    SECTION("multi on: six answers, and the end is the last deadline") {
        net n(twice);
        probe_run run(n.table, 1, {.timeout = 100ms, .inter = 15ms, .multi = true}, 3);
        n.drive(run);
        CHECK(n.now == steady_time(130ms));
        CHECK(n.answers.size() == 6);
        CHECK(run.report().answered == 6);
        CHECK(run.report().duplicates == 0);
        CHECK(run.report().remaining == 0);
        CHECK(run.accounts() == accounting{.probes = 3, .answered = 3});
        check_law(n, run);
    }
}

TEST_CASE("Answers come in the order of their arrival") {
    net n([](departure const& d) { return std::vector<steady_duration>{30ms - d.index * 10ms}; });
    probe_run run(n.table, 1, {.timeout = 100ms}, 3);
    n.drive(run);
    CHECK(indices(n.answers) == std::vector<std::uint64_t>{2, 1, 0});
}

TEST_CASE("sr1 on a set ends at its first answer, not at the timeout as Scapy does, and sends nothing more") {
    net n([](departure const& d) {
        return d.index == 1 ? std::vector<steady_duration>{30ms} : std::vector<steady_duration>{};
    });
    probe_run run(n.table, 1, {.timeout = 1s, .retry = 2, .inter = 20ms, .first = true}, 10);
    n.drive(run);
    CHECK(run.finished());
    CHECK(n.now == steady_time(50ms));
    CHECK(indices(n.answers) == std::vector<std::uint64_t>{1});
    CHECK(n.departures.size() == 3);
    CHECK(run.accounts() == accounting{.probes = 10, .answered = 1, .cancelled = 2, .unsent = 7});
    CHECK(!run.next(n.now + 1s));
    CHECK(run.held() == probe_run::hold::over);
    check_law(n, run);

    // What it had in flight is told from strangers for a while, and is due no more.
    CHECK(run.replied(*n.table.find(key_of(1, 0, 1)), n.now).what == late);
    CHECK(run.replied(*n.table.find(key_of(1, 1, 1)), n.now).what == duplicate);
    CHECK(!n.table.expire(n.now + 10s));
}

TEST_CASE(
    "A late answer to attempt 1 answers the probe with its own round-trip time, 150 ms, where Scapy says "
    "45") {
    net n([](departure const& d) {
        return d.attempt == 1 ? std::vector<steady_duration>{150ms} : std::vector<steady_duration>{};
    });
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = 1}, 1);
    n.drive(run);
    REQUIRE(n.answers.size() == 1);
    CHECK(n.answers[0].verdict.attempt == 1);
    CHECK(n.answers[0].verdict.draw == 1);
    CHECK(!n.answers[0].verdict.ambiguous);
    CHECK(n.answers[0].rtt() == 150ms);
    CHECK(n.now == steady_time(150ms));
    CHECK(run.finished());
    CHECK(n.departures.size() == 2);
    // The second attempt is finished with it: its answer is a duplicate, not late.
    CHECK(run.replied(*n.table.find(key_of(1, 0, 2)), n.now).what == duplicate);
    CHECK(run.replied(*n.table.find(key_of(1, 0, 1)), n.now).what == duplicate);
    check_law(n, run);
}

TEST_CASE("What a run knew of late answers and duplicates, its keys tell when it is gone") {
    net n([](departure const& d) {
        if (d.index == 0 && d.attempt == 1) return std::vector<steady_duration>{150ms};
        return std::vector<steady_duration>{};
    });
    {
        probe_run run(n.table, 1, {.timeout = 100ms, .retry = 1}, 2);
        n.drive(run);
        CHECK(run.accounts() == accounting{.probes = 2, .answered = 1, .timed_out = 1});
    }
    CHECK(stray_kind(*n.table.find(key_of(1, 0, 1))) == duplicate);
    CHECK(stray_kind(*n.table.find(key_of(1, 0, 2))) == duplicate);
    CHECK(stray_kind(*n.table.find(key_of(1, 1, 1))) == late);
    CHECK(stray_kind(*n.table.find(key_of(1, 1, 2))) == late);
}

TEST_CASE("An answer to attempt 2 makes a later one to attempt 1 a duplicate") {
    net n([](departure const& d) { return std::vector<steady_duration>{d.attempt == 1 ? 250ms : 50ms}; });
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = 3}, 1);
    n.drive(run);
    REQUIRE(n.answers.size() == 1);
    CHECK(n.answers[0].verdict.attempt == 2);
    CHECK(n.answers[0].rtt() == 50ms);
    n.now = steady_time(250ms);
    n.deliver(run);
    CHECK(run.report().duplicates == 1);
    CHECK(run.report().late == 0);
    check_law(n, run);
}

TEST_CASE(
    "A fixed identity leaves open which attempt was answered: the first is said, and that it is ambiguous") {
    net n(
        [](departure const& d) {
            return d.attempt == 1 ? std::vector<steady_duration>{150ms} : std::vector<steady_duration>{};
        },
        true);
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = 1}, 1);
    n.drive(run);
    REQUIRE(n.answers.size() == 1);
    CHECK(n.answers[0].verdict.ambiguous);
    CHECK(n.answers[0].verdict.attempt == 1);
    CHECK(n.answers[0].rtt() == 150ms);
    CHECK(run.replied(*n.table.find(key_of(1, 0, 0)), n.now).what == duplicate);
    check_law(n, run);
}

TEST_CASE("An answer after the last deadline is late, and the probe stays unanswered") {
    net n([](departure const& d) {
        return d.index == 0 ? std::vector<steady_duration>{150ms} : std::vector<steady_duration>{350ms};
    });
    probe_run run(n.table, 1, {.timeout = 100ms, .inter = 200ms}, 2);
    n.drive(run);
    CHECK(n.answers.empty());
    CHECK(run.report().late == 1);
    CHECK(numbers(run.unanswered()) == std::vector<std::uint64_t>{0, 1});
    check_law(n, run);
}

TEST_CASE("The timeout counts from each probe's own departure, where Scapy counts from the last") {
    net n(silence);
    probe_run run(n.table, 1, {.timeout = 200ms, .inter = 100ms}, 5);
    std::vector<steady_time> ends;
    while (!run.finished() && n.step(run)) {
        if (run.accounts().timed_out > ends.size()) ends.push_back(n.now);
    }
    REQUIRE(ends.size() == 5);
    CHECK(ends.front() == steady_time(200ms));
    CHECK(ends.back() == steady_time(600ms));  // Scapy: every probe at 700 ms
    check_law(n, run);
}

TEST_CASE(
    "A flood of answers counts one for each probe and ends at the last first one; Scapy counts 37 for "
    "three") {
    net n([](departure const& d) { return std::vector<steady_duration>(12, 10ms + d.index * 1ms); });
    probe_run run(n.table, 1, {.timeout = 500ms}, 3);
    n.drive(run);
    CHECK(run.report().answered == 3);
    CHECK(run.report().duplicates == 33);
    CHECK(n.now == steady_time(12ms));
    check_law(n, run);
}

TEST_CASE("Retries leave before new probes") {
    net n(silence);
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = 1, .window = 2}, 4);
    n.drive(run);
    std::vector<std::uint64_t> order;
    for (auto const& d : n.departures) order.push_back(d.what.index * 10 + d.what.attempt);
    CHECK(order == std::vector<std::uint64_t>{1, 11, 2, 12, 21, 31, 22, 32});
}

TEST_CASE("The window bounds what is in flight, departures not yet told of included") {
    net n(silence);
    probe_run run(n.table, 1, {.timeout = 100ms, .window = 3}, 10);
    auto a = run.next(n.now), b = run.next(n.now), c = run.next(n.now);
    REQUIRE(c);
    CHECK(!run.next(n.now));
    CHECK(run.held() == probe_run::hold::window);
    CHECK(!run.wake_at());
    run.send_failed(*a, errc::no_route);
    CHECK(run.next(n.now));
    n.send(run, *b);
    n.send(run, *c);
    CHECK(!run.next(n.now));
    CHECK(n.table.in_flight() == 2);
}

TEST_CASE("A probe that cannot leave is one outcome among others") {
    net n([](departure const& d) {
        return d.index == 2 ? std::vector<steady_duration>{10ms} : std::vector<steady_duration>{};
    });
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = 1}, 3);
    auto a = run.next(n.now), b = run.next(n.now);
    n.send(run, *b);
    run.send_failed(*a, errc::no_neighbour);
    n.drive(run);
    CHECK(run.accounts() == accounting{.probes = 3, .answered = 1, .timed_out = 1, .send_failed = 1});
    CHECK(run.report().send_errors == 1);
    REQUIRE(run.failures().size() == 1);
    CHECK(run.failures()[0].probe == departure{0, 1});
    CHECK(run.failures()[0].error == errc::no_neighbour);
    CHECK(numbers(run.unanswered()) == std::vector<std::uint64_t>{0, 1});
    CHECK(run.finished());
    CHECK(n.table.admitted() == 0);
}

TEST_CASE("A retry that cannot leave ends its probe, unless an earlier attempt was answered meanwhile") {
    net n(silence);
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = 1}, 1);
    n.step(run);  // attempt 1 leaves and times out
    auto again = run.next(n.now);
    REQUIRE(again == departure{0, 2});
    SECTION("not answered") {
        run.send_failed(*again, errc::interface_down);
        CHECK(run.accounts() == accounting{.probes = 1, .send_failed = 1});
        CHECK(run.replied(*n.table.find(key_of(1, 0, 1)), n.now).what == late);
    }
    SECTION("answered while attempt 2 was leaving") {
        CHECK(run.replied(*n.table.find(key_of(1, 0, 1)), n.now).what == answered);
        CHECK(!run.finished());  // one departure is still to be told of
        run.send_failed(*again, errc::interface_down);
        CHECK(run.accounts() == accounting{.probes = 1, .answered = 1});
    }
    SECTION("answered while attempt 2 was leaving, and that one left") {
        CHECK(run.replied(*n.table.find(key_of(1, 0, 1)), n.now).what == answered);
        n.send(run, *again);
        CHECK(n.table.in_flight() == 0);
        CHECK(run.replied(*n.table.find(key_of(1, 0, 2)), n.now).what == duplicate);
    }
    CHECK(run.finished());
}

TEST_CASE("A probe answered while it waits for its retry is not sent again") {
    net n([](departure const& d) {
        return d.index < 2 && d.attempt == 1 ? std::vector<steady_duration>{120ms}
                                             : std::vector<steady_duration>{};
    });
    for (int retry : {1, -1}) {
        n.departures.clear();
        n.now += 10s;
        bool multi = retry == 1;
        probe_run run(n.table, 1, {.timeout = 100ms, .retry = retry, .multi = multi}, 3);
        auto begin = n.now;
        while (auto d = run.next(n.now)) n.send(run, *d);
        run.pause();  // so that the retries wait
        n.now = begin + 100ms;
        while (auto e = n.table.expire(n.now)) run.expired(*e, n.now);
        n.now = begin + 120ms;
        n.deliver(run);
        CHECK(run.report().answered == 2);
        run.resume();
        n.drive(run);
        // In rounds, the answers came in the second one: the third is earned by them.
        std::uint16_t last = retry == 1 ? 2 : 3;
        CHECK(n.departures.size() == 2u + last);
        CHECK(n.departures.back().what == departure{2, last});
        CHECK(run.accounts() == accounting{.probes = 3, .answered = 2, .timed_out = 1});
        check_law(n, run);
    }
}

TEST_CASE("With multi, a retried probe takes answers to each attempt until its last deadline") {
    net n([](departure const& d) {
        if (d.attempt == 1) return std::vector<steady_duration>{110ms, 150ms, 220ms};
        return std::vector<steady_duration>{30ms, 105ms};
    });
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = 5, .multi = true}, 1);
    n.drive(run);
    CHECK(n.departures.size() == 2);  // answered: no third attempt
    CHECK(n.now == steady_time(200ms));
    std::vector<int> attempts;
    for (auto const& a : n.answers) attempts.push_back(a.verdict.attempt);
    CHECK(attempts == std::vector<int>{1, 2, 1});
    n.now = steady_time(220ms);
    n.deliver(run);
    CHECK(run.report().late == 2);
    CHECK(run.accounts() == accounting{.probes = 1, .answered = 1});
    check_law(n, run);
}

TEST_CASE("A paused run sends nothing, and its deadlines go on") {
    net n(silence);
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = 1, .inter = 10ms}, 5);
    n.step(run);
    n.step(run);
    auto sent = n.departures.size();
    run.pause();
    CHECK(run.held() == probe_run::hold::paused);
    CHECK(!run.wake_at());
    while (n.step(run)) {
    }
    CHECK(n.departures.size() == sent);
    CHECK(n.table.in_flight() == 0);
    CHECK(!run.finished());
    run.resume();
    n.drive(run);
    CHECK(n.departures.size() == 10);
    check_law(n, run);
}

TEST_CASE("A set of unknown size goes on until its source ends") {
    net n([](departure const&) { return std::vector<steady_duration>{1ms}; });
    probe_run run(n.table, 1, {.timeout = 100ms, .inter = 10ms});
    for (int i = 0; i < 20; ++i) n.step(run);
    CHECK(!run.finished());
    auto handed_out = n.departures.size();
    CHECK(run.accounts().probes == handed_out);
    SECTION("it ends where it stands") {
        run.source_ended(handed_out);
        n.drive(run);
        CHECK(run.finished());
        CHECK(run.accounts().answered == handed_out);
    }
    SECTION("it ends before a departure that was handed out") {
        n.now += 10ms;
        auto beyond = run.next(n.now);
        REQUIRE(beyond);
        run.source_ended(handed_out);
        n.drive(run);
        CHECK(run.finished());
        CHECK(run.accounts() == accounting{.probes = handed_out, .answered = handed_out});
    }
    check_law(n, run);
}

TEST_CASE("An empty set is finished before it begins") {
    net n(silence);
    probe_run run(n.table, 1, {}, 0);
    CHECK(run.finished());
    CHECK(!run.next(n.now));
    CHECK(run.report() == report{});
}

TEST_CASE("Without a timeout a probe waits for ever, and only for its answer") {
    net n([](departure const&) { return std::vector<steady_duration>{72h}; });
    for (auto timeout : {no_timeout, steady_duration(-1)}) {
        probe_run run(n.table, 1, {.timeout = timeout}, 1);
        auto d = run.next(n.now);
        n.send(run, *d);
        CHECK(!n.table.next_deadline());
        n.drive(run);
        CHECK(run.report().answered == 1);
        CHECK(run.report().duration == 72h);
    }
}

TEST_CASE("Cancelling is exact: nothing is due, found or at rest any more") {
    net n([](departure const& d) {
        return d.index < 2 ? std::vector<steady_duration>{d.index * 10ms} : std::vector<steady_duration>{};
    });
    probe_run run(n.table, 1, {.timeout = 100ms, .retry = 2}, 6);
    n.step(run);
    auto other = n.table.open(99, 1s, 1s);
    REQUIRE(!n.table.admit());
    n.table.insert(other, key_of(2, 0, 0), 0, 1, 0, n.now, stamp(n.now));
    REQUIRE(n.table.in_flight() == 6);
    SECTION("with a departure in hand") {
        n.now += 100ms;
        n.deliver(run);
        while (auto e = n.table.expire(n.now)) run.expired(*e, n.now);
        auto d = run.next(n.now);
        REQUIRE(d);
        run.cancel();
        n.send(run, *d);  // it left all the same: counted, and forgotten
        CHECK(run.accounts() == accounting{.probes = 6, .answered = 2, .cancelled = 4});
        CHECK(run.report().sent == 7);
    }
    SECTION("with answers at rest") {
        run.cancel();
        CHECK(run.accounts() == accounting{.probes = 6, .answered = 1, .cancelled = 5});
    }
    CHECK(run.finished());
    for (std::uint64_t i = 0; i < 6; ++i) CHECK(!n.table.find(key_of(1, i, 1)));
    CHECK(n.table.in_flight() == 1);
    CHECK(n.table.at_rest() == 0);
    CHECK(n.table.next_deadline() == steady_time(1s));
    CHECK(!run.next(n.now + 1h));
    CHECK(n.table.find(key_of(2, 0, 0))->user == 99);
    n.table.cancel(other);
    check_law(n, run);
    CHECK(n.table.empty());
}

TEST_CASE(
    "Destroying a run cancels it; a finished one leaves its keys at rest for the network to recognise") {
    net n([](departure const& d) {
        return d.index == 0 ? std::vector<steady_duration>{10ms} : std::vector<steady_duration>{};
    });
    {
        probe_run run(n.table, 1, {.timeout = 100ms}, 2);
        n.step(run);
    }
    CHECK(n.table.empty());
    {
        probe_run run(n.table, 1, {.timeout = 100ms}, 2);
        n.drive(run);
    }
    CHECK(n.table.in_flight() == 0);
    REQUIRE(n.table.at_rest() == 2);
    auto found = n.table.find(key_of(1, 0, 1));
    REQUIRE(found);
    CHECK(found->user == 0);
    CHECK(stray_kind(*found) == duplicate);
    CHECK(stray_kind(*n.table.find(key_of(1, 1, 1))) == late);
}

TEST_CASE("A full table holds a run back without an error, and an answer of another run lets it go on") {
    probe_table table(table_limits{.probes = 2});
    probe_run a(table, 1, {}, 2), b(table, 2, {}, 1);
    steady_time now{};
    for (int i = 0; i < 2; ++i) {
        auto d = a.next(now);
        REQUIRE(d);
        a.departed(*d, key_of(1, d->index, 1), now, stamp(now));
    }
    CHECK(!b.next(now));
    CHECK(b.held() == probe_run::hold::table);
    CHECK(!b.wake_at());
    a.replied(*table.find(key_of(1, 0, 1)), now);
    CHECK(b.next(now) == departure{0, 1});
}

TEST_CASE("A run may forget who did not answer") {
    net n(silence);
    probe_run run(n.table, 1, {.timeout = 100ms, .keep_unanswered = false}, 3);
    n.drive(run);
    CHECK(run.unanswered().empty());
    CHECK(run.report().remaining == 3);
}
