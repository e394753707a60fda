#include <sonde/capture/capture_writer.hpp>

#include "capture/input.hpp"

#include <sonde/capture/capture_reader.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>

namespace sonde {
namespace {

constexpr std::size_t buffer_size = std::size_t(64) << 10;

/// The link type of frames that begin with this layer. By name, as this room does not know the layers.
std::optional<link_type> link_type_of(layer_description const& outermost) {
    struct entry {
        std::string_view layer;
        link_type type;
    };
    static constexpr entry known[] = {
        {"Ether", link_type::ethernet},
        {"Dot3", link_type::ethernet},
        {"IP", link_type::raw},
        {"IPv6", link_type::raw},
        {"Loopback", link_type::null},
        {"CookedLinux", link_type::linux_sll},
        {"CookedLinuxV2", link_type::linux_sll2},
    };
    auto e = std::ranges::find(known, std::string_view(outermost.name), &entry::layer);
    return e == std::end(known) ? std::nullopt : std::optional(e->type);
}

}  // namespace

struct capture_writer::state {
    std::string name;
    detail::owned_stream owned{};
    std::FILE* stream = nullptr;  // null when closed
    std::optional<link_type> type{};
    std::uint64_t frames = 0;
    std::uint64_t written = 0;        // octets in the file: it ends at a whole record
    std::vector<std::byte> buffer{};  // whole records, but for a pipe that took a part of the first

    void put16(std::uint16_t n) { put(n, 2); }
    void put32(std::uint32_t n) { put(n, 4); }
    void put(std::uint32_t n, unsigned size) {
        for (unsigned i = 0; i < size; ++i) buffer.push_back(static_cast<std::byte>(n >> 8 * i));
    }
    void begin_file(link_type t);
    void check(frame const& f) const;
    void append(frame const& f);
    void flush();
    void close();
    void drop_partial_write(std::size_t done);
};

void capture_writer::state::begin_file(link_type t) {
    type = t;
    put32(0xa1b23c4d);  // nanoseconds
    put16(2);
    put16(4);
    put32(0);
    put32(0);
    put32(capture_reader::largest_frame);
    put32(static_cast<std::uint32_t>(t));
}

void capture_writer::state::check(frame const& f) const {
    if (!stream) throw_error(errc::bad_file, fmt::format("{}: append after close", name));
    if (type && *type != f.type)
        throw_error(
            errc::unsupported_link_type,
            fmt::format("{}: a frame of link type {} in a file of link type {}: write it to another file",
                        name, static_cast<int>(f.type), static_cast<int>(*type)));
    if (f.bytes.size() > capture_reader::largest_frame)
        throw_error(errc::value_out_of_range, fmt::format("{}: a frame of {} bytes, a record holds {}", name,
                                                          f.bytes.size(), capture_reader::largest_frame));
    if (f.time < timestamp{} || f.time - timestamp{} >= std::chrono::seconds(std::int64_t(1) << 32))
        throw_error(errc::value_out_of_range,
                    fmt::format("{}: a time of {} s, pcap holds 0 to 2^32 - 1", name,
                                std::chrono::floor<std::chrono::seconds>(f.time).time_since_epoch().count()));
}

void capture_writer::state::append(frame const& f) {
    check(f);
    if (buffer.size() + f.bytes.size() > buffer_size) flush();
    if (!type) begin_file(f.type);
    auto seconds = std::chrono::floor<std::chrono::seconds>(f.time);
    auto captured = static_cast<std::uint32_t>(f.bytes.size());
    put32(static_cast<std::uint32_t>(seconds.time_since_epoch().count()));
    put32(static_cast<std::uint32_t>((f.time - seconds).count()));
    put32(captured);
    put32(std::max(f.length, captured));
    buffer.insert(buffer.end(), f.bytes.begin(), f.bytes.end());
    ++frames;
}

void capture_writer::state::flush() {
    std::size_t done = 0;
    while (done < buffer.size()) {
        errno = 0;
        done += std::fwrite(buffer.data() + done, 1, buffer.size() - done, stream);
        if (done == buffer.size()) break;
        if (errno == EINTR) {
            std::clearerr(stream);
            continue;
        }
        error_code why(errno != 0 ? errno : EIO, boost::system::system_category());
        std::clearerr(stream);
        drop_partial_write(done);
        throw boost::system::system_error(why, name + ": write");
    }
    written += done;
    buffer.clear();
}

/// Cuts a file of our own back to the last whole record. What a pipe took is gone and must not be sent again.
void capture_writer::state::drop_partial_write(std::size_t done) {
    if (done == 0) return;
    std::error_code ec;
    // By descriptor: another file may have the name by now.
    if (owned) std::filesystem::resize_file(fmt::format("/proc/self/fd/{}", ::fileno(stream)), written, ec);
    if (owned && !ec && std::fseek(stream, static_cast<long>(written), SEEK_SET) == 0) return;
    buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(done));
    written += done;
}

void capture_writer::state::close() {
    if (!stream) return;
    if (!type) begin_file(link_type::ethernet);
    struct closing {
        state& s;
        ~closing() {
            s.stream = nullptr;
            s.owned.reset();
        }
    } at_exit{*this};
    flush();
    if (owned && std::fclose(owned.release()) != 0)
        throw boost::system::system_error({errno, boost::system::system_category()}, name + ": close");
}

capture_writer::capture_writer(std::string path) : state_(new state{.name = std::move(path)}) {
    auto& s = *state_;
    s.owned.reset(std::fopen(s.name.c_str(), "wbe"));
    if (!s.owned)
        throw boost::system::system_error({errno, boost::system::system_category()}, s.name + ": open");
    s.stream = s.owned.get();
    std::setvbuf(s.stream, nullptr, _IONBF, 0);  // we have a buffer, which knows records
}

capture_writer::capture_writer(std::FILE* stream, std::string name)
    : state_(new state{.name = std::move(name), .stream = stream}) {
    std::setvbuf(stream, nullptr, _IONBF, 0);
}

capture_writer::capture_writer(capture_writer&&) noexcept = default;

capture_writer& capture_writer::operator=(capture_writer&& other) noexcept {
    capture_writer closing(std::move(*this));
    state_ = std::move(other.state_);
    return *this;
}

capture_writer::~capture_writer() {
    try {
        if (state_) state_->close();
    } catch (...) {  // NOLINT(bugprone-empty-catch): a destructor can tell nobody
    }
}

void capture_writer::append(frame const& f) {
    state_->append(f);
}

void capture_writer::append(packet const& p) {
    if (p.is_template() && p.size() != 1) {
        for (auto const& one : p) append(one);
        return;
    }
    auto bytes = p.build();
    frame f{.bytes = bytes, .time = p.time, .type = state_->type.value_or(link_type::ethernet)};
    if (!p.empty() && p.layers().front().layer->name != std::string_view("Raw")) {
        auto const& outermost = *p.layers().front().layer;
        auto type = link_type_of(outermost);
        if (!type)
            throw_error(errc::unsupported_link_type,
                        fmt::format("{}: packets that begin with {} have no link type", state_->name,
                                    outermost.name));
        f.type = *type;
    }
    auto known = p.view().bytes.size();
    auto cut = p.wire_length > known ? p.wire_length - known : 0;
    f.length = static_cast<std::uint32_t>(bytes.size() + cut);
    append(f);
}

void capture_writer::flush() {
    if (state_->stream) state_->flush();
}

void capture_writer::close() {
    state_->close();
}

std::uint64_t capture_writer::frames() const noexcept {
    return state_->frames;
}

std::uint64_t write_pcap(std::string path, packet const& set) {
    capture_writer writer(std::move(path));
    writer.append(set);
    writer.close();
    return writer.frames();
}

}  // namespace sonde
