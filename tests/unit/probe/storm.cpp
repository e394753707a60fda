// Property test: several runs share a table while everything that can happen happens in a random order. A
// model that knows nothing of slots, rings and queues says after each step what must hold.
#include "support/catch.hpp"
#include "unit/probe/support.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <random>

using namespace sonde;
using namespace virtual_net;

namespace {

constexpr auto rest_time = 300ms;

enum class phase { leaving, in_flight, waiting, done };

struct model_probe {
    phase now = phase::leaving;
    bool answered = false, failed = false;
    std::map<std::uint16_t, steady_time> sent, ended;  // by attempt

    bool open() const { return now != phase::done && !answered; }
};

struct model_run {
    std::size_t number = 0;
    run_options options;
    std::uint64_t count = 0;
    bool source_open = false;  // the run does not yet know count
    bool fixed = false;        // every attempt at a probe has the same key
    bool cancelled = false;
    std::unique_ptr<probe_run> run;
    std::map<std::uint64_t, model_probe> probes;
    std::vector<departure> leaving;
    std::uint64_t answers = 0, sent = 0, send_errors = 0;

    bool live() const { return run && !run->finished(); }
    match_key key(std::uint64_t index, std::uint16_t attempt) const {
        return key_of(number, index, fixed ? 0 : attempt);
    }
    template <class Which>
    std::uint64_t probes_that(Which which) const {
        return static_cast<std::uint64_t>(
            std::count_if(probes.begin(), probes.end(), [&](auto const& p) { return which(p.second); }));
    }
};

struct reply {
    model_run* run;
    std::uint64_t index;
    std::uint16_t attempt;
};

class storm {
public:
    explicit storm(unsigned seed) : random_(seed) {
        for (std::size_t i = 0; i < runs_.size(); ++i) begin(runs_[i], i + 1);
    }

    void go() {
        for (int step = 0; step < 2000; ++step) {
            auto& r = runs_[pick(runs_.size())];
            switch (pick(11)) {
                case 0:
                case 1:
                case 2:
                case 3: depart(r); break;
                case 4:
                case 5:
                case 6: tell(r); break;
                case 7:
                case 8:
                case 9: pass_time(); break;
                default: interfere(r); break;
            }
            if (step % 5 == 0) check();
        }
        for (auto& r : runs_) finish(r);
        check();
        for (auto& r : runs_) {
            check_end(r);
            r.run.reset();
        }
        now_ += 10s;
        CHECK(table_.admitted() == 0);
        CHECK(!table_.next_deadline());
        CHECK(!table_.expire(now_));
        table_.forget(now_);
        CHECK(table_.empty());
    }

private:
    std::size_t pick(std::size_t n) { return random_() % n; }

    void begin(model_run& r, std::size_t number) {
        r.number = number;
        r.options.timeout = 1ms * (20 + 20 * pick(3));
        r.options.retry = std::array{0, 0, 1, 3, -1, -2}[pick(6)];
        r.options.multi = pick(4) == 0;
        r.options.first = pick(8) == 0;
        r.options.window = static_cast<std::uint32_t>(1 + pick(30));
        r.options.inter = pick(3) == 0 ? 1ms : 0ms;
        r.options.rest = rest_time;
        r.fixed = pick(6) == 0;
        r.source_open = pick(3) == 0;
        r.count = pick(60);
        auto count = r.source_open ? std::nullopt : std::optional(r.count);
        r.run = std::make_unique<probe_run>(table_, number, r.options, count);
    }

    void depart(model_run& r) {
        if (!r.run) return;
        auto d = r.run->next(now_);
        if (!d) return;
        if (r.source_open && d->index >= r.count) {
            r.source_open = false;
            r.run->source_ended(r.count);
            return;
        }
        auto& p = r.probes[d->index];
        CHECK((d->attempt == 1 ? p.sent.empty() : p.now == phase::waiting));
        CHECK(!p.answered);
        CHECK(d->attempt == p.sent.size() + 1);
        p.now = phase::leaving;
        r.leaving.push_back(*d);
    }

    void tell(model_run& r) {
        if (r.leaving.empty()) return;
        std::swap(r.leaving[pick(r.leaving.size())], r.leaving.back());
        auto d = r.leaving.back();
        r.leaving.pop_back();
        auto& p = r.probes[d.index];
        bool live = r.live();
        if (pick(20) == 0) {
            r.run->send_failed(d, errc::no_route);
            ++r.send_errors;
            p.failed = live && !p.answered;
            p.now = phase::done;
            return;
        }
        r.run->departed(d, r.key(d.index, d.attempt), now_, stamp(now_));
        ++r.sent;
        if (!live) return;
        p.sent[d.attempt] = now_;
        p.now = p.answered && !r.options.multi ? phase::done : phase::in_flight;
        if (p.now == phase::done) p.ended[d.attempt] = now_;
        for (auto n = pick(4); n > 1;
             --n) {  // up to two replies, some after the timeout, some after the rest
            replies_.emplace(now_ + 1ms * pick(pick(10) ? 100 : 600), reply{&r, d.index, d.attempt});
        }
    }

    void pass_time() {
        now_ += 1ms * pick(10);
        while (!replies_.empty() && replies_.begin()->first <= now_) {
            auto packet = replies_.begin()->second;
            replies_.erase(replies_.begin());
            receive(packet);
        }
        while (auto a = table_.expire(now_)) expire(*a);
    }

    void receive(reply const& packet) {
        auto& r = *packet.run;
        auto& p = r.probes[packet.index];
        auto found = table_.find(r.key(packet.index, packet.attempt));
        if (r.cancelled) {
            CHECK(!found);
        } else if (!found) {
            if (!r.fixed) CHECK(now_ >= p.ended.at(packet.attempt) + rest_time);
        } else {
            CHECK(found->index == packet.index);
            CHECK(found->sent == stamp(p.sent.at(found->attempt)));
            CHECK((r.fixed || found->attempt == packet.attempt));
            CHECK(found->user == (r.run ? r.number : 0));
            if (r.run) judge(r, p, *found);
        }
    }

    void judge(model_run& r, model_probe& p, attempt_info const& found) {
        bool wanted = r.live() && p.now != phase::done && (r.options.multi || !p.answered);
        auto v = r.run->replied(found, now_);
        CHECK(v.what == (wanted                           ? verdict::kind::answered
                         : p.answered && !r.options.multi ? verdict::kind::duplicate
                                                          : verdict::kind::late));
        CHECK(v.sent == stamp(p.sent.at(v.attempt)));
        CHECK((r.fixed || !v.ambiguous));
        if (!wanted) return;
        ++r.answers;
        p.answered = true;
        if (p.now == phase::in_flight && !r.options.multi) {
            p.ended[p.sent.rbegin()->first] = now_;
            p.now = phase::done;
        }
        if (p.now == phase::waiting) p.now = phase::done;
        if (r.options.first) abandoned(r);
    }

    void abandoned(model_run& r) {
        CHECK(r.run->finished());
        for (auto& [index, p] : r.probes) {
            if (p.now == phase::in_flight) p.ended[p.sent.rbegin()->first] = now_;
        }
    }

    void expire(attempt_info const& a) {
        auto& r = runs_[a.user - 1];
        auto& p = r.probes[a.index];
        CHECK(p.now == phase::in_flight);
        CHECK(now_ >= p.sent.at(a.attempt) + r.options.timeout);
        CHECK((a.state == attempt_state::answered) == p.answered);
        p.ended[a.attempt] = now_;
        bool again = r.options.retry < 0 || a.attempt <= r.options.retry;
        p.now = !p.answered && again ? phase::waiting : phase::done;
        r.run->expired(a, now_);
    }

    void interfere(model_run& r) {
        if (!r.run) return;
        switch (pick(40)) {
            case 0: cancel(r); break;
            case 1:
                if (r.live()) cancel(r);
                r.run.reset();
                r.leaving.clear();
                break;
            case 2:
            case 3:
            case 4:
            case 5: r.run->pause(); break;
            default: r.run->resume(); break;
        }
    }

    void cancel(model_run& r) {
        r.cancelled = r.cancelled || r.live();
        r.run->cancel();
    }

    void finish(model_run& r) {
        if (r.run) r.run->resume();
        for (int turn = 0; r.live(); ++turn) {
            REQUIRE(turn < 100'000);
            depart(r);
            tell(r);
            if (pick(3) == 0) pass_time();
        }
        while (!r.leaving.empty()) tell(r);
    }

    void check() {
        std::uint64_t in_flight = 0;
        for (auto const& r : runs_) {
            if (!r.run) continue;
            auto a = r.run->accounts();
            auto n = r.run->report();
            CHECK(a.holds());
            CHECK(a.answered == r.probes_that([](auto const& p) { return p.answered; }));
            CHECK(a.send_failed == r.probes_that([](auto const& p) { return p.failed; }));
            CHECK(n.received == n.answered + n.duplicates + n.late);
            CHECK(n.answered == r.answers);
            CHECK(n.sent == r.sent);
            CHECK(n.send_errors == r.send_errors);
            if (!r.live()) continue;
            CHECK(a.open == r.probes_that([](auto const& p) { return p.open(); }));
            in_flight += r.probes_that([](auto const& p) { return p.now == phase::in_flight; });
        }
        CHECK(table_.in_flight() == in_flight);
    }

    void check_end(model_run const& r) {
        if (!r.run) return;
        auto a = r.run->accounts();
        CHECK(a.open == 0);
        CHECK(a.holds());
        if (r.cancelled || r.options.first) return;
        CHECK(a.unsent == 0);
        CHECK(a.cancelled == 0);
        CHECK(a.probes == r.count);
        CHECK(r.run->unanswered().size() == a.timed_out + a.send_failed);
        for (auto const& [index, p] : r.probes) {
            CHECK(r.run->unanswered().contains(index) == !p.answered);
            if (!p.answered && !p.failed && r.options.retry >= 0) {
                CHECK(static_cast<int>(p.sent.size()) == r.options.retry + 1);
            }
        }
    }

    std::mt19937 random_;
    steady_time now_{};
    probe_table table_{table_limits{.probes = 100, .rests = 1u << 16}};
    std::array<model_run, 6> runs_;
    std::multimap<steady_time, reply> replies_;
};

}  // namespace

TEST_CASE(
    "Whatever happens to runs that share a table, the accounting law holds and nothing is left behind") {
    for (unsigned seed = 1; seed <= 60; ++seed) {
        INFO("seed " << seed);
        storm(seed).go();
    }
}
