#include <sonde/probe/format.hpp>

#include "support/catch.hpp"

#include <fmt/format.h>

#include <type_traits>

using namespace sonde;

TEST_CASE("A report prints Scapy's line") {
    CHECK(fmt::format("{}", report{.received = 771, .answered = 768}) ==
          "Received 771 packets, got 768 answers, remaining 0 packets");
    CHECK(fmt::format("{}", report{.received = 6, .answered = 3, .remaining = 1}) ==
          "Received 6 packets, got 3 answers, remaining 1 packets");
}

TEST_CASE("A loop's report prints Scapy's footer") {
    CHECK(fmt::format("{}", loop_report{{.answered = 3}, 3}) ==
          "Sent 3 packets, received 3 packets. 100.0% hits.");
    CHECK(fmt::format("{}", loop_report{{.answered = 1}, 3}) ==
          "Sent 3 packets, received 1 packets. 33.3% hits.");
    CHECK(fmt::format("{}", loop_report{}) == "Sent 0 packets, received 0 packets. 0.0% hits.");
}

TEST_CASE("Reports may stand in a co_await expression") {
    CHECK(std::is_aggregate_v<report>);
    CHECK(std::is_trivially_destructible_v<report>);
    CHECK(std::is_trivially_destructible_v<loop_report>);
}
