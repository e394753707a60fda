#pragma once

#include <sonde/packet/view.hpp>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

// Memory of what comes and goes often: each thread keeps that of the last few that it gave up, for the next.
namespace sonde::inline v0::detail {

/// Packets and operations keep nothing from AddressSanitizer, which finds what is used after it was freed.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool address_sanitized = true;
#elif defined(__has_feature)
inline constexpr bool address_sanitized = __has_feature(address_sanitizer);
#else
inline constexpr bool address_sanitized = false;
#endif

/// What this thread keeps of its kind.
template <class T, std::size_t Most>
class spares {
public:
    /// False where it is full, and once the thread's own have gone: other objects may outlive them.
    static bool keep(T& what) noexcept {
        auto* kept = of_this_thread();
        if (!kept || kept->size() == Most) return false;
        kept->push_back(std::move(what));
        return true;
    }
    /// An empty one where nothing is kept.
    static T take() noexcept {
        auto* kept = of_this_thread();
        if (!kept || kept->empty()) return T();
        auto what = std::move(kept->back());
        kept->pop_back();
        return what;
    }

private:
    struct list : std::vector<T> {
        explicit list(bool& over) : is_over(over) {}
        ~list() { is_over = true; }
        bool& is_over;
    };

    static std::vector<T>* of_this_thread() noexcept try {
        thread_local bool is_over = false;
        if (is_over) return nullptr;
        thread_local list kept(is_over);
        if (kept.capacity() < Most) kept.reserve(Most);
        return &kept;
    } catch (...) {  // there is no memory to keep memory in
        return nullptr;
    }
};

/// For packets, as many as wait for their consumer at most. A thread keeps 1 MiB, or far less.
inline constexpr std::size_t spare_parts = address_sanitized ? 0 : 1024;
inline constexpr std::size_t longest_spare = 512, most_spare_layers = 16;
using spare_bytes = spares<std::vector<std::byte>, spare_parts>;
using spare_layers = spares<std::vector<layer_span>, spare_parts>;

/// The reverse of `keep_memory`, where there is none yet.
inline void take_memory(std::vector<std::byte>& bytes, std::vector<layer_span>& layers) noexcept {
    if (bytes.capacity() == 0) bytes = spare_bytes::take();
    if (layers.capacity() == 0) layers = spare_layers::take();
}

/// For objects that are too large for the quick paths of malloc.
template <class T>
class recycling_allocator {
public:
    using value_type = T;

    recycling_allocator() = default;
    template <class U>
    recycling_allocator(recycling_allocator<U> const&) noexcept {}

    T* allocate(std::size_t n) {
        if (n == 1)
            if (auto kept = rooms::take()) return kept.release();
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* at, std::size_t n) noexcept {
        room given(n == 1 ? at : nullptr);
        if (!given || !rooms::keep(given))
            static_cast<void>(given.release()), std::allocator<T>().deallocate(at, n);
    }

    friend bool operator==(recycling_allocator const&, recycling_allocator const&) noexcept { return true; }

private:
    struct free_room {
        void operator()(T* at) const noexcept { std::allocator<T>().deallocate(at, 1); }
    };
    using room = std::unique_ptr<T, free_room>;
    using rooms = spares<room, address_sanitized ? 0 : 64>;
};

}  // namespace sonde::inline v0::detail
