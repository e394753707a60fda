#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace sonde::inline v0::detail {

/// Memory for objects of one kind that come and go often, and are too large for the quick paths of malloc:
/// each thread keeps that of the last few that it freed.
template <class T>
class recycling_allocator {
public:
    using value_type = T;

    recycling_allocator() = default;
    template <class U>
    recycling_allocator(recycling_allocator<U> const&) noexcept {}

    T* allocate(std::size_t n) {
        auto* kept = n == 1 ? spares() : nullptr;
        if (!kept || kept->empty()) return std::allocator<T>().allocate(n);
        auto* room = kept->back();
        kept->pop_back();
        return static_cast<T*>(room);
    }
    void deallocate(T* room, std::size_t n) noexcept {
        auto* kept = n == 1 ? spares() : nullptr;
        if (kept && kept->size() < most) return kept->push_back(room);
        std::allocator<T>().deallocate(room, n);
    }

    friend bool operator==(recycling_allocator const&, recycling_allocator const&) noexcept { return true; }

private:
    // Nothing is kept from AddressSanitizer, which finds what is used after it was freed.
#if defined(__SANITIZE_ADDRESS__)
    static constexpr std::size_t most = 0;
#elif defined(__has_feature)
    static constexpr std::size_t most = __has_feature(address_sanitizer) ? 0 : 64;
#else
    static constexpr std::size_t most = 64;
#endif

    struct spare_rooms : std::vector<void*> {
        explicit spare_rooms(bool& over) : is_over(over) { reserve(most); }
        ~spare_rooms() {
            is_over = true;
            for (auto* room : *this) std::allocator<T>().deallocate(static_cast<T*>(room), 1);
        }
        bool& is_over;
    };

    /// Null once the thread's own have been freed: other objects may outlive them.
    static spare_rooms* spares() {
        thread_local bool is_over = false;
        if (is_over) return nullptr;
        thread_local spare_rooms rooms(is_over);
        return &rooms;
    }
};

}  // namespace sonde::inline v0::detail
