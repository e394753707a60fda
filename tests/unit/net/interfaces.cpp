#include <sonde/net/interfaces.hpp>

#include "net/recent_cache.hpp"
#include "support/catch.hpp"

using namespace sonde;

namespace {

kernel_interface made(int index, std::string name, bool up, bool loopback = false) {
    kernel_interface i;
    i.index = index;
    i.name = std::move(name);
    i.up = up;
    i.loopback = loopback;
    return i;
}

kernel_interface with(kernel_interface i, ip_address const& a) {
    interface_address own;
    own.address = own.network = a;
    i.addresses.push_back(own);
    return i;
}

}  // namespace

TEST_CASE("interfaces are found by index, name and address", "[net][interfaces]") {
    interface_table t({with(made(7, "eth1", true), ipv4("198.18.0.2")), made(1, "lo", true, true),
                       with(made(3, "wan", false), ipv6("2001:db8::2"))});
    CHECK(t.size() == 3);
    CHECK(t.begin()->name == "lo");
    CHECK(t.find(7)->name == "eth1");
    CHECK(t.find("wan")->index == 3);
    CHECK(t.find(ip_address(ipv4("198.18.0.2")))->index == 7);
    CHECK(t.find(ip_address(ipv6("2001:db8::2")))->index == 3);
    CHECK(t.loopback()->index == 1);
    CHECK(t.find(2) == nullptr);
    CHECK(t.find("wa") == nullptr);
    CHECK(t.find(ip_address(ipv4("198.18.0.3"))) == nullptr);
    CHECK(interface_table().find(1) == nullptr);
    CHECK(interface_table().loopback() == nullptr);
}

TEST_CASE("the default interface is the default route's, else one that is up, else lo", "[net][interfaces]") {
    interface_table t(
        {made(1, "lo", true, true), made(2, "down", false), made(3, "eth1", true), made(4, "eth2", true)});
    CHECK(t.default_interface(4)->name == "eth2");
    CHECK(t.default_interface(0)->name == "eth1");
    CHECK(t.default_interface(99)->name == "eth1");
    CHECK(interface_table({made(1, "lo", true, true), made(2, "down", false)}).default_interface(0)->name ==
          "lo");
    CHECK(interface_table().default_interface(0) == nullptr);
}

TEST_CASE("the only IPv6 link is one that is up and has a link-local address", "[net][interfaces]") {
    auto eth1 = with(made(2, "eth1", true), ipv6("fe80::2")),
         eth2 = with(made(3, "eth2", true), ipv6("fe80::3"));
    auto global = with(made(4, "eth3", true), ipv6("2001:db8::2"));
    auto lo = with(made(1, "lo", true, true), ipv6("fe80::1"));
    CHECK(interface_table({lo, eth1, global}).only_ipv6_link()->index == 2);
    CHECK(interface_table({lo, eth1, eth2}).only_ipv6_link() == nullptr);
    CHECK(interface_table({lo, global}).only_ipv6_link() == nullptr);
    eth2.up = false;
    CHECK(interface_table({lo, eth1, eth2}).only_ipv6_link()->index == 2);
}

TEST_CASE("recent answers are given until they are old, forgotten or driven out", "[net][interfaces]") {
    using namespace std::chrono_literals;
    struct same_slot {
        std::size_t operator()(int) const { return 0; }
    };
    detail::recent_cache<int, int, same_slot> cache(4);
    std::chrono::steady_clock::time_point const now{100s};
    CHECK(cache.find(1, now - 1s) == nullptr);
    cache.store(1, 10, now);
    REQUIRE(cache.find(1, now - 1s));
    CHECK(*cache.find(1, now - 1s) == 10);
    CHECK(cache.find(1, now) == nullptr);  // one second later
    CHECK(cache.find(0, now - 1s) == nullptr);
    cache.store(2, 20, now);
    CHECK(cache.find(1, now - 1s) == nullptr);
    CHECK(*cache.find(2, now - 1s) == 20);
    cache.forget();
    CHECK(cache.find(2, now - 1s) == nullptr);
    cache.store(2, 21, now);
    CHECK(*cache.find(2, now - 1s) == 21);
}

TEST_CASE("addresses of both families and interfaces do not meet in the cache's keys", "[net][interfaces]") {
    detail::scoped_address_hash hash;
    detail::scoped_address const v4{ipv4(5), 1}, v6{ipv6::from_halves(0, 5), 1}, other{ipv4(5), 2};
    CHECK_FALSE(v4 == v6);
    CHECK_FALSE(v4 == other);
    CHECK(hash(v4) != hash(v6));
    CHECK(hash(v4) != hash(other));
}
