#include "link/xdp/headers.hpp"

#include "lab/xdp_frames.hpp"

using namespace sonde;
using namespace sonde::test;
using detail::has_pending_checksum;
using detail::transport_headers;

TEST_CASE("TCP and UDP are found behind IPv4 with options and behind IPv6, and nothing else is") {
    for (bool udp : {false, true}) {
        CAPTURE(udp);
        auto ip4 = transport_headers::of(frame_of({.udp = udp}));
        REQUIRE(ip4);
        CHECK(ip4->is_tcp == !udp);
        CHECK(ip4->addresses == 26);
        CHECK(ip4->ports == 34);
        CHECK(ip4->length == (udp ? 18 : 30));
        auto options = transport_headers::of(frame_of({.udp = udp, .options = "0101010001010100"}));
        REQUIRE(options);
        CHECK(options->ports == 42);
        CHECK(options->length == ip4->length);
        auto ip6 = transport_headers::of(frame_of({.v6 = true, .udp = udp}));
        REQUIRE(ip6);
        CHECK(ip6->v6);
        CHECK(ip6->addresses == 22);
        CHECK(ip6->ports == 54);
        CHECK(ip6->length == ip4->length);
        CHECK_FALSE(transport_headers::of(frame_of({.udp = udp, .tags = "81000001"})));
        CHECK_FALSE(transport_headers::of(frame_of({.udp = udp, .fragment = 0x2000})));
        CHECK_FALSE(transport_headers::of(frame_of({.udp = udp, .fragment = 1})));
        CHECK_FALSE(
            transport_headers::of(frame_of({.v6 = true, .udp = udp, .extension = "0000010400000000"})));
    }
    CHECK_FALSE(transport_headers::of(numbered(1)));
}

TEST_CASE("A frame that ends anywhere, and one with any octet changed, is looked at within its bounds") {
    for (bool v6 : {false, true})
        for (bool udp : {false, true}) {
            auto const whole = frame_of({.v6 = v6, .udp = udp, .padding = 0});
            CHECK_FALSE(has_pending_checksum(whole));
            for (std::size_t n = 0; n < whole.size(); ++n) {
                bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
                cut.shrink_to_fit();
                has_pending_checksum(cut);
                for (unsigned value : {0u, 0x45u, 0x4fu, 0xffu}) {
                    auto changed = cut;
                    if (n > 14) changed[14] = static_cast<std::byte>(value);
                    has_pending_checksum(changed);
                    changed = whole;
                    changed[n] = static_cast<std::byte>(value);
                    has_pending_checksum(changed);
                }
            }
        }
}
