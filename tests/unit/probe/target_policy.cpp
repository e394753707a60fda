#include <sonde/probe/target_policy.hpp>

#include "support/catch.hpp"

#include <type_traits>

using namespace sonde;

namespace {

using enum target_kind;
using enum target_naming;

target_kind kind(std::string_view text) {
    return target_policy::kind_by_address(*ip_address::parse(text));
}
ip_address at(std::string_view text) {
    return *ip_address::parse(text);
}

}  // namespace

TEST_CASE("The options of a target policy can stand inside co_await") {
    static_assert(std::is_trivially_destructible_v<target_options>);
    static_assert(std::is_aggregate_v<target_options>);
}

TEST_CASE("The kinds are those of IANA's special-purpose registries, to the last address of each block") {
    struct row {
        char const* before;  // the last ordinary address before the block, or nothing
        char const* first;
        char const* last;
        char const* after;
        target_kind what;
    };
    for (auto const& [before, first, last, after, what] : {
             row{"", "0.0.0.0", "0.255.255.255", "1.0.0.0", unspecified},
             row{"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0", own},
             row{"223.255.255.255", "224.0.0.0", "239.255.255.255", "240.0.0.0", multicast},
             row{"255.255.255.254", "255.255.255.255", "255.255.255.255", "", broadcast},
             row{"", "::", "::", "::2", unspecified},
             row{"", "::1", "::1", "::2", own},
             row{"feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                 "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "", multicast},
         }) {
        INFO(first);
        CHECK(kind(first) == what);
        CHECK(kind(last) == what);
        if (*before) CHECK(kind(before) == host);
        if (*after) CHECK(kind(after) == host);
    }
    // Special for other reasons, but each of them may be a host's.
    for (auto text : {"10.0.0.1", "100.64.0.1", "169.254.0.1", "172.16.0.1", "192.0.0.1", "192.0.2.1",
                      "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.255", "203.0.113.1",
                      "240.0.0.1", "64:ff9b::1", "100::1", "2001:db8::1", "2002::1", "fc00::1", "fe80::1"}) {
        INFO(text);
        CHECK(kind(text) == host);
    }
}

TEST_CASE(
    "A special address must be written, looked up where it is this host's own, or allowed by its kind") {
    target_policy const strict;
    for (auto what : {broadcast, multicast, unspecified, own}) {
        INFO(name_of(what));
        CHECK(!strict.by_kind(what, written));
        CHECK(strict.by_kind(what, drawn) == errc::target_refused);
        CHECK(bool(strict.by_kind(what, looked_up)) == (what != own));
        target_policy const lenient({.broadcast = what == broadcast,
                                     .multicast = what == multicast,
                                     .unspecified = what == unspecified,
                                     .own = what == own});
        for (auto other : {broadcast, multicast, unspecified, own})
            CHECK(bool(lenient.by_kind(other, drawn)) == (other != what));
        CHECK(!lenient.by_kind(what, looked_up));
    }
    for (auto naming : {written, looked_up, drawn}) CHECK(!strict.by_kind(host, naming));
}

TEST_CASE("Nothing goes to what is blocked, whatever is allowed; without an allow list all else is") {
    target_policy policy;
    CHECK(!policy.by_lists(at("10.0.0.1")));
    policy.block({"10.0.0.0/8", "2001:db8:bad::/48"});
    policy.block("192.0.2.7");
    for (auto text : {"10.0.0.0", "10.255.255.255", "192.0.2.7", "2001:db8:bad:ffff::1"}) {
        INFO(text);
        CHECK(policy.by_lists(at(text)) == errc::target_blocked);
    }
    for (auto text : {"9.255.255.255", "11.0.0.0", "192.0.2.6", "192.0.2.8", "2001:db8:bae::", "::"}) {
        INFO(text);
        CHECK(!policy.by_lists(at(text)));
    }
    policy.allow("10.1.0.0/16");
    CHECK(policy.by_lists(at("10.1.0.1")) == errc::target_blocked);
}

TEST_CASE("Once something is allowed nothing else is, of either family") {
    target_policy policy;
    policy.allow("198.18.0.0/15");
    CHECK(!policy.by_lists(at("198.19.255.255")));
    CHECK(policy.by_lists(at("198.20.0.0")) == errc::target_blocked);
    CHECK(policy.by_lists(at("2001:db8::1")) == errc::target_blocked);
    policy.allow("2001:db8::/32");
    CHECK(!policy.by_lists(at("2001:db8::1")));
    CHECK(!policy.by_lists(at("198.18.0.0")));
}
