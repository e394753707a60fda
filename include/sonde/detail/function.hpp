#pragma once

#include <sonde/detail/namespace.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

/// Two ways to pass a callable through a virtual function: borrowed for one call, and owned until it is
/// called. std::function does neither (it copies), and Boost 1.81's any_completion_handler cannot be
/// assigned.
SONDE_NAMESPACE_BEGIN
namespace detail {

template <class Signature>
class function_ref;

/// A borrowed callable object: two pointers, no allocation. It must not outlive the call that it is passed
/// to.
template <class R, class... Args>
class function_ref<R(Args...)> {
public:
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, function_ref> &&
                 std::is_object_v<std::remove_reference_t<F>> && std::is_invocable_r_v<R, F&, Args...>)
    function_ref(F&& f) noexcept
        : object_(const_cast<void*>(static_cast<void const*>(std::addressof(f)))),
          call_([](void* object, Args... args) -> R {
              return (*static_cast<std::remove_reference_t<F>*>(object))(std::forward<Args>(args)...);
          }) {}

    R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

private:
    void* object_;
    R (*call_)(void*, Args...);
};

template <class Signature>
class unique_function;

/// An owned callable that only moves, so that it can hold coroutine handles and completion handlers.
/// Callables of up to six pointers that move without throwing live inside; larger ones on the heap. A
/// moved-from or default-constructed one is empty and must not be called.
template <class R, class... Args>
class unique_function<R(Args...)> {
public:
    unique_function() noexcept = default;

    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, unique_function> &&
                 std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
    unique_function(F&& f) {
        using held = std::conditional_t<fits<std::decay_t<F>>, std::decay_t<F>, boxed<std::decay_t<F>>>;
        ::new (static_cast<void*>(room_)) held(std::forward<F>(f));
        table_ = &table_of<held>;
    }

    unique_function(unique_function&& other) noexcept { take(other); }
    unique_function& operator=(unique_function&& other) noexcept {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    ~unique_function() { reset(); }

    explicit operator bool() const noexcept { return table_ != nullptr; }

    R operator()(Args... args) { return table_->call(room_, std::forward<Args>(args)...); }

private:
    template <class F>
    static constexpr bool fits = sizeof(F) <= 6 * sizeof(void*) && alignof(F) <= alignof(std::max_align_t) &&
                                 std::is_nothrow_move_constructible_v<F>;

    template <class F>
    struct boxed {
        template <class From>
        explicit boxed(From&& f) : callable(std::make_unique<F>(std::forward<From>(f))) {}
        R operator()(Args... args) { return (*callable)(std::forward<Args>(args)...); }
        std::unique_ptr<F> callable;
    };

    struct operations {
        R (*call)(void*, Args&&...);
        void (*move)(void* from, void* to) noexcept;  // leaves nothing to destroy in `from`
        void (*destroy)(void*) noexcept;
    };

    template <class Held>
    static constexpr operations table_of = {
        [](void* held, Args&&... args) -> R {
            return (*static_cast<Held*>(held))(std::forward<Args>(args)...);
        },
        [](void* from, void* to) noexcept {
            ::new (to) Held(std::move(*static_cast<Held*>(from)));
            static_cast<Held*>(from)->~Held();
        },
        [](void* held) noexcept { static_cast<Held*>(held)->~Held(); },
    };

    void take(unique_function& other) noexcept {
        table_ = std::exchange(other.table_, nullptr);
        if (table_) table_->move(other.room_, room_);
    }
    void reset() noexcept {
        if (auto* table = std::exchange(table_, nullptr)) table->destroy(room_);
    }

    alignas(std::max_align_t) std::byte room_[6 * sizeof(void*)];
    operations const* table_ = nullptr;
};

}  // namespace detail
SONDE_NAMESPACE_END
