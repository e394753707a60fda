#pragma once

#include "engine.hpp"

#include <sonde/link/filter.hpp>
#include <sonde/net/stream.hpp>

#include <deque>

namespace sonde::inline v0::detail {

/// Carries out `sniff`: a socket of its own, read when somebody waits; meanwhile frames wait in the kernel's
/// queue.
class sniffer final : public operation, public capture_state {
public:
    sniffer(std::shared_ptr<engine> e, sniff_options const& how);

    asio::any_io_executor executor() const override { return engine_->executor(); }
    void start_next(waiting_ptr<std::optional<packet>> op) override;
    void cancel_next(void const* signal) override;
    std::optional<packet> try_next() override;
    void abandon() noexcept override;
    sonde::report report() const override;

    void turn(steady_time now) override;
    void shut_down() noexcept override { abandon(); }
    void broken(error_code ec) override { close(ec); }

private:
    void open(sniff_options const& how);
    void read();
    void take(packet&& p);
    void wait();
    void abort_next();
    void close(error_code ec);

    std::shared_ptr<engine> engine_;
    std::unique_ptr<link_device> device_;
    std::optional<reassembler> reassembly_;
    std::deque<packet> queue_;
    waiting_ptr<std::optional<packet>> waiting_;
    std::uint64_t left_ = 0;  // packets still wanted; `forever` when no count was given
    steady_time began_, ends_;
    timestamp listens_from_;  // by the clock that stamps frames
    std::chrono::nanoseconds listens_for_;
    sonde::report report_;
    error_code end_;
    bool closed_ = false, waits_ = false;
};

}  // namespace sonde::inline v0::detail
