// README.md's network in memory.
#include "docs/support.hpp"

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

namespace {

int found = 0;

asio::awaitable<void> scan() {
    network net{co_await asio::this_coro::executor};
    auto answers = net.sr(IP{.dst = "198.18.0.0/24"} / TCP{.dport = {22, 80, 443}, .flags = "S"},
                          {.timeout = 1s, .retry = 9});
    while (auto x = co_await answers.next()) found += x->received.get<TCP>().flags == "SA";
}

}  // namespace

TEST_CASE("README: the same program, without privileges, in no time") {
    simulation sim{42};  // the seed
    sim.add("198.18.0.0/24", {.tcp = {22, 80}}, path::both({.delay = 5ms, .loss = 0.1}));
    sim.run(scan);  // the program above, until it has ended
    CHECK(found == 512);
}
