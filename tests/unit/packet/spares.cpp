#include "packet/spares.hpp"

#include "support/catch.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/udp.hpp>

#include <array>
#include <thread>

using namespace sonde;
using detail::address_sanitized;

namespace {

int freed = 0;
void count_freed(int*) noexcept {
    ++freed;
}

}  // namespace

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
    packet copy = dissect(std::array<std::byte, 20>{}, link_type::ethernet);
    CHECK((where(copy) == first) == !address_sanitized);

    copy = packet();
    {
        auto large = dissect(std::vector<std::byte>(9000), link_type::ethernet);
    }
    CHECK(std::move(dissect({}, link_type::raw)).release_parts()->bytes.capacity() < 9000);
}

TEST_CASE("A packet that is taken apart leaves behind what was changed in it, and its sets") {
    packet p = IP{.dst = {"192.0.2.1", "192.0.2.2"}} / UDP{};
    p.get<IP>().ttl = 3;
    auto again = packet::from_parts(std::move(p).release_parts());
    CHECK(p.empty());
    CHECK_FALSE(again.is_template());
    CHECK(again.wire_length == 28);
    CHECK(again.get<IP>().ttl.value() == 64);
    CHECK(packet::from_parts(packet().release_parts()).empty());
}

TEST_CASE("A thread keeps so much and no more, and packets may outlive what their thread kept") {
    using kept = detail::spares<int, 2, count_freed>;
    std::array<int, 3> some{};
    CHECK(kept::keep(&some[0]));
    CHECK(kept::keep(&some[1]));
    CHECK_FALSE(kept::keep(&some[2]));
    CHECK(kept::take() == &some[1]);
    CHECK(kept::take() == &some[0]);
    CHECK(kept::take() == nullptr);

    struct last_words {
        int& late;
        bool& kept_late;
        ~last_words() { kept_late = kept::keep(&late); }
    };
    bool kept_late = true;
    std::thread([&] {
        // Made before what the thread keeps, so destroyed behind it.
        thread_local last_words last{some[2], kept_late};
        static_cast<void>(&last);
        kept::keep(&some[0]);
        kept::keep(&some[1]);
        kept::take();
    }).join();
    CHECK_FALSE(kept_late);
    CHECK(freed == 1);
}
