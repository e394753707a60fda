#include "prober.hpp"

#include <sonde/packet/match.hpp>

#include <fmt/format.h>

#include <algorithm>

// Answers coming in.
namespace sonde::inline v0::detail {
namespace {

/// Layer 3 verbs give layer 3 packets, whatever link they came over.
packet without_link_layers(packet&& received) {
    auto const v = network_layer_of(received.view());
    if (!v || v.index() == 0) return std::move(received);
    auto begin = v.span().begin;
    auto below = static_cast<std::ptrdiff_t>(v.index());
    auto time = received.time;
    auto interface = received.interface;
    auto length = received.wire_length - begin;
    auto parts = std::move(received).release_parts();
    auto& [bytes, layers, sets, structs] = *parts;
    bytes.erase(bytes.begin(), bytes.begin() + begin);
    layers.erase(layers.begin(), layers.begin() + below);
    for (auto& l : layers) l.begin -= begin, l.end -= begin;
    auto rest = packet::from_parts(std::move(parts));
    rest.time = time, rest.interface = interface, rest.wire_length = length;
    return rest;
}

attempt_id id_of(attempt_info const& a) {
    return {.index = a.index, .draw = a.draw, .attempt = a.attempt};
}

}  // namespace

/// Where a frame went that left that to its way: to the one that all of them went to, or to its own next hop.
mac prober::link_destination(outgoing& o) const {
    if (!over_several_next_hops_) return next_hop_;
    error_code ec;
    auto way = engine_->link(o, what_.interface, ec);
    auto to = way.next_hop_mac;
    if (!ec && !to)
        to = engine_->neighbour_cache().find(way.out->info().index, way.next_hop, engine_->recent(), ec);
    return to.value_or(next_hop_);
}

outgoing prober::rebuild(attempt_info const& attempt, std::optional<ip_address> const& own) const {
    if (compiled_ && scratch_.is_of(compiled_->packets))
        if (auto left = compiled_->sent.find(id_of(attempt)); !left.empty()) return scratch_.with_bytes(left);
    outgoing o;
    if (compiled_)
        write(attempt.index, attempt.attempt, o);
    else
        o = outgoing::of(make(attempt.index, attempt.attempt), names_).value();  // as its names were known
    if (o.has_automatic_source()) {
        // An answer was found by a key that holds both addresses, so it came to where its probe came from.
        bool known = own && (sources_overflown_ || std::ranges::find(sources_, *own) != sources_.end());
        if (known || !sources_.empty()) o.set_source(known ? *own : sources_.back());
    }
    o.set_link_source(link_source_);
    if (o.wants_neighbour()) o.set_link_destination(link_destination(o));
    o.identify(engine_->identities(), attempt.draw);
    o.finish(engine_->shapes());
    return o;
}

bool prober::passes_filter(packet const& received) const {
    if (!filters_) return true;
    auto const& first = received.layers().front();
    auto const& filter = first.layer->name == "Ether" ? filters_->ethernet : filters_->ip;
    return filter && filter->matches(received.view().bytes, received.wire_length);
}

bool prober::accepts(attempt_info const& attempt, packet const& received, bool to_many) {
    if (!run_) return false;
    if (!passes_filter(received)) {
        if (engine_->explains()) engine_->note_refusal("the operation's filter does not take it");
        return false;
    }
    try {
        bool const made_again = left_last_ != id_of(attempt);
        if (made_again) engine_->rebuilt() = rebuild(attempt, destination_of(received.view()));
        auto view = made_again ? engine_->rebuilt().view() : scratch_.view();
        view.to_many = to_many;
        view.relaxed = what_.relaxed;
        auto answers = match(received.view(), view);
        if (answers.value != match_verdict::yes) {
            if (engine_->explains())
                engine_->note_refusal(fmt::format("probe {}: {}", attempt.index, answers.why));
            return false;
        }
        last_ = accepted{attempt.index, attempt.attempt, made_again};
        return true;
    } catch (boost::system::system_error const&) {
        return false;  // a packet that cannot be made again was never sent
    } catch (...) {
        broken(engine_->reason_of_exception());
        return false;
    }
}

verdict prober::replied(attempt_info const& attempt, packet&& received, steady_time now) {
    verdict v;
    engine_->contain(*this, [&] { v = take(attempt, std::move(received), now); });
    return v;
}

verdict prober::take(attempt_info const& attempt, packet&& received, steady_time now) {
    if (!run_) return {};
    std::optional<arrival> came;
    auto accepted_packet = [&]() -> outgoing& { return last_->made_again ? engine_->rebuilt() : scratch_; };
    if (last_) came = {.at = received.time, .destination = accepted_packet().destination()};
    auto v = run_->replied(attempt, now, came);
    if (v.what == verdict::kind::answered && !closed_) {
        bool same = last_ && last_->index == v.index && last_->attempt == v.attempt;
        attempt_info answered = attempt;
        answered.attempt = v.attempt, answered.draw = v.draw;
        auto sent = (same ? std::move(accepted_packet()) : rebuild(answered, destination_of(received.view())))
                        .to_packet();
        if (same && !last_->made_again) left_last_.reset();
        sent.time = v.sent;
        sent.interface = received.interface;
        item next{.index = v.index,
                  .what = decltype(item::what)(
                      std::in_place_type<exchange>, std::move(sent),
                      what_.layer2 ? std::move(received) : without_link_layers(std::move(received)),
                      v.attempt, round_)};
        auto& x = std::get<exchange>(next.what);
        x.ambiguous = v.ambiguous;
        x.index = v.index;
        if (auto* s = statistics_of(v.index)) {
            ++s->rounds, ++s->answered;
            s->rtt.add(x.rtt());
        }
        push(std::move(next));
        if (!what_.run.multi && !source_size_) kept_.erase(v.index);
    }
    last_.reset();
    engine_->ready(*this);
    return v;
}

void prober::expired(attempt_info const& attempt, steady_time now) {
    if (!run_ || closed_) return;
    engine_->contain(*this, [&] {
        run_->expired(attempt, now);
        engine_->ready(*this);
    });
}

}  // namespace sonde::inline v0::detail
