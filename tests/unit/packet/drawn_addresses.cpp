// Which addresses of a packet somebody wrote, and which fell out of a set.
#include "support/catch.hpp"

#include <sonde/layers/icmp.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/tcp.hpp>
#include <sonde/packet/packet_set.hpp>

using namespace sonde;

namespace {

template <auto Member>
bool drawn(packet const& p) {
    return p.layers()[0].drawn >> field_index<Member> & 1;
}
template <class Value>
bool is_drawn(Value const& dst) {
    packet const p = IP{.dst = dst} / ICMP{};
    return drawn<&IP::dst>(p[p.size() - 1]);
}

}  // namespace

TEST_CASE("Values, lists and choices are written; what falls out of a network, a range or chance is drawn") {
    CHECK(!is_drawn(automatic));
    CHECK(!is_drawn(ipv4("255.255.255.255")));
    CHECK(!is_drawn(field<ipv4>{"198.51.100.1", "198.51.100.255"}));
    CHECK(!is_drawn(field<ipv4>("198.51.100.255/32")));
    CHECK(!is_drawn(random_choice(ipv4("198.51.100.1"), ipv4("198.51.100.255"))));
    CHECK(is_drawn(field<ipv4>("198.51.100.0/24")));
    CHECK(is_drawn(range("198.51.100.254", "198.51.100.255")));
    CHECK(is_drawn(random_ip()));
    CHECK(is_drawn(random_ip("198.51.100.0/24")));
}

TEST_CASE("A set that is all of one special class names it") {
    for (auto text : {"127.0.0.0/8", "127.0.0.0/29", "224.0.0.0/24", "224.0.0.0/4", "0.0.0.0/8"}) {
        INFO(text);
        CHECK(!is_drawn(field<ipv4>(std::string(text))));
        CHECK(!is_drawn(random_ip(text)));
    }
    CHECK(is_drawn(field<ipv4>("192.0.0.0/2")));
    CHECK(is_drawn(range("223.255.255.255", "224.0.0.0")));
    CHECK(is_drawn(range("126.0.0.0", "224.0.0.0")));
    packet const v6 = IPv6{.dst = "ff02::/120"};
    CHECK(!drawn<&IPv6::dst>(v6[255]));
    packet const mixed = IPv6{.dst = range("::", "::1")};  // neither of which is the other's kind
    CHECK(drawn<&IPv6::dst>(mixed[1]));
}

TEST_CASE("Each field is judged by itself, and what is made of the packet remembers") {
    packet const spoofed = IP{.dst = "224.0.0.1", .src = random_ip(), .ttl = range(1, 9)} / ICMP{};
    CHECK(!drawn<&IP::dst>(spoofed[3]));
    CHECK(drawn<&IP::src>(spoofed[3]));

    packet const scan = IP{.dst = "198.51.100.0/24"} / TCP{.dport = {22, 80}};
    auto one = scan[511];
    CHECK(drawn<&IP::dst>(one));
    CHECK(drawn<&IP::dst>(one[0]));
    CHECK(drawn<&IP::dst>((scan | shuffled(3) | take(5))[4]));
    one.get<IP>().ttl = 7;
    CHECK(drawn<&IP::dst>(packet(one)));
    one.get<IP>().dst = "198.51.100.7";
    CHECK(!drawn<&IP::dst>(packet(one)));
    CHECK(drawn<&IP::dst>((scan | exclude("198.51.100.7"))[0]));
}
