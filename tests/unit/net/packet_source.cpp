#include "support/catch.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/net/source.hpp>

#include <list>
#include <ranges>
#include <stdexcept>
#include <vector>

using namespace sonde;

namespace {

packet probe(int ttl) {
    return IP{.dst = "192.0.2.1", .ttl = ttl} / UDP{};
}

std::vector<int> all_of(detail::source_base& source) {
    std::vector<int> ttls;
    while (auto p = source.next()) ttls.push_back(p->get<IP>().ttl);
    return ttls;
}

std::vector<int> numbered(detail::source_base& source) {
    random_source random(1);
    std::vector<int> ttls;
    for (std::uint64_t i = 0; i < source.size().value(); ++i)
        ttls.push_back(source.at(i, random).get<IP>().ttl);
    return ttls;
}

/// Packets that come later, as those of a capture do.
struct countdown {
    int left;
    void next(detail::next_packet_handler handler) {
        if (left == 0) return handler({}, {});
        handler({}, probe(left--));
    }
};

}  // namespace

TEST_CASE("A set and its adaptors are read by number") {
    packet_source source = IP{.dst = "192.0.2.1", .ttl = range(1, 9)} | drop(2) | shard(1, 3);
    CHECK(numbered(*source) == std::vector<int>{4, 7});
}

TEST_CASE("A random access range is read by number, and none of its packets is copied before") {
    std::vector<packet> some{probe(3), probe(1), probe(2)};
    packet_source of_vector = some;
    CHECK(numbered(*of_vector) == std::vector<int>{3, 1, 2});
    int made = 0;
    packet_source of_view = std::views::iota(1, 1'000'001) | std::views::transform([&](int i) {
                                ++made;
                                return probe(i % 256);
                            });
    CHECK(of_view->size() == 1'000'000u);
    random_source random(1);
    CHECK(of_view->at(999'999, random).get<IP>().ttl == 1'000'000 % 256);
    CHECK(made == 1);
}

TEST_CASE("Any other range gives its packets one after the other, once more when it can be walked again") {
    std::list<packet> some{probe(3), probe(1)};
    packet_source source = some;
    CHECK(!source->size());
    CHECK(all_of(*source) == std::vector<int>{3, 1});
    CHECK(source->rewind());
    CHECK(all_of(*source) == std::vector<int>{3, 1});
    packet_source none = std::list<packet>();
    CHECK(!none->next());
}

TEST_CASE("An async generator of packets is asked for one at a time, until it has no more") {
    packet_source source = countdown{2};
    REQUIRE(source->is_async());
    CHECK(!source->size());
    std::vector<int> ttls;
    bool ended = false;
    for (int i = 0; i < 3; ++i)
        source->async_next([&](error_code, std::optional<packet> p) {
            ended = !p;
            if (p) ttls.push_back(p->get<IP>().ttl);
        });
    CHECK(ttls == std::vector<int>{2, 1});
    CHECK(ended);
    CHECK(!source->rewind());
}
