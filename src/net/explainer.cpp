#include "explainer.hpp"

namespace sonde::inline v0::detail {

void explainer::add(explanation const& what) {
    if (closed_) return;
    if (queue_.size() >= limit_) {
        ++dropped_;
        return;
    }
    queue_.push_back(what);
    if (waiting_) engine_->watch(*this);
}

void explainer::start_next(waiting_ptr<std::optional<explanation>> op) {
    if (waiting_) return complete_later(engine_->executor(), std::move(op), errc::already_running);
    waiting_ = std::move(op);
    engine_->watch(*this);
}

std::optional<explanation> explainer::try_next() {
    if (queue_.empty()) return {};
    std::optional<explanation> next(std::move(queue_.front()));
    queue_.pop_front();
    return next;
}

void explainer::turn(steady_time) {
    if (!waiting_ || (queue_.empty() && !closed_)) return;
    auto next = try_next();
    complete(std::move(waiting_), next ? error_code() : std::exchange(end_, {}), std::move(next));
}

void explainer::broken(error_code ec) {
    end_ = ec;
    closed_ = true;
    engine_->watch(*this);
}

void explainer::cancel_next(void const* signal) {
    if (waiting_ && waiting_->cancelled_by == signal) abort_next();
}

void explainer::abort_next() {
    if (waiting_) complete_later(engine_->executor(), std::move(waiting_), asio::error::operation_aborted);
}

/// The consumer is told, after what it has not read yet.
void explainer::shut_down() noexcept {
    if (std::exchange(closed_, true)) return;
    if (!waiting_) end_ = asio::error::operation_aborted;
    abort_next();
}

void explainer::abandon() noexcept {
    auto alive = shared_from_this();
    closed_ = true;
    queue_.clear();
    abort_next();
}

}  // namespace sonde::inline v0::detail
