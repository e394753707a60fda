#include "capture/format.hpp"
#include "capture/pcapng_time.hpp"

#include <sonde/capture/capture_reader.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

// draft-ietf-opsawg-pcapng: blocks of type, total length, body, total length; sections say their byte order.
namespace sonde::inline v0::detail {
namespace {

enum block_type : std::uint32_t {
    section_header = 0x0a0d0d0a,  // the same in both byte orders
    interface_description = 1,
    packet_obsolete = 2,
    simple_packet = 3,
    enhanced_packet = 6,
};

struct interface_record {
    std::uint32_t link_type = 0;
    std::uint32_t snapshot = 0;  // octets, 0: unlimited
    pcapng_clock clock;
    std::string name;
};

class block_format final : public capture_format {
public:
    explicit block_format(capture_input& input) : input_(input) { read_section_header(); }

    std::optional<frame> next() override {
        while (input_.begin_record()) {
            byte_reader head(input_.read(4), big_endian_);
            auto type = head.u32(0);
            if (type == section_header)
                read_section_header();
            else if (auto f = read_block(type))
                return f;
        }
        return {};
    }

    std::string const& interface_name() const override { return last_name_; }

private:
    void read_section_header();
    std::optional<frame> read_block(std::uint32_t type);
    std::size_t body_size(std::uint32_t announced, std::size_t around) const;
    void check_trailer(std::uint32_t announced, std::span<std::byte const> trailer) const;
    void check_room(byte_reader body, std::size_t needed) const;
    void read_interface(byte_reader body);
    void read_option(interface_record& i, std::uint16_t code, byte_reader value);
    frame read_enhanced(byte_reader body);
    frame read_obsolete(byte_reader body);
    frame read_simple(byte_reader body);
    frame timed(byte_reader body, std::uint32_t interface);
    frame make_frame(std::uint32_t interface, std::span<std::byte const> bytes, std::uint32_t length);
    interface_record const& find(std::uint32_t interface) const;

    capture_input& input_;
    bool big_endian_ = false;
    std::vector<interface_record> interfaces_;  // of this section
    std::uint64_t interfaces_before_ = 0;       // in earlier sections
    std::string last_name_;
};

/// Behind the block's type, which is read.
void block_format::read_section_header() {
    std::array<std::byte, 8> head;
    std::ranges::copy(input_.read(8), head.begin());
    auto is_magic = [&](bool big) { return byte_reader(head, big).u32(4) == 0x1a2b3c4d; };
    if (!is_magic(false) && !is_magic(true)) input_.damaged("section without a byte order");
    big_endian_ = is_magic(true);
    auto announced = byte_reader(head, big_endian_).u32(0);
    auto size = body_size(announced, 16);
    byte_reader body(input_.read(size + 4), big_endian_);
    check_trailer(announced, body.bytes().subspan(size));
    check_room(byte_reader(body.bytes().first(size), big_endian_), 12);
    if (auto major = body.u16(0); major != 1)
        input_.damaged(fmt::format("pcapng version {}.{}, known is 1", major, body.u16(2)));
    interfaces_before_ += interfaces_.size();
    interfaces_.clear();
}

std::optional<frame> block_format::read_block(std::uint32_t type) {
    auto announced = byte_reader(input_.read(4), big_endian_).u32(0);
    auto size = body_size(announced, 12);
    bool known = type == interface_description || type == packet_obsolete || type == simple_packet ||
                 type == enhanced_packet;
    if (!known) {
        input_.skip(size);
        check_trailer(announced, input_.read(4));
        return {};
    }
    auto block = input_.read(size + 4);
    check_trailer(announced, block.subspan(size));
    byte_reader body(block.first(size), big_endian_);
    if (type == enhanced_packet) return read_enhanced(body);
    if (type == packet_obsolete) return read_obsolete(body);
    if (type == simple_packet) return read_simple(body);
    read_interface(body);
    return {};
}

/// How much lies between the first `around` - 4 octets of a block and its last 4.
std::size_t block_format::body_size(std::uint32_t announced, std::size_t around) const {
    // Some writers leave the padding out of the length.
    std::size_t total = (static_cast<std::size_t>(announced) + 3) / 4 * 4;
    if (total > capture_reader::largest_block)
        input_.damaged(fmt::format("a block of {} bytes, at most {} are read", announced,
                                   capture_reader::largest_block));
    if (total < around)
        input_.damaged(fmt::format("a block of {} bytes, at least {} are needed", announced, around));
    return total - around;
}

void block_format::check_trailer(std::uint32_t announced, std::span<std::byte const> trailer) const {
    auto again = byte_reader(trailer, big_endian_).u32(0);
    if (again != announced)
        input_.damaged(
            fmt::format("a block that begins with a length of {} and ends with {}", announced, again));
}

void block_format::check_room(byte_reader body, std::size_t needed) const {
    if (body.bytes().size() < needed)
        input_.damaged(fmt::format("a block body of {} bytes, {} are needed", body.bytes().size(), needed));
}

void block_format::read_interface(byte_reader body) {
    check_room(body, 8);
    if (interfaces_.size() == capture_reader::most_interfaces)
        input_.damaged(fmt::format("more than {} interfaces", capture_reader::most_interfaces));
    interface_record i{.link_type = body.u16(0), .snapshot = body.u32(4), .clock = {}, .name = {}};
    for (auto rest = body.bytes().subspan(8); rest.size() >= 4;) {
        byte_reader option(rest, big_endian_);
        std::size_t code = option.u16(0), length = option.u16(2), padded = (length + 3) / 4 * 4;
        if (code == 0 || padded > rest.size() - 4) break;  // what was read so far stays
        read_option(i, static_cast<std::uint16_t>(code), byte_reader(rest.subspan(4, length), big_endian_));
        rest = rest.subspan(4 + padded);
    }
    interfaces_.push_back(std::move(i));
}

void block_format::read_option(interface_record& i, std::uint16_t code, byte_reader value) {
    enum : std::uint16_t { if_name = 2, if_tsresol = 9, if_tsoffset = 14 };
    auto bytes = value.bytes();
    if (code == if_name) {
        auto text = bytes.first(std::min<std::size_t>(bytes.size(), 255));
        i.name.assign(reinterpret_cast<char const*>(text.data()), text.size());
    } else if (code == if_tsresol && bytes.size() == 1) {
        i.clock.set_resolution(std::to_integer<std::uint8_t>(bytes[0]));
    } else if (code == if_tsoffset && bytes.size() == 8) {
        i.clock.offset = static_cast<std::int64_t>(value.u64(0));
    }
}

frame block_format::read_enhanced(byte_reader body) {
    check_room(body, 20);
    return timed(body, body.u32(0));
}

frame block_format::read_obsolete(byte_reader body) {
    check_room(body, 20);
    return timed(body, body.u16(0));  // behind it: a count of drops
}

/// What enhanced and obsolete packet blocks share: time, lengths and octets.
frame block_format::timed(byte_reader body, std::uint32_t interface) {
    auto const& i = find(interface);
    std::uint64_t ticks = std::uint64_t(body.u32(4)) << 32 | body.u32(8);
    std::size_t captured = body.u32(12);
    check_frame_size(input_, captured);
    check_room(body, 20 + captured);
    auto f = make_frame(interface, body.bytes().subspan(20, captured), body.u32(16));
    f.time = i.clock.time(ticks);
    return f;
}

/// A simple packet is the first interface's, and says only its length on the wire.
frame block_format::read_simple(byte_reader body) {
    check_room(body, 4);
    auto length = body.u32(0);
    auto snapshot = find(0).snapshot;
    std::size_t captured = std::min<std::size_t>(length, body.bytes().size() - 4);
    if (snapshot != 0) captured = std::min<std::size_t>(captured, snapshot);
    check_frame_size(input_, captured);
    return make_frame(0, body.bytes().subspan(4, captured), length);
}

frame block_format::make_frame(std::uint32_t interface, std::span<std::byte const> bytes,
                               std::uint32_t length) {
    auto const& i = find(interface);
    auto type = known_link_type(i.link_type);
    if (!type) fail_link_type(input_, i.link_type);
    last_name_ = i.name;
    auto number =
        std::min<std::uint64_t>(interfaces_before_ + interface + 1, std::numeric_limits<int>::max());
    return {.bytes = bytes,
            .length = std::max(length, static_cast<std::uint32_t>(bytes.size())),
            .time = {},
            .type = *type,
            .interface = static_cast<int>(number)};
}

interface_record const& block_format::find(std::uint32_t interface) const {
    if (interface >= interfaces_.size())
        input_.damaged(
            fmt::format("a packet of interface {}, {} are described", interface, interfaces_.size()));
    return interfaces_[interface];
}

}  // namespace

std::unique_ptr<capture_format> make_pcapng(capture_input& input, std::span<std::byte const> magic) {
    if (byte_reader(magic, false).u32(0) != section_header) return nullptr;
    return std::make_unique<block_format>(input);
}

}  // namespace sonde::inline v0::detail
