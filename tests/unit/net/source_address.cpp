#include "net/source_address.hpp"

#include "support/catch.hpp"

using namespace sonde;
using namespace sonde::detail;

namespace {

struct flags {
    bool deprecated = false, tentative = false, optimistic = false, temporary = false, home = false;
};

interface_address own(ip_address const& a, unsigned length, address_scope scope = address_scope::universe) {
    interface_address made;
    made.address = made.network = a;
    made.prefix_length = static_cast<std::uint8_t>(length);
    made.scope = scope;
    return made;
}

interface_address own6(ipv6 const& a, unsigned length, flags f = {}) {
    auto made = own(a, length);
    made.deprecated = f.deprecated;
    made.tentative = f.tentative;
    made.optimistic = f.optimistic;
    made.temporary = f.temporary;
    made.home = f.home;
    return made;
}

interface_address secondary(interface_address a) {
    a.secondary = true;
    return a;
}

kernel_interface interface_with(int index, std::vector<interface_address> addresses) {
    kernel_interface i;
    i.index = index;
    i.name = "if" + std::to_string(index);
    i.addresses = std::move(addresses);
    return i;
}

/// The policy table of RFC 6724 §2.1, with Linux's numbers.
std::vector<address_label> const standard_labels{
    {ipv6("::1"), 128, 0, 0},   {ipv6("::"), 96, 0, 3},     {ipv6("::ffff:0:0"), 96, 0, 4},
    {ipv6("2001::"), 32, 0, 6}, {ipv6("2002::"), 16, 0, 2}, {ipv6("fec0::"), 10, 0, 11},
    {ipv6("fc00::"), 7, 0, 5},  {ipv6("::"), 0, 0, 1},
};

/// What interface 1 sends from, having `addresses`, to `to`.
ipv6 chosen(std::vector<interface_address> addresses, ipv6 const& to) {
    interface_table table({interface_with(1, std::move(addresses))});
    return source_selector(table, standard_labels).select(1, to);
}

}  // namespace

TEST_CASE("common prefixes are counted in bits", "[net][source]") {
    auto common = [](ipv6 const& a, ipv6 const& b) {
        return common_prefix(address_bits(a), address_bits(b));
    };
    CHECK(common(ipv6("::"), ipv6("8000::")) == 0);
    CHECK(common(ipv6("2001:db8::"), ipv6("2001:db8:8000::")) == 32);
    CHECK(common(ipv6("2001:db8::1"), ipv6("2001:db8::1")) == 128);
    CHECK(common(ipv6("::"), ipv6("::8000:0:0:0")) == 64);
    CHECK(common(ipv6("::2"), ipv6("::3")) == 127);
}

TEST_CASE("an IPv4 source is the first primary address in reach of the scope", "[net][source]") {
    interface_table table(
        {interface_with(1, {own(ipv4("127.0.0.1"), 8, address_scope::host)}),
         interface_with(2, {own(ipv4("169.254.0.2"), 16, address_scope::link), own(ipv4("198.18.0.2"), 24),
                            secondary(own(ipv4("198.18.0.3"), 24)), own(ipv4("198.18.1.2"), 24)}),
         interface_with(3, {})});
    auto from = [&](int interface, ipv4 towards, address_scope limit) {
        return select_source(table, interface, towards, limit);
    };
    CHECK(from(2, {}, address_scope::universe) == ipv4("198.18.0.2"));
    CHECK(from(2, {}, address_scope::link) == ipv4("169.254.0.2"));
    CHECK(from(2, "198.18.1.1", address_scope::universe) == ipv4("198.18.1.2"));   // on the gateway's subnet
    CHECK(from(2, "203.0.113.1", address_scope::universe) == ipv4("198.18.0.2"));  // on none
    CHECK(from(1, {}, address_scope::host) == ipv4("127.0.0.1"));
    CHECK(from(1, {}, address_scope::universe) == ipv4("198.18.0.2"));  // lo has none that reaches so far
    CHECK(from(3, {}, address_scope::universe) == ipv4("198.18.0.2"));  // unnumbered: borrowed
    CHECK(from(3, {}, address_scope::link) == ipv4("198.18.0.2"));      // link addresses are not lent
    CHECK(from(3, {}, address_scope::host) == ipv4("127.0.0.1"));       // lo is asked first
    CHECK(from(9, {}, address_scope::universe) == ipv4("198.18.0.2"));
    CHECK(select_source({}, 1, {}, address_scope::universe).is_unspecified());
}

TEST_CASE("a secondary IPv4 address is never chosen, though its scope reaches farther", "[net][source]") {
    interface_table table(
        {interface_with(1, {own(ipv4("198.18.0.2"), 24, address_scope::link),
                            secondary(own(ipv4("198.18.0.3"), 24)), own(ipv4("198.18.1.2"), 24)})});
    CHECK(select_source(table, 1, "198.18.0.1", address_scope::universe) == ipv4("198.18.1.2"));
    interface_table borrowed(
        {interface_with(1, {secondary(own(ipv4("198.18.0.3"), 24)), own(ipv4("198.18.1.2"), 24)})});
    CHECK(select_source(borrowed, 2, {}, address_scope::universe) == ipv4("198.18.1.2"));
}

TEST_CASE("on point-to-point links the peer's subnet counts", "[net][source]") {
    auto address = own(ipv4("198.18.9.1"), 30);
    address.network = ip_address(ipv4("198.18.200.2"));
    interface_table table({interface_with(1, {own(ipv4("198.18.0.2"), 24), address})});
    CHECK(select_source(table, 1, "198.18.200.1", address_scope::universe) == ipv4("198.18.9.1"));
    CHECK(select_source(table, 1, "198.18.9.2", address_scope::universe) == ipv4("198.18.0.2"));
}

TEST_CASE("a prefix of no bits matches every gateway", "[net][source]") {
    interface_table table({interface_with(1, {own(ipv4("198.18.0.2"), 24), own(ipv4("198.18.1.2"), 0)})});
    CHECK(select_source(table, 1, "203.0.113.1", address_scope::universe) == ipv4("198.18.1.2"));
}

TEST_CASE("RFC 6724 rule 1: the destination itself", "[net][source]") {
    CHECK(chosen({own6("2001:db8::2", 64), own6("2001:db8::3", 64, {.deprecated = true})}, "2001:db8::3") ==
          ipv6("2001:db8::3"));
}

TEST_CASE("RFC 6724 rule 2: the smallest scope that reaches, else the widest", "[net][source]") {
    CHECK(chosen({own6("fe80::2", 64), own6("2001:db8::2", 64)}, "2001:db8:1::1") == ipv6("2001:db8::2"));
    CHECK(chosen({own6("2001:db8::2", 64), own6("fe80::2", 64)}, "fe80::1") == ipv6("fe80::2"));
    CHECK(chosen({own6("fe80::2", 64), own6("fec0::2", 64)}, "2001:db8::1") == ipv6("fec0::2"));
    CHECK(chosen({own6("2001:db8::2", 64), own6("fec0::2", 64)}, "ff05::1") == ipv6("fec0::2"));
    CHECK(chosen({own6("2001:db8::2", 64), own6("fe80::2", 64)}, "ff02::1") == ipv6("fe80::2"));
}

TEST_CASE("RFC 6724 rule 3: not deprecated, unless there is nothing else", "[net][source]") {
    CHECK(chosen({own6("2001:db8::2", 64, {.deprecated = true}), own6("2001:db9::2", 64)}, "2001:db8::1") ==
          ipv6("2001:db9::2"));
    CHECK(chosen({own6("2001:db8::2", 64, {.deprecated = true})}, "2001:db8::1") == ipv6("2001:db8::2"));
}

TEST_CASE("RFC 6724 rule 4: home addresses", "[net][source]") {
    CHECK(chosen({own6("2001:db8::2", 64), own6("2001:db9::2", 64, {.home = true})}, "2001:db8::1") ==
          ipv6("2001:db9::2"));
}

TEST_CASE("RFC 6724 rule 5: the outgoing interface", "[net][source]") {
    interface_table table(
        {interface_with(1, {own6("2001:db8::2", 64)}), interface_with(2, {own6("2001:db9::2", 64)})});
    source_selector sources(table, standard_labels);
    CHECK(sources.select(2, "2001:db8::1") == ipv6("2001:db9::2"));
    CHECK(sources.select(1, "2001:db8::1") == ipv6("2001:db8::2"));
    CHECK(sources.select(3, "2001:db8::1") == ipv6("2001:db8::2"));  // any other's: then the longest prefix
}

TEST_CASE("RFC 6724 rule 6: the same label", "[net][source]") {
    std::vector<interface_address> const both{own6("2001:db8::2", 64), own6("fd00::2", 64),
                                              own6("2002:c612::2", 48)};
    CHECK(chosen(both, "fd99::1") == ipv6("fd00::2"));
    CHECK(chosen(both, "2600::1") == ipv6("2001:db8::2"));
    CHECK(chosen(both, "2002:1::1") == ipv6("2002:c612::2"));
    interface_table table({interface_with(1, {own6("2001:db8::2", 64), own6("fd00::2", 64)})});
    source_selector relabelled(
        table, {{ipv6("::"), 0, 0, 1}, {ipv6("fd00::"), 8, 0, 5}, {ipv6("2600::"), 16, 1, 5}});
    CHECK(relabelled.select(1, "2600::1") == ipv6("fd00::2"));
    source_selector elsewhere(table,
                              {{ipv6("::"), 0, 0, 1}, {ipv6("fd00::"), 8, 0, 5}, {ipv6("2600::"), 16, 2, 5}});
    CHECK(elsewhere.select(1, "2600::1") == ipv6("2001:db8::2"));
}

TEST_CASE("RFC 6724 rule 7: public or temporary, as the interface says", "[net][source]") {
    auto i = interface_with(1, {own6("2001:db8::2", 64, {.temporary = true}), own6("2001:db9::2", 64)});
    CHECK(source_selector(interface_table({i}), standard_labels).select(1, "2001:db8::1") ==
          ipv6("2001:db9::2"));
    i.prefer_temporary = true;
    CHECK(source_selector(interface_table({i}), standard_labels).select(1, "2001:db9::1") ==
          ipv6("2001:db8::2"));
}

TEST_CASE("RFC 6724 rule 8: the longest common prefix, no longer than the address's own", "[net][source]") {
    CHECK(chosen({own6("2001:db8:1::2", 64), own6("2001:db8:2::2", 64)}, "2001:db8:2::99") ==
          ipv6("2001:db8:2::2"));
    CHECK(chosen({own6("2001:db8:1::2", 64), own6("2001:db8:1::fff2", 64)}, "2001:db8:1::fff3") ==
          ipv6("2001:db8:1::2"));  // beyond bit 64 they are equals: the first stays
}

TEST_CASE("ORCHIDs speak with ORCHIDs, though another prefix be longer", "[net][source]") {
    std::vector<interface_address> const both{own6("2001:10::2", 28), own6("2001:db8::2", 64)};
    CHECK(chosen(both, "2001:1f::1") == ipv6("2001:10::2"));
    CHECK(chosen(both, "2001:20::1") == ipv6("2001:db8::2"));
}

TEST_CASE("optimistic addresses are avoided, tentative ones are no candidates", "[net][source]") {
    CHECK(chosen({own6("2001:db8::2", 64, {.tentative = true})}, "2001:db8::1").is_unspecified());
    flags const optimistic{.tentative = true, .optimistic = true};
    CHECK(chosen({own6("2001:db8::2", 64, optimistic)}, "2001:db8::1") == ipv6("2001:db8::2"));
    CHECK(chosen({own6("2001:db8::2", 64, optimistic), own6("2001:db9::2", 64)}, "2001:db8::1") ==
          ipv6("2001:db9::2"));
    auto i = interface_with(1, {own6("2001:db8::2", 64, optimistic), own6("2001:db9::2", 64)});
    i.use_optimistic = true;
    CHECK(source_selector(interface_table({i}), standard_labels).select(1, "2001:db8::1") ==
          ipv6("2001:db8::2"));
}

TEST_CASE("link-local and multicast destinations take addresses of the outgoing interface only",
          "[net][source]") {
    interface_table table({interface_with(1, {own6("fe80::2", 64)}), interface_with(2, {})});
    source_selector sources(table, standard_labels);
    CHECK(sources.select(2, "fe80::1").is_unspecified());
    CHECK(sources.select(2, "ff0e::1").is_unspecified());
    CHECK(sources.select(2, "2001:db8::1") == ipv6("fe80::2"));
}

TEST_CASE("an interface may keep to its own addresses", "[net][source]") {
    auto reserved = interface_with(2, {});
    reserved.own_addresses_only = true;
    interface_table table({interface_with(1, {own6("2001:db8::2", 64)}), reserved});
    CHECK(source_selector(table, standard_labels).select(2, "2001:db8::1").is_unspecified());
}

TEST_CASE("a host without IPv6 addresses has no source", "[net][source]") {
    CHECK(chosen({own(ipv4("198.18.0.2"), 24)}, "2001:db8::1").is_unspecified());
    CHECK(source_selector().select(1, "2001:db8::1").is_unspecified());
}
