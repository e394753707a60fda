#include "capture/format.hpp"

#include <fmt/format.h>

#include <algorithm>

// draft-ietf-opsawg-pcap: a file header of 24 octets, then records of a header of 16 and the captured octets.
// Kuznetzov's tcpdump has 8 more in each header: interface, protocol, packet type (libpcap's sf-pcap.c,
// pcap_sf_patched_pkthdr).
namespace sonde::inline v0::detail {
namespace {

class classic_format final : public capture_format {
public:
    classic_format(capture_input& input, bool big_endian, std::int64_t unit, std::size_t record_header)
        : input_(input), big_endian_(big_endian), unit_(unit), record_header_(record_header) {
        byte_reader header(input_.read(20), big_endian_);
        if (auto major = header.u16(0); major != 2)
            input_.damaged(fmt::format("pcap version {}.{}, known is 2", major, header.u16(2)));
        link_type_ = header.u32(16) & 0xffff;  // above: whether frames end in a checksum
    }

    std::optional<frame> next() override {
        if (!input_.begin_record()) return {};
        byte_reader header(input_.read(record_header_), big_endian_);
        // A fraction over a second (some writers' fault) counts as the seconds that it is.
        timestamp time(std::chrono::seconds(header.u32(0)) + std::chrono::nanoseconds(header.u32(4) * unit_));
        std::uint32_t captured = header.u32(8), length = header.u32(12);
        check_frame_size(input_, captured);
        auto bytes = input_.read(captured);
        auto type = known_link_type(link_type_);
        if (!type) fail_link_type(input_, link_type_);
        return frame{.bytes = bytes, .length = std::max(length, captured), .time = time, .type = *type};
    }

private:
    capture_input& input_;
    bool big_endian_;
    std::int64_t unit_;  // nanoseconds
    std::size_t record_header_;
    std::uint32_t link_type_ = 0;
};

}  // namespace

std::unique_ptr<capture_format> make_pcap(capture_input& input, std::span<std::byte const> magic) {
    for (bool big_endian : {false, true}) {
        auto number = byte_reader(magic, big_endian).u32(0);
        if (number == 0xa1b2c3d4) return std::make_unique<classic_format>(input, big_endian, 1000, 16);
        if (number == 0xa1b23c4d) return std::make_unique<classic_format>(input, big_endian, 1, 16);
        if (number == 0xa1b2cd34) return std::make_unique<classic_format>(input, big_endian, 1000, 24);
    }
    return nullptr;
}

}  // namespace sonde::inline v0::detail
