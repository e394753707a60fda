#pragma once

#include <sonde/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/recycling_allocator.hpp>

#include <memory>
#include <type_traits>
#include <utility>

SONDE_NAMESPACE_BEGIN
namespace detail {

namespace asio = boost::asio;

/// A completion handler that waits, its type forgotten, so that the engine is compiled once. See waiting_ptr.
template <class T>
class waiting {
public:
    /// Frees itself, then calls the handler on the handler's own executor: at once where that is the
    /// operation's, in which this is called, as Asio's own operations do.
    virtual void complete(error_code ec, T&& result) = 0;
    /// Frees itself, the handler unused.
    virtual void discard() noexcept = 0;

    /// The slot's handler that may cancel it: a signal that comes late must not end the next operation.
    void const* cancelled_by = nullptr;

protected:
    ~waiting() = default;
};

template <class T>
struct discard_waiting {
    void operator()(waiting<T>* w) const noexcept { w->discard(); }
};
/// Owns a waiting handler; `complete` completes it, at most once.
template <class T>
using waiting_ptr = std::unique_ptr<waiting<T>, discard_waiting<T>>;

template <class T>
void complete(waiting_ptr<T> w, error_code ec, std::type_identity_t<T>&& result) {
    w.release()->complete(ec, std::move(result));
}

/// The same in a later turn of the loop: for what is known inside the call that began the operation, or
/// inside one that must not run others' code.
template <class T>
void complete_later(asio::any_io_executor const& executor, waiting_ptr<T> w, error_code ec, T result = {}) {
    asio::post(executor, [w = std::move(w), ec, result = std::move(result)]() mutable {
        complete(std::move(w), ec, std::move(result));
    });
}

/// For handlers that bring no memory of their own: as Asio's own operations have it.
using usual_memory = asio::recycling_allocator<void>;

/// Keeps the loop of a handler's executor alive, as Asio's own operations do. (Boost 1.81's
/// executor_work_guard does not compile for a strand of any_io_executor.)
template <class Executor>
class outstanding_work {
public:
    explicit outstanding_work(Executor const& executor)
        : executor_(asio::prefer(executor, asio::execution::outstanding_work.tracked)) {}
    auto const& get_executor() const noexcept { return executor_; }

private:
    std::decay_t<decltype(asio::prefer(std::declval<Executor const&>(),
                                       asio::execution::outstanding_work.tracked))>
        executor_;
};

template <class Executor>
using work_guard = std::conditional_t<asio::execution::is_executor<Executor>::value &&
                                          !std::is_same_v<Executor, asio::any_io_executor>,
                                      outstanding_work<Executor>, asio::executor_work_guard<Executor>>;

template <class T, class Handler>
class waiting_handler final : public waiting<T> {
public:
    using allocator = typename std::allocator_traits<
        asio::associated_allocator_t<Handler, usual_memory>>::template rebind_alloc<waiting_handler>;

    waiting_handler(Handler handler, asio::any_io_executor const& executor)
        : executor_(executor),
          work_(asio::get_associated_executor(handler, executor)),
          handler_(std::move(handler)) {}

    void complete(error_code ec, T&& result) override {
        auto handler = std::move(handler_);
        auto work = std::move(work_);
        auto executor = work.get_executor();
        bool is_here = false;
        if constexpr (std::is_same_v<decltype(executor), asio::any_io_executor>)
            is_here = executor == executor_;
        free(handler);  // before the upcall, which may start the next operation in this memory
        if (is_here) return std::move(handler)(ec, std::move(result));
        asio::dispatch(executor, asio::append(std::move(handler), ec, std::move(result)));
    }
    void discard() noexcept override {
        auto handler = std::move(handler_);
        free(handler);
    }

private:
    void free(Handler const& handler) noexcept {
        allocator memory(asio::get_associated_allocator(handler, usual_memory()));
        this->~waiting_handler();
        std::allocator_traits<allocator>::deallocate(memory, this, 1);
    }

    asio::any_io_executor executor_;
    work_guard<asio::associated_executor_t<Handler, asio::any_io_executor>> work_;
    Handler handler_;
};

template <class T, class Handler>
waiting_ptr<T> make_waiting(Handler handler, asio::any_io_executor const& executor) {
    using op = waiting_handler<T, Handler>;
    typename op::allocator memory(asio::get_associated_allocator(handler, usual_memory()));
    auto* where = std::allocator_traits<typename op::allocator>::allocate(memory, 1);
    return waiting_ptr<T>(::new (static_cast<void*>(where)) op(std::move(handler), executor));
}

}  // namespace detail
SONDE_NAMESPACE_END
