#include "net/recycling.hpp"

#include "support/catch.hpp"
#include "support/sanitizers.hpp"

#include <array>

using sonde::detail::recycling_allocator;

TEST_CASE("memory that was freed is used again, but where AddressSanitizer watches over it", "[net]") {
    struct large {
        std::array<std::byte, 5000> bytes;
    };
    recycling_allocator<large> allocator;
    auto* first = allocator.allocate(1);
    allocator.deallocate(first, 1);
    auto* second = allocator.allocate(1);
    CHECK((second == first) == !support::address_sanitizer);
    allocator.deallocate(second, 1);
}
