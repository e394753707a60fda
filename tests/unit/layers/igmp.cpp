#include "support/catch.hpp"

#include "layers/support.hpp"

#include <sonde/layers/igmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/packet/json.hpp>

using namespace sonde;
using support::built;
using support::hex_behind;

namespace {

static_assert(std::is_trivially_destructible_v<IGMPv3mr> && std::is_aggregate_v<IGMPv3mr>);

packet report() {
    return IP{.src = "192.0.2.1"} / IGMPv3{} /
           IGMPv3mr{.records = {IGMPv3gr{.maddr = "232.1.1.1",
                                         .rtype = "Allow New Sources",
                                         .srcaddrs = {ipv4("198.51.100.1"), ipv4("198.51.100.2")}},
                                IGMPv3gr{.maddr = "239.1.2.3", .rtype = 4}}};
}

}  // namespace

TEST_CASE("A report of version 3 goes to all routers, its type, counts and checksum are computed") {
    auto back = built(report());
    CHECK(back.get<IP>().dst == "224.0.0.22");
    CHECK(back.get<IP>().ttl == 1);
    CHECK(back.get<IP>().tos == 0xc0);
    CHECK(back.get<IGMPv3>().type == 0x22);
    CHECK(back.get<IGMPv3>().mrcode == 0);
    CHECK(back.get<IGMPv3mr>().numgrp == 2);
    CHECK(hex_behind(report(), 24) == "0000000205000002e8010101c6336401c633640204000000ef010203");
    CHECK(summary(back) == "IP / IGMPv3: 192.0.2.1 > 224.0.0.22 Version 3 Membership Report / IGMPv3mr");
    packet own = IP{.dst = "224.0.0.1", .src = "192.0.2.1", .ttl = 2, .tos = 0} /
                 IGMPv3{.type = 0x31, .mrcode = 9} / IGMPv3mq{};
    back = built(own);
    CHECK(back.get<IP>().ttl == 2);
    CHECK(back.get<IP>().tos == 0);
    CHECK(back.get<IGMPv3>().type == 0x31);
    CHECK(back.get<IGMPv3>().mrcode == 9);
}

TEST_CASE("Length and type tell the versions of IGMP apart; padding does not count") {
    packet query =
        IP{.src = "192.0.2.1"} / IGMPv3{} / IGMPv3mq{.gaddr = "232.0.0.1", .srcaddrs = {ipv4("192.0.2.9")}};
    auto back = built(query);
    REQUIRE(back.has<IGMPv3mq>());
    CHECK(back.get<IGMPv3mq>().numsrc == 1);
    CHECK(back.get<IGMPv3>().mrcode == 20);
    auto old = (IP{.dst = "224.0.0.1", .src = "192.0.2.1"} / IGMP{}).build();
    old.resize(46);
    CHECK(dissect(old, link_type::raw).has<IGMP>());
    CHECK_FALSE(dissect(old, link_type::raw).has<IGMPv3>());
    packet leave = IP{.dst = "224.0.0.2", .src = "192.0.2.1"} / IGMP{.type = 0x17} / "longer than it was";
    CHECK(built(leave).has<IGMP>());
    CHECK(summary(built(leave)) == "IP / IGMP: 192.0.2.1 > 224.0.0.2 Leave Group 0.0.0.0 / Raw");
}

TEST_CASE("A report holds as many records as it counts, and a record as many words as it counts") {
    auto records = [](std::string_view report) {
        auto bytes =
            support::bytes("46c00000000100000102000000000000e00000169404000022000000" + std::string(report));
        auto p = dissect(bytes, link_type::raw);
        return command(p).substr(command(p).find("IGMPv3mr"));
    };
    CHECK(records("00000001"
                  "01000000e8000001"
                  "abcd") ==
          "IGMPv3mr(records=[IGMPv3gr(rtype=1, auxdlen=0, numsrc=0, maddr='232.0.0.1')], res2=0, "
          "numgrp=1)/Raw(load=b'\\xab\\xcd')");
    // Auxiliary data: a word that belongs to the record, but that the layer has no field for.
    CHECK(records("00000002"
                  "01010000e800000141424344"
                  "02000000e8000002") ==
          "IGMPv3mr(records=[b'\\x01\\x01\\x00\\x00\\xe8\\x00\\x00\\x01ABCD', IGMPv3gr(rtype=2, auxdlen=0, "
          "numsrc=0, maddr='232.0.0.2')], res2=0, numgrp=2)");
    CHECK(records("0000ffff"
                  "0100ffffe8000001") ==
          "IGMPv3mr(records=[b'\\x01\\x00\\xff\\xff\\xe8\\x00\\x00\\x01'], res2=0, numgrp=65535)");
}

TEST_CASE("IGMP messages cut or changed at any octet come back as they were") {
    CHECK(support::lost_cuts_and_changes(report(), 20) == 0);
    packet query =
        IP{.src = "192.0.2.1"} / IGMPv3{} / IGMPv3mq{.srcaddrs = {ipv4("192.0.2.9"), ipv4("192.0.2.8")}};
    CHECK(support::lost_cuts_and_changes(query, 20) == 0);
    packet advertisement = IP{.src = "192.0.2.1"} / IGMPv3{} / IGMPv3mra{.qryIntvl = 125, .robust = 2};
    CHECK(support::lost_cuts_and_changes(advertisement, 20) == 0);
}
