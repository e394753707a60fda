#include "packet/spares.hpp"

#include "support/catch.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/udp.hpp>

#include <array>
#include <thread>

using namespace sonde;
using detail::address_sanitized;

TEST_CASE("Memory that was freed is used again, but where AddressSanitizer watches over it") {
    struct large {
        std::array<std::byte, 5000> bytes;
    };
    detail::recycling_allocator<large> allocator;
    auto* first = allocator.allocate(1);
    allocator.deallocate(first, 1);
    auto* second = allocator.allocate(1);
    CHECK((second == first) == !address_sanitized);
    allocator.deallocate(second, 1);
}

TEST_CASE("A packet that goes leaves its memory for the next of its thread, unless it is a large one") {
    auto where = [](packet const& p) { return p.view().bytes.data(); };
    std::byte const* first = nullptr;
    {
        packet p = IP{.dst = "192.0.2.1"} / UDP{};
        first = where(p);
    }
    packet next = IP{.dst = "192.0.2.2"} / UDP{};
    CHECK((where(next) == first) == !address_sanitized);
    CHECK(next.get<IP>().dst.value() == ipv4("192.0.2.2"));
    next = packet();
    packet copy = dissect(std::array<std::byte, 60>{}, link_type::ethernet);
    CHECK((where(copy) == first) == !address_sanitized);

    std::vector<std::byte> large(detail::longest_spare + 1);
    std::vector<layer_span> layers(detail::most_spare_layers + 1);
    detail::keep_memory(large, layers);
    CHECK(large.size() == detail::longest_spare + 1);
    CHECK(layers.size() == detail::most_spare_layers + 1);
}

TEST_CASE("A thread keeps so much and no more, and packets may outlive what their thread kept") {
    using kept = detail::spares<std::vector<std::byte>, 2>;
    std::vector<std::byte> some(8);
    CHECK(kept::keep(some) == !address_sanitized);
    some.resize(8);
    CHECK(kept::keep(some) == !address_sanitized);
    some.resize(8);
    CHECK_FALSE(kept::keep(some));
    CHECK(some.size() == 8);
    for (int i = 0; i < 2; ++i) CHECK(kept::take().empty() == address_sanitized);
    CHECK(kept::take().empty());

    std::thread([] {
        // Made before what the thread keeps of packets, so destroyed behind it.
        thread_local packet last;
        last = packet();
        last = IP{.dst = "192.0.2.1"} / UDP{};
        packet gone = last;
    }).join();
}
