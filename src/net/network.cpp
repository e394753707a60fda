#include "engine.hpp"
#include "explainer.hpp"
#include "prober.hpp"
#include "sender.hpp"
#include "sniffer.hpp"

#include "packet/spares.hpp"

#include <sonde/net/network.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace sonde::inline v0 {
namespace {

using detail::engine;
using detail::prober;

constexpr int most_retries = 65534;  // attempts are numbered by 16 bits

std::shared_ptr<prober> make_prober(std::shared_ptr<engine> const& e, packet_source source,
                                    detail::probing what, if_name const& iface) {
    error_code ec;
    what.interface = e->interface_index(iface, ec);
    if (!ec && what.layer2 && what.interface == 0) what.interface = e->default_interface(ec);
    auto const retry = what.run.retry;
    auto p = std::allocate_shared<prober>(detail::recycling_allocator<prober>(), e, std::move(source),
                                          std::move(what));
    if (retry > most_retries || retry < -most_retries)
        ec = e->fail(errc::value_out_of_range, fmt::format("retry {}, at most {}", retry, most_retries));
    if (ec) p->fail(ec);
    return p;
}

/// What is left until a deadline may be less than nothing: then there is no time.
timeout_option not_negative(timeout_option timeout) {
    if (!timeout.is_adaptive() && timeout.count() < 0) timeout = std::chrono::nanoseconds::zero();
    return timeout;
}

detail::probing probing_of(sr_options const& o, bool layer2) {
    detail::probing what;
    what.run = {.timeout = not_negative(o.timeout),
                .retry = o.retry,
                .inter = o.inter,
                .rate = o.rate,
                .multi = o.multi,
                .window = std::max(o.window, 1u),
                .bit_rate = o.bit_rate,
                .follow = true,
                .tell_ends = o.unanswered};
    what.layer2 = layer2;
    what.filter = o.filter;
    what.relaxed = o.relaxed;
    what.reassemble = o.reassemble;
    what.unanswered = o.unanswered;
    return what;
}

detail::probing probing_of(loop_options const& o, bool layer2) {
    detail::probing what;
    auto timeout = o.timeout;
    if (!timeout.is_adaptive() && timeout.count() < 0)
        timeout = o.inter == o.inter.zero()
                      ? sr_options().timeout  // each round begins when the one before has ended
                      : 2 * std::min<std::chrono::nanoseconds>(o.inter, std::chrono::milliseconds(2500));
    what.run = {.timeout = timeout, .retry = o.retry, .follow = true, .tell_ends = true};
    what.layer2 = layer2;
    what.filter = o.filter;
    what.rounds = o.count;
    what.inter = o.inter;
    return what;
}

}  // namespace

network::network(boost::asio::any_io_executor executor, network_options options)
    : engine_(new engine(executor, options)) {  // whose memory the context's list of networks does not keep
    detail::service_of(executor).add(engine_);
}

network::network(network&&) noexcept = default;

network& network::operator=(network&& other) noexcept {
    if (this != &other) {
        if (engine_) engine_->shut_down();
        engine_ = std::move(other.engine_);
    }
    return *this;
}

network::~network() {
    if (engine_) engine_->shut_down();
}

network::executor_type network::get_executor() const {
    return engine_->executor();
}
void network::open(if_name iface, error_code& ec) {
    ec = {};
    engine_->open(iface, ec);
}
void network::open(if_name iface) {
    error_code ec;
    open(iface, ec);
    if (ec) throw boost::system::system_error(ec, why());
}
void network::adopt(int descriptor, if_name iface, error_code& ec) {
    ec = {};
    engine_->adopt(descriptor, iface, ec);
}
void network::adopt(int descriptor, if_name iface) {
    error_code ec;
    adopt(descriptor, iface, ec);
    if (ec) throw boost::system::system_error(ec, why());
}
void network::set_rate(double packets_per_second) {
    engine_->change_limits([&](rate_limiter& l) { l.set_rate(packets_per_second); });
}
void network::set_bit_rate(double bits_per_second) {
    engine_->change_limits([&](rate_limiter& l) { l.set_bit_rate(bits_per_second); });
}
void network::set_prefix_rate(prefix_rate limit) {
    engine_->change_limits([&](rate_limiter& l) { l.set_prefix_rate(limit); });
}
void network::allow(address_set const& networks) {
    engine_->targets().allow(networks);
}
void network::block(address_set const& networks) {
    engine_->targets().block(networks);
}
reset_guard network::guard_resets() const {
    return guard_resets(engine_->ports());
}
reset_guard network::guard_resets(port_range ports) const {
    if (ports.first > ports.last)
        throw_error(errc::value_out_of_range, fmt::format("ports {} to {}", ports.first, ports.last));
    error_code ec;
    std::string about;
    reset_guard guard(engine_->system().hold_resets(ports, ec, about));
    if (ec) throw boost::system::system_error(ec, about);
    return guard;
}
std::size_t network::in_flight() const {
    return engine_->in_flight();
}
std::string const& network::why() const {
    return engine_->why();
}

boost::asio::any_io_executor network::executor_of(engine const& e) {
    return e.executor();
}

std::shared_ptr<detail::cancellable> network::make_send(std::shared_ptr<engine> const& e,
                                                        packet_source source, send_options const& options,
                                                        bool layer2) {
    return std::make_shared<detail::sender>(e, std::move(source), options, layer2);
}

void network::start(detail::cancellable& op, detail::waiting_ptr<send_report> w) {
    static_cast<detail::sender&>(op).start(std::move(w));
}

std::shared_ptr<detail::cancellable> network::make_sr1(std::shared_ptr<engine> const& e, packet_source source,
                                                       sr_options const& options, bool layer2) {
    auto what = probing_of(options, layer2);
    what.run.first = true;
    what.run.multi = what.run.follow = what.run.keep_unanswered = what.run.tell_ends = what.unanswered =
        false;
    return make_prober(e, std::move(source), std::move(what), options.iface);
}

void network::start(detail::cancellable& op, detail::waiting_ptr<std::optional<exchange>> w) {
    static_cast<prober&>(op).start_next(std::move(w));
}

exchange_stream network::sr(packet_source packets, sr_options options) {
    return exchange_stream(
        make_prober(engine_, std::move(packets), probing_of(options, false), options.iface));
}
exchange_stream network::srp(packet_source frames, sr_options options) {
    return exchange_stream(make_prober(engine_, std::move(frames), probing_of(options, true), options.iface));
}
loop_stream network::srloop(packet_source packets, loop_options options) {
    if (options.count == 0) packets = packet_source(std::vector<packet>());
    return loop_stream(make_prober(engine_, std::move(packets), probing_of(options, false), options.iface));
}
loop_stream network::srploop(packet_source frames, loop_options options) {
    if (options.count == 0) frames = packet_source(std::vector<packet>());
    return loop_stream(make_prober(engine_, std::move(frames), probing_of(options, true), options.iface));
}

packet_stream network::sniff(sniff_options options) {
    auto s = std::make_shared<detail::sniffer>(engine_, options);
    engine_->listen(s);
    return packet_stream(std::move(s));
}

explanation_stream network::explain(std::size_t queue) {
    auto tap = std::make_shared<detail::explainer>(engine_, queue);
    engine_->listen(tap);
    engine_->explain_to(tap);
    return explanation_stream(std::move(tap));
}

}  // namespace sonde::inline v0
