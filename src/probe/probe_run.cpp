#include <sonde/probe/probe_run.hpp>

#include <algorithm>
#include <utility>

namespace sonde::inline v0 {
namespace {

constexpr std::size_t kept_failures = 4096;
constexpr std::uint16_t last_attempt = 65535;

steady_duration rest_of(run_options const& options) {
    using namespace std::chrono_literals;
    if (options.rest >= steady_duration::zero()) return options.rest;
    if (options.timeout.is_adaptive()) return 10s;  // the estimate may be far too short
    return std::clamp<steady_duration>(options.timeout, 2s, 60s);
}

run_options checked(run_options options) {
    if (!options.timeout.is_adaptive() && options.timeout < steady_duration::zero())
        options.timeout = no_timeout;
    options.window = std::max(options.window, 1u);
    return options;
}

std::uint32_t magnitude(int n) {
    return n < 0 ? 0u - static_cast<std::uint32_t>(n) : static_cast<std::uint32_t>(n);
}

}  // namespace

probe_run::probe_run(probe_table& table, std::uintptr_t user, run_options const& options,
                     std::optional<std::uint64_t> count, rtt_table* rtts)
    : table_(table),
      options_(checked(options)),
      owner_(table.open(user, options_.timeout.is_adaptive() ? no_timeout : options_.timeout,
                        rest_of(options_))),
      rtts_(rtts),
      count_(count) {
    if (options.inter > steady_duration::zero() || options.rate > 0 || options.bit_rate > 0)
        pacing_ = std::make_unique<pacing>(pacing{pacer(options.inter, options.rate, options.bit_rate)});
    if (options.rate.is_adaptive()) set_rate(adaptive);
    if (options.follow) progress_ = std::make_unique<detail::progress>();
    end_if_done();
}

probe_run::~probe_run() {
    if (!finished_) cancel();
    if (!cancelled_) table_.close(owner_);
}

// Sending

bool probe_run::has_next() const noexcept {
    return has_due() || !count_ || next_index_ < *count_;
}

probe_run::hold probe_run::held() const noexcept {
    if (finished_) return hold::over;
    if (!has_next()) return hold::answers;
    if (paused_) return hold::paused;
    if (table_.in_flight(owner_) + leaving_ >= options_.window) return hold::window;
    if (!table_.has_room()) return hold::table;
    return hold::none;
}

std::optional<steady_time> probe_run::wake_at() const noexcept {
    if (held() != hold::none) return {};
    return pace();
}

std::optional<departure> probe_run::next(steady_time now) {
    if (finished_) return {};
    if (!began_) began_ = now;
    latest_ = std::max(latest_, now);
    if (held() != hold::none || pace() > now || table_.admit()) return {};
    if (pacing_) pacing_->pace.left(now);
    ++leaving_;
    if (!has_due()) {
        ++accounts_.open;
        return departure{next_index_++, 1};
    }
    auto index = retrying_->due[retrying_->due_next++];
    auto& probe = *find_retried(index);
    probe.now = retried::phase::leaving;
    skip_answered();
    return departure{index, static_cast<std::uint16_t>(probe.attempt + 1)};
}

void probe_run::departed(departure const& probe, match_key const& key, steady_time now, timestamp sent,
                         std::uint32_t draw, std::optional<ip_address> const& destination) {
    ++report_.sent;
    if (probe.attempt > 1) ++report_.retries;
    if (finished_) return;
    latest_ = std::max(latest_, now);
    auto timeout = timeout_of(probe.attempt, destination);
    auto slot = table_.insert(owner_, key, probe.index, probe.attempt, draw, now, sent, timeout);
    --leaving_;
    if (auto* c = control()) {
        c->left(now, sent, timeout.value_or(options_.timeout));
        follow_control();
    }
    if (probe.attempt == 1) return;
    auto* again = find_retried(probe.index);
    if (!again) {  // an earlier attempt was answered while this one was leaving
        table_.settle(slot, attempt_state::answered, now);
        return end_if_done();
    }
    if (again->answered) table_.collect(slot);
    again->slot = slot;
    again->attempt = probe.attempt;
    again->now = retried::phase::in_flight;
}

std::optional<steady_duration> probe_run::timeout_of(std::uint16_t attempt,
                                                     std::optional<ip_address> const& destination) const {
    if (!options_.timeout.is_adaptive()) return {};
    static rtt_table const untold;
    return (rtts_ ? *rtts_ : untold).timeout(destination, attempt);
}

void probe_run::set_rate(rate_option rate) {
    options_.rate = rate;
    limits().control.reset();
    if (rate.is_adaptive()) limits().control.emplace();
    limits().pace.set_rate(this->rate());
}

probe_run::pacing& probe_run::limits() {
    if (!pacing_) pacing_ = std::make_unique<pacing>();
    return *pacing_;
}

void probe_run::congested() noexcept {
    auto* c = control();
    if (!c) return;
    c->congested();
    follow_control();
}

void probe_run::send_failed(departure const& probe, error_code error) {
    ++report_.send_errors;
    if (failures_.size() < kept_failures) failures_.push_back({probe, error});
    if (finished_) return;
    --leaving_;
    table_.withdraw(1);
    auto const* again = find_retried(probe.index);
    bool answered = probe.attempt > 1 && (!again || again->answered);
    forget_retried(probe.index);
    if (!answered) {
        ++accounts_.send_failed;
        ended({.what = probe_end::kind::send_failed,
               .attempt = probe.attempt,
               .index = probe.index,
               .error = error});
    }
    end_if_done();
}

void probe_run::source_ended(std::uint64_t count) {
    if (finished_) return;
    count_ = count;
    if (next_index_ > count) {
        auto beyond = static_cast<std::uint32_t>(next_index_ - count);
        next_index_ = count;
        leaving_ -= beyond;
        accounts_.open -= beyond;
        table_.withdraw(beyond);
    }
    end_if_done();
}

// Receiving

verdict probe_run::replied(attempt_info const& found, steady_time now, std::optional<arrival> const& came) {
    ++report_.received;
    if (!finished_) latest_ = std::max(latest_, now);
    bool in_flight = found.state == attempt_state::in_flight || found.state == attempt_state::collecting;
    auto result = in_flight && !finished_ ? answer(found, now) : answer_at_rest(found, now);
    if (came && rtts_ && options_.timeout.is_adaptive()) measure(found, result, *came, now);
    switch (result.what) {
        case verdict::kind::answered: ++report_.answered; break;
        case verdict::kind::duplicate: ++report_.duplicates; break;
        case verdict::kind::late: ++report_.late; break;
    }
    end_if_done();
    return result;
}

namespace {

verdict verdict_on(attempt_info const& found, verdict::kind what) {
    return {
        .what = what, .attempt = found.attempt, .index = found.index, .draw = found.draw, .sent = found.sent};
}

}  // namespace

// To an attempt that is in flight: an answer, whatever became of attempts before it.
verdict probe_run::answer(attempt_info found, steady_time now) {
    auto twin = found.attempt > 1 ? table_.twin(found.slot) : std::nullopt;
    auto result = verdict_on(twin ? *twin : found, verdict::kind::answered);
    result.ambiguous = twin.has_value();
    auto* again = found.attempt > 1 ? find_retried(found.index) : nullptr;
    if (found.state == attempt_state::in_flight) {
        first_answer(found.index);
        if (auto* c = twin ? nullptr : control()) {
            if (again && !again->answered) c->lost(again->silent_since);
            c->answered();
            follow_control();
        }
    }
    if (again) {
        finish_retried(found.index, *again, now);
    } else if (options_.multi) {
        table_.collect(found.slot);
    } else {
        table_.settle(found.slot, attempt_state::answered, now);
    }
    return result;
}

// Of several answers to one attempt the first tells how long it took. One to an attempt at rest tells it for
// the first attempt only: later ones may have a twin that is forgotten.
void probe_run::measure(attempt_info const& found, verdict const& result, arrival const& came,
                        steady_time now) {
    bool first = found.state == attempt_state::in_flight ||
                 (found.state == attempt_state::timed_out && found.attempt == 1);
    if (first && !result.ambiguous) rtts_->sample(came.destination, came.at - found.sent, now);
}

// To an attempt that had timed out, or had its answer before.
verdict probe_run::answer_at_rest(attempt_info const& found, steady_time now) {
    if (auto* again = finished_ ? nullptr : find_retried(found.index)) {
        bool first = !again->answered;
        table_.mark_answered(found.slot);
        if (first) first_answer(found.index);
        finish_retried(found.index, *again, now);
        return verdict_on(found, verdict::kind::answered);
    }
    if (options_.multi) return verdict_on(found, verdict::kind::late);
    bool answered =
        found.state == attempt_state::answered || (retrying_ && retrying_->settled.contains(found.index));
    return verdict_on(found, answered ? verdict::kind::duplicate : verdict::kind::late);
}

void probe_run::first_answer(std::uint64_t index) {
    ++accounts_.answered;
    --accounts_.open;
    round_answered_ = true;
    if (progress_) progress_->done(index);
}

void probe_run::ended(probe_end const& how) {
    --accounts_.open;
    if (options_.keep_unanswered) unanswered_.insert(how.index);
    if (progress_) progress_->done(how.index);
    if (options_.tell_ends) ends_.push_back(how);
}

// A retried probe has an answer: it is not sent again. What of it is in flight rests, or with multi waits for
// more.
void probe_run::finish_retried(std::uint64_t index, retried& probe, steady_time now) {
    retrying_->settled.insert(index);
    if (options_.multi && probe.now != retried::phase::waiting) {
        probe.answered = true;
        if (probe.now == retried::phase::in_flight) table_.collect(probe.slot);
        return;
    }
    if (probe.now == retried::phase::in_flight) table_.settle(probe.slot, attempt_state::answered, now);
    forget_retried(index);
    skip_answered();
}

void probe_run::expired(attempt_info const& attempt, steady_time now) {
    if (finished_) return;
    latest_ = std::max(latest_, now);
    if (attempt.state == attempt_state::answered) {
        forget_retried(attempt.index);
    } else if (may_retry(attempt.attempt)) {
        wait_for_retry(attempt);
    } else {
        give_up(
            {.attempt = attempt.attempt, .index = attempt.index, .draw = attempt.draw, .sent = attempt.sent});
    }
    end_if_done();
}

// Sending again

bool probe_run::may_retry(std::uint16_t attempt) const noexcept {
    return attempt < last_attempt && (options_.retry < 0 || attempt <= magnitude(options_.retry));
}

probe_run::retried* probe_run::find_retried(std::uint64_t index) const noexcept {
    if (!retrying_) return nullptr;
    auto at = retrying_->probes.find(index);
    return at == retrying_->probes.end() ? nullptr : &at->second;
}

void probe_run::forget_retried(std::uint64_t index) noexcept {
    if (retrying_) retrying_->probes.erase(index);
}

void probe_run::wait_for_retry(attempt_info const& attempt) {
    if (!retrying_) retrying_ = std::make_unique<retrying>();
    retrying_->probes[attempt.index] = {.slot = detail::no_slot,
                                        .draw = attempt.draw,
                                        .attempt = attempt.attempt,
                                        .now = retried::phase::waiting,
                                        .answered = false,
                                        .silent_since = attempt.sent};
    (options_.retry < 0 ? retrying_->next_round : retrying_->due).push_back(attempt.index);
}

void probe_run::give_up(probe_end const& how) {
    forget_retried(how.index);
    ++accounts_.timed_out;
    ended(how);
}

bool probe_run::waiting(std::uint64_t index) const {
    auto const* again = find_retried(index);
    return again && again->now == retried::phase::waiting;
}

// Keeps the front of `due` a probe that is to be sent, and its memory in proportion to what waits.
void probe_run::skip_answered() noexcept {
    auto& [probes, due, next, next_round, settled] = *retrying_;
    while (next < due.size() && !waiting(due[next])) ++next;
    if (next == due.size() || next > due.size() / 2) {
        due.erase(due.begin(), due.begin() + static_cast<std::ptrdiff_t>(next));
        next = 0;
    }
}

// Ending

void probe_run::end_if_done() {
    if (finished_) return;
    if (options_.first && accounts_.answered > 0) {
        table_.abandon(owner_);
        return finish();
    }
    if (has_next() || leaving_ > 0 || table_.in_flight(owner_) > 0) return;
    if (!begin_round()) finish();
}

// The round is over, and `next_round` holds what it left unanswered. The first round counts as none of the
// |n|.
bool probe_run::begin_round() {
    if (!retrying_) return false;
    auto& next_round = retrying_->next_round;
    std::erase_if(next_round, [&](std::uint64_t index) { return !waiting(index); });
    if (next_round.empty()) return false;
    if (round_answered_) {
        idle_rounds_ = 0;
    } else if (!first_round_) {
        ++idle_rounds_;
    }
    first_round_ = round_answered_ = false;
    if (idle_rounds_ >= magnitude(options_.retry)) {
        for (auto index : next_round) {
            auto const& probe = *find_retried(index);
            give_up(
                {.attempt = probe.attempt, .index = index, .draw = probe.draw, .sent = probe.silent_since});
        }
        next_round.clear();
        return false;
    }
    std::swap(retrying_->due, next_round);
    next_round.clear();
    retrying_->due_next = 0;
    return true;
}

void probe_run::stop() {
    if (finished_) return;
    if (progress_)
        progress_->each_open(next_index_, [&](std::uint64_t index) {
            auto const* again = find_retried(index);
            auto attempt = again ? again->attempt : std::uint16_t{1};
            if (options_.keep_unanswered) unanswered_.insert(index);
            if (options_.tell_ends)
                ends_.push_back({.what = probe_end::kind::cancelled, .attempt = attempt, .index = index});
        });
    table_.abandon(owner_);
    finish();
}

void probe_run::cancel() noexcept {
    if (finished_) return;
    finish();
    table_.cancel(owner_);
    cancelled_ = true;
}

void probe_run::finish() noexcept {
    finished_ = true;
    table_.withdraw(std::exchange(leaving_, 0));
    accounts_.cancelled += std::exchange(accounts_.open, 0);
    if (retrying_) *retrying_ = {.settled = std::move(retrying_->settled)};
}

// Results

accounting probe_run::accounts() const noexcept {
    auto result = accounts_;
    result.probes = count_.value_or(next_index_);
    result.unsent = result.probes - next_index_;
    return result;
}

report probe_run::report() const noexcept {
    auto result = report_;
    result.remaining = count_.value_or(next_index_) - accounts_.answered;
    if (began_) result.duration = latest_ - *began_;
    if (!failures_.empty()) result.first_error = failures_.front().error;
    return result;
}

}  // namespace sonde::inline v0
