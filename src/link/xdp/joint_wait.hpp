#pragma once

#include <sonde/link/link.hpp>

#include <memory>
#include <utility>

namespace sonde::inline v0::detail {

/// A wait for one of two things, with the promises of `link_device::wait_readable`. The two waits that it is
/// made of need not know each other: the one that comes first completes it, and the other is cancelled.
class joint_wait {
public:
    using wait_handler = link_device::wait_handler;

    /// `first` and `second` start a wait with the handler that they are given; `cancel_both` ends them, with
    /// operation_aborted. They are called while the device is there.
    template <class First, class Second, class Cancel>
    void start(asio::any_io_executor const& executor, wait_handler handler, First first, Second second,
               Cancel cancel_both) {
        if (pending_ && *pending_)
            return asio::post(executor, [h = std::move(handler)]() mutable { h(errc::already_running); });
        if (pending_.use_count() != 1) pending_ = std::make_shared<wait_handler>();
        *pending_ = std::move(handler);
        auto told = [pending = pending_, cancel_both](error_code ec) mutable {
            if (!*pending) return;  // the other came first
            auto h = std::exchange(*pending, {});
            if (ec != asio::error::operation_aborted) cancel_both();
            pending.reset();
            h(ec);
        };
        first(wait_handler(told));
        second(wait_handler(told));
    }

    /// Both waits have been cancelled: from now on another may be started.
    void cancelled() { pending_.reset(); }

private:
    std::shared_ptr<wait_handler> pending_;  // an empty handler when nobody waits
};

}  // namespace sonde::inline v0::detail
