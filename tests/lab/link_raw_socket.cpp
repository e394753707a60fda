#include <sonde/link/raw_socket.hpp>

#include "lab/link_support.hpp"

#include <functional>

using namespace sonde;
using namespace sonde::test;
using namespace std::chrono_literals;

namespace {

std::uint16_t sum(bytes const& b, std::size_t from) {
    std::uint32_t total = 0;
    for (std::size_t i = from; i + 1 < b.size(); i += 2)
        total += std::to_integer<std::uint32_t>(b[i]) << 8 | std::to_integer<std::uint32_t>(b[i + 1]);
    while (total >> 16) total = (total & 0xffff) + (total >> 16);
    return static_cast<std::uint16_t>(~total);
}

void put_sum(bytes& b, std::size_t at, std::uint16_t value) {
    b[at] = static_cast<std::byte>(value >> 8);
    b[at + 1] = static_cast<std::byte>(value);
}

// An ICMP echo request with a good ICMP checksum and, in the IP header, what the caller says.
bytes echo4(std::string const& source, std::string const& destination, std::uint16_t sequence,
            std::string const& length_id = "00200001") {
    auto p = from_hex("4500" + length_id + "000040010000" + source + destination +
                      "08000000"
                      "1234");
    append_number(p, sequence, 2);
    append_number(p, 0xdeadbeef, 4);
    put_sum(p, 22, sum(p, 20));
    return p;
}

// Behind the zero Ethernet header of lo.
bytes packet_of(captured_frame const& f) {
    return {f.bytes.begin() + 14, f.bytes.end()};
}
int icmp_type(captured_frame const& f) {
    return std::to_integer<int>(f.bytes.at(14 + 20));
}

std::string const local = "7f000001";

}  // namespace

TEST_CASE("an echo request on lo is seen once and answered once", "[link][lab]") {
    wired w;
    auto filter = capture_filter::compile("icmp", link_type::ethernet);
    auto a = raw_socket::open(w.io.get_executor(), w.lo(), {.filter = &filter});
    CHECK(a->info().type == link_type::raw);
    CHECK(a->info().name == "lo");
    send_one(*a, echo4(local, local, 7));
    auto got = collect(w.io, *a, 2);
    REQUIRE(got.size() == 2);
    CHECK(icmp_type(got[0]) == 8);
    CHECK(icmp_type(got[1]) == 0);
    auto reply = packet_of(got[1]);
    CHECK(bytes(reply.begin() + 24, reply.end()) == from_hex("12340007deadbeef"));
    for (auto const& f : got) {
        CHECK(f.type == link_type::ethernet);
        CHECK(bytes(f.bytes.begin(), f.bytes.begin() + 14) == from_hex("0000000000000000000000000800"));
        CHECK_FALSE(f.outgoing);
    }
    CHECK(collect(w.io, *a, 1, nullptr, 50ms).empty());
    CHECK(a->counters().received == 2);
}

TEST_CASE("an address of the host itself answers through lo", "[link][lab]") {
    wired w;
    w.net.run("ip addr add 198.18.0.1/24 dev va");
    auto filter = capture_filter::compile("icmp", link_type::ethernet);
    auto a = raw_socket::open(w.io.get_executor(), w.lo(), {.filter = &filter});
    send_one(*a, echo4("c6120001", "c6120001", 1));
    auto got = collect(w.io, *a, 2);
    REQUIRE(got.size() == 2);
    CHECK(icmp_type(got[1]) == 0);
}

TEST_CASE("the kernel rewrites length and checksum, and id and source when they are zero", "[link][lab]") {
    wired w;
    auto filter = capture_filter::compile("icmp[icmptype] == icmp-echo", link_type::ethernet);
    auto a = raw_socket::open(w.io.get_executor(), w.lo(), {.filter = &filter});
    send_all(*a, {echo4("00000000", local, 1, "fffe0000"), echo4("7f000009", local, 2, "00204321")});
    auto got = collect(w.io, *a, 2);
    REQUIRE(got.size() == 2);
    auto first = packet_of(got[0]), second = packet_of(got[1]);
    auto header = [](bytes const& p) { return bytes(p.begin(), p.begin() + 20); };
    auto part = [](bytes const& p, std::size_t from, std::size_t to) {
        return bytes(p.begin() + static_cast<std::ptrdiff_t>(from),
                     p.begin() + static_cast<std::ptrdiff_t>(to));
    };
    CHECK(part(first, 2, 4) == from_hex("0020"));
    CHECK(part(first, 4, 6) != from_hex("0000"));
    CHECK(part(first, 12, 16) == from_hex(local));
    CHECK(sum(header(first), 0) == 0);
    CHECK(part(second, 4, 6) == from_hex("4321"));
    CHECK(part(second, 12, 16) == from_hex("7f000009"));
    CHECK(sum(header(second), 0) == 0);
}

TEST_CASE("IPv6 goes out as it is, in one batch with IPv4", "[link][lab]") {
    wired w;
    auto filter = capture_filter::compile("icmp or icmp6", link_type::ethernet);
    auto a = raw_socket::open(w.io.get_executor(), w.lo(), {.filter = &filter});
    std::string const one = "00000000000000000000000000000001";
    // echo request, id 0x1234, seq 1; checksum over the pseudo-header of RFC 8200 §8.1
    auto request = from_hex("6000000000083a40" + one + one + "8000000012340001");
    auto pseudo = from_hex(one + one +
                           "000000080000003a"
                           "8000000012340001");
    put_sum(request, 42, sum(pseudo, 0));
    send_all(*a, {echo4(local, local, 1), request, request, echo4(local, local, 2)});
    int requests = 0, replies = 0, unchanged = 0;
    for (auto const& f : collect(w.io, *a, 8)) {
        bool v6 = f.bytes.at(12) == std::byte{0x86};
        int type = std::to_integer<int>(f.bytes.at(14 + (v6 ? 40u : 20u)));
        (type == 8 || type == 128 ? requests : replies) += 1;
        if (packet_of(f) == request) ++unchanged;
    }
    CHECK(requests == 4);
    CHECK(replies == 4);
    CHECK(unchanged == 2);
}

TEST_CASE("what is no IP packet is refused with EINVAL, and what is too long with message_too_long",
          "[link][lab]") {
    wired w;
    auto a = raw_socket::open(w.io.get_executor(), w.lo());
    auto refused = [&](bytes const& p) {
        std::vector<bytes> const packets{echo4(local, local, 1), p, echo4(local, local, 2)};
        std::vector<std::span<std::byte const>> views(packets.begin(), packets.end());
        error_code ec;
        CHECK(a->transmit(views, ec) == 1);
        return ec;
    };
    CHECK(refused({}) == asio::error::invalid_argument);
    CHECK(refused(from_hex("4500")) == asio::error::invalid_argument);
    CHECK(refused(from_hex("6000000000083a40")) == asio::error::invalid_argument);
    CHECK(refused(bytes(40, std::byte{0x55})) == asio::error::invalid_argument);
    w.net.run("ip link set lo mtu 1000");
    auto longer = echo4(local, local, 3);
    longer.resize(1001);
    CHECK(refused(longer) == errc::message_too_long);
}

TEST_CASE("where there is no route, sending says so", "[link][lab]") {
    wired w;
    auto a = raw_socket::open(w.io.get_executor(), w.lo());
    auto p = echo4(local, "c6120001", 1);
    std::span<std::byte const> view = p;
    error_code ec;
    CHECK(a->transmit({&view, 1}, ec) == 0);
    CHECK(ec == asio::error::network_unreachable);
}

TEST_CASE("a packet that the firewall refuses fails with permission, and the next one is sent",
          "[link][lab]") {
    wired w;
    w.net.run(
        "nft add table ip t && nft add chain ip t out '{ type filter hook output priority 0; }' && "
        "nft add rule ip t out ip daddr 127.0.0.66 drop");
    auto filter = capture_filter::compile("icmp", link_type::ethernet);
    auto a = raw_socket::open(w.io.get_executor(), w.lo(), {.filter = &filter});
    std::vector<bytes> const packets{echo4(local, "7f000042", 1), echo4(local, local, 2)};
    std::vector<std::span<std::byte const>> views(packets.begin(), packets.end());
    error_code ec;
    CHECK(a->transmit(views, ec) == 0);
    CHECK(ec == errc::permission);
    CHECK(a->transmit(std::span(views).subspan(1), ec) == 1);
    CHECK(collect(w.io, *a, 2).size() == 2);
}
