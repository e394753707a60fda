#include "prober.hpp"

namespace sonde::inline v0::detail {

prober::prober(std::shared_ptr<engine> e, packet_source source, probing what)
    : engine_(std::move(e)),
      source_(std::move(source)),
      what_(std::move(what)),
      seed_(engine_->next_seed()) {}

prober::~prober() = default;

// Starting, ending

void prober::start() {
    if (std::exchange(started_, true) || closed_) return;
    if (engine_->is_shut_down()) return fail(asio::error::operation_aborted);
    if (!what_.filter.empty()) {
        error_code ec;
        std::string about;
        auto compile = [&](link_type link) {
            return capture_filter::compile(what_.filter, link, capture_filter::whole_frame, ec, &about);
        };
        filters_ = std::make_unique<filters>();
        filters_->ethernet = compile(link_type::ethernet);
        if (!ec) filters_->ip = compile(link_type::raw);
        if (ec && filters_->ethernet->empty()) return fail(engine_->fail(ec, std::move(about)));
    }
    if (what_.reassemble) reassembly_ = engine_->reassembly();
    engaged_ = true;
    if (what_.relaxed) engine_->count_relaxed(1);
    engine_->begin(shared_from_this());  // what has waited in the sockets until now is none of it
    if (!what_.run.first || what_.run.rate.is_adaptive()) {
        tally_ = std::make_unique<tally>();
        tally_->strays_before = engine_->stray_frames();
        tally_->drops_before = tally_->drops_seen = engine_->kernel_drops();
    }
    begin_round(engine_->now());
}

void prober::begin_round(steady_time now) {
    if (what_.rounds != 0) ++round_;
    source_size_ = source_->size();
    if (round_ <= 1)
        if (auto alike = outgoing::compile(*source_, true))
            compiled_ = std::make_unique<compiled_set>(compiled_set{*std::move(alike)});
    run_.emplace(engine_->table(), reinterpret_cast<std::uintptr_t>(static_cast<answer_judge*>(this)),
                 what_.run, source_size_, &engine_->rtts());
    if (paused_) run_->pause();
    if (tally_) {
        tally_->round_began = now;
        tally_->began = std::min(tally_->began, now);
    }
    next_round_ = what_.rounds != 0 ? later(now, what_.inter) : never;
}

void prober::end_round(steady_time now) {
    keep_totals();
    if (what_.rounds == 0) return close(source_error_ ? source_error_ : only_failure());
    // Made now: the next round has packets of its own.
    for (auto const& end : run_->take_ends()) {
        push({end.index, silent(end)});
        auto* s = end.what == probe_end::kind::cancelled ? nullptr : statistics_of(end.index);
        if (s) ++s->rounds;
    }
    bool const empty = run_->accounts().probes == 0;  // and would be for ever
    bool again = !stopping_ && !empty && (what_.rounds == forever || round_ < what_.rounds) &&
                 (source_size_ || source_->rewind());
    run_.reset();
    kept_.clear();
    if (!again || source_error_) return close(source_error_);
    engine_->wake_at(*this, next_round_);
    if (next_round_ <= now) engine_->ready(*this);
}

/// `sr1` has nothing to give when no probe could leave: then the reason is its result.
error_code prober::only_failure() const {
    bool none_left = what_.run.first && run_->report().sent == 0 && !run_->failures().empty();
    return none_left ? run_->failures().front().error : error_code();
}

void prober::close(error_code ec) {
    if (std::exchange(closed_, true)) return;
    end_ = ec;
    last_.reset();
    reassembly_.reset();
    if (engaged_) {
        if (what_.relaxed) engine_->count_relaxed(-1);
        engine_->end(*this);
    }
    if (held > 0) engine_->drop_held();
}

void prober::fail(error_code ec) {
    if (closed_) return;
    started_ = true;
    if (run_) {
        keep_totals();
        run_->cancel();
    }
    close(ec);
    engine_->ready(*this);
}

/// Not at once: whoever calls may be looking through the table of probes.
void prober::broken(error_code ec) {
    if (!broken_) broken_ = ec;
    engine_->ready(*this);
}

/// Ends it if no answer can come any more, and nothing would leave by another way. A loop goes on: the next
/// round may find one.
void prober::interface_gone(int interface, error_code ec) {
    if (closed_ || !run_ || over_several_ || over_ != interface) return;
    bool all_left = what_.rounds == 0 && source_size_ && run_->accounts().unsent == 0;
    if (what_.interface == interface || all_left) fail(ec);
}

void prober::cancel() noexcept {
    auto alive = shared_from_this();
    give_up();
    queue_.set_capacity(0);
    end_told_ = true;
    abort_next();
    abort_collect();
}

/// The consumer is told, after what it has not read yet.
void prober::shut_down() noexcept {
    auto alive = shared_from_this();
    give_up();
    if (waiting_ || collecting_) end_told_ = true;
    abort_next();
    abort_collect();
}

void prober::give_up() noexcept {
    if (!closed_) {
        keep_totals();
        if (run_) run_->cancel();
        close(asio::error::operation_aborted);
    }
    if (!last_cursor_) last_cursor_ = cursor();
}

void prober::turn(steady_time now) {
    auto alive = shared_from_this();
    engine_->contain(*this, [&] { proceed(now); });
    if (broken_) fail(std::exchange(broken_, {}));
    deliver();
}

void prober::proceed(steady_time now) {
    if (closed_ || broken_) return;
    if (!run_ && now >= next_round_ && !is_queue_full() && !paused_) begin_round(now);
    if (!run_) return;
    watch_drops();
    pump(now);
    take_ends();
    if (!closed_ && run_->finished()) end_round(now);
}

// Results

void prober::keep_totals() {
    if (tally_) tally_->totals = report();
}

sonde::report prober::current() const {
    if (!tally_) return {};
    sonde::report r = tally_->totals;
    if (closed_ || !run_) return r;
    auto now = run_->report();
    r.sent += now.sent, r.answered += now.answered, r.duplicates += now.duplicates, r.late += now.late;
    r.retries += now.retries, r.send_errors += now.send_errors;
    r.remaining += now.remaining;
    r.duration = tally_->round_began - tally_->began + now.duration;
    if (!r.first_error) r.first_error = now.first_error;
    auto const& strays = engine_->stray_frames();
    r.unrelated = strays.unrelated - tally_->strays_before.unrelated;
    r.malformed = strays.malformed - tally_->strays_before.malformed;
    r.kernel_drops = engine_->kernel_drops() - tally_->drops_before;
    r.received = r.answered + r.duplicates + r.late + r.unrelated + r.malformed;
    return r;
}

loop_report prober::report() const {
    if (!tally_) return {};
    auto ended = tally_->totals.rounds;
    if (what_.rounds != 0 && run_ && !closed_) {
        auto const now = run_->accounts();
        ended += now.answered + now.timed_out + now.send_failed;
    }
    return {current(), ended};
}

packet_list prober::unanswered() const {
    packet_list list;
    if (!run_) return list;
    auto const& silent = run_->unanswered();
    for (auto i = silent.next(0); i; i = silent.next(*i + 1)) try {
            list.push_back(make(*i, 1));
        } catch (std::bad_alloc const&) {
            throw;
        } catch (...) {
            continue;  // it ended because it could not be made
        }
    return list;
}

// The engine's own question

namespace {

class callback_waiting final : public waiting<std::optional<exchange>> {
public:
    explicit callback_waiting(std::function<void(error_code, std::optional<exchange>)> f)
        : f_(std::move(f)) {}
    void complete(error_code ec, std::optional<exchange>&& x) override {
        auto f = std::move(f_);
        delete this;
        f(ec, std::move(x));
    }
    void discard() noexcept override { delete this; }

private:
    std::function<void(error_code, std::optional<exchange>)> f_;
};

}  // namespace

void ask(std::shared_ptr<engine> const& e, packet_source what, int interface, run_options const& how,
         std::function<void(error_code, std::optional<exchange>)> done) {
    probing task;
    task.run = how;
    task.layer2 = true;
    task.own_question = true;
    task.interface = interface;
    auto p = std::make_shared<prober>(e, std::move(what), std::move(task));
    p->start_next(waiting_ptr<std::optional<exchange>>(new callback_waiting(std::move(done))));
}

}  // namespace sonde::inline v0::detail
