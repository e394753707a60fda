#pragma once

#include <sonde/detail/waiting.hpp>
#include <sonde/net/exchange.hpp>
#include <sonde/net/explanation.hpp>
#include <sonde/probe/adaptive.hpp>
#include <sonde/probe/format.hpp>
#include <sonde/probe/report.hpp>
#include <sonde/probe/statistics.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <memory>
#include <optional>
#include <span>

SONDE_NAMESPACE_BEGIN

namespace detail {

/// The far end of a stream: what the engine fills.
template <class T>
class stream_state {
public:
    virtual ~stream_state() = default;
    virtual boost::asio::any_io_executor executor() const = 0;
    virtual void start_next(waiting_ptr<std::optional<T>> op) = 0;
    /// Ends the wait of the operation that this signal belongs to.
    virtual void cancel_next(void const* signal) = 0;
    virtual std::optional<T> try_next() = 0;
    virtual void abandon() noexcept = 0;
};

/// What an operation puts into its slot.
template <class State, class Cancel>
class cancel_by_signal {
public:
    cancel_by_signal(std::shared_ptr<State> const& state, Cancel cancel)
        : state_(state), cancel_(std::move(cancel)) {}
    void operator()(boost::asio::cancellation_type type) {
        if (auto s = state_.lock(); s && type != boost::asio::cancellation_type::none) cancel_(*s, this);
    }

private:
    std::weak_ptr<State> state_;
    Cancel cancel_;
};

/// Begins an operation whose handler waits in the engine, and lets its cancellation slot end it.
template <class T, class Handler, class State, class Start, class Cancel>
void initiate(Handler&& handler, std::shared_ptr<State> const& state,
              boost::asio::any_io_executor const& executor, Start start, Cancel cancel) {
    namespace asio = boost::asio;
    auto slot = asio::get_associated_cancellation_slot(handler);
    auto op = make_waiting<T>(std::forward<Handler>(handler), executor);
    if (slot.is_connected())
        op->cancelled_by = &slot.template emplace<cancel_by_signal<State, Cancel>>(state, std::move(cancel));
    start(*state, std::move(op));
}

}  // namespace detail

/// What the streams of all verbs share. Items come in order; one `next` at a time.
/// Lifetimes: destroying the stream ends what it stands for, at once and exactly: what was not sent is never
/// sent, nothing of it stays in the network, a pending `next` ends with operation_aborted. May outlive its
/// network. Threads: on the network's executor only.
template <class T>
class stream {
public:
    /// The one moved from can only be destroyed or assigned to.
    stream(stream&&) noexcept = default;
    /// The same; the stream that this one was ends, as by `cancel`.
    stream& operator=(stream&& other) noexcept {
        if (this != &other) {
            cancel();
            state_ = std::move(other.state_);
        }
        return *this;
    }
    ~stream() { cancel(); }

    /// The next item.
    /// Completes when: an item is there, or the stream has ended; never from inside this call.
    /// Result and errors: `void(error_code, std::optional<T>)`; nothing at the end. What ended the stream
    /// early (permission, no_such_interface, bad_filter …) is told once, after the items before it.
    /// already_running: another `next` waits. Cancellation: total, partial and terminal all end this wait
    /// only; no item is lost, the stream goes on. Cost: no allocation when the token's memory can be
    /// recycled; suspends once per batch, see `try_next`.
    template <
        boost::asio::completion_token_for<void(error_code, std::optional<T>)> Token = boost::asio::deferred_t>
    auto next(Token&& token = Token{}) {
        return boost::asio::async_initiate<Token, void(error_code, std::optional<T>)>(
            [](auto handler, std::shared_ptr<detail::stream_state<T>> state) {
                detail::initiate<std::optional<T>>(
                    std::move(handler), state, state->executor(),
                    [](auto& s, auto op) { s.start_next(std::move(op)); },
                    [](auto& s, void const* signal) { s.cancel_next(signal); });
            },
            token, state_);
    }

    /// An item that is there already, without the event loop; nothing when there is none now.
    std::optional<T> try_next() { return state_->try_next(); }

    /// Ends the stream, as its destructor does.
    void cancel() noexcept {
        if (state_) state_->abandon();
    }

protected:
    /// For the streams of the verbs.
    explicit stream(std::shared_ptr<detail::stream_state<T>> state) : state_(std::move(state)) {}
    std::shared_ptr<detail::stream_state<T>> state_;  ///< null once moved from
};

namespace detail {

class exchange_state : public stream_state<exchange> {
public:
    virtual sonde::loop_report report() const = 0;
    virtual packet_list unanswered() const = 0;
    virtual void set_rate(rate_option rate) = 0;
    virtual void set_bit_rate(double bit_rate) = 0;
    virtual void pause() = 0;
    virtual void resume() = 0;
    virtual void stop() = 0;
    virtual std::uint64_t cursor() const = 0;
    virtual std::span<probe_statistics const> statistics() const = 0;
    virtual void start_collect(waiting_ptr<collected> op) = 0;
    virtual void cancel_collect(void const* signal) = 0;
};

class explanation_state : public stream_state<explanation> {
public:
    virtual std::uint64_t dropped() const = 0;
};

class capture_state : public stream_state<packet> {
public:
    virtual sonde::report report() const = 0;
};

}  // namespace detail

/// What the streams of probes share.
class probe_stream : public stream<exchange> {
public:
    /// Nothing leaves any more, retries neither, until `resume`; deadlines go on, and answers come.
    void pause() { full().pause(); }
    /// Ends a `pause`; without one it does nothing.
    void resume() { full().resume(); }
    /// Ends the scan or the loop early, in order: nothing leaves any more, what is open ends as cancelled.
    /// What has come can be read on to the end; unanswered are those that were cancelled, too.
    void stop() { full().stop(); }

    /// Both lists, when all probes are answered or timed out; of a loop, over all its rounds.
    /// Completes when: the stream has ended. Result and errors: `void(error_code, collected)`, as `next`.
    /// Cancellation: terminal, partial and total end the wait; the stream can be read on.
    template <boost::asio::completion_token_for<void(error_code, collected)> Token = boost::asio::deferred_t>
    auto collect(Token&& token = Token{}) & {
        return boost::asio::async_initiate<Token, void(error_code, collected)>(
            [](auto handler, std::shared_ptr<detail::exchange_state> s) {
                start_collect(std::move(handler), s,
                              [](auto& e, void const* signal) { e.cancel_collect(signal); });
            },
            token, state());
    }
    /// The same for a stream that nobody keeps: `co_await net.sr(…).collect()`. Cancellation ends the stream.
    template <boost::asio::completion_token_for<void(error_code, collected)> Token = boost::asio::deferred_t>
    auto collect(Token&& token = Token{}) && {
        return boost::asio::async_initiate<Token, void(error_code, collected)>(
            [](auto handler, probe_stream s) {
                start_collect(std::move(handler), s.state(), [](auto& e, void const*) { e.abandon(); });
                s.state_.reset();
            },
            token, std::move(*this));
    }

protected:
    /// For the streams of the verbs.
    explicit probe_stream(std::shared_ptr<detail::exchange_state> state) : stream(std::move(state)) {}
    detail::exchange_state& full() const { return static_cast<detail::exchange_state&>(*state_); }

private:
    std::shared_ptr<detail::exchange_state> state() const {
        return std::static_pointer_cast<detail::exchange_state>(state_);
    }

    template <class Handler, class Cancel>
    static void start_collect(Handler&& handler, std::shared_ptr<detail::exchange_state> const& s,
                              Cancel cancel) {
        detail::initiate<collected>(
            std::forward<Handler>(handler), s, s->executor(),
            [](auto& e, auto op) { e.start_collect(std::move(op)); }, std::move(cancel));
    }
};

/// `sr` and `srp`: a generator of answered probes, as their answers arrive. Sends nothing before the first
/// `next` or `collect`, then goes on by itself while the consumer keeps up.
class [[nodiscard]] exchange_stream : public probe_stream {
public:
    /// What `network::sr` and `srp` make.
    explicit exchange_stream(std::shared_ptr<detail::exchange_state> state)
        : probe_stream(std::move(state)) {}

    /// Counts so far; `{}` prints "Received 6 packets, got 3 answers, remaining 0 packets".
    sonde::report report() const { return full().report(); }
    /// The probes without an answer, in the order of the set: those that timed out or could not leave, so
    /// far. As they were given: what is automatic still is, so that they can be sent again. Those whose
    /// packet could not even be made are left out.
    packet_list unanswered() const { return full().unanswered(); }
    /// New limits, as in sr_options; they hold from the next packet on.
    /// @{
    void set_rate(rate_option rate) { full().set_rate(rate); }
    void set_bit_rate(double bits_per_second) { full().set_bit_rate(bits_per_second); }
    /// @}

    /// Where the scan can be taken up again, by another run of the same packets: `packets | drop(cursor())`.
    /// All probes before it have ended, and what came of them was handed over; of those after it, the ones
    /// that were in flight or had ended (few: at most the window, or what is being retried) are sent again.
    /// With `multi` a probe has ended here when its first answer was handed over.
    /// Cost: O(items that wait to be read).
    std::uint64_t cursor() const { return full().cursor(); }
};

/// `srloop` and `srploop`: a generator of rounds. Of each round every probe comes once: answered, or after
/// its timeout with an empty `received`.
class [[nodiscard]] loop_stream : public probe_stream {
public:
    /// What `network::srloop` and `srploop` make.
    explicit loop_stream(std::shared_ptr<detail::exchange_state> state) : probe_stream(std::move(state)) {}

    /// Counts so far; `{}` prints "Sent 3 packets, received 3 packets. 100.0% hits."
    sonde::loop_report report() const { return full().report(); }

    /// Loss and round-trip times so far of each probe of the set, by its number: of the first 65,536 of them.
    /// Good until the loop next runs.
    std::span<probe_statistics const> statistics() const { return full().statistics(); }
};

/// `network::explain`: a generator of what the network makes of each packet that comes in.
class [[nodiscard]] explanation_stream : public stream<explanation> {
public:
    /// What `network::explain` makes.
    explicit explanation_stream(std::shared_ptr<detail::explanation_state> state)
        : stream(std::move(state)) {}

    /// Packets that found the queue full, and are not explained.
    std::uint64_t dropped() const { return static_cast<detail::explanation_state&>(*state_).dropped(); }
};

/// `sniff`: a generator of captured packets.
class [[nodiscard]] packet_stream : public stream<packet> {
public:
    /// What `network::sniff` makes.
    explicit packet_stream(std::shared_ptr<detail::capture_state> state) : stream(std::move(state)) {}

    /// Counts so far: `received`, and in `kernel_drops` what a slow consumer lost.
    sonde::report report() const { return static_cast<detail::capture_state&>(*state_).report(); }
};

SONDE_NAMESPACE_END
