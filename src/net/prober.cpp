#include "prober.hpp"

#include <sonde/packet/match.hpp>

#include <algorithm>

namespace sonde::detail {
namespace {

constexpr unsigned departures_per_turn = 256;
constexpr std::size_t queue_limit =
    1024;  // answers that wait for a slow consumer before its probes stop leaving
constexpr int draws_tried = 64;
constexpr std::size_t look_ahead = 1024;  // probes made while their prefixes hold them back
constexpr std::size_t sources_limit = 16;

/// Errors that no other packet of the run would escape.
bool concerns_all(error_code ec) {
    return ec == errc::permission || ec == errc::no_such_interface || ec == errc::unsupported_link_type ||
           ec == errc::no_such_layer;
}

/// Layer 3 verbs give layer 3 packets, whatever link they came over.
packet without_link_layers(packet&& received) {
    layer_view v(received.view(), 0);
    while (v && is_link_layer(v)) v = v.upper();
    if (!v || v.index() == 0) return std::move(received);
    auto begin = v.span().begin;
    std::vector<layer_span> layers(received.layers().begin() + static_cast<std::ptrdiff_t>(v.index()),
                                   received.layers().end());
    for (auto& l : layers) l.begin -= begin, l.end -= begin;
    auto bytes = received.view().bytes.subspan(begin);
    auto p = packet::from_parts({bytes.begin(), bytes.end()}, std::move(layers));
    p.time = received.time, p.interface = received.interface, p.wire_length = received.wire_length - begin;
    return p;
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    return random_source(a ^ (b * 0x9e3779b97f4a7c15)).next();
}

}  // namespace

prober::prober(std::shared_ptr<engine> e, packet_source source, probing what)
    : engine_(std::move(e)),
      source_(std::move(source)),
      what_(std::move(what)),
      seed_(engine_->system().random<std::uint64_t>()) {}

prober::~prober() = default;

// --- starting, ending
// -------------------------------------------------------------------------------------------

void prober::start() {
    if (std::exchange(started_, true) || closed_) return;
    if (!what_.filter.empty()) {
        error_code ec;
        std::string about;
        ethernet_filter_ = capture_filter::compile(what_.filter, link_type::ethernet,
                                                   capture_filter::whole_frame, ec, &about);
        if (!ec)
            ip_filter_ = capture_filter::compile(what_.filter, link_type::raw, capture_filter::whole_frame,
                                                 ec, &about);
        if (ec) {
            // A filter that only one link type understands is fine on that one.
            if (ethernet_filter_->empty()) return fail(engine_->fail(ec, std::move(about)));
        }
    }
    strays_before_ = engine_->stray_frames();
    drops_before_ = drops_seen_ = engine_->kernel_drops();
    if (what_.reassemble) reassembly_ = engine_->reassembly();
    engine_->begin(shared_from_this());
    engaged_ = true;
    if (what_.relaxed) engine_->count_relaxed(1);
    begin_round(engine_->now());
}

void prober::begin_round(steady_time now) {
    if (what_.rounds != 0) ++round_;
    source_size_ = source_->size();
    run_.reset();
    run_ = std::make_unique<probe_run>(engine_->table(),
                                       reinterpret_cast<std::uintptr_t>(static_cast<answer_judge*>(this)),
                                       what_.run, source_size_, &engine_->rtts());
    next_round_ = what_.rounds != 0 ? later(now, what_.inter) : never;
}

void prober::end_round(steady_time now) {
    totals_.total = current();
    if (what_.rounds == 0) return close(source_error_ ? source_error_ : only_failure());
    auto const& silent = run_->unanswered();
    for (auto i = silent.next(0); i; i = silent.next(*i + 1))
        push(exchange(make(*i, 1), packet(), 0, round_));
    totals_.rounds += run_->accounts().answered + run_->accounts().timed_out + run_->accounts().send_failed;
    run_.reset();
    kept_.clear();
    bool again = (what_.rounds == forever || round_ < what_.rounds) && (source_size_ || source_->rewind());
    if (!again || source_error_) return close(source_error_);
    engine_->wake_at(*this, next_round_);
    if (next_round_ <= now) engine_->ready(shared_from_this());
}

/// `sr1` has nothing to give when no probe could leave: then the reason is its result.
error_code prober::only_failure() const {
    bool none_left = totals_.total.sent == 0 && what_.run.first && !run_->failures().empty();
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
        totals_.total = current();
        run_->cancel();
    }
    close(ec);
    engine_->ready(shared_from_this());
}

void prober::cancel() noexcept {
    auto alive = shared_from_this();
    if (!closed_) {
        totals_.total = current();
        if (run_) run_->cancel();
        close(asio::error::operation_aborted);
    }
    queue_.clear();
    end_told_ = true;
    cancel_next();
    cancel_collect();
}

// --- probes going out
// -------------------------------------------------------------------------------------------

void prober::turn(steady_time now) {
    auto alive = shared_from_this();
    if (!closed_ && !run_ && now >= next_round_) begin_round(now);
    if (!closed_ && run_) {
        watch_drops();
        pump(now);
        if (!closed_ && run_->finished()) end_round(now);
    }
    deliver();
}

void prober::pump(steady_time now) {
    if (!awaits_turn_)
        for (auto& [d, p] : std::exchange(late_, {})) launch(d, std::move(p));
    for (unsigned n = 0; !closed_ && !pulling_ && late_.empty() && !run_->finished(); ++n) {
        if (n == departures_per_turn) return engine_->ready(shared_from_this());
        if (engine_->is_backlogged()) return engine_->starve(shared_from_this());
        if (is_held()) break;
        auto d = run_->next(now);
        if (!d) break;
        if (!depart(*d)) break;
    }
    if (closed_ || run_->finished()) return;
    if (run_->held() == probe_run::hold::table) return engine_->starve(shared_from_this());
    bool waits = pulling_ || !late_.empty() || is_held();
    engine_->wake_at(*this, waits ? never : run_->wake_at().value_or(never));
}

/// What waits for all is in its turn already; what waits for its prefix should not keep back the others.
bool prober::is_held() const {
    return held_by_all > 0 || held >= look_ahead;
}

/// Packets that the kernel dropped may have been answers: an adaptive rate takes them for loss.
void prober::watch_drops() {
    if (!what_.run.rate.is_adaptive()) return;
    auto drops = engine_->kernel_drops();
    if (drops > std::exchange(drops_seen_, drops)) run_->congested();
}

void prober::frame_delayed() noexcept {
    if (run_ && !closed_) run_->congested();
}

void prober::set_rate(rate_option rate) {
    what_.run.rate = rate;
    if (!run_ || closed_) return;
    run_->set_rate(rate);
    engine_->ready(shared_from_this());
}

void prober::set_bit_rate(double bit_rate) {
    what_.run.bit_rate = bit_rate;
    if (!run_ || closed_) return;
    run_->set_bit_rate(bit_rate);
    engine_->ready(shared_from_this());
}

bool prober::depart(departure const& d) {
    try {
        if (source_size_ || kept_.contains(d.index)) {
            begin(d, make(d.index, d.attempt));
            return true;
        }
        if (source_->is_async()) {
            pull(d);
            return false;
        }
        auto p = take();
        if (!p) {
            run_->source_ended(d.index);
            return false;
        }
        begin(d, kept_[d.index] = (*p)[0]);
    } catch (boost::system::system_error const& e) {
        engine_->note(e.what());
        failed(d, e.code());
    }
    return true;
}

/// The next packet of the source. What failed is told at the end, after all answers.
std::optional<packet> prober::take() try {
    return source_->next();
} catch (boost::system::system_error const& e) {
    source_failed(engine_->fail(e.code(), e.what()));
    return {};
}

void prober::source_failed(error_code ec) {
    if (!source_error_ && ec != asio::error::operation_aborted) source_error_ = ec;
}

void prober::pull(departure const& d) {
    pulling_ = true;
    source_->async_next([weak = weak_from_this(), d](error_code ec, std::optional<packet> p) {
        auto me = std::static_pointer_cast<prober>(weak.lock());
        if (!me || me->closed_) return;
        me->pulling_ = false;
        if (ec) me->source_failed(ec);
        if (ec || !p)
            me->run_->source_ended(d.index);
        else
            me->begin(d, me->kept_[d.index] = (*p)[0]);
        me->engine_->ready(me);
    });
}

packet prober::make(std::uint64_t index, std::uint16_t attempt) const {
    if (auto found = kept_.find(index); found != kept_.end()) return found->second;
    // The same number gives the same packet each time it is asked for, random fields included.
    random_source random(mix(mix(seed_, index), std::uint64_t(attempt) << 48 | round_));
    return source_->at(index, random);
}

/// Its bits count now, though names and neighbours may take a while yet: else all that wait for them would
/// leave in one burst.
void prober::begin(departure const& d, packet p) {
    run_->charge(engine::bits_of(p, what_.layer2));
    launch(d, std::move(p));
}

void prober::launch(departure const& d, packet p) {
    if (!resolve_names(d, p)) return;
    try {
        prepare(d, p);
    } catch (boost::system::system_error const& e) {
        engine_->note(e.what());
        failed(d, e.code());
    }
}

/// True when all names are known. Otherwise the probe goes on, or fails, when they are.
bool prober::resolve_names(departure const& d, packet const& p) {
    for (auto const& v : p.sets()) {
        if (v.content.state != field_state::name || names_.contains(v.name)) continue;
        bool v6 = p.layers()[v.layer].layer->fields[v.field].kind == value_kind::ipv6;
        engine_->resolve_name(v.name, v6,
                              [weak = weak_from_this(), d, p, name = v.name](error_code ec, ip_address a) {
                                  auto me = std::static_pointer_cast<prober>(weak.lock());
                                  if (!me || me->closed_) return;
                                  if (ec) return me->failed(d, ec);
                                  me->names_.emplace(name, a);
                                  me->launch(d, p);
                              });
        return false;
    }
    return true;
}

void prober::prepare(departure const& d, packet const& p) {
    outgoing o(p);
    if (!o.resolve(p, names_))
        return failed(d, engine_->fail(errc::host_not_found, "an address of the other family"));
    error_code ec;
    bool own_source = o.has_automatic_source();
    auto way = what_.own_question ? engine_->link(o, what_.interface, ec)
                                  : engine_->way_of(o, what_.interface, what_.layer2, ec);
    if (ec) return concerns_all(ec) ? fail(ec) : failed(d, ec);
    link_source_ = way.out->info().address;
    if (own_source) remember_source(o);
    if (!way.next_hop_mac)
        way.next_hop_mac =
            engine_->neighbour_cache().find(way.out->info().index, way.next_hop, engine_->now(), ec);
    if (ec) return failed(d, ec);
    if (way.next_hop_mac) return leave(d, std::move(o), way, *way.next_hop_mac);
    auto& neighbours = engine_->neighbour_cache();
    if (neighbours.is_full(way.out->info().index, way.next_hop)) return wait_for_turn(way, d, p);
    neighbours.resolve(
        way.out->info().index, way.next_hop,
        [weak = weak_from_this(), d, o = std::move(o), way](error_code failure, mac address) mutable {
            auto me = std::static_pointer_cast<prober>(weak.lock());
            if (!me || me->closed_) return;
            if (failure) return me->failed(d, failure);
            me->leave(d, std::move(o), way, address);
        });
}

void prober::wait_for_turn(way_out const& way, departure const& d, packet const& p) {
    late_.emplace_back(d, p);
    if (std::exchange(awaits_turn_, true)) return;
    engine_->neighbour_cache().wait_for_turn(way.out->info().index, way.next_hop, [weak = weak_from_this()] {
        auto me = std::static_pointer_cast<prober>(weak.lock());
        if (!me) return;
        me->awaits_turn_ = false;
        if (!me->closed_) me->engine_->ready(me);
    });
}

void prober::leave(departure const& d, outgoing o, way_out const& way, mac const& next_hop) {
    o.set_link_destination(next_hop);
    leaving l{.probe = d, .key = {}};
    outgoing finished;
    match_key before;
    for (int i = 0;; ++i, before = l.key) {
        l.draw = engine_->identities().draw();
        finished = o;
        bool own_identity = finished.identify(engine_->identities().at(l.draw));
        finished.finish();
        auto view = finished.view();
        view.relaxed = what_.relaxed;
        bool to_many = way.to_many || goes_to_many(view);
        l.key = key_of_probe(view, engine_->secret(), to_many);
        if (!engine_->table().find(l.key)) break;
        // Equal keys are taken where the user fixed every field that could differ. Where those that do lie
        // above the ports (DNS ids of one port) they make the key.
        bool fixed = !own_identity || (i > 0 && l.key == before);
        if (fixed) l.key = key_of_probe(view, engine_->secret(), to_many, key_reach::above);
        if (fixed) break;
        if (i == draws_tried) return failed(d, errc::identities_exhausted);
    }
    l.destination = finished.destination();
    std::uint32_t tag = 0;
    if (free_.empty()) {
        tag = static_cast<std::uint32_t>(leaving_.size());
        leaving_.push_back(l);
    } else {
        tag = free_.back();
        free_.pop_back();
        leaving_[tag] = l;
    }
    engine_->transmit(way, finished, next_hop, self(), tag);
}

void prober::remember_source(outgoing const& o) {
    auto source = o.source();
    if (!source || std::ranges::find(sources_, *source) != sources_.end()) return;
    sources_overflown_ = sources_.size() == sources_limit;
    if (!sources_overflown_) sources_.push_back(*source);
}

void prober::frame_left(std::uint64_t tag, steady_time now, timestamp sent) {
    auto l = leaving_[tag];
    free_.push_back(static_cast<std::uint32_t>(tag));
    if (closed_ || !run_) return;
    run_->departed(l.probe, l.key, now, sent, l.draw, l.destination);
    if (run_->finished() || run_->wake_at()) engine_->ready(shared_from_this());
}

void prober::frame_failed(std::uint64_t tag, error_code ec) {
    auto d = leaving_[tag].probe;
    free_.push_back(static_cast<std::uint32_t>(tag));
    if (!closed_) failed(d, ec);
}

void prober::failed(departure const& d, error_code ec) {
    if (closed_ || !run_) return;
    run_->send_failed(d, ec);
    engine_->ready(shared_from_this());
}

// --- answers coming in
// ------------------------------------------------------------------------------------------

outgoing prober::rebuild(attempt_info const& attempt, std::optional<ip_address> const& own) const {
    auto p = make(attempt.index, attempt.attempt);
    outgoing o(p);
    o.resolve(p, names_);
    if (o.has_automatic_source()) {
        // An answer was found by a key that holds both addresses, so it came to where its probe came from.
        bool known = own && (sources_overflown_ || std::ranges::find(sources_, *own) != sources_.end());
        if (known || !sources_.empty()) o.set_source(known ? *own : sources_.back());
    }
    o.set_link_source(link_source_);
    o.identify(engine_->identities().at(attempt.draw));
    o.finish();
    return o;
}

bool prober::passes_filter(packet const& received) const {
    if (!ethernet_filter_) return true;
    auto const& first = received.layers().front();
    auto const& filter = first.layer->name == "Ether" ? ethernet_filter_ : ip_filter_;
    return filter && filter->matches(received.view().bytes, received.wire_length);
}

bool prober::accepts(attempt_info const& attempt, packet const& received, bool to_many) {
    if (!run_ || !passes_filter(received)) return false;
    try {
        auto sent = rebuild(attempt, outgoing(received).destination());
        auto view = sent.view();
        view.to_many = to_many;
        view.relaxed = what_.relaxed;
        if (match(received.view(), view).value != match_verdict::yes) return false;
        last_ = rebuilt{attempt.index, attempt.attempt, std::move(sent)};
        return true;
    } catch (boost::system::system_error const&) {
        return false;  // a packet that cannot be made again was never sent
    }
}

void prober::replied(attempt_info const& attempt, packet&& received, steady_time now) {
    if (!run_) return;
    std::optional<arrival> came;
    if (last_) came = {.at = received.time, .destination = last_->packet.destination()};
    auto v = run_->replied(attempt, now, came);
    if (v.what == verdict::kind::answered && !closed_) {
        bool same = last_ && last_->index == v.index && last_->attempt == v.attempt;
        attempt_info answered = attempt;
        answered.attempt = v.attempt, answered.draw = v.draw;
        auto sent = (same ? std::move(last_->packet) : rebuild(answered, outgoing(received).destination()))
                        .to_packet();
        sent.time = v.sent;
        sent.interface = received.interface;
        if (!what_.layer2) received = without_link_layers(std::move(received));
        exchange x(std::move(sent), std::move(received), v.attempt, round_);
        x.ambiguous = v.ambiguous;
        push(std::move(x));
        if (!what_.run.multi && !source_size_) kept_.erase(v.index);
    }
    last_.reset();
    engine_->ready(shared_from_this());
}

void prober::expired(attempt_info const& attempt, steady_time now) {
    if (!run_ || closed_) return;
    run_->expired(attempt, now);
    engine_->ready(shared_from_this());
}

// --- the consumer
// -----------------------------------------------------------------------------------------------

void prober::push(exchange x) {
    if (collecting_) {
        gathered_.push_back(std::move(x));
        return;
    }
    queue_.push_back(std::move(x));
    if (queue_.size() >= queue_limit && run_) run_->pause();
}

std::optional<exchange> prober::try_next() {
    if (queue_.empty()) return {};
    std::optional<exchange> x(std::move(queue_.front()));
    queue_.pop_front();
    if (queue_.size() == queue_limit / 2 && run_ && !closed_) {
        run_->resume();
        engine_->ready(shared_from_this());
    }
    return x;
}

void prober::deliver() {
    if (waiting_ && !queue_.empty()) {
        complete(std::move(waiting_), {}, try_next());
    } else if (waiting_ && closed_) {
        auto ec = std::exchange(end_told_, true) ? error_code() : end_;
        complete(std::move(waiting_), ec, std::optional<exchange>());
    } else if (collecting_ && closed_) {
        auto ec = std::exchange(end_told_, true) ? error_code() : end_;
        complete(std::move(collecting_), ec, collected(std::move(gathered_), unanswered()));
    }
}

void prober::start_next(waiting_ptr<std::optional<exchange>> op) {
    if (waiting_ || collecting_) {
        asio::post(engine_->executor(), [op = std::move(op)]() mutable {
            complete(std::move(op), make_error_code(errc::already_running), std::optional<exchange>());
        });
        return;
    }
    waiting_ = std::move(op);
    start();
    engine_->ready(shared_from_this());
}

void prober::start_collect(waiting_ptr<collected> op) {
    if (waiting_ || collecting_) {
        asio::post(engine_->executor(), [op = std::move(op)]() mutable {
            complete(std::move(op), make_error_code(errc::already_running), collected());
        });
        return;
    }
    collecting_ = std::move(op);
    gathered_.insert(gathered_.end(), std::make_move_iterator(queue_.begin()),
                     std::make_move_iterator(queue_.end()));
    queue_.clear();
    if (run_) run_->resume();
    start();
    engine_->ready(shared_from_this());
}

void prober::cancel_next() {
    if (!waiting_) return;
    asio::post(engine_->executor(), [op = std::move(waiting_)]() mutable {
        complete(std::move(op), make_error_code(asio::error::operation_aborted), std::optional<exchange>());
    });
}

void prober::cancel_collect() {
    if (!collecting_) return;
    // What was gathered is not lost: it can be read on.
    queue_.insert(queue_.end(), std::make_move_iterator(gathered_.begin()),
                  std::make_move_iterator(gathered_.end()));
    gathered_.clear();
    asio::post(engine_->executor(), [op = std::move(collecting_)]() mutable {
        complete(std::move(op), make_error_code(asio::error::operation_aborted), collected());
    });
}

// --- results
// ----------------------------------------------------------------------------------------------------

sonde::report prober::current() const {
    auto r = totals_.total;
    if (closed_ || !run_) return r;
    auto now = run_->report();
    r.sent += now.sent, r.answered += now.answered, r.duplicates += now.duplicates, r.late += now.late;
    r.retries += now.retries, r.send_errors += now.send_errors, r.duration += now.duration;
    r.remaining += now.remaining;
    if (!r.first_error) r.first_error = now.first_error;
    auto const& strays = engine_->stray_frames();
    r.unrelated = strays.unrelated - strays_before_.unrelated;
    r.malformed = strays.malformed - strays_before_.malformed;
    r.kernel_drops = engine_->kernel_drops() - drops_before_;
    r.received = r.answered + r.duplicates + r.late + r.unrelated + r.malformed;
    return r;
}

loop_report prober::report() const {
    return {current(), totals_.rounds};
}

packet_list prober::unanswered() const {
    packet_list list;
    if (!run_) return list;
    auto const& silent = run_->unanswered();
    for (auto i = silent.next(0); i; i = silent.next(*i + 1)) list.push_back(make(*i, 1));
    return list;
}

namespace {

class callback_waiting final : public waiting<std::optional<exchange>> {
public:
    explicit callback_waiting(std::function<void(error_code, std::optional<exchange>)> f)
        : f_(std::move(f)) {}
    void complete(error_code ec, std::optional<exchange> x) override {
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

}  // namespace sonde::detail
