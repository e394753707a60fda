#include <sonde/link/packet_socket.hpp>

#include "lab/link_support.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

using namespace sonde;
using namespace sonde::test;
using namespace std::chrono_literals;

namespace {

timestamp now() {
    return std::chrono::time_point_cast<timestamp::duration>(std::chrono::system_clock::now());
}

// The kernel begins to stamp arrivals a moment after the first socket asks for it.
void await_kernel_stamps(wired& w, link_device& from, link_device& to) {
    for (auto deadline = std::chrono::steady_clock::now() + 5s;
         std::chrono::steady_clock::now() < deadline;) {
        send_one(to, numbered(0));
        REQUIRE(await_readable(w.io, from, deadline));
        auto before_reading = now();
        auto got = collect(w.io, from, 1);
        REQUIRE(got.size() == 1);
        if (got[0].time < before_reading) return;
    }
    FAIL("no frame was stamped on arrival");
}

// What the kernel has queued on this namespace's packet sockets: the sixth column of /proc/net/packet.
std::uint64_t queued_bytes() {
    std::ifstream table("/proc/self/net/packet");
    std::string line, column;
    std::uint64_t total = 0;
    for (std::getline(table, line); std::getline(table, line);) {
        std::istringstream columns(line);
        for (int i = 0; i < 7; ++i) columns >> column;
        total += std::stoull(column);
    }
    return total;
}

std::vector<bytes> many(std::uint32_t from, std::uint32_t count, std::uint16_t type = experimental) {
    std::vector<bytes> frames;
    for (std::uint32_t i = 0; i < count; ++i) frames.push_back(numbered(from + i, type));
    return frames;
}

capture_filter type_filter(std::uint16_t type) {
    return capture_filter::compile("ether proto " + std::to_string(type), link_type::ethernet);
}

}  // namespace

TEST_CASE("frames arrive whole, in order, once, with the kernel's rising times", "[link][lab]") {
    wired w;
    auto a = tested_socket::open(w.io.get_executor(), w.va());
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    if (!by_xdp) await_kernel_stamps(w, *a, *b);
    auto frames = many(1, 200);
    auto start = now();
    send_all(*b, frames);
    auto got = collect(w.io, *a, frames.size());
    REQUIRE(got.size() == frames.size());
    auto last = start;
    for (std::size_t i = 0; i < got.size(); ++i) {
        CHECK(got[i].bytes == frames[i]);
        CHECK(got[i].length == 60);
        CHECK(got[i].type == link_type::ethernet);
        CHECK(got[i].interface == w.va());
        CHECK_FALSE(got[i].outgoing);
        CHECK(got[i].time >= last);
        last = got[i].time;
    }
    CHECK(last <= now());
    CHECK(collect_rest(*a).empty());
    auto counted = a->counters();
    CHECK(counted.received >= frames.size());
    CHECK(counted.kernel_dropped == 0);
}

TEST_CASE("a packet socket says what its interface is", "[link][lab]") {
    wired w;
    w.net.run("ip link set va address 02:00:00:00:00:0a mtu 1400");
    auto a = tested_socket::open(w.io.get_executor(), w.va());
    CHECK(a->info().name == "va");
    CHECK(a->info().index == w.va());
    CHECK(a->info().type == link_type::ethernet);
    CHECK(a->info().mtu == 1400);
    CHECK(a->info().address == mac("02:00:00:00:00:0a"));
    CHECK_FALSE(a->info().loopback);
    CHECK(tested_socket::open(w.io.get_executor(), w.lo())->info().loopback);
    auto plain = packet_socket::open(w.io.get_executor(), w.va());
    CHECK(plain->granted_buffer() == 2 * receive_options().buffer);
}

TEST_CASE("a limit bounds what one receive hands over", "[link][lab]") {
    wired w;
    auto a = tested_socket::open(w.io.get_executor(), w.va());
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    send_all(*b, many(0, 150));
    REQUIRE(collect(w.io, *a, 1).size() == 1);
    std::size_t handed = 0;
    error_code ec;
    auto count = [&](frame const&) { ++handed; };
    CHECK(a->receive(0, count, ec) == 0);
    CHECK(handed == 0);
    CHECK(a->receive(70, count, ec) == 70);
    CHECK(handed == 70);
    CHECK(a->receive(1000, count, ec) == 79);
    CHECK(a->receive(1000, count, ec) == 0);
    CHECK(!ec);  // nothing there is no error
}

TEST_CASE("VLAN tags are put back with their own type", "[link][lab]") {
    wired w;
    auto a = tested_socket::open(w.io.get_executor(), w.va());
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    std::vector<bytes> frames{
        numbered(1, experimental, "8100a00a"),  // 802.1Q, priority 5, VLAN 10
        numbered(2, experimental, "88a80fff"),  // 802.1ad, VLAN 4095
        numbered(3, experimental,
                 "88a80001"
                 "81000002"),                   // one within the other
        numbered(4, experimental, "81000000"),  // VLAN 0: priority only
        numbered(5),
    };
    send_all(*b, frames);
    auto got = collect(w.io, *a, frames.size());
    REQUIRE(got.size() == frames.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        CHECK(got[i].bytes == frames[i]);
        CHECK(got[i].length == frames[i].size());
    }
}

TEST_CASE("a snapshot cuts the bytes and keeps the length", "[link][lab]") {
    wired w;
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    auto plain = numbered(1, experimental, "", 1000);
    auto tagged = numbered(2, experimental, "81000005", 1000);
    bool filtered = GENERATE(false, true);  // a filter program, too, cuts
    unsigned snapshot = GENERATE(1u, 13u, 14u, 16u, 100u);
    if (by_xdp && filtered) return;  // its filter cuts nothing
    CAPTURE(filtered, snapshot);
    auto filter = capture_filter::compile("", link_type::ethernet, 50);
    auto a = tested_socket::open(w.io.get_executor(), w.va(),
                                 {.filter = filtered ? &filter : nullptr, .snapshot = snapshot});
    send_all(*b, {plain, tagged});
    auto got = collect(w.io, *a, 2);
    REQUIRE(got.size() == 2);
    auto kept = filtered ? std::min(snapshot, 50u) : snapshot;
    CHECK(got[0].bytes == bytes(plain.begin(), plain.begin() + kept));
    CHECK(got[0].length == 1000);
    CHECK(got[1].length == 1000);
    REQUIRE(got[1].bytes.size() >= kept);  // the tag comes on top of what a program cut
    REQUIRE(got[1].bytes.size() <= std::max(kept, 54u));
    CHECK(got[1].bytes.size() <= snapshot);
    CHECK(std::equal(got[1].bytes.begin(), got[1].bytes.end(), tagged.begin()));
}

TEST_CASE("what this host sends is seen only when asked for", "[link][lab]") {
    wired w;
    auto sender = packet_socket::open(w.io.get_executor(), w.va(), {.see_outgoing = true});
    auto silent = packet_socket::open(w.io.get_executor(), w.va());
    auto curious = packet_socket::open(w.io.get_executor(), w.va(), {.see_outgoing = true});
    auto peer = packet_socket::open(w.io.get_executor(), w.vb());
    send_one(*sender, numbered(1));
    send_one(*peer, numbered(2));
    auto at_peer = collect(w.io, *peer, 1);
    REQUIRE(at_peer.size() == 1);
    CHECK(number_of(at_peer[0].bytes) == 1);
    auto both = collect(w.io, *curious, 2);
    REQUIRE(both.size() == 2);
    CHECK(number_of(both[0].bytes) == 1);
    CHECK(both[0].outgoing);
    CHECK(number_of(both[1].bytes) == 2);
    CHECK_FALSE(both[1].outgoing);
    for (auto* other : {silent.get(), sender.get()}) {  // a socket never sees what it sent itself
        auto got = collect(w.io, *other, 1);
        REQUIRE(got.size() == 1);
        CHECK(number_of(got[0].bytes) == 2);
        CHECK(collect_rest(*other).empty());
    }
}

TEST_CASE("on the loopback interface each packet is seen once", "[link][lab]") {
    wired w;
    auto see_outgoing = GENERATE(false, true);
    auto all_interfaces = GENERATE(false, true);
    CAPTURE(see_outgoing, all_interfaces);
    auto a =
        packet_socket::open(w.io.get_executor(), all_interfaces ? 0 : w.lo(), {.see_outgoing = see_outgoing});
    auto sender = packet_socket::transmitter(w.io.get_executor(), w.lo());
    send_all(*sender, many(1, 3));
    auto got = collect(w.io, *a, 3);
    REQUIRE(got.size() == 3);
    for (std::uint32_t i = 0; i < 3; ++i) {
        CHECK(number_of(got[i].bytes) == i + 1);
        CHECK_FALSE(got[i].outgoing);
        CHECK(got[i].type == link_type::ethernet);
        CHECK(got[i].interface == w.lo());
    }
    CHECK(collect_rest(*a).empty());
    if (!all_interfaces) CHECK(a->counters().received == 3);  // what goes out was not even queued
}

TEST_CASE("no frame that the filter rejects is queued while the socket opens", "[link][lab]") {
    wired w;
    std::atomic<bool> stop{false}, on{false};
    std::thread flood([&] {
        asio::io_context own(1);
        auto b = packet_socket::transmitter(own.get_executor(), w.vb());
        auto frames = many(0, 64);
        std::vector<std::span<std::byte const>> views(frames.begin(), frames.end());
        error_code ec;
        auto deadline = std::chrono::steady_clock::now() + 20s;
        for (int batches = 0; batches < 100000 && !stop && std::chrono::steady_clock::now() < deadline;
             ++batches) {
            b->transmit(views, ec);
            on = true;
        }
    });
    auto filter = type_filter(experimental_too);
    auto peer = packet_socket::transmitter(w.io.get_executor(), w.vb());
    std::size_t strangers = 0, wanted = 0;
    while (!on) std::this_thread::yield();
    for (std::uint32_t round = 0; round < 40; ++round) {
        auto a = packet_socket::open(w.io.get_executor(), w.va(), {.filter = &filter});
        send_one(*peer, numbered(round, experimental_too));
        for (auto const& f : collect(w.io, *a, 1)) (f.bytes[13] == std::byte{0xb6} ? wanted : strangers) += 1;
    }
    auto open_to_all = packet_socket::open(w.io.get_executor(), w.va());
    CHECK(collect(w.io, *open_to_all, 10).size() == 10);  // the flood was on
    stop = true;
    flood.join();
    CHECK(strangers == 0);
    CHECK(wanted == 40);
}

TEST_CASE("a filter that names the VLAN tag sees it", "[link][lab]") {
    wired w;
    auto filter = capture_filter::compile("vlan 5", link_type::ethernet);
    auto a = tested_socket::open(w.io.get_executor(), w.va(), {.filter = &filter});
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    send_all(*b, {numbered(1), numbered(2, experimental, "81000006"), numbered(3, experimental, "81000005")});
    auto got = collect(w.io, *a, 1);
    REQUIRE(got.size() == 1);
    CHECK(got[0].bytes == numbered(3, experimental, "81000005"));
}

TEST_CASE("a live filter can be replaced and taken away, and a refused one changes nothing", "[link][lab]") {
    wired w;
    auto first = type_filter(experimental);
    auto a = tested_socket::open(w.io.get_executor(), w.va(), {.filter = &first});
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    auto taken = [&](std::size_t wanted) {
        send_all(*b, {numbered(1, experimental_too), numbered(2, experimental)});
        std::vector<std::uint32_t> numbers;
        for (auto const& f : collect(w.io, *a, wanted)) numbers.push_back(number_of(f.bytes));
        return numbers;
    };
    using numbers = std::vector<std::uint32_t>;
    CHECK(taken(1) == numbers{2});

    error_code ec;
    std::string why, long_text = "host 2001:db8::";
    for (int n = 1; long_text.size() < 3960; ++n) long_text += " or host ::" + std::to_string(n);
    auto too_long = capture_filter::compile(long_text, link_type::ethernet);
    REQUIRE(too_long.program().size() > 4096);
    a->set_filter(too_long, ec, &why);
    CHECK(ec == errc::bad_filter);
    CHECK(why.find("va: the filter compiles to") != why.npos);
    CHECK(taken(1) == numbers{2});

    a->set_filter(type_filter(experimental_too), ec);
    CHECK(!ec);
    CHECK(taken(1) == numbers{1});
    a->set_filter(capture_filter::compile("vlan", link_type::ethernet), ec);  // runs here, the kernel's goes
    send_one(*b, numbered(3, experimental, "81000001"));
    CHECK(collect(w.io, *a, 1).at(0).length == 60);
    a->set_filter(capture_filter(), ec);
    CHECK(!ec);
    CHECK(taken(2) == numbers{1, 2});
    a->set_filter(capture_filter::accept_none(), ec);
    send_all(*b, many(0, 10));
    CHECK(collect(w.io, *a, 1, nullptr, 50ms).empty());
}

TEST_CASE("received and dropped add up to what the peer sent, exactly", "[link][lab]") {
    wired w;
    auto filter = type_filter(experimental);
    auto a = tested_socket::open(w.io.get_executor(), w.va(), {.filter = &filter, .buffer = 20000});
    auto b = packet_socket::open(w.io.get_executor(), w.vb());
    std::uint64_t const sent = by_xdp ? 5100 : 5000;  // whose filter comes after the count
    send_all(*b, many(0, 2500));
    auto half = a->counters();  // reading the kernel's counters resets them
    CHECK(half.received + half.kernel_dropped == 2500);
    send_all(*b, many(2500, 2500));
    send_all(*b, many(0, 100, experimental_too));  // not ours to count
    auto all = a->counters();
    CHECK(all.received + all.kernel_dropped == sent);
    CHECK(all.kernel_dropped > 4000);
    CHECK(all.received > 0);
    CHECK(collect_rest(*a).size() == all.received);
    auto again = a->counters();
    CHECK(again.received == all.received);
    CHECK(again.kernel_dropped == all.kernel_dropped);
}

TEST_CASE("a transmitter receives nothing", "[link][lab]") {
    wired w;
    auto a = packet_socket::transmitter(w.io.get_executor(), w.va());
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    send_all(*b, many(0, 10));
    CHECK(collect(w.io, *a, 1, nullptr, 50ms).empty());
    CHECK(a->counters().received == 0);
    CHECK(queued_bytes() == 0);  // not on a's socket, nor on any other
    error_code ec;
    std::string why;
    CHECK_FALSE(packet_socket::transmitter(w.io.get_executor(), 0, ec, &why));
    CHECK(ec == errc::no_such_interface);
    CHECK(why.find("one interface") != why.npos);
}

TEST_CASE("all interfaces at once: each frame says where it came in", "[link][lab]") {
    wired w;
    auto all = packet_socket::open(w.io.get_executor(), 0);
    CHECK(all->info().index == 0);
    auto a = packet_socket::transmitter(w.io.get_executor(), w.va());
    auto b = packet_socket::transmitter(w.io.get_executor(), w.vb());
    send_one(*a, numbered(1));
    send_one(*b, numbered(2));
    auto got = collect(w.io, *all, 2);
    REQUIRE(got.size() == 2);
    CHECK(got[0].interface == w.vb());
    CHECK(got[1].interface == w.va());
}

TEST_CASE("promiscuous mode is the interface's while the socket is open", "[link][lab]") {
    wired w;
    auto promiscuous = [] { return std::system("ip -d link show va | grep -q 'promiscuity [1-9]'") == 0; };
    CHECK_FALSE(promiscuous());
    auto a = tested_socket::open(w.io.get_executor(), w.va(), {.promiscuous = true});
    CHECK(promiscuous());
    a.reset();
    CHECK_FALSE(promiscuous());
}

TEST_CASE("coroutines read and write frames", "[link][lab]") {
    wired w;
    auto a = tested_socket::open(w.io.get_executor(), w.va());
    auto b = tested_socket::open(w.io.get_executor(), w.vb());
    std::uint32_t rounds = 0;
    auto echo = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 100; ++i) {
            captured_frame f = co_await b->async_read();
            co_await b->async_write(f.bytes);
        }
    };
    auto ask = [&]() -> asio::awaitable<void> {
        for (std::uint32_t i = 0; i < 100; ++i) {
            auto sent = numbered(i);
            co_await a->async_write(sent);
            captured_frame f = co_await a->async_read();
            if (f.bytes == sent) ++rounds;
        }
    };
    auto rethrow = [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    };
    asio::co_spawn(w.io, echo(), rethrow);
    asio::co_spawn(w.io, ask(), rethrow);
    w.io.run_for(10s);
    CHECK(rounds == 100);
}
