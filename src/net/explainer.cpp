#include "explainer.hpp"

namespace sonde::detail {

void explainer::add(explanation const& what) {
    if (closed_) return;
    if (queue_.size() >= limit_) {
        ++dropped_;
        return;
    }
    queue_.push_back(what);
    if (waiting_) engine_->watch(shared_from_this());
}

void explainer::start_next(waiting_ptr<std::optional<explanation>> op) {
    if (waiting_) {
        asio::post(engine_->executor(), [op = std::move(op)]() mutable {
            complete(std::move(op), make_error_code(errc::already_running), std::optional<explanation>());
        });
        return;
    }
    waiting_ = std::move(op);
    engine_->watch(shared_from_this());
}

std::optional<explanation> explainer::try_next() {
    if (queue_.empty()) return {};
    std::optional<explanation> next(std::move(queue_.front()));
    queue_.pop_front();
    return next;
}

void explainer::turn(steady_time) {
    if (!waiting_ || (queue_.empty() && !closed_)) return;
    complete(std::move(waiting_), {}, try_next());
}

void explainer::cancel_next() {
    if (!waiting_) return;
    asio::post(engine_->executor(), [op = std::move(waiting_)]() mutable {
        complete(std::move(op), make_error_code(asio::error::operation_aborted),
                 std::optional<explanation>());
    });
}

void explainer::abandon() noexcept {
    auto alive = shared_from_this();
    closed_ = true;
    queue_.clear();
    cancel_next();
}

}  // namespace sonde::detail
