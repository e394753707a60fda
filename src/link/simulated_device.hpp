#pragma once

#include "link/simulated_links.hpp"

#include <sonde/link/filter.hpp>

#include <deque>
#include <memory>
#include <optional>

namespace sonde::inline v0::detail {

/// A packet socket of a simulated machine: a bounded queue of frames, and waits that end on its executor.
class simulated_device final : public link_device {
public:
    simulated_device(simulated_links& links, asio::any_io_executor executor, link_info info, bool routed,
                     receive_options const& how);
    ~simulated_device() override;

    asio::any_io_executor get_executor() const override { return executor_; }
    link_info const& info() const noexcept override { return info_; }
    std::size_t receive(std::size_t limit, frame_sink sink, error_code& ec) override;
    std::size_t transmit(std::span<std::span<std::byte const> const> frames, error_code& ec) override;
    void wait_readable(wait_handler handler) override;
    void wait_writable(wait_handler handler) override;
    void cancel_readable() override { end(readable_, asio::error::operation_aborted); }
    void cancel_writable() override { end(writable_, asio::error::operation_aborted); }
    link_counters counters() override { return counters_; }

    // What happens to it.
    bool looks_at(int interface) const { return info_.index == 0 || info_.index == interface; }
    void arrived(frame const& f);
    void went_down();
    void was_removed();

private:
    /// A wait: from its begin until its handler has its turn on the executor.
    struct wait {
        wait_handler handler;
        error_code result;
        bool ended = false, told = false;
    };
    using wait_ptr = std::shared_ptr<wait>;

    void begin(wait_ptr& w, wait_handler handler);
    void end(wait_ptr const& w, error_code ec);
    static void tell(asio::any_io_executor const& executor, wait_ptr const& w);
    bool has_news() const { return !queue_.empty() || down_untold_ || gone_; }
    error_code send(std::span<std::byte const> bytes);

    simulated_links& links_;
    asio::any_io_executor executor_;
    link_info info_;
    bool routed_, see_outgoing_;
    std::size_t buffer_;
    unsigned snapshot_;
    std::optional<capture_filter> filter_;
    std::deque<captured_frame> queue_;
    std::size_t queued_bytes_ = 0;
    link_counters counters_;
    wait_ptr readable_, writable_;
    bool down_untold_ = false, gone_ = false;
};

}  // namespace sonde::inline v0::detail
