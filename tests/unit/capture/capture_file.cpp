#include "capture/support.hpp"
#include "support/catch.hpp"
#include "support/sanitizers.hpp"

#include <sonde/capture/capture_file.hpp>
#include <sonde/layers/ether.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/udp.hpp>

#include <sys/stat.h>

#include <ranges>
#include <thread>

using namespace sonde;
using namespace support;

static_assert(std::ranges::input_range<capture_file>);
static_assert(std::convertible_to<std::ranges::range_reference_t<capture_file>, packet>);
static_assert(std::movable<capture_file> && std::copyable<capture_file>);

namespace {

std::string text_of(packet const& p) {
    auto bytes = p.build();
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

std::vector<std::string> texts_of(capture_file& file) {
    std::vector<std::string> out;
    for (packet const& p : file) out.push_back(text_of(p));
    return out;
}

std::string three() {
    return file_bytes()
        .pcap_header(0xa1b2c3d4, 101)
        .pcap_record(1, 0, "one")
        .pcap_record(2, 0, "two")
        .pcap_record(3, 0, "three")
        .out;
}

}  // namespace

TEST_CASE("the packets of a file have its layers, times, wire lengths and interfaces", "[capture]") {
    auto udp = text_of(IP{.dst = "192.0.2.1"} / UDP{.dport = 9} / "x");
    temporary_directory d;
    auto path = d.write("a.pcapng", file_bytes().section().interface(101).enhanced(0, 5, udp, 40).out);
    int count = 0;
    for (packet const& p : read_pcap(path)) {
        ++count;
        CHECK(p.get<UDP>().dport == 9);
        CHECK(p.time.time_since_epoch() == std::chrono::microseconds(5));
        CHECK(p.wire_length == udp.size() + 40);
        CHECK(p.interface == 1);
    }
    CHECK(count == 1);
}

TEST_CASE("every begin starts at the first packet again", "[capture]") {
    temporary_directory d;
    auto file = read_pcap(d.write("a.pcap", three()));
    std::vector<std::string> want{"one", "two", "three"};
    CHECK(texts_of(file) == want);
    CHECK(texts_of(file) == want);
    auto i = file.begin();
    ++i;
    CHECK(text_of(*i) == "two");
    i = file.begin();
    CHECK(text_of(*i) == "one");
}

TEST_CASE("a capture file can be moved and copied while it is read", "[capture]") {
    temporary_directory d;
    auto file = read_pcap(d.write("a.pcap", three()));
    auto i = file.begin();
    ++i;
    auto copy = file;
    auto moved = std::move(file);
    CHECK(text_of(*i) == "two");
    CHECK(texts_of(copy) == std::vector<std::string>{"one", "two", "three"});
    CHECK(text_of(*++i) == "three");
    CHECK(moved.path() == d.file("a.pcap"));
    moved = copy;
    CHECK(texts_of(moved).size() == 3);
}

TEST_CASE("a cut file gives its whole packets to a loop, then throws with path and place", "[capture]") {
    temporary_directory d;
    auto bytes = three();
    auto path = d.write("cut.pcap", bytes.substr(0, bytes.size() - 1));
    std::vector<std::string> seen;
    try {
        for (packet const& p : read_pcap(path)) seen.push_back(text_of(p));
        FAIL("no error");
    } catch (error const& e) {
        CHECK(e.code() == errc::truncated_file);
        CHECK(holds(e.what(), path));
        CHECK(holds(e.what(), "byte 82"));
    }
    CHECK(seen == std::vector<std::string>{"one", "two"});
}

TEST_CASE("a loop over a file meets an unknown link type as an error, and may go on behind it", "[capture]") {
    temporary_directory d;
    file_bytes f;
    f.section().interface(1).interface(105).enhanced(0, 0, "a").enhanced(1, 0, "b").enhanced(0, 0, "c");
    auto file = read_pcap(d.write("mixed.pcapng", f.out));
    auto i = file.begin();
    CHECK_THROWS_AS(++i, error);
    CHECK(i == file.end());
    ++i;
    CHECK(text_of(*i) == "c");
}

TEST_CASE("opening says at once what is wrong with a file", "[capture]") {
    temporary_directory d;
    auto path = d.write("notes.txt", "these are notes");
    try {
        read_pcap(path);
        FAIL("no error");
    } catch (error const& e) {
        CHECK(e.code() == errc::bad_file);
        CHECK(holds(e.what(), path));
        CHECK(holds(e.what(), "neither pcap nor pcapng"));
    }
    CHECK_THROWS_AS(read_pcap(d.file("missing")), boost::system::system_error);
}

TEST_CASE("reading a long file takes no more memory than reading a short one", "[capture]") {
    temporary_directory d;
    auto path = d.file("long.pcap");
    {
        std::ofstream out(path, std::ios::binary);
        out << file_bytes().pcap_header(0xa1b2c3d4, 1).out;
        auto record = file_bytes().pcap_record(0, 0, std::string(60000, 'x')).out;
        for (int i = 0; i < 1000; ++i) out << record;
    }
    memory_peak peak;
    std::size_t octets = 0;
    for (packet const& p : read_pcap(path)) octets += p.view().bytes.size();
    CHECK(octets == 60'000'000);
    if (!support::address_sanitizer) CHECK(peak.growth() < 4096);
}

TEST_CASE("a named pipe is read from its first byte, and expanded where gzip compressed what comes",
          "[capture]") {
    temporary_directory d;
    auto path = d.file("pipe");
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    for (auto const& bytes : {three(), gzip_member(three())}) {
        std::thread writer([&] { std::ofstream(path, std::ios::binary) << bytes; });
        capture_reader reader(path);
        auto r = read_on(reader);
        writer.join();
        CHECK(r.errors.empty());
        CHECK(r.frames.size() == 3);
    }
}
