#include "net/recycling.hpp"

#include "support/catch.hpp"

#include <array>

using sonde::detail::recycling_allocator;

// AddressSanitizer keeps freed memory for a while: it would not know memory that is kept here.
#if defined(__has_feature)
constexpr bool address_sanitizer = __has_feature(address_sanitizer);
#elif defined(__SANITIZE_ADDRESS__)
constexpr bool address_sanitizer = true;
#else
constexpr bool address_sanitizer = false;
#endif

TEST_CASE("memory that was freed is used again, but where AddressSanitizer watches over it", "[net]") {
    struct large {
        std::array<std::byte, 5000> bytes;
    };
    recycling_allocator<large> allocator;
    auto* first = allocator.allocate(1);
    allocator.deallocate(first, 1);
    auto* second = allocator.allocate(1);
    CHECK((second == first) == !address_sanitizer);
    allocator.deallocate(second, 1);
}
