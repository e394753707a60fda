#include "engine.hpp"

#include "explainer.hpp"

#include "packet/error_context.hpp"

#include <sonde/layers/ether.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/packet/match.hpp>
#include <sonde/probe/probe_run.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t frames_at_once = 1 << 16;  // that wait in a socket
constexpr std::uint32_t places_for_questions = 4096;
constexpr std::size_t judged_at_once = 16;  // looked up together: memory comes meanwhile
// What is a flood: so many frames in less than so long, seven eighths of them strangers', or an eighth where
// they are known to be those of networks beside this one.
constexpr std::uint64_t flood_frames = 1024;
constexpr auto flood_time = std::chrono::milliseconds(100);

/// Of the free ports those of this network, so that strangers are told by their port.
port_range part_of(port_range all, interface_share share) {
    constexpr std::uint32_t most = 64;  // a few hundred ports each
    if (share.parts == 0 || share.parts > most || share.part >= share.parts)
        throw error(errc::value_out_of_range,
                    fmt::format("share {} of {}: they count from 0, and are {} at most", share.part,
                                share.parts, most));
    auto from = [&](std::uint32_t part) {
        return all.first + (all.last - all.first + 1u) * part / share.parts;
    };
    return {static_cast<std::uint16_t>(from(share.part)),
            static_cast<std::uint16_t>(from(share.part + 1) - 1)};
}

/// What was changed on the way is nobody's answer. It is told by the checksums, of frames that are whole and
/// have theirs.
network_options checked(network_options const& o) {
    if (o.probes == 0) throw_error(errc::value_out_of_range, "room for 0 probes");
    return o;
}

bool has_checksums(received_frame const& f) {
    return !f.unfinished && f.length == f.bytes.size();
}

}  // namespace

engine::engine(asio::any_io_executor executor, network_options options)
    : executor_(std::move(executor)),
      options_(checked(options)),
      system_(platform_of(executor_, options.netns)),
      table_(table_limits{.probes = std::max(options.probes, options.probes + places_for_questions)}),
      limiter_({.rate = options.rate, .bit_rate = options.bit_rate, .per_prefix = options.per_prefix}),
      targets_(options.targets),
      secret_(system_->random<secret_key>()),
      seeds_(system_->random<secret_key>()),
      free_ports_(part_of(system_->free_ports(), options.share)),
      identities_(system_->random<secret_key>(), free_ports_, system_->random<std::uint32_t>()),
      interest_(free_ports_),
      neighbours_(*this),
      timer_(system_->make_timer()) {}

// --- operations and turns
// ---------------------------------------------------------------------------------------

void engine::begin(std::shared_ptr<operation> op) {
    op->serial = ++begun_;
    operations_.insert(op);
    listening_ += op->is_listening();
    if (op->is_wanted() && wanted_++ == 0) wake_questions();
    if (!reading_ && listening_ > 0) start_listening();
    ready(*op);
}

/// Questions for neighbours that rested: those whose answer may still come go on.
void engine::wake_questions() {
    if (operations_.size() == 1 || now() < later(deaf_since_, neighbours::patience)) return;
    neighbours_.forget_questions();
    for (auto& op : std::vector(operations_.begin(), operations_.end()))
        if (!op->is_wanted()) op->shut_down();
}

/// What came while nobody listened has filled the sockets, perhaps, and they would drop the answers to come.
/// Between operations that follow one another at once there is no time for that.
void engine::start_listening() {
    using namespace std::chrono_literals;
    if (now() > later(deaf_since_, 1ms))
        for (auto& p : std::map(ports_)) p.second->drain(frames_at_once);
    read_ports(true);
}

void engine::end(operation& op) noexcept {
    wake_at(op, never);
    bool was_here = operations_.erase(op.shared_from_this()) > 0;
    listening_ -= was_here && op.is_listening();
    wanted_ -= was_here && op.is_wanted();
    if (reading_ && (listening_ == 0 || wanted_ == 0)) {
        deaf_since_ = now();
        read_ports(false);
    }
    if (operations_.empty()) table_.forget_all();
    arm_timer();
}

void engine::listen(std::weak_ptr<operation> op) {
    std::erase_if(listeners_, [](auto const& l) { return l.expired(); });
    listeners_.push_back(std::move(op));
}

void engine::ready(operation& op) {
    if (op.queued_for_turn) return;
    if (closed_) return take_last_turn(op.shared_from_this());
    ready_.push_back(op.shared_from_this());
    op.queued_for_turn = true;
    schedule_turn();
}

/// Nobody empties the queues of a network that has gone: the loop has the operation, as long as it is there.
void engine::take_last_turn(std::shared_ptr<operation> op) {
    auto& o = *op;
    asio::post(executor_, [self = shared_from_this(), op = std::move(op)] {
        op->queued_for_turn = false;
        op->turn(self->now());
    });
    o.queued_for_turn = true;
}

void engine::schedule_turn() {
    if (turn_scheduled_ || in_turn_) return;
    turn_scheduled_ = true;
    try {
        asio::post(executor_, [self = shared_from_this()] {
            self->turn_scheduled_ = false;
            self->run_turn();
        });
    } catch (...) {
        turn_scheduled_ = false;
        throw;
    }
}

void engine::wake_at(operation& op, steady_time when) {
    if (op.wake == when) return;
    if (op.wake != never) sleepers_.erase({op.wake, op.serial, &op});
    op.wake = never;
    if (when != never) sleepers_.insert({when, op.serial, &op});
    op.wake = when;
    if (!in_turn_) arm_timer();
}

void engine::run_turn() {
    if (in_turn_) return;
    in_turn_ = true;
    try {
        turn_began_ = system_->now();
        take_turn(turn_began_);
        in_turn_ = false;
        if (!ready_.empty()) schedule_turn();
        arm_timer();
    } catch (...) {  // of a user's handler: it leaves the loop, and what this turn left is the next one's
        in_turn_ = false;
        schedule_turn();
        throw;
    }
}

void engine::take_turn(steady_time now) {
    for (auto n = ready_.size(); n > 0 && !ready_.empty(); --n) {
        auto op = std::move(ready_.front());
        ready_.pop_front();
        op->queued_for_turn = false;
        op->turn(now);
    }
    release_held(now);
    for (auto& [index, p] : ports_) p->flush();
    backlog_ = 0;
    for (auto& [index, p] : ports_) backlog_ += p->backlog();
    if (is_backlogged()) return;
    for (auto& op : std::exchange(starving_questions_, {})) ready(*op);
    if (!has_room()) return;
    for (auto& op : std::exchange(starving_, {})) ready(*op);
}

/// Nothing is waited for where nobody waits: what is left are the engine's own questions.
void engine::arm_timer() {
    auto next = never;
    if (wanted_ > 0) {
        next = table_.next_deadline().value_or(never);
        if (!is_backlogged()) next = std::min(next, limiter_.wake_at().value_or(never));
    }
    // Who only listens is no operation, and sleeps among them.
    auto first = std::ranges::find_if(sleepers_,
                                      [this](sleeper const& s) { return wanted_ > 0 || s.op->is_wanted(); });
    if (first != sleepers_.end()) next = std::min(next, first->wake);
    if (next == std::exchange(armed_, never)) {
        armed_ = next;
        return;
    }
    if (next == never) return timer_->cancel();
    timer_->start(next, [self = weak_from_this()] {
        if (auto e = self.lock()) e->on_timer();
    });
    armed_ = next;
}

void engine::on_timer() try {
    armed_ = never;
    // An answer that waits in a socket came in time: read before anything expires.
    for (auto& p : std::map(ports_)) p.second->drain(frames_at_once);
    auto now = system_->now();
    while (auto attempt = wanted_ > 0 ? table_.expire(now) : std::nullopt)
        if (attempt->user) reinterpret_cast<answer_judge*>(attempt->user)->expired(*attempt, now);
    while (!sleepers_.empty() && sleepers_.begin()->wake <= now) {
        auto* op = sleepers_.begin()->op;
        wake_at(*op, never);
        ready(*op);
    }
    run_turn();
} catch (...) {
    schedule_turn();  // which sets the timer again
    throw;
}

void engine::shut_down() noexcept {
    if (std::exchange(closed_, true)) return;
    auto alive = shared_from_this();
    for (auto& op : std::vector(operations_.begin(), operations_.end())) op->shut_down();
    for (auto const& l : std::exchange(listeners_, {}))
        if (auto op = l.lock()) op->shut_down();
    taps_.clear();
    incoming_.clear();
    for (auto const& op : std::exchange(ready_, {})) {
        op->queued_for_turn = false;
        op->shut_down();  // one that has ended already, and was about to tell
    }
    operations_.clear(), starving_.clear(), starving_questions_.clear(), sleepers_.clear();
    listening_ = wanted_ = 0;
    held_.clear();
    neighbours_.forget();
    for (auto& [index, p] : ports_) p->close();
    ports_.clear(), latest_.reset(), latest_way_ = {};
    timer_->cancel();
    system_->stop();
}

// --- frames coming in
// -------------------------------------------------------------------------------------------

void engine::read_ports(bool on) {
    reading_ = on;
    // Two devices of one interface would show each frame twice: the routed one reads for both.
    for (auto& [id, p] : ports_)
        p->read(on && !(id.kind == port_kind::framed && ports_.contains({id.interface, port_kind::routed})));
}

/// The attempt of this key that the packet answers: only the packet itself tells.
std::optional<attempt_info> engine::find(match_key const& key, packet const& received, bool to_many) {
    return table_.find(key, [&](attempt_info const& a) {
        return a.user == 0 || reinterpret_cast<answer_judge*>(a.user)->accepts(a, received, to_many);
    });
}

/// As `on_packet`.
void engine::on_frame(received_frame const& f) try {
    if (f.outgoing) return;
    count_strangers();
    auto received = dissect(f.bytes, f.type);
    received.time = f.time;
    received.interface = f.interface;
    received.wire_length = f.length;
    auto const whole = reassembly_.lock();
    if (!whole) return await_judgement(std::move(received), has_checksums(f));
    if (auto complete = whole->add(std::move(received), now().time_since_epoch()))
        await_judgement(*std::move(complete), has_checksums(f));
} catch (std::bad_alloc const&) {
    ++frames_lost_;
}

void engine::await_judgement(packet&& received, bool has_checksums) {
    incoming_.reserve(judged_at_once);
    auto& a = incoming_.emplace_back(std::move(received), has_checksums);
    find_keys_of_answer(a.received.view(), secret_, false, false, a.keys);
    if (!a.keys.each.empty()) a.innermost = a.keys.each.back().finish();
    table_.prefetch(a.innermost);
    if (incoming_.size() == judged_at_once) judge_incoming();
}

/// What an exception leaves behind is the next batch's.
void engine::judge_incoming() {
    if (incoming_.empty()) return;
    for (auto const& a : incoming_) table_.prefetch_found(a.innermost);
    judged_at_ = system_->now();
    auto next = incoming_.begin();
    try {
        while (next != incoming_.end()) on_packet(*next++);
    } catch (...) {
        incoming_.erase(incoming_.begin(), next);
        throw;
    }
    incoming_.clear();
}

/// Of a flood that is nearly all strangers' the kernel keeps what it can tell from answers: else each frame
/// would be copied, dissected and looked up (docs/design/receive.md).
void engine::count_strangers() {
    if (++frames_looked_at_ < flood_frames) return;
    auto now = system_->now();
    auto strangers = strays_.unrelated - strangers_before_;
    bool flood =
        now - looking_since_ < flood_time && strangers > flood_frames / 8 * (shares_interfaces() ? 1 : 7);
    frames_looked_at_ = 0;
    looking_since_ = now;
    strangers_before_ = strays_.unrelated;
    if (flood && !sheds_) shed();
}

/// Sets the filter of all that are probing, or takes it away: relaxed answers may come to other ports, and
/// who asks for explanations wants to see strangers too.
void engine::shed() {
    bool all_matter = relaxed_runs_ > 0 || explains();
    auto filter = all_matter ? std::nullopt : interest_.filter();
    sheds_ = filter.has_value();
    for (auto const& [id, p] : ports_) shed(*p, filter);
}

void engine::shed(port& p, std::optional<std::string> const& filter) {
    if (!p.is_open()) return;
    error_code ec;
    if (filter)
        p.set_filter(capture_filter::compile(*filter, p.info().type, capture_filter::whole_frame, ec), ec);
    // One that could not be set may still be the one before, which does not know the latest probe's port.
    if (!filter || ec) p.set_filter({}, ec);
}

std::shared_ptr<reassembler> engine::reassembly() {
    auto whole = reassembly_.lock();
    if (!whole) reassembly_ = whole = std::make_shared<reassembler>();
    return whole;
}

/// Several keys may lead to it; the one that says most is looked up first.
std::optional<attempt_info> engine::find_probe(incoming const& a) {
    if (auto found = find(a.innermost, a.received, false)) return found;
    for (bool relaxed : {false, true}) {
        if (relaxed && relaxed_runs_ == 0) break;
        // Most answers are to a probe that went to their sender: the keys of others are made when they are
        // needed.
        for (bool to_many : {false, true}) {
            if (to_many && !asks_groups_) break;
            bool others = relaxed || to_many;
            auto keys = others ? open_keys_of_answer(a.received.view(), secret_, relaxed, to_many) : a.keys;
            if (!others) keys.each.pop_back();
            for (; !keys.each.empty(); keys.each.pop_back())
                if (auto found = find(keys.each.back().finish(), a.received, to_many)) return found;
        }
    }
    return {};
}

/// A frame for which there is no memory is lost, as those are for which the kernel had none.
void engine::on_packet(incoming& a) try {
    if (taps_.empty()) {
        judge(a);
        return;
    }
    refusal_.clear();
    auto copy = a.received;
    auto what = judge(a);
    explain(std::move(copy), what);
} catch (std::bad_alloc const&) {
    ++frames_lost_;
}

void engine::explain_to(std::weak_ptr<explainer> tap) {
    std::erase_if(taps_, [](auto const& t) { return t.expired(); });
    taps_.push_back(std::move(tap));
    if (sheds_) shed();
}

void engine::explain(packet&& received, judgement const& what) {
    std::string reason(what.reason);
    if (what.what == explanation::kind::unrelated && !refusal_.empty()) reason = refusal_;
    if (what.probe) {
        auto of = fmt::format("probe {}, attempt {}", what.probe->index, what.probe->attempt);
        reason = reason.empty() ? of : of + ": " + reason;
    }
    explanation e(std::move(received), what.what, std::move(reason));
    std::erase_if(taps_, [](auto const& t) { return t.expired(); });
    for (auto const& t : taps_)
        if (auto tap = t.lock()) tap->add(e);
}

/// Counts a packet, and hands it to the operation whose probe it answers.
engine::judgement engine::judge(incoming& a) {
    using kind = explanation::kind;
    if (a.keys.each.empty()) {
        ++strays_.unrelated;
        return {kind::unrelated, "no packet of this kind answers a probe"};
    }
    auto& received = a.received;
    auto found = find_probe(a);
    bool damaged = a.has_checksums && !checksums_hold(received.view());
    bool cut = !found &&
               std::ranges::any_of(received.layers(), [](auto const& l) { return l.truncated && !l.quoted; });
    if (damaged || cut) {
        ++strays_.malformed;
        return {kind::malformed, damaged ? "a checksum does not hold" : "it ends inside a header"};
    }
    if (!found) {
        ++strays_.unrelated;
        return {kind::unrelated, "no probe in flight, or finished lately, has its addresses and ports"};
    }
    if (found->user == 0) {
        bool late = stray_kind(*found) == verdict::kind::late;
        ++(late ? strays_.late : strays_.duplicates);
        return {late ? kind::late : kind::duplicate, "its operation has ended", found};
    }
    auto v = reinterpret_cast<answer_judge*>(found->user)->replied(*found, std::move(received), judged_at_);
    switch (v.what) {
        case verdict::kind::answered: return {kind::matched, {}, found};
        case verdict::kind::duplicate: return {kind::duplicate, "it has had its answer", found};
        case verdict::kind::late: break;
    }
    return {kind::late, "it had timed out", found};
}

std::uint64_t engine::kernel_drops() {
    auto drops = drops_of_closed_ + frames_lost_;
    for (auto& [index, p] : ports_) drops += p->counters().kernel_dropped;
    return drops;
}

error_code engine::reason_of_exception() noexcept try { throw; } catch (std::bad_alloc const&) {
    return asio::error::no_memory;
} catch (boost::system::system_error const& e) {
    return fail(e.code(), std::string(context_of(e)));
} catch (std::exception const& e) {
    return fail(errc::user_code_failed, e.what());
} catch (...) {
    return fail(errc::user_code_failed, "an exception of an unknown type");
}

}  // namespace sonde::inline v0::detail
