#include "prober.hpp"

#include <algorithm>

// What the consumer gets, and when.
namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t queue_limit =
    1024;  // answers that wait for a slow consumer before its probes stop leaving
constexpr std::uint64_t statistics_limit = 65536;

}  // namespace

void prober::push(item&& next) {
    if (queue_.full()) queue_.set_capacity(std::max<std::size_t>(1, 2 * queue_.size()));
    queue_.push_back(std::move(next));
    if (is_queue_full() && run_) run_->pause();
}

/// For who reads it one by one.
bool prober::is_queue_full() const {
    return queue_.size() >= queue_limit && !collecting_;
}

/// Probes that ended without an answer, in that order; srloop tells of them at the end of the round.
void prober::take_ends() {
    if (!what_.unanswered || !run_) return;
    for (auto const& end : run_->take_ends()) push({end.index, end});
}

probe_statistics* prober::statistics_of(std::uint64_t index) {
    if (what_.rounds == 0 || index >= statistics_limit) return nullptr;
    auto& all = tally_->statistics;
    if (index >= all.size()) all.resize(index + 1);
    return &all[index];
}

/// A packet that could not be made is empty: its probe says why.
exchange prober::silent(probe_end const& end) const {
    exchange x(packet(), packet(), end.attempt, round_);
    x.index = end.index;
    try {
        x.sent = as_it_left(end);
    } catch (std::bad_alloc const&) {
        throw;
    } catch (...) {  // whatever a view throws
        x.sent = packet();
    }
    if (end.what == probe_end::kind::send_failed) x.failure = end.error;
    if (end.what == probe_end::kind::cancelled) x.failure = asio::error::operation_aborted;
    return x;
}

packet prober::as_it_left(probe_end const& end) const {
    if (end.sent == timestamp()) return make(end.index, std::max<std::uint16_t>(end.attempt, 1));
    attempt_info attempt{.index = end.index, .attempt = end.attempt, .draw = end.draw, .sent = end.sent};
    std::optional<ip_address> own;
    if (sources_.size() > 1) {
        auto destination = rebuild(attempt, {}).destination();
        auto route = destination ? engine_->system().route_to(*destination, what_.interface, engine_->now())
                                 : boost::system::result<sonde::route>(make_error_code(errc::no_route));
        if (route) own = route->source;
    }
    auto p = rebuild(attempt, own).to_packet();
    p.time = end.sent;
    return p;
}

/// The queue has room again, or the consumer wants to go on.
void prober::go_on() {
    if (paused_ || !engaged_ || closed_) return;
    if (run_) run_->resume();
    engine_->ready(*this);
}

void prober::pause() {
    paused_ = true;
    if (run_) run_->pause();
}

void prober::resume() {
    if (!std::exchange(paused_, false)) return;
    if (!is_queue_full()) go_on();
}

void prober::stop() {
    if (closed_) return;
    started_ = stopping_ = true;
    if (run_)
        run_->stop();
    else
        close({});
    engine_->ready(*this);
}

std::uint64_t prober::cursor() const {
    if (last_cursor_) return *last_cursor_;
    auto first = run_ ? run_->cursor() : 0;
    for (auto const& i : queue_) first = std::min(first, i.index);
    return first;
}

std::optional<exchange> prober::try_next() {
    std::optional<exchange> next;
    if (queue_.empty()) return next;
    if (auto* answered = std::get_if<exchange>(&queue_.front().what))
        next.emplace(std::move(*answered));
    else
        next.emplace(silent(std::get<probe_end>(queue_.front().what)));
    queue_.pop_front();
    if (queue_.size() == queue_limit / 2) go_on();
    return next;
}

void prober::deliver() {
    if (waiting_ && !queue_.empty())
        deliver_next();
    else if (waiting_ && closed_)
        complete(std::move(waiting_), std::exchange(end_told_, true) ? error_code() : end_,
                 std::optional<exchange>());
    else if (collecting_ && closed_)
        deliver_all();
}

/// What there is no memory for stays in the queue.
void prober::deliver_next() {
    std::optional<exchange> next;
    engine_->contain(*this, [&] { next = try_next(); });
    complete(std::move(waiting_), next ? error_code() : std::exchange(broken_, {}), std::move(next));
}

void prober::deliver_all() {
    collected all;
    engine_->contain(*this, [&] {
        bool const is_loop = what_.rounds != 0;
        if (!is_loop) all.unanswered = unanswered();
        for (auto& i : queue_)
            if (auto* x = std::get_if<exchange>(&i.what); x && x->answered())
                all.answered.push_back(std::move(*x));
            else if (is_loop)
                all.unanswered.push_back(x ? std::move(x->sent) : silent(std::get<probe_end>(i.what)).sent);
    });
    queue_.set_capacity(0);
    auto ec = std::exchange(end_told_, true) ? error_code() : end_;
    if (broken_) ec = std::exchange(broken_, {});
    complete(std::move(collecting_), ec, std::move(all));
}

void prober::start_next(waiting_ptr<std::optional<exchange>> op) {
    if (waiting_ || collecting_)
        return complete_later(engine_->executor(), std::move(op), errc::already_running);
    waiting_ = std::move(op);
    engine_->contain(*this, [&] { start(); });
    engine_->ready(*this);
}

void prober::start_collect(waiting_ptr<collected> op) {
    if (waiting_ || collecting_)
        return complete_later(engine_->executor(), std::move(op), errc::already_running);
    collecting_ = std::move(op);
    engine_->contain(*this, [&] {
        start();
        go_on();
    });
    engine_->ready(*this);
}

void prober::cancel_next(void const* signal) {
    if (waiting_ && waiting_->cancelled_by == signal) abort_next();
}

void prober::cancel_collect(void const* signal) {
    if (collecting_ && collecting_->cancelled_by == signal) abort_collect();
}

void prober::abort_next() {
    if (waiting_) complete_later(engine_->executor(), std::move(waiting_), asio::error::operation_aborted);
}

void prober::abort_collect() {
    if (!collecting_) return;
    // What was gathered is not lost: it can be read on.
    complete_later(engine_->executor(), std::move(collecting_), asio::error::operation_aborted);
}

}  // namespace sonde::inline v0::detail
