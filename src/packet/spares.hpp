#pragma once

#include <sonde/packet/view.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <utility>

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

/// What this thread keeps of its kind, at most so many, which `Free` gives back at its end.
template <class T, std::size_t Most, void (*Free)(T*) noexcept>
class spares {
public:
    /// False where it is full, and once the thread's own have gone: other objects may outlive them.
    static bool keep(T* what) noexcept {
        auto& k = kept_;
        if (k.count == k.room && !make_room()) return false;
        k.at[k.count++] = what;
        return true;
    }
    /// Null where nothing is kept.
    static T* take() noexcept {
        auto& k = kept_;
        return k.count == 0 ? nullptr : k.at[--k.count];
    }

private:
    struct list {
        T** at = nullptr;
        std::size_t count = 0, room = 0;
        bool is_over = false;
    };
    struct end_of_thread {
        ~end_of_thread() {
            auto given = std::exchange(kept_, {.is_over = true});
            for (auto* what : std::span(given.at, given.count)) Free(what);
            delete[] given.at;
        }
    };

    static bool make_room() noexcept {
        auto& k = kept_;
        if (k.is_over || k.room == Most) return false;
        thread_local end_of_thread end;
        k.at = new (std::nothrow) T*[Most];
        k.room = k.at ? Most : 0;
        return k.at != nullptr;
    }

    // Known before the thread begins, so that to reach it is no call.
    static inline constinit thread_local list kept_;
};

/// As many packets as wait for their consumer at most. A thread keeps about 1 MiB, or far less.
inline constexpr std::size_t most_spare_packets = address_sanitized ? 0 : 1024;

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
            if (auto* kept = rooms::take()) return kept;
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* at, std::size_t n) noexcept {
        if (n != 1 || !rooms::keep(at)) std::allocator<T>().deallocate(at, n);
    }

    friend bool operator==(recycling_allocator const&, recycling_allocator const&) noexcept { return true; }

private:
    static void free_room(T* at) noexcept { std::allocator<T>().deallocate(at, 1); }
    using rooms = spares<T, address_sanitized ? 0 : 64, free_room>;
};

}  // namespace sonde::inline v0::detail
