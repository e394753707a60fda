#include "capture/support.hpp"
#include "support/catch.hpp"

using namespace sonde;
using namespace support;

namespace {

// Where they end, behind the file's header.
constexpr std::size_t record_ends[] = {24, 51, 67, 88};

// Three records of different sizes, one without octets.
std::string three_records(bool big_endian, std::uint32_t magic = 0xa1b2c3d4) {
    file_bytes f(big_endian);
    f.pcap_header(magic, 1).pcap_record(1, 500, "first frame");
    return f.pcap_record(2, 0, "").pcap_record(0xffffffff, 999999, "third", 1400).out;
}

}  // namespace

TEST_CASE("a pcap file of either byte order gives its frames with their times", "[capture]") {
    for (bool big_endian : {false, true}) {
        for (int unit : {1000, 1}) {
            auto r = read_bytes(three_records(big_endian, unit == 1 ? 0xa1b23c4d : 0xa1b2c3d4));
            CHECK(r.errors.empty());
            std::vector<seen_frame> want{
                {"first frame", 11, 1'000'000'000ll + 500 * unit, link_type::ethernet, 0, ""},
                {"", 0, 2'000'000'000, link_type::ethernet, 0, ""},
                {"third", 1405, 4294967295'000'000'000ll + 999999 * unit, link_type::ethernet, 0, ""}};
            CHECK(r.frames == want);
        }
    }
}

TEST_CASE("a pcap file of Kuznetzov's tcpdump has more in front of each frame, which is read over",
          "[capture]") {
    for (bool big_endian : {false, true}) {
        file_bytes f(big_endian);
        f.pcap_header(0xa1b2cd34, 1);
        for (std::string_view frame : {"one", "another"})
            f.u32(1).u32(500).u32(frame.size()).u32(60).u32(2).u16(0x800).u16(0).text(frame);
        auto r = read_bytes(f.out);
        CHECK(r.why == "");
        std::vector<seen_frame> want{{"one", 60, 1'000'500'000, link_type::ethernet, 0, ""},
                                     {"another", 60, 1'000'500'000, link_type::ethernet, 0, ""}};
        CHECK(r.frames == want);
        CHECK(read_bytes(f.out.substr(0, 24 + 20)).errors == std::vector<error_code>{errc::truncated_file});
    }
}

TEST_CASE("link types are read as LINKTYPE values, with what systems once used for raw IP", "[capture]") {
    std::vector<std::pair<std::uint32_t, link_type>> known{
        {0, link_type::null},        {1, link_type::ethernet}, {12, link_type::raw},
        {14, link_type::raw},        {101, link_type::raw},    {108, link_type::null},
        {113, link_type::linux_sll}, {228, link_type::ipv4},   {229, link_type::ipv6},
        {276, link_type::linux_sll2}};
    for (auto [value, type] : known) {
        auto r = read_bytes(file_bytes().pcap_header(0xa1b2c3d4, value).pcap_record(0, 0, "x").out);
        INFO(value);
        REQUIRE(r.frames.size() == 1);
        CHECK(r.frames[0].type == type);
    }
    // The upper half tells of checksums behind frames (the FCS bits), not of the type.
    auto r = read_bytes(file_bytes().pcap_header(0xa1b2c3d4, 0x24000001).pcap_record(0, 0, "x").out);
    CHECK(r.frames.size() == 1);
}

TEST_CASE("each frame of a link type that nobody knows is an error of its own", "[capture]") {
    file_bytes f;
    f.pcap_header(0xa1b2c3d4, 105).pcap_record(0, 0, "802.11").pcap_record(0, 0, "again");
    auto r = read_bytes(f.out);
    CHECK(r.frames.empty());
    CHECK(r.errors == std::vector<error_code>(2, errc::unsupported_link_type));
    CHECK(holds(r.why, "link type 105"));
    CHECK(holds(r.why, "byte 46"));
}

TEST_CASE("a pcap file cut anywhere gives every whole record, then says where it ends", "[capture]") {
    for (bool big_endian : {false, true}) {
        auto whole = three_records(big_endian);
        std::span ends(record_ends);
        REQUIRE(ends.back() == whole.size());
        for (std::size_t cut = 0; cut < whole.size(); ++cut) {
            auto r = read_bytes(whole.substr(0, cut));
            INFO("cut at " << cut);
            auto at = std::upper_bound(ends.begin(), ends.end(), cut);
            CHECK(r.frames.size() ==
                  (at == ends.begin() ? 0 : static_cast<std::size_t>(at - ends.begin() - 1)));
            bool between = at != ends.begin() && at[-1] == cut;
            CHECK(r.errors == std::vector<error_code>(between ? 0 : 1, errc::truncated_file));
            auto begin = at == ends.begin() ? 0 : at[-1];
            if (!between)
                CHECK(holds(r.why, "ends at byte " + std::to_string(cut) +
                                       ", inside the record that begins at byte " + std::to_string(begin)));
        }
    }
}

TEST_CASE("compressed data that do not fit their check sum give every frame, then an error that says where",
          "[capture]") {
    auto const whole = three_records(false);
    auto damaged = [&](std::string const& compressed) {
        auto r = read_bytes(compressed);
        CHECK(r.frames == read_bytes(whole).frames);
        CHECK(r.errors == std::vector<error_code>{errc::bad_file});
        CHECK(holds(r.why,
                    "test: the compressed data are damaged, in the record that begins at expanded byte 88"));
    };
    damaged(gzip_member(whole, 1));
    auto length = gzip_member(whole);
    length.back() ^= 1;
    damaged(length);
    damaged(gzip_member(whole) + "\x1f\x8b and no member");
}

TEST_CASE("compressed data that are cut, or damaged, anywhere give every whole record in front of that",
          "[capture]") {
    auto const whole = three_records(false);
    auto const compressed = gzip_member(whole.substr(0, 60)) + gzip_member(whole.substr(60));
    constexpr std::size_t head = 15, tail = 8;
    for (std::size_t cut = 4; cut < compressed.size(); ++cut) {
        INFO("cut at " << cut);
        auto second = head + 60 + tail;
        auto expanded = cut < second
                            ? std::clamp(cut, head, head + 60) - head
                            : 60 + std::clamp(cut, second + head, second + head + 28) - second - head;
        auto ended = std::ranges::upper_bound(record_ends, expanded) - record_ends;
        auto frames = static_cast<std::size_t>(std::max<std::ptrdiff_t>(ended - 1, 0));
        auto r = read_bytes(compressed.substr(0, cut));
        CHECK(r.frames.size() == frames);
        CHECK(r.errors == std::vector<error_code>{errc::truncated_file});
        auto bad = compressed.substr(0, cut) + gzip_member("");
        CHECK(read_bytes(bad).frames.size() >= frames);
        CHECK(read_bytes(bad).errors.size() == 1);
    }
}

TEST_CASE("members of a compressed file are one file, and what is none behind them is ignored", "[capture]") {
    auto const whole = three_records(false);
    auto const members = gzip_member(whole.substr(0, 60)) + gzip_member("") + gzip_member(whole.substr(60));
    for (std::string behind : {"", "\x1f", "garbage, as of tapes"}) {
        auto r = read_bytes(members + behind);
        CHECK(r.why == "");
        CHECK(r.frames == read_bytes(whole).frames);
    }
    CHECK(read_bytes(members + std::string(10000, '\0')).frames.size() == 3);
}

TEST_CASE("lengths in pcap records are limits, never promises", "[capture]") {
    auto read_lengths = [](std::uint64_t captured, std::uint64_t length, std::size_t there) {
        file_bytes f;
        f.pcap_header(0xa1b2c3d4, 1).u32(0).u32(0).u32(captured).u32(length).text(std::string(there, 'x'));
        return read_bytes(f.pcap_record(0, 0, "next").out);
    };
    SECTION("captured more than was on the wire: the octets are all given") {
        auto r = read_lengths(10, 4, 10);
        REQUIRE(r.frames.size() == 2);
        CHECK(r.frames[0].bytes.size() == 10);
        CHECK(r.frames[0].length == 10);
    }
    SECTION("a wire length of any size costs nothing") {
        auto r = read_lengths(1, 0xffffffff, 1);
        REQUIRE(r.frames.size() == 2);
        CHECK(r.frames[0].length == 0xffffffff);
    }
    SECTION("the largest frame is read, and no larger one") {
        CHECK(read_lengths(262144, 262144, 262144).frames.size() == 2);
        auto r = read_lengths(262145, 262145, 262145);
        CHECK(r.frames.empty());
        CHECK(r.errors == std::vector<error_code>{errc::bad_file});
        CHECK(holds(r.why, "262145"));
        CHECK(read_lengths(0xffffffff, 0xffffffff, 100).errors == std::vector<error_code>{errc::bad_file});
    }
    SECTION("a length beyond the end is a cut file") {
        CHECK(read_lengths(262144, 262144, 5).errors == std::vector<error_code>{errc::truncated_file});
    }
}

TEST_CASE("what is no capture file is refused with the reason", "[capture]") {
    auto refused = [](std::string const& bytes, char const* reason) {
        auto r = read_bytes(bytes);
        return r.errors == std::vector<error_code>{errc::bad_file} && holds(r.why, reason) &&
               holds(r.why, "test");
    };
    CHECK(refused("#include <stdio.h>", "neither pcap nor pcapng"));
    CHECK(refused("\x1f\x8b\x08 and so on", "the compressed data are damaged"));
    CHECK(refused(gzip_member(gzip_member(three_records(false))), "gunzip"));
    CHECK(refused("\x1f\x8a\x08 and so on", "neither pcap nor pcapng"));
    CHECK(refused(file_bytes().u32(0xa1b2c3d4).u16(3).u16(0).u64(0).u64(0).out, "version 3.0"));
}

TEST_CASE("errors of the system keep their numbers and name the file", "[capture]") {
    auto thrown = [](std::string const& path) {
        try {
            capture_reader reader(path);
        } catch (boost::system::system_error const& e) {
            return holds(e.what(), path) ? e.code() : error_code();
        }
        return error_code();
    };
    auto is = [](int number) { return error_code(number, boost::system::system_category()); };
    CHECK(thrown("/no/such/file.pcap") == is(ENOENT));
    CHECK(thrown("/tmp") == is(EISDIR));
}
