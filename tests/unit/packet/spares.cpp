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
    auto const first = some.data();
    CHECK(kept::keep(some));
    some = std::vector<std::byte>(8);
    CHECK(kept::keep(some));
    some = std::vector<std::byte>(8);
    CHECK_FALSE(kept::keep(some));
    CHECK(some.size() == 8);
    CHECK(kept::take().size() == 8);
    CHECK(kept::take().data() == first);
    CHECK(kept::take().empty());

    struct last_words {
        bool& kept_late;
        ~last_words() {
            std::vector<std::byte> late(8);
            kept_late = kept::keep(late);
        }
    };
    bool kept_late = true;
    std::thread([&] {
        thread_local last_words last{kept_late};  // made before what the thread keeps, so destroyed behind it
        static_cast<void>(&last);
        std::vector<std::byte> one(8);
        kept::keep(one);
    }).join();
    CHECK_FALSE(kept_late);
}
