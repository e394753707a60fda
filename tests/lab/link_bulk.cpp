// Many frames come by a ring, few by a queue: nobody can tell. (AF_XDP sockets have rings from the
// beginning.)
#include "link_support.hpp"

#include <sonde/link/filter.hpp>
#include <sonde/link/packet_socket.hpp>

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <limits>
#include <numeric>
#include <sstream>

using namespace sonde;
using namespace sonde::test;
using namespace std::chrono_literals;

namespace {

/// Sends numbered frames as fast as they are read, at most so many ahead of the reader.
struct flood {
    explicit flood(wired& w, receive_options how = {}, std::string tag_hex = {})
        : wire(w), tags(std::move(tag_hex)), from(packet_socket::transmitter(w.io.get_executor(), w.va())) {
        if (by_xdp) how.buffer *= 8;  // it has room for a whole frame each
        to = tested_socket::open(w.io.get_executor(), w.vb(), how);
    }

    void send(std::uint32_t count) {
        std::vector<bytes> frames;
        for (std::uint32_t i = 0; i < count; ++i) frames.push_back(numbered(next++, experimental, tags));
        send_all(*from, frames);
    }

    /// Reads what there is, and waits for more until all that was sent has come.
    void read_all(std::chrono::milliseconds within = 5s) {
        auto deadline = std::chrono::steady_clock::now() + within;
        error_code ec;
        while (numbers.size() < next && std::chrono::steady_clock::now() < deadline)
            if (to->receive(64, keep, ec) == 0 && !await_readable(wire.io, *to, deadline)) return;
    }

    void read_some(std::size_t frames) {
        error_code ec;
        to->receive(frames, keep, ec);
    }

    void run(std::uint32_t frames, std::uint32_t at_once = 256) {
        for (std::uint32_t n = 0; n < frames; n += at_once) {
            send(at_once);
            read_all();
        }
    }

    /// All numbers, each once and in order.
    bool is_complete() const {
        std::vector<std::uint32_t> all(next);
        std::iota(all.begin(), all.end(), 0u);
        return numbers == all;
    }

    wired& wire;
    std::string tags;
    std::unique_ptr<packet_socket> from;
    std::unique_ptr<link_device> to;
    std::uint32_t next = 0;
    std::vector<std::uint32_t> numbers;
    std::vector<timestamp> times;
    std::function<void(frame const&)> keep = [this](frame const& f) {
        numbers.push_back(number_of({f.bytes.begin(), f.bytes.end()}));
        times.push_back(f.time);
    };
};

/// Rings are in the address space.
bool has_ring() {
    auto* maps = std::fopen("/proc/self/maps", "r");
    REQUIRE(maps);
    bool found = false;
    char line[512];
    while (std::fgets(line, sizeof line, maps))
        found |= std::string_view(line).find("socket:") != std::string_view::npos;
    std::fclose(maps);
    return found;
}

/// Octets that wait in the queues of packet sockets. Of a ring they are none.
std::uint64_t queued_octets() {
    std::ifstream sockets("/proc/thread-self/net/packet");
    REQUIRE(sockets);
    std::uint64_t all = 0;
    std::string line, skipped;
    std::getline(sockets, line);
    while (std::getline(sockets, line)) {
        std::istringstream words(line);
        for (int i = 0; i < 6; ++i) words >> skipped;
        std::uint64_t octets = 0;
        words >> octets;
        all += octets;
    }
    return all;
}

}  // namespace

TEST_CASE("a flood comes whole, in order and once, and makes the socket take a ring", "[link][lab]") {
    wired w;
    flood f(w);
    f.run(20480);
    CHECK(has_ring());
    CHECK(f.is_complete());
    CHECK(std::ranges::is_sorted(f.times));
    auto counted = f.to->counters();
    CHECK(counted.received == f.next);
    CHECK(counted.kernel_dropped == 0);
}

TEST_CASE("as long as a flood lasts it comes by the ring, whether it is read at once or late",
          "[link][lab]") {
    wired w;
    flood f(w);
    // In how many rounds something waited in the queue. Where this process stood still the flood did, too,
    // and the ring is left: then again.
    auto rounds_by_queue = [&](auto const& read) {
        int least = std::numeric_limits<int>::max();
        for (int again = 0; again < 5 && least > 0; ++again) {
            int by_queue = 0;
            for (auto end = std::chrono::steady_clock::now() + 150ms;
                 std::chrono::steady_clock::now() < end;) {
                f.send(48);
                by_queue += queued_octets() > 0;
                read();
            }
            least = std::min(least, by_queue);
        }
        return least;
    };
    CHECK(rounds_by_queue([&] { f.read_all(); }) == 0);
    f.send(256);  // from here on never read to the end
    CHECK(rounds_by_queue([&] { f.read_some(48); }) == 0);
    f.read_all();
    CHECK(f.is_complete());
}

TEST_CASE("a few frames never make a ring", "[link][lab]") {
    wired w;
    flood f(w);
    f.run(256, 64);
    CHECK((by_xdp || !has_ring()));
    CHECK(f.is_complete());
}

TEST_CASE("after a flood single frames come as before it, and another flood changes nothing", "[link][lab]") {
    wired w;
    flood f(w);
    for (int round = 0; round < 4; ++round) {
        f.run(8192);
        for (int i = 0; i < 40; ++i) {
            f.run(1, 1);
            w.io.restart();
            w.io.run_for(2ms);
        }
        REQUIRE(f.is_complete());
        auto begin = std::chrono::steady_clock::now();  // by the queue again: at once
        f.run(20, 1);
        WARN("20 single frames after a flood: " << (std::chrono::steady_clock::now() - begin) / 1us << " us");
    }
    CHECK(f.is_complete());
    CHECK(f.to->counters().received == f.next);
}

TEST_CASE("a socket that is not read for a while in the middle of a change loses nothing", "[link][lab]") {
    wired w;
    flood f(w);
    for (int round = 0; round < 3; ++round) {
        for (int n = 0; n < 12; ++n) {
            f.send(256);
            w.io.restart();
            w.io.run_for(1ms * (n % 4) * 10);
            f.read_all();
        }
        f.send(2000);
        w.io.restart();
        w.io.run_for(60ms);
        f.read_all();
        for (int n = 0; n < 8; ++n) f.run(4, 4), w.io.restart(), w.io.run_for(10ms);
    }
    CHECK(f.is_complete());
}

TEST_CASE("in a flood the filter holds, can be replaced, and tags are put back", "[link][lab]") {
    wired w;
    auto only = capture_filter::compile("ether proto 0x88b5", link_type::ethernet);
    receive_options how{.filter = &only};
    flood f(w, how);
    std::vector<bytes> others(64, numbered(7, experimental_too));
    for (int n = 0; n < 40; ++n) {
        send_all(*f.from, others);
        f.run(256);
    }
    CHECK(f.is_complete());
    CHECK(has_ring());
    error_code ec;
    f.to->set_filter(capture_filter::compile("ether proto 0x88b6", link_type::ethernet), ec);
    REQUIRE(!ec);
    f.send(64);
    send_one(*f.from, others[0]);
    auto got = collect(w.io, *f.to, 1);
    REQUIRE(got.size() == 1);
    CHECK(number_of(got[0].bytes) == 7);

    f.to.reset();
    flood tagged(w, {}, "81000005");
    for (int n = 0; n < 12; ++n) {
        tagged.send(256);
        auto tags = collect(w.io, *tagged.to, 256);
        REQUIRE(tags.size() == 256);
        auto number = tagged.next - 256;
        for (auto const& t : tags) REQUIRE(t.bytes == numbered(number++, experimental, "81000005"));
    }
}

TEST_CASE("an interface that goes down in a flood is told once, and comes again", "[link][lab]") {
    wired w;
    flood f(w);
    f.run(4096);
    own_netns::run("ip link set vb down");
    error_code ec;
    auto none = collect(w.io, *f.to, 1, &ec, 500ms);
    CHECK(none.empty());
    CHECK(ec == errc::interface_down);
    own_netns::run("ip link set vb up");
    own_netns::await_carrier("vb");
    f.run(4096);
    CHECK(f.is_complete());
}
