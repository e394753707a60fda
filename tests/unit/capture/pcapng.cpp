#include "capture/support.hpp"
#include "support/catch.hpp"

#include <map>

using namespace sonde;
using namespace support;

namespace {

constexpr std::int64_t second = 1'000'000'000;

// Two sections of different byte orders, three interfaces, every kind of packet block, and blocks between
// them.
std::string every_block(bool first_is_big) {
    file_bytes a(first_is_big), b(!first_is_big);
    auto options = a.part().option(2, "eth0").option(9, "\x09").u32(0).out;
    a.section().interface(1, options).interface(101, {}, 6);
    a.enhanced(0, 3 * second + 7, "enhanced!", 100)
        .block(5, a.part().text("statistics"))
        .obsolete(1, 5'000'001, "old");
    b.section()
        .block(4, b.part().text("names"))
        .interface(113, {}, 6)
        .simple(9, "simple")
        .enhanced(0, 1'000'000, "z");
    return a.out + b.out;
}

std::vector<seen_frame> const every_frame{
    {"enhanced!", 109, 3 * second + 7, link_type::ethernet, 1, "eth0"},
    {"old", 3, 5 * second + 1000, link_type::raw, 2, ""},
    {"simple", 9, 0, link_type::linux_sll, 3, ""},
    {"z", 1, second, link_type::linux_sll, 3, ""},
};

std::int64_t time_of(std::string const& options, std::uint64_t ticks) {
    auto r = read_bytes(file_bytes().section().interface(1, options).enhanced(0, ticks, "x").out);
    return r.frames.size() == 1 ? r.frames[0].nanoseconds : -1;
}

std::string resolution(unsigned value) {
    return file_bytes().option(9, std::string(1, static_cast<char>(value))).out;
}

}  // namespace

TEST_CASE("a pcapng file gives the packets of all its sections, interfaces and blocks", "[capture]") {
    for (bool first_is_big : {false, true}) {
        auto r = read_bytes(every_block(first_is_big));
        CHECK(r.why == "");
        CHECK(r.frames == every_frame);
    }
}

TEST_CASE("a pcapng file cut anywhere gives every whole record, then an error", "[capture]") {
    for (bool first_is_big : {false, true}) {
        auto whole = every_block(first_is_big);
        std::size_t before = 0;
        for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
            auto r = read_bytes(whole.substr(0, cut));
            INFO("cut at " << cut);
            REQUIRE(r.frames.size() <= every_frame.size());
            CHECK(std::equal(r.frames.begin(), r.frames.end(), every_frame.begin()));
            CHECK(r.frames.size() >= before);
            before = r.frames.size();
            if (r.errors.empty()) continue;
            CHECK(r.errors == std::vector<error_code>{errc::truncated_file});
            CHECK(holds(r.why, "ends at byte " + std::to_string(cut)));
        }
        CHECK(before == every_frame.size());
    }
}

TEST_CASE("a pcapng file cut between blocks is a shorter file, not a damaged one", "[capture]") {
    auto whole = every_block(false);
    std::size_t clean = 0;
    for (std::size_t cut = 1; cut <= whole.size(); ++cut)
        clean += read_bytes(whole.substr(0, cut)).errors.empty();
    CHECK(clean == 11);  // blocks
}

TEST_CASE("every word of a pcapng file set to 0, 1 and the most gives frames or an error, and ends",
          "[capture]") {
    for (bool first_is_big : {false, true}) {
        auto whole = every_block(first_is_big);
        std::map<int, int> outcomes;
        for (std::size_t at = 0; at + 4 <= whole.size(); at += 2) {
            for (std::string word :
                 {"\0\0\0\0", "\0\0\0\1", "\1\0\0\0", "\xff\xff\xff\xff", "\x7f\xff\xff\xff"}) {
                word.resize(4, '\0');
                auto r = read_bytes(std::string(whole).replace(at, 4, word));
                INFO("at " << at);
                REQUIRE(r.frames.size() <= every_frame.size());
                REQUIRE(r.errors.size() <= every_frame.size());
                for (auto ec : r.errors) ++outcomes[ec.value()];
                for (auto const& f : r.frames) CHECK(f.length >= f.bytes.size());
            }
        }
        CHECK(outcomes.size() == 3);  // unsupported_link_type, bad_file, truncated_file; nothing else
        CHECK(outcomes[static_cast<int>(errc::bad_file)] > 100);
    }
}

TEST_CASE("pcapng times are read in every resolution that 64 bits can count", "[capture]") {
    CHECK(time_of("", 1'500'000) == second + second / 2);
    CHECK(time_of(resolution(0), 7) == 7 * second);
    CHECK(time_of(resolution(3), 1001) == second + 1'000'000);
    CHECK(time_of(resolution(9), 123'456'789'012'345'678) == 123'456'789'012'345'678);
    CHECK(time_of(resolution(12), 1'999) == 1);
    CHECK(time_of(resolution(19), 10'000'000'000'000'000'000u) == second);
    CHECK(time_of(resolution(0x80 | 0), 7) == 7 * second);
    CHECK(time_of(resolution(0x80 | 10), 512) == second / 2);
    CHECK(time_of(resolution(0x80 | 63), std::uint64_t(1) << 63) == second);
}

TEST_CASE("pcapng times outside what a timestamp holds are the nearest that it holds", "[capture]") {
    CHECK(time_of(resolution(0), ~0ull) == std::numeric_limits<std::int64_t>::max());
    CHECK(time_of("", ~0ull) == std::numeric_limits<std::int64_t>::max());
    auto far_back = file_bytes().u16(14).u16(8).u64(std::uint64_t(1) << 63).out;
    CHECK(time_of(far_back, 0) == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("a pcapng time offset is added in seconds", "[capture]") {
    CHECK(time_of(file_bytes().u16(14).u16(8).u64(100).out, 1) == 100 * second + 1000);
    CHECK(time_of(file_bytes().u16(14).u16(8).u64(-100ull).out, 1) == -100 * second + 1000);
}

TEST_CASE("pcapng times in ticks finer than 64 bits can count to a second are the nanosecond below",
          "[capture]") {
    CHECK(time_of(resolution(20), 12'345'678'900'000'000'000u) == 123'456'789);
    CHECK(time_of(resolution(28), ~0ull) == 1);
    CHECK(time_of(resolution(29), ~0ull) == 0);
    CHECK(time_of(resolution(127), ~0ull) == 0);
    CHECK(time_of(resolution(0x80 | 64), std::uint64_t(1) << 63) == second / 2);
    CHECK(time_of(resolution(0x80 | 94), ~0ull) == 0);
    CHECK(time_of(resolution(0xff), ~0ull) == 0);
    CHECK(time_of(resolution(127) + file_bytes().u16(14).u16(8).u64(100).out, ~0ull) == 100 * second);
}

TEST_CASE("a pcapng frame of an unknown link type is an error, and the next one is read", "[capture]") {
    file_bytes f;
    f.section().interface(1).interface(105).enhanced(1, 0, "802.11").enhanced(0, 0, "ether");
    auto r = read_bytes(f.out);
    CHECK(r.errors == std::vector<error_code>{errc::unsupported_link_type});
    REQUIRE(r.frames.size() == 1);
    CHECK(r.frames[0].bytes == "ether");
}

TEST_CASE("pcapng lengths are checked against the block that they stand in", "[capture]") {
    auto outcome = [](file_bytes const& f) {
        auto r = read_bytes(f.out);
        CHECK(r.frames.empty());
        return r.errors.size() == 1 && r.errors[0] == errc::bad_file ? r.why : "another end: " + r.why;
    };
    auto file = [] { return file_bytes().section().interface(1); };
    auto packet_of = [&](std::uint64_t captured, std::string_view bytes) {
        return file().block(6, file_bytes().u32(0).u64(0).u32(captured).u32(captured).text(bytes));
    };
    CHECK(holds(outcome(packet_of(5, "four")), "25 are needed"));
    CHECK(holds(outcome(packet_of(0xffffffff, "four")), "a frame of 4294967295 bytes"));
    CHECK(holds(outcome(packet_of(262145, std::string(262148, 'x'))), "a frame of 262145 bytes"));
    CHECK(holds(outcome(file().simple(262145, std::string(262148, 'x'))), "a frame of 262145 bytes"));
    CHECK(holds(outcome(file().enhanced(1, 0, "x")), "interface 1, 1 are described"));
    CHECK(holds(outcome(file_bytes().section().simple(1, "x")), "interface 0, 0 are described"));
    CHECK(holds(outcome(file().u32(6).u32(8)), "a block of 8 bytes"));
    CHECK(holds(outcome(file().u32(77).u32(16777220)), "a block of 16777220 bytes"));
    CHECK(
        holds(outcome(file().u32(77).u32(16).u32(0).u32(20)), "begins with a length of 16 and ends with 20"));
    CHECK(holds(outcome(file_bytes().u32(0x0a0d0d0a).u32(28).u32(1)), "without a byte order"));
    CHECK(holds(outcome(file_bytes().block(0x0a0d0d0a, file_bytes().u32(0x1a2b3c4d).u16(2).u16(1).u64(0))),
                "version 2.1"));
}

TEST_CASE("a block takes memory for what the file has of it, not for what it announces", "[capture]") {
    memory_peak peak;
    auto r = read_bytes(file_bytes().section().interface(1).u32(6).u32(16777216).text("a few").out);
    CHECK(r.errors == std::vector<error_code>{errc::truncated_file});
    CHECK(peak.growth() < 4096);
}

TEST_CASE("options that end early, or past their block, leave what was read before them", "[capture]") {
    auto name_of = [](std::string const& options) {
        auto r = read_bytes(file_bytes().section().interface(1, options).enhanced(0, 0, "x").out);
        return r.frames.size() == 1 ? r.frames[0].interface_name : "no frame";
    };
    auto named = file_bytes().option(2, "eth0").out;
    CHECK(name_of(named + file_bytes().u16(9).u16(0xffff).out) == "eth0");
    CHECK(name_of(named + file_bytes().u16(9).u16(0).out) == "eth0");
    CHECK(name_of(file_bytes().u16(2).u16(5).text("eth0").out) == "");
    CHECK(name_of(file_bytes().u16(0).u16(0).out + named) == "");
    CHECK(name_of(file_bytes().option(2, std::string(300, 'n')).out) == std::string(255, 'n'));
}

TEST_CASE("what else a pcapng interface says, as the length of check sums behind frames, changes no frame",
          "[capture]") {
    auto options = file_bytes().option(13, "\x04").option(2, "eth0").out;
    auto r = read_bytes(file_bytes().section().interface(1, options).enhanced(0, 0, "frame and sum").out);
    REQUIRE(r.frames.size() == 1);
    CHECK(r.frames[0] == seen_frame{"frame and sum", 13, 0, link_type::ethernet, 1, "eth0"});
}

TEST_CASE("a block length without its padding is taken as some writers mean it", "[capture]") {
    file_bytes f;
    f.section().interface(1);
    f.u32(6).u32(33).u32(0).u64(0).u32(1).u32(1).text(std::string("x\0\0\0", 4)).u32(33).enhanced(0, 0, "y");
    CHECK(read_bytes(f.out).frames.size() == 2);
}

TEST_CASE("a section describes no more interfaces than the limit", "[capture]") {
    file_bytes f;
    f.section();
    for (int i = 0; i < 65536; ++i) f.interface(1);
    auto most = read_bytes(std::string(f.out) + file_bytes().enhanced(65535, 0, "x").out);
    REQUIRE(most.frames.size() == 1);
    CHECK(most.frames[0].interface == 65536);
    auto r = read_bytes(f.interface(1).out);
    CHECK(r.errors == std::vector<error_code>{errc::bad_file});
    CHECK(holds(r.why, "more than 65536 interfaces"));
}
