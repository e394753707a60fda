#include "capture/format.hpp"
#include "capture/output.hpp"

#include <sonde/capture/capture_reader.hpp>

#include <fmt/format.h>

#include <algorithm>

// draft-ietf-opsawg-pcap
namespace sonde::inline v0::detail {
namespace {

constexpr std::uint32_t microseconds = 0xa1b2c3d4, nanoseconds = 0xa1b23c4d;

class pcap_output final : public capture_output {
public:
    pcap_output() = default;
    pcap_output(link_type type, bool big_endian, std::int64_t unit)
        : type_(type), big_endian_(big_endian), unit_(unit) {}

    std::optional<link_type> only_type() const override { return type_; }

    void check(frame const& f, std::string_view comment, std::string const& name) const override {
        if (type_ && *type_ != f.type)
            throw error(
                errc::unsupported_link_type,
                fmt::format("{}: a frame of link type {} in a pcap file of link type {}: write pcapng, or "
                            "another file",
                            name, static_cast<int>(f.type), static_cast<int>(*type_)));
        if (!comment.empty())
            throw error(errc::value_out_of_range,
                        fmt::format("{}: pcap has no comments: write pcapng", name));
        if (f.time < timestamp{} || f.time - timestamp{} >= std::chrono::seconds(std::int64_t(1) << 32))
            throw error(
                errc::value_out_of_range,
                fmt::format("{}: a time of {} s, pcap holds 0 to 2^32 - 1", name,
                            std::chrono::floor<std::chrono::seconds>(f.time).time_since_epoch().count()));
    }

    void begin(std::vector<std::byte>& out, link_type first) override {
        if (type_) return;
        type_ = first;
        put(out, nanoseconds, 4);
        put(out, 2, 2);
        put(out, 4, 2);
        put(out, 0, 4);
        put(out, 0, 4);
        put(out, capture_reader::largest_frame, 4);
        put(out, static_cast<std::uint32_t>(first), 4);
    }

    void add(std::vector<std::byte>& out, frame const& f, std::string_view) override {
        auto seconds = std::chrono::floor<std::chrono::seconds>(f.time);
        auto captured = static_cast<std::uint32_t>(f.bytes.size());
        put(out, static_cast<std::uint32_t>(seconds.time_since_epoch().count()), 4);
        put(out, static_cast<std::uint32_t>((f.time - seconds).count() / unit_), 4);
        put(out, captured, 4);
        put(out, std::max(f.length, captured), 4);
        out.insert(out.end(), f.bytes.begin(), f.bytes.end());
    }

private:
    void put(std::vector<std::byte>& out, std::uint32_t n, unsigned size) const {
        for (unsigned i = 0; i < size; ++i)
            out.push_back(static_cast<std::byte>(n >> 8 * (big_endian_ ? size - 1 - i : i)));
    }

    std::optional<link_type> type_;
    bool big_endian_ = false;
    std::int64_t unit_ = 1;  // nanoseconds
};

}  // namespace

std::unique_ptr<capture_output> make_pcap_output() {
    return std::make_unique<pcap_output>();
}

std::unique_ptr<capture_output> continue_pcap_output(std::span<std::byte const> header) {
    for (bool big_endian : {false, true}) {
        byte_reader numbers(header, big_endian);
        auto magic = numbers.u32(0);
        if (magic != microseconds && magic != nanoseconds) continue;
        auto type = known_link_type(numbers.u32(20) & 0xffff);
        if (!type) return nullptr;
        return std::make_unique<pcap_output>(*type, big_endian, magic == nanoseconds ? 1 : 1000);
    }
    return nullptr;
}

}  // namespace sonde::inline v0::detail
