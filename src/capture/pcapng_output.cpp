#include "capture/output.hpp"

#include <sonde/capture/capture_reader.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

// draft-ietf-opsawg-pcapng: a section header, an interface description for each link type and interface,
// enhanced packet blocks; little-endian, in nanoseconds.
namespace sonde::inline v0::detail {
namespace {

enum block : std::uint32_t { section_header = 0x0a0d0d0a, interface_description = 1, enhanced_packet = 6 };
enum option : std::uint16_t { end_of_options = 0, comment_option = 1, if_name = 2, if_tsresol = 9 };
constexpr std::size_t longest_comment = 65535, longest_name = 255;

class pcapng_output final : public capture_output {
public:
    explicit pcapng_output(std::function<std::string(int)> interface_name)
        : interface_name_(std::move(interface_name)) {}

    void check(frame const& f, std::string_view comment, std::string const& name) const override {
        if (f.time < timestamp{})
            throw error(errc::value_out_of_range, fmt::format("{}: a time before 1970", name));
        if (comment.size() > longest_comment)
            throw error(errc::value_out_of_range, fmt::format("{}: a comment of {} bytes, an option holds {}",
                                                              name, comment.size(), longest_comment));
    }

    void begin(std::vector<std::byte>& out, link_type) override {
        if (std::exchange(begun_, true)) return;
        auto at = open(out, section_header);
        put(out, 0x1a2b3c4d, 4);
        put(out, 1, 2);
        put(out, 0, 2);
        put(out, ~std::uint64_t(0), 8);  // the section's length: not known
        close(out, at);
    }

    void add(std::vector<std::byte>& out, frame const& f, std::string_view comment) override {
        auto interface = interface_of(out, f);
        auto captured = static_cast<std::uint32_t>(f.bytes.size());
        auto ticks = static_cast<std::uint64_t>(f.time.time_since_epoch().count());
        auto at = open(out, enhanced_packet);
        put(out, interface, 4);
        put(out, ticks >> 32, 4);
        put(out, ticks & 0xffffffff, 4);
        put(out, captured, 4);
        put(out, std::max(f.length, captured), 4);
        put(out, f.bytes);
        if (!comment.empty()) {
            put_option(out, comment_option, std::as_bytes(std::span(comment)));
            put_option(out, end_of_options, {});
        }
        close(out, at);
    }

private:
    std::uint32_t interface_of(std::vector<std::byte>& out, frame const& f) {
        auto [known, is_new] =
            interfaces_.try_emplace({f.type, f.interface}, static_cast<std::uint32_t>(interfaces_.size()));
        if (is_new) {
            auto at = open(out, interface_description);
            put(out, static_cast<std::uint32_t>(f.type), 2);
            put(out, 0, 2);
            put(out, capture_reader::largest_frame, 4);
            auto name = name_of(f.interface);
            if (!name.empty()) put_option(out, if_name, std::as_bytes(std::span(name)));
            constexpr std::byte nanoseconds{9};
            put_option(out, if_tsresol, {&nanoseconds, 1});
            put_option(out, end_of_options, {});
            close(out, at);
        }
        return known->second;
    }

    std::string name_of(int interface) const {
        auto name = interface != 0 && interface_name_ ? interface_name_(interface) : std::string();
        return name.substr(0, longest_name);
    }

    static void put(std::vector<std::byte>& out, std::uint64_t n, unsigned size) {
        for (unsigned i = 0; i < size; ++i) out.push_back(static_cast<std::byte>(n >> 8 * i));
    }
    /// Padded to a multiple of four.
    static void put(std::vector<std::byte>& out, std::span<std::byte const> bytes) {
        out.insert(out.end(), bytes.begin(), bytes.end());
        out.resize(out.size() + (4 - bytes.size() % 4) % 4);
    }
    static void put_option(std::vector<std::byte>& out, option code, std::span<std::byte const> value) {
        put(out, code, 2);
        put(out, value.size(), 2);
        put(out, value);
    }

    /// A block's type and room for its length; `close` says that at both ends.
    static std::size_t open(std::vector<std::byte>& out, block type) {
        auto at = out.size();
        put(out, type, 4);
        put(out, 0, 4);
        return at;
    }
    static void close(std::vector<std::byte>& out, std::size_t at) {
        auto length = out.size() - at + 4;
        for (unsigned i = 0; i < 4; ++i) out[at + 4 + i] = static_cast<std::byte>(length >> 8 * i);
        put(out, length, 4);
    }

    std::function<std::string(int)> interface_name_;
    bool begun_ = false;
    std::map<std::pair<link_type, int>, std::uint32_t> interfaces_;
};

}  // namespace

std::unique_ptr<capture_output> make_pcapng_output(std::function<std::string(int)> interface_name) {
    return std::make_unique<pcapng_output>(std::move(interface_name));
}

}  // namespace sonde::inline v0::detail
