#include "support/catch.hpp"

#include "layers/support.hpp"

#include <sonde/layers/ip.hpp>
#include <sonde/layers/ntp.hpp>
#include <sonde/layers/udp.hpp>

using namespace sonde;
using support::built;

namespace {

packet client() {
    return IP{.dst = "198.18.0.1", .src = "198.51.100.1"} / UDP{.sport = 4000} /
           NTPHeader{.sent = ntp_timestamp(3'900'000'000, 7)};
}
packet with(packet p, std::size_t octets) {
    return p / packet(std::string(octets, 'x'));
}

}  // namespace

TEST_CASE("A key and a digest of a known length authenticate; everything else behind the header is bytes") {
    constexpr std::size_t digests[] = {16, 20, 32, 64}, others[] = {1, 4, 16, 19, 21, 28, 40, 69};
    for (auto digest : digests) {
        auto p = built(with(client(), 4 + digest));
        REQUIRE(p.has<NTPAuthenticator>());
        CHECK(p.get<NTPAuthenticator>().key_id == 0x78787878);
        CHECK(p.get<NTPAuthenticator>().dgst.value().size() == digest);
    }
    for (auto octets : others) {
        auto p = built(with(client(), octets));
        CHECK_FALSE(p.has<NTPAuthenticator>());
        CHECK(p.has<Raw>());
    }
    auto ours = built(client() / NTPAuthenticator{.key_id = 5});
    CHECK(ours.layers().back().size() == 20);
    CHECK(ours.get<NTPAuthenticator>().key_id == 5);
    CHECK(summary(ours) == "IP / UDP / NTP v4, client / NTPAuthenticator");
}

TEST_CASE("Control and private messages are no NTP header, however long") {
    for (unsigned mode : {6u, 7u}) {
        auto bytes = client().build();
        bytes[28] = static_cast<std::byte>(0x10 | mode);
        auto p = dissect(bytes, link_type::raw);
        CHECK_FALSE(p.has<NTPHeader>());
        CHECK(support::comes_back(bytes));
    }
}

TEST_CASE("NTP goes from port 123 to port 123 unless said otherwise; authenticated or not, it comes back") {
    auto p = built(IP{} / UDP{} / NTPHeader{});
    CHECK(p.get<UDP>().sport == 123);
    CHECK(p.get<UDP>().dport == 123);
    CHECK(support::lost_cuts_and_changes(client() / NTPAuthenticator{}, 28) == 0);
}

TEST_CASE("A time is read to its last digit, and never becomes another second's") {
    auto sent = [](std::string const& text) {
        return support::hex(parse_packet("NTPHeader(sent=" + text + ")")).substr(80);
    };
    CHECK(sent("'1.5'") == "0000000180000000");
    CHECK(sent("'1.9999999999'") == "00000001ffffffff");
    CHECK(sent("'4294967295.9999999999'") == "ffffffffffffffff");
    CHECK(sent("'1.00000000009'") == "0000000100000000");
    CHECK(support::hex(parse_packet("NTPHeader(delay='1.999999')")).substr(8, 8) == "0001ffff");
    for (auto bad : {"'1.0000000000x'", "'1.5 '", "'1.-5'", "'.5'", "'4294967296'", "'1.0000000000.'", "''"})
        CHECK_THROWS_AS(sent(bad), error);
}
