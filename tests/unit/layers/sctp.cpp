#include "support/catch.hpp"

#include "layers/support.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/sctp.hpp>

using namespace sonde;
using support::hex;

namespace {

packet over_ip(packet const& chunk) {
    return IP{.dst = "192.0.2.2", .src = "192.0.2.1"} / SCTP{.tag = 1} / chunk;
}

/// The chunks as they come in from the wire.
packet received(std::string_view chunks) {
    auto bytes = support::bytes(chunks);
    return support::built(
        over_ip(packet(std::string_view(reinterpret_cast<char const*>(bytes.data()), bytes.size()))));
}

/// The command of the chunks; "lost" unless it builds the same bytes.
std::string command_of(std::string_view chunks) {
    auto p = received(chunks);
    auto text = command(p);
    if (hex(parse_packet(text)) != hex(p)) return "lost: " + text;
    return text.substr(text.find("/SCTPChunk") + 1);
}

std::string printed_heartbeat(std::string_view params, int len) {
    return fmt::format("SCTPChunkHeartbeatReq(params=[{}], type=4, flags=0, len={})", params, len);
}

}  // namespace

TEST_CASE(
    "The padding of a chunk's last parameter is not counted by the chunk, and it is a layer all the same") {
    // RFC 9260 §3.2, and Scapy reads it so
    CHECK(command_of("04000009"
                     "0001000578000000") ==
          printed_heartbeat("SCTPChunkParamHeartbeatInfo(type=1, len=5, data=b'x')", 9));
    CHECK(command_of("04000011"
                     "0001000578000000"
                     "0001000579000000") ==
          printed_heartbeat("SCTPChunkParamHeartbeatInfo(type=1, len=5, data=b'x'),"
                            "SCTPChunkParamHeartbeatInfo(type=1, len=5, data=b'y')",
                            17));
    CHECK(
        command_of("0200001b"
                   "0000000900001000000100010000000b"
                   "0007000761626300") ==
        "SCTPChunkInitAck(params=[SCTPChunkParamStateCookie(type=7, len=7, cookie=b'abc')], type=2, flags=0, "
        "len=27, init_tag=9, a_rwnd=4096, n_out_streams=1, n_in_streams=1, init_tsn=11)");
    // A robust implementation takes both (RFC 9260 §3.2): Scapy counts the padding.
    CHECK(command_of("0400000c"
                     "0001000578000000") ==
          printed_heartbeat("SCTPChunkParamHeartbeatInfo(type=1, len=5, data=b'x')", 12));
    CHECK(summary(received("04000009"
                           "0001000578000000"
                           "0b000004"))
              .ends_with("SCTPChunkHeartbeatReq / SCTPChunkCookieAck"));
}

TEST_CASE("Parameters that a layer does not tell exactly stay as bytes, whole") {
    // The padding is no zeros; in the last parameter it is the chunk's, which has no field for it.
    CHECK(command_of("04000014"
                     "0001000578000001"
                     "0001000579000000") ==
          printed_heartbeat("b'\\x00\\x01\\x00\\x05x\\x00\\x00\\x01', "
                            "SCTPChunkParamHeartbeatInfo(type=1, len=5, data=b'y')",
                            20));
    auto odd = received(
        "04000009"
        "0001000578000001");
    CHECK(hex(parse_packet(command(odd))) == hex(odd));
    // Half of an address of which the default has the other half.
    CHECK(command_of("0400000a"
                     "000500067f000000") == printed_heartbeat("b'\\x00\\x05\\x00\\x06\\x7f\\x00'", 10));
    // A length past the chunk's end.
    CHECK(command_of("04000009"
                     "0001000678000000") == printed_heartbeat("b'\\x00\\x01\\x00\\x06x'", 9));
}

TEST_CASE("A built chunk counts the padding of all its parameters, as Scapy does") {
    // bytes(SCTPChunkInit(params=[SCTPChunkParamStateCookie(cookie=b'abc')])) of Scapy 2.5
    CHECK(hex(parse_packet("SCTPChunkInit(params=[SCTPChunkParamStateCookie(cookie=b'abc')])")) ==
          "0100001c000000000000000000000000000000000007000761626300");
    CHECK(
        hex(parse_packet("SCTPChunkHeartbeatReq(params=[SCTPChunkParamHeartbeatInfo(data=b'x')], len=9)")) ==
        "040000090001000578000000");
    // Bytes are what they are.
    packet own = parse_packet("SCTPChunkHeartbeatReq(params=b'\\x00\\x01\\x00\\x05x')");
    CHECK(hex(own) == "040000090001000578000000");
    CHECK(hex(parse_packet(command(own))) == hex(own));
    own.get<SCTPChunkHeartbeatReq>().flags = 1;
    CHECK(hex(own) == "040100090001000578000000");
}

TEST_CASE("The length of every chunk is computed, of those of a fixed length too") {
    CHECK(hex(SCTPChunkShutdown{.cumul_tsn_ack = 7, .len = automatic}) == "0700000800000007");
    CHECK(hex(SCTPChunkShutdownAck{.len = automatic}) == "08000004");
    CHECK(hex(SCTPChunkCookieAck{.len = automatic}) == "0b000004");
    CHECK(hex(SCTPChunkShutdownComplete{.len = automatic}) == "0e000004");
    CHECK(hex(parse_packet("SCTPChunkCookieAck(len=None)")) == "0b000004");
    CHECK(hex(SCTPChunkCookieAck{.len = 9}) == "0b000009");
}

TEST_CASE("Chunks of dynamic addresses have Scapy's names") {
    CHECK(hex(SCTPChunkCookieAck{.type = "address-configuration"}) == "c1000004");
    CHECK(hex(SCTPChunkCookieAck{.type = "address-configuration-ack"}) == "80000004");
    CHECK(show(SCTPChunkCookieAck{.type = 0x80}).find("type      = address-configuration-ack") !=
          std::string::npos);
}

TEST_CASE("SCTP chunks cut or changed at any octet come back as they were") {
    auto init =
        over_ip(parse_packet("SCTPChunkInit(len=35, params=[SCTPChunkParamHostname(hostname=b'ab'), "
                             "SCTPChunkParamStateCookie(cookie=b'abc')])/"
                             "SCTPChunkHeartbeatReq(params=[SCTPChunkParamHeartbeatInfo("
                             "data=b'x')])"));
    CHECK(support::lost_cuts_and_changes(init, 32) == 0);
}

TEST_CASE("The parameters that real INITs have are layers, with Scapy's bytes and names") {
    std::string_view const params =
        "[SCTPChunkParamSupportedAddrTypes(addr_type_list=[5, 'IPv6']), "
        "SCTPChunkParamSupportedExtensions(), SCTPChunkParamChunkList(chunk_list=['init', 3]), "
        "SCTPChunkParamRequestedHMACFunctions(), SCTPChunkParamRandom(random=b'abc')]";
    auto init = parse_packet(fmt::format("SCTPChunkInit(params={})", params));
    CHECK(hex(init) ==  // of Scapy 2.5
          "0100003c00000000000000000000000000000000000c000800050006800800070fc18000"
          "8003000601030000800400060001000080020007616263"
          "00");
    CHECK(hex(SCTPChunkInit{
              .params = {SCTPChunkParamSupportedAddrTypes{.addr_type_list = {5, 6}},
                         SCTPChunkParamSupportedExtensions{}, SCTPChunkParamChunkList{.chunk_list = {1, 3}},
                         SCTPChunkParamRequestedHMACFunctions{}, SCTPChunkParamRandom{.random = "abc"}}}) ==
          hex(init));
    auto text = show(received(hex(init)));
    for (auto shown :
         {"addr_type_list= [IPv4, IPv6]", "chunk_list= [init, sack]", "HMAC_functions_list= [SHA-1]"})
        CHECK(text.find(shown) != std::string::npos);
    CHECK_THROWS_AS((SCTPChunkParamChunkList{.chunk_list = {1, 256}}), error);
    CHECK_THROWS_AS((SCTPChunkParamSupportedAddrTypes{.addr_type_list = -1}), error);
    CHECK_THROWS_AS(parse_packet("SCTPChunkParamChunkList(chunk_list=[256])"), error);
    CHECK_THROWS_AS(parse_packet("SCTPChunkParamChunkList(chunk_list=['no chunk'])"), error);
}
