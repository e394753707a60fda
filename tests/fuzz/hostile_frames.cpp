// Frames of up to 64 KiB that are made to cost far more than their size: time, memory and text stay bounded.

#include "support/catch.hpp"
#include "support/frame_properties.hpp"

#include <sonde/packet/expression.hpp>
#include <sonde/packet/text.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

using namespace sonde;
using namespace sonde::test;

namespace {

/// Milliseconds of this thread's own, whatever else the machine does.
double cpu_now() {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

/// What sanitizers and missing optimization cost at most, times.
constexpr double build_factor =
#if defined(__SANITIZE_ADDRESS__)
    40;
#elif defined(__OPTIMIZE__)
    1;
#else
    10;
#endif

std::string repeated(std::string_view text, std::size_t size) {
    std::string out;
    while (out.size() + text.size() <= size) out += text;
    return out;
}

std::string udp(unsigned port, std::string_view payload) {
    auto length = payload.size() + 8;
    std::string out{static_cast<char>(port >> 8), static_cast<char>(port), '\x30', '\0'};
    return out + static_cast<char>(length >> 8) + static_cast<char>(length) + std::string(2, '\0') +
           std::string(payload);
}

std::string ip(unsigned protocol, std::string_view payload) {
    auto length = payload.size() + 20;
    std::string out("E\0", 2);
    out += {static_cast<char>(length >> 8), static_cast<char>(length)};
    out += std::string("\0\1\0\0\x40", 5) + static_cast<char>(protocol) + std::string(10, '\0');
    return out + std::string(payload);
}

std::string ipv6(unsigned next, std::string_view payload) {
    auto length = payload.size();
    std::string out("\x60\0\0\0", 4);
    out += {static_cast<char>(length >> 8), static_cast<char>(length), static_cast<char>(next), '\x40'};
    return out + std::string(32, '\1') + std::string(payload);
}

std::string dns(unsigned answers, std::string_view sections, unsigned questions = 0) {
    std::string out("\0\1\x81\0", 4);
    out += {static_cast<char>(questions >> 8), static_cast<char>(questions), static_cast<char>(answers >> 8),
            static_cast<char>(answers)};
    return out + std::string(4, '\0') + std::string(sections);
}

constexpr std::size_t most = 65000;

/// One name of 255 bytes, all of them to be escaped, and records that point at it.
std::string amplified() {
    std::string name;
    for (int i = 0; i < 3; ++i) name += '\x3f' + std::string(63, '\x80');
    name += '\x3d' + std::string(61, '\x80') + std::string(1, '\0');
    auto record = std::string("\xc0\x0c\0\x10\0\1\0\0\0\0\0\0", 12);
    auto first = name + std::string("\0\1\0\1", 4);
    return dns(5000, first + repeated(record, most - first.size()), 1);
}

/// A chain of pointers, each to the one before.
std::string pointer_chain() {
    std::string sections("\0\0\1\0\1", 5);
    unsigned records = 0;
    for (std::size_t last = 12; sections.size() < 16000; ++records) {
        auto here = sections.size() + 12;
        sections += {static_cast<char>(0xc0 | last >> 8), static_cast<char>(last)};
        sections += std::string("\0\x0c\0\1\0\0\0\0\0\0", 10);
        last = here;
    }
    return dns(records, sections, 1);
}

std::vector<std::pair<std::string, std::string>> hostile_frames() {
    auto destination_options = [](std::string_view options) {
        std::string all;
        while (all.size() + 2048 <= most)
            all += std::string("\x3c\xff", 2) + repeated(options, 2046) +
                   std::string(2046 % options.size(), '\0');
        return ipv6(60, all);
    };
    std::string quotes;
    for (int i = 0; i < 2000; ++i)
        quotes += std::string("\x0b\0\0\0\0\0\0\0", 8) + std::string("E\0\0\0\0\1\0\0\x40\1", 10) +
                  std::string(10, '\0');
    auto mld = std::string("\x8f\0\0\0\0\0\x0c\x80", 8) +
               repeated(std::string("\1\0\0\0", 4) + std::string(16, '\2'), most);
    return {
        {"names that point at a long one", ip(17, udp(53, amplified()))},
        {"names in a chain", ip(17, udp(53, pointer_chain()))},
        {"the shortest questions", ip(17, udp(53, dns(0, repeated(std::string(5, '\0'), most), 13000)))},
        {"the shortest records", ip(17, udp(53, dns(5900, repeated(std::string(11, '\0'), most))))},
        {"text records of empty strings",
         ip(17, udp(53, dns(1, std::string("\0\0\x10\0\1\0\0\0\0\xfa\0", 11) + std::string(64000, '\0'))))},
        {"padding options", destination_options(std::string(1, '\0'))},
        {"unknown options", destination_options(std::string("\x1e\0", 2))},
        {"labels without end", std::string("E\0\xff\0\0\0\0\0\x40\x89", 10) + std::string(most, '\0')},
        {"quotes in quotes", ip(1, quotes)},
        {"IP in IP in IP", repeated(ip(4, ""), most)},
        {"GRE in GRE", ip(47, repeated(std::string("\0\0\x08\0", 4) + ip(47, ""), most))},
        {"group records", ipv6(58, mld)},
        {"chunk parameters",
         ip(132, std::string(12, '\0') + std::string("\1\0\xfd\0", 4) + std::string(16, '\0') +
                     repeated(std::string("\x80\0\0\4", 4), 64000))},
        {"DHCP pads", ip(17, udp(67, std::string(236, '\1') + "c\x82Sc" + std::string(64000, '\0')))},
        {"DHCP options without data",
         ip(17, udp(67, std::string(236, '\1') + "c\x82Sc" + repeated(std::string("\x37\0", 2), 64000)))},
        {"router options", ipv6(58, std::string("\x86\0\0\0", 4) + std::string(12, '\0') +
                                        repeated(std::string("\x1f\1\0\0\0\0\0\0", 8), 64000))},
        {"zeros", std::string(most, '\0')},
        {"control characters", ip(17, udp(9, std::string(64000, '\x1b')))}};
}

}  // namespace

TEST_CASE("frames that are made to be costly cost little", "[hostile]") {
    constexpr double most_milliseconds = 10;
    for (auto const& [what, bytes] : hostile_frames()) {
        INFO(what);
        auto frame = std::as_bytes(std::span(bytes));
        auto begin = cpu_now();
        auto p = dissect(frame, link_type::raw);
        auto dissected = cpu_now();
        auto built = p.build();
        auto rebuilt = cpu_now();
        auto shown = show(p).size();
        auto printed = cpu_now();
        CHECK_NOTHROW(check_frame(frame, link_type::raw));
        auto checked = cpu_now();
        std::printf("%-32s %6zu bytes: %6.1f ms dissected, %6.1f built, %6.1f shown (%zu), %6.1f all\n",
                    what.c_str(), bytes.size(), dissected - begin, rebuilt - dissected, printed - rebuilt,
                    shown, checked - printed);
        CHECK(dissected - begin < most_milliseconds * build_factor);
        CHECK(rebuilt - dissected < most_milliseconds * build_factor);
    }
}

TEST_CASE("a packet that is quoted in a quote is read eight times over, then it is bytes", "[hostile]") {
    std::string expression = "IP()";
    for (int i = 0; i < 12; ++i) expression += "/ICMP(type=11)/IP(proto=1)";
    auto p = dissect(parse_packet(expression + "/b'end'").build(), link_type::ipv4);
    std::size_t quotes = 0;
    for (auto const& l : p.layers()) quotes += l.quoted && l.layer->name == "IP";
    CHECK(quotes == 8);
    CHECK(p.layers().back().layer->name == "Raw");
}

TEST_CASE("a frame is at most 32 layers", "[hostile]") {
    auto nested = repeated(ip(4, ""), most);
    auto p = dissect(std::as_bytes(std::span(nested)), link_type::ipv4);
    CHECK(p.layers().size() <= 32);
    auto labels = parse_packet("Ether(type=0x8847)/(b'\\0\\0\\0\\x40'*40)/b'\\0\\0\\x01\\x40'").build();
    CHECK(dissect(labels).layers().size() <= 32);
    CHECK(dissect(labels).layers().size() > 30);
}
