#pragma once

#include <sonde/detail/function.hpp>
#include <sonde/error.hpp>
#include <sonde/link/captured_frame.hpp>
#include <sonde/link/frame.hpp>
#include <sonde/link/interface.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

SONDE_NAMESPACE_BEGIN

namespace asio = boost::asio;

class capture_filter;

/// What a device has seen since it was opened. (A filter that runs in user space does so after this count.)
struct link_counters {
    std::uint64_t received = 0;  ///< frames that passed the filter and were queued for us, read or not yet
    std::uint64_t kernel_dropped = 0;  ///< frames that passed the filter and found the queue full
    std::uint64_t unreadable = 0;      ///< frames left out because sonde does not read their link type
};

/// A frame as a device hands it over.
struct received_frame : frame {
    /// `f`, borrowed as it is; `u` is `unfinished`.
    received_frame(frame const& f, bool u = false) : frame(f), unfinished(u) {}
    bool unfinished;  ///< its sender left transport checksums to hardware (as on lo and veth)
};

/// An endpoint that carries frames: a packet socket, a pcap device, a simulated wire. It knows bytes, not
/// layers.
///
/// It works as a reactor does: wait until the device is readable, then take what is there; send what the
/// device accepts, then wait until it is writable. So a bulk engine allocates nothing per frame.
/// `async_read` and `async_write` make awaitable operations of this, one frame at a time, for those who
/// want just that.
///
/// Threads: everything on the device's executor, one thing at a time (one implicit strand, as Asio's own
/// objects).
/// Lifetimes: a device must not outlive its execution context. It may be destroyed with waits pending.
class link_device {
public:
    /// Called for each frame; the frame is borrowed for the duration of the call. It must not call the
    /// device's `receive` nor destroy the device. If it throws, the exception leaves `receive`, and what
    /// was read from the kernel together with that frame (up to 63 frames) is lost.
    using frame_sink = detail::function_ref<void(received_frame const&)>;
    /// Called once, on the device's executor, never from inside the call that it was given to.
    using wait_handler = detail::unique_function<void(error_code)>;

    link_device(link_device const&) = delete;
    link_device& operator=(link_device const&) = delete;
    /// Closes the device. Waits that are pending complete with operation_aborted.
    virtual ~link_device() = default;

    /// The executor that it was opened on, which runs the handlers of its waits.
    virtual asio::any_io_executor get_executor() const = 0;

    /// The interface, as it was when the device was opened. `type` is what `transmit` takes; every received
    /// frame says its own.
    virtual link_info const& info() const noexcept = 0;

    /// Takes what is ready, without blocking, and hands over at most `limit` frames in the order of their
    /// arrival. Returns how many were handed over. That nothing is ready is no error; and a return below
    /// `limit` does not mean that nothing is left: `wait_readable` tells, at once if so.
    /// Errors, each by a call that hands over nothing, after the frames that were queued before it:
    /// - interface_down, once each time that the interface goes down; it may come up again: wait on;
    /// - no_such_interface, for good, when it is gone: from then on every call says so and nothing will
    ///   ever come;
    /// - anything else is the system's code.
    virtual std::size_t receive(std::size_t limit, frame_sink sink, error_code& ec) = 0;

    /// Sends frames in order, without blocking, by as few system calls as it can (64 frames each). Returns
    /// how many the kernel accepted, which is all of them when `ec` is clear. The bytes are copied before
    /// it returns.
    /// Errors that say "not now":
    /// - asio::error::would_block: the send buffer is full; `wait_writable`, then go on with frames[count];
    /// - asio::error::no_buffer_space (ENOBUFS): the interface's queue is full. No event tells when it
    ///   drains, so back off by a timer, a bounded number of times, then go on with frames[count].
    ///
    /// Errors that are the failure of frames[count] alone, while the frames behind it may well succeed:
    /// - message_too_long: longer than the interface's MTU allows;
    /// - permission: the kernel forbids it (EPERM, EACCES; where the device could be opened, a firewall
    ///   rule);
    /// - interface_down, no_such_interface, or the system's code.
    virtual std::size_t transmit(std::span<std::span<std::byte const> const> frames, error_code& ec) = 0;

    /// Completes when `receive` may have something to say: frames or an error. It may also complete with
    /// nothing to read, so be ready for a `receive` that returns 0.
    /// Errors: operation_aborted after `cancel_readable`, `cancel` or the destructor; already_running when
    /// another wait for the same is pending.
    /// Cost: one epoll_ctl; no allocation when memory can be recycled.
    virtual void wait_readable(wait_handler handler) = 0;

    /// The same for `transmit`, after would_block.
    virtual void wait_writable(wait_handler handler) = 0;

    /// End the pending wait, if any, with operation_aborted, even if the event has come but not the
    /// handler's turn.
    /// @{
    virtual void cancel_readable() = 0;
    virtual void cancel_writable() = 0;
    /// @}
    /// Both.
    void cancel() {
        cancel_readable();
        cancel_writable();
    }

    /// Sheds load: from now on frames that the filter does not take may be left out, before they cost a copy.
    /// An empty one takes all. A device that cannot do so goes on with all of them, without an error.
    virtual void set_filter(capture_filter const& filter, error_code& ec, std::string* why = nullptr) {
        static_cast<void>(filter), static_cast<void>(why);
        ec = {};
    }

    /// What was received and lost so far. Costs a system call. The kernel counts in 32 bits: call at least
    /// once in 4 thousand million frames.
    virtual link_counters counters() = 0;

    /// Waits for one frame.
    /// Completes when: a frame has come. The frame leaves the queue only when the operation completes with
    /// it.
    /// Result and errors: `void(error_code, captured_frame)`; the errors of `receive` and `wait_readable`.
    /// Cancellation: terminal, partial and total; no frame is lost.
    /// Lifetimes: the device may be destroyed meanwhile; the operation then ends with operation_aborted.
    /// Threads: call on the device's executor; the handler runs on its own.
    /// Cost: the wait, a system call and a copy per frame. Engines use `receive`.
    template <asio::completion_token_for<void(error_code, captured_frame)> Token = asio::deferred_t>
    auto async_read(Token&& token = Token());

    /// Sends one frame, waiting while the send buffer is full.
    /// Completes when: the kernel has taken the frame, or refused it.
    /// Result and errors: `void(error_code)`; the errors of `transmit`. ENOBUFS ends it, as no event tells
    /// when to try again.
    /// Cancellation: terminal, partial and total, while it waits; a frame that the kernel took has left.
    /// Lifetimes: `bytes` must stay until it completes. The device may be destroyed meanwhile.
    /// Threads: call on the device's executor; the handler runs on its own.
    template <asio::completion_token_for<void(error_code)> Token = asio::deferred_t>
    auto async_write(std::span<std::byte const> bytes, Token&& token = Token());

protected:
    link_device() = default;

private:
    // Tells a late cancellation that we are gone.
    std::shared_ptr<void const> alive_ = std::make_shared<char>();
};

namespace detail {

/// The device of a pending operation, which may be destroyed before the operation is told.
struct operation_target {
    link_device* device;
    std::weak_ptr<void const> alive;
};

/// Lets the operation's cancellation slot end the device's wait.
template <class Self>
void cancel_through_slot(Self& self, operation_target const& target, void (link_device::*cancel)()) {
    auto slot = self.get_cancellation_state().slot();
    if (!slot.is_connected()) return;
    slot.assign([target, cancel](asio::cancellation_type) {
        if (!target.alive.expired()) (target.device->*cancel)();
    });
}

template <class Self>
bool cancel_requested(Self const& self) {
    return self.cancelled() != asio::cancellation_type::none;
}

struct read_operation {
    operation_target target;

    template <class Self>
    void operator()(Self& self) {
        self.reset_cancellation_state(asio::enable_total_cancellation());
        wait(self, target);
    }

    // Here the handler's own executor is reached: nothing is left but to complete.
    template <class Self>
    void operator()(Self& self, error_code ec, captured_frame f) {
        self.complete(ec, std::move(f));
    }

    template <class Self>
    static void wait(Self& self, operation_target on) {
        cancel_through_slot(self, on, &link_device::cancel_readable);
        auto& device = *on.device;
        device.wait_readable([self = std::move(self), on = std::move(on)](error_code ec) mutable {
            captured_frame got;
            if (!ec && cancel_requested(self)) ec = asio::error::operation_aborted;
            bool any = !ec && take(*on.device, got, ec);  // after an error there may be no device any more
            if (!any && !ec) return wait(self, std::move(on));
            asio::dispatch(asio::append(std::move(self), ec, std::move(got)));
        });
    }

    static bool take(link_device& from, captured_frame& to, error_code& ec) {
        auto keep = [&](frame const& f) { to = captured_frame(f); };
        return from.receive(1, keep, ec) == 1;
    }
};

struct write_operation {
    operation_target target;
    std::span<std::byte const> bytes;

    template <class Self>
    void operator()(Self& self) {
        self.reset_cancellation_state(asio::enable_total_cancellation());
        auto executor = target.device->get_executor();
        if (auto ec = attempt(*target.device, bytes); ec == asio::error::would_block)
            wait(self, target, bytes);
        else
            asio::post(executor, asio::append(std::move(self), ec));
    }

    template <class Self>
    void operator()(Self& self, error_code ec) {
        self.complete(ec);
    }

    template <class Self>
    static void wait(Self& self, operation_target on, std::span<std::byte const> bytes) {
        cancel_through_slot(self, on, &link_device::cancel_writable);
        auto& device = *on.device;
        device.wait_writable([self = std::move(self), on = std::move(on), bytes](error_code ec) mutable {
            if (!ec && cancel_requested(self)) ec = asio::error::operation_aborted;
            if (!ec) ec = attempt(*on.device, bytes);
            if (ec == asio::error::would_block) return wait(self, std::move(on), bytes);
            asio::dispatch(asio::append(std::move(self), ec));
        });
    }

    static error_code attempt(link_device& to, std::span<std::byte const> bytes) {
        error_code ec;
        to.transmit(std::span(&bytes, 1), ec);
        return ec;
    }
};

}  // namespace detail

template <asio::completion_token_for<void(error_code, captured_frame)> Token>
auto link_device::async_read(Token&& token) {
    return asio::async_compose<Token, void(error_code, captured_frame)>(
        detail::read_operation{{this, alive_}}, token, get_executor());
}

template <asio::completion_token_for<void(error_code)> Token>
auto link_device::async_write(std::span<std::byte const> bytes, Token&& token) {
    return asio::async_compose<Token, void(error_code)>(detail::write_operation{{this, alive_}, bytes}, token,
                                                        get_executor());
}

SONDE_NAMESPACE_END
