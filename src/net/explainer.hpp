#pragma once

#include "engine.hpp"

#include <sonde/net/stream.hpp>

#include <deque>

namespace sonde::inline v0::detail {

/// Carries out `explain`: a queue that the engine fills while somebody holds it.
class explainer final : public operation, public explanation_state {
public:
    explainer(std::shared_ptr<engine> e, std::size_t queue) : engine_(std::move(e)), limit_(queue) {}

    /// The newest is dropped, and counted, when the consumer is slow.
    void add(explanation const& what);

    asio::any_io_executor executor() const override { return engine_->executor(); }
    void start_next(waiting_ptr<std::optional<explanation>> op) override;
    void cancel_next(void const* signal) override;
    std::optional<explanation> try_next() override;
    void abandon() noexcept override;
    std::uint64_t dropped() const override { return dropped_; }

    void turn(steady_time now) override;
    void shut_down() noexcept override;
    void broken(error_code ec) override;

private:
    void abort_next();

    std::shared_ptr<engine> engine_;
    std::size_t limit_;
    std::deque<explanation> queue_;
    waiting_ptr<std::optional<explanation>> waiting_;
    std::uint64_t dropped_ = 0;
    error_code end_;
    bool closed_ = false;
};

}  // namespace sonde::inline v0::detail
