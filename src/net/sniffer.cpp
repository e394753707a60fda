#include "sniffer.hpp"

namespace sonde::inline v0::detail {
namespace {

constexpr std::size_t batch = 64;

/// What is left until a deadline may be less than nothing; nothing at all would mean that there is no end.
steady_duration listening(sniff_options const& how) {
    return how.timeout < how.timeout.zero() ? steady_duration(1) : how.timeout;
}

}  // namespace

sniffer::sniffer(std::shared_ptr<engine> e, sniff_options const& how)
    : engine_(std::move(e)),
      left_(how.count ? how.count : forever),
      began_(engine_->now()),
      ends_(how.timeout == how.timeout.zero() ? never : later(began_, listening(how))),
      listens_from_(engine_->system().wall_time()),
      listens_for_(listening(how)) {
    if (how.reassemble) reassembly_.emplace();
    open(how);
}

void sniffer::open(sniff_options const& how) {
    error_code ec;
    std::string about;
    auto index = engine_->interface_index(how.iface, ec);
    receive_options receive;
    capture_filter filter;
    auto const info = index ? engine_->system().describe(index, ec) : link_info();
    if (!ec && index && !info.up) ec = errc::interface_down, about = info.name;
    if (!ec && !how.filter.empty()) {
        auto type = info.type;
        if (!ec) filter = capture_filter::compile(how.filter, type, capture_filter::whole_frame, ec, &about);
        receive.filter = &filter;
    }
    receive.promiscuous = how.promisc;
    receive.buffer = engine_->options().receive_buffer;
    receive.see_outgoing = true;
    if (!ec) device_ = engine_->system().open_device(index, false, receive, ec, &about);
    if (!ec) return;
    close(about.empty() ? ec : engine_->fail(ec, std::move(about)));
}

void sniffer::start_next(waiting_ptr<std::optional<packet>> op) {
    if (waiting_) return complete_later(engine_->executor(), std::move(op), errc::already_running);
    waiting_ = std::move(op);
    engine_->watch(*this);
}

std::optional<packet> sniffer::try_next() {
    if (queue_.empty() && !closed_) engine_->contain(*this, [&] { read(); });
    if (queue_.empty()) return {};
    std::optional<packet> p(std::move(queue_.front()));
    queue_.pop_front();
    return p;
}

/// What came in time is taken, however late it is read.
void sniffer::read() {
    if (left_ == 0) return close({});
    bool const over = engine_->now() >= ends_;
    bool any = false;
    error_code ec;
    device_->receive(
        std::min<std::uint64_t>(batch, left_),
        [&](frame const& f) {
            if (over && f.time - listens_from_ > listens_for_) return;
            any = true;
            auto p = dissect(f.bytes, f.type);
            p.time = f.time, p.interface = f.interface, p.wire_length = f.length;
            if (!reassembly_) return take(std::move(p));
            if (auto whole = reassembly_->add(std::move(p), engine_->now().time_since_epoch()))
                take(*std::move(whole));
        },
        ec);
    if (ec && ec != errc::interface_down) return close(engine_->fail(ec, device_->info().name));
    if (over && !any) close({});
}

void sniffer::take(packet&& p) {
    queue_.push_back(std::move(p));
    ++report_.received;
    if (left_ != forever) --left_;
}

void sniffer::turn(steady_time) {
    auto alive = shared_from_this();
    if (!waiting_) return;
    if (auto p = try_next()) return complete(std::move(waiting_), {}, std::move(p));
    if (!closed_) engine_->contain(*this, [&] { wait(); });
    if (closed_) complete(std::move(waiting_), std::exchange(end_, {}), std::optional<packet>());
}

void sniffer::wait() {
    engine_->wake_at(*this, ends_);
    if (std::exchange(waits_, true)) return;
    device_->wait_readable([weak = weak_from_this()](error_code ec) {
        auto me = std::static_pointer_cast<sniffer>(weak.lock());
        if (!me) return;
        me->waits_ = false;
        if (ec == asio::error::operation_aborted && !me->waiting_) return;
        me->turn(me->engine_->now());
    });
}

void sniffer::cancel_next(void const* signal) {
    if (waiting_ && waiting_->cancelled_by == signal) abort_next();
}

void sniffer::abort_next() {
    if (!waiting_) return;
    engine_->wake_at(*this, never);
    if (device_) device_->cancel_readable();
    complete_later(engine_->executor(), std::move(waiting_), asio::error::operation_aborted);
}

void sniffer::close(error_code ec) {
    if (std::exchange(closed_, true)) return;
    end_ = ec;
    if (device_) report_.kernel_drops = device_->counters().kernel_dropped;
    report_.duration = engine_->now() - began_;
    device_.reset();
    engine_->wake_at(*this, never);
}

void sniffer::abandon() noexcept {
    auto alive = shared_from_this();
    close(asio::error::operation_aborted);
    queue_.clear();
    abort_next();
}

sonde::report sniffer::report() const {
    auto r = report_;
    if (device_) {
        r.kernel_drops = device_->counters().kernel_dropped;
        r.duration = engine_->now() - began_;
    }
    return r;
}

}  // namespace sonde::inline v0::detail
