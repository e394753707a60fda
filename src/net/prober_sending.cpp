#include "prober.hpp"

#include <sonde/packet/match.hpp>

#include <algorithm>

// Probes going out.
namespace sonde::inline v0::detail {
namespace {

constexpr unsigned departures_per_turn = 256;
constexpr int draws_tried = 64;
constexpr std::size_t look_ahead = 1024;  // probes made while their prefixes hold them back
constexpr std::size_t sources_limit = 16;

/// Errors that no other packet of the run would escape. `alike`: all have the same layers.
bool concerns_all(error_code ec, bool alike) {
    return ec == errc::permission || ec == errc::no_such_interface || ec == errc::unsupported_link_type ||
           (ec == errc::no_such_layer && alike);
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    return random_source(a ^ (b * 0x9e3779b97f4a7c15)).next();
}

}  // namespace

void prober::pump(steady_time now) {
    if (!awaits_turn_)
        for (auto& [d, p] : std::exchange(late_, {})) launch(d, std::move(p));
    for (unsigned n = 0; !closed_ && !pulling_ && late_.empty() && !run_->finished(); ++n) {
        if (n == departures_per_turn) return engine_->ready(*this);
        if (engine_->is_backlogged()) return engine_->starve(shared_from_this());
        if (is_held() || !has_place()) break;
        auto d = run_->next(now);
        if (!d) break;
        if (!depart(*d)) break;
    }
    if (closed_ || run_->finished()) return;
    auto const hold = run_->held();
    if (hold == probe_run::hold::table || (hold == probe_run::hold::none && !has_place()))
        return engine_->starve(shared_from_this());
    bool waits = pulling_ || !late_.empty() || is_held();
    engine_->wake_at(*this, waits ? never : run_->wake_at().value_or(never));
}

bool prober::has_place() const {
    return what_.own_question || engine_->has_room();
}

/// What waits for all is in its turn already; what waits for its prefix should not keep back the others.
bool prober::is_held() const {
    return held_by_all > 0 || held >= look_ahead;
}

/// Packets that the kernel dropped may have been answers: an adaptive rate takes them for loss.
void prober::watch_drops() {
    if (!what_.run.rate.is_adaptive()) return;
    auto drops = engine_->kernel_drops();
    if (drops > std::exchange(tally_->drops_seen, drops)) run_->congested();
}

void prober::frame_delayed() noexcept {
    if (run_ && !closed_) run_->congested();
}

void prober::set_rate(rate_option rate) {
    what_.run.rate = rate;
    if (!run_ || closed_) return;
    run_->set_rate(rate);
    engine_->ready(*this);
}

void prober::set_bit_rate(double bit_rate) {
    what_.run.bit_rate = bit_rate;
    if (!run_ || closed_) return;
    run_->set_bit_rate(bit_rate);
    engine_->ready(*this);
}

/// What cannot be made, or cannot leave, is a probe that failed; the run goes on.
template <class Part>
void prober::attempt(departure const& d, Part part) try {
    part();
} catch (std::bad_alloc const&) {
    throw;
} catch (...) {
    failed(d, engine_->reason_of_exception());
}

/// False when the next one has to wait.
bool prober::depart(departure const& d) {
    bool goes_on = true;
    attempt(d, [&] { goes_on = set_out(d); });
    return goes_on;
}

bool prober::set_out(departure const& d) {
    if (compiled_) {
        auto& making = compiled_->making;
        write(d.index, d.attempt, making);
        run_->charge(engine::bits_of(making.view(), what_.layer2));
        prepare(d, making);
        return true;
    }
    if (source_size_ || kept_.contains(d.index)) {
        begin(d, make(d.index, d.attempt));
        return true;
    }
    auto p = next_of_element(d);
    while (!p && !source_->is_async()) {
        auto taken = take();
        if (!taken) {
            run_->source_ended(d.index);
            return false;
        }
        element_.begin(*std::move(taken));
        p = next_of_element(d);
    }
    if (!p) {
        pull(d);
        return false;
    }
    begin(d, kept_[d.index] = *std::move(p));
    return true;
}

std::optional<packet> prober::next_of_element(departure const& d) {
    auto random = random_of(d.index, d.attempt);
    return element_.next(random);
}

/// The next packet of the source. What failed is told at the end, after all answers.
std::optional<packet> prober::take() try { return source_->next(); } catch (std::bad_alloc const&) {
    throw;
} catch (...) {
    source_failed(engine_->reason_of_exception());
    return {};
}

void prober::source_failed(error_code ec) {
    if (!source_error_ && ec != asio::error::operation_aborted) source_error_ = ec;
}

void prober::pull(departure const& d) try {
    pulling_ = true;
    source_->async_next([weak = weak_from_this(), d](error_code ec, std::optional<packet> p) {
        auto me = std::static_pointer_cast<prober>(weak.lock());
        if (me) me->engine_->contain(*me, [&] { me->pulled(d, ec, std::move(p)); });
    });
} catch (boost::system::system_error const& e) {
    pulled(d, engine_->fail(e.code(), e.what()), {});
}

void prober::pulled(departure const& d, error_code ec, std::optional<packet> p) {
    if (closed_ || !std::exchange(pulling_, false)) return;
    if (ec) source_failed(ec);
    if (ec || !p)
        run_->source_ended(d.index);
    else
        attempt(d, [&] {
            element_.begin(*std::move(p));
            set_out(d);
        });
    engine_->ready(*this);
}

packet prober::make(std::uint64_t index, std::uint16_t attempt) const {
    if (auto found = kept_.find(index); found != kept_.end()) return found->second;
    if (!source_size_) return {};  // of an earlier round, and gone
    auto random = random_of(index, attempt);
    return source_->at(index, random);
}

/// The same number gives the same packet each time it is asked for, random fields included.
random_source prober::random_of(std::uint64_t index, std::uint16_t attempt) const {
    return random_source(mix(mix(seed_, index), std::uint64_t(attempt) << 48 | round_));
}

/// As `make`, of a compiled set.
void prober::write(std::uint64_t index, std::uint16_t attempt, outgoing& o) const {
    auto random = random_of(index, attempt);
    o.take(compiled_->packets, index, random);
}

/// Its bits count now, though names and neighbours may take a while yet: else all that wait for them would
/// leave in one burst.
void prober::begin(departure const& d, packet p) {
    run_->charge(engine::bits_of(p.view(), what_.layer2));
    launch(d, std::move(p));
}

void prober::launch(departure const& d, packet p) {
    if (!resolve_names(d, p)) return;
    attempt(d, [&] {
        auto known = outgoing::of(std::move(p), names_);
        if (!known) return failed(d, engine_->fail(errc::host_not_found, "an address of the other family"));
        prepare(d, *known);
    });
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
                                  me->engine_->contain(*me, [&] {
                                      if (ec) return me->failed(d, ec);
                                      me->names_.emplace(name, a);
                                      me->launch(d, p);
                                  });
                              });
        return false;
    }
    return true;
}

void prober::prepare(departure const& d, outgoing& o) {
    error_code ec;
    bool own_source = o.has_automatic_source();
    way_out own;
    auto const& way = what_.own_question ? own = engine_->link(o, what_.interface, ec)
                                         : engine_->way_of(o, what_.interface, what_.layer2, ec);
    if (ec) return concerns_all(ec, source_->set()) ? fail(ec) : failed(d, ec);
    link_source_ = way.out->info().address;
    over_several_ |= over_.value_or(way.out->info().index) != way.out->info().index;
    over_ = way.out->info().index;
    if (own_source) remember_source(o);
    if (auto next_hop = engine_->next_hop_of(way, ec)) return leave(d, std::move(o), way, *next_hop);
    if (ec) return failed(d, ec);
    auto& neighbours = engine_->neighbour_cache();
    if (neighbours.is_full(way.out->info().index, way.next_hop)) return wait_for_turn(way, d);
    neighbours.resolve(
        way.out->info().index, way.next_hop,
        [weak = weak_from_this(), d, o = std::move(o), way](error_code failure, mac address) mutable {
            auto me = std::static_pointer_cast<prober>(weak.lock());
            if (!me || me->closed_) return;
            me->engine_->contain(*me, [&] {
                if (failure) return me->failed(d, failure);
                me->attempt(d, [&] { me->leave(d, std::move(o), way, address); });
            });
        });
}

void prober::wait_for_turn(way_out const& way, departure const& d) {
    late_.emplace_back(d, make(d.index, d.attempt));
    if (std::exchange(awaits_turn_, true)) return;
    engine_->neighbour_cache().wait_for_turn(way.out->info().index, way.next_hop, [weak = weak_from_this()] {
        auto me = std::static_pointer_cast<prober>(weak.lock());
        if (!me) return;
        me->awaits_turn_ = false;
        if (!me->closed_) me->engine_->ready(*me);
    });
}

void prober::leave(departure const& d, outgoing&& o, way_out const& way, mac const& next_hop) {
    if (o.wants_neighbour()) {
        over_several_next_hops_ |= next_hop_ != mac() && next_hop_ != next_hop;
        next_hop_ = next_hop;
        o.set_link_destination(next_hop);
    }
    left_last_.reset();
    scratch_ = std::move(o);
    leaving l{.probe = d, .key = {}, .draw = draw_for(way)};
    bool const of_set = compiled_ && scratch_.is_of(compiled_->packets);
    bool own_identity = of_set ? scratch_.identify(engine_->identities(), l.draw, compiled_->identities)
                               : scratch_.identify(engine_->identities(), l.draw);
    scratch_.finish(engine_->shapes());
    l.key = key_of(scratch_, way);
    if (engine_->table().find(l.key) && !find_free_key(l, own_identity, scratch_, way))
        return failed(d, errc::identities_exhausted);
    engine_->expect_answers(scratch_.view());
    attempt_id const which{.index = d.index, .draw = l.draw, .attempt = d.attempt};
    if (of_set)
        compiled_->sent.keep(which, scratch_.bytes());
    else
        left_last_ = which;
    l.destination = scratch_.destination();
    std::uint32_t tag = 0;
    if (free_.empty()) {
        tag = static_cast<std::uint32_t>(leaving_.size());
        leaving_.push_back(l);
    } else {
        tag = free_.back();
        free_.pop_back();
        leaving_[tag] = l;
    }
    engine_->transmit(way, scratch_, next_hop, self(), tag);
}

std::uint32_t prober::draw_for(way_out const& way) {
    return way.out->echo ? way.out->echo->draw() : engine_->identities().draw();
}

match_key prober::key_of(outgoing const& probe, way_out const& way, key_reach reach) {
    auto view = probe.view();
    view.relaxed = what_.relaxed;
    bool to_many = way.to_many || goes_to_many(view);
    if (to_many) engine_->expect_groups();
    return key_of_probe(view, engine_->secret(), to_many, reach);
}

/// For a probe whose key another one has. False when there is none.
bool prober::find_free_key(leaving& l, bool own_identity, outgoing& probe, way_out const& way) {
    for (int i = 0; i < draws_tried; ++i) {
        auto const before = l.key;
        if (own_identity) {
            l.draw = draw_for(way);
            probe =
                rebuild({.index = l.probe.index, .attempt = l.probe.attempt, .draw = l.draw}, probe.source());
            l.key = key_of(probe, way);
        }
        // Equal keys are taken where the user fixed every field that could differ. Where those that do lie
        // above the ports (DNS ids of one port) they make the key.
        if (l.key == before) {
            l.key = key_of(probe, way, key_reach::above);
            return true;
        }
        if (!engine_->table().find(l.key)) return true;
    }
    return false;
}

void prober::remember_source(outgoing const& o) {
    auto source = o.source();
    if (!source || std::ranges::find(sources_, *source) != sources_.end()) return;
    sources_overflown_ = sources_.size() == sources_limit;
    if (!sources_overflown_) sources_.push_back(*source);
}

void prober::frame_left(std::uint64_t tag, steady_time now, timestamp sent) {
    engine_->contain(*this, [&] {
        auto l = leaving_[tag];
        free_.push_back(static_cast<std::uint32_t>(tag));
        if (closed_ || !run_) return;
        run_->departed(l.probe, l.key, now, sent, l.draw, l.destination);
        if (run_->finished() || run_->wake_at()) engine_->ready(*this);
    });
}

void prober::frame_failed(std::uint64_t tag, error_code ec) {
    engine_->contain(*this, [&] {
        auto d = leaving_[tag].probe;
        free_.push_back(static_cast<std::uint32_t>(tag));
        failed(d, ec);
    });
}

void prober::failed(departure const& d, error_code ec) {
    if (closed_ || !run_) return;
    engine_->told(ec);
    run_->send_failed(d, ec);
    engine_->ready(*this);
}

}  // namespace sonde::inline v0::detail
