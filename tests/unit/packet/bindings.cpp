// How the fields of a layer tell what it carries.
#include "support/catch.hpp"

#include <sonde/layers/ether.hpp>
#include <sonde/layers/raw.hpp>
#include <sonde/packet/layer.hpp>
#include <sonde/packet/packet.hpp>

using namespace sonde;

namespace carrying {

struct Carrier {
    field<std::uint16_t> kind{};
};
struct Nibbles {
    field<bits<4>> version{};
    field<bits<4>> kind{};
};
struct First {
    field<std::uint8_t> value{};
};
struct Second {
    field<std::uint8_t> value{};
};
struct Third {
    field<std::uint8_t> value{};
};
SONDE_DECLARE_LAYER(Carrier, kind)
SONDE_DECLARE_LAYER(Nibbles, version, kind)
SONDE_DECLARE_LAYER(First, value)
SONDE_DECLARE_LAYER(Second, value)
SONDE_DECLARE_LAYER(Third, value)

// Values of which the octets are the same ones, or have the same bits that differ.
SONDE_BIND(Ether, Carrier, type, 0x88b5)
SONDE_BIND(Carrier, First, kind, 0x0102)
SONDE_BIND(Carrier, Second, kind, 0x0201)
SONDE_BIND(Carrier, Third, kind, 0x0003)
SONDE_BIND(Carrier, Third, kind, 0x0102)
SONDE_BIND(Ether, Nibbles, type, 0x88b6)
SONDE_BIND(Nibbles, First, kind, 3)
SONDE_BIND(Nibbles, Second, kind, 12)

}  // namespace carrying

namespace {

std::string_view innermost(packet const& p) {
    return p.layers().back().layer->name;
}

packet dissected(unsigned type, std::initializer_list<int> payload) {
    std::vector<std::byte> frame(12);
    for (int o : {static_cast<int>(type >> 8), static_cast<int>(type & 255)}) frame.push_back(std::byte(o));
    for (int o : payload) frame.push_back(std::byte(o));
    return dissect(frame);
}

}  // namespace

TEST_CASE("layers bound to values that look alike are told apart, and of two for one value the first counts",
          "[packet]") {
    CHECK(innermost(dissected(0x88b5, {0x01, 0x02, 7})) == "First");
    CHECK(innermost(dissected(0x88b5, {0x02, 0x01, 7})) == "Second");
    CHECK(innermost(dissected(0x88b5, {0x00, 0x03, 7})) == "Third");
    CHECK(innermost(dissected(0x88b5, {0x03, 0x00, 7})) == "Raw");
    CHECK(innermost(dissected(0x88b5, {0x01, 0x03, 7})) == "Raw");
}

TEST_CASE("a field that tells what follows is read where the frame ends right behind it", "[packet]") {
    CHECK(innermost(dissected(0x88b6, {0xf3, 7})) == "First");
    CHECK(innermost(dissected(0x88b6, {0x0c, 7})) == "Second");
    CHECK(innermost(dissected(0x88b6, {0x3f, 7})) == "Raw");
    CHECK(innermost(dissected(0x88b6, {0xf3, 7, 0, 0, 0, 0, 0, 0, 0, 0})) == "Raw");
    CHECK(innermost(dissected(0x88b5, {0x01})) == "Carrier");
}

TEST_CASE("numbers of every width and place are read from headers of every length", "[packet]") {
    std::vector<std::byte> bytes;
    for (int i = 0; i < 24; ++i) bytes.push_back(std::byte(0x9d * i + 0x35));
    auto bit = [&](std::size_t i) { return std::to_integer<unsigned>(bytes[i / 8]) >> (7 - i % 8) & 1; };
    for (std::uint32_t offset = 0; offset < 70; ++offset)
        for (std::uint32_t width = 1; width <= 64; ++width) {
            std::uint64_t expected = 0;
            for (std::uint32_t i = 0; i < width; ++i) expected = expected << 1 | bit(offset + i);
            auto const whole = (offset + width + 7) / 8;
            for (std::size_t octets : {whole - 1, whole, whole + 1, std::uint32_t(bytes.size())}) {
                auto got = read_bits(std::span(bytes).first(octets), {offset, width});
                bool same = got == wire_value{0, octets < whole ? 0 : expected};
                if (!same) FAIL(offset << " " << width << " " << octets);
            }
        }
}
