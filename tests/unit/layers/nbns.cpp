#include "support/catch.hpp"

#include "layers/support.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/nbns.hpp>
#include <sonde/layers/udp.hpp>
#include <sonde/packet/json.hpp>

using namespace sonde;
using support::built;
using support::hex_behind;
using support::refusal_of;
using support::verdict;

namespace {

static_assert(std::is_trivially_destructible_v<NBNSQueryResponse> && std::is_aggregate_v<NBNSQueryResponse>);

packet query(NBNSQueryRequest q = {.QUESTION_NAME = "TEST"}, NBNSHeader h = {.NAME_TRN_ID = 7}) {
    return IP{.dst = "198.51.100.255", .src = "198.51.100.1"} / UDP{.dport = 137, .sport = 4000} / h / q;
}
packet response(NBNSQueryResponse r, NBNSHeader h = {.NAME_TRN_ID = 7}) {
    return IP{.dst = "198.51.100.1", .src = "198.51.100.255"} / UDP{.dport = 4000, .sport = 137} / h / r;
}

}  // namespace

TEST_CASE("A NetBIOS name goes in letters, two for each byte; flags and counts follow from the layer") {
    auto p = query();
    CHECK(hex_behind(p, 28) ==
          "000701100001000000000000"
          "20"
          "464545464644464543414341434143414341434143414341434143414341"
          "4141"
          "00"
          "0020"
          "0001");
    auto back = built(p);
    CHECK(back.get<NBNSHeader>().NM_FLAGS == "B+RD");
    CHECK(back.get<NBNSQueryRequest>().QUESTION_NAME == "TEST");
    CHECK(back.get<NBNSQueryRequest>().SUFFIX == 0x4141);
    CHECK(summary(back) == "IP / UDP / NBNSHeader / NBNSQueryRequest who has '\\\\TEST'");
    auto ports = built(IP{} / UDP{} / NBNSHeader{} / NBNSNodeStatusRequest{});
    CHECK(ports.get<UDP>().sport == 137);
    CHECK(ports.get<UDP>().dport == 137);
    CHECK(ports.get<NBNSHeader>().NM_FLAGS == "B");
    CHECK(ports.get<NBNSNodeStatusRequest>().QUESTION_NAME.to_string() ==
          std::string("*") + std::string(14, '\0'));
    CHECK_THROWS_AS(netbios_name("sixteen letters!"), error);
    CHECK_THROWS_AS(parse_packet("NBNSQueryRequest(QUESTION_NAME='sixteen letters!')"), error);
    CHECK(parse_packet("NBNSQueryRequest(QUESTION_NAME=['A','B','C'])").size() == 3);
    CHECK(parse_packet("NBNSQueryRequest(QUESTION_NAME=None)").build() ==
          packet(NBNSQueryRequest{.QUESTION_NAME = {}}).build());
}

TEST_CASE("Responses hold addresses, a node's status its names") {
    auto p = response({.RR_NAME = "TEST",
                       .ADDR_ENTRY = {NBNS_ADD_ENTRY{.NB_ADDRESS = "192.0.2.1"},
                                      NBNS_ADD_ENTRY{.NB_ADDRESS = "192.0.2.2", .G = 1}}});
    auto back = built(p);
    CHECK(back.get<NBNSQueryResponse>().RDLENGTH == 12);
    CHECK(back.get<NBNSHeader>().NM_FLAGS == "RD+AA");
    CHECK(summary(back) == "IP / UDP / NBNSHeader / NBNSQueryResponse '\\\\TEST' is at 192.0.2.1");
    CHECK(to_json(back).find("\"ADDR_ENTRY\":[{\"layer\":\"NBNS_ADD_ENTRY\",\"fields\":{\"G\":0,\"OWNER_NODE_"
                             "TYPE\":0,\"UNUSED\":0,\"NB_ADDRESS\":\"192.0.2.1\"}},") != std::string::npos);
    packet status = IP{} / UDP{} / NBNSHeader{} /
                    NBNSNodeStatusResponse{.NODE_NAME = {NBNSNodeStatusResponseService{.NETBIOS_NAME = "A"},
                                                         NBNSNodeStatusResponseService{.SUFFIX = 0x20}}};
    back = built(status);
    CHECK(back.get<NBNSNodeStatusResponse>().NUM_NAMES == 2);
    CHECK(back.get<NBNSHeader>().RESPONSE == 1);
    CHECK(back.layers().back().size() == 45 + 2 * 18 + 52);
    CHECK(refusal_of([] { return nbns_addresses(NBNS_ADD_ENTRY{.NB_ADDRESS = "192.0.2.0/31"}); }) ==
          "a network: the field holds no single value");
    CHECK(refusal_of([] { return nbns_addresses(NBNS_ADD_ENTRY{.NB_ADDRESS = "host.example"}); }) ==
          "a host name: the field holds no single value");
    CHECK(refusal_of([] { return nbns_services(NBNSNodeStatusResponseService{.SUFFIX = {0, 0x20}}); }) ==
          "a list: the field holds no single value");
}

TEST_CASE("The type tells a message with flags of a server's") {
    NBNSHeader of_server{.NAME_TRN_ID = 7, .NM_FLAGS = "RA+RD+AA"};
    CHECK(built(response({}, of_server)).has<NBNSQueryResponse>());
    CHECK(built(query({}, {.NM_FLAGS = "RD"})).has<NBNSQueryRequest>());
    CHECK_FALSE(built(query({.QUESTION_TYPE = 9}, {.NM_FLAGS = "RD"})).has<NBNSQueryRequest>());
}

TEST_CASE("An answer has the id and the name of the query, whoever sends it to a broadcast") {
    auto sent = query();
    CHECK(verdict(response({.RR_NAME = "TEST"}), sent) == "yes");
    CHECK(verdict(response({.RR_NAME = "TEST"}, {.NAME_TRN_ID = 7, .NM_FLAGS = "RA+RD+AA"}), sent) == "yes");
    CHECK(verdict(response({.RR_NAME = "TEST"}, {.NAME_TRN_ID = 8}), sent) == "nbns id 8, expected 7");
    CHECK(verdict(response({.RR_NAME = "REST"}), sent) ==
          "nbns name \"REST           \", expected \"TEST           \"");
    CHECK(verdict(response({.RR_NAME = "TEST", .SUFFIX = 0x4341}), sent) != "yes");
    CHECK(verdict(response({.RR_NAME = "TEST", .QUESTION_TYPE = 0x21}), sent) ==
          "nbns type 0x21, expected 0x20");
    // A refusal has the name, but no type (RFC 1002 §4.2.14).
    CHECK(verdict(response({.RR_NAME = "TEST", .QUESTION_TYPE = 10}, {.NAME_TRN_ID = 7, .RCODE = 3}), sent) ==
          "yes");
    CHECK(verdict(response({.RR_NAME = "TEST"}, {.NAME_TRN_ID = 7, .OPCODE = 7}), sent) ==
          "nbns opcode 7, expected 0");
    packet question = IP{.dst = "198.51.100.1", .src = "198.51.100.255"} / UDP{.dport = 4000, .sport = 137} /
                      NBNSHeader{.NAME_TRN_ID = 7} / NBNSQueryRequest{.QUESTION_NAME = "TEST"};
    CHECK(verdict(question, sent) == "nbns response to a request expected");
    packet bare = IP{.dst = "198.51.100.1", .src = "198.51.100.255"} / UDP{.dport = 4000, .sport = 137} /
                  NBNSHeader{.NAME_TRN_ID = 7, .RESPONSE = 1};
    CHECK(verdict(bare, sent) == "nbns response without a name");

    packet to_all = IP{.dst = "255.255.255.255", .src = "198.51.100.1"} / UDP{.sport = 4000} /
                    NBNSHeader{.NAME_TRN_ID = 7} / NBNSQueryRequest{.QUESTION_NAME = "TEST"};
    packet from_one = IP{.dst = "198.51.100.1", .src = "198.51.100.9"} / UDP{.dport = 4000, .sport = 137} /
                      NBNSHeader{.NAME_TRN_ID = 7} / NBNSQueryResponse{.RR_NAME = "TEST"};
    CHECK(verdict(from_one, to_all) == "yes");
    CHECK(verdict(from_one, sent) == "ip src 198.51.100.9, expected 198.51.100.255");
}

TEST_CASE("Name service messages cut or changed at any octet come back as they were") {
    CHECK(support::lost_cuts_and_changes(query(), 28) == 0);
    CHECK(support::lost_cuts_and_changes(response({}), 28) == 0);
    CHECK(support::lost_cuts_and_changes(
              IP{} / UDP{} / NBNSHeader{} / NBNSNodeStatusResponse{.STATISTICS = "statistics"}, 28) == 0);
}
