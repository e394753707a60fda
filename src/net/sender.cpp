#include "sender.hpp"

#include <sonde/capture/capture_file.hpp>

namespace sonde::inline v0::detail {
namespace {

constexpr unsigned packets_per_turn = 256;

}  // namespace

sender::sender(std::shared_ptr<engine> e, packet_source source, send_options how, bool layer2)
    : engine_(std::move(e)),
      source_(std::move(source)),
      how_(how),
      layer2_(layer2),
      pacer_(how.inter, how.rate, how.bit_rate),
      random_(engine_->next_seed()) {}

void sender::start(waiting_ptr<send_report> op) {
    waiting_ = std::move(op);
    if (engine_->is_shut_down()) return cancel();
    engine_->contain(*this, [&] {
        size_ = source_->size();
        if (!how_.realtime && !how_.own_iface) template_ = outgoing::compile(*source_, false);
        whole_frames_ = layer2_ && source_->has_frames();
        error_code ec;
        interface_ = engine_->interface_index(how_.iface, ec);
        if (!ec && layer2_ && interface_ == 0) interface_ = engine_->default_interface(ec);
        exhausted_ = how_.count == 0 && !how_.loop;
        engine_->begin(shared_from_this());
        if (ec) {
            report_.first_error = ec;
            exhausted_ = true;
        }
    });
}

void sender::cancel() noexcept {
    finish(asio::error::operation_aborted);
}

void sender::finish(error_code ec) {
    if (std::exchange(done_, true)) return;
    auto alive = shared_from_this();
    if (began_ != never) report_.duration = last_ - began_;
    engine_->end(*this);
    if (held > 0) engine_->drop_held();
    if (!ec && report_.sent == 0) ec = report_.first_error;
    if (waiting_) complete_later(engine_->executor(), std::move(waiting_), ec, report_);
}

/// The next packet of the source, over all passes; none at the end, or until an async source gives one.
void sender::take() {
    if (template_) {
        made_ = make_next();
        return;
    }
    for (;;) {
        if (size_) {
            if (index_ < *size_) next_ = source_->at(index_, random_);
        } else if (whole_frames_) {
            raw_ = source_->next_frame();
        } else if (auto p = element_.next(random_)) {
            next_ = std::move(p);
        } else if (source_->is_async()) {
            return pull();
        } else if (auto element = source_->next()) {
            element_.begin(*std::move(element));
            continue;
        }
        if (has_next()) break;
        if (index_ == 0 || !next_pass()) {
            exhausted_ = true;
            return;
        }
    }
    ++index_;
}

/// Where there is a template.
bool sender::make_next() {
    if (index_ == *size_ && !next_pass()) {
        exhausted_ = true;
        return false;
    }
    making_.take(*template_, index_++, random_);
    return true;
}

bool sender::next_pass() {
    ++pass_;
    first_time_.reset();
    if (!how_.loop && pass_ >= how_.count) return false;
    index_ = 0;
    return size_ || source_->rewind();
}

void sender::pull() {
    pulling_ = true;
    source_->async_next([weak = weak_from_this()](error_code ec, std::optional<packet> p) {
        auto me = std::static_pointer_cast<sender>(weak.lock());
        if (!me || me->done_) return;
        me->pulling_ = false;
        me->engine_->contain(*me, [&] {
            if (ec)
                me->source_failed(ec);
            else if (!p)
                me->exhausted_ = true;
            else
                me->element_.begin(*std::move(p));
            me->engine_->ready(*me);
        });
    });
}

/// When the next one may leave: by the pace, and in a replay by its own time.
steady_time sender::due(steady_time now) {
    auto at = pacer_.ready_at();
    if (!how_.realtime) return at;
    auto time = raw_ ? raw_->time : next_->time;
    if (time == timestamp{}) return at;
    if (!first_time_) {
        first_time_ = time;
        pass_began_ = now;
        first_leaves_ = true;
    }
    return std::max(at, later(pass_began_, time - *first_time_));
}

void sender::turn(steady_time now) {
    auto alive = shared_from_this();
    engine_->contain(*this, [&] { proceed(now); });
}

void sender::proceed(steady_time now) {
    for (unsigned n = 0; !done_ && !exhausted_ && !pulling_ && !awaits_turn_; ++n) {
        if (n == packets_per_turn) return engine_->ready(*this);
        held_back_ = held > 0;  // packets leave in their order: one that waits for a limit keeps the others
        if (held_back_) return;
        if (engine_->is_backlogged()) return engine_->starve(shared_from_this());
        try {
            if (!has_next()) take();
        } catch (std::bad_alloc const&) {
            throw;
        } catch (...) {
            source_failed(engine_->reason_of_exception());
        }
        if (!has_next()) break;
        auto at = due(now);
        if (at > now) return engine_->wake_at(*this, at);
        if (awaits_others()) return;
        pacer_.left(now, bits_of_next());
        launch_next();
    }
    if (exhausted_ && open_ == 0 && late_.empty()) finish(source_error_);
}

/// Each interface has a queue of its own: packets keep their order over several when those before have left.
bool sender::awaits_others() {
    if (!how_.own_iface) return false;
    auto interface = raw_ ? raw_->interface : next_->interface;
    turning_ = open_ > 0 && interface != latest_interface_;
    if (!turning_) latest_interface_ = interface;
    return turning_;
}

std::uint64_t sender::bits_of_next() const {
    if (raw_) return raw_->bytes.size() * 8;
    return engine::bits_of(made_ ? making_.view() : next_->view(), layer2_);
}

void sender::launch_next() {
    if (std::exchange(made_, false)) return go(making_, interface_);
    if (next_) return launch(*std::exchange(next_, {}));
    auto const& f = *std::exchange(raw_, nullptr);
    if (engine_->looks_into_frames()) return launch(to_packet(f));
    auto interface = how_.own_iface && f.interface != 0 ? f.interface : interface_;
    if (auto ec = engine_->transmit(interface, f.bytes, self(), f.bytes.size())) return refused(ec);
    ++open_;
}

void sender::source_failed(error_code ec) {
    source_error_ = ec;
    exhausted_ = true;
}

void sender::launch(packet p) {
    for (auto const& v : p.sets()) {
        if (v.content.state != field_state::name || names_.contains(v.name)) continue;
        bool v6 = p.layers()[v.layer].layer->fields[v.field].kind == value_kind::ipv6;
        ++open_;
        engine_->resolve_name(v.name, v6,
                              [weak = weak_from_this(), p, name = v.name](error_code ec, ip_address a) {
                                  auto me = std::static_pointer_cast<sender>(weak.lock());
                                  if (!me || me->done_) return;
                                  --me->open_;
                                  if (ec) return me->failed(ec);
                                  me->engine_->contain(*me, [&] {
                                      me->names_.emplace(name, a);
                                      me->launch(p);
                                      me->engine_->ready(*me);
                                  });
                              });
        return;
    }
    auto interface = how_.own_iface && p.interface != 0 ? p.interface : interface_;
    auto known = outgoing::of(std::move(p), names_);
    if (!known) return failed(engine_->fail(errc::host_not_found, "an address of the other family"));
    go(*known, interface);
}

/// What cannot be made, or cannot leave, is a packet that failed; those after it are sent.
template <class Part>
void sender::attempt(Part part) try {
    part();
} catch (std::bad_alloc const&) {
    throw;
} catch (...) {
    failed(engine_->reason_of_exception());
}

void sender::go(outgoing& o, int interface) {
    attempt([&] {
        error_code ec;
        auto const& way = engine_->way_of(o, interface, layer2_, ec);
        if (ec) return refused(ec);
        if (auto next_hop = engine_->next_hop_of(way, ec)) return leave(o, way, *next_hop);
        if (ec) return refused(ec);
        if (engine_->neighbour_cache().is_full(way.out->info().index, way.next_hop))
            return wait_for_turn(std::move(o), interface, way);
        ask_neighbour(std::move(o), way);
    });
}

void sender::wait_for_turn(outgoing o, int interface, way_out const& way) {
    late_.emplace_back(std::move(o), interface);
    if (awaits_turn_) return;
    engine_->neighbour_cache().wait_for_turn(way.out->info().index, way.next_hop, [weak = weak_from_this()] {
        auto me = std::static_pointer_cast<sender>(weak.lock());
        if (me && !me->done_) me->engine_->contain(*me, [&] { me->take_turn(); });
    });
    awaits_turn_ = true;
}

void sender::take_turn() {
    awaits_turn_ = false;
    for (auto& [o, interface] : std::exchange(late_, {})) go(o, interface);
    engine_->ready(*this);
}

void sender::ask_neighbour(outgoing o, way_out const& way) {
    ++open_;
    auto known = [weak = weak_from_this(), o = std::move(o), way](error_code ec, mac address) mutable {
        auto me = std::static_pointer_cast<sender>(weak.lock());
        if (!me || me->done_) return;
        --me->open_;
        if (ec) return me->failed(ec);
        me->engine_->contain(*me, [&] { me->attempt([&] { me->leave(o, way, address); }); });
    };
    try {
        engine_->neighbour_cache().resolve(way.out->info().index, way.next_hop, std::move(known));
    } catch (...) {
        --open_;
        throw;
    }
}

void sender::leave(outgoing& o, way_out const& way, mac const& next_hop) {
    if (way.out->echo)
        return failed(engine_->fail(
            errc::permission, "ping socket on " + way.out->info().name +
                                  ": `send` keeps IP.id as it is, which takes a raw socket; `sr` does not"));
    if (layer2_) o.set_link_destination(next_hop);
    o.finish(engine_->shapes());
    ++open_;
    engine_->transmit(way, o, next_hop, self(), o.bytes().size() + (way.add_ethernet ? 14 : 0));
}

void sender::frame_left(std::uint64_t size, steady_time now, timestamp) {
    if (began_ == never) began_ = now;
    // A replay keeps the gaps from when its first packet did leave, which a busy machine may make late.
    if (std::exchange(first_leaves_, false)) pass_began_ = now;
    last_ = now;
    ++report_.sent;
    report_.bytes += size;
    bool go_on = std::exchange(held_back_, false);
    go_on |= open_ == 1 && std::exchange(turning_, false);
    if ((--open_ == 0 && exhausted_) || go_on) engine_->ready(*this);
}

void sender::frame_failed(std::uint64_t, error_code ec) {
    --open_;
    ec == errc::no_such_interface ? refused(ec) : failed(ec);
}

void sender::failed(error_code ec) {
    engine_->told(ec);
    if (!report_.first_error) report_.first_error = ec;
    ++report_.send_errors;
    first_leaves_ = false;  // what comes next keeps its own distance from when the first was due
    engine_->ready(*this);
}

/// It has no way, which no packet after it may have, either. Those of a replay have interfaces of their own.
void sender::refused(error_code ec) {
    failed(ec);
    bool of_interface = ec == errc::no_such_interface || ec == errc::unsupported_link_type;
    if (ec == errc::permission || (of_interface && !how_.own_iface)) finish(ec);
}

}  // namespace sonde::inline v0::detail
