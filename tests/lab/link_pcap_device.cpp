#include <sonde/link/packet_socket.hpp>
#include <sonde/link/pcap_device.hpp>

#include "lab/link_support.hpp"

#include <stdexcept>

using namespace sonde;
using namespace sonde::test;
using namespace std::chrono_literals;

namespace {

timestamp now() {
    return std::chrono::time_point_cast<timestamp::duration>(std::chrono::system_clock::now());
}

}  // namespace

TEST_CASE("frames go round by two pcap devices, with times and lengths", "[link][lab]") {
    wired w;
    auto a = pcap_device::open(w.io.get_executor(), "va");
    auto b = pcap_device::open(w.io.get_executor(), "vb");
    CHECK(a->info().name == "va");
    CHECK(a->info().index == w.va());
    CHECK(a->info().type == link_type::ethernet);
    auto start = now();
    std::vector<bytes> frames;
    for (std::uint32_t i = 0; i < 20; ++i) frames.push_back(numbered(i));
    send_all(*a, frames);
    auto got = collect(w.io, *b, 20);
    REQUIRE(got.size() == 20);
    bool nanoseconds = false;
    for (std::uint32_t i = 0; i < 20; ++i) {
        CHECK(got[i].bytes == frames[i]);
        CHECK(got[i].length == 60);
        CHECK(got[i].interface == w.vb());
        CHECK(got[i].time >= start);
        CHECK(got[i].time <= now());
        nanoseconds |= got[i].time.time_since_epoch().count() % 1000 != 0;
    }
    CHECK(nanoseconds);
    CHECK(collect_rest(*a).empty());  // what it sent does not come back
    CHECK(b->counters().received == 20);
    CHECK(b->counters().kernel_dropped == 0);
    send_one(*b, numbered(99));
    CHECK(number_of(collect(w.io, *a, 1).at(0).bytes) == 99);
}

TEST_CASE("a pcap device sees what others send on its interface only when asked", "[link][lab]") {
    wired w;
    auto silent = pcap_device::open(w.io.get_executor(), "va");
    auto curious = pcap_device::open(w.io.get_executor(), "va", {.see_outgoing = true});
    auto sender = packet_socket::transmitter(w.io.get_executor(), w.va());
    send_one(*sender, numbered(1));
    CHECK(collect(w.io, *curious, 1).size() == 1);
    CHECK(collect_rest(*silent).empty());
}

TEST_CASE("a pcap device puts VLAN tags back and filters by them", "[link][lab]") {
    wired w;
    auto filter = capture_filter::compile("vlan 5", link_type::ethernet);
    auto a = pcap_device::open(w.io.get_executor(), "va", {.filter = &filter});
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    auto tagged = numbered(3, experimental, "81000005");
    send_all(*b, {numbered(1), numbered(2, experimental, "81000006"), tagged});
    auto got = collect(w.io, *a, 1);
    REQUIRE(got.size() == 1);
    CHECK(got[0].bytes == tagged);
    CHECK(a->counters().received == 1);  // the kernel filtered
}

TEST_CASE("a pcap device's filter can be replaced, and a bad one is refused with libpcap's words",
          "[link][lab]") {
    wired w;
    auto none = capture_filter::accept_none();
    auto a = pcap_device::open(w.io.get_executor(), "va", {.filter = &none});
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    send_one(*b, numbered(1));
    CHECK(collect(w.io, *a, 1, nullptr, 50ms).empty());
    error_code ec;
    a->set_filter(capture_filter(), ec);
    CHECK(!ec);
    send_one(*b, numbered(2));
    CHECK(number_of(collect(w.io, *a, 1).at(0).bytes) == 2);
    if (!may_make_tun()) return;
    w.net.run("ip tuntap add dev t0 mode tun && ip link set t0 up");
    auto ethernet_only = capture_filter::compile("ether multicast", link_type::ethernet);
    std::string why;
    CHECK_FALSE(pcap_device::open(w.io.get_executor(), "t0", {.filter = &ethernet_only}, ec, &why));
    CHECK(ec == errc::bad_filter);
    CHECK(why.find("ether multicast") != why.npos);
}

TEST_CASE("the pseudo-device any takes cooked frames from everywhere and sends nothing", "[link][lab]") {
    wired w;
    auto any = pcap_device::open(w.io.get_executor(), "any");
    CHECK(any->info().type == link_type::linux_sll);
    CHECK(any->info().index == 0);
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    send_one(*b, numbered(1));
    auto got = collect(w.io, *any, 1);
    REQUIRE(got.size() == 1);
    CHECK(got[0].type == link_type::linux_sll);
    auto f = numbered(1);
    std::span<std::byte const> view = f;
    error_code ec;
    CHECK(any->transmit({&view, 1}, ec) == 0);
    CHECK(ec);
}

TEST_CASE("on lo a pcap device sees each packet once", "[link][lab]") {
    wired w;
    auto see_outgoing = GENERATE(false, true);
    auto a = pcap_device::open(w.io.get_executor(), "lo", {.see_outgoing = see_outgoing});
    auto sender = packet_socket::transmitter(w.io.get_executor(), w.lo());
    send_all(*sender, {numbered(1), numbered(2)});
    auto got = collect(w.io, *a, 2);
    REQUIRE(got.size() == 2);
    CHECK(number_of(got[0].bytes) == 1);
    CHECK(number_of(got[1].bytes) == 2);
    CHECK(collect(w.io, *a, 1, nullptr, 50ms).empty());
}

TEST_CASE("an exception from the sink passes by libpcap, and no further frame is lost", "[link][lab]") {
    wired w;
    auto a = pcap_device::open(w.io.get_executor(), "va");
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    send_all(*b, {numbered(1), numbered(2), numbered(3)});
    REQUIRE(await_readable(w.io, *a, std::chrono::steady_clock::now() + 5s));
    error_code ec;
    auto refuse = [](frame const&) { throw std::runtime_error("enough"); };
    CHECK_THROWS_WITH(a->receive(64, refuse, ec), "enough");
    auto got = collect(w.io, *a, 2);
    REQUIRE(got.size() == 2);
    CHECK(number_of(got[0].bytes) == 2);
    CHECK(number_of(got[1].bytes) == 3);
}

TEST_CASE("a pcap device cuts at the snapshot and counts what its ring could not hold", "[link][lab]") {
    wired w;
    auto a = pcap_device::open(w.io.get_executor(), "va", {.snapshot = 100, .buffer = 1 << 16});
    auto b = packet_socket::open(w.io.get_executor(), w.vb());
    std::vector<bytes> frames(3000, numbered(1, experimental, "", 300));
    send_all(*b, frames);
    auto counted = a->counters();
    CHECK(counted.received + counted.kernel_dropped == 3000);
    CHECK(counted.kernel_dropped > 0);
    auto got = collect_rest(*a);
    CHECK(got.size() == counted.received);
    REQUIRE(!got.empty());
    CHECK(got[0].bytes.size() == 100);
    CHECK(got[0].length == 300);
}
