// Sets at sizes that nobody can walk: what their size, their members and their adaptors must be is
// arithmetic.
#include "packet/permutation.hpp"
#include "support/catch.hpp"

#include <sonde/layers/icmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/packet_set.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace sonde;

namespace {

constexpr std::uint64_t ports = 65536, hosts = 1 << 24;

packet everything() {
    return IP{.dst = "10.0.0.0/8"} / TCP{.dport = range(0, 65535)};
}

std::vector<std::uint32_t> destinations(packet_set const& set) {
    std::vector<std::uint32_t> all;
    for (auto p : set) all.push_back(p.get<IP>().dst.value().value);
    return all;
}

/// Each number below `size` comes once.
bool is_permutation(std::uint64_t size, std::uint64_t seed) {
    detail::permutation const p(size, seed);
    std::vector<bool> seen(size);
    for (std::uint64_t i = 0; i < size; ++i) {
        auto to = p(i);
        if (to >= size || seen[to]) return false;
        seen[to] = true;
    }
    return true;
}

}  // namespace

TEST_CASE("Any of 2^40 packets is where arithmetic says, and the set holds no list of them") {
    auto const set = everything();
    CHECK(set.size() == hosts * ports);
    REQUIRE(set.sets().size() == 2);
    for (auto const& v : set.sets())
        CHECK(v.content.list.size() + v.content.parts.size() + v.content.texts.size() == 0);
    random_source random(1);
    for (int n = 0; n < 10'000; ++n) {
        auto index = random.up_to(hosts * ports - 1);
        auto p = set[index];
        if (p.get<IP>().dst.value().value != 0x0a000000 + index / ports ||
            p.get<TCP>().dport != index % ports)
            FAIL("packet " << index);
    }
}

TEST_CASE("A shuffled set of 2^40 is found at any place without those before it") {
    packet_set const shuffled_set = everything() | shuffled(5);
    packet_set const resumed = shuffled_set | drop(hosts * ports / 2) | shard(1, 3) | take(1000);
    detail::permutation const order(hosts * ports, 5);
    CHECK(resumed.size() == 1000);
    for (std::uint64_t i = 0; i < 1000; ++i)
        if (resumed.base_index(i) != order(hosts * ports / 2 + 1 + 3 * i)) FAIL("packet " << i);
}

TEST_CASE("shuffled visits each index once: all sizes up to 2000, and others up to a million") {
    for (std::uint64_t size = 1; size <= 2000; ++size) CHECK(is_permutation(size, size * 7919));
    for (std::uint64_t size :
         {4095u, 4096u, 4097u, 10'007u, 65'535u, 65'537u, 262'143u, 262'145u, 1'000'000u})
        CHECK(is_permutation(size, 3));
}

TEST_CASE("Adaptors one on the other are what they are on a list of numbers") {
    random_source random(11);
    auto some = [&](std::uint64_t most) { return random.up_to(most); };
    for (int round = 0; round < 60; ++round) {
        packet_set set = IP{.dst = "198.18.0.0/24"} | exclude("198.18.0.64/26", "198.18.0.9");
        std::vector<std::uint32_t> model;
        for (std::uint32_t a = 0; a < 256; ++a)
            if (a / 64 != 1 && a != 9) model.push_back(0xc6120000 + a);
        for (int step = 0; step < 5; ++step) {
            std::vector<std::uint32_t> next;
            switch (some(3)) {
                case 0: {
                    auto n = some(30);
                    set = set | drop(n);
                    model.erase(model.begin(), model.begin() + static_cast<long>(std::min(n, model.size())));
                    break;
                }
                case 1: {
                    auto n = some(250);
                    set = set | take(n);
                    if (n < model.size()) model.resize(n);
                    break;
                }
                case 2: {
                    auto count = 1 + some(3), index = some(count - 1);
                    set = set | shard(index, count);
                    for (auto i = index; i < model.size(); i += count) next.push_back(model[i]);
                    model = next;
                    break;
                }
                default: {
                    auto seed = random.next();
                    set = set | shuffled(seed);
                    detail::permutation const order(model.size(), seed);
                    for (std::uint64_t i = 0; i < model.size(); ++i) next.push_back(model[order(i)]);
                    model = next;
                }
            }
            REQUIRE(set.size() == model.size());
        }
        REQUIRE(destinations(set) == model);
    }
}

TEST_CASE("exclude leaves what a look at every address leaves") {
    random_source random(3);
    constexpr std::uint32_t base = 0xc6120000;  // 198.18.0.0
    for (int round = 0; round < 40; ++round) {
        std::vector<bool> out(4096);
        std::vector<std::string> networks;
        for (auto n = random.up_to(60); n-- > 0;) {
            auto length = 22 + random.up_to(10);
            auto size = std::uint32_t(1) << (32 - length);
            auto first = static_cast<std::uint32_t>(random.up_to(4095)) / size * size;
            networks.push_back(ipv4(base + first).to_string() + "/" + std::to_string(length));
            for (auto i = first; i < std::min<std::uint32_t>(first + size, 4096); ++i) out[i] = true;
        }
        auto step = 1 + random.up_to(6);
        packet whole = IP{.dst = "198.18.0.0/20"},
               steps = IP{.dst = range("198.18.0.3", "198.18.15.250", step)},
               list = IP{.dst = {"198.18.0.1", "198.18.1.0", "198.18.15.255"}};
        for (auto const& set : {whole, steps, list}) {
            std::vector<std::uint32_t> model;
            for (auto a : destinations(set))
                if (!out[a - base]) model.push_back(a);
            REQUIRE(destinations(set | exclude(networks)) == model);
        }
    }
}

TEST_CASE("Lists inside lists, ranges and networks among them, are what they are written out") {
    auto nested =
        parse_packet("IP(dst=['1.1.1.1', ['2.2.2.0/31', ['3.3.3.3']], ['4.4.4.4']], ttl=[1, [(3, 5), 9]])");
    CHECK(nested.size() == 5 * 5);
    std::vector<int> ttls;
    for (std::uint64_t i = 0; i < 5; ++i) ttls.push_back(nested[i].get<IP>().ttl);
    CHECK(ttls == std::vector<int>{1, 3, 4, 5, 9});
    CHECK(nested[10].get<IP>().dst == "2.2.2.1");
    CHECK(nested[24].get<IP>().dst == "4.4.4.4");
    CHECK_THROWS_AS(nested[25], error);
}

TEST_CASE("Sizes are exact up to the last number that 64 bits hold; beyond is an error, never a wrong size") {
    packet most = IPv6{.dst = range("::", "::ffff:ffff:ffff:fffe")};
    CHECK(most.size() == ~std::uint64_t(0));
    CHECK(most[most.size() - 1].get<IPv6>().dst == "::ffff:ffff:ffff:fffe");
    CHECK((most | take(3)).size() == 3);
    packet half = IPv6{.dst = "2001:db8::/65"};
    CHECK(half.size() == std::uint64_t(1) << 63);
    CHECK_THROWS_AS((half / TCP{.dport = {1, 2}}).size(), error);
    CHECK_THROWS_AS(packet(IPv6{.dst = range("::", "::ffff:ffff:ffff:ffff")}).size(), error);
    CHECK_THROWS_AS(parse_packet("IPv6(dst=['::/65', '1::/65'])").size(), error);
    CHECK((IP{.dst = "0.0.0.0/0"} / TCP{.dport = range(1, 65535), .window = range(0, 65535)}).size() ==
          (std::uint64_t(1) << 48) * 65535);
}
